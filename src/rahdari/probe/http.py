"""Fetch a token over HTTP from an address, as an ACME HTTP-01 validation does (RFC 8555 8.3, RFC 8738).

The client is written on the socket itself: a library would look names up, follow redirects, decompress, or read on.
The plan of one attempt:
1) the address is global or allowed   2) connect   3) send one request   4) read the head, at most `HEAD_LIMIT` bytes
5) status and headers   6) read the body, at most `limit` bytes and one more that shows it is too long
"""

import errno
import ipaddress
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rahdari.address import Address, Block, is_global
from rahdari.errors import RahdariError

HEAD_LIMIT = 8_192
FRAMING_LIMIT = 1_024
BODY_LIMIT = 128  # what boulder, the authority behind Let's Encrypt, reads of an answer
TIMEOUT = 10.0
AGENT = "Rahdari-proof/1"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_REDIRECTS = {301, 302, 303, 307, 308}
_UNREACHABLE = {
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.EACCES,
    errno.EPERM,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
}


class HttpOutcome(StrEnum):
    """What came of the attempt. `FOUND` says that a body was read, not that it is the right one."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    REDIRECTED = "redirected"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    NOT_GLOBAL = "not_global"


@dataclass(frozen=True)
class HttpAnswer:
    """The outcome and its evidence.

    `.status` is the HTTP status where one was read, `.body_start` what was read of the body, `.location` where a
    redirect points, `.connected_to` the address and port of the other side, `.detail` a word that narrows the outcome
    (`connecting`, `head`, `body`, `status_line`, `header`, `chunk`, `length`, `encoded`, `cut_short`, `early`),
    `.elapsed` the seconds it took.
    """

    outcome: HttpOutcome
    status: int | None = None
    body_start: bytes = b""
    location: str | None = None
    connected_to: str | None = None
    detail: str = ""
    elapsed: float = 0.0

    def as_data(self) -> dict[str, str | int | float | None]:
        """Plain data for a record; what a stranger's server sent is kept as printable ASCII only."""
        return {
            "outcome": self.outcome.value,
            "status": self.status,
            "body_start": printable(self.body_start),
            "location": self.location,
            "connected_to": self.connected_to,
            "detail": self.detail,
            "elapsed": round(self.elapsed, 3),
        }


def printable(content: bytes) -> str:
    """ASCII with everything else as `?`: safe to store, log and show."""
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in content)


