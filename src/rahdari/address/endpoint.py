"""What is registered: a block, a protocol and a port.

A port belongs to TCP or UDP. `any` with no port means everything at the block; ESP and GRE have no ports.
"""

from dataclasses import dataclass
from enum import StrEnum

from .block import Block, format_block, overlap, plain_text


class Protocol(StrEnum):
    ANY = "any"
    UDP = "udp"
    TCP = "tcp"
    ESP = "esp"
    GRE = "gre"

    @property
    def has_ports(self) -> bool:
        return self in {Protocol.UDP, Protocol.TCP}


class EndpointFault(StrEnum):
    PORT_EMPTY = "port_empty"
    PORT_MALFORMED = "port_malformed"
    PORT_OUT_OF_RANGE = "port_out_of_range"
    PORT_WITHOUT_PROTOCOL = "port_without_protocol"
    PROTOCOL_UNKNOWN = "protocol_unknown"


class EndpointError(ValueError):
    """The text is no port or protocol, or the three do not go together. `.reason`, `.text`."""

    def __init__(self, reason: EndpointFault, text: str) -> None:
        super().__init__(f"{reason}: {text[:80]!r}")
        self.reason = reason
        self.text = text


@dataclass(frozen=True, slots=True)
class Endpoint:
    block: Block
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
        """`203.0.113.24 udp 51820`"""
        return " ".join([format_block(self.block), self.protocol, *([str(self.port)] if self.port else [])])

    def overlaps(self, other: "Endpoint") -> bool:
        """Whether some packet would be to both."""
        if not overlap(self.block, other.block):
            return False
        if Protocol.ANY in {self.protocol, other.protocol}:
            return True
        if self.protocol != other.protocol:
            return False
        return self.port is None or other.port is None or self.port == other.port


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
    if not (plain.isascii() and plain.isdigit()):
        raise EndpointError(EndpointFault.PORT_MALFORMED, text)
    if len(plain) > 9 or not 1 <= int(plain) <= 65_535:
        raise EndpointError(EndpointFault.PORT_OUT_OF_RANGE, text)
    return int(plain)
