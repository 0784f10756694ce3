"""Pure rules of the register: how a registration stands, and what the feed says of an entry."""

import datetime as dt
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rahdari.address import Part
from rahdari.policy import Allowance

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
# The kind and the category of the register's own addresses, by which it sees what an operator really does.
CANARY = "canary"
# The kind of the addresses that a router reports (dynamic DNS).
DYNAMIC = "dynamic"
# How the origin of an address begins that a person at home let be entered under their organisation's registration. It
# is in the feed like any other; neither the organisation nor an application of it has it.
HOME = "home:"
# How the origin of an address begins that was listed before its papers came, for a holder who was cut off (`urgent`).
# It ends before its registration does until a change that names it is granted.
URGENT = "urgent:"


class Standing(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    STRUCK_OUT = "struck_out"
    # On the register still, its addresses are kept for it, and none of them is in the feed.
    SUSPENDED = "suspended"


# Still there: what changes an address or the term does so for one that is suspended too, and is listed when it resumes.
STANDING = frozenset({Standing.VALID, Standing.SUSPENDED})
# So long after it was struck out at the holder's request, the holder may undo it (the remedy `undo` of the policy).
UNDONE_WITHIN = Allowance(30, "calendar_days")


@dataclass(frozen=True)
class NewEntry:
    """An endpoint to be entered. `origin` makes entering it twice the same as once.

    `more`: the parts besides the first, each an entry of its own. `kind` when it is another than the registration's;
    `until` when it ends before the registration does.
    """

    origin: str
    block: Block
    protocol: str
    port: int | None
    asn: int | None
    kind: str = ""
    until: dt.datetime | None = None
    more: tuple[Part, ...] = ()

    def at_parts(self) -> "list[NewEntry]":
        """One for each part, the first in front."""
        own = replace(self, more=())
        return [own, *(replace(own, protocol=part.protocol, port=part.port) for part in self.more)]


def new_endpoint(
    origin: str,
    block: Block,
    parts: Sequence[Part],
    asn: int | None,
    *,
    kind: str = "",
    until: dt.datetime | None = None,
) -> NewEntry:
    """A service at an address, with all its parts."""
    first, *more = parts
    return NewEntry(origin, block, first.protocol, first.port, asn, kind, until, tuple(more))


def standing(
    *,
    valid_until: dt.datetime,
    struck_out_at: dt.datetime | None,
    expired_at: dt.datetime | None,
    now: dt.datetime,
    grace_until: dt.datetime | None = None,
    suspended_at: dt.datetime | None = None,
) -> Standing:
    """How a registration stands at `now`. Past its term and its grace it is expired, whether or not the clock has said
    so yet; in its grace it is valid, and may be renewed."""
    if struck_out_at is not None:
        return Standing.STRUCK_OUT
    if expired_at is not None or now >= (grace_until or valid_until):
        return Standing.EXPIRED
    return Standing.SUSPENDED if suspended_at is not None else Standing.VALID


# What the feed says of times: a moment that two entries share would say that they belong together. An address that
# changes is listed for hours, every other for months.
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def stamp(at: dt.datetime) -> str:
    """A time as the feed writes it: UTC, whole seconds, `2026-11-10T09:31:07Z`."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def published_begin(at: dt.datetime, kind: str) -> dt.datetime:
    """The beginning that the feed tells: that of the day (UTC), of a changing address that of the hour."""
    at = at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    return at if kind == DYNAMIC else at.replace(hour=0)


def published_end(at: dt.datetime, kind: str) -> dt.datetime:
    """The end that the feed tells: that of the day (UTC), of a changing address that of the hour. The entry is removed
    when it ends, and not before."""
    begin = published_begin(at, kind)
    return begin if begin == at else begin + (HOUR if kind == DYNAMIC else DAY)


def leaves_within(stays: dt.timedelta) -> dt.timedelta:
    """How long after its time an address that was left may still be listed: removed at a fixed distance, it would tell
    by which one it was replaced. An hour, of one that stays for days a day."""
    return min(max(stays, HOUR), DAY)


def leaves_at(at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When an address is removed that is to stay until `at`, which is not now: by chance."""
    if at <= now:
        return at
    return at + dt.timedelta(seconds=secrets.randbelow(int(leaves_within(at - now).total_seconds())))


def feed_fields(
    *,
    feed_id: str,
    block: Block,
    protocol: str,
    port: int | None,
    kind: str,
    valid_from: dt.datetime,
    valid_until: dt.datetime,
) -> dict[str, Any]:
    """All that is ever published of an entry. Nothing here names a person, a reference or a holder, and no time here
    is exact (see docs/feed.md, "What the times reveal")."""
    return {
        "id": feed_id,
        "prefix": str(block),
        "protocol": protocol,
        "port": port,
        "not_before": stamp(published_begin(valid_from, kind)),
        "not_after": stamp(published_end(valid_until, kind)),
    }


def duplicates(entries: Sequence[NewEntry]) -> list[NewEntry]:
    """Entries that repeat an earlier one's endpoint."""
    seen: set[tuple[Block, str, int | None]] = set()
    repeated = []
    for entry in (each for whole in entries for each in whole.at_parts()):
        key = (entry.block, entry.protocol, entry.port)
        if key in seen:
            repeated.append(entry)
        seen.add(key)
    return repeated
