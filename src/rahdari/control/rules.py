"""What follows from the facts of a proof of control. Pure: no database, no clock, no network."""

import datetime as dt
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

TOKEN_PATH = "/.well-known/rahdari.txt"  # noqa: S105 (where, not what)
TOKEN_WORD = "rahdari="  # noqa: S105
# One line is 34 bytes; an address with many endpoints serves one line for each of them.
TOKEN_BYTES = 2048

# Looks at a token: twenty seconds apart for the first five minutes, when somebody sits and waits, then rarer and
# rarer. Seven days of it are about a hundred looks, so that the attempts of a challenge stay few.
FIRST_INTERVAL = dt.timedelta(seconds=20)
STEADY_LOOKS = 15
LONGEST_INTERVAL = dt.timedelta(hours=2)
# Attempts kept of one challenge. A proof is recorded all the same; tries beyond it are not.
MOST_ATTEMPTS = 250

# An address that the block does not hold is told apart by what the visitor can do about it.
ELSEWHERE = "elsewhere"
OTHER_FAMILY = "other_family"

# Ways that speak for a whole block, not for one address of it (models.Method).
OF_THE_WHOLE = frozenset({"record", "contact"})
MOST_CODES, MOST_TRIES = 3, 5
# Letters with a code to one contact in a day: of one applicant, whatever they apply for, and of all. Whoever asks every
# day has a part of it and leaves the rest to others.
MOST_CODES_OF_ONE, MOST_CODES_A_DAY = 2, 6


# -- proof by link -----------------------------------------------------------------------------------------------


def plain_address(address: Address) -> Address:
    """An IPv4 address that came as ::ffff:a.b.c.d is an IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def covers(block: Block, address: Address) -> bool:
    """Whether a visit from `address` speaks for `block`: for a prefix, any address inside is enough."""
    return plain_address(address) in block


def why_not(block: Block, address: Address) -> str:
    return ELSEWHERE if plain_address(address).version == block.version else OTHER_FAMILY


def is_visit(headers: Mapping[str, str]) -> bool:
    """Whether somebody seems to have opened the page themself: a try from the wrong network is told to the applicant.

    It proves nothing. Any page can send a browser anywhere, also by way of our own redirects (the sign-in leads on to
    where its address says), and then the browser calls it our own: https://www.w3.org/TR/fetch-metadata/ .
    """
    if headers.get("Sec-Purpose", headers.get("Purpose", "")).startswith("prefetch"):
        return False
    if headers.get("Sec-Fetch-Dest", "document") != "document":
        return False
    return headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}


# What curl, Wget and the wget of BusyBox call themselves, and nothing beside it.
_BY_HAND = re.compile(r"curl/\d[\w.\-]*|Wget(/\d[\w.\-]*( \([\w.\-]+\))?)?")


def proves_by_opening(headers: Mapping[str, str]) -> bool:
    """Whether a plain GET is the proof: of curl and Wget by their own names, which somebody types on a server.

    Everything else asks by POST. A browser shows a button, since a stranger can make it open any link; and what looks
    at links in mail, messages and forms of web services (scanners, previews, fetchers) runs on the very networks that
    are to be proved, and need not say what it is.
    """
    return _is_no_browser(headers) and _BY_HAND.fullmatch(headers.get("User-Agent", "").strip()) is not None


def is_program(headers: Mapping[str, str]) -> bool:
    """Whether a POST cannot come from a page of another site, so that it needs no token of a form: browsers call
    themselves Mozilla, and say where a POST comes from."""
    return _is_no_browser(headers) and "mozilla" not in headers.get("User-Agent", "").lower()


def _is_no_browser(headers: Mapping[str, str]) -> bool:
    return not any(name in headers for name in _OF_BROWSERS)


_OF_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Purpose", "Purpose")


# -- proof by token ----------------------------------------------------------------------------------------------


def address_to_ask(block: Block) -> Address:
    """The one address of a block at which a token is looked for: itself, or the first usable one of a prefix."""
    first = block.network_address
    if block.prefixlen >= block.max_prefixlen - 1:
        return first
    return first + 1


def token_line(token: str) -> str:
    return f"{TOKEN_WORD}{token}"


def code_from(token: str) -> str:
    """The code that is written to a contact, from a derived token: eight letters and digits in two halves."""
    return f"{token[:4]}-{token[4:8]}"


def same_code(given: str, code: str) -> bool:
    """Whether what was typed is the code, however it was spaced or cased."""
    typed = "".join(sign for sign in unicodedata.normalize("NFKC", given).casefold() if sign.isalnum())
    return hmac.compare_digest(typed.encode("utf-8", "surrogatepass"), code.replace("-", "").encode())


def next_interval(looks: int) -> dt.timedelta:
    """How long to wait after the given number of looks."""
    if looks <= STEADY_LOOKS:
        return FIRST_INTERVAL
    doublings = min(looks - STEADY_LOOKS, 20)
    return min(FIRST_INTERVAL * (1 << doublings), LONGEST_INTERVAL)


# -- what counts -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A way that succeeded at one address of the block, and how much that counts."""

    method: str
    address: Address
    weight: int


def is_range(block: Block) -> bool:
    """Whether one address that answers is not the whole. A /64 of IPv6 is one line, as one address of IPv4 is."""
    return block.prefixlen < (32 if block.version == 4 else 64)


def comes_to(block: Block, parts: Iterable[Part]) -> int:
    """What the parts count together: for one line each way once, for a range each address (each /64) once, and each
    way that speaks for the whole of it."""
    most: dict[str, int] = {}
    for part in parts:
        of_an_address = is_range(block) and part.method not in OF_THE_WHOLE
        key = _line_of(part.address) if of_an_address else part.method
        most[key] = max(most.get(key, 0), part.weight)
    return sum(most.values())


def _line_of(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
