"""Small numbers: which cells of a month are told, and what somebody who has all that was ever published can conclude.

Pure: no database, no clock, no Django. Counts are integers of 0 and more.

Invariants: a number below THRESHOLD is never told; one that is told is rounded to BASE, always in the same way; and of
a number that is not told at least WIDTH values stay possible, as many as the rounding leaves of each number that is,
for a reader who has every margin and every earlier edition of the month, and who runs this rule backwards, that of
corrections too. So which cells are withheld follows from which cells are few, from what the others are rounded to, and
from nothing else that is not published: nothing is ever made up, and no noise is added.

The method is cell suppression with conventional rounding: Hundepool et al., Statistical Disclosure Control (2012),
chapters 4 and 5.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

THRESHOLD, BASE, WIDTH = 8, 5, 5
# Values that must be open of a few by what is published beside it; else all that is bound to it is withheld. More than
# WIDTH, so that many months end there: whoever knows that a month did knows little of it.
OPEN = 7
# No count of a month comes near it: the end of an interval that is open above.
MOST = 10**9


class Mark(StrEnum):
    """Why there is no number in a cell."""

    TOLD = ""
    FEW = "few"  # fewer than THRESHOLD
    WITHHELD = "withheld"  # with it another cell could be worked out


@dataclass(frozen=True)
class Cell:
    """A cell as it is published: a number rounded to BASE, or a mark."""

    value: int | None
    mark: Mark = Mark.TOLD

    def __post_init__(self) -> None:
        if (self.value is None) == (self.mark is Mark.TOLD):
            raise ValueError("a cell has a number or a mark")


@dataclass(frozen=True)
class Sum:
    """That a total is the sum of its parts. Cells are known by their names."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Interval:
    """The whole numbers from low to high, both among them."""

    low: int
    high: int

    @property
    def width(self) -> int:
        return self.high - self.low + 1

    def __and__(self, other: "Interval") -> "Interval":
        return Interval(max(self.low, other.low), min(self.high, other.high))


type Cells = Mapping[str, Cell]


def rounded(number: int) -> int:
    """To the nearest multiple of BASE."""
    return BASE * round(number / BASE)


