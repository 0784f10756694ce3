"""Talking to the server: over TLS, within bounds of bytes and time, and to the configured server alone.

What the agent shows of itself is sent to the addresses in the configuration and nowhere else: redirects are not
followed. The proxy of the configuration is used, or else the one named in HTTPS_PROXY, HTTP_PROXY and NO_PROXY; for
https it sees nothing but the server's name. A mirror is shown nothing at all, and whatever it fails at is asked from
the server. Nothing that comes from here is trusted: `trust` verifies it.
"""

import datetime as dt
import logging
import ssl
import time
from collections.abc import Iterator
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

from .configuration import Configuration
from .credentials import Credentials
from .faults import AgentFault, in_words
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
MOST_REMEMBERED = 500
# Further apart than this, two clocks are told about.
CLOCKS_APART = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Answered:
    """A short answer. `tag` names this version of it, for the next question."""

    body: bytes
    tag: str


class Server:
    """One server, with connections that are kept open between requests."""

    def __init__(self, configuration: Configuration, *, silence: float = SILENCE_SECONDS) -> None:
        self._configuration = configuration
        self.silence = silence
        self._credentials = Credentials(configuration)
        # By proxy, and whether we show who we are; all with the credentials as they are in this context.
        self._pools: dict[tuple[str, bool], urllib3.PoolManager] = {}
        self._made_with: ssl.SSLContext | None = None
        # Files that a mirror was asked for, oldest first. Asked for again, they come from the server.
        self._asked_elsewhere: dict[str, None] = {}
        # For the metrics: what came over all connections of this server since it began.
        self.received = 0
        self.requests = 0
        # What the server's clock showed at its last answer, and how long this machine had run by then.
        self._clock: tuple[dt.datetime, float] | None = None

    def get(self, url: str, *, most: int) -> Iterator[bytes]:
        """The body, in pieces. Raises AgentFault (TooMuch and TooSlow among them).

        A mirror is asked first, once for each file: what it lacks, breaks off or has wrong comes from the server. While
        the server is away the mirror's word is all there is, also that it has no such file.
        """
        sent, refused = 0, None
        if (elsewhere := self._mirrored(url)) is not None:
            try:
                for piece in self._pieces(elsewhere, most=most, shown=False):
                    sent += len(piece)
                    yield piece
                return
            except AgentFault as fault:
                refused = fault
                log.debug("%s The server is asked.", fault.what)
        begun = sent > 0
        try:
            for piece in self._pieces(url, most=most):
                # What the mirror had sent is in the asker's hands already; the digest of the whole decides.
                skipped = min(sent, len(piece))
                sent -= skipped
                if skipped < len(piece):
                    begun = True
                    yield piece[skipped:]
        except NotReached:
            if isinstance(refused, UnexpectedAnswer):
                raise refused from None
            if begun or refused is not None or (elsewhere := self._mirrored(url, again=True)) is None:
                raise
            yield from self._pieces(elsewhere, most=most, shown=False)

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
        try:
            return self._changed(url, most=most, tag=tag)
        except AgentFault:
            if (elsewhere := self._mirrored(url, again=True)) is None:
                raise
            with suppress(AgentFault):
                return Answered(b"".join(self._pieces(elsewhere, most=most, shown=False)), "")
            raise

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

    def _mirrored(self, url: str, *, again: bool = False) -> str | None:
        """Where else this file is, unless it was asked for there already."""
        names = (("metadata", self._configuration.metadata_url), ("targets", self._configuration.targets_url))
        for name, base in names:
            place = f"{self._configuration.server}/feed/{name}/"
            if base and url.startswith(place) and (again or url not in self._asked_elsewhere):
                self._asked_elsewhere[url] = None
                if len(self._asked_elsewhere) > MOST_REMEMBERED:
                    self._asked_elsewhere.pop(next(iter(self._asked_elsewhere)))
                return f"{base}/{url.removeprefix(place)}"
        return None

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
