"""An answer from counts and looks at what is named, held against judging every entry by itself."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari.preflight import State, answer
from rahdari.preflight.change import EVERY_PROTOCOL, Action, Change, Rule, RuleList, Syntax
from rahdari.preflight.judging import Judge, worst_of_lists
from rahdari.preflight.space import ALL_OF, ANYWHERE, PORTS, Addresses
from tests.needs import fewer
from tests.preflight.editions import Edition, held

PORT = st.sampled_from([1, 2, 3, 500, 65_535])
ENTRIES = [
    held(address, protocol, port, id=f"{address} {protocol} {port}")
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.4/31", "2001:db8::1", "2001:db8::/126")
    for protocol, port in (("any", None), ("udp", None), ("udp", 2), ("udp", 500), ("tcp", 65_535), ("esp", None))
]
BLOCKS = st.sampled_from([ANYWHERE, *ALL_OF.values()]) | st.builds(
    lambda first, more: Addresses(v4=((0xC0000200 + first, 0xC0000200 + first + more),)),
    st.integers(0, 6),
    st.integers(0, 3),
)
SPANS = st.just(PORTS) | st.tuples(PORT, PORT).map(lambda ends: ((min(ends), max(ends)),))
RULES = st.builds(
    Rule,
    action=st.sampled_from([Action.DENY, Action.DENY, Action.PERMIT, Action.LIMIT]),
    line=st.integers(1, 9),
    source=st.just(ANYWHERE) | BLOCKS,
    destination=BLOCKS,
    protocols=st.sampled_from([EVERY_PROTOCOL, frozenset({"udp"}), frozenset({"tcp", "esp"})]),
    destination_ports=SPANS,
    conditional=st.booleans(),
)
LISTS = st.builds(
    RuleList,
    name=st.just("x"),
    line=st.just(1),
    otherwise=st.sampled_from([Action.PERMIT, Action.DENY]),
    otherwise_line=st.just(10),
    reach=st.sampled_from([ANYWHERE, *ALL_OF.values()]),
    both_ways=st.booleans(),
    rules=st.lists(RULES, max_size=4),
)


@settings(max_examples=fewer(300, 60), deadline=None)
@given(lists=st.lists(LISTS, min_size=1, max_size=2), entries=st.lists(st.sampled_from(ENTRIES), unique=True))
def test_an_answer_says_what_judging_each_entry_says(lists: list[RuleList], entries: list[tuple[object, ...]]) -> None:
    change = Change(Syntax.LINES, 9, tuple(lists))
    found = answer(change, Edition(entries))  # type: ignore[arg-type]
    judges = [Judge(each, {}) for each in lists]
    expected = {
        entry.id: verdict
        for entry in ENTRIES
        if entry in entries
        and (verdict := worst_of_lists([each.verdict(*entry[1:]) for each in judges])).state is not State.UNTOUCHED
    }
    assert {each.entry.id: each.verdict for each in found.found} == expected
    assert len(found.found) == len(expected)
    states = Counter(each.state for each in expected.values())
    assert (found.entries, found.cut, found.affected) == (len(entries), states[State.CUT], states[State.AFFECTED])
