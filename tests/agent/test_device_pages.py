"""What the pages of devices tell an operator to type is typed here, into the real programs."""

import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.agent.configuration import IpsetTarget
from rahdari.agent.ipset import SETS, IpsetSets
from rahdari.agent.targets_configuration import TARGET_SETTINGS
from tests.agent.feeds import an_entry
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.renderers import rows_of
from tests.agent.renderers.test_golden import ROWS, rendered
from tests.agent.test_frr import Daemon, daemon
from tests.needs import needs_program

pytestmark = pytest.mark.root
__all__ = ["daemon"]

PAGES = Path(__file__).parents[2] / "docs" / "devices"


def block(page: str, has: str) -> str:
    """The one block of this page, indented by four, in which this text stands."""
    blocks, lines = [], list[str]()
    for line in [*(PAGES / page).read_text(encoding="utf-8").splitlines(), "."]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line)
        elif lines:
            blocks.append(textwrap.dedent("\n".join(lines)).strip() + "\n")
            lines = []
    [found] = [each for each in blocks if has in each]
    return found


class TestIptables:
    @pytest.fixture
    def namespace(self) -> Iterator[Namespace]:
        needs_program("ipset", "apt-get install ipset")
        needs_program("iptables", "apt-get install iptables")
        with a_namespace() as made:
            yield made

    def test_marks_what_is_to_and_from_the_sets_and_is_removed_again(self, namespace: Namespace) -> None:
        rows = rows_of(
            an_entry("192.0.2.1/32", "udp", 51820), an_entry("192.0.2.10/32", "esp"), an_entry("2001:db8::/48")
        )
        IpsetSets(IpsetTarget("edge", netns=namespace.name)).look(rows, whole=True)
        namespace.run("bash", "-e", given=block("linux.md", "-t mangle -N RAHDARI"))
        namespace.run("bash", "-e", given=block("linux.md", "-I FORWARD"))
        for address in ("192.0.2.1/32", "192.0.2.10/32", "2001:db8::5/128"):
            namespace.run(namespace.ip, "address", "add", address, "dev", "lo")
        namespace.run(namespace.ip, "link", "set", "lo", "up")
        namespace.run("python3", "-c", SEND)
        marked = [self.packets(namespace, program) for program in ("iptables", "ip6tables")]
        # UDP to the port that is registered and ESP, not UDP to the other port; IPv6 to a prefix.
        assert marked[0]["rahdari-host-ports4 dst,dst"] == 2
        assert marked[0]["rahdari-hosts4 dst"] == 0
        assert marked[1]["rahdari-nets6 dst"] > 0
        namespace.run("bash", "-e", given=block("linux.md", "ipset destroy"))
        assert namespace.ips("list", "-name") == ""
        assert "RAHDARI" not in namespace.run("iptables-save")

    def packets(self, namespace: Namespace, program: str) -> dict[str, int]:
        rules = [
            line.split() for line in namespace.run(program, "-t", "mangle", "-nvxL", "RAHDARI").splitlines()[2:] if line
        ]
        return {f"{words[words.index('match-set') + 1]} {words[words.index('match-set') + 2]}": int(words[0])
                for words in rules}  # fmt: skip

    def test_sets_that_are_there_already_are_taken(self, namespace: Namespace) -> None:
        namespace.run("bash", "-e", given=block("linux.md", "ipset create"))
        IpsetSets(IpsetTarget("edge", netns=namespace.name)).look(rows_of(an_entry("192.0.2.1/32")), whole=True)
        assert sorted(namespace.ips("list", "-name").split()) == sorted(f"rahdari-{name}" for name in SETS)
        assert "192.0.2.1" in namespace.ips("list", "rahdari-hosts4")


SEND = """
import socket
for family, address, port in ((2, "192.0.2.1", 51820), (2, "192.0.2.1", 9), (10, "2001:db8::5", 9)):
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, port))
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ESP).sendto(bytes(32), ("192.0.2.10", 0))
"""


class TestBird:
    def test_reads_the_configuration_of_both_sides(self, tmp_path: Path) -> None:
        file = tmp_path / "rahdari.conf"
        speaker = block("bird-frr.md", "template bgp registered").replace("/etc/bird/rahdari/rahdari.conf", str(file))
        for content in (b"ipv4 table rahdari4;\nipv6 table rahdari6;\n", rendered("bird", list(ROWS), {})):
            file.write_bytes(content)
            self.reads(tmp_path, speaker)
        self.reads(tmp_path, block("bird-frr.md", "table registered4; import all"))

    def test_filters_refuse_blackholes_of_registered_addresses(self, tmp_path: Path) -> None:
        file = tmp_path / "sets.conf"
        filters = block("bird-frr.md", "blackholes_a_registered_address").replace(
            "/etc/bird/rahdari/sets.conf", str(file)
        )
        for content in (rendered("bird-set", [], {}), rendered("bird-set", list(ROWS), {})):
            file.write_bytes(content)
            self.reads(tmp_path, filters)

    def reads(self, folder: Path, text: str) -> None:
        bird = needs_program("bird", "apt-get install bird2")
        path = folder / "bird.conf"
        path.write_text(f"router id 192.0.2.254;\nprotocol device {{}}\n{text}")
        read = subprocess.run([bird, "-p", "-c", str(path)], capture_output=True, text=True)
        assert (read.returncode, read.stderr) == (0, "")


class TestFrr:
    def test_takes_the_route_map(self, daemon: Daemon) -> None:
        lines = block("bird-frr.md", "route-map FROM-CUSTOMERS").splitlines()
        daemon.say("configure", *lines)
        running = daemon.say("show running-config")
        assert all(line in running for line in lines if not line.startswith("bgp"))
        assert "permit blackhole" in running


def test_each_setting_of_a_target_is_said_on_a_page_of_devices() -> None:
    pages = "".join(path.read_text() for path in PAGES.glob("*.md"))
    missing = {name for settings in TARGET_SETTINGS.values() for name in settings if f"`{name}`" not in pages}
    assert missing == set()


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_each_page_says_how_much_it_holds_how_to_check_how_to_remove_and_what_if_the_feed_is_down(page: str) -> None:
    text = (PAGES / page).read_text().lower()
    if page not in {"README.md", "adding.md"}:
        assert [word for word in ("capacity", "check", "remove", "when the feed is down") if word not in text] == []
