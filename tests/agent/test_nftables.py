"""The real nft, in a network namespace of the test's own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, NftTarget
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.agent.nftables import NftSets, script
from rahdari.agent.programs import DeviceRefused, Program
from rahdari.agent.ruleset import MARK, ruleset
from rahdari.agent.sets import SET_NAMES
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.renderers import rows_of
from tests.needs import needs_program

pytestmark = pytest.mark.root


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    needs_program("nft", "apt-get install nftables")
    with a_namespace() as made:
        yield made


@pytest.fixture
def loaded(namespace: Namespace) -> Namespace:
    namespace.nft("-f", "-", given=ruleset())
    return namespace


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, namespace: Namespace) -> Configuration:
    target = NftTarget("edge", netns=namespace.name)
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


class TestApply:
    def test_puts_each_kind_of_entry_into_its_set(
        self, publisher: Publisher, edge: Configuration, loaded: Namespace, stand: Stand
    ) -> None:
        publisher.publish(
            an_entry("192.0.2.1/32"),
            an_entry("192.0.2.1/32"),
            an_entry("198.51.100.0/25"),
            an_entry("198.51.100.128/25"),
            an_entry("198.51.100.64/28"),
            an_entry("192.0.2.2/32", "udp", 51820),
            an_entry("203.0.113.0/28", "tcp", 443),
            an_entry("203.0.113.0/29", "tcp", 443),
            an_entry("192.0.2.3/32", "esp"),
            an_entry("203.0.113.64/28", "gre"),
            an_entry("2001:db8::1/128"),
            an_entry("2001:db8:1::/48"),
            an_entry("2001:db8::2/128", "udp", 1194),
            an_entry("2001:db8:2::/48", "udp"),
        )
        outcome = sync(edge)
        assert (outcome.exit, outcome.faults) == (Exit.OK, ())
        assert loaded.elements("hosts4") == ["192.0.2.1"]
        assert loaded.elements("nets4") == [{"prefix": {"addr": "198.51.100.0", "len": 24}}]
        assert loaded.elements("host_ports4") == [{"concat": ["192.0.2.2", 17, 51820]}]
        assert loaded.elements("net_ports4") == [{"concat": [{"prefix": {"addr": "203.0.113.0", "len": 28}}, 6, 443]}]
        assert loaded.elements("host_protocols4") == [{"concat": ["192.0.2.3", 50]}]
        assert loaded.elements("net_protocols4") == [{"concat": [{"prefix": {"addr": "203.0.113.64", "len": 28}}, 47]}]
        assert loaded.elements("hosts6") == ["2001:db8::1"]
        assert loaded.elements("nets6") == [{"prefix": {"addr": "2001:db8:1::", "len": 48}}]
        assert loaded.elements("host_ports6") == [{"concat": ["2001:db8::2", 17, 1194]}]
        assert loaded.elements("net_protocols6") == [{"concat": [{"prefix": {"addr": "2001:db8:2::", "len": 48}}, 17]}]
        assert stand.receipts[-1]["targets"] == [{"name": "edge", "kind": "nftables", "loaded": 14, "ok": True}]
        # Once more: the device already has it.
        assert sync(edge).applied.targets == ()
        publisher.publish(remove=list(publisher.entries.values()))
        assert sync(edge).exit is Exit.OK
        assert all(loaded.elements(name) == [] for name in SET_NAMES)

    def test_changes_what_changed_and_refills_a_ruleset_that_was_reloaded(
        self, publisher: Publisher, edge: Configuration, loaded: Namespace
    ) -> None:
        first, second = an_entry("192.0.2.1/32"), an_entry("198.51.100.0/24")
        publisher.publish(first, second)
        with running(edge) as agent:
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            coming = [an_entry("192.0.2.2/32"), an_entry("198.51.100.0/25"), an_entry("192.0.2.3/32", "udp", 1)]
            publisher.publish(*coming, remove=[first, second])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert loaded.elements("hosts4") == ["192.0.2.2"]
            assert loaded.elements("nets4") == [{"prefix": {"addr": "198.51.100.0", "len": 25}}]
            # Somebody empties the sets: a change that no longer fits makes the agent look, and a look is enough too.
            loaded.nft("flush", "set", "inet", "rahdari", "hosts4")
            publisher.publish(an_entry("192.0.2.4/32"), remove=[coming[0]])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert loaded.elements("hosts4") == ["192.0.2.4"]
            loaded.nft("delete", "table", "inet", "rahdari")
            loaded.nft("-f", "-", given=ruleset())
            outcome = agent.sync(now=now(), look=True)
            assert loaded.elements("hosts4") == ["192.0.2.4"]
            assert names(outcome) == ["RemovedLocally"]

    def test_takes_out_what_it_did_not_put_there(
        self, publisher: Publisher, edge: Configuration, loaded: Namespace
    ) -> None:
        loaded.nft("add", "element", "inet", "rahdari", "nets4", "{ 192.0.2.0-192.0.2.130, 203.0.113.7 }")
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(edge).exit is Exit.OK
        assert loaded.elements("nets4") == []

    def test_fills_many_in_one_transaction(self, loaded: Namespace) -> None:
        many = [an_entry(f"10.{a}.{b}.{c}/32") for a in range(2) for b in range(25) for c in range(250)]
        nets = [an_entry(f"172.16.{number}.0/25") for number in range(250)]
        sets = NftSets(NftTarget("edge", netns=loaded.name))
        sets.look(rows_of(*many, *nets), whole=True)
        assert len(loaded.elements("hosts4")) == 12_500
        assert len(loaded.elements("nets4")) == 250
        sets.look(rows_of(*many[:5000], *nets), whole=True)
        assert len(loaded.elements("hosts4")) == 5000

    def test_marks_and_never_drops(self, loaded: Namespace) -> None:
        said = json.loads(loaded.nft("-j", "list", "table", "inet", "rahdari"))
        rules = [item["rule"]["expr"] for item in said["nftables"] if "rule" in item]
        assert len(rules) == 2 * len(SET_NAMES)
        for expressions in rules:
            assert {next(iter(expression)) for expression in expressions} == {"match", "mangle"}
        chains = [item["chain"] for item in said["nftables"] if "chain" in item]
        assert [chain["policy"] for chain in chains] == ["accept"]

    def test_marks_packets_to_a_registered_endpoint(self, loaded: Namespace) -> None:
        """A real packet: to the registered port it carries the mark, to another port it does not."""
        loaded.run(loaded.ip, "link", "set", "lo", "up")
        counting = "table inet seen { chain in { type filter hook input priority 0; "
        counting += f"udp dport 51820 meta mark and {MARK} == {MARK} counter; "
        counting += f"udp dport 51821 meta mark and {MARK} == {MARK} counter;\n}}\n}}"
        loaded.nft("-f", "-", given=counting)
        NftSets(NftTarget("edge", netns=loaded.name)).look(rows_of(an_entry("127.0.0.1/32", "udp", 51820)), whole=True)
        send = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 9999));"
        send += "[s.sendto(b'x', ('127.0.0.1', port)) for port in (51820, 51821)]"
        loaded.run("python3", "-c", send)
        said = json.loads(loaded.nft("-j", "list", "table", "inet", "seen"))
        counters = [
            expression["counter"]["packets"]
            for item in said["nftables"]
            if "rule" in item
            for expression in item["rule"]["expr"]
            if "counter" in expression
        ]
        assert counters == [1, 0]


class TestApplyIsRefused:
    def test_without_the_table_where_it_may_not_load_it_and_mends_itself_when_it_comes(
        self, publisher: Publisher, stand: Stand, edge: Configuration, namespace: Namespace
    ) -> None:
        edge = replace(edge, targets=(NftTarget("edge", netns=namespace.name, loads=False),))
        publisher.publish(an_entry("192.0.2.1/32"))
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["TableMissing"])
        assert "rahdari agent ruleset" in outcome.faults[0].mend
        assert stand.receipts[-1]["targets"] == [{"name": "edge", "kind": "nftables", "loaded": 0, "ok": False}]
        namespace.nft("-f", "-", given="table inet rahdari {\nset hosts4 { type ipv4_addr; }\n}")
        outcome = sync(edge)
        assert names(outcome) == ["SetsMissing"]
        assert "nets4, host_protocols4" in outcome.faults[0].what
        namespace.nft("-f", "-", given=ruleset())
        assert sync(edge).exit is Exit.OK
        assert stand.receipts[-1]["targets"][0]["ok"] is True

    def test_when_the_program_is_ended_by_somebody(self) -> None:
        with pytest.raises(DeviceRefused, match=r"sh did not take the change: it was ended by signal 15\."):
            Program(["sh"], install="dash").run("-c", "kill -TERM $$")

    def test_when_sets_are_of_another_type(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        sets = [line for line in ruleset().splitlines() if line.startswith("    set ")]
        wrong = "\n".join(sets).replace("set hosts4 { type ipv4_addr; }", "set hosts4 { type ipv6_addr; }")
        namespace.nft("-f", "-", given=f"table inet rahdari {{\n{wrong}\n}}\n")
        outcome = sync(edge)
        assert names(outcome) == ["DeviceRefused"]

    def test_when_a_set_is_too_small_and_then_nothing_is_left_out(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        namespace.nft("-f", "-", given=ruleset().replace("{ type ipv4_addr; }", "{ type ipv4_addr; size 2; }"))
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        assert sync(edge).exit is Exit.OK
        publisher.publish(an_entry("192.0.2.3/32"), an_entry("2001:db8::/32"))
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["SetTooSmall"])
        assert "hosts4 holds 2 elements at most and 3 are needed" in outcome.faults[0].what
        assert namespace.elements("hosts4") == ["192.0.2.1", "192.0.2.2"]
        assert namespace.elements("nets6") == []

    def test_without_nft_the_namespace_or_the_right(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        target = edge.targets[0]
        assert isinstance(target, NftTarget)
        setpriv = needs_program("setpriv", "apt-get install util-linux")
        nobody = (setpriv, "--reuid", "65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all")
        for other, fault in (
            (replace(target, nft="no-such-nft"), "ProgramMissing"),
            (replace(target, netns="no-such-netns"), "NamespaceMissing"),
            (NftTarget("edge", run_as=nobody), "NotPermitted"),
        ):
            outcome = sync(replace(edge, targets=(other,)))
            assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, [fault])
        with open_state(edge.state) as state:
            assert state.count() == 1

    def test_one_target_does_not_hold_up_the_other(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        edge = NftTarget("edge", netns=namespace.name, loads=False)
        both = replace(configuration, targets=(edge, *configuration.targets))
        outcome = sync(both)
        assert outcome.exit is Exit.NOT_APPLIED
        assert outcome.applied.targets == ("entries.json",)
        assert [target["ok"] for target in stand.receipts[-1]["targets"]] == [False, True]


def test_script_takes_out_first_and_names_each_change() -> None:
    made = script(
        "inet rahdari", {"hosts4": {"192.0.2.2"}, "nets4": {"198.51.100.0/24"}}, {"nets4": {"198.51.100.0/25"}}
    )
    assert made == (
        "delete element inet rahdari nets4 { 198.51.100.0/25 }\n"
        "add element inet rahdari hosts4 { 192.0.2.2 }\n"
        "add element inet rahdari nets4 { 198.51.100.0/24 }\n"
    )


def test_needs_no_right_but_cap_net_admin(loaded: Namespace) -> None:
    """As in deploy/rahdari-agent.service: an ordinary user with one capability."""
    setpriv = needs_program("setpriv", "apt-get install util-linux")
    nft = needs_program("nft", "apt-get install nftables")
    words = [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
    words += ["--inh-caps=-all,+net_admin", "--bounding-set=-all,+net_admin", "--ambient-caps=+net_admin"]
    loaded.run(*words, nft, "-f", "-", given=script("inet rahdari", {"hosts4": {"192.0.2.1"}}, {}))
    assert loaded.elements("hosts4") == ["192.0.2.1"]
