"""Files of addresses: what spreadsheets make of a table is read, put into one form, and written back. Pure.

Invariants: nothing that stood in a file is lost, columns we do not know are carried along; a cell is tidied only where
it can mean one thing; a file that holds a private key or a configuration with one is not read at all.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rahdari.address import plain_text, vpn
from rahdari.address.vpn import VPN_SERVICES
from rahdari.tables.csv_tables import as_it_was, no_formula

MOST_BYTES = 2 * 1024 * 1024
LONGEST_CELL = 1000
MOST_COLUMNS = 40

COLUMNS = ("address", "protocol", "port", "remote", "label", "branch")
# Asked for where the operator is asked who has an address; may stand in any file.
SUBSCRIBER = "subscriber"
OPERATOR = "operator"
CHANGES = "changes"
WRONG = "what_is_wrong"
_NAMES = {
    "address": "address|ip|ip address|ip_address|public address|public ip|prefix|range|block|network|endpoint"
    "|ایڈریس|آئی پی|آئی پی ایڈریس|پبلک ایڈریس|پتہ",
    "protocol": "protocol|type|vpn|vpn type|what runs there|پروٹوکول",
    "port": "port|ports|پورٹ",
    "remote": "remote|remote end|remote address|other side|address of the other side|peer"
    "|دوسری طرف|دوسری طرف کا ایڈریس",
    "label": "label|name|note|نام|لیبل",
    "branch": "branch|site|place|office|برانچ|دفتر|جگہ",
    SUBSCRIBER: "subscriber|subscriber number|customer number|account number|صارف نمبر|سبسکرائبر نمبر",
    OPERATOR: "operator|isp|provider|asn|آپریٹر",
    CHANGES: "changes|dynamic|is dynamic|بدلتا ہے",
    WRONG: "what_is_wrong|what is wrong",
}
HEADINGS = {name: column for column, names in _NAMES.items() for name in names.split("|")}
_SECRET = re.compile(
    r"PRIVATE KEY-----|(?:private|preshared)\s*_?key\s*[=:]|^\s*\[(?:interface|peer)\]", re.IGNORECASE | re.MULTILINE
)
# 43 signs of base64 and one of its marks at the end: a WireGuard key, public or private, which nobody can tell apart.
_KEY = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])")
_ADDRESS_AT_ALL = re.compile(r"[0-9a-f]{1,4}[.:][0-9a-f.:/]+", re.IGNORECASE)
_PROTOCOLS = {
    "wireguard": "wireguard",
    "wg": "wireguard",
    "openvpn": "openvpn_udp",
    "ovpn": "openvpn_udp",
    "openvpn udp": "openvpn_udp",
    "openvpn tcp": "openvpn_tcp",
    "ikev2": "ikev2",
    "ikev1": "ikev2",
    "ike": "ikev2",
    "ipsec": "ikev2",
    "ikev2 ipsec": "ikev2",
    "ikev2 nat": "ikev2",
    "ipsec nat": "ikev2",
    "nat t": "ikev2",
    "l2tp": "l2tp",
    "l2tp ipsec": "l2tp",
    "sstp": "sstp",
    "anyconnect": "anyconnect",
    "openconnect": "anyconnect",
    "ocserv": "anyconnect",
    "dtls": "anyconnect",
    "pptp": "pptp",
    "gre": "gre",
    "gre tunnel": "gre",
    "any": "any",
    "all": "any",
    "*": "any",
    "سب": "any",
    **{plain: plain for plain in ("udp", "tcp", "esp")},
}
# As they are told to people, and written by us.
NAMES_OF_PROTOCOLS = "wireguard, openvpn, openvpn-tcp, ikev2, l2tp, sstp, anyconnect, pptp, gre, udp, tcp, esp, any"
# A number with a mark between its thousands, as spreadsheets show it; or two ports.
THOUSANDS = re.compile(r"(\d{1,2})[, ](\d{3})", re.ASCII)
_USUAL = frozenset(str(part.port) for service in VPN_SERVICES.values() for part in service.parts if part.port)
_YES = frozenset({"yes", "y", "true", "1", "dynamic", "changes", "ہاں", "جی ہاں"})


class FileFault(StrEnum):
    """Why a file cannot be read at all."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    NO_COLUMNS = "no_columns"
    TOO_MANY_ROWS = "too_many_rows"
    SECRET = "secret"  # noqa: S105 (a reason, no password)


