"""Reading many entries at once: the quick way for lines that are as nearly all lines are.

A block of lines is taken here only when each line of it is, byte by byte, an `add` of an entry of the six fields that
the reader in `edition` would take too; anything else in it, and the whole block is left to that reader. So this way
accepts nothing by itself: it is a second, narrower description of the same form, and a property test holds the two
against each other.
"""

import re
from binascii import unhexlify
from functools import lru_cache
from socket import AF_INET6, inet_aton, inet_ntop, inet_pton
from typing import NamedTuple, Self

from .canonical import encode_checked
from .entry import WITH_PORTS, FeedEntry, is_time

LINE_BEGIN, LINE_END = b'{"entry":', b',"op":"add"}'
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_OCTET = r"(?:0|[1-9][0-9]{0,2})"
_LINE = re.compile(
    r'\{"entry":(\{'
    r'"id":"([0-9a-f]{32})",'
    rf'"not_after":"({_TIME})",'
    rf'"not_before":"({_TIME})",'
    r'"port":(?:null|([1-9][0-9]{0,4})),'
    rf'"prefix":"(?:({_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET})|([0-9a-f:]{{2,39}}))/([1-9][0-9]{{0,2}}|0)",'
    r'"protocol":"(any|esp|gre|tcp|udp)"'
    r'\}),"op":"add"\}\n',
    re.ASCII,
)
_AROUND = len(LINE_BEGIN) + len(LINE_END) + 1
_MAPPED = bytes(10) + b"\xff\xff"


class EntryRow(NamedTuple):
    """An entry as a table holds it. `key` is family, first address and length (`key_of`): its order is the order of
    addresses. `extra` is the canonical JSON of fields that are not known here, or None."""

    id: bytes
    key: bytes
    protocol: str
    port: int | None
    not_before: str
    not_after: str
    extra: bytes | None = None

    @classmethod
    def of(cls, entry: FeedEntry) -> Self:
        return cls(
            bytes.fromhex(entry.id),
            key_of(entry.prefix),
            entry.protocol,
            entry.port,
            entry.not_before,
            entry.not_after,
            encode_checked(dict(entry.extra)) if entry.extra else None,
        )


def key_of(prefix: str) -> bytes:
    """Of a canonical prefix."""
    address, _, length = prefix.partition("/")
    if ":" in address:
        return b"\x06" + inet_pton(AF_INET6, address) + bytes([int(length)])
    return b"\x04" + inet_aton(address) + bytes([int(length)])


type Row = tuple[bytes, bytes, str, int | None, str, str, bytes | None]


def plain_rows(block: bytes) -> list[Row] | None:
    """The entries of a block of whole lines, as `EntryRow` has them, or None: read it line by line."""
    try:
        found = _LINE.findall(block.decode("ascii"))
    except UnicodeDecodeError:
        return None
    # `findall` passes over what does not fit: then the lengths do not add up.
    if sum([len(line[0]) for line in found]) + len(found) * _AROUND != len(block):
        return None
    if not all(map(_is_date, {line[2][:10] for line in found} | {line[3][:10] for line in found})):
        return None
    rows: list[Row] = []
    add = rows.append
    try:
        for _, id, not_after, not_before, port, v4, v6, length, protocol in found:
            if v4 and length == "32":
                key = b"\x04" + inet_aton(v4) + b"\x20"
            else:
                key = _network_key(v4, v6, int(length))
            number = None
            if port:
                number = int(port)
                if number > 65_535 or protocol not in WITH_PORTS:
                    return None
            if not_before >= not_after:
                return None
            add((unhexlify(id), key, protocol, number, not_before, not_after, None))
    except (OSError, ValueError):
        return None
    return rows


def _network_key(v4: str, v6: str, length: int) -> bytes:
    """Raises OSError, ValueError."""
    if v4:
        packed, bits, family = inet_aton(v4), 32, b"\x04"
    else:
        packed, bits, family = inet_pton(AF_INET6, v6), 128, b"\x06"
        # What it writes otherwise, with dots for example, is for `ipaddress` to judge.
        if inet_ntop(AF_INET6, packed) != v6 or packed.startswith(_MAPPED):
            raise ValueError(v6)
    if length > bits or int.from_bytes(packed) & ((1 << (bits - length)) - 1):
        raise ValueError(length)
    return family + packed + bytes([length])


@lru_cache(maxsize=16_384)
def _is_date(text: str) -> bool:
    return is_time(f"{text}T00:00:00Z")
