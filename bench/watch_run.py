"""The run of `bench/watch`."""

import datetime as dt
import hashlib
import http.server
import ipaddress
import json
import os
import sys
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import desk_run, filling, measure, place

ENDPOINTS, FEW = 100_000, 5_000
EVERY, ROUND = dt.timedelta(minutes=5), dt.timedelta(seconds=10)
LAPS = 2
NETWORKS = ("AS64600", "AS64601", "AS64602")
# One endpoint of so many fails in a lap, and is well in the next.
FAILS_IN = 500
PROBES = 400


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--endpoints", type=int, help=f"so many ({ENDPOINTS})")
    parser.add_argument("--vantage", type=int, help="a port: be the vantage there, for the command itself")
    given = parser.parse_args()
    if given.vantage:
        be_a_vantage(given.vantage)
        return
    place.end_cleanly_on_signals()
    conditions = measure.conditions()
    rows = [*of_the_register(given.endpoints or (FEW if given.quick else ENDPOINTS)), *of_a_vantage()]
    measure.report(rows, given=given, about=conditions, experiment="watch")


# -- the register ------------------------------------------------------------------------------------------------


def of_the_register(endpoints: int) -> list[dict[str, Any]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rahdari-bench-")))
        stack.enter_context(desk_run.database(folder))
        from django.db import connection

        from rahdari.db.connections import backend_of
        from rahdari.watch.models import Conclusion, Spell
        from rahdari.watch.rounds import Rounds
        from rahdari.watch.vantage import place_of

        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        fill(endpoints, now)
        ports = [place.free_port() for _ in NETWORKS]
        for port in ports:
            stack.enter_context(
                place.running([sys.executable, sys.argv[0], "--vantage", str(port)], log=folder / f"{port}.log")
            )
            place.wait_for("a vantage", lambda port=port: place.answers(port) or None, patience=60)
        clock = [now]
        rounds = Rounds([place_of(each) for each in vantages(ports)], control(), clock=lambda: clock[0])
        spent = Path(f"/proc/{backend_of(connection)}/schedstat")
        began = time.process_time()
        rounds.board.refresh(now)
        rows = [{"part": "start: read all consents", "endpoints": endpoints, "cpu s": time.process_time() - began}]
        for lap in range(LAPS + 1):
            ours, servers, wall = time.process_time(), desk_run.seconds(spent), time.monotonic()
            before, looked = Spell.objects.count() + Conclusion.objects.count(), 0
            for _ in range(EVERY // ROUND):
                clock[0] += ROUND
                looked += rounds(clock[0])
            cost = time.process_time() - ours, desk_run.seconds(spent) - servers
            written = Spell.objects.count() + Conclusion.objects.count() - before
            rows.append(
                {
                    "part": "first lap: all is new" if lap == 0 else "a lap of five minutes",
                    "endpoints": looked,
                    "looks a second": looked * len(NETWORKS) / EVERY.total_seconds(),
                    "cpu s": sum(cost),
                    "of it postgres s": cost[1],
                    "cores of two": sum(cost) / EVERY.total_seconds(),
                    "rows": written,
                    "took s": time.monotonic() - wall,
                }
            )
        rows.append({"part": "memory", "endpoints": endpoints, "MiB": place.resident_mib(os.getpid())})
        rounds.close()
    return rows


def fill(endpoints: int, now: dt.datetime) -> None:
    """Registered endpoints of as many holders, all of whom agreed."""

    from django.db import connection, transaction

    from rahdari.register.models import Entry
    from rahdari.watch.models import Consent

    with transaction.atomic(), connection.cursor() as cursor:
        filling._registrations(cursor, endpoints, 0, now)
        filling._entries(cursor, endpoints, 0, "hosts", now)
        cursor.execute("ANALYZE register_entry")
    rows = []
    for feed_id, block in Entry.objects.order_by("pk").values_list("feed_id", "block").iterator(5_000):
        claim = {"method": "tls", "fingerprint": "0" * 64, "port": 443, "server_name": ""}
        asks = json.dumps({"address": str(block.network_address), "claim": claim})
        rows.append(
            Consent(
                feed_id=feed_id,
                holder=uuid.uuid4(),
                personal=False,
                every=EVERY,
                asks=asks,
                given_at=now,
                given_by="user:sample",
            )
        )
        if len(rows) == 5_000:
            Consent.objects.bulk_create(rows)
            rows = []
    Consent.objects.bulk_create(rows)


def control() -> Any:
    from rahdari.probe import Attempt, HttpClaim

    return Attempt(ipaddress.ip_address("198.51.100.250"), HttpClaim(line="rahdari-control"))


def vantages(ports: list[int]) -> list[Any]:
    from rahdari.vantage import Vantage

    key = _key().public_key().public_bytes_raw().hex()
    return [
        Vantage(name=f"place-{port}", url=f"http://127.0.0.1:{port}", key=key, token="a" * 40, network=network)
        for port, network in zip(ports, NETWORKS, strict=True)
    ]


# -- a vantage ---------------------------------------------------------------------------------------------------


def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"bench/watch").digest())