@dataclass(frozen=True)
class AddressRow:
    """A row as it stands in the file: the number of its line, and its cells by column."""

    line: int
    cells: Mapping[str, str]

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")

    def given(self) -> dict[str, str]:
        """The values as the form of one address has them."""
        kind, protocol, port = what_runs(self.cell("protocol"), self.cell("port"))
        changes = tidy(self.cell(CHANGES)).lower() in _YES
        return {
            "block": tidy(self.cell("address")),
            "kind": kind,
            "protocol": protocol,
            "port": port,
            "remote": tidy(self.cell("remote")),
            "label": tidy(self.cell("label")),
            "subscriber": tidy(self.cell(SUBSCRIBER)),
            "stays": "dynamic" if changes else "static",
        }

    def with_cells(self, **cells: str) -> "AddressRow":
        return replace(self, cells={**self.cells, **cells})


@dataclass(frozen=True)
class Table:
    """What a file holds: its columns in their order, known ones under our names, its rows, and what divides them."""

    columns: tuple[str, ...]
    rows: tuple[AddressRow, ...]
    separator: str = ","

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns if column not in _NAMES)


# -- reading -------------------------------------------------------------------------------------------------------


def read(content: bytes, *, most_rows: int) -> Table | FileFault:
    """The rows of a file: with comma, semicolon, tab or bar; in UTF-8, UTF-16 or the code page of old spreadsheets;
    with or without a line of headings (without one: address, protocol, port, remote, label).
    """
    if not content.strip():
        return FileFault.EMPTY
    if len(content) > MOST_BYTES:
        return FileFault.TOO_LARGE
    text = _text_of(content)
    if text is None or "\0" in text:
        return FileFault.NOT_TEXT
    if _SECRET.search(text) or _KEY.search(text):
        return FileFault.SECRET
    separator, lines = _lines_of(text)
    if separator is None:
        return FileFault.NOT_TEXT
    if not lines:
        return FileFault.EMPTY
    first = [_heading(cell) for cell in lines[0][1]]
    if "address" in first:
        columns, body = _once(first), lines[1:]
    elif any(_ADDRESS_AT_ALL.match(plain_text(tidy(cell))) for cell in lines[0][1][:1]):
        columns, body = COLUMNS, lines
    else:
        return FileFault.NO_COLUMNS
    if not body:
        return FileFault.EMPTY
    if len(body) > most_rows:
        return FileFault.TOO_MANY_ROWS
    if len(columns) > MOST_COLUMNS:
        return FileFault.NOT_TEXT
    rows = tuple(AddressRow(number, _cells(columns, cells)) for number, cells in body)
    return Table(tuple(column for column in columns if column and column != WRONG), rows, separator)


def _text_of(content: bytes) -> str | None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif content[:200].count(b"\0") > len(content[:200]) // 3:
        encodings = ["utf-16-le", "utf-16-be"]  # UTF-16 that lost its mark
    else:
        encodings = ["utf-8-sig", "cp1256"]  # what Excel saves with an Urdu Windows
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _lines_of(text: str) -> tuple[str | None, list[tuple[int, list[str]]]]:
    """What divides the cells, and the lines that hold something, with their numbers. None when the quotes do not
    close."""
    start = 0
    if text[:4].lower() == "sep=":  # a hint that only Excel reads
        separator, start = text[4:5], 1
        text = text.partition("\n")[2]
    else:
        head = next((line for line in text.splitlines() if line.strip()), "")
        separator = max(",;\t|", key=lambda sign: (head.count(sign), -",;\t|".index(sign)))
    if separator not in (",", ";", "\t", "|"):
        return None, []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = []
        for cells in reader:
            if len(cells) == 1 and separator not in cells[0] and "," in cells[0] and separator != ",":
                cells = next(csv.reader([cells[0]], strict=True))
            if len(cells) == 1 and cells[0].count(separator) > 0:
                cells = next(csv.reader([cells[0]], delimiter=separator, strict=True))  # the whole row was quoted
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num + start, cells))
        return separator, lines
    except csv.Error:
        return None, []


