"""One request to an address that a stranger gave us, in such a way that it cannot be turned against anybody.

The plan of one attempt:
1) the address is https, without a user name, on a usual port   2) the name leads to global addresses only
3) connect to the first of them, not to the name again, and hold its certificate against the name
4) send   5) read the status, and where it is wanted a bounded body; a redirect is told and not followed
6) all of it within `timeout`, the looking up too

`allowed_ranges` are for the demonstration and tests: to an address in one of them, http and any port will do.
"""

import contextlib
import http.client
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from rahdari.address import Address, Block, is_global

TIMEOUT = 10.0
LONGEST = 500
PORTS = frozenset({443, 8443})
# Names that are looked up at the same time, of a whole process.
LOOK_UPS = threading.BoundedSemaphore(64)
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HookOutcome(StrEnum):
    """What came of it. Only `TAKEN` is a success: the other side answered 2xx."""

    TAKEN = "taken"
    REDIRECTED = "redirected"
    REFUSED_IT = "refused_it"
    NOT_HTTPS = "not_https"
    BAD_ADDRESS = "bad_address"
    BAD_PORT = "bad_port"
    NO_SUCH_NAME = "no_such_name"
    NOT_GLOBAL = "not_global"
    CERTIFICATE = "certificate"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class HookAnswer:
    outcome: HookOutcome
    status: int | None = None


@dataclass(frozen=True)
class Page:
    """What a GET came to: the body when it was taken, and where a redirect would have led."""

    outcome: HookOutcome
    status: int | None = None
    body: bytes = b""
    location: str = ""


