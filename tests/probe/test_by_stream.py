"""What goes over one TCP connection: HTTP, SSTP and TLS-ALPN-01, across a line that may lose packets, through the door.

Each with right, wrong, absent and slow answers. (TLS to stunnel and ocserv, OpenVPN over TCP: in their own modules.)
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509

from rahdari import probe
from rahdari.probe import Outcome, ProbeAnswer, tls

from .certificates import an_identity
from .networks import ALLOWED, SERVER, Line, a_line, asleep, running
from .test_tls import until_open

LINE = "rahdari=sample"
STUBS = Path(__file__).with_name("stubs.py")
FROM_HERE = probe.Standpoint(allowed_ranges=ALLOWED)


@dataclass(frozen=True)
class Case:
    """A stub's words, a claim that is right of it, and one that is wrong."""

    words: tuple[str, ...]
    right: probe.Claim
    wrong: probe.Claim
    port: int


def a_case(method: str, folder: Path) -> Case:
    if method == "http":
        right = probe.HttpClaim(line=LINE)
        return Case(("http", LINE), right, replace(right, line="rahdari=another"), 80)
    if method == "sstp":
        identity = an_identity(folder, "vpn.sample.example")
        claim = probe.SstpClaim(fingerprint=identity.fingerprint)
        files = (str(identity.certificate), str(identity.key))
        return Case(("sstp", *files), claim, replace(claim, fingerprint="00" * 32), 443)
    held = b"\x04\x20" + hashlib.sha256(LINE.encode()).digest()
    extension = x509.UnrecognizedExtension(tls.ACME_IDENTIFIER, held)
    identity = an_identity(folder, "challenge", address=str(SERVER), extra=((extension, True),))
    files = (str(identity.certificate), str(identity.key))
    return Case(
        ("tls-alpn", *files),
        probe.AlpnClaim(key_authorization=LINE),
        probe.AlpnClaim(key_authorization="rahdari=another"),
        443,
    )


@dataclass(frozen=True)
class Server:
    line: Line
    case: Case
    process: subprocess.Popen[bytes]

    def prove(self, claim: probe.Claim, *, timeout: float = 30.0) -> ProbeAnswer:
        return self.line.at_prober(lambda: probe.prove(claim, address=SERVER, timeout=timeout, standpoint=FROM_HERE))


@pytest.fixture(params=["http", "sstp", "tls-alpn"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    case = a_case(request.param, tmp_path)
    with a_line() as line, running(line.on_server(sys.executable, STUBS, *case.words), tmp_path / "log") as process:
        until_open(line, case.port)
        yield Server(line, case, process)


class TestProve:
    def test_proves_what_is_right_and_not_what_is_wrong(self, server: Server) -> None:
        assert server.prove(server.case.right).outcome is Outcome.PROVED
        assert server.prove(server.case.wrong).outcome is Outcome.OTHER_KEY

    @pytest.mark.whole
    def test_waits_for_a_slow_server_and_hears_nothing_from_one_that_sleeps(self, server: Server) -> None:
        with asleep(server.process, 1.5):
            assert server.prove(server.case.right).outcome is Outcome.PROVED
        with asleep(server.process):
            assert server.prove(server.case.right, timeout=1.0).outcome is Outcome.TIMED_OUT

    def test_is_told_when_nothing_listens(self, server: Server) -> None:
        server.process.terminate()
        server.process.wait(60)
        assert server.prove(server.case.right).outcome is Outcome.REFUSED

    @pytest.mark.parametrize("percent", [10, pytest.param(30, marks=pytest.mark.whole)])
    def test_gets_through_a_line_that_loses_packets(self, server: Server, percent: int) -> None:
        server.line.lose(percent)
        outcomes = [server.prove(server.case.right, timeout=20.0).outcome]
        # A connection may die at such a loss; each try begins anew, as the looks of a challenge do.
        while outcomes[-1] is not Outcome.PROVED and len(outcomes) < 4:
            assert outcomes[-1] in {Outcome.TIMED_OUT, Outcome.RESET}
            outcomes.append(server.prove(server.case.right, timeout=20.0).outcome)
        assert outcomes[-1] is Outcome.PROVED
