"""The table of moves, walked; the rule of granting; who may second. No database."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.decide import rules
from rahdari.decide.rules import (
    MOVES,
    By,
    CannotSecond,
    CaseStanding,
    CheckFact,
    Grantable,
    HearingState,
    NoticeState,
    NotYet,
    Outcome,
    Provisional,
    QuestionState,
    Status,
    Urgency,
)
from rahdari.policy import GUARDS, CheckRule

DOCS = Path(__file__).parents[2] / "docs" / "desk.md"
ALL = [CaseStanding(*parts) for parts in product(Status, QuestionState, NoticeState, HearingState)]
ACTS = sorted({move.act for move in MOVES})
FREELANCER = policy.current(None).services["vpn_freelancer"].checks_for(mobile=False)
COMPANY = policy.current(None).services["vpn_company"].checks
CODES = policy.current(None).reasons


def after(move: rules.Move, standing: CaseStanding) -> CaseStanding:
    """Where a move leads, in all four dimensions."""
    question, notice, hearing = standing.question, standing.notice, standing.hearing
    match move.act:
        case "ask_question":
            question = QuestionState.OPEN
        case "answer_question":
            question = QuestionState.NONE
        case "close_unanswered":
            question = QuestionState.LAPSED
        case "propose_refusal" | "propose_revocation":
            notice, hearing = NoticeState.RUNNING, HearingState.NONE
        case "answer_notice" | "let_notice_run_out" | "propose_by_order":
            notice = NoticeState.RIPE
        case "drop_refusal" | "second_refusal" | "keep_registration" | "second_revocation" | "let_proposal_lapse":
            notice, hearing = NoticeState.NONE, HearingState.NONE
        case "ask_for_hearing":
            hearing = HearingState.ASKED
        case "record_hearing":
            hearing = HearingState.OVER
    return CaseStanding(move.target, question, notice, hearing)


class TestMoves:
    @given(st.sampled_from(ALL), st.sampled_from(ACTS))
    def test_are_found_only_where_the_table_has_them(self, standing: CaseStanding, act: str) -> None:
        fitting = [one for one in MOVES if one.act == act and one.fits(standing)]
        assert rules.allows(standing, act) == bool(fitting)
        assert len(fitting) <= 1, "two moves of one act must never fit at once"

    def test_lead_to_a_refusal_only_through_a_ripe_notice_and_a_second_officer(self) -> None:
        for move in MOVES:
            if move.outcome in {Outcome.REFUSED, Outcome.REVOKED}:
                assert move.by == By.SECOND
                assert move.notice == frozenset({NoticeState.RIPE})
                assert move.reason_needed

    def test_of_a_rule_never_refuse(self) -> None:
        for move in MOVES:
            if move.by in {By.RULE, By.CLOCK, By.WORKFLOW}:
                assert move.outcome not in {Outcome.REFUSED, Outcome.REVOKED}

    @given(st.lists(st.sampled_from(MOVES), max_size=14))
    def test_in_any_order_refuse_nobody_who_was_not_heard(self, moves: list[rules.Move]) -> None:
        standing, heard, by_court = CaseStanding(Status.OPEN), False, False
        for move in moves:
            if not move.fits(standing):
                continue
            if move.act in {"propose_refusal", "propose_revocation"}:
                heard = by_court = False
            # That court hears whoever it goes against; a second officer decides all the same.
            if move.act == "propose_by_order":
                by_court = True
            if move.act in {"answer_notice", "let_notice_run_out"}:
                heard = True
            if move.outcome in {Outcome.REFUSED, Outcome.REVOKED}:
                assert heard or (by_court and move.outcome == Outcome.REVOKED)
                assert standing.hearing != HearingState.ASKED, "a hearing that was asked for comes first"
            standing = after(move, standing)

    def test_suspend_before_a_hearing_by_a_director_alone_and_decide_nothing_by_it(self) -> None:
        [move] = [each for each in MOVES if each.by == By.DIRECTOR]
        assert move.act == "suspend_before_hearing" and move.outcome is None
        assert HearingState.OVER not in move.hearing and NoticeState.NONE not in move.notice
        standing = CaseStanding(Status.DECIDED, notice=NoticeState.RUNNING)
        assert move.fits(standing) and after(move, standing) == standing

    def test_let_nothing_be_decided_while_the_applicant_has_the_word(self) -> None:
        for move in MOVES:
            if move.outcome is None:
                continue
            assert QuestionState.OPEN not in move.question
            assert NoticeState.RUNNING not in move.notice

    def test_reach_every_status_from_an_open_case(self) -> None:
        seen, todo = set(), [CaseStanding(Status.OPEN)]
        while todo:
            standing = todo.pop()
            if standing in seen:
                continue
            seen.add(standing)
            todo += [after(move, standing) for move in MOVES if move.fits(standing)]
        assert {standing.status for standing in seen} == set(Status)

    def test_are_the_table_in_the_document(self) -> None:
        lines = [
            f"| {move.source} | `{move.act}` | {move.target} | {move.by} | {_states(move.question, QuestionState)} "
            f"| {_states(move.notice, NoticeState)} | {_states(move.hearing, HearingState)} "
            f"| {', '.join(f'`{guard}`' for guard in move.guards)} "
            f"| {'yes' if move.reason_needed else ''} |"
            for move in MOVES
        ]
        assert "\n".join(lines) in DOCS.read_text(encoding="utf-8"), "docs/desk.md, table of moves:\n" + "\n".join(
            lines
        )


def _states(states: frozenset[str], whole: type[QuestionState] | type[NoticeState] | type[HearingState]) -> str:
    return "any" if set(states) == set(whole) else ", ".join(one for one in whole if one in states)


class TestGuards:
    def test_are_those_that_a_policy_may_rely_on(self) -> None:
        # A test exercises each one; policy.GUARDS must not promise more.
        assert frozenset(GUARDS) == {guard for move in rules.MOVES for guard in move.guards}


def facts(**outcomes: str) -> list[CheckFact]:
    names = {"control": "control", "free": "not_registered", "origin": "origin", "papers": "documents"}
    found = [CheckFact(names[name], "", outcome) for name, outcome in outcomes.items() if name in names]
    # Shown by whoever applies, in every one of these: of a company, and of a person.
    found += [CheckFact("represents", target, "passed") for target in ("companies", "")] if outcomes else []
    return found + [CheckFact("roster", name, outcome) for name, outcome in outcomes.items() if name not in names]


class TestAssess:
    def test_grants_when_every_required_check_passed(self) -> None:
        given_facts = facts(control="passed", free="passed", origin="passed", papers="passed")
        assert rules.assess(rules=FREELANCER, facts=given_facts) == Grantable(6)

    @pytest.mark.parametrize("name", ["control", "free", "origin", "papers"])
    @pytest.mark.parametrize("outcome", ["failed", "waiting"])
    def test_grants_nothing_while_one_did_not(self, name: str, outcome: str) -> None:
        outcomes = dict.fromkeys(["control", "free", "origin", "papers"], "passed") | {name: outcome}
        result = rules.assess(rules=FREELANCER, facts=facts(**outcomes))
        assert isinstance(result, NotYet)
        assert [fact.outcome for fact in result.missing] == [outcome]

    def test_grants_nothing_on_a_check_that_was_never_made(self) -> None:
        assert isinstance(rules.assess(rules=FREELANCER, facts=[]), NotYet)
        result = rules.assess(rules=FREELANCER, facts=facts(free="passed", origin="passed", papers="passed"))
        assert isinstance(result, NotYet)
        assert [(fact.kind, fact.outcome) for fact in result.missing] == [("control", "never_made")]

    def test_wants_every_address_proved(self) -> None:
        given_facts = [*facts(control="passed", free="passed", origin="passed", papers="passed")]
        given_facts.append(CheckFact("control", "endpoint:2", "failed"))
        assert isinstance(rules.assess(rules=FREELANCER, facts=given_facts), NotYet)

    def test_lets_a_passed_check_stand_in_where_the_policy_says_so(self) -> None:
        base = {"control": "passed", "free": "passed", "origin": "passed", "companies": "passed", "papers": "failed"}
        assert isinstance(rules.assess(rules=COMPANY, facts=facts(**base)), NotYet)
        assert isinstance(rules.assess(rules=COMPANY, facts=facts(**base, active_taxpayers="failed")), NotYet)
        assert isinstance(rules.assess(rules=COMPANY, facts=facts(**base, active_taxpayers="passed")), Grantable)

    def test_does_not_mind_an_optional_check_that_failed(self) -> None:
        base = dict.fromkeys(["control", "free", "origin", "companies", "papers"], "passed")
        assert isinstance(rules.assess(rules=COMPANY, facts=facts(**base, active_taxpayers="failed")), Grantable)


OUTCOMES = st.sampled_from(["passed", "failed", "waiting"])
KINDS = ["control", "not_registered", "origin", "documents"]


@st.composite
def checked(draw: st.DrawFn) -> tuple[list[CheckRule], list[CheckFact]]:
    """A policy's rules, each with or without a way to stand provisionally, and what was found."""
    asked, found = [], []
    for kind in KINDS:
        asked.append(_rule(kind, required=draw(st.booleans()), code=draw(st.sampled_from(["", "P1", "P2"]))))
        targets = draw(st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True))
        found += [CheckFact(kind, target, draw(OUTCOMES), past_clock=draw(st.booleans())) for target in targets]
    if draw(st.booleans()):
        asked.append(_rule("employer", required=False, code=draw(st.sampled_from(["", "P2"])), instead_of="documents"))
        if draw(st.booleans()):
            found.append(CheckFact("employer", "", draw(OUTCOMES), past_clock=draw(st.booleans())))
    return asked, found


