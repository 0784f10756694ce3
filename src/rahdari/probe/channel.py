"""The sockets of a probe: one address, a deadline for the whole attempt, bounded reads.

A UDP socket is connected, so that only answers of that very address and port arrive, and a port that is closed says so.
"""

import errno
import ipaddress
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rahdari.address import Address, Block, is_global

from .outcome import Outcome, Over

LARGEST_DATAGRAM = 65_535
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


def check_global(address: Address, allowed_ranges: Iterable[str | Block]) -> None:
    """Raises Over: probes go to global addresses, or to ranges that a setting allows."""
    if not is_global(address, allowed=allowed_ranges):
        raise Over(Outcome.NOT_GLOBAL)


@contextmanager
def network_outcomes() -> Iterator[None]:
    """What the network says, as an outcome. Raises Over."""
    try:
        yield
    except TimeoutError:
        raise Over(Outcome.TIMED_OUT) from None
    except ConnectionRefusedError:
        raise Over(Outcome.REFUSED) from None
    except (ConnectionResetError, BrokenPipeError, ConnectionAbortedError):
        raise Over(Outcome.RESET) from None
    except OSError as error:
        known = error.errno in _UNREACHABLE
        detail = "" if known else errno.errorcode.get(error.errno or 0, "unknown")
        raise Over(Outcome.UNREACHABLE, detail) from None


class Channel:
    """One connected socket, datagrams or a stream. Every wait ends by the deadline."""

    def __init__(self, address: Address, port: int, *, deadline: float, datagrams: bool) -> None:
        family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
        self._deadline = deadline
        self.socket = socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        try:
            self.socket.settimeout(self.left())
            with network_outcomes():
                self.socket.connect((str(address), port))
        except BaseException:
            self.socket.close()
            raise

    def close(self) -> None:
        self.socket.close()

    def left(self) -> float:
        """Seconds until the deadline. Raises TimeoutError when it has passed."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def send(self, data: bytes) -> None:
        with network_outcomes():
            self.socket.settimeout(self.left())
            self.socket.sendall(data)

    def datagram(self, *, within: float) -> bytes | None:
        """The next datagram; None when none came in that time. Raises Over (TIMED_OUT at the deadline)."""
        with network_outcomes():
            left = self.left()
            self.socket.settimeout(min(within, left))
            try:
                return self.socket.recv(LARGEST_DATAGRAM)
            except TimeoutError:
                if within >= left:
                    raise
                return None

    def some(self, most: int) -> bytes:
        """What comes next of a stream, at most so much; empty at its end. Raises Over."""
        with network_outcomes():
            self.socket.settimeout(self.left())
            return self.socket.recv(most)

    def exactly(self, length: int) -> bytes:
        """So much of a stream. Raises Over (RESET when it ends before)."""
        taken = b""
        while len(taken) < length:
            piece = self.some(length - len(taken))
            if not piece:
                raise Over(Outcome.RESET, "early")
            taken += piece
        return taken
