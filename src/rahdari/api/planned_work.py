"""Planned work at what the person holds, as it was told to them."""

from typing import Any

from rahdari.maintenance import actions, maintnote, moving, notes, queries, words
from rahdari.maintenance.forms import AnotherNightForm
from rahdari.maintenance.models import AnotherNight, Notice
from rahdari.maintenance.rules import LONGEST_WHY, Impact, Reason, Status, Stays
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import REFUSED, not_found, of_form, problem
from rahdari.programs.schema import DAY, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole

from .interface import API, Call
from .registrations import held
from .rules import Scope
from .serializers import stamp, stamp_or_none

read = API.part("planned work", Scope.REGISTRATIONS_READ)
write = API.part("planned work", Scope.REGISTRATIONS_WRITE)
MOST = 200
ASKED = named(
    "AnotherNight",
    closed(
        {
            "state": choice("waiting", "moved", "stays", "silent", "void"),
            "why": text(LONGEST_WHY),
            "night": or_null(DAY),
            "asked_at": MOMENT,
            "answer_until": MOMENT,
            "answered_at": or_null(MOMENT),
            "reason": or_null(choice(*Stays)),
            "words": text(300),
        }
    ),
)
NOTICE = named(
    "PlannedWork",
    closed(
        {
            "number": text(12),
            "registration": text(12),
            "sequence": whole(0, 1_000_000),
            "status": choice(*Status),
            "by": text(200),
            "starts_at": MOMENT,
            "ends_at": MOMENT,
            "minutes": or_null(whole(1, 10_000)),
            "reason": choice(*Reason),
            "text": text(1000),
            "impact": choice(*Impact),
            "affected": listed(closed({"object": text(80), "impact": choice(*Impact)})),
            "said_at": MOMENT,
            # Its window is past, and nobody has said that it is over.
            "overrun": TRUTH,
            "another_night": or_null(ASKED),
        }
    ),
)
NOTICES = named("PlannedWorks", closed({"items": listed(NOTICE, MOST)}))


def _said(notice: Notice, call: Call) -> Json:
    return {
        "number": notice.work.reference,
        "registration": notice.account,
        "sequence": notice.sequence,
        "status": notice.status,
        "by": notes.announcer(notice.work),
        "starts_at": stamp(notice.starts_at),
        "ends_at": stamp(notice.ends_at),
        "minutes": notice.minutes,
        "reason": notice.reason,
        "text": " ".join(filter(None, (words.status(notice.status), notes.said(notice)))),
        "impact": str(notice.impact),
        "affected": [{"object": what, "impact": impact} for what, impact in notice.affected],
        "said_at": stamp(notice.said_at),
        "overrun": notice.work.is_overrun(call.now) and notice.status != Status.CANCELLED,
        "another_night": _asked(queries.request_of(notice)),
    }


def _asked(request: AnotherNight | None) -> Json | None:
    if request is None:
        return None
    return {
        "state": request.state,
        "why": request.why,
        "night": request.night.isoformat() if request.night else None,
        "asked_at": stamp(request.asked_at),
        "answer_until": stamp(request.due_at),
        "answered_at": stamp_or_none(request.ended_at),
        "reason": request.code or None,
        "words": request.words,
    }


def _own(call: Call, number: str) -> Notice:
    try:
        return queries.notice_for(people.holders_for(call.person, Act.SEE), number)
    except queries.WorkNotFound:
        raise not_found() from None


@read("GET", "/planned-work", Ok("The last notice of each, what begins first in front.", NOTICES))
def list_planned_work(call: Call) -> Answer:
    """Planned work at your addresses.

    Of each the last notice: what is announced, runs, or was over in the last 31 days.
    """
    found: Any = queries.last_notices(people.holders_for(call.person, Act.SEE))
    found = found.filter(ends_at__gte=call.now - queries.SHOWN_AFTER)[:MOST]
    return Answer({"items": [_said(each, call) for each in found]})


@read("GET", "/planned-work/{number}", Ok("The last notice.", NOTICE))
def get_planned_work(call: Call, number: str) -> Answer:
    """The last notice of one."""
    return Answer(_said(_own(call, number), call))


@read(
    "GET",
    "/planned-work/{number}/calendar",
    Ok("The notice as a calendar file (BCOP maintnote).", media="text/calendar"),
)
def get_planned_work_file(call: Call, number: str) -> Answer:
    """The last notice of one, for a calendar or an inventory."""
    return Answer(content=notes.calendar_of([_own(call, number)]), media=maintnote.MEDIA)


@write(
    "POST",
    "/planned-work/{number}/another-night",
    Ok("The notice, with the request.", NOTICE),
    body=named("AnotherNightWanted", closed({"why": text(LONGEST_WHY, 1)}, {"night": or_null(DAY)})),
    problems=REFUSED,
)
def ask_for_another_night(call: Call, number: str) -> Answer:
    """Ask whoever announced the work for another night: once for each notice, while it has not begun.

    `night` is one that suits you, where you know it. The answer comes until `answer_until`: by letter, and here.
    """
    notice = _own(call, number)
    by = held(call, notice.account, Act.ADDRESSES).by
    form = AnotherNightForm({"why": call.body["why"], "night": call.body.get("night") or ""})
    if not form.is_valid():
        raise of_form(form)
    try:
        moving.ask(notice=notice, **form.cleaned_data, by=by.actor, now=call.now)
    except moving.NightNotTaken:
        form.add_error("night", words.night_not_taken())
        raise of_form(form) from None
    except actions.NotPossibleNow as error:
        raise problem("not-possible-now", words.refused(error)) from None
    return Answer(_said(_own(call, number), call))