def fetch_token(
    address: Address,
    *,
    path: str,
    port: int = 80,
    limit: int = BODY_LIMIT,
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
    host_header: str | None = None,
) -> HttpAnswer:
    """One GET to exactly this address. Never raises for what the other side does."""
    if not re.fullmatch(r"/[\x21-\x7e]*", path):
        raise ValueError("path must begin with / and hold printable ASCII without spaces")
    host = host_header or _host(address, port)
    if not re.fullmatch(r"[\x21-\x7e]+", host):
        raise ValueError("host_header must be printable ASCII without spaces")
    # 1) A mapped address would leave the rules of its family behind; it is special-use and refused with the rest.
    if not is_global(address, allowed=allowed_ranges):
        return HttpAnswer(HttpOutcome.NOT_GLOBAL)
    attempt = _Attempt(address=address, port=port, limit=limit, deadline=time.monotonic() + timeout)
    started = time.monotonic()
    found = attempt.run(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n".encode("ascii"))
    return HttpAnswer(
        outcome=found.outcome,
        status=attempt.status,
        body_start=bytes(attempt.body[:limit]),
        location=attempt.location,
        connected_to=attempt.connected_to,
        detail=found.detail,
        elapsed=time.monotonic() - started,
    )


def _host(address: Address, port: int) -> str:
    name = f"[{address}]" if address.version == 6 else str(address)
    return name if port == 80 else f"{name}:{port}"


class _End(RahdariError):
    """The attempt is over, and this is how."""

    says = "{outcome}"
    outcome: HttpOutcome
    detail: str = ""


class _Attempt:
    def __init__(self, *, address: Address, port: int, limit: int, deadline: float) -> None:
        self.address = address
        self.port = port
        self.limit = limit
        self.deadline = deadline
        self.status: int | None = None
        self.location: str | None = None
        self.connected_to: str | None = None
        self.body = bytearray()
        self.stage = "connecting"
        self._buffer = bytearray()
        self._socket: socket.socket | None = None

    def run(self, request: bytes) -> _End:
        try:
            self._connect()
            self._send(request)
            self.stage = "head"
            headers = self._read_head()
            self._judge(headers)
            self.stage = "body"
            self._read_body(headers)
            return _End(HttpOutcome.FOUND)
        except _End as end:
            return end
        except TimeoutError:
            return _End(HttpOutcome.TIMED_OUT, self.stage)
        except ConnectionRefusedError:
            return _End(HttpOutcome.REFUSED)
        except (ConnectionResetError, BrokenPipeError, ConnectionAbortedError):
            return _End(HttpOutcome.RESET, self.stage)
        except OSError as error:
            known = error.errno in _UNREACHABLE
            return _End(HttpOutcome.UNREACHABLE, "" if known else errno.errorcode.get(error.errno or 0, "unknown"))
        finally:
            if self._socket is not None:
                self._socket.close()

    # 2)
    def _connect(self) -> None:
        family = socket.AF_INET6 if isinstance(self.address, ipaddress.IPv6Address) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(self._left())
        self._socket.connect((str(self.address), self.port))
        peer = self._socket.getpeername()
        self.connected_to = f"[{peer[0]}]:{peer[1]}" if family == socket.AF_INET6 else f"{peer[0]}:{peer[1]}"

    # 3)
    def _send(self, request: bytes) -> None:
        assert self._socket is not None  # noqa: S101
        rest = f"User-Agent: {AGENT}\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        self._socket.settimeout(self._left())
        self._socket.sendall(request + rest.encode("ascii"))

    # 4)
    def _read_head(self) -> dict[bytes, bytes]:
        budget = HEAD_LIMIT
        while True:
            end = re.search(rb"\r?\n\r?\n", self._buffer)
            while end is None:
                if b"\n" in self._buffer and _STATUS.fullmatch(self._buffer.split(b"\n", 1)[0].rstrip(b"\r")) is None:
                    raise _End(HttpOutcome.MALFORMED, "status_line")
                if budget <= 0:
                    raise _End(HttpOutcome.TOO_LONG, "head")
                received = self._receive(min(1_024, budget))
                if not received:
                    raise self._closed_in_head()
                budget -= len(received)
                self._buffer += received
                end = re.search(rb"\r?\n\r?\n", self._buffer)
            head, self._buffer = bytes(self._buffer[: end.start()]), self._buffer[end.end() :]
            status, headers = _parse_head(head)
            if status >= 200:
                self.status = status
                return headers
            # 100 Continue and its like announce the answer and are not it.

    def _closed_in_head(self) -> _End:
        if not self._buffer:
            return _End(HttpOutcome.RESET, "early")
        if not self._buffer.startswith(b"HTTP/1."):
            return _End(HttpOutcome.MALFORMED, "status_line")
        return _End(HttpOutcome.MALFORMED, "cut_short")

    # 5)
    def _judge(self, headers: dict[bytes, bytes]) -> None:
        if self.status in _REDIRECTS:
            self.location = printable(headers.get(b"location", b"")[:200])
            raise _End(HttpOutcome.REDIRECTED)
        if self.status != 200:
            raise _End(HttpOutcome.NOT_FOUND)
        if headers.get(b"content-encoding", b"identity").lower() not in {b"identity", b""}:
            raise _End(HttpOutcome.MALFORMED, "encoded")

    # 6)
    def _read_body(self, headers: dict[bytes, bytes]) -> None:
        coding = headers.get(b"transfer-encoding", b"").lower()
        if coding == b"chunked":
            self._read_chunks()
        elif coding:
            raise _End(HttpOutcome.MALFORMED, "encoded")
        elif b"content-length" in headers:
            text = headers[b"content-length"]
            if not re.fullmatch(rb"[0-9]{1,15}", text):
                raise _End(HttpOutcome.MALFORMED, "length")
            self._read_exactly(int(text))
        else:
            while len(self._buffer) <= self.limit and (received := self._receive(self.limit + 1 - len(self._buffer))):
                self._buffer += received
            self.body = self._buffer
            if len(self.body) > self.limit:
                raise _End(HttpOutcome.TOO_LONG, "body")

    def _read_exactly(self, length: int) -> None:
        wanted = min(length, self.limit)
        while len(self._buffer) < wanted:
            received = self._receive(wanted - len(self._buffer))
            if not received:
                self.body = self._buffer
                raise _End(HttpOutcome.MALFORMED, "cut_short")
            self._buffer += received
        self.body = self._buffer[:wanted]
        if length > self.limit:
            raise _End(HttpOutcome.TOO_LONG, "body")

    def _read_chunks(self) -> None:
        budget = self.limit + FRAMING_LIMIT
        while True:
            line, budget = self._read_line(budget)
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise _End(HttpOutcome.MALFORMED, "chunk")
            length = int(size[1], 16)
            if length == 0:
                return  # what follows the last chunk (trailers) is of no interest
            room = self.limit - len(self.body)
            while len(self._buffer) < min(length, room) + (0 if length > room else 2):
                received, budget = self._receive_within(budget)
                self._buffer += received
            self.body += self._buffer[: min(length, room)]
            if length > room:
                raise _End(HttpOutcome.TOO_LONG, "body")
            if self._buffer[length : length + 2] != b"\r\n":
                raise _End(HttpOutcome.MALFORMED, "chunk")
            del self._buffer[: length + 2]

    def _read_line(self, budget: int) -> tuple[bytes, int]:
        while b"\n" not in self._buffer:
            received, budget = self._receive_within(budget)
            self._buffer += received
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line.rstrip(b"\r"), budget

    def _receive_within(self, budget: int) -> tuple[bytes, int]:
        if budget <= 0:
            raise _End(HttpOutcome.TOO_LONG, "body")
        received = self._receive(min(256, budget))
        if not received:
            raise _End(HttpOutcome.MALFORMED, "cut_short")
        return received, budget - len(received)

    def _receive(self, most: int) -> bytes:
        assert self._socket is not None  # noqa: S101
        # The time left of the whole attempt, not of this read: a byte now and then does not keep it alive.
        self._socket.settimeout(self._left())
        return self._socket.recv(most)

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _parse_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    status_line, *lines = re.split(rb"\r?\n", head)
    status = _STATUS.fullmatch(status_line)
    if status is None:
        raise _End(HttpOutcome.MALFORMED, "status_line")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _End(HttpOutcome.MALFORMED, "header")
        name, value = header[1].lower(), header[2]
        if name in {b"content-length", b"transfer-encoding"} and headers.get(name, value) != value:
            raise _End(HttpOutcome.MALFORMED, "length")
        headers[name] = value
    return int(status[1]), headers
