"""Vantages for tests: the real process over loopback, and a fake that keeps the same contract."""

import contextlib
import datetime as dt
import hashlib
import http.server
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari import probe
from rahdari.vantage import Vantage, batch, client
from rahdari.vantage.client import BATCH_PATH
from rahdari.vantage.message import Request, Sighting
from rahdari.vantage.running import Made, make
from tests.ports import free_port
from tests.waiting import until

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ALLOWED = ("127.0.0.0/8",)
NETWORK = "AS64496"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextlib.contextmanager
def patiently() -> Iterator[None]:
    """A busy machine may let whoever answers wait for longer than a register does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "CONNECT_SECONDS", 60)
        patch.setattr(client, "BESIDE", 60)
        yield


def as_known(made: Made, url: str, *, name: str = "sample-1", network: str = NETWORK) -> Vantage:
    return Vantage(name=name, url=url, key=made.public_key, token=made.token, network=network, region="PK")


@contextlib.contextmanager
def a_vantage(
    folder: Path, *, name: str = "sample-1", network: str = NETWORK, more: str = "", scheme: str = "http"
) -> Iterator[Vantage]:
    """`rahdari vantage run`, as it is run anywhere."""
    port = free_port()
    made = make(folder, name=name, listen=f"127.0.0.1:{port}")
    text = made.configuration.read_text()
    made.configuration.write_text(f'allowed_ranges = ["127.0.0.0/8"]\n{text}{more}')
    command = [sys.executable, "-m", "rahdari", "vantage", "run", "--config", str(made.configuration)]
    with (folder / "log").open("wb") as log, patiently():
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            until(lambda: process.poll() is None and listens(port), folder / "log")
            yield as_known(made, f"{scheme}://127.0.0.1:{port}", name=name, network=network)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class FakeVantage:
    """A vantage that saw what a test says. Signs as the real one does, in this process, and can misbehave."""

    def __init__(self, name: str = "fake-1", network: str = "AS64497") -> None:
        self.name, self.network = name, network
        self.key, self.token = Ed25519PrivateKey.generate(), secrets.token_urlsafe(32)
        self.asked: list[Request] = []
        self.clock = now
        self.sees: Callable[[Request], probe.ProbeAnswer] = lambda request: probe.prove(
            request.claim,
            address=request.address,
            timeout=request.timeout,
            standpoint=probe.Standpoint(allowed_ranges=ALLOWED),
        )
        self.says: Callable[[Request, Sighting], tuple[int, bytes]] = lambda _, sighting: (
            HTTPStatus.OK,
            sighting.sign(self.key),
        )

    def many(self, body: bytes) -> bytes:
        """The answer to a batch."""
        read = batch.BatchRequest.read(body)
        each = [Request(read.id, one.address, one.claim, read.timeout, read.asked_at) for one in read.attempts]
        self.asked += each
        return batch.answer(
            body, read.id, list(map(self.sees, each)), vantage=self.name, now=self.clock(), key=self.key
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Vantage]:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                given = (self.headers["Authorization"] or "").removeprefix("Bearer ")
                if hashlib.sha256(given.encode()).digest() != hashlib.sha256(fake.token.encode()).digest():
                    self.answer(HTTPStatus.UNAUTHORIZED, b"{}")
                    return
                if self.path == BATCH_PATH:
                    self.answer(HTTPStatus.OK, fake.many(body))
                    return
                request = Request.read(body)
                fake.asked.append(request)
                sighting = Sighting.of(request, fake.sees(request), vantage=fake.name, now=now())
                self.answer(*fake.says(request, sighting))

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            with patiently():
                yield Vantage(
                    name=self.name,
                    url=f"http://127.0.0.1:{server.server_port}",
                    key=self.key.public_key().public_bytes_raw().hex(),
                    token=self.token,
                    network=self.network,
                )
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def get(url: str, token: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
