"""What was asked: a single address, or a prefix. Pure.

Programs ask here, so there is one form for each: what people type is for `rahdari agent check` to understand.
"""

import re
from enum import StrEnum
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from rahdari.errors import RahdariError

_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
LONGEST_TEXT = 43  # of an IPv6 prefix; an IPv4-mapped one, which is longer, is refused anyway


class Fault(StrEnum):
    EMPTY = "empty"
    MALFORMED = "malformed"
    HOST_BITS = "host_bits"
    MAPPED = "mapped"


IN_WORDS = {
    Fault.EMPTY: "There is no address.",
    Fault.MALFORMED: "This is no address and no prefix. Ask for 192.0.2.1, 2001:db8::1, 192.0.2.0/24 or such.",
    Fault.HOST_BITS: "This prefix has bits set behind its length.",
    Fault.MAPPED: "This is an IPv4 address written as an IPv6 one. Ask for the IPv4 address.",
}


class NotAnAddress(RahdariError, ValueError):
    says = "{fault}"
    fault: Fault


class Query(NamedTuple):
    """`number` is the first address, `length` the prefix length (32 or 128: a single address)."""

    version: int
    number: int
    length: int


def understand(text: str) -> Query:
    """Raises NotAnAddress."""
    host, slash, length = text.partition("/")
    if not text:
        raise NotAnAddress(Fault.EMPTY)
    version, family, bits = (6, AF_INET6, 128) if ":" in host else (4, AF_INET, 32)
    try:
        number = int.from_bytes(inet_pton(family, host))
    except (OSError, ValueError):  # ValueError: a zero byte, or a lone surrogate
        raise NotAnAddress(Fault.MALFORMED) from None
    if version == 6 and number >> 32 == 0xFFFF:
        raise NotAnAddress(Fault.MAPPED)
    if slash:
        if not _LENGTH.fullmatch(length) or int(length) > bits:
            raise NotAnAddress(Fault.MALFORMED)
        if number & ((1 << (bits - int(length))) - 1):
            raise NotAnAddress(Fault.HOST_BITS)
        return Query(version, number, int(length))
    return Query(version, number, bits)
