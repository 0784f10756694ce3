"""Rules that drop what is not listed are found and told, with the real nft and iptables; ordinary firewalls are not."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.agent import syncing
from rahdari.agent.complement import ComplementFound, DropsByDefault, look_at_rules
from rahdari.agent.configuration import Configuration, IpsetTarget, NftTarget
from rahdari.agent.faults import Exit
from rahdari.agent.ruleset import ruleset
from rahdari.cli import main
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, running, sync, written
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.stands import now
from tests.needs import needs_program

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def shared() -> Iterator[Namespace]:
    needs_program("nft", "apt-get install nftables")
    with a_namespace() as made:
        yield made


@pytest.fixture
def namespace(shared: Namespace) -> Namespace:
    shared.nft("flush", "ruleset")
    shared.nft("-f", "-", given=ruleset())
    return shared


def forward(rules: str, policy: str = "accept", more: str = "") -> str:
    lines = "\n".join(f"    {rule.strip()}" for rule in rules.split(";") if rule.strip())
    hook = f"type filter hook forward priority filter; policy {policy};"
    return f"table inet edge {{\n{more}\n  chain forward {{\n    {hook}\n{lines}\n  }}\n}}\n"


OURS = "meta mark and 0x10000000 == 0x10000000"
HOST = """
table inet filter {
  chain input { type filter hook input priority filter; policy drop; ct state established accept; tcp dport 22 accept; }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain output { type filter hook output priority filter; policy accept; }
}
"""
ORDINARY = {
    "nothing but the agent's own": "",
    "a firewall of the machine itself": HOST,
    "a limit of the machine's own": HOST.replace("tcp dport 22 accept", f"{OURS} accept"),
    "what docs/operators.md shows": forward(
        f"{OURS} accept; udp dport 51820 drop; tcp flags syn limit rate 9/second accept"
    ),
    "a rate limit for the rest": forward("meta mark and 0x10000000 == 0 limit rate over 10 mbytes/second drop"),
    "a count for the rest": forward("meta mark and 0x10000000 == 0 counter"),
    "a router that takes routes by a mark": forward("meta mark and 0x10000000 == 0 meta priority set 1:2"),
    "what is not routed": forward("fib saddr . iif oif missing drop; ct state invalid drop"),
}
BY_DEFAULT = {
    "a router that forwards for one side": forward("ct state established,related accept; iifname lan accept", "drop"),
    "the same by a rule": forward('ct state established accept; tcp dport 443 accept; log prefix "x" drop'),
    "the same, with what is listed first": forward(
        f"{OURS} accept; ct state established accept; iifname lan accept", "drop"
    ),
    "a mark of others": forward("meta mark 0x1 accept; tcp dport 443 accept", "drop"),
}
COMPLEMENT = {
    "what is marked, and then the end": forward(f"{OURS} accept", "drop"),
    "by a rule that asks nothing": forward(f"{OURS} accept; counter drop"),
    "beside the web": forward(f"ct state established,related accept; {OURS} accept; tcp dport 443 accept", "drop"),
    "just what is not marked": forward("meta mark and 0x10000000 == 0 udp dport 51820 drop"),
    "the same, refused": forward("meta mark and 0x10000000 != 0x10000000 udp dport 51820 reject"),
    "in a chain of its own": forward("udp dport 51820 jump vpn", more=f"chain vpn {{\n {OURS} accept\n drop\n}}"),
    "left to who called": forward("jump vpn", more=f"chain vpn {{\n {OURS} return\n drop\n}}"),
    "to a chain that drops": forward("meta mark and 0x10000000 == 0 goto out", more="chain out {\n drop\n}"),
    "by a map": forward("meta mark vmap { 0x10000000 : accept, 0x0 : drop }"),
    "by the mark of the connection": forward("ct mark and 0x10000000 == 0x10000000 accept", "drop"),
    "by a set in the agent's table": "table inet rahdari { chain mine {\n"
    "type filter hook forward priority 5;\n ip daddr != @hosts4 udp dport 51820 drop\n}\n}",
    "by another mark": "add rule inet rahdari registered ip daddr @hosts4 meta mark set 0x77\n"
    + forward("meta mark 0x77 accept", "drop"),
    "before routing": "table ip raw {\nchain pre {\ntype filter hook prerouting priority 0; policy drop;\n"
    f"{OURS} accept\n}}\n}}",
}


class TestRulesOfNftables:
    def found(self, namespace: Namespace, rules: str) -> object:
        namespace.nft("-f", "-", given=rules)
        return look_at_rules([NftTarget("edge", netns=namespace.name)])

    @pytest.mark.parametrize("rules", ORDINARY.values(), ids=ORDINARY)
    def test_that_are_ordinary_are_not_told(self, namespace: Namespace, rules: str) -> None:
        assert self.found(namespace, rules) is None

    @pytest.mark.parametrize("rules", BY_DEFAULT.values(), ids=BY_DEFAULT)
    def test_that_drop_by_default_are_told_without_a_word_against_them(self, namespace: Namespace, rules: str) -> None:
        found = self.found(namespace, rules)
        assert isinstance(found, DropsByDefault) and "inet edge forward" in found.what

    @pytest.mark.parametrize("rules", COMPLEMENT.values(), ids=COMPLEMENT)
    def test_that_drop_what_is_not_listed_are_found(self, namespace: Namespace, rules: str) -> None:
        assert isinstance(self.found(namespace, rules), ComplementFound)


MARKING = """
iptables -t mangle -N RAHDARI
iptables -t mangle -A RAHDARI -m set --match-set rahdari-hosts4 dst -j MARK --or-mark 0x10000000
iptables -t mangle -A PREROUTING -j RAHDARI
iptables -I FORWARD -m mark --mark 0x10000000/0x10000000 -j ACCEPT
"""
OF_IPTABLES = {
    "what docs/devices/linux.md shows": (MARKING, None),
    "a filter after it": (f"{MARKING}iptables -A FORWARD -p udp --dport 51820 -j DROP", None),
    "a limit": (
        f"{MARKING}iptables -A FORWARD -m mark ! --mark 0x10000000/0x10000000 -m limit --limit 5/s -j DROP",
        None,
    ),
    "a host of containers": (
        "iptables -P FORWARD DROP\niptables -N INSIDE\niptables -A FORWARD -j INSIDE\n"
        'iptables -A INSIDE -i br0 ! -o br0 -m comment --comment "a -j DROP" -j ACCEPT',
        DropsByDefault,
    ),
    "the end for the rest": (f"{MARKING}iptables -P FORWARD DROP", ComplementFound),
    "the end by a rule": (f"{MARKING}iptables -A FORWARD -j REJECT", ComplementFound),
    "just what is not listed": (
        "iptables -A FORWARD -p udp -m set ! --match-set rahdari-hosts4 dst --dport 51820 -j DROP",
        ComplementFound,
    ),
    "of the other family": ("ip6tables -A FORWARD -m mark ! --mark 0x10000000/0x10000000 -j DROP", ComplementFound),
}


class TestRulesOfIptables:
    @pytest.mark.parametrize(("rules", "kind"), OF_IPTABLES.values(), ids=OF_IPTABLES)
    def test_are_read_the_same_way(self, rules: str, kind: type | None) -> None:
        needs_program("iptables-save", "apt-get install iptables")
        needs_program("ipset", "apt-get install ipset")
        with a_namespace() as namespace:
            namespace.ips("create", "rahdari-hosts4", "hash:ip")
            namespace.run("sh", "-e", "-c", rules)
            found = look_at_rules([IpsetTarget("edge", netns=namespace.name)])
        assert (found is None) if kind is None else (type(found) is kind)


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, namespace: Namespace) -> Configuration:
    target = NftTarget("edge", netns=namespace.name)
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


class TestSync:
    def test_tells_it_and_goes_on(
        self,
        publisher: Publisher,
        edge: Configuration,
        namespace: Namespace,
        stand: Stand,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        namespace.nft("-f", "-", given=COMPLEMENT["just what is not marked"])
        publisher.publish(an_entry("192.0.2.1/32"))
        outcome = sync(edge)
        assert (outcome.exit, [fault.name for fault in outcome.faults]) == (Exit.OK, ["ComplementFound"])
        assert namespace.elements("hosts4") == ["192.0.2.1"]
        assert all(receipt["complement"] for receipt in stand.receipts)
        assert main(["agent", "status", "--config", str(written(edge))]) == 0
        assert "inet edge forward" in capsys.readouterr().out
        assert "chain forward" in namespace.nft("list", "chain", "inet", "edge", "forward")
        namespace.nft("delete", "table", "inet", "edge")
        publisher.publish(an_entry("192.0.2.2/32"))
        assert sync(edge).faults == ()
        assert "complement" not in stand.receipts[-1]

    def test_tells_a_publisher_of_the_release_before_nothing_of_it(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace, stand: Stand
    ) -> None:
        namespace.nft("-f", "-", given=COMPLEMENT["just what is not marked"])
        publisher.terms = ""
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(edge)
        assert not any("complement" in receipt for receipt in stand.receipts)

    def test_looks_once_an_hour_and_after_the_entries_are_placed(
        self, tmp_path: Path, publisher: Publisher, edge: Configuration, namespace: Namespace, stand: Stand
    ) -> None:
        calls = tmp_path / "calls"
        nft = program(tmp_path / "nft", f'echo "$*" >> {calls}; exec nft "$@"')
        configuration = a_configuration(
            tmp_path / "counted",
            stand.url,
            publisher.root_file,
            targets=(NftTarget("edge", netns=namespace.name, nft=nft),),
        )
        publisher.publish(an_entry("192.0.2.1/32"))
        with running(configuration) as agent:
            agent.sync(now=now())
            publisher.publish(an_entry("192.0.2.2/32"))
            agent.sync(now=now())
        said = calls.read_text().splitlines()
        assert said.count("-j -t list ruleset") == 1
        assert said.index("-f -") < said.index("-j -t list ruleset")

    def test_looks_sooner_again_while_something_is_found(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(syncing, "FOUND_RULES_SECONDS", 0.0)
        publisher.publish(an_entry("192.0.2.1/32"))
        namespace.nft("-f", "-", given=forward("meta mark and 0x10000000 == 0 drop"))
        with running(edge) as agent:
            assert "ComplementFound" in names(agent.sync(now=now()))
            namespace.nft("delete", "table", "inet", "edge")
            assert "ComplementFound" not in names(agent.sync(now=now()))
            namespace.nft("-f", "-", given=forward("meta mark and 0x10000000 == 0 drop"))
            assert "ComplementFound" not in names(agent.sync(now=now())), "of what is well it looks once an hour"

    @pytest.mark.parametrize("refusal", ["echo 'Operation not permitted' >&2; exit 1", "echo 'no json'", "echo '{}'"])
    def test_says_nothing_of_rules_that_it_cannot_read(
        self, tmp_path: Path, publisher: Publisher, namespace: Namespace, stand: Stand, refusal: str
    ) -> None:
        nft = program(tmp_path / "nft", f'case "$*" in *ruleset) {refusal}; exit;; esac; exec nft "$@"')
        target = NftTarget("edge", netns=namespace.name, nft=nft)
        configuration = a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(configuration).faults == ()
        assert namespace.elements("hosts4") == ["192.0.2.1"]


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
