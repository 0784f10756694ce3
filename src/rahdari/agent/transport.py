"""Talking to the server: over TLS, within bounds of bytes and time, and to the configured server alone.

What the agent shows of itself is sent to the addresses in the configuration and nowhere else: redirects are not
followed. The proxy of the configuration is used, or else the one named in HTTPS_PROXY, HTTP_PROXY and NO_PROXY; for
https it sees nothing but the server's name. A mirror is shown nothing at all, and whatever it fails at is asked from
the next one and the server (`mirrors`). Nothing that comes from here is trusted: `trust` verifies it.
"""

import datetime as dt
import json
import logging
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from http.client import RemoteDisconnected
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError, ProxyError
from urllib3.util import make_headers

from rahdari import __version__

from .configuration import Configuration, Mirror
from .credentials import Credentials
from .faults import AgentFault, in_words
from .mirrors import LACKS, Mirrors, ServerAway, why_of
from .network_errors import (
    NoAnswer,
    NotReached,
    ProxyRefused,
    TlsRefused,
    TokenRefused,
    TooMuch,
    TooSlow,
    UnexpectedAnswer,
    network_faults,
)

__all__ = [
    "Answered",
    "NoAnswer",
    "NotReached",
    "ProxyRefused",
    "Server",
    "TlsRefused",
    "TokenRefused",
    "TooMuch",
    "TooSlow",
    "UnexpectedAnswer",
]

log = logging.getLogger("rahdari.agent")

CONNECT_SECONDS = 10.0
# Between two bytes; of an answer as a whole, so that nobody can hold the agent by sending a byte at a time.
READ_SECONDS = 30.0
WHOLE_SECONDS = 60.0
SLOWEST_BYTES_PER_SECOND = 20_000
CHUNK = 64 * 1024
# The server beats every 15 seconds. After two missed beats it is gone, or something on the way keeps the stream back.
SILENCE_SECONDS = 30.0
# A long poll is answered within 25 seconds, news or none.
POLL_SECONDS = 40.0
POLL_BYTES = 64 * 1024
# Further apart than this, two clocks are told about.
CLOCKS_APART = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Answered:
    """A short answer. `tag` names this version of it, for the next question."""

    body: bytes
    tag: str


