"""A database in MaxMind's format (version 2.0 of its specification), which has readers in many languages.

What an address gives is {"registered": true, "endpoints": [{"protocol": "udp", "port": 51820}, ...]}; nothing when it
is not registered. IPv4 stands at ::/96, where every reader looks for it. Written in one pass over the address space:
a node of the tree takes 8 bytes of memory, and nothing grows with the number of entries but the tree itself.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rahdari.errors import RahdariError

from .renderer import Head, Options, Region, Renderer

MARKER = b"\xab\xcd\xefMaxMind.com"
NODES_IN_A_PIECE = 1 << 16


class NotInThisFormat(RahdariError, ValueError):
    """`.prefix`: an IPv6 prefix that overlaps the place that the format keeps for IPv4. No such one is global."""

    says = "{prefix} overlaps ::/96, where this format keeps IPv4"
    prefix: str


class Mmdb(Renderer):
    kind = "mmdb"
    takes = "regions"
    every_seconds = 60

    def render(self, items: Iterable[Region], head: Head, options: Options) -> Iterator[bytes]:
        leaves, data = _leaves_and_data(items)
        records = _tree(leaves)
        nodes = len(records) // 2
        size = 24 if nodes + 16 + len(data) < 1 << 24 else 32
        yield from _packed(records, size)
        yield b"\0" * 16
        yield data
        yield MARKER + _encoded(
            {
                "binary_format_major_version": Uint16(2),
                "binary_format_minor_version": Uint16(0),
                "build_epoch": Uint64(head.now.timestamp()),
                "database_type": "Rahdari-Registered-Endpoints",
                "description": {"en": "; ".join(head.lines)},
                "ip_version": Uint16(6),
                "languages": ["en"],
                "node_count": nodes,
                "record_size": Uint16(size),
            }
        )


class Uint16(int): ...


class Uint64(int): ...


class _Leaves:
    """Where data begin in the tree, in order: 128 bits of address, a depth, and an offset in the data."""

    def __init__(self) -> None:
        self.high, self.low, self.depth, self.offset = array("Q"), array("Q"), array("B"), array("L")

    def add(self, first: int, depth: int, offset: int) -> None:
        self.high.append(first >> 64)
        self.low.append(first & (1 << 64) - 1)
        self.depth.append(depth)
        self.offset.append(offset)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        for high, low, depth, offset in zip(self.high, self.low, self.depth, self.offset, strict=True):
            yield high << 64 | low, depth, offset


def _leaves_and_data(items: Iterable[Region]) -> tuple[_Leaves, bytes]:
    leaves, data = _Leaves(), bytearray()
    # Few different ones: most entries are for any protocol, or for the usual ports.
    offsets: dict[tuple[tuple[str, int], ...], int] = {}
    for first, length, version, endpoints in items:
        if version == 6 and first < 1 << 32:
            raise NotInThisFormat(f"{first:x}/{length}")
        offset = offsets.get(endpoints)
        if offset is None:
            offset = offsets[endpoints] = len(data)
            data += _encoded({"registered": True, "endpoints": [_endpoint(*one) for one in endpoints]})
        leaves.add(first, length + 96 if version == 4 else length, offset)
    return leaves, bytes(data)


def _endpoint(protocol: str, port: int) -> dict[str, object]:
    return {"protocol": protocol, "port": Uint16(port)} if port else {"protocol": protocol}


def _shared(first: int, other: int) -> int:
    """The number of leading bits that two addresses share."""
    return 128 - (first ^ other).bit_length()


def _tree(leaves: _Leaves) -> "array[int]":
    """Two records for each node: the next node, the number of nodes where nothing is, or beyond it where data are."""
    # 1) count: a leaf brings the nodes of its path that the leaf before it did not have
    nodes, before = 1, None
    for first, depth, _ in leaves:
        nodes += depth - 1 - (0 if before is None else _shared(first, before))
        before = first
    # 2) fill
    records = array("I", [nodes]) * (2 * nodes)
    path = [0] * 129
    used, before = 1, None
    for first, depth, offset in leaves:
        at = 0 if before is None else _shared(first, before)
        before = first
        node = path[at]
        for bit in range(127 - at, 128 - depth, -1):
            records[2 * node + (first >> bit & 1)] = used
            node = used
            used += 1
            at += 1
            path[at] = node
        records[2 * node + (first >> (128 - depth) & 1)] = nodes + 16 + offset
    return records


def _packed(records: "array[int]", size: int) -> Iterator[bytes]:
    for start in range(0, len(records), 2 * NODES_IN_A_PIECE):
        piece = records[start : start + 2 * NODES_IN_A_PIECE]
        if sys.byteorder == "little":
            piece.byteswap()
        content = piece.tobytes()
        if size == 24:
            short = bytearray(len(content) // 4 * 3)
            short[0::3], short[1::3], short[2::3] = content[1::4], content[2::4], content[3::4]
            content = bytes(short)
        yield content


def _encoded(value: object) -> bytes:
    """A value as the data section holds it."""
    match value:
        case bool():
            return _control(14, int(value))
        case str():
            content = value.encode()
            return _control(2, len(content)) + content
        case Uint16():
            return _number(5, value)
        case Uint64():
            return _number(9, value)
        case int():
            return _number(6, value)
        case Mapping():
            return _control(7, len(value)) + b"".join(_encoded(name) + _encoded(held) for name, held in value.items())
        case Sequence():
            return _control(11, len(value)) + b"".join(map(_encoded, value))
    raise TypeError(value)


def _number(kind: int, value: int) -> bytes:
    content = value.to_bytes((value.bit_length() + 7) // 8)
    return _control(kind, len(content)) + content


def _control(kind: int, size: int) -> bytes:
    """The byte that says what follows, and how much of it."""
    if size < 29:
        short, more = size, b""
    elif size < 285:
        short, more = 29, bytes([size - 29])
    else:
        short, more = 30, (size - 285).to_bytes(2)
    return (bytes([kind << 5 | short]) if kind < 8 else bytes([short, kind - 7])) + more
