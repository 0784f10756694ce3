"""The pushing process as `rahdari up` runs it, and ways to ask it and to wait."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.waiting import until

PATIENCE = 60


@contextmanager
def pushing(
    data: Path, log: Path, *, port: int = 0, program: Sequence[str] = ("-m", "rahdari"), **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`rahdari push` on this data folder. `settings` go into its environment."""
    port = port or free_port()
    command = [sys.executable, *program, "push", "--data", str(data), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAHDARI_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment | settings, stdout=output, stderr=output, start_new_session=True
        )
    try:
        until(lambda: process.poll() is None and answers(port), log)
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
