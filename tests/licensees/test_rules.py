"""What may take the place of a list, over random lists: nothing vanishes, what is over stays, an end is told."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rahdari.licensees import rules
from rahdari.licensees.rules import What
from rahdari.policy import Licence, Licensee, Licensees, Text
from rahdari.policy.reading import Faults
from rahdari.policy.toml_lines import Lines

TODAY = dt.date(2026, 11, 30)
WORDS = Text("words", "الفاظ")
LICENCE = Licence("data", WORDS, (), ())
DAYS = st.none() | st.dates(TODAY - dt.timedelta(days=60), TODAY + dt.timedelta(days=60))


@st.composite
def providers(draw: st.DrawFn, key: str) -> Licensee:
    texts = {name: draw(st.none() | st.just(WORDS)) for name in ("why", "turn_to", "at_once")}
    until = draw(DAYS)
    return Licensee(key, key.upper(), "", "data", TODAY, WORDS, "", dt.date(2026, 1, 1), until, **texts)


@st.composite
def lists(draw: st.DrawFn) -> Licensees:
    keys = draw(st.sets(st.sampled_from("abcd"), max_size=4))
    found = tuple(draw(providers(key)) for key in sorted(keys))
    return Licensees(TODAY, len(found), True, None, {"data": LICENCE}, found)


def judged(before: Licensees | None, after: Licensees, names: tuple[str, ...]) -> list[str]:
    faults = Faults(Lines(""))
    rules.judge(before, after, names, TODAY, faults)
    return [problem.message for problem in faults.found]


@given(before=lists(), after=lists(), two=st.booleans())
def test_whatever_is_taken_keeps_the_promises(before: Licensees, after: Licensees, two: bool) -> None:
    names = ("A. One, Licensing", "B. Two, Law") if two else ("A. One, Licensing", " a. one,  LICENSING")
    if judged(before, after, names):
        return
    for old in before.providers:
        one = after.provider(old.key)
        assert one is not None
        if rules.standing(old, TODAY) is rules.Standing.ENDED:
            assert one == old
        if rules.ends_earlier(old, one):
            assert two and one.why and one.turn_to and one.valid_until is not None and one.valid_until >= TODAY
            assert one.valid_until >= TODAY + rules.NOTICE or one.at_once
    told = {each.key for each in rules.changes(before, after, TODAY)}
    assert told == {each.key for each in after.providers if each != before.provider(each.key)}


@given(found=lists())
def test_the_same_list_says_nothing_new_and_needs_nobody(found: Licensees) -> None:
    assert rules.changes(found, found, TODAY) == [] == judged(found, found, ())


def test_new_terms_of_a_licence_take_two_persons() -> None:
    one = Licensees(TODAY, 0, True, None, {"data": LICENCE}, ())
    other = replace(one, licences={"data": replace(LICENCE, title=Text("other", "اور"))})
    assert [each.what for each in rules.changes(one, other, TODAY)] == [What.TERMS]
    assert "takes two persons" in judged(one, other, ("A. One, Licensing",))[0]
    assert judged(one, other, ("A. One, Licensing", "B. Two, Law")) == []
