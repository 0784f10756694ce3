"""What the clock does with incidents: closes what answers again, finds what was only said to be mended, tells a
supervisor of what is late. Each step is a queue; each item makes the moves that are possible now.
"""

import datetime as dt
import uuid
from collections import Counter
from functools import partial

from rahdari.db.queues import attempt, each_of
from rahdari.maintenance.models import Work

from . import actions, announced, measured, packs, queries, rules, telling
from .actions import lock, make
from .models import Incident
from .rules import DISCLAIMS, By, Channel, Facts, Move, Proof, State

# In this order: what is over is not late.
BY_CLOCK = ("close", "find_cut", "let_stand", "overrun", "escalate", "escalate_mend")
ENDS = {State.CLOSED_WITH_PROOF, State.CLOSED_BY_ITSELF, State.FALSE_ALARM}


@each_of(queries.to_look_at)
def follow(incident: Incident, now: dt.datetime) -> int:
    """Each move of the clock that is possible now. Returns how many."""
    incident = lock(incident)
    _name(incident, now)
    facts, made = queries.facts_of(incident, now), 0
    for act in BY_CLOCK:
        move = rules.move_of(act, State(incident.state), facts)
        if move is None:
            continue
        _set(incident, move, facts, now)
        make(incident, move, actor="clock", now=now, code=incident.proof if move.act == "close" else "")
        _tell(incident, move, now)
        made += 1
        if not incident.is_live:
            break
        facts = queries.facts_of(incident, now)
    return made


def _name(incident: Incident, now: dt.datetime) -> None:
    """What most of its connections are measured to be, as long as that is cut: an operator is named at the second
    look."""
    last = measured.lasts_of([each.subject for each in queries.standing_reports(incident)], now=now)
    said = Counter(each.state for each in last.values()).most_common(1)
    one = next((each for each in last.values() if said and each.state == said[0][0] and each.is_cut), None)
    if one is not None and one.state != incident.measured:
        incident.measured, incident.rule = one.state, one.rule
        incident.save(update_fields=["measured", "rule"])


def _set(incident: Incident, move: Move, facts: Facts, now: dt.datetime) -> None:
    """The columns that go with the move."""
    allowed = queries.times()
    if move.act == "close":
        incident.proof = Proof.LOOKS if facts.answers_again else Proof.HOLDERS
    if move.target in ENDS:
        incident.ended_at = now
        incident.back_at = _back_at(incident, now) if move.act == "close" else None
        if incident.operator_id is not None and incident.reason not in DISCLAIMS:
            incident.report_due_at = now + allowed.report
    elif move.act == "find_cut":
        incident.unproved_at, incident.claimed_at = now, None
    elif move.act == "overrun":
        incident.muted_until, incident.overran_at = None, now
    elif move.act == "escalate":
        incident.late_answer_at = now
    elif move.act == "escalate_mend":
        incident.late_mend_at = now


def _back_at(incident: Incident, now: dt.datetime) -> dt.datetime:
    """Since when all of it answers: of each connection the first look of the last row, or when its holder said so."""
    moments = []
    for report, looks in rules.awaited(queries.looked_at(incident, now)):
        row = rules.answered_in_a_row(looks)
        last = sorted((each.at for each in looks if each.outside or each.inside), reverse=True)[:row]
        moments.append(min(last) if last else report.works_at or now)
    return max(moments, default=now)


def _tell(incident: Incident, move: Move, now: dt.datetime) -> None:
    if move.target in ENDS:
        telling.closed(incident, now)
        packs.ask_for_all(incident, now)
    elif move.act == "overrun":
        telling.asked(incident, now)
    elif move.act == "find_cut":
        telling.disputed(incident, now)
        telling.escalated(incident, incident.mend_due_at, now)
    elif move.act == "escalate":
        telling.escalated(incident, incident.answer_due_at, now)
    elif move.act == "escalate_mend":
        telling.escalated(incident, incident.mend_due_at, now)


def report_measured(*, now: dt.datetime) -> int:
    """What our looks found to be cut, and nobody has reported. Returns how many."""
    waiting = [each for each in measured.cut_now() if not queries.reported_since(each[0], each[1], each[2])]
    return sum(
        attempt("incident.measured", each[0], partial(_report_measured, *each[:2], now), now) for each in waiting
    )


def _report_measured(subject: str, holder: uuid.UUID, now: dt.datetime) -> int:
    entry = queries.entry_named(subject, holder)
    if entry is None:
        return 0
    actions.report(registration=entry.registration, entry=entry, channel=Channel.MEASURED, actor="clock", now=now)
    return 1


def report_overruns(*, now: dt.datetime) -> int:
    """Announced work past its window, of which there is no incident. Returns how many."""
    made = 0
    for work in announced.overruns(now):
        if not queries.is_known(work.reference):
            made += attempt("incident.overruns", work.reference, partial(_report_overrun, work, now), now)
    return made


def _report_overrun(work: Work, now: dt.datetime) -> int:
    return int(actions.open_overrun(work=work, now=now) is not None)


@each_of(queries.reports_due)
def chase_report(incident: Incident, now: dt.datetime) -> int:
    """Its operator has not said in time what happened."""
    incident = lock(incident)
    move = rules.move_of("escalate_report", State(incident.state), queries.facts_of(incident, now))
    if move is None:
        return 0
    incident.late_report_at = now
    make(incident, move, actor="clock", now=now, by=By.CLOCK)
    telling.escalated(incident, incident.report_due_at or now, now)
    return 1
