"""What an operator's own system does with its planned work, by the same acts as on the pages (docs/maintenance.md).

The key is that of the operator's checks. Nothing here says who holds an entry.
"""

import datetime as dt
from collections.abc import Callable

from rahdari.confirm.interface import OPERATORS, Call, Scope
from rahdari.people.quoting import LeadsAway
from rahdari.programs import problems
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem
from rahdari.programs.schema import DAY, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.publish import queries as networks
from rahdari.publish.models import Operator
from rahdari.register.rules import stamp

from . import actions, maintnote, moving, queries, reading, rules, words
from .models import Work
from .rules import LONGEST_WHY, Component, Impact, LineTrouble, Plan, Reason, State, Stays, Words

MOST_LISTED = 200
# A file in a body of JSON: behind it there is room for its escapes.
LONGEST_CALENDAR = 200_000
OBJECT = closed(
    {
        "object": text(
            120, 1, description="`203.0.113.32/27`, `203.0.113.41 udp 51820`, or the id of an entry in your feed."
        ),
        "impact": choice(*Impact),
    }
)
PLAN = {"affected": listed(OBJECT, 10_000), "reason": choice(*Reason)}
MORE = {
    "starts_at": or_null(MOMENT),
    "ends_at": or_null(MOMENT),
    "minutes": or_null(whole(1, 10_000)),
    "text_en": text(500),
    "text_ur": text(500),
    "tentative": TRUTH,
}
WANTED = named("PlannedWorkWanted", closed(PLAN, MORE))
WORK = named(
    "PlannedWork",
    closed(
        {
            "number": text(12),
            "maintenance_id": or_null(text(maintnote.LONGEST_ID)),
            "state": choice(*State),
            **PLAN,
            **MORE,
            "expected_end_at": or_null(MOMENT),
            "announced_at": or_null(MOMENT),
            "started_at": or_null(MOMENT),
            "ended_at": or_null(MOMENT),
            # With the notice that is the rule; of a draft, if it were announced now.
            "in_time": TRUTH,
            "overrun": TRUTH,
            # Whether holders read your words: they wait for an officer where you write them for the first time.
            "words": choice(*Words),
            # Registered entries of your networks in it, as the register is now.
            "entries": whole(0, 10_000_000),
        }
    ),
)
WORKS = named("PlannedWorks", closed({"planned_work": listed(WORK, MOST_LISTED)}))
OUTCOME = closed(
    {"event": whole(1, maintnote.MOST_EVENTS), "outcome": choice(*reading.Did)},
    {"maintenance_id": text(maintnote.LONGEST_ID), "number": text(12), "detail": text(1000)},
)
OUTCOMES = named("ReadIn", closed({"events": listed(OUTCOME, maintnote.MOST_EVENTS)}))
NIGHT = closed(
    {"why": text(LONGEST_WHY), "night": or_null(DAY), "asked_at": MOMENT, "affected": listed(text(120))},
)
NIGHTS = named("AnotherNights", closed({"answer_by": or_null(MOMENT), "requests": listed(NIGHT, MOST_LISTED)}))
ONE = "/planned-work/{number}"
NIGHTS_OF = f"{ONE}/another-night"
ALL = ("no-such-operator",)
OF_ONE = (*ALL, "no-such-work")
REFUSED = ("work-not-taken", "not-possible")
work = OPERATORS.part("planned work", Scope.DESK)

problems.declare(
    no_such_work=(404, "No planned work of yours has this number"),
    no_such_operator=(403, "Your operator is not in the list any more"),
    not_possible=(409, "The work does not move so"),
    work_not_taken=(422, "The work cannot be taken as it is"),
)


def _operator(call: Call) -> Operator:
    found = networks.operator_by_slug(call.caller.operator)
    if found is None or not found.active:
        raise problem("no-such-operator", "Ask the regulator whether your operator still follows the feed.")
    return found


def _own(call: Call, number: str) -> Work:
    try:
        return queries.work_of(_operator(call), number)
    except queries.WorkNotFound:
        raise problem("no-such-work", "No planned work of yours has this number.") from None


def _said(found: Work, call: Call) -> Json:
    since = found.told_at or call.now
    return {
        "number": found.reference,
        "maintenance_id": found.own_id or None,
        "state": found.state,
        "affected": [
            {"object": rules.line_of(each, usual=each.impact), "impact": str(each.impact)} for each in found.components
        ],
        "reason": found.reason,
        "starts_at": _stamp(found.starts_at),
        "ends_at": _stamp(found.ends_at),
        "minutes": found.minutes,
        "text_en": found.text_en,
        "text_ur": found.text_ur,
        "tentative": found.is_tentative,
        "expected_end_at": _stamp(found.expected_end_at),
        "announced_at": _stamp(found.announced_at),
        "started_at": _stamp(found.started_at),
        "ended_at": _stamp(found.ended_at),
        "in_time": found.starts_at is not None
        and rules.is_in_time(told_at=since, starts_at=found.starts_at, terms=queries.terms()),
        "overrun": found.is_overrun(call.now),
        "words": str(found.words),
        "entries": len(queries.hits(found)) if found.state in {State.DRAFT, *rules.OPEN} else 0,
    }


