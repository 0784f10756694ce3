"""The run of `bench/probes`. The daemons are those of the tests."""

import argparse
import contextlib
import dataclasses
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import measure, place
from rahdari import probe
from rahdari.probe import Outcome, wireguard
from tests.needs import needs_program
from tests.probe import charon, test_openvpn, test_tls, test_wireguard
from tests.probe.networks import ALLOWED, SERVER, Line, a_line, running

HERE = probe.Standpoint(allowed_ranges=ALLOWED)
TIMEOUT = 10.0
TRIES, QUICK = 20, 2
BLOCKED = "table inet blocked {{ chain i {{ type filter hook input priority -5; ip saddr {there} drop; }}; }}\n"
THERE = "198.51.100.1"


@dataclasses.dataclass(frozen=True)
class Subject:
    """A running daemon: the claim that is right of it, and one by another key."""

    line: Line
    right: probe.Claim
    other: probe.Claim


@contextlib.contextmanager
def a_wireguard(folder: Path) -> Iterator[Subject]:
    needs_program("wireguard-go", "apt-get install wireguard-go")
    needs_program("wg", "apt-get install wireguard-tools")
    ours, theirs = wireguard.new_key(), wireguard.new_key()
    with a_line() as line, running(line.on_server("wireguard-go", "-f", "wg0"), folder / "log"):
        (folder / "key").write_text(theirs[0])
        test_wireguard.until(lambda: "wg0" in line.run_on_server("ip", "-br", "link"))
        line.run_on_server("wg", "set", "wg0", "private-key", folder / "key", "listen-port", "51820")
        line.run_on_server("wg", "set", "wg0", "peer", ours[1])
        line.run_on_server("ip", "link", "set", "wg0", "up")
        right = probe.WireguardClaim(private_key=ours[0], peer_key=theirs[1])
        yield Subject(line, right, dataclasses.replace(right, peer_key=wireguard.new_key()[1]))


@contextlib.contextmanager
def an_openvpn(folder: Path, *, tcp: bool) -> Iterator[Subject]:
    with test_openvpn.a_daemon(folder, tcp=tcp) as daemon:
        right = probe.OpenVpnClaim(fingerprint=daemon.identity.fingerprint, tcp=tcp)
        yield Subject(daemon.line, right, dataclasses.replace(right, fingerprint="00" * 32))


@contextlib.contextmanager
def an_ikev2(folder: Path) -> Iterator[Subject]:
    with charon.a_charon(folder) as daemon:
        right = probe.IkeClaim(fingerprint=daemon.identity.fingerprint)
        yield Subject(daemon.line, right, dataclasses.replace(right, fingerprint="00" * 32))


@contextlib.contextmanager
def a_stunnel(folder: Path) -> Iterator[Subject]:
    needs_program("stunnel", "apt-get install stunnel4")
    identity = charon.an_identity(folder, "vpn.sample.example")
    (folder / "stunnel.conf").write_text(
        "foreground = yes\npid =\n[vpn]\naccept = :::443\nconnect = 127.0.0.1:1194\n"
        f"cert = {identity.certificate}\nkey = {identity.key}\n"
    )
    with a_line() as line, running(line.on_server("stunnel", folder / "stunnel.conf"), folder / "log"):
        test_tls.until_open(line, 443)
        right = probe.TlsClaim(fingerprint=identity.fingerprint)
        yield Subject(line, right, dataclasses.replace(right, fingerprint="00" * 32))


SUBJECTS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Subject]]] = {
    "wireguard": a_wireguard,
    "openvpn, udp": lambda folder: an_openvpn(folder, tcp=False),
    "openvpn, tcp": lambda folder: an_openvpn(folder, tcp=True),
    "ikev2": an_ikev2,
    "tls": a_stunnel,
}


