"""Every act of an appeal is tried in every state that the acts reach, through PostgreSQL: what happens is what the
table of moves says."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from rahdari.appeal import actions, queries, rules
from rahdari.appeal.models import Appeal
from rahdari.appeal.rules import State
from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.decide import deadlines, hearings, recusing
from rahdari.decide import queries as cases
from rahdari.decide.models import Case
from rahdari.decide.rules import HearingState as Hearing
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_person, an_officer
from tests.walk_of_acts import NothingThere, Walk

from .test_appeals import actor_of, refused, struck_out
from .test_rules import after

pytestmark = [pytest.mark.django_db, pytest.mark.whole]
WORDS = "The bill says so."


@dataclass
class World:
    """One case, and the appeal against what became of it."""

    case: Case
    decider: User
    officer: User
    heard: bool
    now: dt.datetime

    def step(self) -> None:
        self.now += HOUR

    @property
    def appeal(self) -> Appeal:
        found = queries.appeals().filter(case=self.case).order_by("number").last()
        if found is None:
            raise NothingThere
        return found

    @property
    def standing(self) -> tuple[State, Hearing] | None:
        found = queries.appeals().filter(case=self.case).order_by("number").last()
        return None if found is None else (found.state, found.hearing)

    @property
    def state(self) -> object:
        found = queries.appeals().filter(case=self.case).order_by("number").last()
        case = cases.cases().get(pk=self.case.pk)
        facts = found and (found.late, found.assigned_to_id is None, found.overdue_at is None, found.stands_meanwhile)
        return self.standing, self.heard, facts, case.status, found and found.against

    def written(self) -> dict[str, object]:
        application = Application.objects.get(pk=self.case.application_id)
        return {"application": application, "grounds": ["fact"], "words": WORDS, "to_be_heard": self.heard}


def start(what: str, heard: bool, late: bool) -> World:
    officer, director = an_officer("Officer A"), an_officer("Director B", role=Role.SUPERVISOR, rank="director")
    now = NOW + 2 * DAY
    match what:
        case "refusal":
            case = refused(officer, director)
        case "revocation":
            case, _taken = struck_out(officer, director)
        case _:
            case, now = a_case(), NOW + 30 * DAY
    world = World(case, an_officer("Supervisor C", role=Role.SUPERVISOR), officer, heard, now)
    if late:
        world.now += 60 * DAY
    return world


def record(world: World) -> None:
    written = world.written() | {"officer": world.officer, "received_at": world.now, "now": world.now}
    actions.record_written(**written)  # type: ignore[arg-type]


def decide(world: World) -> None:
    points = dict.fromkeys(world.appeal.grounds, ("sent_back", WORDS))
    actions.decide(appeal=world.appeal, user=world.decider, points=points, text="", now=world.now)


def in_hands(act: Callable[..., object], **facts: object) -> Callable[[World], object]:
    return lambda world: act(appeal=world.appeal, user=world.decider, now=world.now, **facts)


def set_hearing(world: World) -> None:
    at = queries.heard_between(world.appeal, world.now)[0] if world.appeal.sent_at else world.now
    in_hands(actions.set_hearing, starts_at=at, place=WORDS, why=WORDS)(world)


def hear(world: World) -> None:
    planned = hearings.to_come(world.appeal)
    if planned is None:
        set_hearing(world)
        planned = hearings.to_come(world.appeal)
    assert planned is not None
    world.now = max(world.now, planned.starts_at) + HOUR
    in_hands(actions.record_hearing, attended="Both", minutes=WORDS)(world)


def run_out(world: World) -> None:
    world.now = max(world.now, world.appeal.due_at or world.now) + HOUR
    actions.run_out(now=world.now)


def close_case(world: World) -> None:
    """Its applicant takes the application back, so that nothing is to be decided any more."""
    case = cases.cases().get(pk=world.case.pk)
    if case.status == "open":
        sending.withdraw_application(application=case.application, actor=actor_of(case), now=world.now)
        deadlines.close_unanswered(now=world.now)


def overtake(world: World) -> None:
    close_case(world)
    if not actions.overtake(now=world.now):
        raise NothingThere


def carry_out(world: World) -> None:
    close_case(world)
    if not actions.close_carried_out(now=world.now):
        raise NothingThere


def name_reviewer(world: World) -> None:
    """Nobody in the office is without a part any more."""
    for user in queries.deciders(world.appeal):
        user.posts.update(ended_at=world.now)
    supervisor = an_officer("Supervisor F", role=Role.SUPERVISOR)
    recusing.recuse(case=world.case, officer=supervisor, why=WORDS, now=world.now)
    facts = {"reviewer": a_person(), "who": WORDS, "now": world.now}
    actions.name_reviewer(appeal=world.appeal, supervisor=supervisor, **facts)  # type: ignore[arg-type]


ACTS: dict[str, Callable[[World], object]] = {
    "save": lambda w: actions.save_draft(**w.written(), actor=actor_of(w.case), now=w.now),  # type: ignore[arg-type]
    "send": lambda w: actions.send(**w.written(), actor=actor_of(w.case), now=w.now),  # type: ignore[arg-type]
    "record": record,
    "withdraw": lambda w: actions.withdraw(appeal=w.appeal, actor=actor_of(w.case), now=w.now),
    "name_reviewer": name_reviewer,
    "take": in_hands(actions.take),
    "set_hearing": set_hearing,
    "record_hearing": hear,
    "decide": decide,
    "refuse_late": in_hands(actions.refuse_late, why=WORDS),
    "let_time_run_out": run_out,
    "overtake": overtake,
    "carry_out": carry_out,
}


def after_it(act: str, before: tuple[State, Hearing] | None) -> list[tuple[State, Hearing]] | None:
    """Nothing is the same as a draft that was not begun; and one appeal ends where the next begins."""
    over = {State.CLOSED, State.WITHDRAWN}
    if act in {"save", "send", "record"} and (before is None or before[0] in {*over, State.DECIDED}):
        return [(rules.move_of(act).target, hearing) for hearing in Hearing]
    if before is None or not rules.allows(*before, act):
        return None
    if act in {"save", "send", "record"}:
        return [(rules.move_of(act).target, hearing) for hearing in Hearing]
    state, hearing = after(act, *before)
    # What is decided and has nothing left to carry out is closed at once.
    return [(state, hearing)] + ([(State.CLOSED, hearing)] if act == "decide" else [])


def test_every_act_in_every_state_does_what_the_table_says(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    walk = Walk(ACTS, after_it)
    for what in ("refusal", "revocation", "silence"):
        for heard, late in ((False, False), (True, False), (False, True)):
            walk.begin(partial(start, what, heard, late))
    assert {act for _before, act in walk.made} == {move.act for move in rules.MOVES}
    assert not caplog.records, "the clock came by and could not act"
    with capsys.disabled():
        print("\n" + walk.report("appeals", len(rules.MOVES)))
