"""The real ipset, in a network namespace of the test's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, IpsetTarget
from rahdari.agent.faults import Exit
from rahdari.agent.ipset import SETS, IpsetSets
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.renderers import rows_of
from tests.needs import needs_program

pytestmark = pytest.mark.root


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    needs_program("ipset", "apt-get install ipset")
    with a_namespace() as made:
        yield made


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, namespace: Namespace) -> Configuration:
    target = IpsetTarget("edge", netns=namespace.name)
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


def elements(namespace: Namespace, name: str) -> set[str]:
    lines = namespace.ips("list", f"rahdari-{name}", "-output", "save").splitlines()
    return {line.split()[2] for line in lines if line.startswith("add ")}


class TestApply:
    def test_makes_the_sets_and_puts_each_kind_of_entry_into_its_own(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(
            an_entry("192.0.2.1/32"),
            an_entry("192.0.2.1/32", "udp"),
            an_entry("192.0.2.2/32", "udp", 51820),
            an_entry("192.0.2.3/32", "esp"),
            an_entry("198.51.100.0/24"),
            an_entry("198.51.100.0/25"),
            an_entry("203.0.113.0/28", "tcp", 443),
            an_entry("2001:db8::1/128"),
            an_entry("2001:db8:2::/48", "gre"),
        )
        assert sync(edge).exit is Exit.OK
        assert elements(namespace, "hosts4") == {"192.0.2.1"}
        assert elements(namespace, "host-ports4") == {"192.0.2.2,udp:51820", "192.0.2.3,esp:0"}
        assert elements(namespace, "nets4") == {"198.51.100.0/24", "198.51.100.0/25"}
        assert elements(namespace, "net-ports4") == {"203.0.113.0/28,tcp:443"}
        assert elements(namespace, "hosts6") == {"2001:db8::1"}
        assert elements(namespace, "net-ports6") == {"2001:db8:2::/48,gre:0"}
        assert sync(edge).applied.targets == ()
        publisher.publish(remove=list(publisher.entries.values()))
        assert sync(edge).exit is Exit.OK
        assert [name for name in SETS if elements(namespace, name)] == []

    def test_keeps_an_address_while_one_of_its_entries_stands(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        """To ipset "any protocol" and "udp, any port" are one element."""
        whole, udp = an_entry("192.0.2.1/32"), an_entry("192.0.2.1/32", "udp")
        publisher.publish(whole, udp)
        with running(edge) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            publisher.publish(remove=[whole])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert elements(namespace, "hosts4") == {"192.0.2.1"}
            publisher.publish(remove=[udp])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert elements(namespace, "hosts4") == set()

    def test_puts_back_what_somebody_took_out_and_says_so(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        assert sync(edge).exit is Exit.OK
        namespace.ips("del", "rahdari-hosts4", "192.0.2.2")
        namespace.ips("add", "rahdari-hosts4", "192.0.2.77")
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"])
        assert "192.0.2.2" in outcome.faults[0].what
        assert elements(namespace, "hosts4") == {"192.0.2.1", "192.0.2.2"}
        assert sync(edge).faults == ()

    def test_grows_a_set_that_rules_name_without_emptying_it(self, namespace: Namespace) -> None:
        namespace.ips("create", "rahdari-hosts4", "hash:ip", "maxelem", "2")
        namespace.ips("add", "rahdari-hosts4", "192.0.2.1")
        sets = IpsetSets(IpsetTarget("edge", netns=namespace.name))
        many = [an_entry(f"10.0.{a}.{b}/32") for a in range(10) for b in range(250)]
        looked = sets.look(rows_of(an_entry("192.0.2.1/32"), *many), whole=True)
        assert (looked.wanted, looked.excess) == (2501, 0)
        assert len(elements(namespace, "hosts4")) == 2501
        assert sorted(namespace.ips("list", "-name").split()) == sorted(f"rahdari-{name}" for name in SETS)

    def test_is_refused_above_its_capacity(
        self, publisher: Publisher, edge: Configuration, namespace: Namespace
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        small = replace(edge, targets=(IpsetTarget("edge", netns=namespace.name, capacity=2),))
        assert sync(small).exit is Exit.OK
        publisher.publish(an_entry("192.0.2.3/32"))
        outcome = sync(small)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["OverCapacity"])
        assert elements(namespace, "hosts4") == {"192.0.2.1", "192.0.2.2"}
