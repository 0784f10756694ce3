"""What lists of rules do to endpoints: the exact answer, held against trying every packet of a small world."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.preflight.change import Action, JumpsInCircle, Rule, RuleList, TooManyRules
from rahdari.preflight.judging import Judge, State, one_way
from rahdari.preflight.judging import Shape as Seen
from rahdari.preflight.space import Addresses, common, meets, size, union, without
from tests.preflight.editions import held, looked, states

GATE = held("192.0.2.10", "udp", 51820, id="gate")
WEB = held("192.0.2.11", "tcp", 443, id="web")
NET = held("198.51.100.0/28", id="net")
SIX = held("2001:db8:7::1", "esp", id="six")
ALL = (GATE, WEB, NET, SIX)

numbers = st.integers(0, 15)
spans = st.lists(st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))), max_size=4).map(union)


class TestSpans:
    @given(one=spans, other=spans)
    def test_are_sets_of_numbers(self, one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> None:
        def members(of: tuple[tuple[int, int], ...]) -> set[int]:
            return {number for first, last in of for number in range(first, last + 1)}

        assert members(common(one, other)) == members(one) & members(other)
        assert members(without(one, other)) == members(one) - members(other)
        assert members(union([*one, *other])) == members(one) | members(other)
        assert size(one) == len(members(one))
        assert [meets(one, span) for span in other] == [bool(members(one) & members((span,))) for span in other]
        assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(common(one, other)))


shapes = st.builds(
    Seen,
    action=st.sampled_from([Action.PERMIT, Action.DENY]),
    protocols=st.just(frozenset({"udp"})),
    remote=spans.filter(bool),
    here=spans.filter(bool),
    there=spans.filter(bool),
    conditional=st.just(False),
    goes_on=st.just(False),
    named=st.booleans(),
)


class TestOneWay:
    @given(rules=st.lists(shapes, max_size=6), otherwise=st.sampled_from([Action.PERMIT, Action.DENY]))
    def test_says_what_trying_every_packet_says(self, rules: list[Seen], otherwise: Action) -> None:
        world = ((0, 15),)
        # Of the ports there, what is beyond the small world is decided by no rule.
        denied = permitted = False
        for packet in itertools.product(range(16), range(16), [*range(16), 16]):
            fits = next(
                (
                    rule.action
                    for rule in rules
                    if all(
                        common(of, ((number, number),))
                        for of, number in zip((rule.remote, rule.here, rule.there), packet, strict=True)
                    )
                ),
                otherwise,
            )
            denied |= fits is Action.DENY
            permitted |= fits is Action.PERMIT
        said = one_way([(rule, 0) for rule in rules], protocol="udp", ports=world, family=world, otherwise=otherwise)
        assert (said.some, said.whole) == (denied, denied and not permitted)


class TestFirstMatch:
    def test_spares_what_is_permitted_before_it_is_denied(self) -> None:
        plan = "permit 192.0.2.10 udp 51820\ndeny 192.0.2.0/24\n"
        assert states(plan, *ALL) == {"web": "cut"}
        assert states("deny 192.0.2.0/24\npermit 192.0.2.10 udp 51820\n", *ALL) == {"gate": "cut", "web": "cut"}

    def test_names_the_lines_that_decide(self) -> None:
        found = looked("permit 192.0.2.11\n\ndeny 192.0.2.0/28\noff 192.0.2.0/24", *ALL)
        assert [(each.entry.id, each.verdict.lines) for each in found.found] == [("gate", (3,))]

    def test_affects_what_is_denied_in_part(self) -> None:
        assert states("deny 198.51.100.4/30", *ALL) == {"net": "affected"}
        assert states("deny 198.51.100.0/29\ndeny 198.51.100.8/29", *ALL) == {"net": "cut"}
        assert states("deny 198.51.100.0/28 udp", *ALL) == {"net": "affected"}
        rest = "deny 198.51.100.0/28 tcp\ndeny 198.51.100.0/28 udp\ndeny 198.51.100.0/28 esp, gre"
        assert states(rest, *ALL) == {"net": "affected"}

    def test_leaves_other_ports_and_protocols_alone(self) -> None:
        assert states("deny 192.0.2.10 udp 51821\ndeny 192.0.2.10 tcp\ndeny 192.0.2.10 esp", *ALL) == {}
        assert states("deny 192.0.2.10 udp 51000-52000", *ALL) == {"gate": "cut"}

    @pytest.mark.parametrize("word", ["limit", "reroute", "renumber"])
    def test_affects_what_is_not_denied(self, word: str) -> None:
        found = looked(f"{word} 192.0.2.0/24", *ALL)
        assert [(each.verdict.state, *each.verdict.actions) for each in found.found] == [(State.AFFECTED, word)] * 2
        assert not found.denies_by_default

    def test_counts_one_end_alone(self) -> None:
        """A source that is closed to everybody is cut itself, and cuts nobody else."""
        one_source = "ip access-list extended X\n deny ip 203.0.113.0 0.0.0.255 any\n permit ip any any\n"
        assert states(one_source, *ALL, held("203.0.113.7", id="there")) == {"there": "cut"}

    def test_takes_a_port_that_is_denied_to_everybody(self) -> None:
        plan = "ip access-list extended X\n deny udp any any eq 51820\n permit ip any any\n"
        found = looked(plan, *ALL)
        assert [(each.entry.id, each.verdict.state) for each in found.found] == [
            ("gate", State.CUT),
            # Everything is registered there, and one port of it goes.
            ("net", State.AFFECTED),
        ]
        assert not found.denies_by_default

    def test_takes_who_may_still_come_into_account(self) -> None:
        some = (
            "ip access-list extended X\n permit udp 203.0.113.0 0.0.0.255 host 192.0.2.10 eq 51820\n deny ip any any\n"
        )
        found = {each.entry.id: each.verdict.state for each in looked(some, *ALL).found}
        assert (found["gate"], found["web"]) == (State.AFFECTED, State.CUT)


class TestWays:
    """A list stands on one way, or on both."""

    def test_a_list_of_one_way_spares_what_it_lets_through(self) -> None:
        customers = "ip access-list extended IN\n permit ip 192.0.2.0 0.0.0.255 any\n"
        assert states(customers, *ALL) == {"net": "cut"}

    def test_on_both_ways_the_way_back_must_be_open(self) -> None:
        rules = (
            "table inet f {{ chain c {{ type filter hook forward priority 0; policy drop;\n"
            "{first}\nip daddr 192.0.2.10 udp dport 51820 accept\n}}}}"
        )
        assert states(rules.format(first=""), GATE) == {"gate": "cut"}
        assert states(rules.format(first="ct state established,related accept"), GATE) == {}

    def test_the_commonest_firewalls_cut_what_they_close_and_no_more(self) -> None:
        rules = (
            "table inet f {{ chain c {{ type filter hook forward priority 0; policy drop;\n{0}\n"
            "{1}\ntcp dport 443 accept\n}}}}"
        )
        for established in (
            "ct state established,related accept",
            "ct state vmap { established : accept, related : accept, invalid : drop }",
        ):
            found = looked(rules.format(established, ""), *ALL)
            hit = {each.entry.id: str(each.verdict.state) for each in found.found}
            assert hit == {"gate": "cut", "six": "cut", "net": "affected"}
            assert found.denies_by_default and [share.everything for share in found.shares.values()] == [0, 0]
            more = states(
                rules.format(established, "udp dport { 500, 4500, 51820 } accept\nmeta l4proto esp accept"), *ALL
            )
            assert more == {"net": "affected"}

    def test_what_lets_the_rest_through_counts_where_it_stands(self) -> None:
        rules = "table inet f {{ chain c {{ type filter hook forward priority 0; policy accept;\n{}\n}}}}"
        late = "udp dport 51820 accept\ndrop\nct state established accept"
        assert states(rules.format(late), GATE) == {"gate": "cut"}
        begun = "ct state new udp dport 51820 accept\ndrop"
        assert states(rules.format(begun), GATE) == {"gate": "cut"}
        assert states(rules.format(f"ct state established accept\n{begun}"), GATE) == {}

    def test_several_lists_may_each_cut(self) -> None:
        lists = (
            "ip access-list extended A\n deny udp any host 192.0.2.10 eq 51820\n permit ip any any\n"
            "ip access-list extended B\n deny tcp any host 192.0.2.11 eq 443\n permit ip any any\n"
        )
        assert states(lists, *ALL) == {"gate": "cut", "web": "cut"}


class TestJumps:
    @staticmethod
    def table(*chains: str) -> str:
        base = "chain f {{ type filter hook forward priority 0; policy accept;\nct state established accept\n{}\n}}"
        return "table inet t {\n" + "\n".join([*chains[1:], base.format(chains[0])]) + "\n}"

    def test_go_back_to_where_they_came_from(self) -> None:
        plan = self.table("jump sub\nip daddr 192.0.2.0/24 drop", "chain sub { ip daddr 192.0.2.10 return; }")
        assert states(plan, *ALL) == {"gate": "cut", "web": "cut"}
        plan = self.table("goto sub\nip daddr 192.0.2.0/24 drop", "chain sub { ip daddr 192.0.2.10 drop; }")
        assert states(plan, *ALL) == {"gate": "cut"}

    def test_return_ends_what_was_jumped_to_alone(self) -> None:
        sub = "chain sub { ip daddr 192.0.2.10 return; ip daddr 192.0.2.0/24 drop; }"
        assert states(self.table("jump sub", sub), *ALL) == {"web": "cut"}

    def test_only_what_fits_the_jump_is_judged_there(self) -> None:
        sub = "chain sub { drop; }"
        assert states(self.table("ip daddr 192.0.2.11 tcp dport 443 jump sub", sub), *ALL) == {"web": "cut"}

    def test_in_a_circle_or_without_end_are_refused(self) -> None:
        one = RuleList("a", 1, rules=[Rule(Action.JUMP, 1, target="b")])
        two = RuleList("b", 1, rules=[Rule(Action.JUMP, 1, target="a")])
        with pytest.raises(JumpsInCircle):
            Judge(one, {"a": one, "b": two})
        chain = {str(n): RuleList(str(n), 1, rules=[Rule(Action.JUMP, 1, target=str(n + 1))] * 99) for n in range(9)}
        chain["9"] = RuleList("9", 1, rules=[Rule(Action.DENY, 1)])
        with pytest.raises(TooManyRules):
            Judge(chain["0"], chain)


class TestBlocks:
    """A block of an entry may be wider than what a rule names, or reach over several rules."""

    @given(
        rules=st.lists(st.tuples(st.sampled_from([Action.DENY, Action.PERMIT]), numbers, numbers), max_size=5),
        block=st.tuples(numbers, numbers).map(sorted),
    )
    def test_are_judged_as_each_of_their_addresses(
        self, rules: list[tuple[Action, int, int]], block: list[int]
    ) -> None:
        def rule(at: int, action: Action, one: int, two: int) -> Rule:
            return Rule(action, at, destination=Addresses(v4=((min(one, two), max(one, two)),)))

        of = RuleList("x", 1, rules=[rule(at, *each) for at, each in enumerate(rules)])
        judge = Judge(of, {})
        alone = [judge.verdict(4, (number, number), "udp", 1).state for number in range(block[0], block[1] + 1)]
        whole = judge.verdict(4, (block[0], block[1]), "udp", 1).state
        if all(state is State.CUT for state in alone):
            assert whole is State.CUT
        else:
            assert whole is (State.AFFECTED if set(alone) != {State.UNTOUCHED} else State.UNTOUCHED)
