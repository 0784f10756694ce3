"""The moves of an incident, walked as a model; what has one cause; what looks show. No database."""

import dataclasses
import datetime as dt
import ipaddress
from itertools import permutations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rahdari.incident import rules
from rahdari.incident.rules import CUT, ENDED, LIVE, MOVES, By, Cause, Facts, Look, Reason, State

DOCS = Path(__file__).parents[2] / "docs" / "incidents.md"
AT = dt.datetime(2026, 11, 10, 9, 5, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def _sources(states: frozenset[State]) -> str:
    return ", ".join(each for each in State if each in states)


facts = st.builds(
    Facts,
    reason=st.none() | st.sampled_from(Reason),
    **{each.name: st.booleans() for each in dataclasses.fields(Facts) if each.name != "reason"},
)
acts = st.lists(
    st.tuples(st.sampled_from(sorted({move.act for move in MOVES})), facts, st.none() | st.sampled_from(Reason)),
    max_size=30,
)


class TestMoves:
    def test_are_the_table_in_the_document(self) -> None:
        lines = [
            f"| {_sources(move.sources)} | `{move.act}` | {move.target or 'stays'} | {move.by} | {move.guard.text} |"
            f" {', '.join(move.reasons) or '–'} |"
            for move in MOVES
        ]
        assert "\n".join(lines) in DOCS.read_text(encoding="utf-8"), "\n".join(lines)

    @given(acts)
    def test_close_nothing_without_proof_or_a_reason_that_nobody_disputes(
        self, tried: list[tuple[str, Facts, Reason | None]]
    ) -> None:
        state = State.OPEN
        for act, seen, reason in tried:
            move = rules.move_of(act, state, seen, reason)
            if move is None:
                continue
            after = move.leads_from(state)
            if after == State.CLOSED_WITH_PROOF != state:
                assert seen.answers_again or (seen.all_work and not seen.is_measured)
                assert move.by == By.CLOCK, "nobody closes by saying so"
            if after == State.FALSE_ALARM != state and move.by != By.HOLDER:
                assert seen.is_undisputed and seen.reason in rules.DISCLAIMS
            if move.by == By.OPERATOR:
                assert after not in ENDED or after == state
            state = after
        assert state in LIVE | ENDED | {State.MERGED}

    def test_lead_out_of_every_state_but_a_merged_one(self) -> None:
        assert {source for source, _target in rules.steps()} == set(State) - {State.MERGED}
        assert {target for _source, target in rules.steps()} == set(State)

    def test_of_the_operator_end_nothing_and_answers_take_a_reason_of_the_list(self) -> None:
        for move in MOVES:
            if move.by == By.OPERATOR:
                assert move.target not in ENDED
        for reason in Reason:
            found = [
                act for act in ("answer", "disclaim", "hand_back") if rules.move_of(act, State.OPEN, Facts(), reason)
            ]
            assert len(found) == 1, reason
        assert rules.move_of("answer", State.OPEN, Facts()) is None


blocks = st.sampled_from(["203.0.113.40/32", "203.0.113.0/24", "203.0.113.41/32", "2001:db8:40:7::24/128"]).map(
    ipaddress.ip_network
)
causes = st.builds(
    Cause,
    operator=st.sampled_from(["", "a", "b"]),
    blocks=st.tuples(blocks),
    began_at=st.sampled_from([AT, AT + 60 * SECOND, AT + 61 * SECOND]),
    measured=st.sampled_from(["", "path_blocked", "this_operator"]),
)


def test_an_incident_waits_for_no_server_that_is_off_and_none_of_which_nothing_can_be_said() -> None:
    cut, off, unknown = Look(AT, False, True), Look(AT, False, False, is_off=True), Look(AT, None)
    looked = [("cut", [off, cut]), ("off", [cut, off]), ("unknown", [cut, unknown]), ("never looked at", [])]
    assert [each for each, _ in rules.awaited(looked)] == ["cut", "never looked at"]
    # Where there is nothing else, it is waited for.
    assert rules.awaited(looked[1:3]) == looked[1:3]


class TestOneCause:
    @given(causes, causes)
    def test_is_the_same_from_both_sides_and_never_of_two_operators(self, one: Cause, other: Cause) -> None:
        assert rules.have_one_cause(one, other) == rules.have_one_cause(other, one)
        if one.operator != other.operator:
            assert not rules.have_one_cause(one, other)
        if one.operator == other.operator and one.blocks == other.blocks:
            assert rules.have_one_cause(one, other)

    def test_needs_the_same_minute_and_the_same_verdict_where_no_address_overlaps(self) -> None:
        here, there = (ipaddress.ip_network(each) for each in ("203.0.113.40/32", "198.51.100.7/32"))
        first = Cause("a", (here,), AT, "this_operator")
        assert rules.have_one_cause(first, Cause("a", (there,), AT + 60 * SECOND, "this_operator"))
        assert not rules.have_one_cause(first, Cause("a", (there,), AT + 61 * SECOND, "this_operator"))
        assert not rules.have_one_cause(first, Cause("a", (there,), AT, "server_down"))
        # An operator is named at the second look; until then the same cut is in the way.
        assert rules.have_one_cause(first, Cause("a", (there,), AT, "path_blocked"))
        # Whoever is looked at once an hour is seen to be cut within an hour.
        late = AT + 3_600 * SECOND
        hourly = Cause("a", (there,), late, "this_operator", 3_600 * SECOND)
        assert rules.have_one_cause(first, hourly) and rules.have_one_cause(hourly, first)
        assert not rules.have_one_cause(first, Cause("a", (there,), late, "this_operator", 300 * SECOND))
        # What nobody measured is not alike because nobody measured it.
        assert not rules.have_one_cause(Cause("a", (here,), AT), Cause("a", (there,), AT))
        # Without an operator two addresses have nothing in common but themselves.
        assert not rules.have_one_cause(Cause("", (here,), AT, "path_blocked"), Cause("", (there,), AT, "path_blocked"))


def looks(signs: str, inside: str = "") -> list[Look]:
    """`+` answered, `-` not, `.` nothing to say; the last one is the newest."""
    said = {"+": True, "-": False, ".": None}
    within = inside.ljust(len(signs), ".")
    return [Look(AT + i * 60 * SECOND, said[sign], said[within[i]]) for i, sign in enumerate(signs)]


class TestLooks:
    def test_in_a_row_show_that_it_is_back(self) -> None:
        def back(signs: str, inside: str = "", *, says_so: bool = False) -> bool:
            return rules.answers_again(looks(signs, inside), needed=3, holder_says_so=says_so)

        assert not back("--++", "--++"), "two are not three"
        assert back("-+++", "-+++")
        assert not back("-+++"), "nobody looked from inside, and the holder says nothing"
        assert back("-+++", says_so=True)
        assert not back("-+++", "-++-", says_so=True), "from inside it does not answer"
        assert back("-+.++", "....+"), "a look that says nothing breaks no row"
        assert not back("...", "+++"), "nobody looked from outside"
        assert not back("")

    @given(st.text("+-.", max_size=12))
    def test_fail_and_answer_never_both(self, signs: str) -> None:
        seen = looks(signs)
        assert not (rules.answered_in_a_row(seen) and rules.failed_in_a_row(seen))
        for shuffled in list(permutations(seen[:4]))[:6]:
            assert rules.answered_in_a_row(shuffled) == rules.answered_in_a_row(seen[:4])


def test_what_is_cut_is_live_and_what_is_over_is_not() -> None:
    assert CUT < LIVE and not LIVE & ENDED
