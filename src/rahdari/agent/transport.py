"""Talking to the server: over TLS, within bounds of bytes and time, and to the configured server alone.

The token is sent to the addresses in the configuration and nowhere else: redirects are not followed. The proxy named in
HTTPS_PROXY, HTTP_PROXY and NO_PROXY is used. Nothing that comes from here is trusted: `trust` verifies it.
"""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,
)

from rahdari import __version__

from .configuration import Configuration
from .faults import AgentFault, Exit

CONNECT_SECONDS = 10.0
# Between two bytes; of an answer as a whole, so that nobody can hold the agent by sending a byte at a time.
READ_SECONDS = 30.0
WHOLE_SECONDS = 60.0
SLOWEST_BYTES_PER_SECOND = 20_000
CHUNK = 64 * 1024
# The server beats every 15 seconds; after three missed beats it is gone.
SILENCE_SECONDS = 45.0
# Further apart than this, two clocks are told about.
CLOCKS_APART = dt.timedelta(minutes=5)


class NotReached(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str, mend: str = "Check the network, the name and the firewall.") -> None:
        super().__init__(f"{url} cannot be reached: {why}.", f"{mend} What was verified last stays enforced.")
        self.url, self.why = url, why


class TlsRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"No secure connection to {url}: {why}.",
            "Check this machine's clock and its certificates; with a private authority set `ca_file`.",
        )


class TokenRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, status: int, token_file: Path) -> None:
        super().__init__(
            f"{url} does not accept the token (HTTP {status}).",
            f"Put the token that you were given into {token_file}, or ask the authority for a new one.",
        )


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


class Server:
    """One server, with connections that are kept open between requests."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._pools: dict[str, urllib3.PoolManager] = {}
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

    def post(self, url: str, body: bytes) -> int:
        """Send JSON; return the status. Raises AgentFault."""
        with self._open("POST", url, body=body, every_status=True) as response:
            return response.status

    @contextmanager
    def events(self, url: str, *, last_event_id: str | None) -> Iterator[Iterator[bytes]]:
        """The lines of a stream of events, until it ends. Raises AgentFault."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        with self._open("GET", url, headers=headers, read_seconds=SILENCE_SECONDS) as response:
            yield self._lines(url, response)

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

    def _read(self, url: str, response: urllib3.BaseHTTPResponse, most: int) -> bytes:
        """What has come, without waiting for more than one piece."""
        with _told(url):
            return response.read1(most)

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
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        sent = {
            "Authorization": f"Bearer {self._configuration.token()}",
            "User-Agent": f"rahdari-agent/{__version__}",
            # As stored: what is decompressed is decompressed by our own bounded reader.
            "Accept-Encoding": "identity",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        with _told(url):
            response = self._pool(url).request(
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
            if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}:
                raise TokenRefused(url, response.status, self._configuration.token_file)
            if response.status != HTTPStatus.OK and not every_status:
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
        parts = urlsplit(url)
        # Read each time: they are the service manager's to change, and cost nothing.
        proxy = getproxies().get(parts.scheme)
        if proxy and proxy_bypass(parts.netloc):
            proxy = None
        key = proxy or ""
        if key not in self._pools:
            ca_file = str(self._configuration.ca_file) if self._configuration.ca_file else None
            try:
                self._pools[key] = (
                    urllib3.ProxyManager(proxy, ca_certs=ca_file) if proxy else urllib3.PoolManager(ca_certs=ca_file)
                )
            except (LocationParseError, ValueError) as error:
                raise NotReached(url, f"the proxy {proxy!r} is no address ({error})", "Mend HTTPS_PROXY.") from None
        return self._pools[key]

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
        return NotReached(url, f"the proxy does not let us through ({reason.original_error})", "Check HTTPS_PROXY.")
    if isinstance(reason, SSLError):
        return TlsRefused(url, str(reason.args[0] if reason.args else reason))
    if isinstance(reason, NameResolutionError):
        host = urlsplit(url).hostname
        return NotReached(url, f"the name {host} is not known", "Check `server` and this machine's name service.")
    if isinstance(reason, NewConnectionError):
        cause = reason.__cause__
        return NotReached(url, getattr(cause, "strerror", None) or "the connection was refused")
    if isinstance(reason, TimeoutError):
        return NotReached(url, "no answer in time")
    return NotReached(url, f"the connection broke ({type(reason).__name__})")
