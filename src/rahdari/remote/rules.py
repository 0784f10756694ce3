"""Whether a line at home may be registered, and what becomes of it. Pure."""

import datetime as dt
import ipaddress
from enum import StrEnum

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What the page says is kept, by its version: what somebody agreed to can be read again years later.
WORDS = "2026-11"


class HomeConnectionState(StrEnum):
    OFFERED = "offered"  # the link was made, and nobody agreed yet
    STANDING = "standing"  # agreed to, and on the register
    WITHDRAWN = "withdrawn"  # by the person who agreed
    ENDED = "ended"  # by the organisation


# Of these the organisation may still end one; the person withdraws one that stands.
LIVE = frozenset({HomeConnectionState.OFFERED, HomeConnectionState.STANDING})


class WhyNot(StrEnum):
    """Why nothing is registered from here."""

    NOT_PUBLIC = "not_public"  # an address that is nobody's own
    UNKNOWN_NETWORK = "unknown_network"  # of no network that the register knows
    AT_THE_OFFICE = "at_the_office"  # an address of the organisation's own registration
    TAKEN = "taken"  # somebody else has it, or a colleague in the same house
    TOO_SOON = "too_soon"  # it changed a moment ago


def line_of(address: Address) -> Block:
    """What is registered: the address, or the /64 that one subscriber of IPv6 has at least."""
    if address.version == 4:
        return ipaddress.ip_network(address)
    return ipaddress.ip_network((address, 64), strict=False)


def room_for(*, workers: int, most: int, live: int) -> int:
    """How many links may still be made: one for each person of whom the organisation has told, and no more than the
    policy lets a registration have."""
    return max(0, min(workers, most) - live)


def may_change(*, changed_at: dt.datetime | None, now: dt.datetime, every: dt.timedelta) -> bool:
    return changed_at is None or changed_at + every <= now
