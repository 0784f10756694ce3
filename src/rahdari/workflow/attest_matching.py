"""Which attestation is an applicant's, and what it counts for.

`attest` keeps what associations say and knows no application; `checks` keeps the checks and compares names: only the
line knows both. The weight is that of the application's own policy.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from rahdari import policy as policies
from rahdari.apply.models import Application
from rahdari.attest import attestations as attestations_of_attest
from rahdari.attest import queries as attestations
from rahdari.attest import rules
from rahdari.attest.models import Attestation
from rahdari.attest.rules import Candidate, Fit
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.evidence import Both, Evidence
from rahdari.checks.names import compare_names
from rahdari.checks.rules import Answer, Result
from rahdari.policy import Attesting, Policy

KIND = "attestation"
ACTOR = "system:workflow"


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


def _candidates(
    application: Application, attesting: Attesting, today: dt.date
) -> list[tuple[Candidate, Attestation, str]]:
    """What was said of the applicant: how it stands, and how the names compare."""
    indexes = [attestations.index_of(each) for each in known_by(application)]
    found = []
    for association in _associations(application, attesting):
        for each in attestations.candidates(association=association, indexes=indexes):
            compared = compare_names(application.holder_name, each.name)
            weight = attesting.weight(association, each.claim, application.service)
            found.append((Candidate(each.number, each.state(today), compared, weight), each, compared))
    return found


def is_worth_asking(application: Application, attesting: Attesting) -> bool:
    """A named association is asked; otherwise there is a check only where somebody was attested already."""
    if application.association:
        return attesting.association(application.association) is not None
    return any(
        candidate.weight is not None for candidate, *_ in _candidates(application, attesting, timezone.localdate())
    )


def look_up(application: Application, policy: Policy, now: dt.datetime, *, came_at: dt.datetime | None = None) -> bool:
    """Answer the check from what the association has said already, `came_at` if it was asked. Returns whether something
    was found to count."""
    if policy.attesting is None:
        return False
    found = _candidates(application, policy.attesting, attestations.day_of(now))
    chosen = rules.best(candidate for candidate, *_ in found)
    if chosen is not None:
        attestation, compared = next((each, how) for candidate, each, how in found if candidate is chosen)
        _count(application, policy.attesting, attestation, compared, now, came_at)
        return True
    if not application.association and found:
        answer(application.subject, Answer("failed", _why_not(found), about(policy.attesting, found[0][1]), False), now)
    return False


def _why_not(found: Sequence[tuple[Candidate, Attestation, str]]) -> str:
    fits = {candidate.fit for candidate, *_ in found}
    return "attested_another_name" if Fit.ANOTHER_NAME in fits else "attestation_over"


_FINDINGS = {"alone": "attested", "provisional": "attested_for_now", "supporting": "attested_supporting"}


@transaction.atomic
def _count(
    application: Application,
    attesting: Attesting,
    attestation: Attestation,
    compared: str,
    now: dt.datetime,
    came_at: dt.datetime | None = None,
) -> None:
    """This attestation counts for this application, with the weight that the application's own policy gives it."""
    weight = attesting.weight(attestation.association, attestation.claim, application.service) or "supporting"
    evidence: Evidence = {**about(attesting, attestation), "weight": weight, "name": compared}
    if came_at is not None:
        evidence["came_at"] = came_at.isoformat()
    finding = _FINDINGS[weight]
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
    attestations_of_attest.note_use(
        attestation=attestation,
        subject=application.subject,
        holder=application.holder_ref,
        person=f"person:{application.applicant_id}",
        weight=weight,
        now=now,
    )


def about(attesting: Attesting, attestation: Attestation) -> Evidence:
    """The attestation as evidence: who says what, and until when. No name, no number of the member's."""
    association, claim = attesting.association(attestation.association), attesting.claim(attestation.claim)
    return {
        "attestation": attestation.number,
        "association": both(association.title if association else None, attestation.association),
        "claim": both(claim.title if claim else None, attestation.claim),
        "valid_until": attestation.valid_until.isoformat(),
    }


def both(text: policies.Text | None, key: str) -> Both:
    return {"en": text.en, "ur": text.ur} if text else {"en": key, "ur": key}


def answer(subject: str, found: Answer, now: dt.datetime, *, anew: bool = False) -> None:
    checks_checking.answer_check(subject=subject, kind=KIND, target="", found=found, actor=ACTOR, now=now, anew=anew)


def look_again(application: Application, policy: Policy, requests: Iterable[CheckRequest], now: dt.datetime) -> None:
    """Somebody attested the company since, and it named no association that could be asked."""
    attested = [request for request in requests if request.kind == KIND]
    if attested and checks.check_about(subject=application.subject, kind=KIND, target="") is None:
        checks_checking.open_checks(subject=application.subject, requests=attested, now=now)
        look_up(application, policy, now)