def _rule(kind: str, *, required: bool, code: str, instead_of: str | None = None) -> CheckRule:
    return CheckRule(
        kind=kind,
        title=policy.Text("Title", "عنوان"),
        roster=None,
        required=required,
        reason="R1",
        instead_of=instead_of,
        provisional=policy.Provisionally("", code) if code else None,
    )


class TestAssessProvisionally:
    @given(checked())
    def test_rests_only_on_checks_that_wait_past_a_clock_that_the_policy_names(
        self, case: tuple[list[CheckRule], list[CheckFact]]
    ) -> None:
        asked, found = case
        result = rules.assess(rules=asked, facts=found)
        if not isinstance(result, Provisional):
            return
        by_kind = {rule.kind: rule for rule in asked}
        assert result.awaited and result.codes
        for fact in result.awaited:
            assert fact.outcome == "waiting" and fact.past_clock
            assert by_kind[fact.kind].provisional is not None
        assert set(result.codes) <= {rule.provisional.reason for rule in asked if rule.provisional}

    @given(checked())
    def test_never_overlooks_a_required_check_that_failed(self, case: tuple[list[CheckRule], list[CheckFact]]) -> None:
        asked, found = case
        result = rules.assess(rules=asked, facts=found)
        hopeful = {rule.instead_of for rule in asked if rule.instead_of}
        for rule in asked:
            failed = any(fact.kind == rule.kind and fact.outcome == "failed" for fact in found)
            if rule.required and failed and rule.kind not in hopeful:
                assert isinstance(result, NotYet)

    @given(checked())
    def test_becomes_a_full_grant_when_what_was_awaited_passes(
        self, case: tuple[list[CheckRule], list[CheckFact]]
    ) -> None:
        asked, found = case
        result = rules.assess(rules=asked, facts=found)
        if isinstance(result, Provisional):
            came = [replace(fact, outcome="passed") if fact in result.awaited else fact for fact in found]
            assert isinstance(rules.assess(rules=asked, facts=came), Grantable)

    @given(checked())
    def test_without_such_rules_is_what_it_was(self, case: tuple[list[CheckRule], list[CheckFact]]) -> None:
        asked, found = case
        strict = [replace(rule, provisional=None) for rule in asked]
        result = rules.assess(rules=strict, facts=found)
        assert not isinstance(result, Provisional)
        if isinstance(result, Grantable):
            assert isinstance(rules.assess(rules=asked, facts=found), Grantable)

    @given(checked())
    def test_an_application_never_waits_for_what_makes_no_difference(
        self, case: tuple[list[CheckRule], list[CheckFact]]
    ) -> None:
        asked, found = case
        waits = [fact for fact in found if fact.outcome == "waiting" and not fact.past_clock]
        settled = rules.is_settled(rules=asked, facts=found)
        granted = isinstance(rules.assess(rules=asked, facts=found), Grantable)
        assert settled == (bool(found) and (not waits or granted))


