"""A data folder as the publisher leaves it, and a caller who speaks ASGI to the application."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rahdari.proof import Access, token_digest
from rahdari.proof.access import FILE_NAME, encode_access
from rahdari.push.app import Push

TOKEN = "sample-token-of-operator-one"
OTHER_TOKEN = "sample-token-of-operator-two"


def allow(data: Path, *, tokens: tuple[tuple[str, str], ...] = (("sample-one", TOKEN),)) -> None:
    put(data / FILE_NAME, encode_access([Access(slug, token_digest(token)) for slug, token in tokens]))


def announce(data: Path, version: int) -> bytes:
    """A timestamp of this version; nobody here looks at signatures."""
    timestamp = json.dumps({"signatures": [], "signed": {"_type": "timestamp", "version": version}}).encode()
    put(data / "feed" / "metadata" / "timestamp.json", timestamp)
    return timestamp


def put(path: Path, content: bytes) -> None:
    """In one step, as the publisher does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        return dict(json.loads(self.body))


def bearer(token: str = TOKEN, **headers: str) -> list[tuple[bytes, bytes]]:
    given = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return [(name.encode(), value.encode()) for name, value in given.items()]


async def call(
    push: Push, path: str, *, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET"
) -> Answer:
    stream = Stream(push, path, headers=headers, method=method)
    await stream.finished()
    return Answer(stream.status, stream.headers, stream.content)


@dataclass
class Stream:
    """One request, with what has been answered so far."""

    push: Push
    path: str
    headers_sent: list[tuple[bytes, bytes]] = field(default_factory=list)
    status: int = 0
    content: bytes = b""

    def __init__(
        self, push: Push, path: str, *, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET"
    ) -> None:
        self.status, self.headers, self.content = 0, {}, b""
        self._changed = asyncio.Condition()
        self._gone = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": bearer() if headers is None else headers,
        }
        self._task = asyncio.create_task(push(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.content += message["body"]
        async with self._changed:
            self._changed.notify_all()

    async def says(self, text: bytes) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: text in self.content), 20)

    async def finished(self) -> None:
        await asyncio.wait_for(self._task, 20)

    async def leave(self) -> None:
        self._gone.set()
        await self.finished()
