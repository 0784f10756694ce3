"""The real process: granian, sockets, signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.push.feeds import TOKEN, allow, announce, put

PATIENCE = 30


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def pushing(data: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--backpressure", "4096"]
    command += ["--workers-kill-timeout", "1", "rahdari.push.app:application"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "RAHDARI_DATA": str(data)}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        until(lambda: process.poll() is None and answers(port), log)
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition: object, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain; the process said:\n{log.read_text()}")
        time.sleep(0.01)


def answers(port: int) -> bool:
    try:
        with asking(port, "/healthz"):
            return True
    except OSError:
        return False


@contextmanager
def asking(port: int, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


class TestPushProcess:
    def test_serves_tells_and_stops_with_readers_connected(self, tmp_path: Path) -> None:
        allow(tmp_path)
        announce(tmp_path, 1)
        large = os.urandom(1_000_000)
        put(tmp_path / "feed" / "targets" / "large.zst", large)
        token = {"Authorization": f"Bearer {TOKEN}"}
        log = tmp_path / "log"
        with pushing(tmp_path, log) as (process, port):
            with asking(port, "/feed/metadata/timestamp.json") as refused:
                assert refused.status == 401
            with asking(port, "/feed/targets/large.zst", **token) as whole:
                assert whole.read() == large
                assert whole.getheader("content-length") == "1000000"
            with asking(port, "/feed/metadata/..%2f..%2ffeed-access.json", **token) as outside:
                assert outside.status == 404
            with asking(port, "/feed/events", **token) as left:
                assert next_event(left)["id"] == "1"
            with asking(port, "/feed/events", **token) as stream:
                assert next_event(stream)["id"] == "1"
                announce(tmp_path, 2)
                assert next_event(stream)["id"] == "2"
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0, log.read_text()

    def test_holds_no_framework_and_no_key(self) -> None:
        probe = (
            "import sys, rahdari.push.app\n"
            "unwanted = {'django', 'psycopg', 'cryptography', 'tuf', 'securesystemslib'}\n"
            "print(sorted(unwanted & {name.partition('.')[0] for name in sys.modules}))"
        )
        result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert json.loads(result.stdout) == []


def next_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    fields: dict[str, str] = {}
    while line := stream.readline().decode():
        if line == "\n" and fields:
            return fields
        name, _, value = line.strip().partition(": ")
        if name:
            fields[name] = value
    pytest.fail("the stream ended")
