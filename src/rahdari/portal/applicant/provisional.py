"""What a provisional registration still waits for, from whom, and until when."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.applicant import titles
from rahdari.applicant.clients import question_about
from rahdari.applicant.late_evidence import options_of
from rahdari.applicant.registration_status import PAUSED, may_change, standing_of
from rahdari.applicant.registrations import may_act_for
from rahdari.apply import access, subjects
from rahdari.apply import queries as apply
from rahdari.checks import contacts, words
from rahdari.checks import queries as check_queries
from rahdari.checks.kinds import Party, whose_turn
from rahdari.checks.models import Check, Outcome
from rahdari.decide import case_clock
from rahdari.decide import queries as decide
from rahdari.decide.rules import NotYet, Provisional
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.register.models import Registration
from rahdari.web import values

from .shared import own_registration


@dataclass(frozen=True)
class Point:
    """One check: what it asks, what is known, and whose turn it is."""

    title: str
    text: SafeString
    done: bool
    whose: str


@dataclass(frozen=True)
class Term:
    """The time that a provisional registration stands, as the clock on the page shows it."""

    until: dt.datetime
    left: dt.timedelta
    share: float
    days: int
    reminders: tuple[int, ...]


def term_of(registration: Registration, *, now: dt.datetime) -> Term | None:
    until = registration.provisional_until
    if until is None:
        return None
    whole = until - registration.valid_from
    rules = apply.policy_in_force().provisional
    days = whole.days
    reminders = tuple(days - before for before in rules.remind_days_before if before < days) if rules else ()
    share = min(1.0, (now - registration.valid_from) / whole)
    return Term(until, max(until - now, dt.timedelta()), share, days, reminders)


def points_of(registration: Registration, *, now: dt.datetime) -> list[Point]:
    """The checks that count, those that are awaited first."""
    application = subjects.application_by_subject(registration.origin)
    if application is None:
        return []
    found = decide.assessment_of(application, now)
    open_ones: Sequence[tuple[str, str]] = ()
    if isinstance(found, Provisional):
        open_ones = [(fact.kind, fact.target) for fact in found.awaited]
    elif isinstance(found, NotYet):
        open_ones = [(fact.kind, fact.target) for fact in found.missing]
    told = filter(contacts.is_told, check_queries.checks_of(application.subject))
    checks = [check for check in told if _counts(check, open_ones)]
    language = get_language() or "en"
    return sorted(
        (
            Point(
                title=words.title_of(check, language),
                text=words.of_check(check),
                done=check.outcome == Outcome.PASSED,
                whose=str(FROM.get(whose_turn(check), OTHERS)),
            )
            for check in checks
        ),
        key=lambda point: point.done,
    )


def _counts(check: Check, open_ones: Sequence[tuple[str, str]]) -> bool:
    return check.outcome == Outcome.PASSED or (check.kind, check.target) in open_ones


FROM = {
    Party.APPLICANT: gettext_lazy("From you"),
    Party.CLIENT: gettext_lazy("From your client or employer"),
    Party.OPERATOR: gettext_lazy("From your operator"),
    Party.ASSOCIATION: gettext_lazy("From your association"),
}
OTHERS = gettext_lazy("From somebody else: you need not do anything")


@login_required
@never_cache
@require_safe
def provisional(request: HttpRequest, reference: str) -> HttpResponse:
    found = own_registration(request, reference, Act.SEE).row
    now = timezone.now()
    term = term_of(found, now=now)
    if term is None or not may_change(found, now):
        return redirect("portal:registration", reference=found.reference)
    application = subjects.application_by_subject(found.origin)
    policy = case_clock.policy_of(application) if application else apply.policy_in_force()
    reason = policy.reasons.get(found.provisional_code)
    service = policy.services.get(found.category)
    may_send = application is not None and access.may(person(request), Act.PAPERS, application=application)
    context = {
        "registration": found,
        "holder": subjects.holder_name_of(found),
        "term": term,
        "left": values.span_words(dt.timedelta(days=term.left.days) or term.left),
        "reason": titles.words(reason.text) if reason else "",
        "provisions": policy.provisions(reason.provisions) if reason else (),
        "points": points_of(found, now=now),
        "months": service.validity_months if service else 0,
        "officer_has_it": application is not None and application.status == "submitted",
        "application": application,
        "is_paused": standing_of(found, now) == PAUSED,
        "options": options_of(application, now) if application is not None and may_send else [],
        "asks_client": application is not None and may_send and question_about(application) is not None,
        "may_act": may_act_for(person(request), found),
    }
    return render(request, "portal/applicant/provisional.html", context)
