"""Reading many entries at once: the quick way for lines that are as nearly all lines are.

A block of lines is taken here only when each line of it is, byte by byte, an `add` of an entry of the six fields that
the reader in `edition` would take too; anything else in it, and the whole block is left to that reader. So this way
accepts nothing by itself: it is a second, narrower description of the same form, and a property test holds the two
against each other.
"""

import re
from binascii import unhexlify
from functools import lru_cache
from itertools import repeat
from socket import AF_INET, AF_INET6, inet_aton, inet_ntop, inet_pton
from typing import NamedTuple, Self

from .canonical import encode_checked
from .entry import WITH_PORTS, FeedEntry, is_time

LINE_BEGIN, LINE_END = b'{"entry":', b',"op":"add"}'
# Where a line is cut, and no more: each piece is held against the form by itself. What stands between the id and the
# prefix, and after it, is the same in so many lines that each text of it is read once (`_rest`).
_CUTS = re.compile(
    r'\{"entry":\{"id":"(.{32})(.{90,94}:")(?:([0-9.]{7,15})/32|([0-9a-f.:]{2,39})/([1-9][0-9]{0,2}|0))(".*\n)',
    re.ASCII,
)
_PIECES = 7
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_REST = re.compile(
    rf'","not_after":"({_TIME})","not_before":"({_TIME})","port":(?:null|([1-9][0-9]{{0,4}})),"prefix":"'
    r'","protocol":"(any|esp|gre|tcp|udp)"\},"op":"add"\}\n',
    re.ASCII,
)
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
        pieces = _CUTS.split(block.decode("ascii"))
        # First what stands between two lines, which is nothing; then each piece of all lines.
        between, ids, before, hosts, addresses, lengths, after = (pieces[at::_PIECES] for at in range(_PIECES))
        if any(between) or (letters := "".join(ids)) != letters.lower():
            return None
        if any(addresses):
            keys = [
                _network_key(address, int(length)) if address else b"\x04" + inet_pton(AF_INET, host) + b"\x20"
                for host, address, length in zip(hosts, addresses, lengths, strict=True)
            ]
        else:
            # It takes four numbers up to 255 without leading zeros, and nothing else.
            keys = [b"\x04" + packed + b"\x20" for packed in map(inet_pton, repeat(AF_INET), hosts)]
        rest = map(_rest, before, after)
        return [(id, key, *more) for id, key, more in zip(map(unhexlify, ids), keys, rest, strict=True)]
    except (OSError, ValueError):
        return None


def entries_in(block: bytes) -> list[bytes]:
    """The canonical bytes of the entries of a block, each of which stands between `LINE_BEGIN` and `LINE_END`."""
    first, last = len(LINE_BEGIN), -len(LINE_END)
    return [line[first:last] for line in block[:-1].split(b"\n")]


# A register has few terms; each text is about 100 bytes.
@lru_cache(maxsize=16_384)
def _rest(before: str, after: str) -> tuple[str, int | None, str, str, None]:
    """Protocol, port and times, from what stands before the prefix and after it. Raises ValueError."""
    found = _REST.fullmatch(before + after)
    if found is None:
        raise ValueError(before, after)
    not_after, not_before, port, protocol = found.groups()
    number = int(port) if port else None
    if number is not None and (number > 65_535 or protocol not in WITH_PORTS):
        raise ValueError(port)
    if not (_is_date(not_after[:10]) and _is_date(not_before[:10]) and not_before < not_after):
        raise ValueError(not_after)
    return protocol, number, not_before, not_after, None


def _network_key(address: str, length: int) -> bytes:
    """Raises OSError, ValueError."""
    if ":" in address:
        packed, bits, family = inet_pton(AF_INET6, address), 128, b"\x06"
        # What it writes otherwise, with dots for example, is for `ipaddress` to judge.
        if inet_ntop(AF_INET6, packed) != address or packed.startswith(_MAPPED):
            raise ValueError(address)
    else:
        packed, bits, family = inet_pton(AF_INET, address), 32, b"\x04"
    if length > bits or int.from_bytes(packed) & ((1 << (bits - length)) - 1):
        raise ValueError(length)
    return family + packed + bytes([length])


def _is_date(text: str) -> bool:
    return is_time(f"{text}T00:00:00Z")
