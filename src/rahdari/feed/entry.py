"""An entry of the feed: an address, a protocol, a port, a term, and a random id. Nothing about persons.

The six fields are all that version 1.0 publishes. A later 1.x may add optional fields: a reader keeps what it does not
know in `extra`, since the digest is taken over the whole entry as published, and acts as if they were not there.
`not_before <= now < not_after` is when an entry counts; a reader honours it by itself.
"""

import datetime as dt
import functools
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .canonical import check, encode_checked
from .faults import FeedFault

PROTOCOLS = frozenset({"any", "udp", "tcp", "esp", "gre"})
WITH_PORTS = frozenset({"udp", "tcp"})
FIELDS = ("id", "prefix", "protocol", "port", "not_before", "not_after")
_NAMES = frozenset(FIELDS)
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4_HOST = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}/32", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidEntry(FeedFault):
    """No entry. `.field` names what is wrong, `.value` is what stood there."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(f"{field} is not acceptable: {str(value)[:80]!r}")
        self.field, self.value = field, value


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """Checked when it is made. Raises InvalidEntry."""

    id: str
    prefix: str
    protocol: str
    port: int | None
    not_before: str
    not_after: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            raise InvalidEntry("id", self.id)
        if not is_canonical_prefix(self.prefix):
            raise InvalidEntry("prefix", self.prefix)
        if not isinstance(self.protocol, str) or self.protocol not in PROTOCOLS:
            raise InvalidEntry("protocol", self.protocol)
        if self.port is not None and (
            type(self.port) is not int or not 1 <= self.port <= 65_535 or self.protocol not in WITH_PORTS
        ):
            raise InvalidEntry("port", self.port)
        for name in ("not_before", "not_after"):
            if not is_time(getattr(self, name)):
                raise InvalidEntry(name, getattr(self, name))
        # One form for each time, so the order of texts is the order of times.
        if not self.not_before < self.not_after:
            raise InvalidEntry("not_after", self.not_after)
        if self.extra:
            check(dict(self.extra), depth=1)
            if not _NAMES.isdisjoint(self.extra):
                raise InvalidEntry("extra", sorted(_NAMES & set(self.extra)))

    @classmethod
    def from_json(cls, value: object) -> "FeedEntry":
        """From an object of the six fields, and any optional ones of a later minor version."""
        if not isinstance(value, dict):
            raise InvalidEntry("entry", value)
        missing = [name for name in FIELDS if name not in value]
        if missing:
            raise InvalidEntry(missing[0], "(missing)")
        extra = {name: given for name, given in value.items() if name not in _NAMES} if len(value) > 6 else {}
        return cls(
            value["id"],
            value["prefix"],
            value["protocol"],
            value["port"],
            value["not_before"],
            value["not_after"],
            extra,
        )

    def as_json(self) -> dict[str, Any]:
        return {**self.extra, **{name: getattr(self, name) for name in FIELDS}}

    @property
    def canonical(self) -> bytes:
        """The bytes that the digest is taken over, and that stand in an edition."""
        return encode_checked(self.as_json())

    @property
    def network(self) -> Network:
        return ipaddress.ip_network(self.prefix)

    def is_in_force(self, now: dt.datetime) -> bool:
        return self.not_before <= time_text(now) < self.not_after


def is_canonical_prefix(text: object) -> bool:
    if not isinstance(text, str) or len(text) > 50 or "%" in text:  # no address with a zone
        return False
    if _V4_HOST.fullmatch(text):  # nearly all of them, and ten times as quick
        return True
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return False
    mapped = isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None
    return str(network) == text and not mapped


def is_time(text: object) -> bool:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return False
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    # ISO 8601 lets 24:00 stand for the next midnight; here each moment has one text.
    return text[11:13] != "24"


def time_text(at: dt.datetime) -> str:
    """A moment as the feed writes it: UTC, whole seconds, `2026-11-10T09:31:07Z`."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> dt.datetime:
    """Raises InvalidEntry."""
    if not isinstance(text, str):
        raise InvalidEntry("time", text)
    return _parsed(text)


# Whoever follows the feed reads the same times again at every edition.
@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> dt.datetime:
    if not is_time(text):
        raise InvalidEntry("time", text)
    return dt.datetime.fromisoformat(text)
