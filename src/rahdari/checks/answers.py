"""From the facts of the house to the answer of one check. Reads only; the rules decide, the actions record."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from rahdari.address import directory
from rahdari.control import prefixes
from rahdari.control import queries as proofs
from rahdari.control import rules as proving
from rahdari.policy.shapes import ROSTERS
from rahdari.register import queries as register

from . import names, queries, rules
from .evidence import Facts
from .kinds import KINDS
from .models import Check

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


class UnknownKind(ValueError):
    """The policy asks for a kind of check that this code does not make."""


@dataclass(frozen=True)
class CheckRequest:
    """One check that somebody wants made.

    `target` tells it apart from others of its kind ("endpoint:<uuid>", "companies"). `block` for control,
    not_registered and origin; `control_subject` for control, when it is not `target`; `holder` is the opaque reference
    whose own entries are no obstacle; `roster`, `key`, `name` and `mail` for roster and represents (all but `roster`
    are used and not kept: `mail` is the address that the applicant signs in with, and `own_domain` says whether its
    domain may show something, as that of a free mail service does not);
    `given` and `needed` for documents. `title` is {"en": ..., "ur": ...}; `reason` the policy's code when it fails.
    """

    kind: str
    target: str
    block: Block | str | None = None
    control_subject: str | None = None
    roster: str | None = None
    key: str | None = None
    name: str | None = None
    mail: str = ""
    own_domain: bool = False
    # For roster: whoever has the number shows that the contact on the list is theirs.
    by_contact: bool = False
    title: Any = None
    reason: str = ""
    required: bool = True
    holder: str | None = None
    given: int | None = None
    needed: int | None = None
    # For documents: what was given is enough for now, and something stronger is awaited.
    awaits_stronger: bool = False
    # For documents: an officer reads them, whatever is there.
    to_be_read: bool = False
    # For not_registered: whoever has the block is asked whether they share it.
    asked_to_share: bool = False
    # For documents: the applications with which they were sent, when the papers are gone and notes of them count again.
    seen_with: str | None = None


def facts_of(request: CheckRequest) -> Facts:
    """What is kept of a request: everything but the identifier and the name, which leave a row and a comparison.
    Raises UnknownKind.
    """
    if request.kind not in KINDS:
        raise UnknownKind(request.kind)
    facts: dict[str, Any] = {
        "block": str(ipaddress.ip_network(str(request.block))) if request.block else None,
        "control_subject": request.control_subject,
        "holder": request.holder,
        "roster": request.roster,
        "given": request.given,
        "needed": request.needed,
        "awaits_stronger": request.awaits_stronger or None,
        "to_be_read": request.to_be_read or None,
        "asked_to_share": request.asked_to_share or None,
        "seen_with": request.seen_with,
    }
    if request.kind == "roster" or request.roster:
        facts |= _roster_facts(request)
    return cast("Facts", {name: value for name, value in facts.items() if value is not None})


def _roster_facts(request: CheckRequest) -> Facts:
    """Look the number up while we have it. Only the outcome is kept."""
    name = request.roster or ""
    if name not in ROSTERS:
        raise UnknownKind(f"roster {name}")
    listed = queries.look_up(name, request.key or "")
    if listed is None:
        return {}
    facts: Facts = {"imported_on": listed.imported_at.date().isoformat()}
    if request.key:
        facts["number_given"] = True
    if request.by_contact:
        facts["by_contact"] = True
    if listed.row is not None:
        facts |= {
            "row": str(listed.row),
            "active": listed.active,
            "valid_until": listed.valid_until.isoformat() if listed.valid_until else None,
            "name_agrees": names.compare_names(request.name or "", listed.name),
        }
        if request.by_contact or request.kind == "represents":
            facts |= _contact_facts(request, listed)
    return facts


def _contact_facts(request: CheckRequest, listed: queries.Listed) -> Facts:
    """Which ways lead to whoever the list names, and what the applicant's own address shows. Never the contact."""
    facts: Facts = {}
    channels = [channel for channel in ("email", "mobile") if getattr(listed, channel)]
    # Companies are public, and an applicant is told whether the list has a contact for one; of members nothing is told.
    if channels and not request.by_contact:
        facts["channels"] = channels
    if request.mail and request.mail == listed.email:
        facts["by_mail"] = "contact"
    elif request.own_domain and queries.is_domain_of(listed, request.mail.rpartition("@")[2]):
        facts["by_mail"] = "domain"
    return facts


