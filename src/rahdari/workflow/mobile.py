"""Mobile lines: what their operators say as the answer of a check, and what becomes of them with their registrations.

A line has no address, so nothing of it comes near the feed: its operator gets a list of its own (`rahdari.mobile`).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, QuerySet
from django.urls import reverse

from rahdari.applicant.mobile_lines import line_for
from rahdari.apply import access, pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.archive.actions import Box
from rahdari.checks import checking as checks_checking
from rahdari.checks.answers import CheckRequest
from rahdari.checks.rules import Answer
from rahdari.confirm.models import SubscriberQuestion
from rahdari.confirm.rules import OperatorAnswer
from rahdari.db.queues import each_of
from rahdari.letters import actions as letters
from rahdari.mobile import actions as mobile
from rahdari.mobile import listing
from rahdari.mobile import queries as lines
from rahdari.mobile.models import MobileNumber
from rahdari.people import queries as people
from rahdari.policy import CheckRule, Policy
from rahdari.publish import queries as networks
from rahdari.register.models import Registration

from .operator_evidence import answer_from as evidence_of
from .step import Place, Step

KIND = "mobile_line"
# One of them for an application: another number may take the place of the first.
TARGET = "line"
CLOSED_WITHIN = dt.timedelta(days=1)


def _request(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    yield CheckRequest(
        kind=KIND,
        target=TARGET,
        holder=str(application.holder_ref),
        title={"en": rule.title.en, "ur": rule.title.ur},
        reason=rule.reason,
        required=rule.required,
    )


def look_up(application: Application, policy: Policy, now: dt.datetime) -> None:
    """Checks were opened: what the line's operator said already is answered at once."""
    if not application.is_mobile or not policy.services[application.service].accepts_mobile_numbers:
        return
    line = line_for(application)
    if line is None:
        found = Answer("failed", "no_mobile_line", {}, blames=False)
        _answer(application.subject, found, "system:workflow", now)
    elif line.answered_at is not None:
        _answer(application.subject, _from(line), f"operator:{line.operator}", now)


def take_answer(question: SubscriberQuestion, now: dt.datetime) -> None:
    """An operator answered about a number: to the line, and to the check that waits for it."""
    line = lines.line_by_target(question.target)
    if line is None:
        return
    line = mobile.take_answer(
        line=line, answer=question.answer, reason=question.reason, reference=question.reference, now=now
    )
    _answer(question.subject, _from(line), f"operator:{question.operator}", now)
    if line.subject.startswith("registration:"):
        _take_over(line, now)
    if question.answer != OperatorAnswer.YES:
        _tell_of_no(line, now)


def _answer(subject: str, found: Answer, actor: str, now: dt.datetime) -> None:
    checks_checking.answer_check(
        subject=subject, kind=KIND, target=TARGET, found=found, actor=actor, now=now, anew=True
    )


def _from(line: MobileNumber) -> Answer:
    """What an operator said of a line. Its word for it goes into no evidence."""
    evidence = evidence_of(
        operator=line.operator,
        number=line.check_number,
        answer=line.answer,
        reason=line.reason,
        asked_at=line.asked_at,
        answered_at=line.answered_at,
    )
    if line.answer == OperatorAnswer.YES and line.is_taken:
        return Answer("failed", "mobile_line_registered", evidence, blames=False)
    if line.answer == OperatorAnswer.YES:
        return Answer("passed", "mobile_line_confirmed", evidence)
    if line.answer == OperatorAnswer.NO:
        return Answer("failed", "mobile_line_denied", evidence, blames=line.reason != "not_our_number")
    return Answer("failed", "mobile_line_not_told", evidence, blames=False)


# -- on the register -----------------------------------------------------------------------------------------------