class TestMaySecond:
    def test_is_never_the_proposer(self) -> None:
        assert rules.may_second(proposer=1, second={1}, is_director=True, reasons=[], ripe=True) is CannotSecond.YOURS

    def test_has_the_rank_of_the_code(self) -> None:
        values = {"proposer": 1, "second": {2}, "reasons": [CODES["R2"], CODES["R4"]], "ripe": True}
        assert rules.may_second(**values, is_director=False) is CannotSecond.RANK  # type: ignore[arg-type]
        assert rules.may_second(**values, is_director=True) is None  # type: ignore[arg-type]

    def test_waits_for_the_applicant(self) -> None:
        values = {"proposer": 1, "second": {2}, "reasons": [CODES["R2"]], "is_director": False}
        assert rules.may_second(**values, ripe=False) is CannotSecond.NOT_YET  # type: ignore[arg-type]
        assert rules.may_second(**values, ripe=True) is None  # type: ignore[arg-type]

    @given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
    def test_decides_only_when_nothing_stands_in_the_way(
        self, other: bool, new: bool, director: bool, ripe: bool, heard: bool, late: bool
    ) -> None:
        found = rules.may_second(
            proposer=1,
            second={2 if other else 1},
            is_director=director,
            reasons=[CODES["R4"]],
            ripe=ripe,
            is_new=new,
            is_heard=heard,
            is_late=late,
        )
        assert (found is None) == (other and not new and director and ripe and heard and not late)


class TestUrgency:
    @pytest.mark.parametrize(
        ("share", "paused", "expected"),
        [
            (0.0, False, Urgency.CALM),
            (0.79, False, Urgency.CALM),
            (0.8, False, Urgency.NEAR),
            (0.99, False, Urgency.NEAR),
            (1.0, False, Urgency.LATE),
            (3.0, False, Urgency.LATE),
            (3.0, True, Urgency.STOPPED),
        ],
    )
    def test_rises_at_the_percentages_of_the_policy(self, share: float, paused: bool, expected: Urgency) -> None:
        assert rules.urgency(used_share=share, paused=paused, escalate_at=[80, 100]) is expected