def answer(check: Check, *, now: dt.datetime) -> rules.Answer:
    """Answer one check from what is known now."""
    if KINDS[check.kind].is_asked:
        return rules.Answer("waiting", "asked_elsewhere")
    return _ANSWERS[check.kind](check, now)


def _proved_of(check: Check) -> tuple[str, Block]:
    """Whose control of which block a check of control asks for."""
    return check.facts.get("control_subject") or check.target, ipaddress.ip_network(check.facts["block"])


def _control(check: Check, now: dt.datetime) -> rules.Answer:
    subject, block = _proved_of(check)
    proof = proofs.proof_of(subject, block)
    if proof is not None and proof.validated_at is not None:
        return rules.answer_control(
            proved_at=proof.validated_at.isoformat(), method=proof.method, waiting=False, tried=0
        )
    # Open the challenges first: a block for which nothing is pending has not been proved and will not be by itself.
    waiting = proofs.is_awaited(subject, block, now)
    tried = 0 if waiting else proofs.tries_at(subject, block)
    return rules.answer_control(proved_at=None, method="", waiting=waiting, tried=tried)


def still_awaited(checks: Iterable[Check], now: dt.datetime) -> set[uuid.UUID]:
    """Those of the checks of control to which `answer` would say that the proof is awaited, in one query."""
    asked = {check.pk: _proved_of(check) for check in checks if check.kind == "control"}
    awaited = proofs.awaited_of(asked.values(), now) if asked else set()
    return {pk for pk, about in asked.items() if about in awaited}


def _not_registered(check: Check, now: dt.datetime) -> rules.Answer:
    block = ipaddress.ip_network(check.facts["block"])
    holder = uuid.UUID(check.facts["holder"]) if check.facts.get("holder") else None
    sharer = register.sharer_of(block=block, holder=holder) if holder is not None else None
    others = register.in_the_way(block=block, holder=holder)
    own = holder is not None and register.overlapping_active(block=block).filter(holder=holder).exists()
    return rules.answer_not_registered(
        block=check.facts["block"],
        others=[f"entry:{entry.pk}" for entry in others[:10]],
        same_holder=own,
        shared=rules.SharedFact(str(sharer.pk), sharer.since_at.isoformat()) if sharer is not None else None,
        asked_to_share=check.facts.get("asked_to_share", False),
    )


def _origin(check: Check, now: dt.datetime) -> rules.Answer:
    block = ipaddress.ip_network(check.facts["block"])
    known = directory.current()
    origin = known.origin(block)
    return rules.answer_origin(
        block=check.facts["block"],
        asn=origin.asn if origin else None,
        operator=origin.organisation if origin else "",
        prefix=str(origin.prefix) if origin else "",
        in_country=known.is_registered_in_country(block),
        rpki=prefixes.rpki_of(block, origin.asn, now) if origin and proving.is_range(block) else None,
    )


def _roster(check: Check, now: dt.datetime) -> rules.Answer:
    facts = check.facts
    row = None
    if "row" in facts:
        until = facts.get("valid_until")
        row = rules.RosterFact(
            active=facts["active"],
            valid_until=dt.date.fromisoformat(until) if until else None,
            name_agrees=facts["name_agrees"],
            whose=("shown" if "by_mail" in facts or facts.get("shown") else "not_shown")
            if facts.get("by_contact")
            else "",
        )
    return rules.answer_roster(
        roster=facts["roster"],
        imported_on=facts.get("imported_on"),
        given=facts.get("number_given", False),
        row=row,
        today=now.date(),
    )


def _documents(check: Check, now: dt.datetime) -> rules.Answer:
    return rules.answer_documents(
        given=check.facts.get("given", 0),
        needed=check.facts.get("needed", 0),
        awaits_stronger=check.facts.get("awaits_stronger", False),
        to_be_read=check.facts.get("to_be_read", False),
        seen_with=check.facts.get("seen_with", ""),
    )


_ANSWERS = {
    "control": _control,
    "not_registered": _not_registered,
    "origin": _origin,
    "roster": _roster,
    "documents": _documents,
}
