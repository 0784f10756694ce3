"""Every act of an incident is tried in every state that the acts reach, through PostgreSQL: what happens is what the
table of moves says."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from rahdari.incident import actions, answering, clocks, queries, rules
from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Reason, State
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from tests.builders import people
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator
from tests.walk_of_acts import NothingThere, Walk

from .test_incidents import DAY, HOUR, NOW, held

pytestmark = [pytest.mark.django_db, pytest.mark.whole]
ACTOR = "person:x"
# What an act may look at besides the state.
type Standing = tuple[str, bool, str]


@dataclass
class World:
    id: uuid.UUID
    report: uuid.UUID
    registration: Registration
    other: Registration
    near: Registration
    second: Operator
    now: dt.datetime

    def step(self) -> None:
        self.now += HOUR / 6

    @property
    def found(self) -> Report:
        found = Report.objects.select_related("registration").get(pk=self.report)
        if found.incident_id != self.id:
            raise NothingThere
        return found

    @property
    def incident(self) -> Incident:
        return queries.incidents().get(pk=self.id)

    @property
    def standing(self) -> Standing:
        incident = self.incident
        return incident.state, incident.operator_id is not None, incident.reason

    @property
    def state(self) -> object:
        """With what the guards look at, where they look at it."""
        incident, report = self.incident, Report.objects.get(pk=self.report)
        late = (incident.late_answer_at is None, incident.late_mend_at is None) if incident.is_live else ()
        due = () if incident.is_live else (incident.report_due_at is None, incident.late_report_at is None)
        only = len(queries.standing_reports(incident)) < 2
        return self.standing, late, due, report.works_at is None, report.withdrawn_at is None, only


def start(asn: int | None) -> World:
    second = an_operator("second-net", asns=[64501])
    an_operator()
    holder = people.a_freelancer(now=NOW)
    registration = held(asn=asn, by=holder)
    near = held("203.0.113.40/30", asn=asn, by=holder)
    # Of the same operator, or of none as the first: into its incident the first one is merged.
    other = held("198.51.100.9/32", asn=asn)
    report = a_report(registration, NOW)
    return World(report.incident_id, report.pk, registration, other, near, second, NOW)


def merge(world: World) -> None:
    into = a_report(world.other, world.now).incident
    if into.operator_id != world.incident.operator_id:
        raise actions.NotPossibleNow("merge", into)
    answering.merge(incident=world.incident, into=into, actor=ACTOR, now=world.now)


def join(world: World) -> None:
    """A range of the same holder in which the address lies."""
    before = world.incident
    if a_report(world.near, world.now).incident_id != before.pk:
        raise actions.NotPossibleNow("join", before)


def answering_with(reason: Reason) -> Callable[[World], object]:
    return lambda w: answering.answer(incident=w.incident, reason=reason, actor=ACTOR, now=w.now)


def clock(act: str, after: Callable[[World], dt.datetime | None]) -> Callable[[World], None]:
    """The clock comes by when that is due; it does what it can, and this is looked for."""

    def tried(world: World) -> None:
        world.now = max(world.now, after(world) or world.now) + HOUR / 60
        before = list(world.incident.happenings.values_list("act", flat=True))
        (clocks.chase_report if act == "escalate_report" else clocks.follow)(now=world.now)
        done = list(world.incident.happenings.values_list("act", flat=True))[len(before) :]
        if done != [act]:
            raise actions.NotPossibleNow(act, world.incident)

    return tried


ACTS: dict[str, Callable[[World], object]] = {
    "join": join,
    "add": lambda w: actions.add(report=w.found, words="More.", actor=ACTOR, now=w.now),
    "say_it_works": lambda w: actions.say_it_works(report=w.found, actor=ACTOR, now=w.now),
    "withdraw": lambda w: actions.withdraw(report=w.found, actor=ACTOR, now=w.now),
    "dispute": lambda w: actions.dispute(report=w.found, words="No.", actor=ACTOR, now=w.now),
    "open_again": lambda w: actions.open_again(report=w.found, words="No.", actor=ACTOR, now=w.now),
    "acknowledge": lambda w: answering.acknowledge(incident=w.incident, actor=ACTOR, now=w.now),
    "answer": answering_with(Reason.FAULT),
    "tell": lambda w: answering.tell(incident=w.incident, words="Soon.", actor=ACTOR, now=w.now),
    "say_mended": lambda w: answering.say_mended(incident=w.incident, actor=ACTOR, now=w.now),
    "disclaim": answering_with(Reason.ORDER),
    "hand_back": answering_with(Reason.NOT_OURS),
    "assign": lambda w: answering.assign(incident=w.incident, operator=w.second, actor=ACTOR, now=w.now),
    "merge": merge,
    "report": lambda w: answering.report(incident=w.incident, words="It was so.", actor=ACTOR, now=w.now),
    "escalate": clock("escalate", lambda w: w.incident.answer_due_at),
    "escalate_mend": clock("escalate_mend", lambda w: w.incident.mend_due_at),
    "escalate_report": clock("escalate_report", lambda w: w.incident.report_due_at),
    "close": clock("close", lambda w: None),
    "let_stand": clock("let_stand", lambda w: w.incident.claimed_at and w.incident.claimed_at + 3 * DAY),
}


def after(act: str, before: Standing) -> list[Standing] | None:
    """Where the moves of this act lead from here: every one whose source it is."""
    state, has_operator, reason = before
    found = [move for move in rules.moves_named(act) if State(state) in move.sources]
    reasons = {"answer": "fault", "disclaim": "order", "hand_back": "", "assign": "", "open_again": ""}
    has = {"hand_back": False, "assign": True}.get(act, has_operator)
    led = [(str(move.leads_from(State(state))), has, reasons.get(act, reason)) for move in found]
    # Reported once more after it is over it is another incident.
    return led or None


def test_every_act_in_every_state_does_what_the_table_says(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    walk = Walk(ACTS, after)
    for asn in (64500, None):
        walk.begin(partial(start, asn))
    # By measurement, and by announced work: test_measured.py, test_announced.py.
    elsewhere = {"overrun", "find_cut"}
    assert {act for _before, act in walk.made} == {move.act for move in rules.MOVES} - elsewhere
    assert not caplog.records, "the clock came by and could not act"
    with capsys.disabled():
        print("\n" + walk.report("incidents", len(rules.MOVES)))