def interval(cell: Cell) -> Interval:
    """What a cell says alone. Of what is withheld nothing: where all of a group is, some of it can be few."""
    if cell.value is not None:
        return Interval(max(THRESHOLD, cell.value - BASE // 2), cell.value + BASE // 2)
    return Interval(0, THRESHOLD - 1 if cell.mark is Mark.FEW else MOST)


def protect(counts: Mapping[str, int], sums: Sequence[Sum], before: Sequence[Cells] = ()) -> dict[str, Cell]:
    """The cells of an edition. `before`: the earlier editions of the same month, oldest first.
    Raises ValueError where a total is not the sum of its parts."""
    for each in sums:
        if counts[each.total] != sum(counts[part] for part in each.parts):
            raise ValueError(f"{each.total} is not the sum of its parts")
    cells = {
        name: Cell(None, Mark.FEW) if number < THRESHOLD else Cell(rounded(number)) for name, number in counts.items()
    }
    for bound in _bound_together(counts, sums):
        cells |= _guarded({name: cells[name] for name in bound}, sums)
        if before:
            cells |= _corrected({name: cells[name] for name in bound}, counts, sums, before)
    return cells


def _guarded(cells: Cells, sums: Sequence[Sum]) -> Cells:
    """Cells that are bound together by sums, with those withheld that would bind a few. Which these are is found by the
    marks alone. Whether that is enough is asked of what would be published; where it is not, nothing of these is told,
    also not which of them are few."""
    found = dict(cells)
    own = [each for each in sums if each.total in found]
    while (name := _to_withhold(found, own)) is not None:
        found[name] = Cell(None, Mark.WITHHELD)
    if all(each.width >= OPEN for (_, says), each in conclude([found], own).items() if says is Mark.FEW):
        return found
    return dict.fromkeys(found, Cell(None, Mark.WITHHELD))


def _to_withhold(cells: Cells, sums: Sequence[Sum]) -> str | None:
    """The next cell to withhold; None: there is none. A sum with a cell that is not told has two of them, and one at
    least of which only its low end is known. That is the total, where it is in no other sum."""
    for each in sums:
        members = (each.total, *each.parts)
        untold = [cells[name].mark for name in members if cells[name].value is None]
        told = [name for name in members if cells[name].value is not None]
        if not told or not untold or (len(untold) > 1 and Mark.WITHHELD in untold):
            continue

        def place(name: str, each: Sum = each) -> tuple[bool, bool, str]:
            beside = [other for other in sums if other != each and name in (other.total, *other.parts)]
            return bool(beside), name == each.total and bool(beside), name

        alone = [name for name in told if name == each.total and not place(name)[0]]
        return (alone or sorted(told, key=place))[0]
    return None


def _corrected(new: Cells, counts: Mapping[str, int], sums: Sequence[Sum], before: Sequence[Cells]) -> Cells:
    """What a correction tells of cells that are bound together by sums: all of it where it comes out as it was
    published, or where no number is few and none ever was. Else nothing, also not which are few: a step over the
    threshold would tell how many there were on either side, and so would a number that is told again, by the total of
    the edition before.

    Where there is one total, and it was never told, its parts are told: those that were, and are not few.
    """
    earlier = [edition[name] for edition in before for name in new if name in edition]
    last = {name: cell for edition in before for name, cell in edition.items() if name in new}
    if last == new or all(cell.value is not None for cell in (*new.values(), *earlier)):
        return new
    found = dict.fromkeys(new, Cell(None, Mark.WITHHELD))
    totals = {each.total for each in sums if each.total in new}
    if len(totals) == 1 and all(edition[name].value is None for edition in before for name in totals & edition.keys()):
        told = (name for name in new if last[name].value is not None and counts[name] >= THRESHOLD)
        found |= {name: Cell(rounded(counts[name])) for name in told}
    return found


def _bound_together(names: Iterable[str], sums: Sequence[Sum]) -> Iterator[set[str]]:
    """All cells, those together that a sum binds, or several in a row."""
    left = set(names)
    while left:
        found, seen = {left.pop()}, set[str]()
        while found != seen:
            seen = set(found)
            for each in sums:
                if found & {each.total, *each.parts}:
                    found |= {each.total, *each.parts}
        left -= found
        yield found


def conclude(editions: Sequence[Cells], sums: Sequence[Sum]) -> dict[tuple[str, object], Interval]:
    """What follows from all editions for each unknown: a cell by its name, and what was published of it.

    A reader may hold that a cell did not change between two editions: where the same was published twice it is one
    unknown, and so is what is withheld in a correction and the cell before it. All sums of all editions bind it.
    Intervals are narrowed until no sum narrows one any more, or until one is empty: then something did change.
    """
    known: dict[tuple[str, object], Interval] = {
        (name, Mark.WITHHELD): Interval(THRESHOLD, MOST) for cells in editions[:1] for name in _not_few(cells, sums)
    }
    bound: list[tuple[tuple[str, object], list[tuple[str, object]]]] = []
    keys: dict[str, tuple[str, object]] = {}
    for number, cells in enumerate(editions):
        for name, cell in cells.items():
            if number == 0 or cell.mark is not Mark.WITHHELD or name not in keys:
                keys[name] = (name, cell.mark if cell.value is None else cell.value)
                known.setdefault(keys[name], interval(cell))
        bound += [
            (keys[each.total], [keys[part] for part in each.parts])
            for each in sums
            if all(name in cells for name in (each.total, *each.parts))
        ]
    narrowed = True
    while narrowed:
        narrowed = False
        for total, parts in bound:
            for key, says in _told_by(total, parts, known):
                if (new := known[key] & says) != known[key]:
                    known[key], narrowed = new, True
                    if new.width <= 0:
                        return known
    return known


def _not_few(cells: Cells, sums: Sequence[Sum]) -> Iterator[str]:
    """What is withheld in a first edition beside cells that are not: each of these that is few says so."""
    own = [each for each in sums if all(name in cells for name in (each.total, *each.parts))]
    for bound in _bound_together(cells, own):
        withheld = {name for name in bound if cells[name].mark is Mark.WITHHELD}
        if withheld != bound:
            yield from withheld


def _told_by[K](total: K, parts: Collection[K], known: Mapping[K, Interval]) -> Iterator[tuple[K, Interval]]:
    low, high = (sum(ends) for ends in zip(*((known[part].low, known[part].high) for part in parts), strict=True))
    yield total, Interval(low, min(high, MOST))
    for part in parts:
        own = known[part]
        yield part, Interval(known[total].low - (high - own.high), min(MOST, known[total].high - (low - own.low)))


def told_of_time(count: Cell) -> tuple[bool, bool]:
    """Whether the median, and the 95th of 100, is told of as many as this cell says: where at least THRESHOLD lie on
    either side. Judged by what is published, so that it says nothing more of the number itself."""
    fewest = interval(count).low
    return fewest >= 2 * THRESHOLD, fewest >= 20 * THRESHOLD


def two_digits(seconds: float) -> int:
    """A time rounded to two digits that count: nobody finds a case by its seconds."""
    whole = round(seconds)
    return int(round(whole, min(0, 2 - len(str(whole)))))


def share(some: Cell, of: Cell) -> float | None:
    """In per cent, from what is published alone, so that any reader comes to the same. None where one is not told, and
    where the rounding makes a part as much as the whole: all of it would be too much said."""
    if some.value is None or of.value is None or some.value >= of.value:
        return None
    return round(100 * some.value / of.value, 1)


def at_least_and_most(cells: Iterable[Cell]) -> Interval:
    """Between what the true sum of these lies, as far as they say it."""
    found = [interval(cell) for cell in cells]
    return Interval(sum(each.low for each in found), min(MOST, sum(each.high for each in found)))
