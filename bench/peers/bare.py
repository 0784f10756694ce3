"""Servers that do nothing but answer the same bytes: the limit that an answer with a lookup is held against."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import place

from . import nginx

HEADERS = [(b"content-type", b"application/json")]


async def application(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": PAYLOAD})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(PAYLOAD)))])
    return [PAYLOAD]


PAYLOAD = os.environ.get("RAHDARI_BENCH_PAYLOAD", "").encode()


@contextmanager
def granian(folder: Path, payload: bytes, *, interface: str) -> Iterator[str]:
    """One worker, started as the product starts its own."""
    port, log = place.free_port(), folder / f"granian-{interface}.log"
    name = "application" if interface == "asgi" else "wsgi"
    command = [
        sys.executable, "-m", "granian", "--interface", interface, "--workers", "1", "--no-ws", "--host", "127.0.0.1",
        "--port", str(port), "--backpressure", "4096", "--log-level", "warning", f"bench.peers.bare:{name}",
    ]  # fmt: skip
    environment = {"RAHDARI_BENCH_PAYLOAD": payload.decode(), "PYTHONPATH": str(place.ROOT)}
    with place.running(command, log=log, environment=environment, folder=place.ROOT) as process:
        place.wait_for("granian", lambda: place.answers(port), lives=process, log=log)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def file_server(folder: Path, payload: bytes, *, quick: bool) -> Iterator[str]:
    """nginx, one worker, the same file whatever is asked."""
    root = folder / "root"
    root.mkdir()
    (root / "answer.json").write_bytes(payload)
    listen = f"127.0.0.1:{place.free_port()}"
    more = "location / { try_files /answer.json =404; }"
    with nginx.serving(folder / "nginx", root, listen=listen, more=more, quick=quick) as url:
        yield url
