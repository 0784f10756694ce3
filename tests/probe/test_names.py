"""Host names, asked of a real name server (Knot), across a line that may lose packets."""

import contextlib
import ipaddress
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.probe import names
from rahdari.probe.outcome import Outcome, ProbeAnswer
from rahdari.probe.resolvers import parse_resolver
from tests.needs import needs_program
from tests.waiting import until

from .networks import ALLOWED, SERVER, SERVER6, Line, a_line, asleep, running

NAME = "vpn.sample.example"
TOKEN = "sample-token-one"
ZONE = f"""$ORIGIN sample.example.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {SERVER}
vpn A {SERVER}
vpn A 192.0.2.9
vpn AAAA {SERVER6}
_rahdari-challenge.vpn TXT "another text"
_rahdari-challenge.vpn TXT "sample-" "token-one"
alias CNAME vpn
_rahdari-challenge.alias CNAME _rahdari-challenge.vpn
elsewhere A 192.0.2.10
_rahdari-challenge.elsewhere TXT "{TOKEN}"
bare A {SERVER}
many A {SERVER}
"""
# More than a datagram holds.
MANY = "".join(f'_rahdari-challenge.many TXT "filler-{number:03}-{"x" * 200}"\n' for number in range(40))


class Server:
    def __init__(self, line: Line, process: subprocess.Popen[bytes]) -> None:
        self.line, self.process = line, process

    def probe(
        self,
        name: str = NAME,
        *,
        value: str = TOKEN,
        address: object = SERVER,
        resolvers: tuple[str, ...] = (str(SERVER),),
        timeout: float = 30.0,
    ) -> ProbeAnswer:
        return self.line.at_prober(
            lambda: names.prove_name(
                address,  # type: ignore[arg-type]
                name=name,
                value=value,
                resolvers=resolvers,
                timeout=timeout,
                allowed_ranges=ALLOWED,
            )
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    program = needs_program("knotd", "apt-get install knot")
    (tmp_path / "sample.example.zone").write_text(ZONE + MANY + f'_rahdari-challenge.many TXT "{TOKEN}"\n')
    settings = tmp_path / "knot.conf"
    settings.write_text(
        f"server:\n  rundir: {tmp_path}\n  listen: [ {SERVER}@53, {SERVER6}@53 ]\n  udp-workers: 1\n"
        f"  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {tmp_path}\n"
        f"template:\n  - id: default\n    storage: {tmp_path}\nzone:\n  - domain: sample.example\n"
    )
    with a_line() as line, running(line.on_server(program, "-c", settings), tmp_path / "log") as process:
        until(lambda: process.poll() is None and line.at_prober(listens), tmp_path / "log")
        yield Server(line, process)


def listens() -> bool:
    with contextlib.suppress(OSError), socket.create_connection((str(SERVER), 53), timeout=1):
        return True
    return False


class TestProveName:
    @pytest.mark.parametrize("address", [SERVER, SERVER6])
    def test_proves_a_name_that_leads_here_and_holds_our_text(self, server: Server, address: object) -> None:
        answer = server.probe(address=address)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, NAME)

    def test_follows_a_name_that_stands_for_another(self, server: Server) -> None:
        assert server.probe("alias.sample.example").outcome is Outcome.PROVED

    def test_asks_over_tcp_for_what_no_datagram_holds(self, server: Server) -> None:
        assert server.probe("many.sample.example").outcome is Outcome.PROVED

    def test_asks_the_next_resolver_when_one_is_silent(self, server: Server) -> None:
        answer = server.probe(resolvers=("198.51.100.77", f"[{SERVER6}]:53"))
        assert answer.outcome is Outcome.PROVED

    @pytest.mark.parametrize(
        ("name", "value", "outcome", "detail"),
        [
            (NAME, "sample-token-two", Outcome.OTHER_KEY, "other_text"),
            (NAME, "sample-", Outcome.OTHER_KEY, "other_text"),
            ("bare.sample.example", TOKEN, Outcome.ANSWERED, "no_record"),
            ("nothing.sample.example", TOKEN, Outcome.ANSWERED, "no_record"),
            ("elsewhere.sample.example", TOKEN, Outcome.ANSWERED, "other_address"),
            ("vpn.another.example", TOKEN, Outcome.ANSWERED, "refused"),
        ],
    )
    def test_says_what_is_there_instead(
        self, server: Server, name: str, value: str, outcome: Outcome, detail: str
    ) -> None:
        answer = server.probe(name, value=value)
        assert (answer.outcome, answer.detail, answer.key) == (outcome, detail, "")

    @pytest.mark.parametrize("percent", [10, 30])
    def test_gets_through_a_line_that_loses_packets(self, server: Server, percent: int) -> None:
        server.line.lose(percent)
        assert server.probe(timeout=40.0).outcome is Outcome.PROVED

    def test_waits_for_a_slow_server(self, server: Server) -> None:
        with asleep(server.process, 1.2):
            assert server.probe().outcome is Outcome.PROVED

    def test_proves_nothing_when_no_resolver_answers(self, server: Server) -> None:
        answer = server.probe(resolvers=("198.51.100.77",), timeout=1.2)
        assert (answer.outcome, answer.detail) == (Outcome.TIMED_OUT, "resolver")

    def test_proves_nothing_when_nothing_listens(self, server: Server) -> None:
        answer = server.probe(resolvers=(f"{SERVER}:54",), timeout=0.5)
        assert (answer.outcome, answer.detail) == (Outcome.TIMED_OUT, "resolver")


class TestResolvers:
    def test_are_needed(self) -> None:
        answer = names.prove_name(
            ipaddress.ip_address("198.51.100.2"), name=NAME, value=TOKEN, resolvers=(), allowed_ranges=ALLOWED
        )
        assert (answer.outcome, answer.detail) == (Outcome.UNREACHABLE, "no_resolver")

    @pytest.mark.parametrize("wrong", ["", "resolver.example", "192.0.2.1:", "192.0.2.1:dns", "[2001:db8::1", "::1:x"])
    def test_are_addresses(self, wrong: str) -> None:
        with pytest.raises(ValueError):
            parse_resolver(wrong)

    def test_have_ports(self) -> None:
        assert parse_resolver("192.0.2.1") == ("192.0.2.1", 53)
        assert parse_resolver("192.0.2.1:5353") == ("192.0.2.1", 5353)
        assert parse_resolver("2001:db8::1") == ("2001:db8::1", 53)
        assert parse_resolver("[2001:db8::1]:5353") == ("2001:db8::1", 5353)