def list_line(application: Application, registration: Registration, *, now: dt.datetime) -> None:
    """A grant was entered: its line goes onto its operator's list."""
    if not application.is_mobile:
        return
    line = line_for(application)
    if line is None:
        return
    if line.registration_id is None:
        for before in lines.staying_lines(registration):
            if before.pk != line.pk:
                listing.leave(
                    line=before,
                    until=now + applications.policy_in_force().change.overlap,
                    why="replaced",
                    actor="system:workflow",
                    now=now,
                )
    listing.list_line(line=line, registration=registration, now=now)


def _take_over(line: MobileNumber, now: dt.datetime) -> None:
    """A registered number was taken to another operator, which confirmed it: the new line is listed there, the old one
    stays with the old operator for the overlap. The registration and its number stay as they are."""
    before = line.follows
    if (
        before is None
        or before.registration is None
        or line.answer != OperatorAnswer.YES
        or line.is_taken
        or line.ended_at
    ):
        return
    listing.list_line(line=line, registration=before.registration, now=now)
    listing.leave(
        line=before,
        until=now + applications.policy_in_force().change.overlap,
        why="moved",
        actor="system:workflow",
        now=now,
    )


def _of_closed(now: dt.datetime) -> QuerySet[MobileNumber]:
    closed = subjects.named_in("subject").filter(closed_at__gte=now - CLOSED_WITHIN)
    return lines.lines_not_registered().filter(Exists(closed.filter(status__in=pending.CLOSED_WITHOUT_GRANT)))


@each_of(_of_closed)
def drop_lines(line: MobileNumber, now: dt.datetime) -> int:
    """Lines of applications of which nothing comes: their questions end, their numbers go."""
    return mobile.drop_line(line=line, why="closed", now=now)


# -- letters -------------------------------------------------------------------------------------------------------


@each_of(lines.left_by_operators)
def notify_of_leaving(line: MobileNumber, now: dt.datetime) -> int:
    """Operators said that a line is no longer its subscriber's: the holder is told once, with the way on."""
    told = _tell_of_left(line, now)
    listing.mark_notified(line=line, now=now)
    return told


def _tell_of_left(line: MobileNumber, now: dt.datetime) -> int:
    registration = line.registration
    if registration is None or line.leaves_at is None:
        return 0
    return _write(
        people.people_to_notify(registration.holder),
        "mobile_line_left",
        about=f"registration:{registration.pk}",
        once=f"line:{line.pk}:left",
        context={
            "registration": registration.reference,
            "operator": name_of(line.operator),
            "until": line.leaves_at,
            "url": reverse("portal:mobile_move_number", args=[registration.reference]),
        },
        now=now,
    )


def _tell_of_no(line: MobileNumber, now: dt.datetime) -> None:
    application = subjects.application_by_subject(line.subject)
    if application is None:
        return
    _write(
        access.readers_of(application),
        "mobile_line_denied",
        about=application.subject,
        once=f"line:{line.pk}:{line.check_number}",
        context={
            "reference": application.reference,
            "operator": name_of(line.operator),
            "url": reverse("portal:mobile_line", args=[application.reference]),
            **access.on_behalf(application),
        },
        now=now,
    )


def name_of(slug: str) -> str:
    operator = networks.operator_by_slug(slug)
    return operator.name_en if operator is not None else slug


def _write(
    persons: Iterable[Any], template: str, *, about: str, once: str, context: dict[str, Any], now: dt.datetime
) -> int:
    return sum(
        letters.write_once(to=person, template=template, about=about, once=once, context=context, now=now)
        for person in persons
    )


def forget_holder(*, registration: Registration, box: Box) -> list[str]:
    listing.forget_holder(registration=registration)
    return []


REQUESTS = {KIND: _request}
STEPS = {
    Place.ENTRIES: (
        Step("mobile: drop lines", drop_lines),
        Step("mobile: follow registrations", listing.follow_registrations),
        Step("mobile: end lines", listing.end_lines_due),
        Step("mobile: tell of lines left", notify_of_leaving),
        Step("mobile: erase", listing.erase_due, clock=True),
    )
}