@dataclass
class Sent:
    """How much of a file is in the asker's hands already; the digest of the whole decides."""

    length: int = 0

    def beyond(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """What comes after that."""
        skip = self.length
        for piece in pieces:
            skipped = min(skip, len(piece))
            skip -= skipped
            if rest := piece[skipped:]:
                self.length += len(rest)
                yield rest


class Server:
    """One server, with connections that are kept open between requests."""

    def __init__(self, configuration: Configuration, *, silence: float = SILENCE_SECONDS) -> None:
        self._configuration = configuration
        self.silence = silence
        self._credentials = Credentials(configuration)
        # By proxy, and whether we show who we are; all with the credentials as they are in this context.
        self._pools: dict[tuple[str, bool], urllib3.PoolManager] = {}
        self._made_with: ssl.SSLContext | None = None
        self.mirrors = Mirrors(configuration)
        # Why the server did not give the newest timestamp, and what mirrors offer in its stead, the newest first.
        self._away: AgentFault | None = None
        self._offers: list[tuple[Mirror, Answered]] = []
        self._refused = False
        # For the metrics: what came over all connections of this server since it began.
        self.received = 0
        self.requests = 0
        # What the server's clock showed at its last answer, and how long this machine had run by then.
        self._clock: tuple[dt.datetime, float] | None = None

    def get(self, url: str, *, most: int) -> Iterator[bytes]:
        """The body, in pieces. Raises AgentFault (TooMuch and TooSlow among them).

        Mirrors are asked first, once for each file: what one lacks, breaks off or has wrong comes from the next, and
        from the server. While the server is away the mirrors' word is all there is, also that they have no such file.
        """
        sent, failed = Sent(), list[tuple[Mirror, AgentFault]]()
        if (yield from self._mirrored(url, most, sent, failed)):
            return
        try:
            yield from sent.beyond(self._pieces(url, most=most))
        except AgentFault as fault:
            unmistaken = isinstance(fault, TooMuch) or (isinstance(fault, UnexpectedAnswer) and fault.status < 500)
            anew = not unmistaken and not failed and not sent.length
            if anew and (yield from self._mirrored(url, most, sent, failed, anew=True)):
                return
            for mirror, each in failed:
                self.mirrors.failed(mirror, each)
            said = [each for _, each in failed if isinstance(each, UnexpectedAnswer)]
            if said and not unmistaken:
                raise min(said, key=lambda each: each.status not in LACKS) from None
            raise
        for mirror, each in failed:
            self.mirrors.failed(mirror, each, others_have_it=True)

    def _mirrored(
        self, url: str, most: int, sent: Sent, failed: list[tuple[Mirror, AgentFault]], *, anew: bool = False
    ) -> Generator[bytes, None, bool]:
        """Whether a mirror gave it to the end."""
        for mirror, elsewhere in self.mirrors.asked_for(url, anew=anew):
            try:
                yield from sent.beyond(self._pieces(elsewhere, most=most, shown=False))
            except AgentFault as fault:
                log.debug("%s The next is asked.", fault.what)
                failed.append((mirror, fault))
            else:
                self.mirrors.well(mirror)
                for each, its in failed:
                    self.mirrors.failed(each, its, others_have_it=True)
                return True
        return False

    def _pieces(self, url: str, *, most: int, shown: bool = True) -> Iterator[bytes]:
        whole = WHOLE_SECONDS + most / SLOWEST_BYTES_PER_SECOND
        deadline = time.monotonic() + whole
        with self._open("GET", url, shown=shown) as response:
            received = 0
            while chunk := self._read(url, response, CHUNK):
                received += len(chunk)
                if received > most:
                    raise TooMuch(url, most)
                if time.monotonic() > deadline:
                    raise TooSlow(url, whole)
                yield chunk

    def get_changed(self, url: str, *, most: int, tag: str) -> Answered | None:
        """The body, unless it is still the version that `tag` names. Raises AgentFault.

        Keep the new tag only once the body has been verified: one that was cut short would be believed for good.
        """
        if not self._refused:
            try:
                answered = self._changed(url, most=most, tag=tag)
                self._away, self._offers = None, []
                return answered
            except AgentFault as fault:
                self._away, self._offers = fault, self._offered(url, most)
                self._compare()
        self._refused = False
        if not self._offers:
            assert self._away is not None  # noqa: S101
            raise self._away
        return self._offers[0][1]

    def ask_anew(self) -> None:
        """The next question for the timestamp goes to the server again."""
        self._refused, self._away, self._offers = False, None, []

    def refuse(self, fault: AgentFault) -> bool:
        """The timestamp that a mirror gave in the server's stead leads nowhere; whether there is another to ask for."""
        if not self._offers:
            return False
        mirror, _ = self._offers.pop(0)
        self._compare()
        self.mirrors.pass_by(mirror, f"what it gives as the newest is refused ({why_of(fault)})")
        self._refused = True
        return True

    def _compare(self) -> None:
        newest = max((claimed_version(answered.body) for _, answered in self._offers), default=0)
        for mirror, answered in self._offers:
            if (version := claimed_version(answered.body)) < newest:
                self.mirrors.pass_by(mirror, f"it gives version {version} of the feed's timestamp, another {newest}")
            else:
                self.mirrors.well(mirror)

    def notes(self) -> list[AgentFault]:
        """What is wrong with server and mirrors, though what was asked for came."""
        away = [ServerAway(self._offers[0][0].name, why_of(self._away))] if self._away and self._offers else []
        return [*away, *self.mirrors.notes()]

    def _offered(self, url: str, most: int) -> list[tuple[Mirror, Answered]]:
        """The newest timestamp of each mirror. What its version says is not verified: it is an order to try them in."""
        found: list[tuple[Mirror, Answered]] = []
        for mirror in self.mirrors.all:
            if (elsewhere := self.mirrors.place_of(mirror, url)) is None:
                continue
            try:
                body = b"".join(self._pieces(elsewhere, most=most, shown=False))
            except AgentFault as fault:
                self.mirrors.pass_by(mirror, why_of(fault))
            else:
                found.append((mirror, Answered(body, "")))
        return sorted(found, key=lambda each: -claimed_version(each[1].body))

    def _changed(self, url: str, *, most: int, tag: str) -> Answered | None:
        headers = {"If-None-Match": tag} if tag else {}
        with self._open("GET", url, headers=headers, also=(HTTPStatus.NOT_MODIFIED,)) as response:
            if response.status == HTTPStatus.NOT_MODIFIED:
                if not tag:
                    raise UnexpectedAnswer(url, response.status)
                return None
            return Answered(self._whole(url, response, most), response.headers.get("ETag", ""))

    def poll(self, url: str, *, last_event_id: str | None) -> bytes | None:
        """Ask, and wait until the server has something new to say; None when it had not. Raises AgentFault."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        waiting = self._open("GET", url, headers=headers, read_seconds=POLL_SECONDS, also=(HTTPStatus.NO_CONTENT,))
        with waiting as response:
            return None if response.status == HTTPStatus.NO_CONTENT else self._whole(url, response, POLL_BYTES)

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Send JSON; return the status and the beginning of the answer. Raises AgentFault."""
        with self._open("POST", url, body=body, every_status=True) as response:
            return response.status, self._read(url, response, CHUNK)

    @contextmanager
    def events(self, url: str, *, last_event_id: str | None) -> Iterator[Iterator[bytes]]:
        """The lines of a stream of events, until it ends. Raises AgentFault; NoAnswer when the stream falls silent."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        with self._open("GET", url, headers=headers, read_seconds=self.silence, endless=True) as response:
            yield self._lines(url, response)

    def certificate_ends_at(self) -> dt.datetime | None:
        return self._credentials.certificate_ends_at()

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()

    def _lines(self, url: str, response: urllib3.BaseHTTPResponse, longest: int = 64 * 1024) -> Iterator[bytes]:
        rest = b""
        while chunk := self._read(url, response, CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > longest:
                raise TooMuch(url, longest)

    def _whole(self, url: str, response: urllib3.BaseHTTPResponse, most: int) -> bytes:
        deadline, body = time.monotonic() + WHOLE_SECONDS, b""
        while chunk := self._read(url, response, CHUNK):
            body += chunk
            if len(body) > most:
                raise TooMuch(url, most)
            if time.monotonic() > deadline:
                raise TooSlow(url, WHOLE_SECONDS)
        return body

    def _read(self, url: str, response: urllib3.BaseHTTPResponse, most: int) -> bytes:
        """What has come, without waiting for more than one piece."""
        with network_faults(url):
            chunk = response.read1(most)
        self.received += len(chunk)
        return chunk

    @contextmanager
    def _open(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
        every_status: bool = False,
        endless: bool = False,
        shown: bool = True,
        also: tuple[HTTPStatus, ...] = (),
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        sent = {
            **(self._credentials.headers() if shown else {}),
            "User-Agent": f"rahdari-agent/{__version__}",
            # As stored: what is decompressed is decompressed by our own bounded reader.
            "Accept-Encoding": "identity",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        pool = self._pool(url, shown=shown)
        self.requests += 1
        with network_faults(url):
            ask = partial(
                pool.request,
                method,
                url,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            )
            try:
                response = ask()
            except (ProtocolError, ProxyError) as error:
                # A connection that was kept, and closed by the other side (or by a proxy, as some do after each answer)
                # in the moment it was used again: a question may be asked once more (RFC 9110, 9.2.2).
                if method != "GET" or not any(isinstance(each, RemoteDisconnected) for each in error.args):
                    raise
                response = ask()
        try:
            if shown:
                self._note_clock(response)
            if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                raise ProxyRefused(url, "it asks for a name and a password (HTTP 407)")
            if response.status == HTTPStatus.UNAUTHORIZED and shown:
                raise TokenRefused(url, response.status, self._configuration.token_file)
            if response.status not in {HTTPStatus.OK, *also} and not every_status:
                raise UnexpectedAnswer(url, response.status)
            yield response
            # A short rest is read so that the connection can be used again; a stream has no end.
            if not endless:
                with suppress(HTTPError):
                    response.read(CHUNK)
        finally:
            if not response.closed:
                response.close()
            response.release_conn()

    def _pool(self, url: str, *, shown: bool) -> urllib3.PoolManager:
        proxy = self._proxy(urlsplit(url))
        context = self._credentials.context()
        if self._made_with is not context:
            # What was opened with earlier credentials is not used again.
            self.close()
            self._pools, self._made_with = {}, context
        if (proxy, shown) not in self._pools:
            try:
                self._pools[proxy, shown] = _manager(proxy, context if shown else self._credentials.bare_context())
            except (LocationParseError, ValueError) as error:
                raise ProxyRefused(url, f"{without_password(proxy)!r} is no address ({type(error).__name__})") from None
        return self._pools[proxy, shown]

    def _proxy(self, parts: SplitResult) -> str:
        """The proxy for an address, or nothing."""
        if self._configuration.proxy:
            return "" if self._configuration.proxy == "none" else self._configuration.proxy
        # Read each time: they are the service manager's to change, and cost nothing.
        proxy = getproxies().get(parts.scheme, "")
        return "" if proxy and proxy_bypass(parts.netloc) else proxy

    def _note_clock(self, response: urllib3.BaseHTTPResponse) -> None:
        with suppress(TypeError, ValueError, OverflowError):
            there = parsedate_to_datetime(response.headers.get("Date", "")).astimezone(dt.UTC)
            self._clock = there, time.clock_gettime(time.CLOCK_BOOTTIME)

    @property
    def clock_lead(self) -> dt.timedelta | None:
        """How far this machine's clock is ahead of the server's; below zero when it is behind; zero when both agree;
        None while the server has not told its time. Nobody signs it: it may keep an entry, and never take one out.

        Counted from the server's last answer by what no setting of the clock changes.
        """
        if self._clock is None:
            return None
        there, then = self._clock
        passed = dt.timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - then)
        lead = dt.datetime.now(dt.UTC) - there - passed
        return lead if abs(lead) >= CLOCKS_APART else dt.timedelta()

    def clock_hint(self) -> str:
        """How wrong this machine's clock is by the server's, such as `398 days ahead of the server's`; or nothing."""
        lead = self.clock_lead
        return f"{in_words(abs(lead))} {'ahead of' if lead > dt.timedelta() else 'behind'} the server's" if lead else ""


def claimed_version(timestamp: bytes) -> int:
    """What an unverified timestamp says of itself; 0 where it says nothing."""
    try:
        version = json.loads(timestamp)["signed"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return version if type(version) is int else 0


def _manager(proxy: str, context: ssl.SSLContext) -> urllib3.PoolManager:
    if not proxy:
        return urllib3.PoolManager(ssl_context=context)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    shown = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return urllib3.ProxyManager(
        parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
        proxy_headers=make_headers(proxy_basic_auth=shown),
        proxy_ssl_context=context,
        ssl_context=context,
    )


def without_password(proxy: str) -> str:
    scheme, mark, rest = proxy.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
