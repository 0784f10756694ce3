"""The ASGI application that serves the feed: files, and word of each new edition.

It reads two things, DATA/feed and DATA/feed-access/operators.json, and writes nothing. It holds no keys, asks no
database and verifies nothing: agents verify each byte, so whoever takes it over can withhold editions, never forge one.
Everything but the first two needs an operator's credential, and shows that operator's part of the feed alone.

    GET /healthz                    open; 503 until there is an edition; says how much of the feed cannot be read here
    GET /metrics                    the same for Prometheus; only to this machine, and not to what a proxy passes on
    GET /feed/metadata/NAME         signed metadata, of the operator's own repository
    GET /feed/targets/PATH          snapshots and deltas of the streams it is entitled to, and statements in bulk
    GET /feed/events                server-sent events: each new signed timestamp
    GET /feed/poll                  the same by long poll

Run it with granian (`rahdari push`), which bounds the size and the time of request heads. Each reader who waits holds a
connection, so give it a `--backpressure` above twice the number of agents. On TERM the streams end at once: granian
would wait for them, and they never end by themselves.
"""

import asyncio
import datetime as dt
import logging
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from types import FrameType

from rahdari.feed.certificate import Network, der_of, is_from, networks

from .access import Access, NotKnown, Reader
from .answers import (
    SEND_SECONDS,
    Headers,
    Message,
    ReaderGone,
    Receive,
    Scope,
    Send,
    header,
    part,
    patient,
    problem,
    respond,
    text_header,
)
from .edition import Watch
from .files import NoSuchFile, NotReadable, NotSatisfiable, Stored, find, part_asked, unchanged
from .limits import Full, Pace, Seats
from .prefetch import Beside
from .streams import HEARTBEAT_SECONDS, Streams

log = logging.getLogger("rahdari.push")

