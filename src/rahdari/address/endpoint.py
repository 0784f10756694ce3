"""What is registered: a block, and the protocols and ports at it.

A port belongs to TCP or UDP; without one it is every port. `any` means everything at the block; ESP and GRE have no
ports. Parts stand in one order, none twice, and none that another one covers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .block import Block, format_block, overlap, plain_text, turns_around

# One address has so many parts at most. Whoever needs more registers everything at it.
MOST_PARTS = 32
_SEPARATORS = re.compile(r"[\s,;،؛]+")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


class Protocol(StrEnum):
    ANY = "any"
    UDP = "udp"
    TCP = "tcp"
    ESP = "esp"
    GRE = "gre"

    @property
    def has_ports(self) -> bool:
        return self in {Protocol.UDP, Protocol.TCP}


_ORDER = (Protocol.TCP, Protocol.UDP, Protocol.ESP, Protocol.GRE, Protocol.ANY)


class EndpointFault(StrEnum):
    PORT_EMPTY = "port_empty"
    PORT_MALFORMED = "port_malformed"
    PORT_OUT_OF_RANGE = "port_out_of_range"
    PORT_WITHOUT_PROTOCOL = "port_without_protocol"
    PORTS_ARE_FIXED = "ports_are_fixed"
    RANGE_REVERSED = "range_reversed"
    TOO_MANY = "too_many"
    SEVERAL_MEANINGS = "several_meanings"
    PROTOCOL_UNKNOWN = "protocol_unknown"


class EndpointError(ValueError):
    """The text is no port or protocol, or they do not go together.

    `.reason`, `.text`; `.limit` where there are too many, `.suggestion` where something else was probably meant.
    """

    def __init__(
        self, reason: EndpointFault, text: str, *, limit: int | None = None, suggestion: str | None = None
    ) -> None:
        super().__init__(f"{reason}: {text[:80]!r}")
        self.reason = reason
        self.text = text
        self.limit = limit
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Part:
    """One protocol, and one port of it or all."""

    protocol: Protocol
    port: int | None = None

    def __post_init__(self) -> None:
        if self.port is None:
            return
        if not self.protocol.has_ports:
            raise EndpointError(EndpointFault.PORT_WITHOUT_PROTOCOL, str(self.port))
        if not 1 <= self.port <= 65_535:
            raise EndpointError(EndpointFault.PORT_OUT_OF_RANGE, str(self.port))

    def __str__(self) -> str:
        """`udp 51820`"""
        return self.protocol if self.port is None else f"{self.protocol} {self.port}"

    def covers(self, other: "Part") -> bool:
        """Whether every packet to the other one is to this one."""
        if self.protocol is Protocol.ANY:
            return True
        return self.protocol is other.protocol and self.port in {None, other.port}

    def overlaps(self, other: "Part") -> bool:
        return self.covers(other) or other.covers(self)


def in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """In their one order: TCP, UDP, ESP, GRE, everything; ports upwards; without those that another one covers."""
    ordered = sorted(set(parts), key=lambda part: (_ORDER.index(part.protocol), part.port or 0))
    return tuple(part for part in ordered if not any(one != part and one.covers(part) for one in ordered))


def format_parts(parts: Iterable[Part]) -> str:
    """`udp 500, udp 4500, esp`: what `parse_parts` reads."""
    return ", ".join(map(str, parts))


def parse_parts(text: str) -> tuple[Part, ...]:
    """What `format_parts` wrote. Raises EndpointError."""
    found = []
    for each in text.split(","):
        name, _, port = each.strip().partition(" ")
        found.append(Part(parse_protocol(name), parse_port(port) if port else None))
    return in_order(found)


@dataclass(frozen=True, slots=True)
class Endpoint:
    block: Block
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", in_order(self.parts))

    def __str__(self) -> str:
        """`203.0.113.24 udp 500, udp 4500, esp`"""
        return f"{format_block(self.block)} {format_parts(self.parts)}"

    def overlaps(self, other: "Endpoint") -> bool:
        """Whether some packet would be to both."""
        if not overlap(self.block, other.block):
            return False
        return any(one.overlaps(another) for one in self.parts for another in other.parts)


def parse_protocol(text: str) -> Protocol:
    """Raises EndpointError."""
    try:
        return Protocol(plain_text(text).lower())
    except ValueError:
        raise EndpointError(EndpointFault.PROTOCOL_UNKNOWN, text) from None


def parse_port(text: str) -> int:
    """A port from 1 to 65535. Raises EndpointError."""
    plain = plain_text(text)
    if not plain:
        raise EndpointError(EndpointFault.PORT_EMPTY, text)
    if turns_around(text) or not (plain.isascii() and plain.isdigit()):
        raise EndpointError(EndpointFault.PORT_MALFORMED, text)
    return _number(plain, text)


def parse_ports(text: str) -> tuple[int, ...]:
    """Ports and ranges of them, upwards: `1194, 1200-1203`. Raises EndpointError, also for more than MOST_PARTS."""
    plain = plain_text(text)
    if not plain:
        raise EndpointError(EndpointFault.PORT_EMPTY, text)
    if turns_around(text):
        raise EndpointError(EndpointFault.PORT_MALFORMED, text)
    plain = re.sub(r"\s*[-‐-―−:]\s*", "-", plain)
    ports: set[int] = set()
    for each in filter(None, _SEPARATORS.split(plain)):
        found = _RANGE.fullmatch(each)
        if found is None:
            raise EndpointError(EndpointFault.PORT_MALFORMED, text)
        first = _number(found[1], text)
        last = _number(found[2], text) if found[2] else first
        if last < first:
            raise EndpointError(EndpointFault.RANGE_REVERSED, text, suggestion=f"{last}-{first}")
        # Never more than can be refused in one look, whatever range was typed.
        ports.update(range(first, min(last, first + MOST_PARTS) + 1))
        if len(ports) > MOST_PARTS:
            raise EndpointError(EndpointFault.TOO_MANY, text, limit=MOST_PARTS)
    if not ports:
        raise EndpointError(EndpointFault.PORT_MALFORMED, text)
    return tuple(sorted(ports))


def format_ports(ports: Iterable[int]) -> str:
    """`1194, 1200-1203`: what `parse_ports` reads. Two neighbours stand by themselves."""
    runs: list[list[int]] = []
    for port in sorted(set(ports)):
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _number(plain: str, text: str) -> int:
    if len(plain) > 9 or not 1 <= int(plain) <= 65_535:
        raise EndpointError(EndpointFault.PORT_OUT_OF_RANGE, text)
    return int(plain)
