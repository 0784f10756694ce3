"""Proofs by what a regional registry says of a whole block: a line in its record, or a code to a contact that stands
there.

Whoever may edit the narrowest record that holds the block holds the block. A contact that is published there speaks for
it too, though less: such addresses are shared and handed on, so policy counts a code less than a line. The published
addresses are read for one proof: encrypted while it lasts, and gone when it ends; the evidence has their domain. Nobody
is written to often, and nothing is asked before the applicant asks.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.probe import registry, registry_commands
from rahdari.vault import index, links

from . import expected_claims, rules
from .challenges import ChallengeNotPending, keep_try, succeed
from .models import Challenge, Method, ProbeAttempt, Status

CONTACT = "control.contact"
A_DAY = dt.timedelta(days=1)
SENT, RIGHT, WRONG = "code_sent", "code_right", "code_wrong"


class NoCodeNow(RahdariError):
    """No code is sent. `.why`: too_many (for this proof, or of this applicant to that address today) | unknown (no such
    contact)."""

    says = "{why}"
    why: str


class CodeNotTaken(RahdariError):
    """The code is not right. `.why`: wrong | used_up (a new one has to be sent) | none (none was sent)."""

    says = "{why}"
    why: str


# -- asking ------------------------------------------------------------------------------------------------------


def in_use() -> registry.Registry:
    """The registries, or the file of made-up records that a demonstration names."""
    if settings.SAMPLE_REGISTRY:
        return registry.SampleRegistry(Path(settings.SAMPLE_REGISTRY))
    return registry.RdapRegistry(registry.read_registries(*registry_commands.in_use(settings.DATA)))


def ask(block: rules.Block, timeout: float) -> registry.Answer:
    """Ask who holds the block. Never inside a transaction."""
    try:
        return in_use().ask(block, timeout=timeout)
    except registry.RegistriesUnusable:
        return registry.Answer(registry.Found.NO_REGISTRY)


def record(challenge: Challenge, found: registry.Answer, now: dt.datetime) -> ProbeAttempt:
    """Note what a registry said, and what it comes to. The challenge is locked."""
    evidence = {"block": challenge.block} | found.as_data()
    if found.found is not registry.Found.RECORD:
        return keep_try(challenge, str(found.found), evidence, now)
    if challenge.method == Method.CONTACT:
        return _note_contacts(challenge, found, evidence, now)
    if expected_claims.shown_for(challenge)["text"] in found.lines and challenge.status == Status.PENDING:
        return succeed(challenge, challenge.network.network_address, evidence, now, finding="line_found")
    other = any(each.startswith(rules.TOKEN_WORD) for each in found.lines)
    return keep_try(challenge, "other_line" if other else "no_line", evidence, now)


# -- a code to a contact -----------------------------------------------------------------------------------------


def _note_contacts(
    challenge: Challenge, found: registry.Answer, evidence: dict[str, Any], now: dt.datetime
) -> ProbeAttempt:
    facts = challenge.facts
    facts["contacts"] = [{"role": each.role, "address": each.address} for each in found.contacts]
    challenge.given, challenge.next_look_at = json.dumps(facts, sort_keys=True), None
    challenge.save(update_fields=["given", "next_look_at"])
    evidence["contacts"] = [{"role": each.role, "domain": each.domain} for each in found.contacts]
    return keep_try(challenge, "contacts" if found.contacts else "no_contacts", evidence, now)


def _address_index(address: str) -> str:
    return index.blind(CONTACT, address)


def code_of(challenge: Challenge) -> str:
    """The code of the last letter: derived, so that no table holds it, and another one with each letter."""
    return rules.code_from(links.token(CONTACT, f"{challenge.pk}:{challenge.facts.get('sent', 0)}"))


@transaction.atomic
def send_code(
    *, challenge: Challenge, contact: str, name: str, language: str, actor: str, now: dt.datetime
) -> Challenge:
    """Write a code to one of the contacts that the registry publishes. The contact reads who asks (`name`) and for
    which block, and hands the code over if that is right. Where it had its letters of the day nothing goes out, and the
    applicant reads the same: nobody sees that somebody else has asked. Raises NoCodeNow, ChallengeNotPending.
    """
    challenge = _locked(challenge, now)
    facts = challenge.facts
    chosen = next((each for each in facts.get("contacts", []) if each["address"] == contact), None)
    if chosen is None:
        raise NoCodeNow("unknown")
    to = _address_index(contact)
    # Two applicants at once, to one address: the second waits, and is counted after the first.
    hold(Lock.CONTACT, to)
    by = index.blind(CONTACT, actor)
    lately = ProbeAttempt.objects.filter(finding=SENT, evidence__to=to, at__gt=now - A_DAY)
    of_one = lately.filter(evidence__by=by).count() >= rules.MOST_CODES_OF_ONE
    if facts.get("sent", 0) >= rules.MOST_CODES or of_one:
        raise NoCodeNow("too_many")
    to_nobody = lately.exclude(evidence__to_nobody=True).count() >= rules.MOST_CODES_A_DAY
    facts |= {"sent": facts.get("sent", 0) + 1, "tries": 0, "to": contact, "to_nobody": to_nobody}
    challenge.given = json.dumps(facts, sort_keys=True)
    challenge.save(update_fields=["given"])
    about = {"role": chosen["role"], "domain": contact.rpartition("@")[2]}
    counted = {"to": to, "by": by, "to_nobody": to_nobody}
    ProbeAttempt.objects.create(challenge=challenge, at=now, finding=SENT, evidence={**about, **counted})
    journal.record(act="control.sent_code", actor=actor, subject=challenge.subject, now=now, detail=about)
    if to_nobody:
        return challenge
    letters.write_to_outsider(
        address=contact,
        language=language,
        template="registry_code",
        context={
            "name": name,
            "address": challenge.block,
            "code": code_of(challenge),
            "ends_at": challenge.expires_at,
            "url": reverse("portal:help"),
        },
        expires_at=challenge.expires_at,
        now=now,
    )
    return challenge


@transaction.atomic
def _try_code(challenge: Challenge, given: str, now: dt.datetime) -> str:
    challenge = _locked(challenge, now)
    facts = challenge.facts
    if not facts.get("to"):
        return "none"
    if facts["tries"] >= rules.MOST_TRIES:
        return "used_up"
    about = {"domain": facts["to"].rpartition("@")[2], "block": challenge.block}
    if not facts.get("to_nobody") and rules.same_code(given, code_of(challenge)):
        # Only once: what counts for a part is not to be typed again.
        facts["tries"] = rules.MOST_TRIES
        challenge.given = json.dumps(facts, sort_keys=True)
        challenge.save(update_fields=["given"])
        succeed(challenge, challenge.network.network_address, about, now, finding=RIGHT)
        return ""
    facts["tries"] += 1
    challenge.given = json.dumps(facts, sort_keys=True)
    challenge.save(update_fields=["given"])
    keep_try(challenge, WRONG, about, now)
    return "wrong"


def try_code(*, challenge: Challenge, given: str, now: dt.datetime) -> None:
    """Take the code that the contact handed over. Raises CodeNotTaken, ChallengeNotPending; a wrong one is counted."""
    if why := _try_code(challenge, given, now):
        raise CodeNotTaken(why)


def _locked(challenge: Challenge, now: dt.datetime) -> Challenge:
    challenge = Challenge.objects.select_for_update().get(pk=challenge.pk)
    if challenge.status != Status.PENDING or challenge.expires_at <= now:
        raise ChallengeNotPending(challenge)
    return challenge
