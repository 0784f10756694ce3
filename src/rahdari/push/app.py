"""The ASGI application that serves the feed: files, and server-sent events.

It reads two things, DATA/feed and DATA/feed-access.json, and writes nothing. It holds no keys, asks no database and
verifies nothing: agents verify each byte, so whoever takes this process over can withhold editions, never forge one.
Everything but /healthz needs an operator's token.

    GET /healthz                    open; 503 until there is an edition
    GET /feed/metadata/NAME         signed metadata
    GET /feed/targets/PATH          snapshots and deltas
    GET /feed/events                server-sent events: each new signed timestamp

Run it with granian, which bounds the size and the time of request heads; each subscriber holds one request, so give it
a `--backpressure` above the number of subscribers. A stream does not end by itself and granian waits for it, so
`--workers-kill-timeout 1` is how long it takes to stop: nothing is lost, an agent comes back and asks.
"""

import asyncio
import base64
import json
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from .access import Access, NoToken, Reader
from .edition import Announced, Watch
from .files import NoSuchFile, find, unchanged

log = logging.getLogger("rahdari.push")

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Headers = list[tuple[bytes, bytes]]

# Proxies and mobile networks forget a silent connection after 30 to 60 seconds.
HEARTBEAT_SECONDS = 15.0
STREAMS_EACH = 32
YEAR = 365 * 24 * 3600


class Push:
    """One feed and its readers. As an ASGI application: `Push(data)`."""

    def __init__(self, data: Path, *, heartbeat: float = HEARTBEAT_SECONDS, streams: int = STREAMS_EACH) -> None:
        self.feed = data / "feed"
        self.access = Access(data)
        self.watch = Watch(self.feed / "metadata" / "timestamp.json")
        self.heartbeat = heartbeat
        self.streams = streams
        self.open_streams: Counter[str] = Counter()
        self._watching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            self.begin()
            await self.answer(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.begin()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.end()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def begin(self) -> None:
        if self._watching is None:
            self.watch.look()
            self._watching = asyncio.create_task(self.watch.run())

    async def end(self) -> None:
        self.watch.close()
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if method not in {"GET", "HEAD"}:
            await problem(
                send, HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are known here.", [(b"allow", b"GET, HEAD")]
            )
            return
        if path == "/healthz":
            await self.health(method, send)
            return
        try:
            reader = self.access.reader(header(scope, b"authorization"))
        except NoToken:
            asks = [(b"www-authenticate", b'Bearer realm="feed"')]
            await problem(send, HTTPStatus.UNAUTHORIZED, "Show the token of an operator as a bearer token.", asks)
            return
        if path == "/feed/events":
            await self.events(scope, receive, send, reader)
        else:
            await self.file(scope, path, send)

    async def health(self, method: str, send: Send) -> None:
        ready = self.watch.current is not None
        body = b"ready\n" if ready else b"no edition yet\n"
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
        await respond(send, status, headers, body, head=method == "HEAD")

    async def file(self, scope: Scope, path: str, send: Send) -> None:
        prefix, name = path[:6], path[6:]
        try:
            if prefix != "/feed/":
                raise NoSuchFile(path)
            with find(self.feed, name) as found:
                cache = f"private, max-age={YEAR}, immutable" if found.immutable else "private, no-cache"
                headers = [(b"etag", found.tag.encode()), (b"cache-control", cache.encode())]
                given = header(scope, b"if-none-match")
                if given is not None and unchanged(given.decode("latin-1"), found.tag):
                    await respond(send, HTTPStatus.NOT_MODIFIED, headers)
                    return
                headers += [
                    (b"content-type", found.media_type.encode()),
                    (b"content-length", str(found.size).encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
                for chunk in found.chunks() if scope["method"] == "GET" else ():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except NoSuchFile:
            await problem(send, HTTPStatus.NOT_FOUND, "There is no such file in the feed.")

    async def events(self, scope: Scope, receive: Receive, send: Send, reader: Reader) -> None:
        headers: Headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        if scope["method"] == "HEAD":
            await respond(send, HTTPStatus.OK, headers, head=True)
            return
        if self.open_streams[reader.operator] >= self.streams:
            text = f"This operator has {self.streams} event streams open already. Close one."
            await problem(send, HTTPStatus.TOO_MANY_REQUESTS, text, [(b"retry-after", b"60")])
            return
        self.open_streams[reader.operator] += 1
        gone = asyncio.create_task(departure(receive))
        try:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
            await self.tell(reader, header(scope, b"last-event-id"), gone, send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            pass  # The reader went away in the middle of an event, and comes back when it likes.
        finally:
            gone.cancel()
            self.open_streams[reader.operator] -= 1
            if not self.open_streams[reader.operator]:
                del self.open_streams[reader.operator]

    async def tell(self, reader: Reader, last_event_id: bytes | None, gone: "asyncio.Task[None]", send: Send) -> None:
        """Tell each edition as it comes, and the present one unless the reader has it; a comment when none comes."""
        has = (last_event_id or b"").decode("latin-1").strip()
        await send(part(b": connected\n\n"))
        while not self.watch.closing and self.access.still(reader) and not gone.done():
            turn = self.watch.turn()
            current = self.watch.current
            if current is not None and str(current.number) != has:
                has = str(current.number)
                await send(part(event(current)))
                continue
            turned = asyncio.create_task(turn.wait())
            done, _ = await asyncio.wait({turned, gone}, timeout=self.heartbeat, return_when=asyncio.FIRST_COMPLETED)
            turned.cancel()
            if not done:
                await send(part(b": still here\n\n"))


def event(announced: Announced) -> bytes:
    data = json.dumps({"timestamp": base64.b64encode(announced.timestamp).decode("ascii")}, separators=(",", ":"))
    return f"event: edition\nid: {announced.number}\ndata: {data}\n\n".encode()


async def departure(receive: Receive) -> None:
    """Return when the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def header(scope: Scope, name: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key.lower() == name), None)


def part(content: bytes) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": True}


async def respond(send: Send, status: int, headers: Headers, content: bytes = b"", *, head: bool = False) -> None:
    if status != HTTPStatus.NOT_MODIFIED and content:
        headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else content})


async def problem(send: Send, status: HTTPStatus, detail: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """RFC 9457."""
    content = json.dumps({"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail})
    kind = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    await respond(send, status, [*kind, *headers], content.encode())


application = Push(Path(os.environ.get("RAHDARI_DATA", ".data")).absolute())