YEAR = 365 * 24 * 3600
PIECE = 256 * 1024
LOOPBACK = networks("127.0.0.0/8,::1/128")
# A proxy that does not have a file, which it was told to send itself, asks once more with this header.
NOT_THERE = b"x-not-there"


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Push:
    """One feed and its readers. As an ASGI application: `Push(data)`.

    `certificate_header` is where a proxy of `proxies` puts the client's certificate. With `files_by_proxy`, the address
    of an internal location, large files are handed to the proxy (X-Accel-Redirect).
    """

    def __init__(
        self,
        data: Path,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        patience: float = SEND_SECONDS,
        seats: Seats | None = None,
        pace: Pace | None = None,
        certificate_header: str = "",
        proxies: tuple[Network, ...] = (),
        files_by_proxy: str = "",
        use_inotify: bool = True,
    ) -> None:
        self.feed = data / "feed"
        self.access = Access(data, lambda: utc_now())
        self.watch = Watch(self.feed, use_inotify=use_inotify, beside=self.beside)
        self._beside = Beside(self._read_small)
        self.seats = seats or Seats()
        self.pace = pace or Pace()
        self._patience = patience
        self._streams = Streams(self.access, self.watch, heartbeat)
        self._certificate_header = certificate_header.lower().encode("ascii")
        self._proxies = proxies
        self._files_by_proxy = files_by_proxy.rstrip("/")
        self._sweeping: asyncio.Task[None] | None = None
        # What this process may not read of the feed, by its place there.
        self._closed: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            self.begin()
            # Whoever went away comes back when it likes.
            with suppress(ReaderGone):
                await self.answer(scope, receive, patient(self.parting(scope, send), self._patience))

    async def live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.begin()
                self.end_streams_on_signal()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.end()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def parting(self, scope: Scope, send: Send) -> Send:
        """The same; when we are told to stop, each answer ends its connection as well.

        So that nobody's connection is kept for a next request. It does not help a request that comes in the very moment
        of the stop: under a stream of requests some stops still wait for granian to end its worker hard, after five
        seconds. Nothing is lost by that.
        """
        if not scope.get("http_version", "1.1").startswith("1"):
            return send

        async def sending(message: Message) -> None:
            if self.watch.closing and message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        return sending

    def beside(self, repository: str, timestamp: bytes | None) -> Mapping[str, bytes]:
        if timestamp is None:
            self._beside.forget(repository)
            return {}
        return self._beside.of(self.access.any_reader(repository), timestamp)

    def _read_small(self, reader: Reader, name: str) -> bytes:
        try:
            stored = find(self.feed, reader, name)
        except NotReadable as error:
            raise NoSuchFile(name) from error
        if stored.content is None:
            raise NoSuchFile(name)
        return stored.content

    def begin(self) -> None:
        if self._sweeping is None:
            self.watch.begin()
            self.sweep()
            self._sweeping = asyncio.create_task(self._sweep())

    async def end(self) -> None:
        self.watch.end()
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
            self._sweeping = None

    def end_streams_on_signal(self) -> None:
        """End the streams when the server is told to stop. It waits for open answers before it tells us of it."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def stop(number: int, frame: FrameType | None, before: object = before) -> None:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self.watch.close)
                if callable(before):
                    before(number, frame)

            signal.signal(number, stop)

    def sweep(self) -> None:
        self.access.renew()
        self.watch.follow(self.access.repositories)
        closed = frozenset(place for place in self.access.places if is_closed(self.feed / place))
        for place in sorted(closed - self._closed):
            log.error("%s may not be read here: nobody gets what is in it. docs/install.md says whose it is", place)
        if self._closed and not closed:
            log.info("all folders of the feed can be read again")
        self._closed = closed

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self.watch.pause)
            self.sweep()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if method not in {"GET", "HEAD"}:
            allow = [(b"allow", b"GET, HEAD")]
            await problem(send, HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are known here.", allow)
            return
        if path == "/healthz":
            await self.health(method, send)
            return
        if path == "/metrics" and is_from_here(scope):
            await self.metrics(method, send)
            return
        try:
            certificate = self.certificate(scope)
            reader = self.access.reader(authorization=header(scope, b"authorization"), certificate=certificate)
        except NotKnown:
            asks = [(b"www-authenticate", b'Bearer realm="feed"')]
            await problem(send, HTTPStatus.UNAUTHORIZED, "Show an operator's token as a bearer token.", asks)
            return
        if not self.pace.allows(reader.operator):
            text = "This operator asks too often. Wait a moment."
            await problem(send, HTTPStatus.TOO_MANY_REQUESTS, text, [(b"retry-after", b"5")])
        elif path in {"/feed/events", "/feed/poll"}:
            await self.wait(scope, receive, send, reader)
        else:
            await self.file(scope, path, send, reader)

    def certificate(self, scope: Scope) -> bytes | None:
        """The client's certificate, when a proxy that we trust says that it saw its key used."""
        if not self._certificate_header:
            return None
        value = header(scope, self._certificate_header)
        address = (scope.get("client") or ("",))[0]
        return der_of(value) if value and is_from(address, self._proxies) else None

    async def health(self, method: str, send: Send) -> None:
        ready = bool(self.watch.current)
        body = b"ready\n" if ready else b"no edition yet\n"
        if unread := self._closed | self.watch.unread:
            body = f"{len(unread)} folders of the feed cannot be read\n".encode()
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
        await respond(send, status, headers, body, head=method == "HEAD")

    async def metrics(self, method: str, send: Send) -> None:
        body = as_metrics(ready=bool(self.watch.current), unread=len(self._closed | self.watch.unread))
        headers = [(b"content-type", b"text/plain; version=0.0.4"), (b"cache-control", b"no-store")]
        await respond(send, HTTPStatus.OK, headers, body, head=method == "HEAD")

    async def wait(self, scope: Scope, receive: Receive, send: Send, reader: Reader) -> None:
        serve = self._streams.events if scope["path"] == "/feed/events" else self._streams.poll
        try:
            with self.seats.take(reader.operator):
                await serve(scope, receive, send, reader)
        except Full as full:
            who = "Too many" if full.everyone else f"This operator has {full.limit}"
            status = HTTPStatus.SERVICE_UNAVAILABLE if full.everyone else HTTPStatus.TOO_MANY_REQUESTS
            text = f"{who} event streams are open already." if full.everyone else f"{who} event streams open already."
            await problem(send, status, text, [(b"retry-after", b"60")])

    async def file(self, scope: Scope, path: str, send: Send, reader: Reader) -> None:
        try:
            if not path.startswith("/feed/"):
                raise NoSuchFile(path)
            stored = find(self.feed, reader, path.removeprefix("/feed/"))
        except NoSuchFile:
            await problem(send, HTTPStatus.NOT_FOUND, "There is no such file in the feed.")
            return
        except NotReadable:
            # `sweep` tells those who can mend it.
            text = "The register cannot read this file of its own. Come again; if it goes on, tell the authority."
            await problem(send, HTTPStatus.SERVICE_UNAVAILABLE, text, [(b"retry-after", b"60")])
            return
        cache = f"private, max-age={YEAR}, immutable" if stored.immutable else "private, no-cache"
        headers: Headers = [
            (b"cache-control", cache.encode()),
            (b"content-type", stored.media_type.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        if self._files_by_proxy and stored.content is None and header(scope, NOT_THERE) is None:
            # The proxy sends it from its own disk, with a tag of its own, and in parts when asked for parts.
            headers.append((b"x-accel-redirect", f"{self._files_by_proxy}/{stored.location}".encode()))
            await respond(send, HTTPStatus.OK, headers)
            return
        headers.append((b"etag", stored.tag.encode()))
        given = text_header(scope, b"if-none-match")
        if given is not None and unchanged(given, stored.tag):
            await respond(send, HTTPStatus.NOT_MODIFIED, [pair for pair in headers if pair[0] != b"content-type"])
            return
        await self.content(scope, stored, headers, send)

    async def content(self, scope: Scope, stored: Stored, headers: Headers, send: Send) -> None:
        start, end, status = 0, stored.size, HTTPStatus.OK
        if stored.immutable:
            headers.append((b"accept-ranges", b"bytes"))
        asked = text_header(scope, b"range") if scope["method"] == "GET" else None
        try:
            piece = part_asked(asked, text_header(scope, b"if-range"), stored) if asked is not None else None
        except NotSatisfiable:
            size = [(b"content-range", f"bytes */{stored.size}".encode())]
            text = f"The file has {stored.size} bytes."
            await problem(send, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, text, size)
            return
        if piece is not None:
            (start, end), status = piece, HTTPStatus.PARTIAL_CONTENT
            headers.append((b"content-range", f"bytes {start}-{end - 1}/{stored.size}".encode()))
        headers.append((b"content-length", str(end - start).encode()))
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif stored.content is not None:
            await send({"type": "http.response.body", "body": stored.content[start:end]})
        elif piece is None and "http.response.pathsend" in scope.get("extensions", {}):
            # The server's own threads read and send it: neither the loop nor the interpreter is held.
            await send({"type": "http.response.pathsend", "path": str(stored.path)})
        else:
            async for content in pieces(stored.path, start, end):
                await send(part(content))
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def is_closed(folder: Path) -> bool:
    """Whether it is there and may not be entered; one that is not there yet is not closed."""
    try:
        os.stat(f"{folder}/.")
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def as_metrics(*, ready: bool, unread: int) -> bytes:
    """In the text format of Prometheus: what /healthz says."""
    told = (
        ("ready", "Whether there is an edition to serve.", ready),
        ("unreadable", "Folders of the feed that cannot be read here.", unread),
    )
    return "".join(
        f"# HELP rahdari_push_{name} {text}\n# TYPE rahdari_push_{name} gauge\nrahdari_push_{name} {int(value)}\n"
        for name, text, value in told
    ).encode()


# By these a proxy says for whom it asks. Of one on this machine that says nothing the name tells that was asked for.
PASSED_ON = (b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip")
THIS_MACHINE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")


def is_from_here(scope: Scope) -> bool:
    """Nobody elsewhere comes from the address at which we listen."""
    address, own = ((scope.get(side) or ("",))[0] for side in ("client", "server"))
    if not (is_from(address, LOOPBACK) or (own and address == own)):
        return False
    host = text_header(scope, b"host") or ""
    named = THIS_MACHINE.fullmatch(host) or (own and host.rpartition(":")[0].strip("[]") == own)
    return bool(named) and all(header(scope, name) is None for name in PASSED_ON)


async def pieces(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """These bytes of a file, read in a thread one piece at a time, as they are taken."""
    with await asyncio.to_thread(open, path, "rb", buffering=0) as file:
        while start < end:
            content = await asyncio.to_thread(os.pread, file.fileno(), min(PIECE, end - start), start)
            if not content:
                # It is never changed in place. The answer stays too short, which the reader sees.
                raise OSError(f"{path} ended early")
            start += len(content)
            yield content


def configured(environment: Mapping[str, str]) -> Push:
    """As the environment says. Raises ValueError when the networks of the proxies are none."""
    return Push(
        Path(environment.get("RAHDARI_DATA") or ".data").absolute(),
        certificate_header=environment.get("RAHDARI_FEED_CERTIFICATE_HEADER", "").strip(),
        proxies=networks(environment.get("RAHDARI_TRUSTED_PROXIES", "")),
        files_by_proxy=environment.get("RAHDARI_FEED_FILES_BY_PROXY", "").strip(),
    )


application = configured(os.environ)
