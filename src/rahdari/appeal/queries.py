"""Reads of appeals. `appeal_for_decider` is the gatekeeper of the desk's side: it opens an appeal, with its file, for
somebody who may decide it, and records that it did. The appellant's pages reach an appeal by its application.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari import policy
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.decide import case_clock, conflicts_of_interest, remedies, reviewing, serving
from rahdari.decide import queries as cases
from rahdari.decide.due import WHILE_OPEN, last_moment
from rahdari.decide.models import Case, Decision, Revocation
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.revocation import last_before_hearing, taken_back
from rahdari.decide.rules import Needs, Status
from rahdari.decide.rules import Outcome as Decided
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.models import DIRECTOR, User
from rahdari.policy import Forum
from rahdari.register.models import Registration
from rahdari.web.language import in_both

from . import rules
from .models import Appeal, Served
from .rules import Against, CannotDecide

# The letters with which a decision is served.
ORDERS = ("application_refused", "registration_suspended", "registration_struck_out")


class AppealNotFound(RahdariError):
    """There is no such appeal, or it is not for you: nobody learns which. `.reference` is what was asked for."""

    says = "no appeal {reference!r} for this person"
    reference: str


@dataclass(frozen=True)
class Appealable:
    """What can be appealed against now, and until when. `until` None: its time has not begun to run."""

    case: Case
    against: Against
    decision: Decision | None = None
    revocation: Revocation | None = None
    until: dt.datetime | None = None


def appeals() -> QuerySet[Appeal]:
    found = Appeal.objects.select_related(
        "case__application__applicant",
        "case__application__organisation",
        "case__application__mandate",
        "decision",
        "revocation__registration",
        "assigned_to",
        "decided_by",
    )
    return found.prefetch_related("points")


# -- the appellant's side ------------------------------------------------------------------------------------------


def appeals_of(application: Application) -> list[Appeal]:
    """What was sent, the newest first. The caller has made sure that the application is theirs."""
    found = appeals().filter(case__application=application, sent_at__isnull=False)
    return list(found.order_by("-number"))


def draft_of(case: Case, thing: Appealable) -> Appeal | None:
    """What was begun against this and not sent."""
    found = appeals().filter(case=case, sent_at__isnull=True, withdrawn_at__isnull=True, against=thing.against)
    return found.filter(decision=thing.decision, revocation=thing.revocation).first()


def appealable(application: Application, now: dt.datetime) -> Appealable | None:
    """What an appeal can be sent against now: a refusal, a registration that was taken back, or that no decision came
    in its time. None where there is nothing, or it was appealed against before."""
    case = cases.case_of(application)
    if case is None:
        return None
    thing = _against(case, now)
    if thing is None:
        return None
    before = Appeal.objects.filter(case=case, sent_at__isnull=False, withdrawn_at__isnull=True, against=thing.against)
    same = before.filter(decision=thing.decision, revocation=thing.revocation)
    if thing.against == Against.SILENCE:
        same = same.filter(closed_at__isnull=True)
    return None if same.exists() else thing


def taken_back_among(registrations: QuerySet[Registration]) -> QuerySet[Revocation]:
    """What was taken back of these and not given back, and nobody has appealed against yet; for `in_time`. What a court
    ordered is appealed against at that court."""
    sent = Appeal.objects.filter(revocation=OuterRef("pk"), sent_at__isnull=False, withdrawn_at__isnull=True)
    found = remedies.taken_back_among(registrations).filter(~Exists(sent), notice__is_order=False)
    return found.order_by("appeal_until", "id")


def in_time(taken: Iterable[Revocation], now: dt.datetime) -> list[tuple[Revocation, dt.datetime | None]]:
    """Those of them against which an appeal is in time, and until when. None: the time has not begun to run."""
    found = [(each, appeal_until(each)) for each in taken]
    return [(each, until) for each, until in found if until is None or now <= until]


def _against(case: Case, now: dt.datetime) -> Appealable | None:
    if case.status == Status.OPEN:
        is_late = case.escalated_at is not None or case_clock.clock_of(case, now).is_late
        return Appealable(case, Against.SILENCE) if is_late else None
    decision = cases.decision_of(case)
    if decision is not None and decision.outcome == Decided.REFUSED:
        until = appeal_until(decision)
        return Appealable(case, Against.REFUSAL, decision=decision, until=until)
    taken = taken_back(case).first() or last_before_hearing(case)
    # What a court ordered is appealed against at that court.
    if taken is None or taken.notice.is_order:
        return None
    until = appeal_until(taken)
    # A suspension of some hours is over long before the time to appeal against it is.
    if taken.is_over and until is not None and now > until:
        return None
    return Appealable(case, Against.REVOCATION, revocation=taken, until=until)


def appeal_until(decided: Decision | Revocation) -> dt.datetime | None:
    """Until when it can be appealed against: as it was told, or longer where its letter came back. None: while it has
    not arrived the time does not run."""
    case = decided.case
    about = case.application.subject
    if isinstance(decided, Revocation):
        about = f"registration:{decided.registration_id}"
    return _until(case, decided.appeal_until, decided.at, about)


def _until(case: Case, told: dt.datetime | None, at: dt.datetime, about: str) -> dt.datetime | None:
    """Until when there is time: as it was told, or longer where the letter did not arrive. While it has not arrived by
    any way the time does not run."""
    arrived = serving.served_at(case, at, [about], ORDERS)
    if arrived is None or told is None:
        return None
    return case_clock.appeal_until(case.application, told, max(arrived, at))


def handed_over_at(case: Case, at: dt.datetime) -> dt.datetime | None:
    """When something of the case was first handed over on that day or later (`decide.serving.HANDED_OVER`)."""
    handed = Served.objects.filter(case=case, on__gte=at.date()).first()
    return None if handed is None else last_moment(handed.on)


def settled_at(application: Application) -> dt.datetime | None:
    """Until when an appeal may still change what came of an application (`decide.due.UNSETTLED`): while one is open,
    and as long as the next forum can be asked."""
    found = Appeal.objects.filter(case__application=application, sent_at__isnull=False, withdrawn_at__isnull=True)
    ends: list[dt.datetime] = []
    for appeal in found:
        if appeal.closed_at is None:
            return WHILE_OPEN
        ends += [until for _forum, until in next_forums(appeal)]
    return max(ends, default=None)


def next_forums(appeal: Appeal) -> list[tuple[Forum, dt.datetime]]:
    """Where whoever lost the appeal can go, and until when; none before it is decided."""
    if appeal.decided_at is None:
        return []
    found = case_clock.policy_of(appeal.case.application).forums_for("authority_decision")
    return [
        (each, policy.add(start=appeal.decided_at, allowance=each.file_within, calendar=case_clock.calendar()))
        for each in found
    ]


# -- who may decide ------------------------------------------------------------------------------------------------


def has_rank(user: User) -> bool:
    """Who hears appeals against officers: a supervisor, or somebody of Director rank."""
    return people.is_supervisor(user) or people.has_rank(user, DIRECTOR)


def why_not(appeal: Appeal, user: User) -> CannotDecide | None:
    """Why this person may not decide the appeal; None: they may."""
    return rules.may_decide(
        had_part=user.pk in reviewing.with_part_in(appeal.case, [user]),
        has_rank=has_rank(user),
        is_reviewer=Reviewer.is_named(appeal.subject, user),
    )


def matter_of(appeal: Appeal) -> reviewing.Matter:
    """What somebody from outside decides where nobody in the office may."""
    return reviewing.Matter(
        appeal.subject,
        appeal.case,
        Needs.APPEAL,
        appeal.reference,
        in_both(lambda: _("An appeal")),
        reverse("appeal:appeal", args=[appeal.reference]),
        appeal.due_at,
    )


def heard_between(appeal: Appeal, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Between which times a hearing may be set now: before the appeal is to be decided."""
    assert appeal.due_at is not None  # noqa: S101 - the database holds it of what was sent
    return case_clock.heard_between(appeal.case.application, appeal.due_at, now)


