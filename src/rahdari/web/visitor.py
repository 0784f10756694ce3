"""The visitor's own address. A header is believed only when a proxy that the installation names has written it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# No address at all (a connection over a socket file): it belongs to nobody and proves nothing.
NOWHERE = ipaddress.IPv4Address(0)


def _parsed(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket shows an IPv4 visitor as ::ffff:203.0.113.24.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in trusted)


def from_chain(connection: str, forwarded: str, trusted: Sequence[str]) -> Address:
    """The right-most address that no trusted proxy holds, reading from the connection towards the client.

    Each trusted proxy appends the address it was called from; what stands further left than the first address we do
    not trust was written by that client and counts for nothing. A malformed part within what we read means that the
    proxy does something we do not know: then the connection's own address is the visitor's.
    """
    nearest = _parsed(connection) or NOWHERE
    networks = _networks(tuple(trusted))
    here = nearest
    for text in reversed(forwarded.split(",") if forwarded.strip() else []):
        if not any(here in network for network in networks):
            break
        further = _parsed(text)
        if further is None:
            return nearest
        here = further
    return here


def address(request: HttpRequest) -> Address:
    """The address this request came from, IPv4-mapped IPv6 unwrapped."""
    return from_chain(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""), settings.TRUSTED_PROXIES
    )


@dataclass(frozen=True)
class Place:
    """Where a request comes from, as limits count it."""

    household: str
    neighbourhood: str


def place(request: HttpRequest) -> Place:
    return place_of(address(request))


def place_of(found: Address) -> Place:
    return Place(household_of(found), neighbourhood_of(found))


def household(request: HttpRequest) -> str:
    """What a limit counts by: the IPv4 address, or the /64 that one IPv6 subscriber has at least."""
    return household_of(address(request))


def household_of(found: Address) -> str:
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def neighbourhood(request: HttpRequest) -> str:
    """A second, wider count for what must not be walked through: one subscriber may have many IPv6 /64s."""
    return neighbourhood_of(address(request))


def neighbourhood_of(found: Address) -> str:
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
