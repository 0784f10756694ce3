"""The WSGI application: HTTP, and nothing else.

    GET  /lookup/ip/ADDRESS[/LENGTH][?all=1]   the most specific entries that cover it, or all that do
    POST /lookup/ip                            many at once, where that is on: text/plain, one a line; JSON, an array
    GET  /rdap/ip/ADDRESS[/LENGTH]  /rdap/entity/HANDLE  /rdap/help
    GET  /healthz                              open; 503 until everything is held
    GET  /metrics                              from this machine alone, and not through a proxy

Without an operator's credential all but these two and /rdap/help are answered alike, before anything else is looked
at: nobody learns whether an address is registered, nor even whether it is one. What is asked is counted, never written.
"""

import datetime as dt
import json
import math
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from . import answers, bulk, counters, rdap
from .authentication import Caller, Callers, Headers, NotKnown, Proxies
from .counters import Counts
from .following import Follower, FollowerStanding
from .limits import REQUESTS_PER_SECOND
from .query import IN_WORDS, NotAnAddress, Query, understand
from .rdap import MEANS_NOTHING
from .records import NOT_AFTER, NOT_BEFORE

type Environ = dict[str, Any]
type Reply = tuple[str, Headers, bytes]
type Start = Callable[[str, Headers], object]

LOOKUP, RDAP = "/lookup/ip/", "/rdap/"
_FOUND, _MISSING = "200 OK", "404 Not Found"
_UNSIGNED = struct.Struct(">I").unpack
_BEARER = ("www-authenticate", 'Bearer realm="feed"')
# RFC 7480, 5.6: a page in a browser may ask, with a token of its own.
_CORS: Headers = [("access-control-allow-origin", "*"), ("access-control-expose-headers", "retry-after")]
_CORS_ASKED: Headers = [
    ("access-control-allow-methods", "GET, HEAD"),
    ("access-control-allow-headers", "authorization"),
    ("access-control-max-age", "86400"),
]