def be_a_vantage(port: int) -> None:
    """Answer batches as a simulated network would, by the time that the request shows."""
    from rahdari.probe import Outcome, ProbeAnswer
    from rahdari.vantage import batch

    key, up = _key(), ProbeAnswer(Outcome.PROVED, "tls", sent=1, elapsed=0.04)
    down = ProbeAnswer(Outcome.SILENT, "tls", sent=3, elapsed=5.0)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(body)
            at = dt.datetime.fromisoformat(asked["asked_at"])
            lap = int(at.timestamp() // EVERY.total_seconds())
            fails = [zlib.crc32(f"{each['address']} {lap}".encode()) % FAILS_IN == 0 for each in asked["attempts"]]
            seen = [down if n and failed else up for n, failed in enumerate(fails)]
            said = batch.answer(body, asked["id"], seen, vantage=f"place-{port}", now=at, key=key)
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def of_a_vantage() -> Iterator[dict[str, Any]]:
    """What a look costs there: the handshake itself, and reading, signing and the rest of the batch."""
    from rahdari import probe
    from rahdari.probe import Attempt
    from rahdari.vantage import batch

    here = ipaddress.ip_address("127.0.0.1")
    a_second = ENDPOINTS / EVERY.total_seconds()
    with tempfile.TemporaryDirectory() as folder, a_server(Path(folder)) as (port, fingerprint):
        claim = probe.TlsClaim(fingerprint, port=port)
        standpoint = probe.Standpoint(allowed_ranges=("127.0.0.0/8",))
        began = time.process_time()
        seen = [probe.prove(claim, address=here, timeout=5, standpoint=standpoint) for _ in range(PROBES)]
        probing = (time.process_time() - began) / PROBES
        assert all(each.proved for each in seen)
    attempts = tuple(Attempt(here, claim) for _ in range(200))
    now, took = dt.datetime.now(dt.UTC), time.process_time()
    for _ in range(20):
        body = batch.BatchRequest("1b4e28ba-2fa1-41d2-883f-0016d3cca427", attempts, 5, now).body()
        batch.BatchRequest.read(body)
        batch.answer(body, "id", seen[:200], vantage="a", now=now, key=_key())
    rest = (time.process_time() - took) / (20 * 200)
    for part, cost in (("a vantage: TLS handshakes", probing), ("a vantage: the rest of it", rest)):
        yield {"part": part, "looks a second": a_second, "cpu ms a look": cost * 1e3, "cores of two": cost * a_second}


@contextmanager
def a_server(folder: Path) -> Iterator[tuple[int, str]]:
    """TLS in a process of its own, which costs somebody else."""
    from tests.probe.certificates import an_identity

    identity = an_identity(folder, "vpn.sample.example")
    port = place.free_port()
    code = (
        "import socket, ssl, sys\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])\n"
        "listener = socket.create_server(('127.0.0.1', int(sys.argv[3])), backlog=128)\n"
        "while True:\n"
        "    try:\n"
        "        with context.wrap_socket(listener.accept()[0], server_side=True) as one: one.recv(1)\n"
        "    except OSError: pass\n"
    )
    command = [sys.executable, "-c", code, str(identity.certificate), str(identity.key), str(port)]
    with place.running(command, log=folder / "server.log"):
        place.wait_for("a server", lambda: place.answers(port) or None, patience=60)
        yield port, identity.fingerprint
