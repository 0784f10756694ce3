"""What is said over ASGI: the types of it, headers, whole answers and problems. A reader who does not take is cut."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Headers = list[tuple[bytes, bytes]]

# So long may one piece (256 KB at most) take to leave: slower than 4 KB a second is no reader.
SEND_SECONDS = 60.0


class ReaderGone(Exception):
    """The reader went away, or does not take what is sent."""


def header(scope: Scope, name: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key.lower() == name), None)


def text_header(scope: Scope, name: bytes) -> str | None:
    value = header(scope, name)
    return None if value is None else value.decode("latin-1")


def patient(send: Send, seconds: float) -> Send:
    """The same, raising ReaderGone when a piece is not taken for so long."""

    async def sending(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except OSError:
            # TimeoutError is one; the server's own word for a closed connection is another.
            raise ReaderGone from None

    return sending


def part(content: bytes) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": True}


async def respond(send: Send, status: int, headers: Headers, content: bytes = b"", *, head: bool = False) -> None:
    if status not in {HTTPStatus.NOT_MODIFIED, HTTPStatus.NO_CONTENT} and content:
        headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else content})


async def problem(send: Send, status: HTTPStatus, detail: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """RFC 9457."""
    content = json.dumps({"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail})
    kind = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    await respond(send, status, [*kind, *headers], content.encode())


async def departure(receive: Receive) -> None:
    """Return when the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
