"""The table of moves is what runs: what is taken out of it (a guard, a sentence) lets through what it stopped."""

import datetime as dt
from dataclasses import replace

import pytest

from rahdari.decide import assignment, refusals, rules, transitions
from rahdari.decide.models import Case, Notice
from rahdari.people.models import User
from tests.builders.cases import HOUR, NOW, a_case

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR
SENTENCE = "The address answered for somebody else."
SHOWN = "The bill, page 2, names another subscriber."


def taken(officer: User) -> Case:
    return transitions.lock(assignment.take_case(case=a_case(), officer=officer, now=LATER))


def noticed(officer: User) -> Case:
    case = taken(officer)
    notice: Notice = refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text=SENTENCE, named=SHOWN, now=LATER
    )
    refusals.answer_notice(notice=notice, answer="It is mine.", actor="person:x", now=LATER)
    return transitions.lock(case)


def change(monkeypatch: pytest.MonkeyPatch, act: str, **instead: object) -> None:
    moves = tuple(replace(move, **instead) if move.act == act else move for move in rules.MOVES)  # type: ignore[arg-type]
    monkeypatch.setattr(rules, "MOVES", moves)


@pytest.mark.parametrize(
    ("guard", "act", "codes", "refusal"),
    [
        ("own_case_only", "ask_question", ["Q1"], transitions.NotYourCase),
        ("reason_required", "propose_refusal", [], transitions.ReasonNeeded),
        ("confirmed_codes_only", "ask_question", ["Z9"], transitions.CodeNotUsable),
        ("no_self_second", "second_refusal", ["R3"], transitions.MayNotSecond),
    ],
)
def test_a_guard_of_the_table_stops_what_it_names(
    guard: str,
    act: str,
    codes: list[str],
    refusal: type[Exception],
    officer: User,
    second: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = noticed(officer) if act == "second_refusal" else taken(officer)
    by = second if guard == "own_case_only" else officer

    def begin(now: dt.datetime = LATER) -> transitions.Begun:
        return transitions.begin(case, act, by=by, now=now, codes=codes, words=SENTENCE)

    move = rules.move_from("open", act)
    assert move is not None and guard in move.guards
    with pytest.raises(refusal):
        begin()
    # Guards that ask the same question go together.
    rest = tuple(each for each in move.guards if transitions.GUARDS[each] is not transitions.GUARDS[guard])
    change(monkeypatch, act, guards=rest)
    assert begin().move.act == act


def test_a_move_is_made_by_whom_the_table_names(officer: User) -> None:
    case = transitions.lock(taken(officer))
    for by in ("clock", "system:workflow", "rule:1", "person:x"):
        with pytest.raises(transitions.WrongActor):
            transitions.begin(case, "ask_question", by=by, now=LATER)
    with pytest.raises(transitions.WrongActor):
        transitions.begin(case, "reassign", by=officer, now=LATER)


def test_a_sentence_is_needed_where_the_table_says_so(officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    case = transitions.lock(taken(officer))
    with pytest.raises(transitions.ReasonNeeded):
        transitions.begin(case, "propose_refusal", by=officer, now=LATER, codes=["R3"], words=" ")
    change(monkeypatch, "propose_refusal", reason_needed=False)
    assert transitions.begin(case, "propose_refusal", by=officer, now=LATER, codes=["R3"], words=" ").words == ""


def test_every_guard_of_the_table_is_one_that_runs() -> None:
    assert {guard for move in rules.MOVES for guard in move.guards} == set(transitions.GUARDS)