@dataclass(frozen=True)
class Place:
    """Where a hook leads, by its letters alone."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


def read_address(url: str, *, allowed_ranges: Iterable[str | Block] = ()) -> Place | HookOutcome:
    """Where the address leads, or what is wrong with it. No name is looked up."""
    if len(url) > LONGEST or not re.fullmatch(r"[\x21-\x7e]+", url) or "\\" in url:
        return HookOutcome.BAD_ADDRESS
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return HookOutcome.BAD_ADDRESS
    host = (parts.hostname or "").rstrip(".")
    if parts.username is not None or parts.password is not None or parts.fragment or not host:
        return HookOutcome.BAD_ADDRESS
    if parts.scheme not in {"https", "http"}:
        return HookOutcome.NOT_HTTPS
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    place = Place(secure, host, port or (443 if secure else 80), path)
    literal = place.literal
    if literal is None and not NAME.fullmatch(host):
        return HookOutcome.BAD_ADDRESS
    if literal is not None and _allowed(literal, allowed_ranges):
        return place
    if not secure:
        return HookOutcome.NOT_HTTPS
    if literal is not None and not is_global(literal):
        return HookOutcome.NOT_GLOBAL
    return place if place.port in PORTS else HookOutcome.BAD_PORT


def _allowed(address: Address, ranges: Iterable[str | Block]) -> bool:
    return any(address in ipaddress.ip_network(str(each)) for each in ranges)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
    ca_file: str | None = None,
) -> HookAnswer:
    """One POST. Never raises for what the other side does."""
    page = _ask("POST", url, body, headers, 0, timeout, allowed_ranges, ca_file)
    return HookAnswer(page.outcome, page.status)


def post_for(
    url: str,
    *,
    body: bytes,
    most: int,
    headers: Mapping[str, str],
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
    ca_file: str | None = None,
) -> Page:
    """One POST whose answer is read, of at most so many bytes. Never raises for what the other side does."""
    return _ask("POST", url, body, headers, most, timeout, allowed_ranges, ca_file)


def get(
    url: str,
    *,
    most: int,
    headers: Mapping[str, str],
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
    ca_file: str | None = None,
) -> Page:
    """One GET. A body of more than `most` bytes is malformed. Never raises for what the other side does."""
    return _ask("GET", url, None, headers, most, timeout, allowed_ranges, ca_file)


def _ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    most: int,
    timeout: float,
    allowed_ranges: Iterable[str | Block],
    ca_file: str | None,
) -> Page:
    deadline = time.monotonic() + timeout
    # 1)
    place = read_address(url, allowed_ranges=allowed_ranges)
    if isinstance(place, HookOutcome):
        return Page(place)
    # 2)
    addresses = [place.literal] if place.literal is not None else _look_up(place, deadline)
    if addresses is None:
        return Page(HookOutcome.TIMED_OUT)
    if not addresses:
        return Page(HookOutcome.NO_SUCH_NAME)
    if not all(each is not None and (_allowed(each, allowed_ranges) or is_global(each)) for each in addresses):
        return Page(HookOutcome.NOT_GLOBAL)
    try:
        return _send(method, place, str(addresses[0]), body, headers, most, deadline, ca_file)
    except ssl.SSLCertVerificationError:
        return Page(HookOutcome.CERTIFICATE)
    except TimeoutError:
        return Page(HookOutcome.TIMED_OUT)
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= deadline:
            return Page(HookOutcome.TIMED_OUT)
        broken = isinstance(error, http.client.HTTPException | ssl.SSLError)
        return Page(HookOutcome.MALFORMED if broken else HookOutcome.UNREACHABLE)


def _look_up(place: Place, deadline: float) -> list[Address] | None:
    """The addresses of the name; None when nothing was said in time. The system's own looking up has no clock that we
    could set: a thread waits for it to give up, which it does by itself, and we do not. There are only so many of
    these, however slow a stranger's name server is.
    """
    said: queue.SimpleQueue[list[Address]] = queue.SimpleQueue()
    # Given back where it was taken, however late.
    seats = LOOK_UPS
    if not seats.acquire(timeout=max(0.0, deadline - time.monotonic())):
        return None

    def ask() -> None:
        try:
            found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        finally:
            seats.release()
        said.put(list(dict.fromkeys(ipaddress.ip_address(each[4][0]) for each in found)))

    threading.Thread(target=ask, daemon=True).start()
    try:
        return said.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        return None


def _send(
    method: str,
    place: Place,
    address: str,
    body: bytes | None,
    headers: Mapping[str, str],
    most: int,
    deadline: float,
    ca_file: str | None,
) -> Page:
    # 3)
    context = ssl.create_default_context(cafile=ca_file) if place.secure else None
    left = max(0.1, deadline - time.monotonic())
    stream = socket.create_connection((address, place.port), timeout=left)
    if context is not None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # From here on the plain socket is an empty one, and cutting it would cut nothing.
        stream = context.wrap_socket(stream, server_hostname=place.host, do_handshake_on_connect=False)
    # 6) A server that sends one byte now and then would keep any other clock going.
    end = threading.Timer(max(0.1, deadline - time.monotonic()), _cut, [stream])
    end.daemon = True
    end.start()
    try:
        if isinstance(stream, ssl.SSLSocket):
            stream.do_handshake()
        host = f"[{place.host}]" if ":" in place.host else place.host
        usual = 443 if place.secure else 80
        connection = http.client.HTTPConnection(host, place.port)
        connection.sock = stream
        # 4)
        named = host if place.port == usual else f"{host}:{place.port}"
        connection.request(method, place.path, body=body, headers={**headers, "Host": named, "Connection": "close"})
        # 5)
        answer = connection.getresponse()
        status = answer.status
        read = answer.read(most + 1) if most and 200 <= status < 300 else b""
    finally:
        end.cancel()
        with contextlib.suppress(OSError):
            stream.close()
    if status in REDIRECTS:
        return Page(HookOutcome.REDIRECTED, status, location=answer.headers.get("Location", ""))
    if len(read) > most:
        return Page(HookOutcome.MALFORMED, status)
    return Page(HookOutcome.TAKEN if 200 <= status < 300 else HookOutcome.REFUSED_IT, status, read)


def _cut(stream: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not that of TLS, which another thread is in the middle of.
        socket.socket.shutdown(stream, socket.SHUT_RDWR)