def _stamp(at: dt.datetime | None) -> str | None:
    return stamp(at) if at is not None else None


def _plan(body: Json) -> Plan:
    components: list[Component] = []
    for number, each in enumerate(body["affected"], 1):
        read = rules.read_component(each["object"], impact=Impact(each["impact"]))
        if isinstance(read, LineTrouble):
            told = words.line_trouble(LineTrouble(number, read.fault, read.text, read.suggestion))
            raise problem("work-not-taken", told, field=f"affected[{number - 1}].object", code=str(read.fault))
        components.append(read)
    if len(components) > (most := queries.terms().most_components):
        told = words.line_trouble(LineTrouble(most + 1, rules.LineFault.TOO_MANY, limit=most))
        raise problem("work-not-taken", told, field="affected", code="too_many")
    return Plan(
        components=components,
        reason=Reason(body["reason"]),
        text_en=body.get("text_en", ""),
        text_ur=body.get("text_ur", ""),
        starts_at=_moment(body.get("starts_at")),
        ends_at=_moment(body.get("ends_at")),
        minutes=body.get("minutes"),
        is_tentative=body.get("tentative", False),
    )


def _moment(given: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(given) if given else None


def _by(call: Call) -> str:
    return f"token:{call.caller.pk}"


def _acted(act: Callable[[], Work], call: Call, status: int = 200) -> Answer:
    """Do it, and give the work as it is then."""
    try:
        done = act()
    except reading.REFUSALS as error:
        raise _refusal(error) from None
    return Answer(_said(queries.work_of(done.operator, done.reference), call), status)


def _refusal(error: Exception) -> Problem:
    kind = "not-possible" if isinstance(error, actions.NotPossibleNow) else "work-not-taken"
    if isinstance(error, actions.WindowNotTaken):
        return problem(kind, words.refused(error), code=str(error.fault))
    if isinstance(error, LeadsAway):
        return problem(kind, words.refused(error), code=f"holds_{error.found}")
    if isinstance(error, actions.TooEarly):
        return problem(kind, words.refused(error), code="too_early")
    return problem(kind, words.refused(error))


@work("GET", "/planned-work", Ok("The newest first.", WORKS), problems=ALL)
def list_planned_work(call: Call) -> Answer:
    """Your planned work, drafts too."""
    found = queries.works_of(_operator(call))[:MOST_LISTED]
    return Answer({"planned_work": [_said(each, call) for each in found]})


@work("POST", "/planned-work", Ok("The draft.", WORK, 201), body=WANTED, problems=(*ALL, *REFUSED))
def draft_work(call: Call) -> Answer:
    """Draft work. Nobody hears of it."""
    operator, plan = _operator(call), _plan(call.body)
    return _acted(lambda: actions.draft(operator=operator, plan=plan, by=_by(call), now=call.now), call, 201)


@work(
    "POST",
    "/planned-work/calendar",
    Ok("What became of each event.", OUTCOMES),
    body=named("CalendarSent", closed({"calendar": text(LONGEST_CALENDAR, 1)})),
    problems=(*ALL, *REFUSED),
)
def read_in_work(call: Call) -> Answer:
    """Send notices in the format of maintnote (BCOP).

    A maintenance id that is new becomes a draft; a later SEQUENCE of it changes, cancels, starts or completes it.
    """
    content = call.body["calendar"].encode()
    try:
        found = reading.read_in(operator=_operator(call), content=content, by=_by(call), now=call.now)
    except reading.FileNotTaken as error:
        raise problem("work-not-taken", words.file_trouble(error.trouble), code=str(error.trouble.fault)) from None
    return Answer(
        {
            "events": [
                {"event": each.event, "outcome": str(each.did)}
                | {
                    name: value
                    for name, value in (
                        ("maintenance_id", each.own_id),
                        ("number", each.reference),
                        ("detail", each.text),
                    )
                    if value
                }
                for each in found
            ]
        }
    )


@work("GET", ONE, Ok("The work.", WORK), problems=OF_ONE)
def get_planned_work(call: Call, number: str) -> Answer:
    """One of them."""
    return Answer(_said(_own(call, number), call))


@work("PUT", ONE, Ok("The work as it is now.", WORK), body=WANTED, problems=(*OF_ONE, *REFUSED))
def change_work(call: Call, number: str) -> Answer:
    """Change a draft, or what was announced: then the holders hear."""
    found, plan = _own(call, number), _plan(call.body)
    act = actions.edit if found.state == State.DRAFT else actions.change
    return _acted(lambda: act(work=found, plan=plan, by=_by(call), now=call.now), call)


@work("DELETE", ONE, Ok("Done.", status=204), problems=(*OF_ONE, "not-possible"))
def discard_work(call: Call, number: str) -> Answer:
    """Delete a draft."""
    try:
        actions.discard(work=_own(call, number), by=_by(call), now=call.now)
    except actions.NotPossibleNow as error:
        raise _refusal(error) from None
    return Answer(status=204)


@work("POST", f"{ONE}/announce", Ok("The work.", WORK), problems=(*OF_ONE, *REFUSED))
def announce_work(call: Call, number: str) -> Answer:
    """Announce a draft: the holders hear."""
    found = _own(call, number)
    return _acted(lambda: actions.announce(work=found, by=_by(call), now=call.now), call)


@work("POST", f"{ONE}/cancel", Ok("The work.", WORK), problems=(*OF_ONE, *REFUSED))
def cancel_work(call: Call, number: str) -> Answer:
    """Cancel it: the holders hear."""
    found = _own(call, number)
    return _acted(lambda: actions.cancel(work=found, by=_by(call), now=call.now), call)


@work("POST", f"{ONE}/start", Ok("The work.", WORK), problems=(*OF_ONE, *REFUSED))
def start_work(call: Call, number: str) -> Answer:
    """Say that it has begun."""
    found = _own(call, number)
    return _acted(lambda: actions.start(work=found, by=_by(call), now=call.now), call)


@work(
    "POST",
    f"{ONE}/prolong",
    Ok("The work.", WORK),
    body=named("ExpectedEnd", closed({"expected_end_at": MOMENT})),
    problems=(*OF_ONE, *REFUSED),
)
def prolong_work(call: Call, number: str) -> Answer:
    """Say that it takes longer. The announced window stays."""
    found, until = _own(call, number), dt.datetime.fromisoformat(call.body["expected_end_at"])
    return _acted(lambda: actions.prolong(work=found, expected_end_at=until, by=_by(call), now=call.now), call)


@work("POST", f"{ONE}/complete", Ok("The work.", WORK), problems=(*OF_ONE, *REFUSED))
def complete_work(call: Call, number: str) -> Answer:
    """Say that it is over."""
    found = _own(call, number)
    return _acted(lambda: actions.complete(work=found, by=_by(call), now=call.now), call)


# -- requests for another night ------------------------------------------------------------------------------------


@work("GET", NIGHTS_OF, Ok("Those that wait for your answer.", NIGHTS), problems=OF_ONE)
def list_another_nights(call: Call, number: str) -> Answer:
    """Holders who ask for another night: what each says, and what it is told is affected. Never who it is.

    One answer is for all of them, until `answer_by`. Your figures show how many were answered in time.
    """
    return Answer(_nights(_own(call, number), call))


@work(
    "POST",
    f"{NIGHTS_OF}/move",
    Ok("The work, moved.", WORK),
    body=named("NightWanted", closed({"night": DAY})),
    problems=(*OF_ONE, *REFUSED),
)
def move_work(call: Call, number: str) -> Answer:
    """Move the work to another night, at the same hours: the holders hear, and those who asked have their answer."""
    found, night = _own(call, number), dt.date.fromisoformat(call.body["night"])
    return _acted(lambda: moving.move(work=found, night=night, by=_by(call), now=call.now), call)


@work(
    "POST",
    f"{NIGHTS_OF}/stays",
    Ok("None waits any more.", NIGHTS),
    body=named("WorkStays", closed({"reason": choice(*Stays)}, {"words": text(300)})),
    problems=(*OF_ONE, *REFUSED),
)
def keep_work(call: Call, number: str) -> Answer:
    """Say why it stays on its night: the answer to all who asked."""
    found, given = _own(call, number), call.body
    answer = {"code": Stays(given["reason"]), "said": given.get("words", "")}
    try:
        moving.keep(work=found, **answer, by=_by(call), now=call.now)
    except (actions.NotPossibleNow, LeadsAway) as error:
        raise _refusal(error) from None
    return Answer(_nights(found, call))


def _nights(found: Work, call: Call) -> Json:
    waiting = list(queries.requests_about(found).filter(due_at__gt=call.now)[:MOST_LISTED])
    return {
        "answer_by": _stamp(waiting[0].due_at) if waiting else None,
        "requests": [
            {
                "why": each.why,
                "night": each.night.isoformat() if each.night is not None else None,
                "asked_at": stamp(each.asked_at),
                "affected": addresses,
            }
            for each, addresses in queries.told_to(waiting)
        ],
    }
