"""A connection is cut by a real rule of nftables, in a network namespace of the test's own: measured by real
connections, reported, answered, mended, and closed with a pack that two programs check that are not ours.

Places are source addresses on the namespace's loopback: outside 127.0.1.0/24, in the operator's network 127.0.2.0/24.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rahdari.incident import answering, clocks, packs, queries
from rahdari.incident.models import Incident
from rahdari.incident.rules import Proof, Reason, State
from rahdari.probe import Outcome
from rahdari.register.models import Entry
from rahdari.watch import queries as watch
from rahdari.watch.models import Consent
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator
from tests.needs import needs_namespaces, needs_program
from tests.watch.places import SILENT, UP, Places, agreed, places

from .test_packs import Authority, authority, commands, run, unpacked

__all__ = ["authority"]
pytestmark = [pytest.mark.django_db, pytest.mark.root, pytest.mark.whole]
ADDRESS, PORT = "203.0.113.24", 51820
OTHERS = [f"203.0.113.{n}" for n in range(30, 34)]
ELSEWHERE = [f"198.51.100.{n}" for n in range(40, 44)]
OUTSIDE = ("ip", "saddr", "127.0.1.0/24")
FROM = {"out-1": "127.0.1.1", "out-2": "127.0.1.2", "out-3": "127.0.1.3", "in-1": "127.0.2.1"}


class Network:
    """A namespace of one thread, with a server for each address; what is done in it is done by that thread."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self.servers: dict[str, socket.socket] = {}
        self.thread.submit(self._begin).result()

    def _begin(self) -> None:
        os.unshare(os.CLONE_NEWNET)
        self._does("ip", "link", "set", "lo", "up")
        for address in (ADDRESS, *OTHERS, *ELSEWHERE):
            self._does("ip", "address", "add", f"{address}/32", "dev", "lo")
            self.servers[address] = socket.create_server((address, PORT))
        self._does("nft", "add", "table", "inet", "edge")
        self._does("nft", "add", "chain", "inet", "edge", "in", "{ type filter hook input priority 0 ; }")

    @staticmethod
    def _does(*words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"

    def rule(self, *words: str) -> None:
        self.thread.submit(self._does, "nft", "add", "rule", "inet", "edge", "in", *words).result()

    def without_rules(self) -> None:
        self.thread.submit(self._does, "nft", "flush", "chain", "inet", "edge", "in").result()

    def stop(self, address: str) -> None:
        self.thread.submit(self.servers[address].close).result()

    def connects(self, place: str, address: str) -> Outcome:
        """A real connection from this place: dropped packets are silence, a closed port is told at once."""

        def tried() -> bool:
            with suppress(OSError), socket.create_connection((address, PORT), 0.3, source_address=(FROM[place], 0)):
                return True
            return False

        return UP if self.thread.submit(tried).result() else SILENT

    def end(self) -> None:
        for each in self.servers.values():
            each.close()
        self.thread.shutdown()


@contextmanager
def measured() -> Iterator[tuple[Network, Places, Consent]]:
    needs_namespaces()
    needs_program("nft", "apt-get install nftables")
    an_operator()
    network = Network()
    try:
        with places() as land:
            consent = agreed(ADDRESS)
            for each in OTHERS:
                agreed(each)
            for each in ELSEWHERE:
                agreed(each, asn=64501)
            land.sees = network.connects
            land.round()
            assert state_of(consent) == "in_order"
            yield network, land, consent
    finally:
        network.end()


def state_of(consent: Consent) -> str:
    found = watch.state_of(consent)
    assert found is not None
    return found.state


CUTS: dict[str, tuple[Callable[[Network], None], str]] = {
    # At the edge of one operator, for all that it carries.
    "operator": (lambda net: net.rule(*OUTSIDE, "ip", "daddr", "203.0.113.0/24", "drop"), "this_operator"),
    # On the path to one address.
    "path": (lambda net: net.rule(*OUTSIDE, "ip", "daddr", ADDRESS, "drop"), "path_blocked"),
    "server": (lambda net: net.stop(ADDRESS), "server_down"),
}


@pytest.mark.parametrize("where", CUTS)
def test_is_measured_reported_answered_mended_and_closed_with_a_pack(
    where: str, authority: Authority, tmp_path: Path
) -> None:
    cut, verdict = CUTS[where]
    with measured() as (network, land, consent):
        cut(network)
        land.round()
        land.round()
        assert state_of(consent) == verdict
        found = clocks.report_measured(now=land.at)
        assert (found > 0) == (verdict != "server_down"), "a server that is off is nobody's cut"
        mine = Entry.objects.get(feed_id=consent.feed_id).registration
        report = a_report(mine, land.at)
        incident = report.incident
        there = {"incident": incident, "actor": "operator:sample-fibre", "now": land.at}
        if verdict == "server_down":
            answering.answer(reason=Reason.HOLDER_SERVER, **there)  # type: ignore[arg-type]
            network.servers[ADDRESS] = network.thread.submit(socket.create_server, (ADDRESS, PORT)).result()
        else:
            answering.answer(reason=Reason.FILTER_TOO_WIDE, words="It is taken out.", **there)  # type: ignore[arg-type]
            # Said before it is done: three looks find out.
            answering.say_mended(**there)  # type: ignore[arg-type]
            for _look in range(3):
                land.round()
            clocks.follow(now=land.at)
            assert Incident.objects.get(pk=incident.pk).unproved_at is not None
            network.without_rules()
        for _look in range(3):
            land.round()
        clocks.follow(now=land.at)
        closed = queries.incidents().get(pk=incident.pk)
        assert (closed.state, closed.proof) == (State.CLOSED_WITH_PROOF, Proof.LOOKS)
        assert packs.make_due(now=land.at) > 0
        pack = queries.pack_of(closed, mine)
        assert pack is not None and pack.stamped_at is not None
        place = unpacked(pack, "evidence", tmp_path)
        hashes, time, *_more = commands(place / "README.en.txt")
        assert run(*hashes, cwd=place).returncode == 0
        assert b"Verification: OK" in run(*time, cwd=place).stdout
        seen = (place / "data/measured.json").read_text()
        assert verdict in seen and ADDRESS not in seen
        file = place / "data/measured.json"
        file.write_text(seen.replace(verdict, "in_order", 1))
        assert run(*hashes, cwd=place).returncode != 0
