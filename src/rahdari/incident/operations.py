"""Disruptions on an operator's own interface: listed, read and answered by its system, as on the page.

The key is that of the operator's checks. An address of its own network is told, and never who has it.
"""

from typing import Any

from rahdari.confirm.interface import OPERATORS, Call, Scope
from rahdari.people.quoting import LeadsAway, why_not
from rahdari.programs import problems
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.register.rules import stamp

from . import actions, answering, page, queries, telling
from .models import Incident
from .rules import Channel, Reason, State

problems.declare(
    no_such_incident=(404, "No disruption of yours has this number"),
    incident_changed=(409, "The disruption does not allow this as it stands"),
)
APPLIED = closed(
    {
        "state": text(20),
        "sequence": or_null(whole(0, 10**18)),
        "register_sequence": or_null(whole(0, 10**18)),
        "in_force_at": or_null(MOMENT),
    }
)
CUT = closed(
    {
        "address": text(49),
        "runs": text(200),
        "channel": choice(*Channel),
        "sees": text(10),
        "own_side": text(10),
        "reported_at": MOMENT,
        "works_at": or_null(MOMENT),
        "measured": text(40),
        "applied": or_null(APPLIED),
    }
)
HAPPENED = closed({"at": MOMENT, "act": text(20), "by": text(10), "code": text(20), "words": text(20_000)})
INCIDENT = named(
    "Disruption",
    closed(
        {
            "incident": text(20),
            "state": choice(*State),
            "began_at": MOMENT,
            "answer_until": MOMENT,
            "mend_until": MOMENT,
            "report_until": or_null(MOMENT),
            "ended_at": or_null(MOMENT),
            "measured": text(40),
            "rule": text(60),
            "reason": or_null(choice(*Reason)),
            "connections": listed(CUT),
            "happened": listed(HAPPENED),
        }
    ),
)
LIST = named("Disruptions", closed({"incidents": listed(INCIDENT)}))
FOUND = Ok("The disruption.", INCIDENT)
WORDS: Json = closed({"words": text(4_000, 1)})
OF_ONE = ("no-such-incident",)
CHANGES = (*OF_ONE, "incident-changed")
part = OPERATORS.part("incidents", Scope.DESK)
for event in (telling.OPENED, telling.DISPUTED):
    OPERATORS.events[event] = closed({"incident": text(20), "answer_until": MOMENT, "mend_until": MOMENT})


def _as_json(incident: Incident, call: Call) -> Json:
    seen = page.connections_of(incident, queries.standing_reports(incident), call.now)
    return {
        "incident": incident.reference,
        "state": incident.state,
        "began_at": stamp(incident.began_at),
        "answer_until": stamp(incident.answer_due_at),
        "mend_until": stamp(incident.mend_due_at),
        "report_until": stamp(incident.report_due_at) if incident.report_due_at is not None else None,
        "ended_at": stamp(incident.ended_at) if incident.ended_at is not None else None,
        "measured": incident.measured,
        "rule": incident.rule,
        "reason": incident.reason or None,
        "connections": [_connection(each) for each in seen],
        "happened": [
            {"at": stamp(each.at), "act": each.act, "by": each.by, "code": each.code, "words": each.words}
            for each in queries.happenings_of(incident)
        ],
    }


def _connection(seen: page.Connection) -> Json:
    report, applied = seen.report, seen.applied
    return {
        "address": seen.address,
        "runs": report.runs,
        "channel": report.channel,
        "sees": report.sees,
        "own_side": report.own_side,
        "reported_at": stamp(report.reported_at),
        "works_at": stamp(report.works_at) if report.works_at is not None else None,
        "measured": seen.state,
        "applied": {
            "state": applied.state,
            "sequence": applied.sequence,
            "register_sequence": applied.register_sequence,
            "in_force_at": stamp(applied.in_force_at) if applied.in_force_at is not None else None,
        }
        if applied is not None
        else None,
    }


def _found(call: Call, number: str) -> Incident:
    try:
        return queries.incident_for_operator(slug=call.caller.operator, reference=number)
    except queries.IncidentNotFound:
        raise problem("no-such-incident", "No disruption of yours has this number.") from None


def _changed() -> Problem:
    return problem("incident-changed", "Read it again: its state does not allow this.")


def _leads_away(error: LeadsAway) -> Problem:
    return problem("invalid-body", why_not(error), field="words")


def _done(call: Call, number: str, act: Any, **given: Any) -> Answer:
    try:
        act(incident=_found(call, number), actor=f"operator:{call.caller.operator}", now=call.now, **given)
    except actions.NotPossibleNow:
        raise _changed() from None
    except actions.WordsNeeded:
        raise problem("invalid-body", "Write it in a sentence.", field="words") from None
    except LeadsAway as error:
        raise _leads_away(error) from None
    return Answer(_as_json(queries.incidents().get(reference=number.upper()), call))


@part("GET", "/incidents", Ok("Those that are open, due first in front.", LIST))
def list_disruptions(call: Call) -> Answer:
    """Registered connections of your networks that are cut."""
    found = queries.open_of_slug(call.caller.operator)
    return Answer({"incidents": [_as_json(each, call) for each in found]})


@part("GET", "/incidents/{number}", FOUND, problems=OF_ONE)
def get_disruption(call: Call, number: str) -> Answer:
    """One of them, with what was measured and what your own agents said."""
    return Answer(_as_json(_found(call, number), call))


@part("POST", "/incidents/{number}/acknowledgement", FOUND, problems=CHANGES)
def acknowledge_disruption(call: Call, number: str) -> Answer:
    """Say that it was read; the first answer is still to come."""
    return _done(call, number, answering.acknowledge)


@part(
    "POST",
    "/incidents/{number}/answer",
    FOUND,
    body=closed({"reason": choice(*Reason)}, {"words": text(4_000)}),
    problems=CHANGES,
)
def answer_disruption(call: Call, number: str) -> Answer:
    """Give the cause.

    With `holder_server`, `nothing_found` or `order` you say that there is nothing for you to mend, which may be
    disputed; with `not_ours` it goes back to the authority, and is yours no more (404 from then on).
    """
    reason = Reason(call.body["reason"])
    incident = _found(call, number)
    if reason is Reason.NOT_OURS:
        told = _as_json(incident, call)
        _done_without(call, incident, reason)
        return Answer(told)
    return _done(call, number, answering.answer, reason=reason, words=call.body.get("words", ""))


def _done_without(call: Call, incident: Incident, reason: Reason) -> None:
    actor = f"operator:{call.caller.operator}"
    try:
        answering.answer(incident=incident, reason=reason, words=call.body.get("words", ""), actor=actor, now=call.now)
    except actions.NotPossibleNow:
        raise _changed() from None
    except LeadsAway as error:
        raise _leads_away(error) from None


@part("POST", "/incidents/{number}/words", FOUND, body=WORDS, problems=CHANGES)
def tell_reporters(call: Call, number: str) -> Answer:
    """Say how far it is, to everybody who reported it."""
    return _done(call, number, answering.tell, words=call.body["words"])


@part("POST", "/incidents/{number}/mended", FOUND, problems=CHANGES)
def say_disruption_mended(call: Call, number: str) -> Answer:
    """Say that it is mended; it is closed when it is seen to be."""
    return _done(call, number, answering.say_mended)


@part("POST", "/incidents/{number}/report", FOUND, body=WORDS, problems=CHANGES)
def report_disruption(call: Call, number: str) -> Answer:
    """Say what happened and what changes, after the end."""
    return _done(call, number, answering.report, words=call.body["words"])