class Lookup:
    """As a WSGI application: `Lookup(data)`. `begin` follows the editions, in a thread, until `end`."""

    def __init__(
        self,
        data: Path,
        *,
        server: rdap.Server | None = None,
        proxies: Proxies | None = None,
        per_second: float = REQUESTS_PER_SECOND,
        in_bulk: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.reading = threading.Lock()
        self.counts = Counts()
        self.callers = Callers(proxies or Proxies(), per_second)
        self.follower = Follower(data, self._told, self.reading)
        self._standings: Mapping[str, FollowerStanding] = {}
        self._server = server or rdap.Server()
        self._in_bulk = in_bulk
        self._seats = bulk.Seats()
        self._clock = clock
        self._next_second = 0.0
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._thread = threading.Thread(target=self.follower.run, name="follower", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.follower.end()
        if self._thread is not None:
            self._thread.join()

    def _told(self, standings: Mapping[str, FollowerStanding]) -> None:
        self._standings = standings
        self.callers.take(standings)

    @property
    def is_ready(self) -> bool:
        return bool(self._standings) and all(standing.sight.is_whole for standing in self._standings.values())

    def __call__(self, environ: Environ, start: Start) -> list[bytes]:
        now = self._clock()
        if not now < self._next_second:
            self._next_second = math.floor(now) + 1.0
            self.callers.next_second()
        caller = self.callers.known.get(environ.get("HTTP_AUTHORIZATION"))  # type: ignore[arg-type]
        path = environ["PATH_INFO"]
        if (
            caller is not None
            and path.startswith(LOOKUP)
            and environ["REQUEST_METHOD"] == "GET"
            and not environ["QUERY_STRING"]
        ):
            status, headers, body = self.single(caller, path[len(LOOKUP) :])
        else:
            status, headers, body = self.answer(environ, path, now)
        start(status, headers)
        # In a list, the server knows the length beforehand.
        return [body]

    def single(self, caller: Caller, text: str) -> Reply:
        """Nearly all requests come here, and cost what these lines cost: hence the short way for a single address, of
        which the longest prefix with anything on it has one entry, in force. All else goes the long way.
        """
        try:
            if ":" in text:
                number = int.from_bytes(inet_pton(AF_INET6, text))
                if number >> 32 == 0xFFFF:
                    return self.any(caller, text)
                version, bits = 6, 128
            else:
                (number,), version, bits = _UNSIGNED(inet_pton(AF_INET, text)), 4, 32
        except (OSError, ValueError):
            return self.any(caller, text)
        allowance = caller.allowance
        sight = caller.sight
        with self.reading:
            if caller.editions is not sight.editions:
                caller.tell()
            if allowance.left < 1 or not caller.is_ready:
                held, records = None, None
            else:
                allowance.left -= 1
                at, records = caller.at, []
                now, after = at
                for shift, get, last in sight.view.v4 if version == 4 else sight.view.v6:
                    held = get(number >> shift)
                    if held is not None:
                        if last and type(held) is bytes and held[NOT_BEFORE] <= now and held[NOT_AFTER] > after:
                            records = [held]
                        else:
                            records = sight.view.covering(Query(version, number, bits), at)
                        break
                if records:
                    self.counts.found += 1
                else:
                    self.counts.not_found += 1
        if records is None:
            return self.limited(caller) if caller.is_ready else self.not_ready()
        if records:
            return _FOUND, caller.headers, answers.one(text, records, at)
        return _MISSING, caller.problem_headers, _NOT_FOUND

    def any(self, caller: Caller, text: str, *, every: bool = False) -> Reply:
        """The long way: whatever was asked."""
        if caller.allowance.left < 1:
            return self.limited(caller)
        caller.allowance.left -= 1
        try:
            asked = understand(text)
        except NotAnAddress as error:
            return self.malformed(error)
        with self.reading:
            caller.tell()
            at, is_ready = caller.at, caller.is_ready
            records = caller.sight.view.covering(asked, at, every=every)
            if records:
                self.counts.found += 1
            elif is_ready:
                self.counts.not_found += 1
        if not is_ready:
            return self.not_ready()
        if records:
            return _FOUND, caller.headers, answers.one(text, records, at)
        return _MISSING, caller.problem_headers, _NOT_FOUND

    def answer(self, environ: Environ, path: str, now: float) -> Reply:
        """The longer way: the credential, then whatever else there is."""
        method = environ["REQUEST_METHOD"]
        open_answer = self.open(environ, method, path)
        if open_answer is not None:
            return open_answer
        try:
            caller = self.callers.caller(environ, dt.datetime.fromtimestamp(now, dt.UTC))
        except NotKnown:
            self.refused(counters.UNKNOWN)
            return _problem(HTTPStatus.UNAUTHORIZED, "Show an operator's token as a bearer token.", [_BEARER])
        if path.startswith(RDAP):
            return self.rdap(caller, method, path[len(RDAP) :])
        if path == "/lookup/ip":
            return self.bulk(caller, environ, method)
        if not path.startswith(LOOKUP):
            return _problem(HTTPStatus.NOT_FOUND, "There is no such page here.")
        if method not in ("GET", "HEAD"):
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "Ask with GET or HEAD.", [("allow", "GET, HEAD")])
        query = environ["QUERY_STRING"]
        if query not in ("", "all=1", "all=0"):
            return _problem(HTTPStatus.BAD_REQUEST, "The only parameter is all, which is 0 or 1.")
        text = path[len(LOOKUP) :]
        return self.any(caller, text, every=True) if query == "all=1" else self.single(caller, text)

    def open(self, environ: Environ, method: str, path: str) -> Reply | None:
        """What anybody may see: none of it depends on any entry."""
        if path.startswith(RDAP) and method == "OPTIONS":
            return "204 No Content", [*_CORS, *_CORS_ASKED, ("allow", "GET, HEAD, OPTIONS")], b""
        if method not in ("GET", "HEAD"):
            return None
        if path == "/healthz":
            text, status = (b"ready\n", "200 OK") if self.is_ready else (b"not ready\n", "503 Service Unavailable")
            return status, [("content-type", "text/plain"), ("cache-control", "no-store")], text
        if path == "/rdap/help":
            return "200 OK", _rdap_headers(), rdap.help(self._server)
        if path == "/metrics" and _is_from_here(environ):
            return (
                "200 OK",
                [("content-type", "text/plain; version=0.0.4"), ("cache-control", "no-store")],
                self.metrics(),
            )
        return None

    def bulk(self, caller: Caller, environ: Environ, method: str) -> Reply:
        if method != "POST":
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "Send the addresses by POST.", [("allow", "POST")])
        if not self._in_bulk:
            return _problem(HTTPStatus.FORBIDDEN, _BULK_IS_OFF, kind="urn:rahdari:problem:bulk-is-off")
        if caller.allowance.left < 1:
            return self.limited(caller)
        if not caller.is_ready:
            return self.not_ready()
        try:
            kind = bulk.kind_of(environ)
            with self._seats.take(caller):
                asked = bulk.asked_of(kind, bulk.body_of(environ))
                bulk.charge(caller, len(asked))
                headers = [
                    ("content-type", f"{kind}; charset=utf-8" if kind == bulk.LINES else kind),
                    *caller.headers[1:],
                ]
                body, numbers = bulk.answer(kind, asked, caller.at, self.reading, lambda: caller.sight.view)
        except bulk.Refused as refused:
            if refused.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                self.refused(counters.LIMITED)
            wait = [] if refused.wait is None else [("retry-after", str(refused.wait))]
            return _problem(refused.status, refused.detail, wait)
        with self.reading:
            for answer, number in zip((counters.FOUND, counters.NOT_FOUND, counters.MALFORMED), numbers, strict=True):
                self.counts.answers[counters.BULK, answer] += number
        return "200 OK", headers, body

    def rdap(self, caller: Caller, method: str, path: str) -> Reply:
        if method not in ("GET", "HEAD"):
            status = HTTPStatus.METHOD_NOT_ALLOWED
            return self.rdap_error(status, "Ask with GET or HEAD.", headers=[("allow", "GET, HEAD, OPTIONS")])
        if caller.allowance.left < 1:
            wait = caller.allowance.wait
            self.refused(counters.LIMITED)
            status = HTTPStatus.TOO_MANY_REQUESTS
            return self.rdap_error(status, f"Ask again in {wait} s.", headers=[("retry-after", str(wait))])
        caller.allowance.left -= 1
        kind, _, rest = path.partition("/")
        if kind == "ip":
            return self.rdap_network(caller, rest)
        if kind == "entity":
            # Whether there is such a holder is nobody's business: there is one entity here, the authority.
            if rest.upper() == rdap.HANDLE:
                return "200 OK", _rdap_headers(), rdap.entity(self._server)
            return self.rdap_error(HTTPStatus.NOT_FOUND, "The authority alone is an entity here.")
        if kind in rdap.NOT_HERE:
            return self.rdap_error(HTTPStatus.NOT_IMPLEMENTED, "Networks alone are registered here.")
        return self.rdap_error(HTTPStatus.BAD_REQUEST, "Ask for ip/ADDRESS, ip/ADDRESS/LENGTH or help.")

    def rdap_network(self, caller: Caller, text: str) -> Reply:
        try:
            asked = understand(text)
        except NotAnAddress as error:
            with self.reading:
                self.counts.answers[counters.RDAP, counters.MALFORMED] += 1
            return self.rdap_error(HTTPStatus.BAD_REQUEST, IN_WORDS[error.fault])
        with self.reading:
            at, is_ready = caller.at, caller.is_ready
            records = caller.sight.view.covering(asked, at)
            self.counts.answers[counters.RDAP, counters.FOUND if records else counters.NOT_FOUND] += 1
        if not is_ready:
            self.refused(counters.NOT_READY)
            status = HTTPStatus.SERVICE_UNAVAILABLE
            return self.rdap_error(status, "The register is being read.", headers=[("retry-after", "5")])
        if not records:
            return self.rdap_error(HTTPStatus.NOT_FOUND, "No entry in force covers this.", MEANS_NOTHING)
        return "200 OK", _rdap_headers(caller), rdap.network(self._server, records, at, caller.updated_at)

    def rdap_error(self, status: HTTPStatus, *description: str, headers: Headers | None = None) -> Reply:
        return _line(status), [*_rdap_headers(), *(headers or [])], rdap.error(self._server, status, *description)

    def limited(self, caller: Caller) -> Reply:
        self.refused(counters.LIMITED)
        wait = str(caller.allowance.wait)
        return _problem(HTTPStatus.TOO_MANY_REQUESTS, f"Ask again in {wait} s.", [("retry-after", wait)])

    def not_ready(self) -> Reply:
        self.refused(counters.NOT_READY)
        wait = [("retry-after", "5")]
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "The register is being read. Ask again in 5 s.", wait)

    def malformed(self, error: NotAnAddress) -> Reply:
        with self.reading:
            self.counts.answers[counters.SINGLE, counters.MALFORMED] += 1
        return _problem(HTTPStatus.BAD_REQUEST, IN_WORDS[error.fault])

    def refused(self, why: str) -> None:
        with self.reading:
            self.counts.refusals[why] += 1

    def metrics(self) -> bytes:
        now = self._clock()
        signed = [standing.signed_at.timestamp() for standing in self._standings.values() if standing.signed_at]
        return counters.as_metrics(
            self.counts,
            list(self.follower.sessions.values()),
            troubles=self.follower.troubles,
            is_ready=self.is_ready,
            oldest_seconds=max(now - min(signed), 0) if signed else None,
        )


