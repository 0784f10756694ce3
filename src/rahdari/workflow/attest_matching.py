"""Which attestation is an applicant's, and what it counts for.

`attest` keeps what associations say and knows no application; `checks` keeps the checks and compares names: only the
line knows both. The weight is that of the application's own policy.

Numbers of cards and companies are known to others. What was attested of one that the applicant only typed counts for
nothing, and nobody but an officer reads of it, until it is shown that the applicant is the one attested (`shown_by`).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from rahdari import policy as policies
from rahdari.apply.models import Application
from rahdari.attest import attestations as attestations_of_attest
from rahdari.attest import queries as attestations
from rahdari.attest import rules
from rahdari.attest.models import Attestation
from rahdari.attest.rules import AttestationState, Candidate, Fit, Tie
from rahdari.checks import checking as checks_checking
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.declared import ATTESTED_NOT_SHOWN
from rahdari.checks.evidence import Both, Evidence
from rahdari.checks.names import compare_names
from rahdari.checks.rules import Answer, Result
from rahdari.policy import Attesting, Policy

KIND = "attestation"
ACTOR = "system:workflow"


@dataclass(frozen=True)
class Found:
    """An attestation under a number or address of the applicant's: how it stands, how the names compare, and what shows
    that it is the applicant's, if anything does."""

    candidate: Candidate
    attestation: Attestation
    compared: str
    tie: Tie | None


def known_by(application: Application) -> list[rules.Identifier]:
    return attestations.identifiers_of(
        card=application.cnic, company_number=application.company_number, email=application.applicant.email
    )


def _associations(application: Application, attesting: Attesting) -> list[str]:
    """The one that the applicant named; of a company that named none, all whose word counts."""
    if application.association:
        return [application.association]
    if application.organisation_id is None and not application.company_number:
        return []
    return [each.key for each in attesting.asked_for(application.service)]


def _candidates(application: Application, attesting: Attesting, today: dt.date) -> list[Found]:
    indexes = [attestations.index_of(each) for each in known_by(application)]
    found = []
    for association in _associations(application, attesting):
        for each in attestations.candidates(association=association, indexes=indexes):
            compared = compare_names(application.holder_name, each.name)
            weight = attesting.weight(association, each.claim, application.service)
            candidate = Candidate(each.number, each.state(today), compared, weight)
            found.append(Found(candidate, each, compared, shown_by(application, each)))
    return found


def shown_by(application: Application, attestation: Attestation) -> Tie | None:
    """What shows that the applicant is the one attested; nothing does where they only typed the number."""
    if attestation.identifier_kind == "email":
        return Tie.ADDRESS
    if attestation.identifier_kind == "company" and checks.any_passed(contacts.REPRESENTS, [application.subject]):
        return Tie.REPRESENTS
    check = checks.check_about(subject=application.subject, kind=KIND, target="")
    request = attestations.ASSOCIATION.about(f"check:{check.pk}") if check is not None else None
    if request is not None and request.attestation_id == attestation.pk:
        return Tie.ASSOCIATION
    if _has_shown_number(application, attestation):
        return Tie.NUMBER
    return Tie.BEFORE if attestations.was_told(holder=application.holder_ref, attestation=attestation) else None


def _has_shown_number(application: Application, attestation: Attestation) -> bool:
    """Whether a contact on the list of members showed that the number under which this was attested is theirs."""
    if application.association != attestation.association or not application.association_number:
        return False
    typed = attestations.member_index(application.association, application.association_number)
    shown = checks.checks_where(subject=application.subject, kind="roster", finding="listed_and_shown")
    return typed == attestation.member_index and shown.exists()


def is_worth_asking(application: Application, attesting: Attesting) -> bool:
    """A named association is asked; otherwise there is a check only where somebody was attested already."""
    if application.association:
        return attesting.association(application.association) is not None
    found = _candidates(application, attesting, timezone.localdate())
    return any(each.candidate.weight is not None for each in found)


def look_up(application: Application, policy: Policy, now: dt.datetime, *, came_at: dt.datetime | None = None) -> bool:
    """Answer the check from what the association has said already, `came_at` if it was asked. Returns whether something
    was found to count. What is not shown to be the applicant's is noted, and counts when it is (`count_what_is_shown`):
    until then a named association is asked, as where it has said nothing."""
    if policy.attesting is None:
        return False
    found = _candidates(application, policy.attesting, attestations.day_of(now))
    shown = [each for each in found if each.tie is not None]
    best = rules.best(each.candidate for each in shown)
    if best is not None:
        _count(application, policy.attesting, next(each for each in shown if each.candidate is best), now, came_at)
        return True
    for each in found:
        if each.tie is None and each.candidate.fit is Fit.FITS:
            _note(application, each, now)
    if not application.association and shown:
        told = min(shown, key=lambda each: tuple(_WHY_NOT).index(_fault(each)))
        evidence = about(policy.attesting, told.attestation, told.tie)
        answer(application.subject, Answer("failed", _WHY_NOT[_fault(told)], evidence, blames=False), now, anew=True)
    elif not application.association and found:
        answer(application.subject, not_shown(application, policy.attesting, found[0].attestation), now)
    return False


