"""Reading a roster's rows: from a piece of a CSV file to the lines that PostgreSQL copies in. No database.

Pure but for the nonces of encryption, so that processes can share the work: each gets the keys and a piece of the file.
Invariants: a row is one line; a bad one is named by line and reason and stops nothing; what leaves here holds a number
as a keyed hash and a name encrypted.
"""

import csv
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rahdari.vault.cipher import Sealer
from rahdari.vault.index import Blinder

from . import rules

COLUMNS = ("number", "name", "status", "valid_until")
NEEDED = ("number", "name")
ACTIVE = {"", "active", "valid", "registered", "yes"}
NOT_ACTIVE = {"inactive", "not active", "expired", "suspended", "cancelled", "struck off", "blocked", "no"}
LONGEST_NAME = 300
LONGEST_LINE = 65_536
PIECE = 4 * 1024 * 1024
_PK_BYTES = 16


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are read: its roster, the places of its columns, and the keys."""

    roster: str
    width: int
    places: dict[str, int]
    blinder: Blinder
    sealer: Sealer
    where: str  # the model and field whose names are encrypted


@dataclass(frozen=True)
class Piece:
    """A part of the file: whole lines. `offset` is where it ends, `first_line` the number of its first line."""

    content: bytes
    first_line: int
    lines: int
    offset: int


@dataclass(frozen=True)
class Rows:
    """What became of a piece. `copy` is in the text format of COPY: line, id, key, name, active, valid_until."""

    copy: bytes
    accepted: int
    rejected: list[tuple[int, str]]


def header_of(line: bytes) -> list[str]:
    """The names of the columns in a file's first line."""
    return [cell.strip().lower() for cell in _cells(line.removeprefix(b"\xef\xbb\xbf")) or []]


def pieces(file: BinaryIO, *, line: int) -> Iterator[Piece]:
    """The rest of a file in pieces of about four megabytes; `line` is the number of the next line."""
    while content := file.read(PIECE):
        if not content.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE)
            content += rest
            # The end of a line that is longer than any row can be: what was read of it is enough to be refused.
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(LONGEST_LINE)
            if not content.endswith(b"\n"):
                content += b"\n"
        lines = content.count(b"\n")
        yield Piece(content, line, lines, file.tell())
        line += lines


def read(reading: Reading, piece: Piece) -> Rows:
    """The rows of a piece."""
    try:
        lines: list[str] | list[bytes] = piece.content.decode().split("\n")
    except UnicodeDecodeError:
        lines = piece.content.split(b"\n")
    randoms = os.urandom(_PK_BYTES * piece.lines)
    out: list[str] = []
    rejected: list[tuple[int, str]] = []
    for at in range(piece.lines):
        number = piece.first_line + at
        row = _row(reading, lines[at])
        if row is None:
            continue
        if isinstance(row, str):
            rejected.append((number, row))
            continue
        key, name, active, until = row
        pk = _pk(randoms[_PK_BYTES * at : _PK_BYTES * (at + 1)])
        sealed = reading.sealer.seal(name.encode(), where=f"{reading.where}:{pk}").hex() if name else ""
        out.append(f"{number}\t{pk}\t\\\\x{key.hex()}\t\\\\x{sealed}\t{'t' if active else 'f'}\t{until}\n")
    return Rows("".join(out).encode(), len(out), rejected)


type _Row = tuple[bytes, str, bool, str]


def _row(reading: Reading, line: str | bytes) -> _Row | str | None:
    """Key, name, whether active, last day as COPY has it; or why there is none; or None for an empty line."""
    if len(line) >= LONGEST_LINE:
        return "not_text"
    cells = _cells(line)
    if cells is None:
        return "not_text"
    cells = [cell.strip() for cell in cells]
    if not any(cells):
        return None
    if len(cells) != reading.width:
        return "columns"
    places = reading.places
    number, name = cells[places["number"]], cells[places["name"]]
    status = cells[places["status"]] if "status" in places else ""
    until = cells[places["valid_until"]] if "valid_until" in places else ""
    if "\0" in number + name + status + until:
        return "not_text"
    if not number:
        return "no_number"
    exact = rules.roster_key(reading.roster, number)
    if exact is None:
        return "number_shape"
    if len(name) > LONGEST_NAME:
        return "name_too_long"
    plain = " ".join(status.lower().replace("-", " ").split())
    if plain not in ACTIVE and plain not in NOT_ACTIVE:
        return "status"
    day = _day(until)
    if day is None:
        return "valid_until"
    return reading.blinder.blind(f"roster.{reading.roster}", exact), name, plain in ACTIVE, day


def _cells(line: str | bytes) -> list[str] | None:
    """The cells of one line; None when it is no UTF-8 or its quotes do not close (a row is never more than a line)."""
    try:
        text = line.decode() if isinstance(line, bytes) else line
        text = text.rstrip("\r\n")
        if '"' not in text and "\r" not in text:
            return text.split(",")  # what the reader would give, at a fifth of its cost
        return next(csv.reader([text], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None


def _day(text: str) -> str | None:
    r"""A day as 2026-12-31 or 31-12-2026 (also with / or .) in ISO form, \N when empty, None when it is none."""
    if not text:
        return r"\N"
    plain = text.replace("/", "-").replace(".", "-")
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        try:
            return dt.datetime.strptime(plain, form).date().isoformat()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _pk(random: bytes) -> str:
    """A random UUID (version 4)."""
    text = random.hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
