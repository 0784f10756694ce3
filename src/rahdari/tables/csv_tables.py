"""Tables that people send and fetch: CSV with a heading, as spreadsheets write and read it. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class FileTrouble(StrEnum):
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    NOT_TEXT = "not_text"
    NO_COLUMNS = "no_columns"


@dataclass(frozen=True)
class CsvRow:
    """One row of a file as it was sent."""

    line: int
    cells: Mapping[str, str]

    def cell(self, name: str) -> str:
        return self.cells.get(name, "").strip()


def read_table(
    content: bytes, *, needed: Sequence[str], most_rows: int, most_bytes: int
) -> tuple[CsvRow, ...] | FileTrouble:
    """The rows of a CSV with a heading; comma or semicolon, UTF-8 with or without its mark, UTF-16 as Excel has it."""
    if not content.strip():
        return FileTrouble.EMPTY
    if len(content) > most_bytes:
        return FileTrouble.TOO_LARGE
    text = _text_of(content)
    if text is None or "\0" in text:
        return FileTrouble.NOT_TEXT
    if not text.strip():
        return FileTrouble.EMPTY
    first = text.splitlines()[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        heading = [cell.strip().lower() for cell in next(lines)]
        if any(name not in heading for name in needed):
            return FileTrouble.NO_COLUMNS
        rows: list[CsvRow] = []
        for cells in lines:
            if len(rows) >= most_rows:
                return FileTrouble.TOO_MANY_ROWS
            if any(cell.strip() for cell in cells):
                read = [as_it_was(cell) for cell in cells]
                rows.append(CsvRow(lines.line_num, dict(zip(heading, read, strict=False))))
    except csv.Error:
        return FileTrouble.NOT_TEXT
    return tuple(rows) or FileTrouble.EMPTY


def _text_of(content: bytes) -> str | None:
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",)
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def write_table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A CSV for spreadsheets, in which no cell is taken for a formula."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(list(heading))
    writer.writerows([[no_formula(cell) for cell in row] for row in rows])
    return written.getvalue()


# Where a spreadsheet of another country, which divides at semicolons, would see a cell begin inside one of ours.
_INNER = re.compile(r"""([;|\t\r\n])(['"]*[=+\-@])""")
_GUARDED = re.compile(r"""([;|\t\r\n])'(['"]*[=+\-@])""")


def no_formula(cell: str) -> str:
    """The cell with an apostrophe wherever a formula could begin, whatever sign a spreadsheet divides at."""
    cell = _INNER.sub(r"\1'\2", cell)
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def as_it_was(cell: str) -> str:
    """The cell without the apostrophes that `no_formula` put inside it."""
    return _GUARDED.sub(r"\1\2", cell)
