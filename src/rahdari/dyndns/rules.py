"""Pure rules of dynamic DNS: what a request says, what is answered, who has an address when two report it.

The protocol is dyndns2 as its clients are, not as anybody specified it; docs/dynamic.md names each client's habit.
"""

import base64
import binascii
import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from rahdari.address import special_use

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Block = Network

# A request names no more hosts, and is no longer, than this: clients send one or a few.
MOST_HOSTS = 20
LONGEST = 2_000
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread
TOKEN_GROUPS, GROUP = 4, 5


class V6As(StrEnum):
    """What is registered of an IPv6 connection."""

    HOST = "host"
    NETWORK = "network"  # the /64 of the line


class By(StrEnum):
    ROUTER = "router"
    PROGRAM = "program"
    PAGE = "page"
    LINK = "link"


class ReportOutcome(StrEnum):
    CHANGED = "changed"
    SAME = "same"
    NOT_PUBLIC = "not_public"
    NOT_PROVED = "not_proved"
    TOO_OFTEN = "too_often"
    RIVAL = "rival"  # another holder reports the same address; it is decided soon
    HELD = "held"  # the address is another holder's fixed one
    YOURS = "yours"  # the holder has it registered already, as another endpoint
    OLD_TOKEN = "old_token"  # noqa: S105  (a word, not a token)


TAKEN = frozenset({ReportOutcome.CHANGED, ReportOutcome.SAME})
# The words that clients know. "Not now" is 911: ddclient and inadyn try again some minutes later.
WORDS: dict[ReportOutcome, str] = {
    ReportOutcome.CHANGED: "good",
    ReportOutcome.SAME: "nochg",
    ReportOutcome.TOO_OFTEN: "abuse",
    ReportOutcome.NOT_PUBLIC: "911",
    ReportOutcome.NOT_PROVED: "911",
    ReportOutcome.RIVAL: "911",
    ReportOutcome.HELD: "911",
    ReportOutcome.YOURS: "911",
    ReportOutcome.OLD_TOKEN: "badauth",
}
BADAUTH, NOHOST, AWAY = "badauth", "nohost", "911"


# -- the request --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A request as it was understood. `addresses` are texts, not yet looked at; none: the source address is meant."""

    hosts: tuple[str, ...]
    addresses: tuple[str, ...]


def read_query(query: str) -> Asked:
    """Understand the query, however badly it was put together: routers put values in without escaping them."""
    values: dict[str, list[str]] = {}
    for part in query[:LONGEST].split("&"):
        name, _, value = part.partition("=")
        values.setdefault(name.strip().lower(), []).append(unquote(value, errors="replace").strip())
    hosts = [host for value in values.get("hostname", []) for host in _listed(value)]
    # FRITZ!Box knows the prefix of the line beside the router's own address; whoever names it registers the prefix.
    given = [
        text for key in ("myip", "myipv6", "ip6lanprefix") for value in values.get(key, []) for text in _listed(value)
    ]
    return Asked(tuple(hosts[:MOST_HOSTS]), tuple(dict.fromkeys(text for text in given if not _is_blank(text))))


def _listed(value: str) -> list[str]:
    return [text for text in (each.strip() for each in value.split(",")) if text]


def _is_blank(text: str) -> bool:
    """A placeholder that the router did not fill in, or an address that says "none"."""
    return text.startswith("<") or text in {"0.0.0.0", "::"}  # noqa: S104  (what routers send before they have one)


def read_authorization(header: str) -> tuple[str, str] | None:
    """Name and token of `Authorization: Basic`; None for anything else."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    name, colon, token = text.partition(":")
    return (name.strip(), token.strip()) if colon else None


def label(host: str) -> str:
    """The name of a connection in a host name or user name, in whatever case: `K7M2-94QX.ddns.rahdari.example.`"""
    return host.strip().rstrip(".").partition(".")[0].lower()


def token_shape(token: str) -> str:
    """The token as it is kept, of what was typed: small letters without the dashes; empty when it cannot be one."""
    plain = token.strip().lower().replace("-", "").replace(" ", "")
    return plain if len(plain) == TOKEN_GROUPS * GROUP and set(plain) <= set(LETTERS) else ""


# -- the address ---------------------------------------------------------------------------------------------------


def read_address(text: str) -> Network | None:
    """An address, or a prefix of IPv6, as a block; None when it is none."""
    try:
        block = ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return None
    if isinstance(block, ipaddress.IPv6Network):
        mapped = block.network_address.ipv4_mapped
        return ipaddress.ip_network(mapped) if mapped is not None and block.prefixlen == 128 else block
    return block


def is_public(block: Network, *, allowed: Sequence[str] = ()) -> bool:
    return special_use(block, allowed=allowed) is None


def to_register(block: Network, v6_as: str) -> Network | None:
    """What is registered of a reported address: the host, or the /64 if the holder chose that. None: it says neither.

    An IPv4 range is nobody's changing address. Of a shorter IPv6 prefix nothing says which network of it is meant.
    """
    if block.version == 4:
        return block if block.prefixlen == 32 else None
    if v6_as == V6As.NETWORK:
        return block.supernet(new_prefix=64) if block.prefixlen >= 64 else None
    return block if block.prefixlen == 128 else None


def choose(texts: Iterable[str], v6_as: str) -> dict[int, Network | str]:
    """For each family what a request says of it: a block, or the text that was none. The first that fits is taken."""
    found: dict[int, Network | str] = {}
    for text in texts:
        block = read_address(text)
        asked = to_register(block, v6_as) if block is not None else None
        family = block.version if block is not None else 6 if ":" in text else 4
        if asked is not None and not isinstance(found.get(family), Network):
            found[family] = asked
        elif asked is None:
            found.setdefault(family, text[:49])
    return found


def is_useless_prefix(chosen: Network | str) -> bool:
    """Of what `choose` gives: well written, and of a length that says no address and no network of a line."""
    return isinstance(chosen, str) and read_address(chosen) is not None


def is_from(block: Network, source: Address) -> bool:
    """Whether a report came from the line that it speaks of. An IPv6 line has a /64 at least: a router that reports
    for the server behind it stands in the same one."""
    if block.version != source.version:
        return False
    around = block if block.version == 4 or block.prefixlen <= 64 else block.supernet(new_prefix=64)
    return source in around


# -- whose it is ---------------------------------------------------------------------------------------------------


def has_run_out(*, until: dt.datetime, rival_until: dt.datetime | None, now: dt.datetime) -> bool:
    return until <= now or (rival_until is not None and rival_until <= now)


def wants_extending(
    *, entry_until: dt.datetime, reported_until: dt.datetime, length: dt.timedelta, grace: dt.timedelta
) -> bool:
    """Whether what the feed says of the end is so much earlier than what it should be that a change is worth it:
    twice in the time for which a report is valid, not at every report."""
    return entry_until < reported_until + grace - length / 2


def body(lines: Sequence[tuple[str, str]]) -> str:
    """The answer: a word for each host, with the address after `good` and `nochg` and nothing after any other."""
    return "\n".join(f"{word} {address}" if address and word in {"good", "nochg"} else word for word, address in lines)
