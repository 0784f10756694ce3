"""Ranges that are set aside and belong to no single holder.

From the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190 and their updates to 2026), the
multicast registries, and the IPv6 Global Unicast rule (RFC 4291: outside 2000::/3 nothing is assigned). Ranges that
are reachable everywhere but shared by many servers (AS112, AMT, PCP, TURN) count as special too: nobody holds them.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from .block import Address, Block, contains, overlap


class SpecialName(StrEnum):
    """Keys that pages turn into a sentence."""

    THIS_NETWORK = "this_network"
    UNSPECIFIED = "unspecified"
    PRIVATE = "private"
    SHARED = "shared"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link_local"
    SITE_LOCAL = "site_local"
    UNIQUE_LOCAL = "unique_local"
    PROTOCOL = "protocol"
    ANYCAST_SERVICE = "anycast_service"
    DOCUMENTATION = "documentation"
    BENCHMARKING = "benchmarking"
    SIX_TO_FOUR = "six_to_four"
    TEREDO = "teredo"
    NAT64 = "nat64"
    MAPPED = "mapped"
    DISCARD = "discard"
    IDENTIFIER = "identifier"
    SEGMENT_ROUTING = "segment_routing"
    MULTICAST = "multicast"
    RESERVED = "reserved"
    BROADCAST = "broadcast"


@dataclass(frozen=True)
class SpecialUse:
    """A special-use range: its key, the range, and the document that sets it aside."""

    name: SpecialName
    block: Block
    source: str


_N = SpecialName
_TABLE: tuple[tuple[str, SpecialName, str], ...] = (
    ("0.0.0.0/8", _N.THIS_NETWORK, "RFC 791"),
    ("0.0.0.0/32", _N.UNSPECIFIED, "RFC 1122"),
    ("10.0.0.0/8", _N.PRIVATE, "RFC 1918"),
    ("100.64.0.0/10", _N.SHARED, "RFC 6598"),
    ("127.0.0.0/8", _N.LOOPBACK, "RFC 1122"),
    ("169.254.0.0/16", _N.LINK_LOCAL, "RFC 3927"),
    ("172.16.0.0/12", _N.PRIVATE, "RFC 1918"),
    ("192.0.0.0/24", _N.PROTOCOL, "RFC 6890"),
    ("192.0.0.0/29", _N.PROTOCOL, "RFC 7335"),
    ("192.0.0.8/32", _N.PROTOCOL, "RFC 7600"),
    ("192.0.0.9/32", _N.ANYCAST_SERVICE, "RFC 7723"),
    ("192.0.0.10/32", _N.ANYCAST_SERVICE, "RFC 8155"),
    ("192.0.0.170/31", _N.NAT64, "RFC 8880"),
    ("192.0.2.0/24", _N.DOCUMENTATION, "RFC 5737"),
    ("192.31.196.0/24", _N.ANYCAST_SERVICE, "RFC 7535"),
    ("192.52.193.0/24", _N.ANYCAST_SERVICE, "RFC 7450"),
    ("192.88.99.0/24", _N.SIX_TO_FOUR, "RFC 7526"),
    ("192.168.0.0/16", _N.PRIVATE, "RFC 1918"),
    ("192.175.48.0/24", _N.ANYCAST_SERVICE, "RFC 7534"),
    ("198.18.0.0/15", _N.BENCHMARKING, "RFC 2544"),
    ("198.51.100.0/24", _N.DOCUMENTATION, "RFC 5737"),
    ("203.0.113.0/24", _N.DOCUMENTATION, "RFC 5737"),
    ("224.0.0.0/4", _N.MULTICAST, "RFC 5771"),
    ("233.252.0.0/24", _N.DOCUMENTATION, "RFC 6676"),
    ("240.0.0.0/4", _N.RESERVED, "RFC 1112"),
    ("255.255.255.255/32", _N.BROADCAST, "RFC 919"),
    # Outside 2000::/3 nothing is assigned: these cover it, and the rows below say more where there is more.
    ("::/3", _N.RESERVED, "RFC 4291"),
    ("4000::/2", _N.RESERVED, "RFC 4291"),
    ("8000::/1", _N.RESERVED, "RFC 4291"),
    ("::/96", _N.RESERVED, "RFC 4291"),
    ("::/128", _N.UNSPECIFIED, "RFC 4291"),
    ("::1/128", _N.LOOPBACK, "RFC 4291"),
    ("::ffff:0:0/96", _N.MAPPED, "RFC 4291"),
    ("::ffff:0:0:0/96", _N.NAT64, "RFC 2765"),
    ("64:ff9b::/96", _N.NAT64, "RFC 6052"),
    ("64:ff9b:1::/48", _N.NAT64, "RFC 8215"),
    ("100::/64", _N.DISCARD, "RFC 6666"),
    ("100:0:0:1::/64", _N.PROTOCOL, "RFC 9780"),
    ("2001::/23", _N.PROTOCOL, "RFC 2928"),
    ("2001::/32", _N.TEREDO, "RFC 4380"),
    ("2001:1::1/128", _N.ANYCAST_SERVICE, "RFC 7723"),
    ("2001:1::2/128", _N.ANYCAST_SERVICE, "RFC 8155"),
    ("2001:1::3/128", _N.ANYCAST_SERVICE, "RFC 9665"),
    ("2001:2::/48", _N.BENCHMARKING, "RFC 5180"),
    ("2001:3::/32", _N.ANYCAST_SERVICE, "RFC 7450"),
    ("2001:4:112::/48", _N.ANYCAST_SERVICE, "RFC 7535"),
    ("2001:10::/28", _N.IDENTIFIER, "RFC 4843"),
    ("2001:20::/28", _N.IDENTIFIER, "RFC 7343"),
    ("2001:30::/28", _N.IDENTIFIER, "RFC 9374"),
    ("2001:db8::/32", _N.DOCUMENTATION, "RFC 3849"),
    ("2002::/16", _N.SIX_TO_FOUR, "RFC 3056"),
    ("2620:4f:8000::/48", _N.ANYCAST_SERVICE, "RFC 7534"),
    ("3ffe::/16", _N.RESERVED, "RFC 3701"),
    ("3fff::/20", _N.DOCUMENTATION, "RFC 9637"),
    ("5f00::/16", _N.SEGMENT_ROUTING, "RFC 9602"),
    ("fc00::/7", _N.UNIQUE_LOCAL, "RFC 4193"),
    ("fe80::/10", _N.LINK_LOCAL, "RFC 4291"),
    ("fec0::/10", _N.SITE_LOCAL, "RFC 3879"),
    ("ff00::/8", _N.MULTICAST, "RFC 4291"),
)
SPECIAL_RANGES: tuple[SpecialUse, ...] = tuple(
    SpecialUse(name, ipaddress.ip_network(prefix), source) for prefix, name, source in _TABLE
)
# Of each family, the narrowest first: the narrowest range that holds a block names it.
_NARROWEST_FIRST = {
    version: sorted(
        (use for use in SPECIAL_RANGES if use.block.version == version), key=lambda use: -use.block.prefixlen
    )
    for version in (4, 6)
}


@lru_cache(maxsize=64)
def _networks(allowed: tuple[str, ...]) -> tuple[Block, ...]:
    return tuple(ipaddress.ip_network(prefix) for prefix in allowed)


def special_use(block: Block, *, allowed: Iterable[str | Block] = ()) -> SpecialUse | None:
    """The special-use range that a block lies in or touches; None for an ordinary block, or one wholly in `allowed`."""
    if any(contains(network, block) for network in _networks(tuple(str(prefix) for prefix in allowed))):
        return None
    # Of two that share an address the wider holds the other.
    touched = [use for use in _NARROWEST_FIRST[block.version] if overlap(use.block, block)]
    holding = next((use for use in touched if use.block.prefixlen <= block.prefixlen), None)
    return holding or min(touched, key=lambda use: use.block.prefixlen, default=None)


def is_global(address: Address | Block, *, allowed: Iterable[str | Block] = ()) -> bool:
    """Whether an address (or a whole block) may be registered and connected to."""
    if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
        address = ipaddress.ip_network(address)
    return special_use(address, allowed=allowed) is None