def _line(status: HTTPStatus) -> str:
    return f"{int(status)} {status.phrase}"


def _problem(status: HTTPStatus, detail: str, headers: Headers | None = None, *, kind: str = "about:blank") -> Reply:
    """RFC 9457."""
    content = json.dumps({"type": kind, "title": status.phrase, "status": int(status), "detail": detail})
    about = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
    return _line(status), [*about, *(headers or [])], content.encode()


# Whoever asks for many at once sorts them. What protects needs no sorting: the list of what is registered is the feed.
_BULK_IS_OFF = (
    "Lookups of many addresses at once are off here. Follow the feed with the agent: it keeps the whole list on your "
    "machine, and `rahdari agent check ADDRESS` answers there. Single addresses are answered."
)
_NOT_FOUND = _problem(HTTPStatus.NOT_FOUND, f"No entry in force covers this address. {MEANS_NOTHING}")[2]


def _rdap_headers(caller: Caller | None = None) -> Headers:
    told = caller.headers[2:] if caller else []
    return [("content-type", rdap.MEDIA_TYPE), ("cache-control", "no-store"), *told, *_CORS]


def _is_from_here(environ: Environ) -> bool:
    """Nobody elsewhere comes from the address at which we listen."""
    given = environ.get("REMOTE_ADDR", "")
    try:
        loopback = ip_address(given).is_loopback or given == environ.get("SERVER_NAME", "")
    except ValueError:
        return False
    passed_on = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
    return loopback and not any(name in environ for name in passed_on)
