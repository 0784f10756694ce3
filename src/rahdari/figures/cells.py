"""A month as it is published: rows that anybody may read, and what they say of cells. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .definitions import ALL, TOTAL, Figure, Words, sums
from .protection import Cell, Mark, Sum, protect, share, told_of_time, two_digits

NUMBER, HALF, MOST = "number", "half", "most"


@dataclass(frozen=True)
class Row:
    """One cell. `measure`: a number, or of a time what half took at most (`half`) or 95 of 100 (`most`), in seconds."""

    figure: str
    version: int
    part: str
    en: str
    ur: str
    measure: str
    value: int | None
    mark: str

    @property
    def cell(self) -> Cell:
        return Cell(self.value, Mark(self.mark))

    @property
    def key(self) -> tuple[str, str, str]:
        return self.figure, self.part, self.measure

    def label(self, language: str) -> str:
        return Words(self.en, self.ur).in_language(language)


@dataclass(frozen=True)
class Counted:
    """What was counted of a month and is published nowhere: of each figure its parts, their numbers, or their times."""

    parts: Mapping[str, Mapping[str, Words]]
    numbers: Mapping[str, Mapping[str, int]]
    times: Mapping[str, Mapping[str, tuple[float, float]]]


def to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def from_json(cells: Iterable[Mapping[str, Any]]) -> list[Row]:
    return [Row(**cell) for cell in cells]


def cells_of(rows: Iterable[Row], figures: Mapping[str, Figure]) -> dict[str, Cell]:
    """The cells of numbers by their names."""
    return {figures[row.figure].cell(row.part): row.cell for row in rows if row.measure == NUMBER}


def rows_of(counted: Counted, figures: Mapping[str, Figure], before: Sequence[Sequence[Row]] = ()) -> list[Row]:
    """What is published of these counts. `before`: what all earlier editions of the month said, oldest first.
    Raises ValueError where two figures that come to the same do not."""
    bound = sums(figures, {id: tuple(parts) for id, parts in counted.numbers.items()})
    told = protect(_counts(counted, figures), _proper(bound), [cells_of(rows, figures) for rows in before])
    rows: list[Row] = []
    for id, figure in figures.items():
        if figure.is_time and id in counted.times:
            rows += _times(figure, figures[figure.of], counted, told)
        elif id in counted.numbers:
            parts = {ALL: TOTAL, **counted.parts[id]}
            rows += [_row(figure, part, words, NUMBER, told[figure.cell(part)]) for part, words in parts.items()]
    return rows


def _proper(bound: list[Sum]) -> list[Sum]:
    """Without figures that have a total alone."""
    return [each for each in bound if each.parts != (each.total,)]


def _counts(counted: Counted, figures: Mapping[str, Figure]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for id, numbers in counted.numbers.items():
        counts |= {figures[id].cell(part): number for part, number in numbers.items() if part != ALL}
        if not figures[id].is_total:
            counts[figures[id].total] = sum(numbers.values())
    return counts


def _times(figure: Figure, of: Figure, counted: Counted, told: Mapping[str, Cell]) -> list[Row]:
    rows = []
    for part, words in {ALL: TOTAL, **counted.parts[of.id]}.items():
        count, found = told[of.cell(part)], counted.times[figure.id].get(part)
        for place, (measure, shown) in enumerate(zip((HALF, MOST), told_of_time(count), strict=True)):
            few = Mark.FEW if count.mark is Mark.FEW else Mark.WITHHELD
            cell = Cell(two_digits(found[place])) if shown and found else Cell(None, few)
            rows.append(_row(figure, part, words, measure, cell))
    return rows


def _row(figure: Figure, part: str, words: Words, measure: str, cell: Cell) -> Row:
    return Row(figure.id, figure.version, part, words.en, words.ur, measure, cell.value, str(cell.mark))


def share_of(row: Row, rows: Mapping[tuple[str, str, str], Row]) -> float | None:
    """Of a part in its total, in per cent, from what is published."""
    total = rows.get((row.figure, ALL, NUMBER))
    return share(row.cell, total.cell) if total is not None and row.part != ALL and row.measure == NUMBER else None
