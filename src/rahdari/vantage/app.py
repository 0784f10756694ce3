"""The ASGI application of a vantage: one kind of request, from one register.

    POST /vantage/1/attempt     Authorization: Bearer TOKEN     a request (`message.Request`) -> a signed sighting
    POST /vantage/1/attempts    the same token                  many at once (`batch`) -> one signature for all
    GET /vantage/1/key          the same token                  name and public key, to compare with the register's list
    GET /healthz                open, and says nothing

Whoever lacks the token is answered 401 whatever the path: it looks like nothing here. What is logged is the method, the
outcome and the time of an attempt; never an address, never a claim.
"""

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari import probe
from rahdari.address import is_global

from . import batch
from .configuration import Configuration
from .message import LONGEST_REQUEST, Request, Sighting, Unusable
from .rate_limits import Busy, Pace

log = logging.getLogger("rahdari.vantage")

ATTEMPT, ATTEMPTS, KEY = "/vantage/1/attempt", "/vantage/1/attempts", "/vantage/1/key"
# A request is for now: older ones, and those of a clock far ahead, are not acted on. What is replayed within that time
# makes one more attempt, for which there is a pace, and tells nothing to whoever lacks the token.
FRESH = dt.timedelta(minutes=2)
BODY_SECONDS = 10.0

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Refused(Exception):
    """An answer that is no sighting."""

    def __init__(self, status: HTTPStatus, detail: str, **more: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more


class VantageApp:
    def __init__(self, configuration: Configuration, key: Ed25519PrivateKey) -> None:
        self._configuration, self._key = configuration, key
        self._pace = Pace(
            at_once=configuration.at_once,
            a_minute=configuration.a_minute,
            a_minute_each=configuration.a_minute_each,
        )
        self._threads = ThreadPoolExecutor(configuration.at_once, thread_name_prefix="attempt")
        # Batches leave room for whoever waits for one attempt.
        self._of_batches = asyncio.Semaphore(max(1, configuration.at_once * 3 // 4))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            try:
                status, body, more = HTTPStatus.OK, await self._answer(scope, receive), {}
                kind = "application/json"
            except Refused as refused:
                status, more, kind = refused.status, refused.more, "application/problem+json"
                body = json.dumps(
                    {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": refused.detail}
                ).encode()
            headers = {"content-type": kind, "cache-control": "no-store", "content-length": str(len(body)), **more}
            await send(
                {
                    "type": "http.response.start",
                    "status": int(status),
                    "headers": [
                        (name.replace("_", "-").encode(), value.encode("ascii")) for name, value in headers.items()
                    ],
                }
            )
            await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._threads.shutdown(wait=False, cancel_futures=True)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        path, method = scope["path"], scope["method"]
        if path == "/healthz" and method == "GET":
            return b'{"status":"ready"}'
        if not self._is_let_in(scope):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Show the register's token.", www_authenticate="Bearer")
        if path == KEY and method == "GET":
            public = self._key.public_key().public_bytes_raw().hex()
            return json.dumps({"name": self._configuration.name, "key": public}).encode()
        if path not in (ATTEMPT, ATTEMPTS):
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if method != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Send a request with POST.", allow="POST")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive, LONGEST_REQUEST if path == ATTEMPT else batch.LONGEST_REQUEST)
            request = Request.read(body) if path == ATTEMPT else batch.BatchRequest.read(body)
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The request did not come to its end.") from None
        except Unusable as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{error}.") from None
        if abs(utc_now() - request.asked_at) > FRESH:
            raise Refused(HTTPStatus.CONFLICT, "The request is not of now: compare the clocks of both machines.")
        return await (self._attempt(request) if isinstance(request, Request) else self._attempts(request, body))

    def _is_let_in(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
        word, _, token = given.partition(b" ")
        found = hashlib.sha256(token.strip()).hexdigest()
        # The token is a random one: its hash, compared in constant time, tells nobody how near they came.
        return word.lower() == b"bearer" and hmac.compare_digest(found, self._configuration.token_sha256)

    async def _attempt(self, request: Request) -> bytes:
        ranges = self._configuration.standpoint.allowed_ranges
        if not is_global(request.address, allowed=ranges):
            raise Refused(HTTPStatus.FORBIDDEN, "This address is not in the open net.")
        try:
            with self._pace.taking(str(request.address), time.monotonic()):
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(self._threads, self._prove, request)
        except Busy as busy:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once.", retry_after=str(busy.after)) from None
        log.info("%s %s in %.1f s", request.claim.METHOD, answer.outcome, answer.elapsed)
        sighting = Sighting.of(request, answer, vantage=self._configuration.name, now=utc_now())
        return sighting.sign(self._key)

    async def _attempts(self, request: batch.BatchRequest, body: bytes) -> bytes:
        began = time.monotonic()
        answered = await asyncio.gather(*(self._one_of(request, each, began) for each in request.attempts))
        made = sum(not isinstance(each, str) for each in answered)
        log.info("%d of %d attempts in %.1f s", made, len(answered), time.monotonic() - began)
        name, now = self._configuration.name, utc_now()
        return batch.answer(body, request.id, answered, vantage=name, now=now, key=self._key)

    async def _one_of(self, request: batch.BatchRequest, attempt: probe.Attempt, began: float) -> probe.Answered:
        async with self._of_batches:
            if time.monotonic() - began > batch.LONGEST_SECONDS:
                return batch.BUSY
            try:
                with self._pace.taking(str(attempt.address), time.monotonic()):
                    one = Request(request.id, attempt.address, attempt.claim, request.timeout, request.asked_at)
                    return await asyncio.get_running_loop().run_in_executor(self._threads, self._prove, one)
            except Busy:
                return batch.BUSY

    def _prove(self, request: Request) -> probe.ProbeAnswer:
        return probe.prove(
            request.claim,
            address=request.address,
            timeout=request.timeout,
            standpoint=self._configuration.standpoint,
        )


async def _body(receive: Receive, longest: int) -> bytes:
    """Raises Unusable for what is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Unusable("body", "it was broken off")
        body += message.get("body", b"")
        if len(body) > longest:
            raise Unusable("body", "too long")
        if not message.get("more_body", False):
            return bytes(body)