def not_shown(application: Application, attesting: Attesting, attestation: Attestation) -> Answer:
    """For officers alone. It was known when the application came: our clock does not begin later because of it."""
    came = application.submitted_at
    evidence = about(attesting, attestation, "")
    if came is not None:
        evidence["came_at"] = came.isoformat()
    return Answer("failed", ATTESTED_NOT_SHOWN, evidence, blames=False)


# Why an attestation does not count, and what the check says; of several the first one that is found is told.
_WHY_NOT: dict[Fit | AttestationState, str] = {
    Fit.ANOTHER_NAME: "attested_another_name",
    AttestationState.NOT_YET: "attestation_not_yet",
    AttestationState.EXPIRED: "attestation_over",
    AttestationState.REVOKED: "attestation_revoked",
    Fit.NO_WEIGHT: "attestation_no_weight",
}


def _fault(found: Found) -> Fit | AttestationState:
    fit = found.candidate.fit
    return found.candidate.state if fit is Fit.NOT_LIVE else fit


FINDINGS = {"alone": "attested", "provisional": "attested_for_now", "supporting": "attested_supporting"}


@transaction.atomic
def _count(
    application: Application,
    attesting: Attesting,
    found: Found,
    now: dt.datetime,
    came_at: dt.datetime | None = None,
) -> None:
    """This attestation counts for this application, with the weight that the application's own policy gives it."""
    weight = found.candidate.weight or "supporting"
    evidence: Evidence = {
        **about(attesting, found.attestation, found.tie),
        "weight": weight,
        "name": found.compared,
    }
    if came_at is not None:
        evidence["came_at"] = came_at.isoformat()
    finding = FINDINGS[weight]
    if weight == "provisional":
        checks_checking.mark_provisional(
            subject=application.subject,
            kind=KIND,
            target="",
            finding=finding,
            evidence=evidence,
            actor=ACTOR,
            now=now,
            anew=True,
        )
    else:
        outcome: Result = "passed" if weight == "alone" else "failed"
        # Also when it comes after a silence or a no that was a mistake.
        answer(application.subject, Answer(outcome, finding, evidence, blames=False), now, anew=True)
    _note(application, found, now)


def _note(application: Application, found: Found, now: dt.datetime) -> None:
    attestations_of_attest.note_use(
        attestation=found.attestation,
        subject=application.subject,
        holder=application.holder_ref,
        person=f"person:{application.applicant_id}",
        weight=found.candidate.weight or "supporting",
        tie=found.tie,
        now=now,
    )


def about(attesting: Attesting, attestation: Attestation, tie: str | None) -> Evidence:
    """The attestation as evidence: who says what, from when until when, and what shows that it is the applicant's. No
    name, no number of the member's."""
    association, claim = attesting.association(attestation.association), attesting.claim(attestation.claim)
    found: Evidence = {
        "attestation": attestation.number,
        "association": both(association.title if association else None, attestation.association),
        "claim": both(claim.title if claim else None, attestation.claim),
        "valid_from": attestation.valid_from.isoformat(),
        "valid_until": attestation.valid_until.isoformat(),
    }
    if tie:
        found["shown_by"] = tie
    return found


def both(text: policies.Text | None, key: str) -> Both:
    return {"en": text.en, "ur": text.ur} if text else {"en": key, "ur": key}


def answer(subject: str, found: Answer, now: dt.datetime, *, anew: bool = False) -> bool:
    return checks_checking.answer_check(
        subject=subject, kind=KIND, target="", found=found, actor=ACTOR, now=now, anew=anew
    )


def look_again(application: Application, policy: Policy, requests: Iterable[CheckRequest], now: dt.datetime) -> None:
    """Somebody attested the company since, and it named no association that could be asked. A check that begins now is
    in the history that the applicant reads: it does when the applicant is shown to be the one attested."""
    attested = [request for request in requests if request.kind == KIND]
    if not attested or checks.check_about(subject=application.subject, kind=KIND, target="") is not None:
        return
    if policy.attesting is not None and any(
        each.tie is not None for each in _candidates(application, policy.attesting, attestations.day_of(now))
    ):
        checks_checking.open_checks(subject=application.subject, requests=attested, now=now)
        look_up(application, policy, now)
