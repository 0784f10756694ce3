"""What a refusal says: its reasons with their law, and what whoever reads it can do."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from rahdari.apply.models import Application
from rahdari.policy import Forum, Policy, Provision, Reason, Remedy
from rahdari.register.models import Registration

from .case_clock import policy_of
from .models import Case, Decision, Notice, Revocation
from .rules import Outcome, Status


@dataclass(frozen=True)
class RefusedFor:
    """One reason of a refusal, as the policy that was in force at submission says it."""

    reason: Reason
    provisions: tuple[Provision, ...]
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True)
class Refusal:
    decision: Decision
    reasons: tuple[RefusedFor, ...]
    remedies: tuple[Remedy, ...]
    notice_text: str
    text: str
    at: dt.datetime
    appeal_until: dt.datetime
    forum: Forum | None


def reason_with_law(policy: Policy, code: str) -> RefusedFor:
    reason = policy.reasons[code]
    return RefusedFor(
        reason,
        policy.provisions(reason.provisions),
        tuple(policy.remedies[key] for key in reason.remedies),
    )


# Open before a decision, in the answer to the notice, and not after it: a case that is decided is not corrected.
BEFORE_THE_DECISION = frozenset({"correct", "hearing", "pay", "cure"})
# By which way each remedy goes: the name of a page, in writing to the authority, or at another body, which the words of
# the policy name with its address.
IN_WRITING, ELSEWHERE = "in writing", "elsewhere"
WAYS = {
    **dict.fromkeys(BEFORE_THE_DECISION, "portal:notice"),
    "new_application": "portal:apply_anew",
    "undo": "portal:go_on",
    "prove_again": "portal:prove_again",
    "appeal": "portal:appeal",
    "successor": IN_WRITING,
    "rebut_or_move": IN_WRITING,
    "licence": IN_WRITING,
    "ombudsman": ELSEWHERE,
    "that_court": ELSEWHERE,
}


def remedies_after(policy: Policy, codes: Sequence[str]) -> tuple[Remedy, ...]:
    """What is open once it is decided: no letter names a remedy that leads nowhere."""
    return tuple(each for each in remedies_of(policy, codes) if each.key not in BEFORE_THE_DECISION)


def written_to(policy: Policy) -> dict[str, Any]:
    """For a letter: where an appeal goes, `{"post": Text, "email": str}`; empty without `contact`."""
    return {"post": policy.contact.post, "email": policy.contact.email} if policy.contact is not None else {}


def remedies_of(policy: Policy, codes: Sequence[str]) -> tuple[Remedy, ...]:
    """The remedies of all codes, each once, in the order in which they are first named."""
    keys = dict.fromkeys(key for code in codes for key in policy.reasons[code].remedies)
    return tuple(policy.remedies[key] for key in keys)


def provisions_of(policy: Policy, codes: Sequence[str]) -> tuple[Provision, ...]:
    return policy.provisions(reference for code in codes for reference in policy.reasons[code].provisions)


def refused_before(draft: Application) -> tuple[Application, tuple[RefusedFor, ...]] | None:
    """The last application of the same applicant for the same service and organisation that was refused, and why."""
    found = Decision.objects.filter(
        outcome=Outcome.REFUSED,
        case__application__applicant=draft.applicant_id,
        case__application__service=draft.service,
        case__application__organisation=draft.organisation,
    )
    decision = found.select_related("case__application").order_by("-at", "id").first()
    if decision is None:
        return None
    application = decision.case.application
    return application, tuple(reason_with_law(policy_of(application), code) for code in decision.codes)


# Why a decision is void that was set aside on appeal.
ALLOWED, SENT_BACK = "appeal_allowed", "appeal_sent_back"


def barred_codes(case: Case) -> frozenset[str]:
    """Codes of refusals of this case that an appeal found wrong: they are not used in it again."""
    return frozenset(
        code for decision in case.decisions.all() if decision.voided_why == ALLOWED for code in decision.codes
    )


def last_revocation(registration: Registration) -> Revocation | None:
    """The last time that it was taken back, for its holder's page."""
    found = Revocation.objects.filter(registration=registration).select_related("case__application", "notice")
    return found.last()


def taken_back_among(registrations: QuerySet[Registration]) -> QuerySet[Revocation]:
    """What was taken back of these, and stands taken back."""
    found = Revocation.objects.filter(
        registration__in=registrations.values("pk"), restored_at__isnull=True, ended_at__isnull=True
    )
    return found.select_related("case__application", "registration")


def is_before_hearing(registration: Registration) -> bool:
    """Whether it is suspended now before its holder was heard."""
    standing = Revocation.objects.filter(registration=registration, before_hearing=True, restored_at__isnull=True)
    return standing.filter(ended_at__isnull=True).exists()


def notice_about(registration: Registration) -> Notice | None:
    """A proposal to take it back that stands, for its holder's page."""
    return notices_about([registration]).order_by("-sent_at").first()


def notices_about(registrations: Iterable[Registration]) -> QuerySet[Notice]:
    """The same of many, those due first in front, each with the number of its registration as `registration_number`."""
    standing = Notice.objects.filter(
        case__decisions__registration__in=list(registrations),
        case__status=Status.DECIDED,
        withdrawn_at__isnull=True,
        concluded_at__isnull=True,
    )
    numbered = standing.annotate(registration_number=F("case__decisions__registration__reference"))
    return numbered.select_related("case__application").order_by("answer_due_at", "id")
