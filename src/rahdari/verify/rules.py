"""What follows from the facts of a proof or a check. Pure: no database, no clock, no network.

A rule here says passed, failed or waiting and why; it never says what becomes of an application.
"""

import datetime as dt
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .evidence import Evidence

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Result = Literal["waiting", "passed", "failed"]

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


# -- checks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a check came to. `blames` is false where it could not be made: then no reason code applies."""

    result: Result
    finding: str
    evidence: Evidence = field(default_factory=lambda: Evidence())
    blames: bool = True


def answer_control(*, proved_at: str | None, method: str, waiting: bool, tried: int) -> Answer:
    if proved_at is not None:
        return Answer("passed", "proved", {"proved_at": proved_at, "method": method})
    if waiting:
        return Answer("waiting", "not_proved_yet")
    return Answer("failed", "not_proved", {"attempts": tried})


@dataclass(frozen=True)
class SharedFact:
    """A part in a shared block: which, and since when everybody who has the block has agreed to it."""

    sharer: str
    since: str


def answer_not_registered(
    *,
    block: str,
    others: list[str],
    same_holder: bool,
    shared: SharedFact | None = None,
    asked_to_share: bool = False,
) -> Answer:
    """`others` are entries of holders who do not share it; one of the same holder is no obstacle, only a remark."""
    if others and asked_to_share:
        return Answer("waiting", "asked_to_share")
    if not others and shared is not None:
        return Answer("passed", "shared", {"block": block, "sharer": shared.sharer, "since": shared.since})
    if others:
        return Answer("failed", "registered_by_another", {"block": block, "entries": others})
    return Answer("passed", "registered_by_same" if same_holder else "free", {"block": block})


def answer_origin(
    *, block: str, asn: int | None, operator: str, prefix: str, in_country: bool, rpki: dict[str, Any] | None = None
) -> Answer:
    """A hint for a person, never a ground: some domestic networks announce space that is registered elsewhere. `rpki`
    is what was signed about it, for the officer."""
    if asn is None:
        finding = "no_origin_but_in_country" if in_country else "no_origin"
        return Answer("failed", finding, {"block": block}, blames=False)
    evidence: Evidence = {"block": block, "asn": asn, "operator": operator, "prefix": prefix}
    if rpki:
        evidence["rpki"] = rpki
    return Answer("passed", "origin_known", evidence)


def answer_documents(
    *, given: int, needed: int, awaits_stronger: bool = False, to_be_read: bool = False, seen_with: str = ""
) -> Answer:
    """`seen_with`: the papers are notes of what was seen with these applications; the files are gone."""
    evidence: Evidence = {"given": given, "needed": needed}
    if seen_with:
        evidence["seen_with"] = seen_with
    if to_be_read and given >= needed:
        return Answer("failed", "noted_only" if seen_with else "to_be_read", evidence, blames=False)
    if awaits_stronger and given >= needed:
        return Answer("waiting", "stronger_awaited", evidence)
    if seen_with and given >= needed:
        return Answer("passed", "seen_before", evidence)
    return Answer("passed" if given >= needed else "failed", "all_there" if given >= needed else "missing", evidence)


@dataclass(frozen=True)
class RosterFact:
    """What a roster says of a number. `name_agrees`: what `names.compare_names` says. `whose`: where the contact on the
    list has to be the applicant's, whether that is shown: shown | to_show | nobody_to_ask."""

    active: bool
    valid_until: dt.date | None
    name_agrees: str
    whose: str = ""


def answer_roster(
    *, roster: str, imported_on: str | None, given: bool, row: RosterFact | None, today: dt.date
) -> Answer:
    """An empty or missing roster blames nobody; a number that is known under another name is not the applicant's. A row
    or an application without a name proves nobody: numbers of companies are public, so a person looks."""
    about: Evidence = {"roster": roster, "imported_on": imported_on}
    if imported_on is None:
        return Answer("failed", "no_roster", {"roster": roster}, blames=False)
    if not given:
        return Answer("failed", "no_number", about, blames=False)
    if row is None:
        return Answer("failed", "not_listed", about)
    about["name"] = row.name_agrees
    if not row.active:
        return Answer("failed", "listed_not_active", about)
    if row.valid_until is not None and row.valid_until < today:
        return Answer("failed", "listed_expired", {**about, "valid_until": row.valid_until.isoformat()})
    if row.name_agrees == "different":
        return Answer("failed", "listed_under_another_name", about)
    if row.name_agrees == "not_compared":
        return Answer("failed", "listed_without_a_name", about, blames=False)
    match row.whose:
        case "to_show":
            return Answer("waiting", "listed_to_be_shown", about)
        case "nobody_to_ask":
            return Answer("failed", "listed_not_shown", about, blames=False)
        case "shown":
            return Answer("passed", "listed_and_shown", about)
    return Answer("passed", "listed", about)


# -- numbers -----------------------------------------------------------------------------------------------------

_DIGITS = {ord(sign): str(value) for signs in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, sign in enumerate(signs)}


def roster_key(roster: str, number: str) -> str | None:
    """The one form in which a number is looked up in a roster, or None when it has not the shape of one."""
    text = number if number.isascii() else unicodedata.normalize("NFKC", number).translate(_DIGITS)
    text = text.strip()
    if roster == "association_members":
        bare = re.sub(r"[\s\-/.]", "", text).casefold()
        return bare if 3 <= len(bare) <= 40 and bare.isalnum() else None
    if roster == "companies":
        text = re.sub(r"^cuin", "", text, flags=re.IGNORECASE)
    digits = text if text.isdigit() else re.sub(r"[\s\-.]", "", text)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if roster == "companies":
        # Spreadsheets drop the leading zeros of a seven-digit number.
        return digits.zfill(7) if len(digits) <= 7 and int(digits) else None
    if len(digits) == 13:
        return digits
    if len(digits) == 8:
        # Seven digits and a check digit that is often left out; no rule for it is published, so it is not compared.
        digits = digits[:7]
    return digits if len(digits) == 7 else None


def why_no_key(roster: str, number: str) -> str:
    """Why a text is no number of a roster: number_letters (figures are wanted), number_length, number_shape."""
    text = unicodedata.normalize("NFKC", number).translate(_DIGITS)
    if roster == "companies":
        text = re.sub(r"^cuin", "", text.strip(), flags=re.IGNORECASE)
    bare = re.sub(r"[\s\-/.]", "", text)
    if roster == "association_members":
        return "number_length" if bare.isalnum() else "number_shape"
    if re.search(r"[^\W\d_]", bare):
        return "number_letters"
    return "number_length" if bare.isascii() and bare.isdigit() and int(bare) else "number_shape"
