"""What takes the table of the agent along, and how the agent puts it back."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent import applying
from rahdari.agent import watching as watching_module
from rahdari.agent.configuration import Configuration, NftTarget, load
from rahdari.agent.faults import Exit
from rahdari.agent.nftables import NftSets
from rahdari.agent.ruleset import MARK, ruleset, ruleset_for
from rahdari.agent.watching import Taken, taken_out
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync, written
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.test_following import following
from tests.needs import needs_program
from tests.waiting import until

# As Debian's /etc/nftables.conf begins.
OWN = "flush ruleset\ntable inet edge { chain forward { type filter hook forward priority filter; policy accept; }; }\n"


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    needs_program("nft", "apt-get install nftables")
    with a_namespace() as made:
        yield made


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, namespace: Namespace) -> Configuration:
    publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32", "udp", 51820), an_entry("198.51.100.0/24"))
    target = NftTarget("edge", netns=namespace.name, ruleset=tmp_path / "edge" / "ruleset.nft")
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


def is_whole(namespace: Namespace) -> bool:
    said = json.loads(namespace.nft("-j", "list", "ruleset"))["nftables"]
    ours = [item for item in said if next(iter(item.values())).get("table") == "rahdari"]
    rules = sum("rule" in item for item in ours)
    elements = {
        name: len(item["set"].get("elem", [])) for item in ours if "set" in item for name in [item["set"]["name"]]
    }
    return (rules, elements.get("hosts4"), elements.get("nets4"), elements.get("host_ports4")) == (24, 1, 1, 1)


@pytest.mark.root
class TestSync:
    def test_loads_what_was_flushed_and_tells_it_once(self, edge: Configuration, namespace: Namespace) -> None:
        assert sync(edge).faults == ()
        assert is_whole(namespace)
        for act, gone in (
            (("-f", "-"), "There is no table inet rahdari"),
            (("delete", "table", "inet", "rahdari"), "There is no table inet rahdari"),
            (("flush", "chain", "inet", "rahdari", "registered"), "has no rules in registered"),
            (("delete", "chain", "inet", "rahdari", "registered"), "has no rules in registered"),
        ):
            namespace.nft(*act, given=OWN)
            outcome = sync(edge)
            assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"]), act
            assert gone in outcome.faults[0].what
            assert "stop the agent first" in outcome.faults[0].mend
            assert is_whole(namespace), act
            assert sync(edge).faults == ()
        rules = json.loads(namespace.nft("-j", "list", "chain", "inet", "rahdari", "registered"))["nftables"]
        handle = next(item["rule"]["handle"] for item in rules if "@host_ports4" in json.dumps(item))
        namespace.nft("delete", "rule", "inet", "rahdari", "registered", "handle", str(handle))
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"])
        assert "lacked rules for host_ports4. " in outcome.faults[0].what
        assert "put back" not in outcome.faults[0].what
        assert is_whole(namespace)
        assert sync(edge).faults == ()
        assert "chain forward" in namespace.nft("list", "table", "inet", "edge")

    def test_makes_a_set_that_was_deleted_again(self, edge: Configuration, namespace: Namespace) -> None:
        sync(edge)
        namespace.nft("flush", "chain", "inet", "rahdari", "registered")
        namespace.nft("delete", "set", "inet", "rahdari", "nets4")
        outcome = sync(edge)
        assert names(outcome) == ["RemovedLocally"]
        assert "lacks the sets nets4" in outcome.faults[0].what
        assert is_whole(namespace)

    def test_loads_the_file_of_the_operator(self, tmp_path: Path, edge: Configuration, namespace: Namespace) -> None:
        own = (
            ruleset()
            .replace(MARK, "0x20000000")
            .replace("hosts4 { type ipv4_addr; }", "hosts4 { type ipv4_addr; size 9; }")
        )
        # Without the line that empties the chain, loading it twice would put each rule there twice.
        own = own.replace("flush chain inet rahdari registered\n", "")
        (tmp_path / "edge" / "ruleset.nft").write_text(own)
        sync(edge)
        namespace.nft("flush", "chain", "inet", "rahdari", "registered")
        namespace.nft("-f", "-", given="delete set inet rahdari nets6")
        assert names(sync(edge)) == ["RemovedLocally"]
        assert is_whole(namespace)
        listing = namespace.nft("list", "table", "inet", "rahdari")
        assert "size 9" in listing
        assert listing.count("0x20000000") == 24

    def test_loads_no_file_that_says_something_of_another_table(
        self, tmp_path: Path, edge: Configuration, namespace: Namespace
    ) -> None:
        (tmp_path / "edge" / "ruleset.nft").write_text(f"flush ruleset\n{ruleset()}")
        namespace.nft("-f", "-", given="table inet edge { }")
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["TableMissing"])
        assert "ruleset.nft is left alone, since it says something of others: flush ruleset" in outcome.faults[0].what
        assert "inet edge" in namespace.nft("list", "tables")

    def test_leaves_a_table_of_the_operator_to_the_operator(self, edge: Configuration, namespace: Namespace) -> None:
        theirs = NftTarget("edge", table="inet edge", netns=namespace.name)
        assert names(sync(replace(edge, targets=(theirs,)))) == ["TableMissing"]
        assert namespace.nft("list", "tables") == ""

    def test_after_a_reboot_raises_no_alarm(
        self, edge: Configuration, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sync(edge)
        namespace.nft("flush", "ruleset")
        earlier = applying.booted_at()
        monkeypatch.setattr(applying, "booted_at", lambda: earlier + 300)
        assert sync(edge).faults == ()
        assert is_whole(namespace)
        # That of the same boot is one again.
        namespace.nft("flush", "ruleset")
        assert names(sync(edge)) == ["RemovedLocally"]


@pytest.mark.root
class TestRun:
    def test_puts_back_at_once_what_others_take_out(
        self, tmp_path: Path, edge: Configuration, namespace: Namespace
    ) -> None:
        """Its looks on the timer are five minutes apart, and its questions one: longer than this waits."""
        log = tmp_path / "agent.log"
        with following(edge, log):
            until(lambda: is_whole(namespace), log)
            for act in (
                ("-f", "-"),
                ("delete", "table", "inet", "rahdari"),
                ("flush", "chain", "inet", "rahdari", "registered"),
                ("flush", "set", "inet", "rahdari", "hosts4"),
            ):
                namespace.nft(*act, given=OWN)
                until(lambda: is_whole(namespace), log)
        assert "taken out by others" in log.read_text()

    def test_looks_without_asking_the_server_and_keeps_what_was_wrong_there(
        self, publisher: Publisher, stand: Stand, edge: Configuration, namespace: Namespace
    ) -> None:
        with running(edge) as agent:
            agent.sync(now=now())
            stand.token = "another"
            assert names(agent.sync(now=now())) == ["TokenRefused"]
            asked = len(stand.asked)
            namespace.nft("flush", "ruleset")
            assert names(agent.sync(now=now(), ask=False)) == ["TokenRefused", "RemovedLocally"]
            assert is_whole(namespace)
            assert len(stand.asked) == asked

    def test_does_not_take_its_own_changes_for_those_of_others(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, edge: Configuration, namespace: Namespace
    ) -> None:
        with running(edge) as agent, watching(agent.targets.tables) as woken:
            agent.sync(now=now())
            publisher.publish(remove=list(publisher.entries.values())[:1])
            agent.sync(now=now(), look=False)
            assert namespace.elements("hosts4") == []
            assert woken == []
            namespace.nft("flush", "set", "inet", "rahdari", "nets4")
            until(lambda: bool(woken))

    def test_knows_what_a_file_gives_that_empties_what_it_filled(
        self, tmp_path: Path, edge: Configuration, namespace: Namespace
    ) -> None:
        own = ruleset()
        (tmp_path / "edge" / "ruleset.nft").write_text(f"{own}flush chain inet rahdari registered\n{own}")
        with running(edge) as agent:
            agent.sync(now=now())
            assert agent.sync(now=now()).faults == ()
            assert is_whole(namespace)

    def test_goes_on_where_it_may_not_listen(
        self, tmp_path: Path, publisher: Publisher, configuration: Configuration
    ) -> None:
        log = tmp_path / "agent.log"
        place = NftTarget("edge", netns="no-such-netns")
        with following(replace(configuration, targets=(place,)), log):
            until(lambda: "is seen by the looks alone" in log.read_text(), log)
            until(lambda: "There is no network namespace" in log.read_text(), log)


class TestRulesetFor:
    TABLE = "inet rahdari"

    def test_is_the_file_that_speaks_of_the_table(self, tmp_path: Path) -> None:
        file = tmp_path / "ruleset.nft"
        assert ruleset_for(self.TABLE, file) == ruleset_for(self.TABLE, None)
        file.write_text(ruleset("inet edge"))
        found = ruleset_for("inet edge", file)
        assert found is not None
        assert (found.text, found.chains, found.foreign) == (ruleset("inet edge"), {"registered"}, "")
        assert ruleset_for("inet edge", None) is None
        own = ruleset_for(self.TABLE, file)
        assert own is not None
        assert own.text == ruleset()

    @pytest.mark.parametrize(
        ("more", "foreign"),
        [
            ("define port = 51820\n", ""),
            ("add rule inet rahdari other meta mark set 1\n", ""),
            ("# flush ruleset\n", ""),
            ("add table inet rahdari; delete table inet rahdari\n", ""),
            ("flush ruleset\n", "flush ruleset"),
            ("table inet edge { chain x { accept; } }\n", "table inet edge"),
            ('include "/etc/nftables.d/*.nft"\n', 'include ""'),
            ("table  ip  rahdari { }", "table ip rahdari"),
            ("add table inet rahdari; flush ruleset\n", "flush ruleset"),
            ("list ruleset\n", "list ruleset"),
            ("delete table \\\ninet edge\n", "delete table inet edge"),
        ],
    )
    def test_finds_what_is_not_of_the_table(self, tmp_path: Path, more: str, foreign: str) -> None:
        file = tmp_path / "ruleset.nft"
        file.write_text(more + ruleset())
        found = ruleset_for(self.TABLE, file)
        assert found is not None
        assert found.foreign == foreign

    def test_names_the_chains_that_have_rules(self, tmp_path: Path) -> None:
        file = tmp_path / "ruleset.nft"
        file.write_text(
            'table inet rahdari {\n chain a { type filter hook input priority 0; policy accept; comment "x"; }\n'
            " chain b { meta l4proto { 6, 17 } accept\n }\n chain c { } }\nadd rule inet rahdari d accept\n"
        )
        found = ruleset_for(self.TABLE, file)
        assert found is not None
        assert found.chains == {"b", "d"}


class TestSettings:
    @pytest.mark.parametrize(
        ("line", "file", "loads"),
        [("", "ruleset.nft", True), ('ruleset = "own.nft"', "own.nft", True), ('ruleset = "none"', "none", False)],
    )
    def test_name_the_file_or_none(self, configuration: Configuration, line: str, file: str, loads: bool) -> None:
        path = written(configuration)
        path.write_text(f'{path.read_text()}\n[[target]]\nkind = "nftables"\n{line}\n')
        target = load(path).targets[-1]
        assert isinstance(target, NftTarget)
        assert (target.ruleset, target.loads) == (path.with_name(file), loads)


def a_message(kind: int, table: str, *, family: int = 1, port: int = 7, transaction: int = 0) -> bytes:
    name = table.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(name), 1) + name + b"\0" * (-len(name) % 4)
    body = struct.pack("=BB", family, 0) + struct.pack(">H", transaction) + attribute
    return struct.pack("=IHHII", 16 + len(body), 10 << 8 | kind, 0, 0, port) + body


class TestTakenOut:
    def test_tells_tables_and_ports_of_what_went(self) -> None:
        data = (
            a_message(2, "rahdari", transaction=513)
            + a_message(0, "rahdari")
            + a_message(14, "edge", family=10, port=9)
        )
        assert list(taken_out(data)) == [Taken("inet rahdari", 7, 513), Taken("ip6 edge", 9)]

    @given(
        st.binary(max_size=200)
        | st.builds(lambda tail, cut: a_message(2, "rahdari")[:cut] + tail, st.binary(), st.integers(0, 40))
    )
    def test_reads_anything(self, data: bytes) -> None:
        assert all(isinstance(taken, Taken) for taken in taken_out(data))


class TestWatch:
    def test_looks_once_for_what_one_act_of_others_took_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The kernel tells a `flush ruleset` in four messages."""
        kernel, listener = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        seen = listener.dup()
        monkeypatch.setattr(watching_module, "_socket", lambda space: listener)
        monkeypatch.setattr(watching_module, "PAUSE_SECONDS", 0.0)

        def are_read() -> bool:
            try:
                seen.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return True
            return False

        with kernel, seen:
            with watching([NftSets(NftTarget("edge"))]) as woken:
                for transaction in (3, 3, 3, 3, 4, 5):
                    kernel.send(a_message(2, "rahdari", transaction=transaction))
                    kernel.send(a_message(2, "another", transaction=9))
                until(are_read)
            assert len(woken) == 3


@contextmanager
def watching(tables: object) -> Iterator[list[bool]]:
    from rahdari.agent.watching import Watch

    woken: list[bool] = []
    with Watch(tables, lambda: woken.append(True)):  # type: ignore[arg-type]
        yield woken
