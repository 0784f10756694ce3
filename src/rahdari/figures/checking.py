"""What a stranger can recompute with the files alone, without the register: whether the totals can be the sums of their
parts, whether the shares come from the numbers beside them, whether each correction is beside what it corrects, and
whether anything that is fewer than the threshold can be worked out from all that was ever published.

It cannot tell whether the numbers are those of the register: nobody can without its database (`rahdari figures
verify`), and there is no public log of the register's acts yet against which the two could be held.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .cells import NUMBER, Row, share_of
from .definitions import ALL
from .files import DEFINITIONS, EDITIONS, FIGURES, PACKAGE, TABLES
from .protection import BASE, THRESHOLD, WIDTH, Cell, Mark, Sum, at_least_and_most, conclude, interval


class Unreadable(ValueError):
    """A file is missing or is none of these."""


@dataclass(frozen=True)
class Checked:
    months: int
    editions: int
    cells: int
    problems: tuple[str, ...]


type Edition = dict[tuple[str, str, str], Row]


def check(folder: Path) -> Checked:
    """Raises Unreadable."""
    totals = {row["figure"]: row["total"] for row in _read(folder, DEFINITIONS)}
    listed: dict[str, list[dict[str, str]]] = {}
    for line in _read(folder, EDITIONS):
        listed.setdefault(line["month"], []).append(line)
    months: dict[str, dict[int, Edition]] = {}
    problems: list[str] = []
    rows = list(_read(folder, FIGURES))
    for line in rows:
        edition = months.setdefault(line["month"], {}).setdefault(int(line["edition"]), {})
        try:
            row = _row(line)
            if row.key in edition:
                raise ValueError("it is there twice")
            edition[row.key] = row
        except ValueError as error:
            problems.append(f"{_place(line)}: {error}")
    problems += _shares(rows, months)
    for month, editions in sorted(months.items()):
        numbers = [int(line["edition"]) for line in listed.get(month, ())]
        if not sorted(numbers) == sorted(editions) == list(range(1, len(editions) + 1)):
            problems.append(f"{month}: its editions are not 1 to {len(editions)} in both tables")
        for line in listed.get(month, ()):
            if int(line["edition"]) > 1 and not (line["why_en"] and line["why_ur"]):
                problems.append(f"{month}: edition {line['edition']} gives no reason")
        problems += [f"{month}: {problem}" for problem in _of_month([editions[n] for n in sorted(editions)], totals)]
    return Checked(len(months), sum(map(len, months.values())), len(rows), tuple(problems))


def _place(line: dict[str, str]) -> str:
    return f"{line['month']} edition {line['edition']}, {line['figure']} {line['part']} {line['measure']}"


def _read(folder: Path, name: str) -> Iterator[dict[str, str]]:
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
        described = {each["path"]: each for each in json.loads((folder / PACKAGE).read_text("utf-8"))["resources"]}
        columns = [field["name"] for field in described[name]["schema"]["fields"]]
    except (OSError, ValueError, KeyError) as error:
        raise Unreadable(f"{folder / name} and {folder / PACKAGE} cannot be read: {error}") from None
    reader = csv.DictReader(text.splitlines(keepends=True))
    if reader.fieldnames != columns or columns != [column.name for column in TABLES[name][1]]:
        raise Unreadable(f"{folder / name} does not have the columns of {PACKAGE}, or these are of another version")
    yield from reader


def _row(line: dict[str, str]) -> Row:
    value = int(line["value"]) if line["value"] else None
    if line["measure"] == NUMBER and value is not None and (value < THRESHOLD or value % BASE):
        raise ValueError(f"{value} is below {THRESHOLD} or not rounded to {BASE}")
    names = (line["figure"], int(line["version"]), line["part"], line["part_en"], line["part_ur"], line["measure"])
    row = Row(*names, value, line["mark"])
    _cell = row.cell  # Raises ValueError for a number with a mark, or with neither.
    return row


def _shares(rows: Iterable[dict[str, str]], months: dict[str, dict[int, Edition]]) -> Iterator[str]:
    for line in rows:
        edition = months[line["month"]][int(line["edition"])]
        row = edition.get((line["figure"], line["part"], line["measure"]))
        found = share_of(row, edition) if row is not None else None
        if ("" if found is None else str(found)) != line["share_percent"]:
            yield f"{_place(line)}: its share is {found}, not {line['share_percent'] or 'left out'}"


def _of_month(editions: list[Edition], totals: dict[str, str]) -> Iterator[str]:
    cells: list[dict[str, Cell]] = []
    sums: dict[str, Sum] = {}
    for edition in editions:
        own: dict[str, Cell] = {}
        for row in edition.values():
            if row.measure != NUMBER or not totals.get(row.figure):
                continue
            name = totals[row.figure] if row.part == ALL else f"{row.figure}.{row.part}"
            if own.setdefault(name, row.cell) != row.cell:
                yield f"{name} is not the same wherever it is told"
        cells.append(own)
        for figure, total in totals.items():
            parts = tuple(
                f"{figure}.{row.part}" for row in edition.values() if row.figure == figure and row.part != ALL
            )
            if parts and total in own:
                sums[figure] = Sum(total, tuple(dict.fromkeys(parts)))
                if not _can_be_the_sum(own[total], [own[part] for part in sums[figure].parts]):
                    yield f"{figure}: the parts do not come to {total}"
    for (name, says), left in conclude(cells, list(sums.values())).items():
        if says is Mark.FEW and left.width < WIDTH:
            yield f"{name} can be worked out: it is from {max(0, left.low)} to {left.high}"


def _can_be_the_sum(total: Cell, parts: list[Cell]) -> bool:
    both = at_least_and_most(parts) & interval(total)
    return both.low <= both.high
