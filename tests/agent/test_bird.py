"""Two real BIRD daemons in two namespaces: routes go over a BGP session, and into no routing table of the kernel."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, FileTarget
from rahdari.agent.faults import Exit
from rahdari.agent.targets_configuration import file_target
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync
from tests.agent.namespaces import Namespace, two_joined
from tests.agent.renderers.test_golden import ROWS, rendered
from tests.needs import needs_program
from tests.waiting import until

pytestmark = pytest.mark.root

SPEAKER = """
router id 192.0.2.254;
protocol device {}
include "rahdari.conf";
protocol bgp edge {
    local 10.99.0.1 as 64496;
    neighbor 10.99.0.2 as 64496;
    connect retry time 1; connect delay time 1; error wait time 1, 2;
    ipv4 { table rahdari4; import none; export all; };
    ipv6 { table rahdari6; import none; export all; next hop address 2001:db8:ffff::1; };
}
ipv4 table onward4;
protocol bgp back {
    local 10.98.0.1 as 64510;
    neighbor 10.98.0.2 as 64511;
    connect retry time 1; connect delay time 1; error wait time 1, 2;
    ipv4 { table onward4; import all; export none; };
}
"""
OTHER = "203.0.113.200/32"
# This one gives all it has to the kernel, but for the tables that hold names for policy.
ROUTER = """
router id 192.0.2.253;
ipv4 table registered4;
ipv6 table registered6;
protocol device {}
protocol direct { ipv4; }
protocol kernel { ipv4 { export all; }; }
protocol kernel { ipv6 { export all; }; }
protocol bgp feed {
    local 10.99.0.2 as 64496;
    neighbor 10.99.0.1 as 64496;
    connect retry time 1; connect delay time 1; error wait time 1, 2;
    ipv4 { table registered4; import all; export none; };
    ipv6 { table registered6; import all; export none; };
}
# To yet another AS (it is the first daemon again, by another address): all may go there, and one other route does.
protocol static other { ipv4 { table registered4; import all; export none; }; route 203.0.113.200/32 via "lo"; }
protocol bgp onward {
    local 10.98.0.2 as 64511;
    neighbor 10.98.0.1 as 64510;
    connect retry time 1; connect delay time 1; error wait time 1, 2;
    ipv4 { table registered4; import none; export all; };
}
"""


@dataclass
class Daemon:
    namespace: Namespace
    folder: Path

    @property
    def control(self) -> Path:
        return self.folder / "c"

    def ask(self, *words: str) -> str:
        return self.namespace.run("birdc", "-s", str(self.control), *words)

    def routes(self, table: str) -> set[str]:
        lines = self.ask("show", "route", "table", table).splitlines()
        return {line.split()[0] for line in lines if line[:1].isalnum() and "/" in line.split()[0]} - {OTHER}


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[tuple[Daemon, Daemon]]:
    bird = needs_program("bird", "apt-get install bird2")
    needs_program("birdc", "apt-get install bird2")
    with two_joined("10.99.0.1", "10.99.0.2") as (one, other):
        found = []
        for namespace, name, text in ((one, "speaker", SPEAKER), (other, "router", ROUTER)):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "bird.conf").write_text(text)
            found.append(Daemon(namespace, folder))
        speaker, router = found
        # The first start: what the agent writes is not there yet.
        for namespace, address in ((one, "10.98.0.1"), (other, "10.98.0.2")):
            namespace.run(namespace.ip, "address", "add", f"{address}/24", "dev", namespace.cable)
        (speaker.folder / "rahdari.conf").write_text("ipv4 table rahdari4;\nipv6 table rahdari6;\n")
        with (
            one.running(*words(bird, speaker), log=tmp_path / "speaker.log"),
            other.running(*words(bird, router), log=tmp_path / "router.log"),
        ):
            until(lambda: speaker.control.exists() and router.control.exists(), tmp_path / "speaker.log")
            yield speaker, router


def words(bird: str, daemon: Daemon) -> list[str]:
    return [
        bird,
        "-f",
        "-c",
        str(daemon.folder / "bird.conf"),
        "-s",
        str(daemon.control),
        "-P",
        str(daemon.folder / "p"),
    ]


@pytest.fixture
def edge(tmp_path: Path, publisher: Publisher, stand: Stand, daemons: tuple[Daemon, Daemon]) -> Configuration:
    speaker, _ = daemons
    options = {"control": str(speaker.control), "community": "64496:1:1"}
    target = file_target("bird", "bird", speaker.folder / "rahdari.conf", options=options)
    return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=(target,))


class TestApply:
    def test_routes_reach_another_router_marked_and_no_kernel_table(
        self, publisher: Publisher, edge: Configuration, daemons: tuple[Daemon, Daemon]
    ) -> None:
        _, router = daemons
        first = an_entry("192.0.2.1/32", "udp", 51820)
        publisher.publish(first, an_entry("198.51.100.0/28"), an_entry("2001:db8::/48"))
        with running(edge) as agent:
            outcome = agent.sync(now=now(), look=True)
            assert (outcome.exit, outcome.faults) == (Exit.OK, ())
            until(lambda: router.routes("registered4") == {"192.0.2.1/32", "198.51.100.0/28"})
            until(lambda: router.routes("registered6") == {"2001:db8::/48"})
            said = router.ask("show", "route", "192.0.2.1/32", "table", "registered4", "all")
            assert "BGP.community: (65535,65281)" in said
            assert "BGP.large_community: (64496, 1, 1)" in said
            # One more, and one less.
            publisher.publish(an_entry("203.0.113.7/32"), remove=[first])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            until(lambda: router.routes("registered4") == {"198.51.100.0/28", "203.0.113.7/32"})
        for daemon in daemons:
            kernel = json.loads(daemon.namespace.run(daemon.namespace.ip, "-j", "route", "show", "table", "all"))
            assert {route["dst"] for route in kernel}.isdisjoint(
                {"192.0.2.1", "198.51.100.0/28", "203.0.113.7", "2001:db8::/48"}
            )

    def test_is_not_passed_on_by_a_router_of_another_as(
        self, publisher: Publisher, edge: Configuration, daemons: tuple[Daemon, Daemon]
    ) -> None:
        """NO_EXPORT came along: it gives the route to nobody outside, though its own session exports all."""
        speaker, router = daemons
        for daemon in daemons:
            path = daemon.folder / "bird.conf"
            text = path.read_text().replace("local 10.99.0.2 as 64496", "local 10.99.0.2 as 64511")
            text = text.replace("neighbor 10.99.0.2 as 64496", "neighbor 10.99.0.2 as 64511")
            path.write_text(text)
            assert "econfigur" in daemon.ask("configure")
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(edge).exit is Exit.OK
        until(lambda: "Established" in speaker.ask("show", "protocols", "edge"))
        until(lambda: router.routes("registered4") == {"192.0.2.1/32"})
        said = router.ask("show", "route", "192.0.2.1/32", "table", "registered4", "all")
        assert "BGP.community: (65535,65281)" in said
        until(lambda: OTHER in speaker.ask("show", "route", "table", "onward4"))
        assert speaker.routes("onward4") == set()


class TestApplyIsRefused:
    def test_when_bird_does_not_answer_or_does_not_take_the_file(
        self, publisher: Publisher, edge: Configuration, daemons: tuple[Daemon, Daemon]
    ) -> None:
        speaker, _ = daemons
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(edge).exit is Exit.OK
        main = speaker.folder / "bird.conf"
        good = main.read_text()
        main.write_text(good + "protocol nonsense {}\n")
        publisher.publish(an_entry("192.0.2.2/32"))
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["DeviceRefused"])
        # What it had it still has.
        assert speaker.routes("rahdari4") == {"192.0.2.1/32"}
        main.write_text(good)
        assert sync(edge).exit is Exit.OK
        assert speaker.routes("rahdari4") == {"192.0.2.1/32", "192.0.2.2/32"}
        target = edge.targets[0]
        assert isinstance(target, FileTarget)
        away = replace(target, options={**target.options, "control": str(speaker.folder / "away")})
        assert names(sync(replace(edge, targets=(away,)))) == ["BirdNotThere"]


def test_prefix_sets_are_read_by_bird_and_match_what_lies_within(tmp_path: Path) -> None:
    bird = needs_program("bird", "apt-get install bird2")
    for content in (rendered("bird-set", list(ROWS), {}), rendered("bird-set", [], {})):
        path = tmp_path / "bird.conf"
        check = "filter f { if net ~ RAHDARI4 then accept; if net ~ RAHDARI6 then accept; reject; }\n"
        path.write_bytes(content + f"router id 192.0.2.1;\nprotocol device {{}}\n{check}".encode())
        result = subprocess.run([bird, "-p", "-c", str(path)], capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
