"""A data folder as the publisher leaves it, and a caller who speaks ASGI to the application."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rahdari.feed import Access, Credential, CredentialKind, certificate_digest, token_digest
from rahdari.feed.access import FILE_NAME, encode_access
from rahdari.push.app import Push
from tests.waiting import PATIENCE

TOKEN = "sample-token-of-operator-one"
OTHER_TOKEN = "sample-token-of-operator-two"
SESSION = "5e55105e" * 4
OTHER_SESSION = "07e40000" * 4
SHA256 = "ab" * 32
SNAPSHOT = f"targets/feed-static/{SESSION}/{SHA256}.snap-1-{'01' * 16}.jsonl.gz"


def repository_of(slug: str) -> str:
    """The operator's folder; the publisher's are random."""
    return hashlib.sha256(slug.encode()).hexdigest()[:32]


def metadata_of(data: Path, slug: str = "sample-one") -> Path:
    return data / "feed" / "repositories" / repository_of(slug) / "metadata"


def token(text: str, *, ends_at: str | None = None) -> Credential:
    return Credential(CredentialKind.TOKEN, token_digest(text), ends_at)


def certificate(der: bytes, *, ends_at: str | None = None) -> Credential:
    return Credential(CredentialKind.CERTIFICATE, certificate_digest(der), ends_at)


def let_in(data: Path, *operators: tuple[str, Sequence[Credential], Sequence[str]]) -> None:
    """Write the access file: slug, credentials, sessions of each operator."""
    holdings = [
        Access(slug, repository_of(slug), tuple(credentials), tuple(sessions))
        for slug, credentials, sessions in operators
    ]
    put(data / FILE_NAME, encode_access(holdings))


def allow(data: Path, *, tokens: tuple[tuple[str, str], ...] = (("sample-one", TOKEN),)) -> None:
    """Each operator with one token, and entitled to every session that there is."""
    sessions = [folder.name for folder in sorted((data / "feed" / "targets").glob("feed-*/*"))] or [SESSION]
    let_in(data, *((slug, [token(text)], sessions) for slug, text in tokens))


def announce(data: Path, version: int, slug: str = "sample-one") -> bytes:
    """A timestamp of this version; nobody here looks at signatures."""
    timestamp = json.dumps({"signatures": [], "signed": {"_type": "timestamp", "version": version}}).encode()
    put(metadata_of(data, slug) / "timestamp.json", timestamp)
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
    return said(authorization=f"Bearer {token}", **headers)


def said(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]


async def call(push: Push, path: str, *, headers: list[tuple[bytes, bytes]] | None = None, **scope: Any) -> Answer:
    stream = Stream(push, path, headers=headers, **scope)
    await stream.finished()
    return Answer(stream.status, stream.headers, stream.content)


@dataclass
class Stream:
    """One request, with what has been answered so far. Held, it takes nothing more."""

    push: Push
    path: str
    headers_sent: list[tuple[bytes, bytes]] = field(default_factory=list)
    status: int = 0
    content: bytes = b""

    def __init__(
        self, push: Push, path: str, *, headers: list[tuple[bytes, bytes]] | None = None, **scope: Any
    ) -> None:
        self.status, self.headers, self.content = 0, {}, b""
        self.taking = asyncio.Event()
        self.taking.set()
        self._changed = asyncio.Condition()
        self._gone = asyncio.Event()
        self._asked = False
        path, _, query = path.partition("?")
        given = {"type": "http", "method": "GET", "path": path, "query_string": query.encode()}
        given |= {"client": ("127.0.0.1", 1), "headers": bearer() if headers is None else headers}
        self._task = asyncio.create_task(push(given | scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.taking.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.content += message["body"]
        async with self._changed:
            self._changed.notify_all()

    async def says(self, text: bytes) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: text in self.content), PATIENCE)

    async def finished(self) -> None:
        await asyncio.wait_for(self._task, PATIENCE)

    async def leave(self) -> None:
        self._gone.set()
        await self.finished()
