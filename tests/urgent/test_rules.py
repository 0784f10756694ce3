"""Who may have an address listed before its papers: the table, and the terms of the policy."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy import PolicyError
from rahdari.register.rules import Standing
from rahdari.urgent.rules import Cannot, Facts, cannot, listed_until

NOW = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
TERMS = policy.current(None).urgent
assert TERMS is not None
MAY = Facts(
    standing=Standing.VALID,
    is_provisional=False,
    is_proposed=False,
    has_address=True,
    number_since=NOW - 7 * DAY,
    member_since=None,
    has_open=False,
    in_year=2,
    refused_in_year=2,
)


class TestCannot:
    def test_nothing_stands_against_a_known_holder(self) -> None:
        assert cannot(MAY, TERMS, NOW) is None

    @pytest.mark.parametrize(
        ("differs", "why"),
        [
            ({"standing": Standing.SUSPENDED}, Cannot.NOT_VALID),
            ({"standing": Standing.STRUCK_OUT}, Cannot.NOT_VALID),
            ({"standing": Standing.EXPIRED}, Cannot.NOT_VALID),
            ({"is_provisional": True}, Cannot.PROVISIONAL),
            ({"is_proposed": True}, Cannot.PROPOSED),
            ({"has_address": False}, Cannot.NO_ADDRESS),
            ({"number_since": None}, Cannot.NO_NUMBER),
            ({"number_since": NOW - 7 * DAY + SECOND}, Cannot.NEW_NUMBER),
            ({"member_since": NOW - 7 * DAY + SECOND}, Cannot.NEW_MEMBER),
            ({"has_open": True}, Cannot.ONE_OPEN),
            ({"in_year": 3}, Cannot.USED_UP),
            ({"refused_in_year": 3}, Cannot.USED_UP),
        ],
        ids=lambda value: str(value) if isinstance(value, Cannot) else "",
    )
    def test_each_fact_alone_stands_against_it(self, differs: dict[str, Any], why: Cannot) -> None:
        assert cannot(replace(MAY, **differs), TERMS, NOW) is why

    def test_rules_without_it_offer_none(self) -> None:
        assert cannot(MAY, None, NOW) is Cannot.NOT_OFFERED


class TestListedUntil:
    @given(st.timedeltas(min_value=-2 * DAY, max_value=800 * DAY))
    def test_is_thirty_days_at_most_and_before_the_registration_ends(self, left: dt.timedelta) -> None:
        assert TERMS is not None
        found = listed_until(now=NOW, terms=TERMS, stays_until=NOW + left)
        if found is None:
            assert left < 2 * SECOND
        else:
            assert NOW < found <= NOW + 30 * DAY and found < NOW + left


class TestThePolicy:
    @pytest.mark.parametrize(
        ("was", "now", "said"),
        [
            ("term = { length = 30,", "term = { length = 31,", "after 30 days at the latest"),
            ('known_for = { length = 7, unit = "days"', 'known_for = { length = 23, unit = "hours"', "a thief's"),
            ("second_within = { length = 30,", "second_within = { length = 121,", "waits at the telephone"),
            ('reason = "P4"', 'reason = "R1"', "no provisional code"),
            ("remind_days_before = [14, 3]", "remind_days_before = [30]", "A reminder comes"),
            ("most_in_year = 3", "most_in_year = 13", "12"),
        ],
    )
    def test_holds_it_to_its_bounds(self, was: str, now: str, said: str) -> None:
        before, section, after = policy.BUNDLED.read_text().partition("[urgent]\n")
        assert was in after
        with pytest.raises(PolicyError) as caught:
            policy.read(before + section + after.replace(was, now, 1))
        assert said in str(caught.value)
