"""What follows from the facts of a check. Pure: no database, no clock, no network.

A rule here says passed, failed or waiting and why; it never says what becomes of an application.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

from rahdari.address import has_false_digits

from .evidence import Evidence, Facts
from .names import AGREE

Result = Literal["waiting", "passed", "failed"]


@dataclass(frozen=True)
class Answer:
    """What a check came to. `blames` is false where it could not be made: then no reason code applies."""

    result: Result
    finding: str
    evidence: Evidence = field(default_factory=lambda: Evidence())
    blames: bool = True


def answer_control(*, proved_at: str | None, method: str, waiting: bool, tried: int) -> Answer:
    """The answer to a check of control: passed with a proof, waiting while a challenge is open, else failed after
    `tried` attempts.
    """
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
    list has to be the applicant's, whether that is shown: shown | not_shown."""

    active: bool
    valid_until: dt.date | None
    name_agrees: str
    whose: str = ""


def under_the_listed_name(found: Answer, facts: Facts) -> Answer:
    """Who may apply with a number may apply in the name that the list has for it, and in no other: for that an officer
    looks. Of a number that the list does not have nothing is compared."""
    agrees = facts.get("name_agrees")
    if found.result != "passed" or agrees is None or agrees in AGREE:
        return found
    about: Evidence = {"roster": facts["roster"], "name": agrees, "tie": found.finding}
    return Answer("failed", "another_name", {**found.evidence, **about}, blames=False)


def with_the_holders_yes(found: Answer, facts: Facts) -> Answer:
    """Where others are registered under the number, and were asked, nothing else passes without their yes: an officer
    weighs it."""
    if found.result != "passed" or not facts.get("asked") or facts.get("answer") == "yes":
        return found
    return Answer("failed", "tie_to_weigh", {**found.evidence, "tie": found.finding}, blames=False)


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
        case "not_shown":
            return Answer("failed", "listed_not_shown", about, blames=False)
        case "shown":
            return Answer("passed", "listed_and_shown", about)
    return Answer("passed", "listed", about)


# -- numbers -----------------------------------------------------------------------------------------------------

_DIGITS = {ord(sign): str(value) for signs in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, sign in enumerate(signs)}


def roster_key(roster: str, number: str) -> str | None:
    """The one form in which a number is looked up in a roster, or None when it has not the shape of one."""
    if has_false_digits(number):
        return None
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
