"""What differs between two versions of the rules, and what of it nobody is worse off by."""

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy.changes import HARMLESS, Change, changes
from rahdari.policy.clock import UNITS
from tests.needs import fewer

BUNDLED = policy.load(policy.BUNDLED)
RULES = dict(BUNDLED.source)


def changed(place: str, value: Any) -> list[Change]:
    after = copy.deepcopy(RULES)
    *path, last = place.split(".")
    found: Any = after
    for name in path:
        found = next(each for each in found if each["key"] == name) if isinstance(found, list) else found[name]
    if value is None:
        del found[last]
    else:
        found[last] = value
    return changes(RULES, after)


@pytest.mark.parametrize(
    ("place", "value", "is_against"),
    [
        ("version", "another", False),
        ("clocks.officer_decision.length", 8, False),
        ("clocks.officer_decision.length", 12, True),
        ("clocks.notice_before_refusal.length", 60, False),
        ("clocks.notice_before_refusal.length", 1, True),
        ("clocks.notice_before_refusal.unit", "hours", True),
        # 10 working hours in place of 3 working days, and the other way round; and a clock of the applicants' own.
        ("services.whitelist_call_centre.clock", "officer_decision", False),
        ("services.vpn_company.clock", "whitelisting_decision", True),
        ("services.vpn_company.clock", "show_cause_other", True),
        ("services.vpn_company.clock", "no_such_clock", True),
        ("limits.document_types", ["application/pdf", "image/jpeg", "image/png", "image/heic"], False),
        ("limits.document_types", ["application/pdf"], True),
        ("services.vpn_freelancer.open", False, True),
        ("services.vpn_freelancer.evidence.other", None, True),
        ("reasons.R3.status", "confirmed", True),
        ("reasons.R3.text", {"en": "Another reason.", "ur": "x"}, True),
        ("retention.card_number.keep.length", 100_000, True),
        ("guards", [], True),
        ("a_section_of_tomorrow", {"asks": "more"}, True),
    ],
)
def test_a_change_goes_against_somebody_unless_it_is_known_that_it_does_not(
    place: str, value: Any, is_against: bool
) -> None:
    if place.endswith("evidence.other"):
        after = copy.deepcopy(RULES)
        service = after["services"]["vpn_freelancer"]
        service["evidence"] = [each for each in service["evidence"] if each["key"] != "other"]
        found = changes(RULES, after)
        assert all(not each.is_against for each in changes(after, RULES)), "one more way to show it"
    else:
        found = changed(place, value)
    assert found and {each.is_against for each in found} == {is_against}


def test_each_harmless_place_is_one_of_a_file_that_ships() -> None:
    """A word that was renamed would be harmless no more, and nobody would know why."""
    wanted = {name for place, _judge in HARMLESS for name in place.split(".")} - {"*", "**"}
    known = {
        name
        for file in policy.SHIPPED.values()
        for change in changes({}, policy.load(file).source)
        for name in change.path
    }
    assert wanted <= known


def a_clock(length: int, unit: str, first: bool = True, closed: str = "next_open") -> dict[str, Any]:
    return {
        "length": length,
        "unit": unit,
        "excludes_first_day": first,
        "last_day_closed": closed,
        "basis": "proposal",
    }


CLOCKS = st.builds(
    a_clock, st.integers(1, 12), st.sampled_from(UNITS), st.booleans(), st.sampled_from(["next_open", "stays"])
)


@settings(max_examples=fewer(200, 15))
@given(st.tuples(CLOCKS, CLOCKS), st.integers(0, 135 * 24))
# Begun on the evening of 11 February 2027: on a Friday of Ramadan the office is open for 3 hours, and so 3 working days
# are 15.
@example((a_clock(15, "working_hours"), a_clock(3, "working_days")), 102 * 24 + 23)
@example((a_clock(16, "working_hours"), a_clock(3, "working_days")), 102 * 24 + 23)
def test_another_clock_goes_against_nobody_only_where_it_never_ends_later(
    clocks: tuple[dict[str, Any], dict[str, Any]], hours: int
) -> None:
    """`clocks`: the new one, and the one before it; begun so many hours after the start of November 2026."""
    before, after = copy.deepcopy(RULES), copy.deepcopy(RULES)
    for source in (before, after):
        source["clocks"] |= {"officer_decision": clocks[0], "whitelisting_decision": clocks[1]}
    after["services"]["whitelist_call_centre"]["clock"] = "officer_decision"
    [change] = changes(before, after)
    new, old = (policy.Allowance(**each) for each in clocks)
    begins = dt.datetime(2026, 11, 1, tzinfo=BUNDLED.calendar.zone_info) + dt.timedelta(hours=hours)
    ends = [policy.add(start=begins, allowance=each, calendar=BUNDLED.calendar) for each in (new, old)]
    assert change.is_against or ends[0] <= ends[1]
    if {**clocks[0], "length": 0} == {**clocks[1], "length": 0}:
        assert change.is_against == (new.length > old.length)


@given(st.data())
def test_nothing_that_differs_is_left_out(data: st.DataObject) -> None:
    """Any one value that is taken away or replaced, wherever it stands, is one difference and no other."""
    after = copy.deepcopy(RULES)
    found: Any = after
    while True:
        keys = sorted(found) if isinstance(found, dict) else range(len(found))
        key = data.draw(st.sampled_from(keys))
        below = found[key]
        if (
            not isinstance(below, dict | list)
            or not below
            or not any(isinstance(each, dict | list) for each in (below.values() if isinstance(below, dict) else below))
        ):
            break
        found = below
    found[key] = ["something else"]
    assert changes(RULES, after)
    assert changes(RULES, RULES) == []
