"""From rows in order to what a device can hold. Pure, streaming: memory does not grow with the number of rows.

Rows come in order of family, first address, length, protocol and port. Aggregation is exact: it merges what covers or
adjoins, and never adds an address that was not there. `regions` cuts overlapping prefixes into parts that do not
overlap, for formats that give one answer for an address.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from .renderer import End, Region, Row

BITS = {4: 32, 6: 128}


def prefixes(rows: Iterable[Row]) -> Iterator[str]:
    """Each prefix once."""
    last = ""
    for row in rows:
        prefix = row.prefix
        if prefix != last:
            last = prefix
            yield prefix


def ends(rows: Iterable[Row]) -> Iterator[End]:
    """Each prefix once, with the last end of its entries. What is kept
    though it has ended or was taken out, and what is local, has no end."""
    for prefix, group in groupby(rows, attrgetter("prefix")):
        until = ["" if row.kept_stale or row.held or row.local else row.not_after for row in group]
        yield End(prefix, "" if "" in until else max(until))


def parse(prefix: str) -> tuple[int, int, int]:
    """Version, first address, length: of canonical text, and much quicker than `ipaddress`."""
    address, _, length = prefix.partition("/")
    if ":" in address:
        return 6, int.from_bytes(socket.inet_pton(socket.AF_INET6, address)), int(length)
    return 4, int.from_bytes(socket.inet_aton(address)), int(length)


def text(version: int, first: int, length: int) -> str:
    if version == 4:
        return f"{socket.inet_ntoa(first.to_bytes(4))}/{length}"
    # Not inet_ntop: it writes the first 96 bits of zero another way.
    return f"{ipaddress.IPv6Address(first)}/{length}"


def aggregated(given: Iterable[str]) -> Iterator[str]:
    """The fewest prefixes that cover the same addresses, of prefixes in order."""
    for version, first, length, _ in merged((*parse(prefix), None) for prefix in given):
        yield text(version, first, length)


def aggregated_ends(given: Iterable[End]) -> Iterator[End]:
    """As `aggregated`. A merged prefix has the last end of its parts: an address is kept too long rather than cut."""

    def later(one: str, other: str) -> str:
        return max(one, other) if one and other else ""

    blocks = ((*parse(item.prefix), item.not_after) for item in given)
    for version, first, length, until in merged(blocks, join=later):
        yield End(text(version, first, length), until)


type Block[K] = tuple[int, int, int, K]


def merged[K](blocks: Iterable[Block[K]], *, join: Callable[[K, K], K] | None = None) -> Iterator[Block[K]]:
    """Blocks in order, with a key each: what another covers goes, and twins become one. With `join` keys are joined;
    without it only blocks of the same key are merged.

    The stack holds one run of adjoining blocks in its fewest: never more than two for each bit of an address.
    """
    stack: list[Block[K]] = []
    after = -1
    for version, first, length, key in blocks:
        if stack:
            top = stack[-1]
            if top[0] != version or first > after or (join is None and top[3] != key):
                yield from stack
                stack = []
            elif first < after:
                # Covered: of two that overlap one covers the other, and the wider comes first.
                if join is not None:
                    stack[-1] = (*top[:3], join(top[3], key))
                continue
        stack.append((version, first, length, key))
        after = first + (1 << (BITS[version] - length))
        while len(stack) > 1:
            (_, one, one_length, one_key), (_, _, other_length, other_key) = stack[-2:]
            # Twins: of one length, and the first of them on the border of the prefix that is twice as wide.
            if one_length != other_length or one >> (BITS[version] - one_length) & 1:
                break
            both = one_key if join is None else join(one_key, other_key)
            stack[-2:] = [(version, one, one_length - 1, both)]
    yield from stack


def regions(rows: Iterable[Row]) -> Iterator[Region]:
    """Prefixes that do not overlap, in order, each with the endpoints of all rows that cover it; merged where equal."""
    for version, first, length, endpoints in merged(_cut(rows)):
        yield Region(first, length, version, endpoints)


type Endpoints = tuple[tuple[str, int], ...]


def _cut(rows: Iterable[Row]) -> Iterator[Block[Endpoints]]:
    # Open prefixes, each inside the one before: (version, end, endpoints of it and of all that cover it).
    open_ones: list[tuple[int, int, Endpoints]] = []
    at = 0
    for prefix, group in groupby(rows, attrgetter("prefix")):
        version, first, length = parse(prefix)
        own = {(row.protocol, row.port or 0) for row in group}
        while open_ones and (open_ones[-1][0] != version or open_ones[-1][1] <= first):
            family, end, endpoints = open_ones.pop()
            yield from _blocks(family, at, end, endpoints)
            at = end
        if open_ones:
            yield from _blocks(version, at, first, open_ones[-1][2])
            own.update(open_ones[-1][2])
        at = first
        open_ones.append((version, first + (1 << (BITS[version] - length)), tuple(sorted(own))))
    while open_ones:
        family, end, endpoints = open_ones.pop()
        yield from _blocks(family, at, end, endpoints)
        at = end


def _blocks(version: int, first: int, end: int, endpoints: Endpoints) -> Iterator[Block[Endpoints]]:
    """The fewest prefixes from `first` up to, and without, `end`."""
    bits = BITS[version]
    while first < end:
        size = first & -first or 1 << bits
        while size > end - first:
            size >>= 1
        yield version, first, bits - size.bit_length() + 1, endpoints
        first += size