def _heading(cell: str) -> str:
    plain = " ".join(tidy(cell).lower().replace("_", " ").split())
    return HEADINGS.get(plain) or HEADINGS.get(plain.replace(" ", "_")) or tidy(cell)[:60]


def _once(columns: Sequence[str]) -> tuple[str, ...]:
    """Headings that stand twice, the second time under another name; empty ones that hold something under a number."""
    found: list[str] = []
    for place, name in enumerate(columns, start=1):
        name = name or f"column {place}"
        found.append(f"{name} ({place})" if name in found else name)
    return tuple(found)


def _cells(columns: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    cells = [as_it_was(cell) for cell in given]
    found = {
        name: cell.strip()[:LONGEST_CELL]
        for name, cell in zip(columns, cells, strict=False)
        if name != WRONG and cell.strip()
    }
    if more := [cell.strip() for cell in cells[len(columns) :] if cell.strip()]:
        # A row that is longer than its headings: a comma that was meant to stand in a cell.
        found["more"] = " ".join(more)[:LONGEST_CELL]
    return found


def tidy(cell: str) -> str:
    """A cell without what spreadsheets put round it: spaces of all kinds, an apostrophe in front, `="..."`."""
    text = " ".join(cell.replace("\u00a0", " ").replace("\ufeff", "").split())
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.removeprefix("'").strip()


def what_runs(protocol: str, port: str) -> tuple[str, str, str]:
    """The choice, protocol and ports of the form: from `WireGuard`, `udp`, `udp/51820`, `51820.0`, `51,820`."""
    name = " ".join(re.sub(r"[-_/]", " ", plain_text(tidy(protocol)).lower()).split())
    number = plain_text(tidy(port)).lower()
    for text in (number, name):
        found = re.fullmatch(r"(udp|tcp)[ /:]*(\d+)|(\d+)[ /:]*(udp|tcp)", text)
        if found:
            carried = found[1] or found[4]
            name = carried if text is name or not name else name
            number = number if text is name and number else found[2] or found[3]
    if re.fullmatch(r"\d+[.,]0{1,2}", number):
        number = re.split("[.,]", number)[0]
    elif (parts := THOUSANDS.fullmatch(number)) and parts[1] + parts[2] in _USUAL:
        number = parts[1] + parts[2]
    key = _PROTOCOLS.get(name)
    if key is None:
        return vpn.OTHER, "", number
    if key in VPN_SERVICES:
        return key, "", number
    return vpn.OTHER, key, number


def is_thousands_or_two(number: str) -> bool:
    """Whether a cell can be read as one port, written with its thousands apart, or as two."""
    parts = THOUSANDS.fullmatch(number)
    return parts is not None and int(parts[1] + parts[2]) <= 65_535


# -- writing -------------------------------------------------------------------------------------------------------


def write(columns: Sequence[str], rows: Iterable[Sequence[str]], *, mark: bool = True, separator: str = ",") -> str:
    """A table for spreadsheets, in which no cell is taken for a formula: the apostrophes that see to it are taken away
    by reading. With the mark of UTF-8, without which Excel misreads Urdu.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n", delimiter=separator)
    writer.writerow([no_formula(column) for column in columns])
    writer.writerows([[no_formula(cell) for cell in row] for row in rows])
    return ("\ufeff" if mark else "") + written.getvalue()
