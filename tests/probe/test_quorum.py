"""What several views come to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.probe import Outcome, ProbeAnswer
from rahdari.probe.quorum import Needed, Outlook, View, judge

FOUR = Needed(views=4, may_fail=1, networks=2)


def view(place: str, outcome: Outcome | None, network: str = "") -> View:
    answer = ProbeAnswer(outcome, "tls") if outcome is not None else None
    return View(place, network or f"AS{64496 + ord(place[0]) % 3}", "PK", answer, "" if answer else "unreachable")


def views(*outcomes: Outcome | None) -> list[View]:
    return [view("abcdefghij"[at], outcome) for at, outcome in enumerate(outcomes)]


P, S, O = Outcome.PROVED, Outcome.SILENT, Outcome.OTHER_KEY  # noqa: E741


class TestJudge:
    @pytest.mark.parametrize(
        ("seen", "outlook"),
        [
            ((P, P, P, P), Outlook.AGREED),
            ((P, P, P, P, S), Outlook.AGREED),
            ((P, P, P, P, None), Outlook.AGREED),
            ((P, P, P, P, O), Outlook.AGREED),
            ((P, P, P, P, S, S), Outlook.TOO_FEW),
            ((P, P, P, S), Outlook.TOO_FEW),
            ((P, P, P, None, None), Outlook.TOO_FEW),
            ((P, P, P, O), Outlook.DIVIDED),
            ((P, P, P, P, O, O), Outlook.DIVIDED),
            ((S, S, S, S), Outlook.NOT_PROVED),
            ((O, S, None), Outlook.NOT_PROVED),
            ((), Outlook.NOT_PROVED),
        ],
    )
    def test_takes_four_and_lets_one_fail(self, seen: tuple[Outcome | None, ...], outlook: Outlook) -> None:
        assert judge(views(*seen), FOUR).outlook is outlook

    def test_counts_networks_and_not_places(self) -> None:
        same = [view(place, P, "AS64496") for place in "abcd"]
        assert judge(same, FOUR).outlook is Outlook.TOO_FEW
        assert judge([*same[:3], view("d", P, "AS64500")], FOUR).agreed

    def test_counts_a_place_once(self) -> None:
        assert judge([view("a", P)] * 4, FOUR).outlook is Outlook.TOO_FEW

    def test_is_content_with_one_where_one_is_needed(self) -> None:
        assert judge(views(P), Needed()).agreed
        assert judge(views(S), Needed()).outlook is Outlook.NOT_PROVED

    def test_shows_who_saw_what(self) -> None:
        data = judge(views(P, S, O, None), FOUR).as_data()
        assert (data["proved"], data["failed"], data["absent"], data["contradicting"]) == (
            ["a"],
            ["b", "c"],
            ["d"],
            ["c"],
        )
        json.dumps(data)

    @given(
        st.lists(st.sampled_from([*Outcome, None]), max_size=8),
        st.integers(1, 6),
        st.integers(0, 2),
        st.integers(1, 3),
    )
    def test_never_agrees_on_less_than_is_needed(
        self, seen: list[Outcome | None], needed: int, may_fail: int, networks: int
    ) -> None:
        verdict = judge(views(*seen), Needed(needed, may_fail, networks))
        proved = [each for each in seen if each is P]
        if verdict.agreed:
            assert len(proved) >= needed and len(seen) - len(proved) <= may_fail
            assert len(verdict.networks) >= networks
        # One more that failed never brings agreement; one more that proved never takes it away.
        if not verdict.agreed:
            assert not judge(views(*seen, S), Needed(needed, may_fail, networks)).agreed
        else:
            assert judge(views(*seen, P), Needed(needed, may_fail, networks)).agreed
