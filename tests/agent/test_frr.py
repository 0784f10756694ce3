"""The real bgpd of FRR, changed through the real vtysh."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, FrrTarget
from rahdari.agent.faults import Exit
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.renderers.test_golden import ROWS, rendered
from tests.needs import needs_file, needs_program
from tests.waiting import until

pytestmark = pytest.mark.root


@dataclass
class Daemon:
    namespace: Namespace
    vtysh: tuple[str, ...]

    def say(self, *commands: str) -> str:
        return self.namespace.run(*self.vtysh, *(word for command in commands for word in ("-c", command)))

    def permitted(self, version: int, name: str = "RAHDARI") -> list[str]:
        word = "ip" if version == 4 else "ipv6"
        lines = self.say(f"show {word} prefix-list {name}{version}").splitlines()
        return [line.split("permit ")[1] for line in lines if "permit " in line]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    vtysh = needs_program("vtysh", "apt-get install frr")
    bgpd = str(needs_file("/usr/lib/frr/bgpd", "apt-get install frr"))
    # A socket's path must be short, and the folder the daemon's own user's.
    folder = Path(tempfile.mkdtemp(prefix="rahdari-frr-"))
    try:
        (folder / "etc").mkdir()
        for name in ("etc/vtysh.conf", "etc/frr.conf", "bgpd.conf"):
            (folder / name).touch()
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, "frr", "frr")
        os.chmod(folder, 0o755)
        words = [bgpd, "-n", "-p", "0", "-f", f"{folder}/bgpd.conf", "--vty_socket", str(folder)]
        words += ["-i", f"{folder}/bgpd.pid", "-z", f"{folder}/zserv.api"]
        with a_namespace() as namespace, namespace.running(*words, log=tmp_path / "log"):
            until((folder / "bgpd.vty").exists, tmp_path / "log")
            yield Daemon(namespace, (vtysh, "--vty_socket", str(folder), "--config_dir", f"{folder}/etc", "-d", "bgpd"))
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, daemon: Daemon) -> Configuration:
    target = FrrTarget("frr", vtysh=daemon.vtysh, netns=daemon.namespace.name)
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


class TestApply:
    def test_adds_first_and_takes_out_then_line_by_line(
        self, publisher: Publisher, edge: Configuration, daemon: Daemon
    ) -> None:
        first, second = an_entry("192.0.2.1/32", "udp", 51820), an_entry("198.51.100.0/28")
        publisher.publish(first, second, an_entry("192.0.2.1/32", "tcp", 443), an_entry("2001:db8::/48"))
        with running(edge) as agent:
            outcome = agent.sync(now=now(), look=True)
            assert (outcome.exit, outcome.faults) == (Exit.OK, ())
            assert daemon.permitted(4) == ["192.0.2.1/32", "198.51.100.0/28 le 32"]
            assert daemon.permitted(6) == ["2001:db8::/48 le 128"]
            # The first address has another entry: it stays.
            publisher.publish(an_entry("203.0.113.7/32"), remove=[first, second])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert daemon.permitted(4) == ["192.0.2.1/32", "203.0.113.7/32"]

    def test_puts_back_what_somebody_took_out_and_takes_out_what_nobody_registered(
        self, publisher: Publisher, edge: Configuration, daemon: Daemon
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        assert sync(edge).exit is Exit.OK
        daemon.say("configure", "no ip prefix-list RAHDARI4 seq 5", "ip prefix-list RAHDARI4 permit 192.0.2.99/32")
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"])
        assert set(daemon.permitted(4)) == {"192.0.2.1/32", "192.0.2.2/32"}

    def test_merges_above_its_capacity_and_is_refused_when_that_is_not_enough(
        self, publisher: Publisher, edge: Configuration, daemon: Daemon
    ) -> None:
        four = [an_entry(f"192.0.2.{number}/32") for number in range(4)]
        publisher.publish(*four)
        target = edge.targets[0]
        assert isinstance(target, FrrTarget)
        small = replace(edge, targets=(replace(target, capacity=3),))
        with running(small) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            assert daemon.permitted(4) == ["192.0.2.0/30 le 32"]
            publisher.publish(an_entry("192.0.2.9/32"), remove=[four[3]])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert set(daemon.permitted(4)) == {"192.0.2.0/31 le 32", "192.0.2.2/32", "192.0.2.9/32"}
            publisher.publish(an_entry("192.0.2.77/32"))
            outcome = agent.sync(now=now(), look=False)
            assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["OverCapacity"])
            assert len(daemon.permitted(4)) == 3


def test_golden_file_is_read_by_vtysh_and_names_the_same(tmp_path: Path, daemon: Daemon) -> None:
    path = tmp_path / "lists.conf"
    path.write_bytes(rendered("frr", list(ROWS), {}))
    daemon.namespace.run(*daemon.vtysh, "-f", str(path))
    assert daemon.permitted(4) == [
        "192.0.2.1/32",
        "192.0.2.10/32",
        "198.51.100.0/28 le 32",
        "198.51.100.16/32",
        "203.0.113.7/32",
    ]
    assert daemon.permitted(6) == ["2001:db8::/48 le 128", "2001:db8::1/128"]
    # And what is rendered for Cisco IOS is the same language, but for the line that ends the configuration.
    path.write_bytes(rendered("cisco-ios", list(ROWS), {"list": "IOS"}).replace(b"end\n", b""))
    daemon.namespace.run(*daemon.vtysh, "-f", str(path))
    assert daemon.permitted(4, "IOS") == daemon.permitted(4)
    assert daemon.permitted(6, "IOS") == daemon.permitted(6)
