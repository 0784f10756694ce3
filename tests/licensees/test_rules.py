"""What may take the place of a list, over random lists: nothing vanishes, what is over stays, and whoever uses a
provider is told in time of what leaves them worse off, by whatever field."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.licensees import rules
from rahdari.licensees.rules import What
from rahdari.policy import Allowance, Licence, Licensee, Licensees, Term, Text
from rahdari.policy.licensees import GROUNDS
from rahdari.policy.reading import Faults
from rahdari.policy.toml_lines import Lines

TODAY = dt.date(2026, 11, 30)
WORDS = Text("words", "الفاظ")
OTHER = Text("other words", "اور الفاظ")
LICENCE = Licence("data", WORDS, (), ())
DAYS = st.none() | st.dates(TODAY - dt.timedelta(days=60), TODAY + dt.timedelta(days=60))


@st.composite
def providers(draw: st.DrawFn, key: str) -> Licensee:
    texts = {name: draw(st.none() | st.just(WORDS)) for name in ("why", "turn_to", "at_once")}
    begins, until = draw(st.just(dt.date(2026, 1, 1)) | DAYS), draw(DAYS)
    if begins is not None and until is not None and until < begins:
        begins, until = until, begins
    name, product = draw(st.sampled_from((key, key.upper()))), draw(st.sampled_from(("", "")) | st.just("Example VPN"))
    kind = draw(st.sampled_from(("data", "data", "voice")))
    return Licensee(key, name, product, kind, TODAY, WORDS, "", begins, until, **texts)


KEPT = st.none() | st.builds(Allowance, st.integers(1, 13), st.sampled_from(("months", "calendar_days", "years")))


@st.composite
def terms(draw: st.DrawFn) -> tuple[Term, ...]:
    def one(text: Text) -> Term:
        return Term(text, draw(st.sampled_from(GROUNDS)), WORDS, "https://authority.example", draw(KEPT), draw(DAYS))

    return tuple(one(text) for text in draw(st.lists(st.sampled_from((WORDS, OTHER)), max_size=2)))


@st.composite
def licences(draw: st.DrawFn, key: str) -> Licence:
    texts = {name: draw(st.none() | st.just(WORDS)) for name in ("why", "turn_to", "at_once")}
    return Licence(key, WORDS, draw(terms()), draw(terms()), **texts)


@st.composite
def lists(draw: st.DrawFn) -> Licensees:
    keys = draw(st.sets(st.sampled_from("abcd"), max_size=4))
    found = tuple(draw(providers(key)) for key in sorted(keys))
    kinds = {key: draw(st.just(replace(LICENCE, key=key)) | licences(key)) for key in ("data", "voice")}
    return Licensees(TODAY, len(found), True, draw(st.none() | st.just(WORDS)), kinds, found)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Licensees, Licensees]:
    """A list and another one, mostly the same: chance alone hardly changes one thing and leaves the rest."""
    before = draw(lists())
    if draw(st.booleans()):
        return before, draw(lists())
    after = replace(
        before,
        providers=tuple(draw(st.just(each) | st.just(each) | providers(each.key)) for each in before.providers),
        licences={key: draw(st.just(each) | licences(key)) for key, each in before.licences.items()},
    )
    return before, after


def judged(before: Licensees | None, after: Licensees, names: tuple[str, ...]) -> list[str]:
    faults = Faults(Lines(""))
    rules.judge(before, after, names, TODAY, faults)
    return [problem.message for problem in faults.found]


# -- a user of a provider on one day, told without the rules --


def is_served(one: Licensee, day: dt.date) -> bool:
    return (one.valid_from or day) <= day <= (one.valid_until or day)


def demands(licence: Licence, day: dt.date) -> list[tuple[str, Term]]:
    every = [("condition", each) for each in licence.conditions] + [("record", each) for each in licence.records]
    return [(sort, each) for sort, each in every if each.valid_from is None or each.valid_from <= day]


def is_met(new: Term, old: Term) -> bool:
    """Nobody who knew the old one is surprised by the new one."""
    days = {"calendar_days": (1, 1), "months": (28, 31), "years": (365, 366)}
    if new.text != old.text or GROUNDS.index(new.ground) < GROUNDS.index(old.ground):
        return False
    if new.keep is None or old.keep is None:
        return new.keep == old.keep
    if new.keep.unit == old.keep.unit:
        return new.keep.length <= old.keep.length
    return new.keep.length * days[new.keep.unit][1] <= old.keep.length * days[old.keep.unit][0]


def is_worse_off(before: Licensees, after: Licensees, key: str, day: dt.date) -> bool:
    old, new = before.provider(key), after.provider(key)
    assert old is not None and new is not None
    if not is_served(old, day):
        return False
    if not is_served(new, day) or (old.name, old.product, old.licence) != (new.name, new.product, new.licence):
        return True
    known = demands(before.licences[old.licence], day)
    return any(
        not any(sort == of and is_met(each, was) for of, was in known)
        for sort, each in demands(after.licences[new.licence], day)
    )


SEEN = [TODAY + dt.timedelta(days=number) for number in range(100)]
ONE, TWO = ("A. One, Licensing", " a. one,  LICENSING"), ("A. One, Licensing", "B. Two, Law")


@given(pair=changed(), two=st.booleans())
def test_nobody_who_uses_a_provider_is_worse_off_untold(pair: tuple[Licensees, Licensees], two: bool) -> None:
    before, after = pair
    faults = judged(before, after, TWO if two else ONE)
    if any("is not in it any more" in fault for fault in faults):
        return
    worse = {old.key: [day for day in SEEN if is_worse_off(before, after, old.key, day)] for old in before.providers}
    ends = [old for old in before.providers if rules.ends_earlier(old, after.provider(old.key) or old)]
    if not faults:
        for key, days in worse.items():
            old, new = before.provider(key), after.provider(key)
            assert old is not None and new is not None
            if not days:
                continue
            assert two
            said: list[tuple[Licensee | Licence, Licensee | Licence]] = [(old, new)]
            said += [(before.licences[old.licence], after.licences[new.licence])]
            assert any(told.why and told.turn_to for _was, told in said)
            if days[0] < TODAY + rules.NOTICE:
                assert any(told.at_once and not was.at_once for was, told in said)
    if not any(worse.values()) and not ends and before.licences == after.licences and before.users == after.users:
        assert not any("two persons" in fault or "told 30 days" in fault for fault in faults)


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
    kinds = {key for key, each in after.licences.items() if each != before.licences[key]}
    assert told == kinds | {each.key for each in after.providers if each != before.provider(each.key)}


@given(found=lists())
def test_the_same_list_says_nothing_new_and_needs_nobody(found: Licensees) -> None:
    assert rules.changes(found, found, TODAY) == [] == judged(found, found, ())


def test_new_terms_of_a_licence_take_two_persons() -> None:
    one = Licensees(TODAY, 0, True, None, {"data": LICENCE}, ())
    other = replace(one, licences={"data": replace(LICENCE, title=Text("other", "اور"))})
    assert [each.what for each in rules.changes(one, other, TODAY)] == [What.TERMS]
    assert "takes two persons" in judged(one, other, ("A. One, Licensing",))[0]
    assert judged(one, other, ("A. One, Licensing", "B. Two, Law")) == []


def a_row(**more: Any) -> Licensee:
    begun = dt.date(2026, 1, 1)
    return replace(Licensee("a", "A", "", "data", TODAY, WORDS, "", begun, None, None, None, None), **more)


RECORDED = (Term(WORDS, "draft", WORDS, "https://authority.example", Allowance(6, "months")),)
TOLD: dict[str, Any] = {"why": WORDS, "turn_to": WORDS}


@pytest.mark.parametrize(
    ("row", "licence"),
    [
        ({"valid_until": TODAY + dt.timedelta(days=3)}, {}),
        ({"valid_from": TODAY + dt.timedelta(days=300)}, {}),
        ({"licence": "voice"}, {}),
        ({"name": "B"}, {}),
        ({"product": "Another VPN"}, {}),
        ({}, {"conditions": RECORDED}),
        ({}, {"records": (replace(RECORDED[0], keep=Allowance(1, "years")),)}),
        ({}, {"records": (replace(RECORDED[0], keep=None),)}),
        ({}, {"records": (replace(RECORDED[0], ground="in_force"),)}),
        ({}, {"records": (*RECORDED, replace(RECORDED[0], text=OTHER))}),
    ],
    ids=["ends", "begins", "licence", "name", "product", "condition", "longer", "unknown", "surer", "more"],
)
def test_a_begun_provider_is_taken_from_its_users_by_no_field_alone(
    row: dict[str, Any], licence: dict[str, Any]
) -> None:
    kinds = {"data": replace(LICENCE, records=RECORDED), "voice": replace(LICENCE, key="voice")}
    before = Licensees(TODAY, 1, True, None, kinds, (a_row(),))
    changed_kinds = {**kinds, "data": replace(kinds["data"], **licence)}
    after = replace(before, providers=(a_row(**row),), licences=changed_kinds)
    said = " ".join(judged(before, after, ONE))
    assert "takes two persons" in said and "told 30 days before" in said and "say where its users turn" in said

    def told(**more: Text) -> Licensees:
        every = TOLD | more
        providers = (a_row(**row | (every if row else {})),)
        return replace(
            after, providers=providers, licences=changed_kinds | {"data": replace(changed_kinds["data"], **every)}
        )

    assert any("told 30 days before" in each for each in judged(before, told(), TWO))
    assert judged(before, told(at_once=WORDS), TWO) == []
    assert "takes two persons" in judged(before, told(at_once=WORDS), ONE)[0]


def test_harder_terms_that_begin_in_time_need_no_reason_for_haste() -> None:
    before = Licensees(TODAY, 1, True, None, {"data": LICENCE}, (a_row(),))
    for days, asked in ((29, 1), (30, 0)):
        later = (replace(RECORDED[0], valid_from=TODAY + dt.timedelta(days=days)),)
        after = replace(before, licences={"data": replace(LICENCE, records=later, **TOLD)})
        assert len(judged(before, after, TWO)) == asked
        assert rules.changes(before, after, TODAY)[0].on == later[0].valid_from


def test_a_reason_for_haste_is_good_once_and_where_users_turn_stays() -> None:
    texts: dict[str, Any] = {**TOLD, "at_once": WORDS}
    ending = a_row(valid_until=TODAY + dt.timedelta(days=9), **texts)
    before = Licensees(TODAY, 1, True, None, {"data": LICENCE}, (ending,))
    sooner = replace(before, providers=(replace(ending, valid_until=TODAY + dt.timedelta(days=2)),))
    assert "at_once says why not" in judged(before, sooner, TWO)[0]
    silent = replace(before, providers=(replace(ending, turn_to=None),))
    assert "stay until it has" in judged(before, silent, TWO)[0]
    goes_on = replace(before, providers=(a_row(),))
    assert judged(before, goes_on, ONE) == []


def test_the_regulators_own_list_stays_its_own_and_what_users_are_told_takes_two() -> None:
    before = Licensees(TODAY, 1, True, WORDS, {"data": LICENCE}, (a_row(),))
    assert "regulator's own" in judged(before, replace(before, own_list=False), TWO)[0]
    assert "two persons, --name and --second: users" in judged(before, replace(before, users=None), ONE)[0]
    assert judged(before, replace(before, users=None), TWO) == []
