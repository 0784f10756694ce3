"""Sets of whole numbers as sorted spans that do not touch: addresses of one family, ports.

A span has both its ends. Everything here is exact, and as quick as the spans are few.
"""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from rahdari.address import Block

type Span = tuple[int, int]
type Spans = tuple[Span, ...]

VERSIONS = (4, 6)
HIGHEST = {4: 2**32 - 1, 6: 2**128 - 1}
NOTHING: Spans = ()
PORTS: Spans = ((0, 65_535),)
EVERY: dict[int, Spans] = {version: ((0, highest),) for version, highest in HIGHEST.items()}


def union(spans: Iterable[Span]) -> Spans:
    """Of spans in any order."""
    joined: list[list[int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return tuple((first, last) for first, last in joined)


def common(one: Spans, other: Spans) -> Spans:
    """What is in both."""
    if one is other or not one or not other:
        return one and other
    # What is everything there can be: nearly always one of both is.
    if len(one) == 1 and one[0][0] <= other[0][0] and other[-1][1] <= one[0][1]:
        return other
    if len(other) == 1 and other[0][0] <= one[0][0] and one[-1][1] <= other[0][1]:
        return one
    found, here, there = [], 0, 0
    while here < len(one) and there < len(other):
        first, last = max(one[here][0], other[there][0]), min(one[here][1], other[there][1])
        if first <= last:
            found.append((first, last))
        if one[here][1] < other[there][1]:
            here += 1
        else:
            there += 1
    return tuple(found)


def without(one: Spans, other: Spans) -> Spans:
    """What is in the first alone."""
    if not one or not other:
        return one
    left, there = [], 0
    for first, last in one:
        while there < len(other) and other[there][1] < first:
            there += 1
        at = there
        while at < len(other) and other[at][0] <= last:
            if first < other[at][0]:
                left.append((first, other[at][0] - 1))
            first = other[at][1] + 1
            at += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def size(spans: Spans) -> int:
    return sum(last - first + 1 for first, last in spans)


def holds(spans: Spans, number: int) -> bool:
    return meets(spans, (number, number))


def meets(spans: Spans, other: Span) -> bool:
    """Whether they share a number with this one: by halves, however many they are."""
    at = bisect_right(spans, (other[1], HIGHEST[6]))
    return at > 0 and spans[at - 1][1] >= other[0]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of both families."""

    v4: Spans = NOTHING
    v6: Spans = NOTHING

    def of(self, version: int) -> Spans:
        return self.v4 if version == 4 else self.v6

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)

    def __or__(self, other: "Addresses") -> "Addresses":
        return Addresses(union(self.v4 + other.v4), union(self.v6 + other.v6))

    def __and__(self, other: "Addresses") -> "Addresses":
        return Addresses(common(self.v4, other.v4), common(self.v6, other.v6))

    def __sub__(self, other: "Addresses") -> "Addresses":
        return Addresses(without(self.v4, other.v4), without(self.v6, other.v6))


def joined(parts: Iterable[Addresses]) -> Addresses:
    """All of them: one by one it would cost the square of their number."""
    found = list(parts)
    return Addresses(
        union(span for each in found for span in each.v4), union(span for each in found for span in each.v6)
    )


ANYWHERE = Addresses(EVERY[4], EVERY[6])
NOWHERE = Addresses()
ALL_OF = {4: Addresses(v4=EVERY[4]), 6: Addresses(v6=EVERY[6])}


def span_of(block: Block) -> Span:
    first = int(block.network_address)
    return first, first + block.num_addresses - 1


def blocks_of(version: int, span: Span) -> Iterable[Block]:
    """The prefixes that are exactly this span."""
    first, last = span
    size, bits = last - first + 1, 32 if version == 4 else 128
    network = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
    # Nearly always it is one.
    if size & (size - 1) == 0 and first % size == 0:
        return [network((first, bits - size.bit_length() + 1))]
    if version == 4:
        return ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
    return ipaddress.summarize_address_range(ipaddress.IPv6Address(first), ipaddress.IPv6Address(last))


def of_blocks(blocks: Iterable[Block]) -> Addresses:
    spans: dict[int, list[Span]] = {4: [], 6: []}
    for block in blocks:
        spans[block.version].append(span_of(block))
    return Addresses(union(spans[4]), union(spans[6]))


def of_block(block: Block) -> Addresses:
    spans = (span_of(block),)
    return Addresses(v4=spans) if block.version == 4 else Addresses(v6=spans)
