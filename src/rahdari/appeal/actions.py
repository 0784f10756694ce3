"""The acts of an appeal. Each locks the appeal's case and then the appeal, and makes a move of `rules.MOVES` or none.

Invariants: whoever decides had no part in what is appealed against; every point is decided, with reasons; what was
allowed is carried out in the same transaction, or has a clock until it is. A letter is written in the transaction of
its act.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.urls import reverse

from rahdari import policy
from rahdari.apply import access
from rahdari.apply.models import Application
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.decide import calendar_changes, case_clock, hearings, reviewing, set_aside
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Hearing
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.transitions import NotAnOfficer, ReasonNeeded, lock, sentence
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.language import in_both

from . import queries, rules
from .models import Appeal, Point, Served
from .queries import Appealable
from .rules import Against, Ground, Outcome
from .words import came_of
from .words import ground as title_of_ground
from .words import outcome as title_of_outcome

# The clock by which what was allowed is carried out.
CARRIED_OUT = "appeal_carried_out"


class NotPossibleNow(RahdariError):
    """The appeal does not allow this act as it stands. `.act` and `.appeal`."""

    says = "{act} is not possible for {appeal} now"
    act: str
    appeal: Appeal


class NothingToAppeal(RahdariError):
    """Nothing was decided against this application, no time is over, or it was appealed against before.
    `.application`."""

    says = "there is nothing to appeal against in {application}"
    application: Application


class MayNotDecide(RahdariError):
    """This person may not decide the appeal. `.why` is a `rules.CannotDecide`."""

    says = "may not decide the appeal: {why}"
    why: rules.CannotDecide


class NotYours(RahdariError):
    """Somebody else has taken the appeal, or nobody has. `.appeal`"""

    says = "{appeal} is not in this person's hands"
    appeal: Appeal


# -- the appellant -------------------------------------------------------------------------------------------------


@transaction.atomic
def save_draft(
    *, application: Application, grounds: Sequence[str], words: str, to_be_heard: bool, actor: str, now: dt.datetime
) -> Appeal:
    """Keep what was written so far. Nothing is sent. Raises NothingToAppeal."""
    case, thing = _lock_case(application, now)
    appeal = queries.draft_of(case, thing) or _begun(case, thing, now)
    appeal.grounds, appeal.words, appeal.to_be_heard = _known(thing, grounds), words, to_be_heard
    appeal.save(update_fields=["grounds", "words", "to_be_heard"])
    _record(appeal, "saved", actor, now)
    return appeal


@transaction.atomic
def send(
    *,
    application: Application,
    grounds: Sequence[str],
    words: str,
    to_be_heard: bool = False,
    actor: str,
    now: dt.datetime,
) -> Appeal:
    """Appeal. One that comes after its time is taken, and whoever decides looks first whether that is excused.
    Raises NothingToAppeal, ReasonNeeded (`codes`, `text`).
    """
    appeal = _sent(application, grounds, words, to_be_heard, received_at=now, actor=actor, now=now)
    _record(appeal, "sent", actor, now)
    return appeal


@transaction.atomic
def record_written(
    *,
    application: Application,
    officer: User,
    grounds: Sequence[str],
    words: str,
    to_be_heard: bool,
    received_at: dt.datetime,
    now: dt.datetime,
) -> Appeal:
    """An appeal that came by letter, or was spoken at the desk: an officer records it as of the day on which it came.
    Raises NotAnOfficer, and as `send` does.
    """
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    actor = queries.actor_for(officer)
    appeal = _sent(application, grounds, words, to_be_heard, received_at=min(received_at, now), actor=actor, now=now)
    _record(appeal, "recorded", actor, now)
    return appeal


def _sent(
    application: Application,
    grounds: Sequence[str],
    words: str,
    to_be_heard: bool,
    *,
    received_at: dt.datetime,
    actor: str,
    now: dt.datetime,
) -> Appeal:
    case, thing = _lock_case(application, now)
    known = _known(thing, grounds)
    if not known:
        raise ReasonNeeded("codes")
    appeal = queries.draft_of(case, thing) or _begun(case, thing, now)
    has_papers = queries.papers_of(appeal).exists()
    appeal.words = words.strip() if has_papers or thing.against == Against.SILENCE else sentence(words)
    appeal.grounds, appeal.to_be_heard = known, to_be_heard
    appeal.sent_at, appeal.sent_by = now, actor
    appeal.late = thing.until is not None and received_at > thing.until
    forum = case_clock.policy_of(case.application).forum_for("officer_decision")
    assert forum is not None  # noqa: S101 - the loader refuses a policy without one
    appeal.due_at = policy.add(start=now, allowance=forum.decides_within, calendar=case_clock.calendar())
    appeal.save()
    Point.objects.bulk_create(
        Point(appeal=appeal, ground=ground, place=place) for place, ground in enumerate(known, start=1)
    )
    _write(appeal, "appeal_received", now, due_at=appeal.due_at, late=appeal.late, heard=to_be_heard)
    return appeal


@transaction.atomic
def withdraw(*, appeal: Appeal, actor: str, now: dt.datetime) -> Appeal:
    """The appellant does not want it decided any more. What stood only meanwhile goes back. Raises NotPossibleNow."""
    appeal = _lock(appeal, "withdraw")
    appeal.withdrawn_at = now
    appeal.save(update_fields=["withdrawn_at"])
    reviewing.end(appeal.subject, now)
    _end_meanwhile(appeal, now)
    _record(appeal, "withdrew", actor, now)
    return appeal


# -- whoever decides -----------------------------------------------------------------------------------------------


@transaction.atomic
def take(*, appeal: Appeal, user: User, now: dt.datetime) -> Appeal:
    """From now on it is theirs; also when whoever had it holds no post any more. Raises MayNotDecide, NotYours,
    NotPossibleNow."""
    appeal = _lock(appeal, "take")
    _decider(appeal, user)
    if appeal.assigned_to_id == user.pk:
        return appeal
    if appeal.assigned_to is not None and queries.why_not(appeal, appeal.assigned_to) is None:
        raise NotYours(appeal)
    appeal.assigned_to = user
    appeal.save(update_fields=["assigned_to"])
    _record(appeal, "took", queries.actor_for(user), now)
    return appeal


@transaction.atomic
def set_hearing(
    *, appeal: Appeal, user: User, starts_at: dt.datetime, place: str, now: dt.datetime, why: str = ""
) -> Hearing:
    """When and where the appellant is heard, or another day. Raises as `take` and `hearings.arrange` do."""
    appeal = _in_hands(appeal, "set_hearing", user)
    between = queries.heard_between(appeal, now)
    facts: dict[str, Any] = {"officer": user, "starts_at": starts_at, "place": place, "why": why, "now": now}
    hearing = hearings.arrange(_matter(appeal), between, **facts)
    _record(appeal, "set_hearing", queries.actor_for(user), now)
    return hearing


@transaction.atomic
def record_hearing(
    *, appeal: Appeal, user: User, attended: str, minutes: str, now: dt.datetime, nobody_came: bool = False
) -> Hearing:
    """What was said, or that nobody came: then it is decided on what was written. Raises as `take` and
    `hearings.write_down` do."""
    appeal = _in_hands(appeal, "record_hearing", user)
    facts: dict[str, Any] = {"attended": attended, "minutes": minutes, "nobody_came": nobody_came, "now": now}
    hearing = hearings.write_down(_matter(appeal), officer=user, **facts)
    appeal.hearing_over_at = now
    appeal.save(update_fields=["hearing_over_at"])
    _record(appeal, "recorded_hearing", queries.actor_for(user), now)
    due_at = None if appeal.is_overdue(now) else appeal.due_at
    _write(appeal, "hearing_held", now, nobody_came=nobody_came, text=hearing.minutes, decide_by=due_at)
    return hearing


@transaction.atomic
def decide(
    *,
    appeal: Appeal,
    user: User,
    points: Mapping[str, tuple[str, str]],
    text: str,
    now: dt.datetime,
) -> Appeal:
    """Decide every point, by its ground: the outcome and why. A late appeal that is decided is thereby excused.
    Raises ReasonNeeded (`points`, `text`), and as `take` does.
    """
    appeal = _in_hands(appeal, "decide", user)
    found = list(appeal.points.all())
    for point in found:
        outcome, why = points.get(point.ground, ("", ""))
        if outcome not in set(Outcome):
            raise ReasonNeeded("points")
        point.outcome, point.why = outcome, sentence(why)
        point.save(update_fields=["outcome", "why"])
    appeal.text = text.strip()
    appeal.excused = True if appeal.late else None
    _decided(appeal, user, now)
    whole = rules.outcome_of(Outcome(point.outcome) for point in found)
    _carry_out(appeal, whole, now)
    appeal.save()
    reviewing.end(appeal.subject, now)
    _record(appeal, "decided", queries.actor_for(user), now, reason=whole)
    _write_decision(queries.appeals().get(pk=appeal.pk), found, now)
    wake()
    return appeal


@transaction.atomic
def refuse_late(*, appeal: Appeal, user: User, why: str, now: dt.datetime) -> Appeal:
    """It came after its time, and that is not excused: its points are not heard. Raises as `take` does."""
    appeal = _in_hands(appeal, "refuse_late", user)
    if not appeal.late:
        raise NotPossibleNow("refuse_late", appeal)
    appeal.text, appeal.excused, appeal.closed_at = sentence(why), False, now
    _decided(appeal, user, now)
    appeal.save()
    reviewing.end(appeal.subject, now)
    _end_meanwhile(appeal, now)
    _record(appeal, "refused_late", queries.actor_for(user), now)
    _write_decision(queries.appeals().get(pk=appeal.pk), (), now)
    return appeal


@transaction.atomic
def name_reviewer(*, appeal: Appeal, supervisor: User, reviewer: User, who: str, now: dt.datetime) -> Reviewer:
    """Nobody in the office may decide the appeal: somebody from outside does, and reads this one file for it.
    Raises NotPossibleNow, and as `reviewing.name_reviewer` does.
    """
    appeal = _lock(appeal, "name_reviewer")
    named = reviewing.name_reviewer(
        matter=queries.matter_of(appeal), supervisor=supervisor, reviewer=reviewer, who=who, now=now
    )
    _record(appeal, "named_reviewer", queries.actor_for(supervisor), now)
    return named


@transaction.atomic
def record_service(*, case: Case, officer: User, on: dt.date, how: str, now: dt.datetime) -> Served:
    """A question, a notice or a decision was handed over in person or by post, not by the letter that came back.
    Recorded twice by an officer in the same words, it is one. Raises NotAnOfficer, ReasonNeeded."""
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    case, words = lock(case), sentence(how)
    for before in Served.objects.filter(case=case, on=on, recorded_by=officer):
        if before.how == words:
            return before
    served = Served.objects.create(case=case, on=on, how=words, recorded_by=officer, at=now)
    calendar_changes.move_told_times(case, now)
    journal.record(
        act="appeal.served",
        actor=queries.actor_for(officer),
        subject=case.application.subject,
        now=now,
        detail={"on": on.isoformat()},
    )
    return served


# -- the clock and the workflow ------------------------------------------------------------------------------------


@each_of(queries.out_of_time)
def run_out(appeal: Appeal, now: dt.datetime) -> bool:
    """The office missed its time: the appellant is told, and what was taken back stands until it is decided."""
    locked = _locked(appeal)
    if not rules.allows(locked.state, locked.hearing, "let_time_run_out") or locked.overdue_at is not None:
        return False
    appeal = locked
    appeal.overdue_at = now
    if appeal.revocation is not None:
        appeal.stands_meanwhile = set_aside.stand_for_now(taken=appeal.revocation, actor=appeal.subject, now=now)
    appeal.save(update_fields=["overdue_at", "stands_meanwhile"])
    _record(appeal, "ran_out", "clock", now)
    complaint = case_clock.policy_of(appeal.case.application).remedies.get("ombudsman")
    _write(appeal, "appeal_late", now, stands=appeal.stands_meanwhile, complaint=complaint)
    return True


@each_of(queries.overtaken)
def overtake(appeal: Appeal, now: dt.datetime) -> bool:
    """The decision came whose absence was appealed against."""
    closed = _close(appeal, "overtake", now)
    if closed:
        _record(appeal, "overtaken", "system:workflow", now)
    return closed


@each_of(queries.carried_out)
def close_carried_out(appeal: Appeal, now: dt.datetime) -> bool:
    """What was allowed has happened: the case was decided anew, or its applicant closed it."""
    closed = _close(appeal, "carry_out", now)
    if closed:
        _record(appeal, "carried_out", "system:workflow", now)
    return closed


def _close(appeal: Appeal, move: str, now: dt.datetime) -> bool:
    locked = _locked(appeal)
    if not rules.allows(locked.state, locked.hearing, move):
        return False
    locked.closed_at = now
    locked.save(update_fields=["closed_at"])
    reviewing.end(locked.subject, now)
    return True


# -- shared ----------------------------------------------------------------------------------------------------------


def _lock_case(application: Application, now: dt.datetime) -> tuple[Case, Appealable]:
    """The case, locked, and what can be appealed against in it. Raises NothingToAppeal."""
    found = cases.case_of(application)
    if found is None:
        raise NothingToAppeal(application)
    case = lock(found)
    thing = queries.appealable(case.application, now)
    if thing is None:
        raise NothingToAppeal(application)
    return case, thing


def _begun(case: Case, thing: Appealable, now: dt.datetime) -> Appeal:
    last = Appeal.objects.filter(case=case).aggregate(last=Max("number"))["last"] or 0
    return Appeal.objects.create(
        case=case,
        number=last + 1,
        against=thing.against,
        decision=thing.decision,
        revocation=thing.revocation,
        begun_at=now,
    )


def _known(thing: Appealable, grounds: Sequence[str]) -> list[str]:
    """Those that there are for this, each once, in their order. Silence has one alone."""
    possible = rules.GROUNDS[thing.against]
    if thing.against == Against.SILENCE:
        return [Ground.SILENCE.value]
    return [ground.value for ground in possible if ground in grounds]


def _locked(appeal: Appeal) -> Appeal:
    """The appeal as it is now, locked after its case."""
    lock(appeal.case)
    Appeal.objects.select_for_update().values_list("pk").get(pk=appeal.pk)
    return queries.appeals().get(pk=appeal.pk)


def _lock(appeal: Appeal, act: str) -> Appeal:
    """The same, if it allows this act. Raises NotPossibleNow."""
    locked = _locked(appeal)
    if not rules.allows(locked.state, locked.hearing, act):
        raise NotPossibleNow(act, locked)
    return locked


def _decider(appeal: Appeal, user: User) -> None:
    if (why := queries.why_not(appeal, user)) is not None:
        raise MayNotDecide(why)


def _in_hands(appeal: Appeal, act: str, user: User) -> Appeal:
    appeal = _lock(appeal, act)
    _decider(appeal, user)
    if appeal.assigned_to_id != user.pk:
        raise NotYours(appeal)
    return appeal


def _decided(appeal: Appeal, user: User, now: dt.datetime) -> None:
    appeal.decided_at, appeal.decided_by = now, user
    appeal.by_the_only_one = not [each for each in queries.deciders(appeal) if each.pk not in people.accounts_of(user)]


def _carry_out(appeal: Appeal, whole: Outcome, now: dt.datetime) -> None:
    """What follows from the decision: at once, or by a clock."""
    if whole == Outcome.DISMISSED:
        appeal.closed_at = now
        _end_meanwhile(appeal, now)
        return
    if appeal.revocation is not None:
        lost = set_aside.set_aside_revocation(taken=appeal.revocation, actor=appeal.subject, now=now)
        appeal.lost, appeal.closed_at = lost or 0, now
        return
    if appeal.against == Against.REFUSAL:
        allowed = whole == Outcome.ALLOWED
        set_aside.set_aside_refusal(case=appeal.case, actor=appeal.subject, allowed=allowed, now=now)
    frozen = case_clock.policy_of(appeal.case.application)
    allowance = frozen.clocks.get(CARRIED_OUT) or case_clock.policy_in_force().clocks[CARRIED_OUT]
    appeal.carry_out_by = policy.add(start=now, allowance=allowance, calendar=case_clock.calendar())


def _matter(appeal: Appeal) -> hearings.Matter:
    """What an appellant is heard about."""
    numbers = {"reference": appeal.reference}
    page = reverse("appeal:appeal", args=[appeal.reference])
    return hearings.Matter(appeal.subject, appeal.case, page, numbers, partial(_write, appeal))


def standing_matter(key: str) -> hearings.Matter | None:
    """The same for `hearings.MATTERS`: None once it is over."""
    appeal = queries.open_appeals().filter(pk=key, decided_at__isnull=True).first()
    return None if appeal is None else _matter(appeal)


def _end_meanwhile(appeal: Appeal, now: dt.datetime) -> None:
    if appeal.stands_meanwhile and appeal.revocation is not None:
        set_aside.take_back_again(taken=appeal.revocation, actor=appeal.subject, now=now)


def _record(appeal: Appeal, act: str, actor: str, now: dt.datetime, *, reason: str = "") -> None:
    journal.record(
        act=f"appeal.{act}",
        actor=actor,
        subject=appeal.case.application.subject,
        now=now,
        reason=reason,
        detail={"appeal": appeal.reference},
    )


def _write(appeal: Appeal, template: str, now: dt.datetime, **context: Any) -> None:
    application = appeal.case.application
    for reader in access.readers_of(application):
        letters.write_letter(
            to=reader,
            template=template,
            about=application.subject,
            context={
                "reference": appeal.reference,
                "url": reverse("portal:appeal", args=[application.reference]),
                **access.on_behalf(application),
                **context,
            },
            now=now,
        )


def _write_decision(appeal: Appeal, points: Sequence[Point], now: dt.datetime) -> None:
    _write(
        appeal,
        "appeal_decided",
        now,
        outcome=in_both(partial(came_of, appeal)),
        points=[
            (
                in_both(partial(title_of_ground, point.ground)),
                in_both(partial(title_of_outcome, point.outcome)),
                point.why,
            )
            for point in points
        ],
        text=appeal.text,
        carry_out_by=appeal.carry_out_by,
        lost=appeal.lost,
        forums=[
            (forum.title, until, forum.address or "", place == 0)
            for place, (forum, until) in enumerate(queries.next_forums(appeal))
        ],
    )