def deciders(appeal: Appeal) -> list[User]:
    """Everybody in the office who may decide it."""
    posts = people.all_posts().filter(user__in=reviewing.who_could(matter_of(appeal)))
    return list({post.user_id: post.user for post in posts}.values())


def open_appeals() -> QuerySet[Appeal]:
    """Sent and not over, those due first in front; of those decided, what is still to be carried out."""
    found = appeals().filter(sent_at__isnull=False, withdrawn_at__isnull=True, closed_at__isnull=True)
    return found.alias(end=Coalesce(F("carry_out_by"), F("due_at"))).order_by("end", "id")


def for_decider(user: User) -> list[Appeal]:
    """The open appeals that this person may see: of others, as somebody of rank; their own file, as a reviewer."""
    found = open_appeals()
    if not has_rank(user):
        named = {each.matter for each in reviewing.reviews_of(user)}
        return [each for each in found if each.subject in named]
    is_own = conflicts_of_interest.own_of(user)
    return [each for each in found[:200] if not is_own(each.case.application)]


def waiting_for(user: User) -> int:
    """How many wait for a decider, for the navigation."""
    found = Appeal.objects.filter(
        Q(assigned_to=user) | Q(assigned_to__isnull=True),
        sent_at__isnull=False,
        withdrawn_at__isnull=True,
        decided_at__isnull=True,
        closed_at__isnull=True,
    )
    return found.count()


