"""Addresses as facts: prefixes, ports, protocols, special-use ranges and the operator directory.

Invariants: a block is canonical (no host bits, never an IPv4-mapped IPv6 address) once parsed; parsing what was
formatted gives the same block; every refusal is an `AddressError` with a reason and, where there is one, a suggestion
that parses. Nothing here knows Django, and nothing here opens a connection.
"""

from .block import (
    Address,
    AddressError,
    AddressFault,
    Block,
    check_width,
    contains,
    format_block,
    has_false_digits,
    is_single,
    overlap,
    parse_block,
    plain_text,
    turns_around,
)
from .endpoint import (
    MOST_PARTS,
    Endpoint,
    EndpointError,
    EndpointFault,
    Part,
    Protocol,
    format_parts,
    format_ports,
    in_order,
    parse_parts,
    parse_port,
    parse_ports,
    parse_protocol,
)
from .special import SPECIAL_RANGES, SpecialName, SpecialUse, is_global, special_use

__all__ = [
    "MOST_PARTS",
    "SPECIAL_RANGES",
    "Address",
    "AddressError",
    "AddressFault",
    "Block",
    "Endpoint",
    "EndpointError",
    "EndpointFault",
    "Part",
    "Protocol",
    "SpecialName",
    "SpecialUse",
    "check_width",
    "contains",
    "format_block",
    "format_parts",
    "format_ports",
    "has_false_digits",
    "in_order",
    "is_global",
    "is_single",
    "overlap",
    "parse_block",
    "parse_parts",
    "parse_port",
    "parse_ports",
    "parse_protocol",
    "plain_text",
    "special_use",
    "turns_around",
]
