"""The operator's own additions: a CSV file of this machine, put at the targets together with the feed, sent to nobody.

    prefix,protocol,port,comment
    192.0.2.10,udp,51820,"our own gateway, until the register has it"
    2001:db8:77::/48,any,,

Additions alone: there is no way to say that an entry of the register shall not count. A file that cannot be read, or
has a line that is not understood, changes nothing: the additions of before stay.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from rahdari.address import AddressError, AddressFault, EndpointError, Part, parse_block, parse_port, parse_protocol

from .faults import AgentFault, Exit

COLUMNS = ("prefix", "protocol", "port", "comment")
LONGEST = 16 * 1024 * 1024
WIDEST = {4: 8, 6: 16}
# Of many wrong lines, as many are named.
MOST_NAMED = 5


class LocalUnreadable(AgentFault):
    exit = Exit.ALARM

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The local additions in {path} cannot be used: {why}. Those of before stay.",
            f"Mend the file: a line {','.join(COLUMNS)}, then one line for each addition.",
        )


@dataclass(frozen=True)
class LocalRow:
    """As the feed writes an entry: `prefix` canonical, `port` only with udp and tcp."""

    prefix: str
    protocol: str
    port: int | None
    comment: str


class LocalFile:
    """Read again when its bytes are others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = ""

    def changed(self) -> list[LocalRow] | None:
        """What stands there now, or None when it is what was given last. Raises LocalUnreadable."""
        try:
            with self._path.open("rb") as file:
                content = file.read(LONGEST + 1)
        except OSError as error:
            raise LocalUnreadable(self._path, error.strerror or "it cannot be read") from None
        if len(content) > LONGEST:
            raise LocalUnreadable(self._path, f"it has more than {LONGEST} bytes")
        digest = hashlib.sha256(content).hexdigest()
        if digest == self._seen:
            return None
        rows = rows_of(self._path, content)
        self._seen = digest
        return rows


def rows_of(path: Path, content: bytes) -> list[LocalRow]:
    """Raises LocalUnreadable."""
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        lines = [(reader.line_num, fields) for fields in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LocalUnreadable(path, f"it is no CSV in UTF-8 ({error})") from None
    lines = [(number, fields) for number, fields in lines if fields and not fields[0].lstrip().startswith("#")]
    if not lines:
        return []
    head = tuple(field.strip().lower() for field in lines[0][1])
    if head[:1] != ("prefix",) or not set(head) <= set(COLUMNS) or len(set(head)) < len(head):
        raise LocalUnreadable(path, f"its first line is not {','.join(COLUMNS)}")
    rows: dict[tuple[str, str, int | None], LocalRow] = {}
    wrong: list[str] = []
    for number, fields in lines[1:]:
        if len(fields) > len(head):
            wrong.append(f"line {number} has more fields than the first line")
            continue
        said = dict(zip(head, map(str.strip, fields), strict=False))
        try:
            row = _row(said)
        except (AddressError, EndpointError) as error:
            wrong.append(f"line {number}: {error.text!r} is not understood ({error.reason})")
            continue
        rows[row.prefix, row.protocol, row.port] = row
    if wrong:
        more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise LocalUnreadable(path, "; ".join(wrong[:MOST_NAMED]) + more)
    return list(rows.values())


def _row(said: dict[str, str]) -> LocalRow:
    protocol = parse_protocol(said.get("protocol") or "any")
    port = parse_port(said["port"]) if said.get("port") else None
    block = parse_block(said.get("prefix", ""))
    if block.prefixlen < WIDEST[block.version]:
        # A slip of the finger here would mark half of the world.
        raise AddressError(AddressFault.TOO_WIDE, said["prefix"])
    part = Part(protocol, port)
    return LocalRow(str(block), str(part.protocol), part.port, said.get("comment", "")[:200])
