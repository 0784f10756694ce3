"""Small numbers: the threshold, the rounding, and an attack over all that was ever published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.figures.protection import (
    THRESHOLD,
    WIDTH,
    Cell,
    Mark,
    Sum,
    conclude,
    interval,
    protect,
    rounded,
    share,
    told_of_time,
    two_digits,
)

from .attack import possible

# As the figures of decisions hang together: two floors of totals, and two figures on one total.
SUMS = (
    Sum("all", ("rule", "officers")),
    Sum("officers", ("granted", "refused")),
    Sum("officers", ("in time", "late")),
    Sum("refused", ("R1", "R2", "R3", "R4")),
)
small = st.integers(0, 14)
any_number = st.one_of(small, st.integers(0, 60))


@st.composite
def months(draw: st.DrawFn) -> dict[str, int]:
    reasons = {name: draw(small) for name in SUMS[3].parts}
    refused, granted, rule = sum(reasons.values()), draw(any_number), draw(any_number)
    late = min(draw(small), granted + refused)
    return filled({**reasons, "granted": granted, "rule": rule, "late": late}, refused)


def filled(counts: dict[str, int], refused: int) -> dict[str, int]:
    officers = counts["granted"] + refused
    late = min(counts["late"], officers)
    totals = {"refused": refused, "officers": officers, "all": officers + counts["rule"]}
    return counts | totals | {"late": late, "in time": officers - late}


@st.composite
def changed(draw: st.DrawFn, counts: Mapping[str, int]) -> dict[str, int]:
    """The same month after some cases changed."""
    free = ["granted", "rule", "late", *SUMS[3].parts]
    new = {name: max(0, counts[name] + (draw(st.integers(-3, 3)) if draw(st.booleans()) else 0)) for name in free}
    return filled(new, sum(new[name] for name in SUMS[3].parts))


def assert_nothing_is_recovered(counts: list[dict[str, int]], sums: Sequence[Sum] = SUMS) -> None:
    editions: list[dict[str, Cell]] = []
    for each in counts:
        editions.append(protect(each, sums, editions))
    for (name, number), values in possible(editions, counts, sums).items():
        assert counts[number][name] in values
        assert len(values) >= WIDTH, (name, number, values, counts, editions)


class TestAnAttackOverAllThatWasPublished:
    @given(months())
    def test_recovers_no_cell_of_a_month(self, counts: dict[str, int]) -> None:
        assert_nothing_is_recovered([counts])

    @given(st.data())
    def test_recovers_none_with_two_corrections_at_hand(self, data: st.DataObject) -> None:
        counts = [data.draw(months())]
        for _edition in range(2):
            counts.append(data.draw(changed(counts[-1])))
        assert_nothing_is_recovered(counts)

    @given(st.lists(st.lists(any_number, min_size=4, max_size=4), min_size=2, max_size=3))
    def test_recovers_none_where_the_total_is_another_one(self, numbers: list[list[int]]) -> None:
        """Then the parts are told, and the total is not."""
        parts = ("one", "two", "three", "four")
        counts = [dict(zip(parts, each, strict=True)) | {"all": sum(each)} for each in numbers]
        assert_nothing_is_recovered(counts, [Sum("all", parts)])

    def test_would_recover_one_without_secondary_suppression(self) -> None:
        """So the attack above can succeed: only what is few is left out, and the total gives it away."""
        counts, sums = {"all": 13, "one": 6, "other": 7}, [Sum("all", ("one", "other"))]
        bare = {name: Cell(rounded(n)) if n >= THRESHOLD else Cell(None, Mark.FEW) for name, n in counts.items()}
        assert possible([bare], [counts], sums)["one", 0] == [6, 7]
        assert protect(counts, sums)["all"].mark is Mark.WITHHELD


type Output = tuple[tuple[str, Cell], ...]
# How the cells of some group hang together: the free ones, all of them from these, and the sums.
type Group = tuple[str, Callable[[dict[str, int]], dict[str, int]], list[Sum]]

GROUPS: dict[str, Group] = {
    "two parts": ("ab", lambda c: c | {"all": c["a"] + c["b"]}, [Sum("all", ("a", "b"))]),
    "three parts": ("abc", lambda c: c | {"all": sum(c.values())}, [Sum("all", ("a", "b", "c"))]),
    "two floors": (
        "abc",
        lambda c: c | {"ab": c["a"] + c["b"], "all": sum(c.values())},
        [Sum("all", ("ab", "c")), Sum("ab", ("a", "b"))],
    ),
    "two figures of one total": (
        "abc",
        lambda c: c | {"all": c["a"] + c["b"], "d": c["a"] + c["b"] - c["c"]},
        [Sum("all", ("a", "b")), Sum("all", ("c", "d"))],
    ),
}


def alike(group: Group, most: int) -> list[list[dict[str, int]]]:
    """All months whose free cells are up to `most`; together those that have the same few and round to the same."""
    free, filled, _ = group
    found: dict[tuple[int, ...], list[dict[str, int]]] = {}
    for numbers in product(range(most + 1), repeat=len(free)):
        counts = filled(dict(zip(free, numbers, strict=True)))
        if min(counts.values()) >= 0:
            key = tuple(0 if number < THRESHOLD else rounded(number) for number in counts.values())
            found.setdefault(key, []).append(counts)
    return list(found.values())


def inverted(
    months: list[list[dict[str, int]]], sums: list[Sum], most: int, before: Sequence[Mapping[str, Cell]] = ()
) -> dict[Output, list[dict[str, int]]]:
    """Of each output the months that give exactly this output, after these editions. Of larger totals than are in it
    some months were not tried."""
    found: dict[Output, list[dict[str, int]]] = {}
    for some in months:
        found.setdefault(tuple(protect(some[0], sums, before).items()), []).extend(some)
    return {cells: some for cells, some in found.items() if all((cell.value or 0) <= most - 7 for _, cell in cells)}


def closed(cells: Output, months: list[dict[str, int]]) -> Iterator[tuple[str, set[int]]]:
    """Cells that are not told, and of which these months leave fewer than WIDTH values."""
    for name, cell in cells:
        values = {month[name] for month in months}
        if cell.value is None and len(values) < WIDTH:
            yield name, values


class TestTheRuleRunBackwards:
    """A reader knows the rule, and asks which counts give exactly what was published."""

    @pytest.mark.parametrize(("name", "most"), [*zip(GROUPS, (40, 22, 24, 24), strict=True)])
    def test_leaves_five_values_of_each_cell_that_is_not_told(self, name: str, most: int) -> None:
        _, _, sums = GROUPS[name]
        # Each month by itself: that the rule reads nothing else of a number is asked, too.
        found = inverted([[month] for some in alike(GROUPS[name], most) for month in some], sums, most)
        for cells, months in found.items():
            assert not [*closed(cells, months)], cells
        assert sum(cell.value is None for cells in found for _, cell in cells) > 20

    @pytest.mark.parametrize(("name", "most"), [*zip(GROUPS, (40, 27, 27, 27), strict=True)])
    def test_leaves_five_where_it_was_corrected(self, name: str, most: int) -> None:
        """Of a correction the rule reads what was published before, and not what was counted then."""
        _, _, sums = GROUPS[name]
        months, judged = alike(GROUPS[name], most), 0
        for first in inverted(months, sums, most):
            for cells, some in inverted(months, sums, most, [dict(first)]).items():
                assert not [*closed(cells, some)], (first, cells)
                judged += cells != first
        assert judged > 10

    def test_leaves_five_for_a_reader_who_knows_which_cells_changed_of_a_total_that_was_told(self) -> None:
        """Of what can be few: two numbers of 8 and more that round to 10, and come to 15, are 8 or 9."""
        (_, _, sums), most = GROUPS["two parts"], 27
        months = alike(GROUPS["two parts"], most)
        for first, then in inverted(months, sums, most).items():
            if dict(first)["all"].value is None:
                continue
            for cells, now in inverted(months, sums, most, [dict(first)]).items():
                fits: dict[tuple[bool, ...], tuple[list[dict[str, int]], list[dict[str, int]]]] = {}
                for old, new in product(then, now):
                    olds, news = fits.setdefault(tuple(old[name] == new[name] for name in old), ([], []))
                    olds.append(old)
                    news.append(new)
                for changed_ones, (olds, news) in fits.items():
                    for name, values in (*closed(first, olds), *closed(cells, news)):
                        assert min(values) >= THRESHOLD, (name, values, first, cells, changed_ones)

    def test_tells_nothing_again_beside_a_step_over_the_threshold(self) -> None:
        """The total was told again for 7 + 21 after 8 + 20, and 20 as well: 6 or 7 was the only number between."""
        sums = [Sum("all", ("a", "b"))]
        first = protect({"a": 8, "b": 20, "all": 28}, sums)
        then = protect({"a": 7, "b": 21, "all": 28}, sums, [first])
        assert {cell.mark for cell in then.values()} == {Mark.WITHHELD}


class TestProtect:
    @given(months())
    def test_tells_no_number_below_the_threshold_and_each_other_one_rounded(self, counts: dict[str, int]) -> None:
        for name, cell in protect(counts, SUMS).items():
            assert cell.value in (None, rounded(counts[name]))
            assert cell.value is None or counts[name] >= THRESHOLD
            assert cell.mark is not Mark.FEW or counts[name] < THRESHOLD

    @given(months())
    def test_gives_the_same_for_the_same(self, counts: dict[str, int]) -> None:
        first = protect(counts, SUMS)
        assert protect(counts, SUMS) == first == protect(counts, SUMS, [first])

    def test_withholds_nothing_where_nothing_is_few(self) -> None:
        counts = {"all": 63, "one": 41, "other": 22}
        assert [cell.value for cell in protect(counts, [Sum("all", ("one", "other"))]).values()] == [65, 40, 20]

    @pytest.mark.parametrize(("before", "after"), [(10, 7), (7, 10)])
    def test_tells_no_step_over_the_threshold(self, before: int, after: int) -> None:
        first = protect({"one": before}, [])
        assert protect({"one": after}, [], [first])["one"] == Cell(None, Mark.WITHHELD)

    def test_corrects_the_parts_where_the_total_was_never_told(self) -> None:
        sums = [Sum("all", ("case", "paper", "appeal"))]
        first = protect({"all": 52, "case": 41, "paper": 9, "appeal": 2}, sums)
        then = protect({"all": 72, "case": 61, "paper": 9, "appeal": 2}, sums, [first])
        assert (then["case"], then["paper"]) == (Cell(60), Cell(10))
        assert {then[name].mark for name in ("all", "appeal")} == {Mark.WITHHELD}

    def test_holds_nothing_for_large_where_all_is_withheld(self) -> None:
        """In a first edition it may be few, which is why all of it is withheld."""
        cells = protect({"all": 14, "a": 7, "b": 7, "c": 7, "d": 7}, [Sum("all", ("a", "b")), Sum("all", ("c", "d"))])
        assert {interval(cell).low for cell in cells.values()} == {0}
        assert {says.low for says in conclude([cells], []).values()} == {0}

    def test_refuses_a_total_that_is_no_sum(self) -> None:
        with pytest.raises(ValueError, match="not the sum"):
            protect({"all": 12, "one": 11}, [Sum("all", ("one",))])


@pytest.mark.parametrize(
    ("cell", "median", "late"),
    [(Cell(None, Mark.FEW), 0, 0), (Cell(15), 0, 0), (Cell(20), 1, 0), (Cell(160), 1, 0), (Cell(165), 1, 1)],
)
def test_a_time_is_told_where_enough_lie_on_either_side(cell: Cell, median: int, late: int) -> None:
    assert told_of_time(cell) == (bool(median), bool(late))


def test_times_have_two_digits_and_shares_come_from_what_is_published() -> None:
    assert [two_digits(each) for each in (0.4, 47.2, 128, 13_449, 86_400)] == [0, 47, 130, 13_000, 86_000]
    assert share(Cell(15), Cell(40)) == 37.5
    assert share(Cell(10), Cell(10)) is None
    assert share(Cell(None, Mark.FEW), Cell(40)) is None
