"""Reporting, and what else a holder does. `answering` has the acts of whoever mends it, `clocks` those of the clock.

Invariants: each act makes a move of `rules.MOVES` or none, in one transaction with one row of the journal; a holder
reports their own connections alone; reports of one cause are one incident, also when they come at the same second.
Letters are written in the transaction of the act.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.maintenance.models import Work
from rahdari.maintenance.queries import Window
from rahdari.publish.models import Operator
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration

from . import announced, measured, queries, rules, telling
from .measured import Measured
from .models import Happening, Incident, Report
from .rules import LIVE, OF_THE_HOLDER, By, Cause, Channel, Move, Reason, State

# From one holder in an hour: each connection once, and again.
MOST_AN_HOUR = 60


class NotPossibleNow(RahdariError):
    """The incident does not allow this act as it stands. `.act` and `.incident`"""

    says = "{act} is not possible for {incident} now"
    act: str
    incident: Incident


class NotYours(RahdariError):
    """The connection is not of this registration, or not on the register any more. `.registration`"""

    says = "no such connection of {registration}"
    registration: Registration


class WordsNeeded(RahdariError):
    """Nothing was written where something has to be."""

    says = "write it in a sentence"


def sentence(words: str) -> str:
    """Raises WordsNeeded."""
    if not (kept := words.strip()):
        raise WordsNeeded
    return kept


# -- moves ---------------------------------------------------------------------------------------------------------


def lock(incident: Incident) -> Incident:
    Incident.objects.select_for_update().values_list("pk").get(pk=incident.pk)
    return queries.incidents().get(pk=incident.pk)


def possible(incident: Incident, act: str, now: dt.datetime, reason: Reason | None = None) -> Move:
    """The move that this act makes now. Raises NotPossibleNow."""
    move = rules.move_of(act, State(incident.state), queries.facts_of(incident, now), reason)
    if move is None:
        raise NotPossibleNow(act, incident)
    return move


def make(
    incident: Incident,
    move: Move,
    *,
    actor: str,
    now: dt.datetime,
    by: By | None = None,
    code: str = "",
    words: str = "",
    report: Report | None = None,
    of: Operator | None = None,
) -> None:
    """Make the move: save the incident, whose other columns the caller has set, and keep what happened. `of`: whose
    word it is, where the incident is not theirs any more."""
    incident.state = move.leads_from(State(incident.state))
    incident.save()
    record(incident, move.act, by or move.by, actor=actor, now=now, code=code, words=words, report=report, of=of)


def record(
    incident: Incident,
    happened: str,
    by: By,
    *,
    actor: str,
    now: dt.datetime,
    code: str = "",
    words: str = "",
    report: Report | None = None,
    of: Operator | None = None,
) -> None:
    act = {
        "open": "incident.opened",
        "join": "incident.joined",
        "add": "incident.added",
        "say_it_works": "incident.said_to_work",
        "withdraw": "incident.withdrew",
        "dispute": "incident.disputed",
        "open_again": "incident.opened_again",
        "acknowledge": "incident.acknowledged",
        "answer": "incident.answered",
        "tell": "incident.told",
        "say_mended": "incident.said_mended",
        "disclaim": "incident.disclaimed",
        "hand_back": "incident.handed_back",
        "assign": "incident.assigned",
        "merge": "incident.merged",
        "report": "incident.reported",
        "overrun": "incident.overran",
        "escalate": "incident.escalated",
        "escalate_mend": "incident.escalated_mend",
        "escalate_report": "incident.escalated_report",
        "close": "incident.closed",
        "find_cut": "incident.found_cut",
        "let_stand": "incident.let_stand",
    }[happened]
    Happening.objects.create(
        incident=incident,
        at=now,
        act=happened,
        by=by,
        operator=of or incident.operator if by is By.OPERATOR else None,
        code=code,
        words=words,
        report=report,
    )
    journal.record(
        act=act,
        actor=actor,
        subject=incident.subject,
        now=now,
        reason=code,
        detail={"incident": incident.reference},
    )
    wake()


# -- reporting -----------------------------------------------------------------------------------------------------


@transaction.atomic
def report(
    *,
    id: uuid.UUID | None = None,
    registration: Registration,
    entry: Entry,
    channel: Channel,
    sees: str = "",
    own_side: str = "",
    words: str = "",
    actor: str,
    now: dt.datetime,
) -> Report:
    """That a connection is cut. The same form (`id`) sent twice is one report, and a connection of which one is open is
    reported once. Raises NotYours.
    """
    if entry.registration_id != registration.pk or entry.ended_at is not None:
        raise NotYours(registration)
    # Two reports of one cause that come at the same second make one incident.
    hold(Lock.INCIDENTS)
    subject = queries.subject_of(entry)
    id = uuid.uuid4() if id is None else id
    sent = Report.objects.filter(pk=id, registration=registration).select_related("incident").first()
    if (known := sent or queries.open_report_of(registration, subject)) is not None:
        if sent is None:
            _say_again(known, channel, sees, own_side, words.strip(), actor, now)
        return known
    seen = measured.last_of(subject, now=now)
    operator = queries.operator_for(entry)
    said = seen.state if seen.state not in ("", "not_enough", "in_order") else ""
    # Since when it is in order says nothing of a cut.
    began_at = seen.since or now if said else now
    unseen = measured.every(subject) if said else dt.timedelta(0)
    cause = Cause(str(operator.pk) if operator is not None else "", (entry.block,), began_at, said, unseen)
    incident = _of_the_same_cause(cause, operator)
    is_new = incident is None
    if incident is None:
        incident = _open(operator, seen, began_at, announced.window_over(entry, now), now)
    made = Report.objects.create(
        id=uuid.uuid4() if Report.objects.filter(pk=id).exists() else id,
        incident=incident,
        registration=registration,
        holder=registration.holder,
        subject=subject,
        block=entry.block,
        runs=" · ".join(str(part) for part in register.parts_at(entry.part_of or entry)),
        channel=channel,
        sees=sees,
        own_side=own_side,
        began_at=began_at,
        reported_at=now,
        said_at=now if channel in OF_THE_HOLDER else None,
    )
    if channel in OF_THE_HOLDER:
        _look_again(made, now)
    by = (
        By.CLOCK
        if channel in (Channel.MEASURED, Channel.OVERRUN)
        else By.DESK
        if channel == Channel.DESK
        else By.HOLDER
    )
    if is_new:
        record(incident, "open", by, actor=actor, now=now, code=channel, words=words, report=made)
        telling.asked(incident, now)
    else:
        if began_at < incident.began_at:
            incident.began_at = began_at
        make(
            incident,
            possible(incident, "join", now),
            by=by,
            actor=actor,
            now=now,
            code=channel,
            words=words,
            report=made,
        )
    telling.reported(incident, made, now)
    return made


def _say_again(
    report: Report, channel: Channel, sees: str, own_side: str, words: str, actor: str, now: dt.datetime
) -> None:
    """Its holder says what only our looks had said; or says more."""
    incident = lock(report.incident)
    if channel in OF_THE_HOLDER:
        _look_again(report, now)
    if report.said_at is None and channel in OF_THE_HOLDER:
        report.said_at, report.sees, report.own_side = now, sees, own_side
        report.save(update_fields=["said_at", "sees", "own_side"])
        said: dict[str, Any] = {"code": channel, "words": words, "report": report}
        make(incident, possible(incident, "join", now), actor=actor, now=now, **said)
    elif words:
        make(incident, possible(incident, "add", now), actor=actor, now=now, words=words, report=report)


def _of_the_same_cause(cause: Cause, operator: Operator | None) -> Incident | None:
    """The first incident that is open and has it. What may have it is looked up, and the rule says whether it has."""
    (block,) = cause.blocks
    found = queries.live().filter(operator=operator)
    overlapping = found.filter(reports__block__overlaps=block, reports__withdrawn_at__isnull=True).distinct()
    near = found.filter(
        measured__in=rules.alike_to(cause.measured),
        began_at__range=(cause.began_at - cause.unseen - rules.A_MINUTE, cause.began_at + rules.A_MINUTE),
    )
    for candidate in (*overlapping, *near):
        incident = lock(candidate)
        if incident.state in LIVE and rules.have_one_cause(queries.cause_of(incident), cause):
            return incident
    return None


def _open(
    operator: Operator | None, seen: Measured, began_at: dt.datetime, window: Window | None, now: dt.datetime
) -> Incident:
    """In a window of announced work the clock begins when it ends."""
    allowed = queries.times()
    start = window.ends_at if window is not None else now
    return Incident.objects.create(
        operator=operator,
        opened_at=now,
        began_at=began_at,
        measured=seen.state,
        rule=seen.rule,
        answer_due_at=start + allowed.first_answer,
        mend_due_at=start + allowed.mend,
        muted_until=window.ends_at if window is not None else None,
        work=window.work if window is not None else "",
    )


@transaction.atomic
def open_overrun(*, work: Work, now: dt.datetime) -> Incident | None:
    """Announced work that is not over in its window is an incident by itself, once, whoever reports a connection."""
    hold(Lock.INCIDENTS)
    if work.ends_at is None or queries.is_known(work.reference):
        return None
    incident = _open(work.operator, measured.NOTHING, work.ends_at, None, now)
    incident.work, incident.overran_at = work.reference, now
    incident.save(update_fields=["work", "overran_at"])
    record(incident, "open", By.CLOCK, actor="clock", now=now, code=Channel.OVERRUN)
    telling.asked(incident, now)
    return incident


# -- the holder, afterwards ----------------------------------------------------------------------------------------


@transaction.atomic
def add(*, report: Report, words: str, actor: str, now: dt.datetime) -> Incident:
    """One more word to whoever mends it, and to us. Raises NotPossibleNow, WordsNeeded."""
    incident = lock(report.incident)
    make(incident, possible(incident, "add", now), actor=actor, now=now, words=sentence(words), report=report)
    return incident


@transaction.atomic
def say_it_works(*, report: Report, actor: str, now: dt.datetime) -> Incident:
    """It works again for them; said twice it is said once. Raises NotPossibleNow."""
    incident, report = _with(report)
    if report.works_at is not None:
        return incident
    move = possible(incident, "say_it_works", now)
    report.works_at = now
    report.save(update_fields=["works_at"])
    make(incident, move, actor=actor, now=now, report=report)
    return incident


@transaction.atomic
def withdraw(*, report: Report, actor: str, now: dt.datetime) -> Incident:
    """It was not cut. Of the only report the incident ends as a false alarm. Raises NotPossibleNow."""
    incident, report = _with(report)
    if report.withdrawn_at is not None:
        return incident
    move = possible(incident, "withdraw", now)
    report.withdrawn_at = now
    report.save(update_fields=["withdrawn_at"])
    if move.target is not None:
        incident.ended_at = now
    make(incident, move, actor=actor, now=now, report=report)
    return incident


@transaction.atomic
def dispute(*, report: Report, words: str, actor: str, now: dt.datetime) -> Incident:
    """What the operator says is not so: it goes back to it. Raises NotPossibleNow, WordsNeeded."""
    incident, report = _with(report)
    move = possible(incident, "dispute", now)
    incident.claimed_at = None
    incident.disputes += 1
    _does_not_work(report, now)
    make(incident, move, actor=actor, now=now, words=sentence(words), report=report)
    telling.disputed(incident, now)
    return incident


@transaction.atomic
def open_again(*, report: Report, words: str, actor: str, now: dt.datetime) -> Incident:
    """It was closed and is not solved: the clock begins anew. Raises NotPossibleNow, WordsNeeded."""
    hold(Lock.INCIDENTS)
    incident, report = _with(report)
    move = possible(incident, "open_again", now)
    allowed = queries.times()
    incident.ended_at = incident.back_at = incident.claimed_at = incident.report_due_at = None
    incident.acknowledged_at = incident.answered_at = None
    incident.proof = incident.reason = ""
    incident.answer_due_at, incident.mend_due_at = now + allowed.first_answer, now + allowed.mend
    incident.disputes += 1
    _does_not_work(report, now)
    make(incident, move, actor=actor, now=now, words=sentence(words), report=report)
    telling.disputed(incident, now)
    return incident


def _with(report: Report) -> tuple[Incident, Report]:
    incident = lock(report.incident)
    return incident, Report.objects.select_for_update(of=("self",)).select_related("registration").get(pk=report.pk)


def _does_not_work(report: Report, now: dt.datetime) -> None:
    report.works_at = report.withdrawn_at = None
    report.save(update_fields=["works_at", "withdrawn_at"])
    _look_again(report, now)


def _look_again(report: Report, now: dt.datetime) -> None:
    if report.holder is not None:
        measured.ask_for_look(report.subject, report.holder, now=now)
