"""The pushing process as `rahdari up` runs it, and ways to ask it and to wait."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def pushing(data: Path, log: Path, *, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = port or free_port()
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


def until(condition: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
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
