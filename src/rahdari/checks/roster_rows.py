"""Reading a roster's rows: from a piece of a CSV file to the lines that PostgreSQL copies in. No database.

Pure but for the nonces of encryption, so that processes can share the work: each gets the keys and a piece of the file.
Invariants: a row is one line; a bad one is named by line and reason and stops nothing; a row without a name proves
nobody, so it is a bad one; what leaves here holds number and domain as keyed hashes, name and contact encrypted.
"""

import csv
import datetime as dt
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rahdari.people.identifiers import IdentifierError, parse_mobile
from rahdari.vault.cipher import Sealer
from rahdari.vault.index import Blinder

from . import names, rules

COLUMNS = ("number", "name", "status", "valid_until", "email", "mobile", "domain")
NEEDED = ("number", "name")
# What is said of a row that is in use all the same: somebody should look at it.
REMARKS = frozenset({"look_alike", "email", "mobile", "domain"})
ACTIVE = {"", "active", "valid", "registered", "yes"}
NOT_ACTIVE = {"inactive", "not active", "expired", "suspended", "cancelled", "struck off", "blocked", "no"}
LONGEST_NAME = 300
LONGEST_LINE = 65_536
PIECE = 4 * 1024 * 1024
_PK_BYTES = 16
_EMAIL = re.compile(r"[^@\s\"'<>,;:()\[\]]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# A letter that is read as a figure, beside a figure: after it, or before it at the beginning of a part.
_LOOK_ALIKE = re.compile(r"[0-9][OoIl]|(?<![^\W\d_])[OoIl][0-9]")


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are read: its roster, the places of its columns, and the keys."""

    roster: str
    width: int
    places: dict[str, int]
    blinder: Blinder
    sealer: Sealer
    where: str  # the model whose fields are encrypted


@dataclass(frozen=True)
class Piece:
    """A part of the file: whole lines. `offset` is where it ends, `first_line` the number of its first line."""

    content: bytes
    first_line: int
    lines: int
    offset: int


@dataclass(frozen=True)
class Rows:
    """What became of a piece. `copy` is in the text format of COPY, in the columns `COPIED`; `remarks` are line and
    reason of what is wrong, those of rows that were taken all the same (`REMARKS`) too."""

    copy: bytes
    accepted: int
    remarks: list[tuple[int, str]]


COPIED = ("line", "whole", "id", "key", "name", "active", "valid_until", "email", "mobile", "domain", "name_key")


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
    remarks: list[tuple[int, str]] = []
    for at in range(piece.lines):
        number = piece.first_line + at
        row = _row(reading, lines[at])
        if row is None:
            continue
        if isinstance(row, str):
            remarks.append((number, row))
            continue
        remarks += [(number, remark) for remark in row.remarks]
        pk = _pk(randoms[_PK_BYTES * at : _PK_BYTES * (at + 1)])
        domain = f"\\\\x{reading.blinder.blind(DOMAIN, row.domain).hex()}" if row.domain else r"\N"
        name_key = f"\\\\x{row.name_key.hex()}" if row.name_key else r"\N"
        sealed = [_sealed(reading, field, getattr(row, field), pk) for field in ("name", "email", "mobile")]
        out.append(
            f"{number}\t\\\\x{row.whole.hex()}\t{pk}\t\\\\x{row.key.hex()}\t{sealed[0]}\t{'t' if row.active else 'f'}\t"
            f"{row.until}\t{sealed[1]}\t{sealed[2]}\t{domain}\t{name_key}\n"
        )
    return Rows("".join(out).encode(), len(out), remarks)


# The purposes of keyed hashes: of the domain that a row names, of all that stands in it, and of a firm's name.
DOMAIN, WHOLE, NAME = "roster.domain", "roster.row", "roster.name"
# Lists of firms alone, which are public. Their names are looked for without a number, so that nobody else takes one.
OF_FIRMS = frozenset({"companies"})
# So much of the hash tells hundreds of thousands of names apart.
_NAME_KEY_BYTES = 8


def blind_name(blinder: Blinder, name: str) -> bytes | None:
    """What a firm's name is found by on a list; None where `names.name_key` has none."""
    key = names.name_key(name)
    return blinder.blind(NAME, key)[:_NAME_KEY_BYTES] if key is not None else None


def _sealed(reading: Reading, field: str, text: str, pk: str) -> str:
    if not text:
        return r"\\x"
    return rf"\\x{reading.sealer.seal(text.encode(), where=f'{reading.where}.{field}:{pk}').hex()}"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that is taken. `until` as COPY has it; `whole` tells an exact repetition from one that says otherwise."""

    key: bytes
    whole: bytes
    name: str
    active: bool
    until: str
    email: str
    mobile: str
    domain: str
    name_key: bytes | None
    remarks: tuple[str, ...]


def _row(reading: Reading, line: str | bytes) -> _Row | str | None:
    """The row; or why there is none; or None for an empty line."""
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
    given = {column: cells[place] for column, place in reading.places.items()}
    if "\0" in "".join(given.values()):
        return "not_text"
    number, name = given["number"], given["name"]
    if not number:
        return "no_number"
    exact = rules.roster_key(reading.roster, number)
    if exact is None:
        return rules.why_no_key(reading.roster, number)
    if not any(sign.isalnum() for sign in name):
        return "no_name"
    if len(name) > LONGEST_NAME:
        return "name_too_long"
    plain = " ".join(given.get("status", "").lower().replace("-", " ").split())
    if plain not in ACTIVE and plain not in NOT_ACTIVE:
        return "status"
    day = _day(given.get("valid_until", ""))
    if day is None:
        return "valid_until"
    remarks = ["look_alike"] if _LOOK_ALIKE.search(number) else []
    contact = {}
    for column, read_it in _CONTACT.items():
        text = given.get(column, "")
        found = read_it(text) if text else ""
        if found is None:
            remarks.append(column)
        contact[column] = found or ""
    active = plain in ACTIVE
    whole = "\0".join((exact, name, str(active), day, *contact.values()))
    blind = reading.blinder.blind
    key = blind(f"roster.{reading.roster}", exact)
    name_key = blind_name(reading.blinder, name) if reading.roster in OF_FIRMS else None
    return _Row(key, blind(WHOLE, whole), name, active, day, **contact, name_key=name_key, remarks=tuple(remarks))


def read_email(text: str) -> str | None:
    """An address of email in the form in which people sign in with it; None when it is none."""
    plain = unicodedata.normalize("NFKC", text).lower().strip()
    return plain if len(plain) <= 254 and _EMAIL.fullmatch(plain) else None


def read_domain(text: str) -> str | None:
    """`example.com` of `@example.com`, `www.example.com` or `https://example.com/`; None when it is none."""
    plain = re.sub(r"^(https?://|@)?(www\.)?", "", text.strip().lower()).partition("/")[0].rstrip(".")
    return plain if len(plain) <= 253 and _DOMAIN.fullmatch(plain) else None


def _mobile(text: str) -> str | None:
    try:
        return parse_mobile(text)
    except IdentifierError:
        return None


_CONTACT = {"email": read_email, "mobile": _mobile, "domain": read_domain}


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
