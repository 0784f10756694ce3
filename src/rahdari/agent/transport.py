"""Talking to the server: over TLS, within bounds of bytes and time, and to the configured server alone.

What the agent shows of itself is sent to the addresses in the configuration and nowhere else: redirects are not
followed. The proxy of the configuration is used, or else the one named in HTTPS_PROXY, HTTP_PROXY and NO_PROXY; for
https it sees nothing but the server's name. Nothing that comes from here is trusted: `trust` verifies it.
"""

import datetime as dt
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
    TimeoutError,
)
from urllib3.util import make_headers

from rahdari import __version__

from .configuration import Configuration
from .credentials import Credentials
from .faults import AgentFault, Exit

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


class NotReached(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str, mend: str = "Check the network, the name and the firewall.") -> None:
        super().__init__(f"{url} cannot be reached: {why}.", f"{mend} What was verified last stays enforced.")
        self.url, self.why = url, why


class NoAnswer(NotReached):
    """There was a connection, and nothing came over it."""


class ProxyRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The proxy does not let us through to {url}: {why}.",
            "Check `proxy` in the configuration or HTTPS_PROXY, and what the proxy allows.",
        )


class TlsRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"No secure connection to {url}: {why}.",
            "Check this machine's clock and its certificates; with a private authority set `ca_file`. Where the server "
            "asks for a certificate of yours, check `client_certificate`.",
        )


class TokenRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, status: int, token_file: Path | None) -> None:
        shown, mend = "the token", f"Put the token that you were given into {token_file}, or ask the authority for one."
        if token_file is None:
            shown, mend = "the certificate", "Check `client_certificate`, or ask the authority whether it is known."
        super().__init__(f"{url} does not accept {shown} (HTTP {status}).", mend)


class UnexpectedAnswer(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, status: int) -> None:
        self.status = status
        mend = {
            403: "Access is refused: check the token, and ask the authority whether your access goes on.",
            404: "Check `server` in the configuration: it is the address without /feed.",
            429: "Too many requests: the agent tries again more slowly.",
        }.get(status, "Try again later; if it goes on, tell the authority.")
        if 300 <= status < 400:
            mend = "Redirects are not followed, since the token would go along: set `server` to the final address."
        super().__init__(f"{url} answered with HTTP {status}.", mend)


class TooMuch(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, url: str, limit: int) -> None:
        super().__init__(f"{url} sent more than the {limit} bytes allowed.", "Tell the authority: this is no edition.")


class TooSlow(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(
            f"{url} did not finish within {seconds:.0f} seconds.", "Check the network; the agent tries again."
        )


@dataclass(frozen=True)
class Answered:
    """A short answer. `tag` names this version of it, for the next question."""

    body: bytes
    tag: str


class Server:
    """One server, with connections that are kept open between requests."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._credentials = Credentials(configuration)
        # By proxy; all with the credentials of this context.
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._made_with: ssl.SSLContext | None = None
        # For the metrics: what came over all connections of this server since it began.
        self.received = 0
        self.requests = 0
        # The server's clock minus ours, as its last answer had it. A hint for a person, never a fact to act on.
        self.clock_ahead: dt.timedelta | None = None

    def get(self, url: str, *, most: int) -> Iterator[bytes]:
        """The body, in pieces. Raises AgentFault (TooMuch and TooSlow among them)."""
        whole = WHOLE_SECONDS + most / SLOWEST_BYTES_PER_SECOND
        deadline = time.monotonic() + whole
        with self._open("GET", url) as response:
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
        with self._open("GET", url, headers=headers, read_seconds=SILENCE_SECONDS) as response:
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
        with _told(url):
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
        also: tuple[HTTPStatus, ...] = (),
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        sent = {
            **self._credentials.headers(),
            "User-Agent": f"rahdari-agent/{__version__}",
            # As stored: what is decompressed is decompressed by our own bounded reader.
            "Accept-Encoding": "identity",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        pool = self._pool(url)
        self.requests += 1
        with _told(url):
            response = pool.request(
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
            self._note_clock(response)
            if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                raise ProxyRefused(url, "it asks for a name and a password (HTTP 407)")
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise TokenRefused(url, response.status, self._configuration.token_file)
            if response.status not in {HTTPStatus.OK, *also} and not every_status:
                raise UnexpectedAnswer(url, response.status)
            yield response
            # A short rest is read so that the connection can be used again.
            with suppress(HTTPError):
                response.read(CHUNK)
        finally:
            if not response.closed:
                response.close()
            response.release_conn()

    def _pool(self, url: str) -> urllib3.PoolManager:
        proxy = self._proxy(urlsplit(url))
        context = self._credentials.context()
        if self._made_with is not context:
            # What was opened with earlier credentials is not used again.
            self.close()
            self._pools, self._made_with = {}, context
        if proxy not in self._pools:
            try:
                self._pools[proxy] = _manager(proxy, context)
            except (LocationParseError, ValueError) as error:
                raise ProxyRefused(url, f"{without_password(proxy)!r} is no address ({type(error).__name__})") from None
        return self._pools[proxy]

    def _proxy(self, parts: SplitResult) -> str:
        """The proxy for an address, or nothing."""
        if self._configuration.proxy:
            return "" if self._configuration.proxy == "none" else self._configuration.proxy
        # Read each time: they are the service manager's to change, and cost nothing.
        proxy = getproxies().get(parts.scheme, "")
        return "" if proxy and proxy_bypass(parts.netloc) else proxy

    def _note_clock(self, response: urllib3.BaseHTTPResponse) -> None:
        with suppress(TypeError, ValueError, OverflowError):
            there = parsedate_to_datetime(response.headers.get("Date", ""))
            self.clock_ahead = there - dt.datetime.now(dt.UTC)

    def clock_hint(self) -> str:
        """A sentence about this machine's clock, when the server's says otherwise."""
        if self.clock_ahead is None or abs(self.clock_ahead) < CLOCKS_APART:
            return ""
        way = "behind" if self.clock_ahead > dt.timedelta() else "ahead of"
        minutes = abs(self.clock_ahead).total_seconds() / 60
        return f"This machine's clock is {minutes:.0f} minutes {way} the server's: set it, by NTP for example."


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


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what urllib3 says into what a person can act on."""
    try:
        yield
    except (HTTPError, OSError, ValueError) as error:
        raise _fault(url, error) from error


def _fault(url: str, error: Exception) -> AgentFault:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, ProxyError):
        cause = reason.original_error
        if isinstance(cause, ConnectTimeoutError | NewConnectionError | NameResolutionError):
            why = getattr(cause.__cause__, "strerror", None) or "no answer in time"
            return NotReached(url, f"the proxy cannot be reached ({why})", "Check `proxy` or HTTPS_PROXY.")
        return ProxyRefused(url, _first_line(cause))
    if isinstance(reason, SSLError):
        return TlsRefused(url, str(reason.args[0] if reason.args else reason))
    if isinstance(reason, NameResolutionError):
        host = urlsplit(url).hostname
        return NotReached(url, f"the name {host} is not known", "Check `server` and this machine's name service.")
    if isinstance(reason, NewConnectionError):
        cause = reason.__cause__
        return NotReached(url, getattr(cause, "strerror", None) or "the connection was refused")
    if isinstance(reason, ReadTimeoutError):
        return NoAnswer(url, "it does not answer")
    if isinstance(reason, TimeoutError):
        return NotReached(url, "no answer in time")
    return NotReached(url, f"the connection broke ({type(reason).__name__})")


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return reason.partition("\n")[0].removeprefix("Tunnel connection failed: ")[:200] or type(error).__name__
