"""What differs between two versions of the rules, and what of it nobody is worse off by."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy.changes import HARMLESS, Change, changes

RULES = dict(policy.load(policy.BUNDLED).source)


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
