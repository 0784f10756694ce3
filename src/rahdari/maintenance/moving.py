"""A holder asks for another night, and whoever announced the work answers: it is moved, or it stays for a reason.

Invariants: once for each notice, while the work has not begun, and against a clock that ends with its beginning; the
announcer reads the words and the addresses of the notice, and never who it is; one answer is for all who wait.
"""

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from rahdari.inquiry.rules import SILENT, Move, Terms
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people import quoting
from rahdari.web.language import in_both

from . import actions, notes, queries, rules, words
from .models import AnotherNight, Notice, Work
from .queries import ANOTHER_NIGHT
from .rules import LONGEST_WHY, MOVED, STAYS, Plan, Reason, Stays

# What a holder wrote is kept so long after the answer.
WORDS_KEPT = dt.timedelta(days=30)


class NightNotTaken(Exception):
    """It is over, or the one on which the work is."""


@transaction.atomic
def ask(*, notice: Notice, why: str, night: dt.date | None, by: str, now: dt.datetime) -> AnotherNight:
    """Ask for another night than that of this notice. Raises NightNotTaken, LeadsAway, and of `actions` NotPossibleNow
    and SaysNotWhy."""
    work = Work.objects.select_for_update(of=("self",)).select_related("operator").get(pk=notice.work_id)
    notice.work = work
    if work.starts_at is None or not queries.may_ask(notice, queries.request_of(notice), now):
        raise actions.NotPossibleNow(work, "ask")
    why = quoting.held(" ".join(why.split()))
    if not why or len(why) > LONGEST_WHY:
        raise actions.SaysNotWhy
    if night is not None and (night <= timezone.localdate(now) or night == timezone.localdate(work.starts_at)):
        raise NightNotTaken
    is_first = not queries.requests_about(work).exists()
    request = AnotherNight(
        subject=notice.subject,
        work=work,
        holder=notice.holder,
        registration_id=notice.registration_id,
        asked_by=by,
        why=why,
        night=night,
    )
    due_at = rules.answer_by(asked_at=now, starts_at=work.starts_at, terms=queries.terms())
    ANOTHER_NIGHT.begin(request, Terms(due_at, WORDS_KEPT), actor=by, now=now, work=work.reference)
    if is_first:
        _tell_announcer(request, now)
    return request


def _tell_announcer(request: AnotherNight, now: dt.datetime) -> None:
    """People of the operator, once while requests wait: the page has the others, too. The regulator has its page."""
    work = request.work
    for post in people.posts_at_operator(work.operator.slug) if work.operator is not None else ():
        letters.write_letter(
            to=post.user,
            template="another_night_asked",
            about=str(request),
            context={
                "reference": work.reference,
                "starts_at": work.starts_at,
                "due_at": request.due_at,
                "url": reverse("maintenance:operator_work", args=[work.reference]),
            },
            now=now,
        )


def move(*, work: Work, night: dt.date, by: str, now: dt.datetime) -> Work:
    """To another night, at the same hours: the change that writes to all whom it affects, and answers who asked. Raises
    what `actions.change` does."""
    if work.starts_at is None or work.ends_at is None:
        raise actions.NotPossibleNow(work, "change")
    start, end = timezone.localtime(work.starts_at), timezone.localtime(work.ends_at)
    later = night - start.date()
    moved = (timezone.make_aware((each.replace(tzinfo=None)) + later) for each in (start, end))
    starts_at, ends_at = moved
    plan = Plan(
        components=work.components,
        reason=Reason(work.reason),
        text_en=work.text_en,
        text_ur=work.text_ur,
        starts_at=starts_at,
        ends_at=ends_at,
        minutes=work.minutes,
        is_tentative=work.is_tentative,
    )
    return actions.change(work=work, plan=plan, by=by, now=now)


@transaction.atomic
def keep(*, work: Work, code: Stays, said: str, by: str, now: dt.datetime) -> int:
    """It stays where it is: the answer to all who wait. Returns how many they are. Raises actions.NotPossibleNow,
    LeadsAway."""
    said = " ".join(said.split())[:300]
    said = quoting.held(said) if work.operator_id is not None else said
    found = queries.requests_about(work).filter(due_at__gt=now).select_for_update(of=("self",))
    for each in (requests := list(found)):
        each.code, each.words = code, said
        each.save(update_fields=["code", "words"])
        ANOTHER_NIGHT.end(each, Move.ANSWER, STAYS, actor=by, now=now)
    if not requests:
        raise actions.NotPossibleNow(work, "keep")
    return len(requests)


@ANOTHER_NIGHT.delivering
def deliver(request: AnotherNight, now: dt.datetime) -> None:
    """The answer, or that there was none. Of work that is off, or over, its own letter tells."""
    if request.state not in {MOVED, STAYS, SILENT} or request.holder is None or request.registration is None:
        return
    work = request.work
    reason = {"reason": in_both(lambda: words.stays(request.code)), "text": request.words} if request.code else {}
    for person in people.people_to_notify(request.holder):
        letters.write_letter(
            to=person,
            template="another_night",
            about=f"registration:{request.registration_id}",
            context={
                "registration": request.registration.reference,
                "work": work.reference,
                "who": in_both(lambda: notes.announcer(work)),
                "starts_at": work.starts_at,
                "moved": request.state == MOVED,
                "silent": request.state == SILENT,
                "url": reverse("portal:planned_work", args=[work.reference]),
                **reason,
            },
            now=now,
        )


erase = ANOTHER_NIGHT.erasing()
