"""Telling of each new edition: server-sent events, and a long poll for networks that hold events back.

An event carries the whole signed timestamp. So there is nothing to catch up with: whoever was away is told the newest
one, whatever `Last-Event-ID` it comes with, and finds the rest by it. A reader who is slow misses those in between.
"""

import asyncio
import json
from http import HTTPStatus
from urllib.parse import parse_qs

from .access import Access, Reader
from .answers import Headers, Receive, Scope, Send, departure, part, problem, respond, text_header
from .edition import Announced, Watch

# Proxies and mobile networks forget a silent connection after 30 to 60 seconds.
HEARTBEAT_SECONDS = 15.0
WAIT_SECONDS = 25.0
LONGEST_WAIT_SECONDS = 55.0

EVENT_HEADERS: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
POLL_HEADERS: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Streams:
    def __init__(self, access: Access, watch: Watch, heartbeat: float) -> None:
        self._access, self._watch, self._heartbeat = access, watch, heartbeat

    async def events(self, scope: Scope, receive: Receive, send: Send, reader: Reader) -> None:
        if scope["method"] == "HEAD":
            await respond(send, HTTPStatus.OK, EVENT_HEADERS, head=True)
            return
        gone = asyncio.create_task(departure(receive))
        try:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": EVENT_HEADERS})
            await send(part(b": connected\n\n"))
            await self._tell(reader, (text_header(scope, b"last-event-id") or "").strip(), gone, send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _tell(self, reader: Reader, has: str, gone: "asyncio.Task[None]", send: Send) -> None:
        """Each timestamp as it comes, and the present one unless the reader has it; a comment when none comes."""
        woken = asyncio.Event()
        gone.add_done_callback(lambda _: woken.set())
        with self._watch.reading(reader.repository, woken):
            while True:
                # Cleared before looking: what comes after the look wakes us.
                woken.clear()
                if self._watch.closing or gone.done() or not self._access.still(reader):
                    return
                current = self._watch.current.get(reader.repository)
                if current is not None and str(current.number) != has:
                    has = str(current.number)
                    await send(part(current.event))
                    continue
                try:
                    async with asyncio.timeout(self._heartbeat):
                        await woken.wait()
                except TimeoutError:
                    await send(part(b": still here\n\n"))

    async def poll(self, scope: Scope, receive: Receive, send: Send, reader: Reader) -> None:
        """The timestamp as soon as there is a later one than the reader's; 204 when none comes."""
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        try:
            wait = min(max(float(asked.get("wait", [str(WAIT_SECONDS)])[-1]), 0.0), LONGEST_WAIT_SECONDS)
        except ValueError:
            await problem(send, HTTPStatus.BAD_REQUEST, "`wait` is a number of seconds.")
            return
        has = asked.get("after", [text_header(scope, b"last-event-id") or ""])[-1].strip()
        gone = asyncio.create_task(departure(receive))
        try:
            found = await self._later(reader, has, gone, 0.0 if scope["method"] == "HEAD" else wait)
            if gone.done():
                return
            if found is None:
                await respond(send, HTTPStatus.NO_CONTENT, [(b"cache-control", b"no-store")])
            else:
                content = json.dumps({"id": str(found.number), **json.loads(found.data)}, separators=(",", ":"))
                await respond(send, HTTPStatus.OK, POLL_HEADERS, content.encode(), head=scope["method"] == "HEAD")
        finally:
            gone.cancel()

    async def _later(self, reader: Reader, has: str, gone: "asyncio.Task[None]", wait: float) -> Announced | None:
        # An id that is none of ours says nothing about what the reader has.
        after = int(has) if has.isascii() and has.isdigit() and len(has) < 16 else -1
        woken = asyncio.Event()
        gone.add_done_callback(lambda _: woken.set())
        ends = asyncio.get_running_loop().time() + wait
        with self._watch.reading(reader.repository, woken):
            while True:
                woken.clear()
                if self._watch.closing or gone.done() or not self._access.still(reader):
                    return None
                current = self._watch.current.get(reader.repository)
                # Only a later one: what is behind the reader (a copy that lags) would be asked for in a loop.
                if current is not None and current.number > after:
                    return current
                try:
                    async with asyncio.timeout_at(ends):
                        await woken.wait()
                except TimeoutError:
                    return None
