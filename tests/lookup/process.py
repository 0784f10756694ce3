"""The process as `rahdari up` runs it, and ways to ask it and to wait."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.waiting import until

PATIENCE = 60


@contextmanager
def looking_up(data: Path, log: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [sys.executable, "-P", "-m", "rahdari", "lookup", "--data", str(data), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAHDARI", "DJANGO"))}
    environment |= {"RAHDARI_LOOKUP_URL": f"http://127.0.0.1:{port}", **settings}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        until(lambda: process.poll() is None and status(port, "/healthz") == 200, log)
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def status(port: int, path: str, **headers: str) -> int:
    try:
        with asking(port, path, **headers) as answer:
            return answer.status
    except OSError:
        return 0


@contextmanager
def asking(
    port: int, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body=body, headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()
