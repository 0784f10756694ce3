"""Small numbers: which cells of a month are told, and what somebody who has all that was ever published can conclude.

Pure: no database, no clock, no Django. Counts are integers of 0 and more.

Invariants: a number below THRESHOLD is never told; one that is told is rounded to BASE, always in the same way; and of
a number that is not told at least WIDTH values stay possible, as many as the rounding leaves of each number that is,
for a reader who has every margin and every earlier edition of the month. Where a margin would give a cell away another
cell is withheld, the smallest that helps: nothing is ever made up, and no noise is added.

The method is cell suppression with conventional rounding: Hundepool et al., Statistical Disclosure Control (2012),
chapters 4 and 5.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

THRESHOLD, BASE, WIDTH = 8, 5, 5
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
    """What the cell of a first edition says alone."""
    if cell.value is not None:
        return Interval(max(THRESHOLD, cell.value - BASE // 2), cell.value + BASE // 2)
    return Interval(0, THRESHOLD - 1) if cell.mark is Mark.FEW else Interval(THRESHOLD, MOST)


def protect(counts: Mapping[str, int], sums: Sequence[Sum], before: Sequence[Cells] = ()) -> dict[str, Cell]:
    """The cells of an edition. `before`: the earlier editions of the same month, oldest first.

    A correction changes numbers that were told, or withholds them. What was not told stays untold, and what falls below
    THRESHOLD is withheld and not called few: a step over the threshold would tell how many there were on either side.
    Raises ValueError where a total is not the sum of its parts.
    """
    for each in sums:
        if counts[each.total] != sum(counts[part] for part in each.parts):
            raise ValueError(f"{each.total} is not the sum of its parts")
    cells = {
        name: _primary(number, [edition[name] for edition in before if name in edition])
        for name, number in counts.items()
    }
    while (name := _weakest(cells, sums, before)) is not None:
        cells[_helper(name, cells, counts, sums, before)] = Cell(None, Mark.WITHHELD)
    return cells


def _primary(number: int, before: Sequence[Cell]) -> Cell:
    untold = next((cell for cell in reversed(before) if cell.value is None), None)
    if untold is not None:
        still_few = number < THRESHOLD and before[-1].mark is Mark.FEW
        return Cell(None, Mark.FEW if still_few else Mark.WITHHELD)
    if number < THRESHOLD:
        return Cell(None, Mark.WITHHELD if before else Mark.FEW)
    return Cell(rounded(number))


def _weakest(cells: Cells, sums: Sequence[Sum], before: Sequence[Cells]) -> str | None:
    """A cell that is few and of which too few values stay possible, or one of which none does; None: there is none."""
    if all(cell.mark is not Mark.FEW for edition in (cells, *before) for cell in edition.values()):
        return None
    known = conclude([*before, cells], sums)
    weak = [name for (name, says), each in known.items() if each.width < (WIDTH if says is Mark.FEW else 1)]
    return min(weak, default=None)


def _helper(name: str, cells: Cells, counts: Mapping[str, int], sums: Sequence[Sum], before: Sequence[Cells]) -> str:
    """The next cell to withhold: the smallest one told in a sum with this cell, else in a sum beside it."""
    near = [name]
    for reached in near:
        told = []
        for each in sums:
            members = (each.total, *each.parts)
            if reached in members:
                told += [other for other in members if cells[other].value is not None]
                near += [other for other in members if other not in near]
        if told:
            return min(told, key=lambda other: (counts[other], other))
    raise AssertionError(f"{name} cannot be protected")  # Each earlier edition was protected when it was published.


def conclude(editions: Sequence[Cells], sums: Sequence[Sum]) -> dict[tuple[str, object], Interval]:
    """What follows from all editions for each unknown: a cell by its name, and what was published of it.

    A reader may hold that a cell did not change between two editions: where the same was published twice it is one
    unknown, and so is what is withheld in a correction and the cell before it. All sums of all editions bind it.
    Intervals are narrowed until no sum narrows one any more, or until one is empty: then something did change.
    """
    known: dict[tuple[str, object], Interval] = {}
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


def _told_by[K](total: K, parts: Collection[K], known: Mapping[K, Interval]) -> Iterator[tuple[K, Interval]]:
    low, high = (sum(ends) for ends in zip(*((known[part].low, known[part].high) for part in parts), strict=True))
    yield total, Interval(low, min(high, MOST))
    for part in parts:
        own = known[part]
        yield part, Interval(known[total].low - (high - own.high), min(MOST, known[total].high - (low - own.low)))


def told_of_time(count: Cell) -> tuple[bool, bool]:
    """Whether the median, and the 95th of 100, is told of as many as this cell says: where at least THRESHOLD lie on
    either side. Judged by what is published, so that it says nothing more of the number itself."""
    fewest = 0 if count.value is None else interval(count).low
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
    found = [interval(cell) if cell.mark is not Mark.WITHHELD else Interval(0, MOST) for cell in cells]
    return Interval(sum(each.low for each in found), min(MOST, sum(each.high for each in found)))