def actor_for(user: User) -> str:
    """How the journal names whoever decides."""
    return cases.actor_of(user) if people.is_officer(user) else reviewing.actor_of(user)


def appeal_for_decider(*, user: User, reference: str, now: dt.datetime) -> Appeal:
    """The appeal with the file, with the read on record. Raises AppealNotFound."""
    number, _dash, place = reference.replace("\0", "").rpartition("-P")
    found = appeals().filter(case__application__reference=number, sent_at__isnull=False)
    appeal = found.filter(number=int(place)).first() if place.isdecimal() and len(place) < 4 else None
    if appeal is None or not (has_rank(user) or Reviewer.is_named(appeal.subject, user)):
        raise AppealNotFound(reference)
    if conflicts_of_interest.own_of(user)(appeal.case.application):
        raise AppealNotFound(reference)
    journal.record(
        act="appeal.read",
        actor=actor_for(user),
        subject=appeal.case.application.subject,
        now=now,
        reason="complaint",
        ground=cases.ground_of(appeal.case),
        detail={"appeal": appeal.reference},
    )
    cases.read_events([appeal.case], [appeal.case_id])
    return appeal


def papers_of(appeal: Appeal) -> QuerySet[Document]:
    """What came with it."""
    return applications.documents_of_answer(appeal.case.application, appeal.subject)


# -- figures -------------------------------------------------------------------------------------------------------


def by_the_only_one(now: dt.datetime) -> int:
    """How many were decided in the last year by somebody besides whom nobody in the office could."""
    return Appeal.objects.filter(by_the_only_one=True, decided_at__gt=now - reviewing.COUNTED).count()


def waiting_for_nobody() -> int:
    """How many are open that nobody in the office may decide, with nobody from outside named for them."""
    found = open_appeals().order_by().filter(decided_at__isnull=True)
    alone = found.alias(could=reviewing.could_anybody("case_id", Needs.APPEAL)).filter(could=False)
    return reviewing.without_reviewer([each.subject for each in alone])


# -- for the workflow ----------------------------------------------------------------------------------------------


def out_of_time(now: dt.datetime) -> QuerySet[Appeal]:
    """Open past its time, and the appellant was not told."""
    found = Appeal.objects.filter(
        sent_at__isnull=False,
        withdrawn_at__isnull=True,
        decided_at__isnull=True,
        closed_at__isnull=True,
        overdue_at__isnull=True,
        due_at__lt=now,
    )
    return found.order_by("due_at", "id")


def overtaken() -> QuerySet[Appeal]:
    """Against silence, in a case that is no longer open."""
    found = Appeal.objects.filter(
        against=Against.SILENCE, sent_at__isnull=False, withdrawn_at__isnull=True, closed_at__isnull=True
    )
    return found.filter(decided_at__isnull=True).exclude(case__status=Status.OPEN).order_by("due_at", "id")


def carried_out() -> QuerySet[Appeal]:
    """Decided, and what was allowed has happened since: the case was decided anew, or closed by its applicant."""
    found = Appeal.objects.filter(decided_at__isnull=False, closed_at__isnull=True)
    return found.exclude(case__status=Status.OPEN).order_by("carry_out_by", "id")
