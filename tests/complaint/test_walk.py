"""Every act of a complaint is tried in every state that the acts reach, through PostgreSQL: what happens is what the
table of moves says."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from rahdari.complaint import actions, queries, rules
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import Answer, State
from rahdari.decide import recusing
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, HOUR, NOW, a_person, an_officer
from tests.walk_of_acts import NothingThere, Walk

from .test_complaints import SENDER, registered
from .test_rules import after

pytestmark = [pytest.mark.django_db, pytest.mark.whole]
WORDS = "The letter is genuine."


@dataclass
class World:
    id: uuid.UUID
    officer: User
    now: dt.datetime

    def step(self) -> None:
        self.now += HOUR

    @property
    def complaint(self) -> Complaint:
        found = queries.complaints().filter(pk=self.id).first()
        if found is None:
            raise NothingThere
        return found

    @property
    def standing(self) -> tuple[State, Answer]:
        found = queries.complaints().filter(pk=self.id).first()
        return (State.GONE, Answer.UNKNOWN) if found is None else (found.state, found.holder_answer)

    @property
    def state(self) -> object:
        found = queries.complaints().filter(pk=self.id).first()
        if found is None:
            return None
        told = found.looked_up_at is None, found.overdue_at is None, found.told_at is None
        return self.standing, told, found.registration_id is None


def start(kind: str, about: str, is_registered: bool) -> World:
    target = registered()[1].reference if is_registered else "RD-4F7K-92MQ"
    facts: dict[str, Any] = {"kind": kind, "about": about, "target": target, "language": "en"}
    complaint = actions.send(id=uuid.uuid4(), words="It is wrong.", email=SENDER, now=NOW, **facts)
    return World(complaint.pk, an_officer("Officer A"), NOW)


def by_clock(act: Callable[..., int], due: Callable[[Complaint], dt.datetime | None]) -> Callable[[World], None]:
    """The clock comes by when the time is over."""

    def tried(world: World) -> None:
        world.now = max(world.now, due(world.complaint) or world.now) + HOUR
        act(now=world.now)

    return tried


def decide(world: World) -> None:
    facts: dict[str, Any] = {"outcome": "not_founded", "why": WORDS, "now": world.now}
    actions.decide(complaint=world.complaint, officer=world.officer, **facts)


def name_reviewer(world: World) -> None:
    """Nobody in the office is without a part any more."""
    supervisor = an_officer("Supervisor F", role=Role.SUPERVISOR)
    case = world.complaint.case
    if case is not None:
        recusing.recuse(case=case, officer=supervisor, why=WORDS, now=world.now)
    world.officer.posts.update(ended_at=world.now)
    facts: dict[str, Any] = {"reviewer": a_person(), "who": WORDS, "now": world.now}
    actions.name_reviewer(complaint=world.complaint, supervisor=supervisor, **facts)


ACTS: dict[str, Callable[[World], object]] = {
    "confirm": lambda w: actions.confirm(complaint=w.complaint, now=w.now),
    "forget": by_clock(actions.forget, lambda each: each.sent_at and each.sent_at + 8 * DAY),
    "look_up": lambda w: actions.look_up(now=w.now),
    "answer": lambda w: actions.answer(complaint=w.complaint, words=WORDS, actor="person:x", now=w.now),
    "let_answer_lapse": by_clock(actions.let_answer_lapse, lambda each: each.answer_due_at),
    "name_reviewer": name_reviewer,
    "decide": decide,
    "let_time_run_out": by_clock(actions.run_out, lambda each: each.due_at),
    "tell": by_clock(actions.tell, lambda each: each.due_at),
}


def after_it(act: str, before: tuple[State, Answer]) -> list[tuple[State, Answer]] | None:
    return sorted(after(act, *before)) if rules.allows(*before, act) else None


def test_every_act_in_every_state_does_what_the_table_says(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    walk = Walk(ACTS, after_it)
    for is_registered in (True, False):
        walk.begin(partial(start, "misuse", "false_statement", is_registered))
        walk.begin(partial(start, "correction", "entry", is_registered))
    # Of two complaints, and of one whose time of keeping is over: test_complaints.py. Of one with files: test_files.py.
    # Of one about a name: test_files.py, tests/workflow/test_company_names.py.
    elsewhere = {"join", "erase", "add_file", "remove_file", "end_files", "add_answer_file", "remove_answer_file"}
    elsewhere |= {"contest", "take_back", "ask_holder"}
    assert {act for _before, act in walk.made} == {move.act for move in rules.MOVES} - elsewhere
    assert not caplog.records, "the clock came by and could not act"
    with capsys.disabled():
        print("\n" + walk.report("complaints", len(rules.MOVES)))