def main(given: argparse.Namespace) -> None:
    tries = QUICK if given.quick else TRIES
    with measure.reporting(given, "probes") as result:
        for name, make in SUBJECTS.items():
            tried: Subject | None = None
            with result.trying(name), what_is_here(), a_folder() as folder, make(folder) as subject:
                tried = subject
                result.rows += ours(name, subject, tries)
                if name == "ikev2":
                    result.rows += peers(subject, tries)
            if tried is not None:
                with result.trying(f"{name}, absent"), a_line() as line:
                    gone = dataclasses.replace(tried, line=line)
                    result.rows.append(row(name, "absent", gone, gone.right, tries, should=False))


@contextlib.contextmanager
def what_is_here() -> Iterator[None]:
    """The daemons are the tests', and so is their word for one that is not installed. Raises NotHere."""
    try:
        yield
    except pytest.skip.Exception as why:
        raise place.NotHere(str(why)) from None


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder:
        yield Path(folder)


def ours(name: str, subject: Subject, tries: int) -> list[dict[str, Any]]:
    rows = [
        row(name, "as claimed", subject, subject.right, tries, should=True),
        row(name, "another key claimed", subject, subject.other, max(2, tries // 4), should=False),
    ]
    for percent in (10, 30):
        subject.line.lose(percent)
        rows.append(row(name, f"{percent} % lost each way", subject, subject.right, tries, should=True))
        subject.line.run_on_server("nft", "flush", "ruleset")
    subject.line.run_on_server("nft", "-f", "-", text=BLOCKED.format(there=THERE))
    rows.append(row(name, "blocked on the way", subject, subject.right, max(2, tries // 10), should=False))
    subject.line.run_on_server("nft", "flush", "ruleset")
    return rows


def row(name: str, case: str, subject: Subject, claim: probe.Claim, tries: int, *, should: bool) -> dict[str, Any]:
    outcomes, times = [], []
    for _ in range(tries):
        answer = subject.line.at_prober(lambda: probe.prove(claim, address=SERVER, timeout=TIMEOUT, standpoint=HERE))
        outcomes.append(answer.outcome)
        times.append(answer.elapsed)
    proved = sum(outcome is Outcome.PROVED for outcome in outcomes)
    others = sorted({outcome.value for outcome in outcomes if outcome is not Outcome.PROVED})
    return {
        "who": "rahdari",
        "protocol": name,
        "case": case,
        "n": tries,
        "proved": proved,
        "false proofs": 0 if should else proved,
        "p50 s": round(measure.percentile(times, 0.5), 3),
        "max s": round(max(times), 3),
        "else": " ".join(others),
    }


def peers(subject: Subject, tries: int) -> list[dict[str, Any]]:
    """What ike-scan and nmap say of the same responder: that there is one."""
    asked = {
        "ike-scan": ["ike-scan", "--ikev2", str(SERVER)],
        "nmap": ["nmap", "-n", "-Pn", "-sU", "-p", "500", "--script", "ike-version", str(SERVER)],
    }
    rows = []
    for who, command in asked.items():
        if shutil.which(who) is None:
            continue
        for case, percent in (("as claimed", 0), ("30 % lost each way", 30)):
            if percent:
                subject.line.lose(percent)
            found, times = 0, []
            for _ in range(max(2, tries // 4)):
                began = time.perf_counter()
                said = subprocess.run(
                    ["ip", "netns", "exec", subject.line.prober, *command],
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=120,
                ).stdout
                times.append(time.perf_counter() - began)
                found += "IKEv2" in said or "500/udp open " in said or "500/udp open\n" in said
            if percent:
                subject.line.run_on_server("nft", "flush", "ruleset")
            rows.append(
                {
                    "who": who,
                    "protocol": "ikev2",
                    "case": case,
                    "n": len(times),
                    "proved": "",
                    "false proofs": "",
                    "p50 s": round(measure.percentile(times, 0.5), 3),
                    "max s": round(max(times), 3),
                    "else": f"service seen {found} of {len(times)}; no identity",
                }
            )
    return rows
