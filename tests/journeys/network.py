"""Networks of the test's own. Whoever goes through one comes from its address, as the server sees the connection.

An exit is a SOCKS5 proxy on loopback (RFC 1928, CONNECT without a password) that binds its outgoing connections to an
address of 127.0.0.0/8. No header is involved, so nothing has to be trusted: a person at home and a person on a train
differ in what the kernel says of their connection.
"""

import selectors
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .stack import PATIENCE

IPV4, NAME = 1, 3


class _Visit(socketserver.BaseRequestHandler):
    request: socket.socket

    def _take(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = self.request.recv(count - len(got))
            if not more:
                raise ConnectionError
            got += more
        return got

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        try:
            self.request.sendall(b"\5\0" if self._take(self._take(2)[1]) else b"\5\xff")
            _, _, _, kind = self._take(4)
            host = socket.inet_ntoa(self._take(4)) if kind == IPV4 else self._take(self._take(1)[0]).decode()
            port = struct.unpack(">H", self._take(2))[0]
            with socket.create_connection(
                (host, port), timeout=PATIENCE, source_address=(self.server.address, 0)
            ) as outside:
                self.request.sendall(b"\5\0\0\1" + bytes(6))
                self._carry(outside)
        except OSError:
            return  # either side left: so does the other

    def _carry(self, outside: socket.socket) -> None:
        outside.settimeout(None)
        ways = {self.request: outside, outside: self.request}
        with selectors.DefaultSelector() as selector:
            for side in ways:
                selector.register(side, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    side = key.fileobj
                    assert isinstance(side, socket.socket)
                    if not (got := side.recv(65536)):
                        return
                    ways[side].sendall(got)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(("127.0.0.1", 0), _Visit)


@dataclass(frozen=True)
class Exit:
    """`address` is where its visitors come from; `proxy` is what a browser is given."""

    address: str
    proxy: str


@contextmanager
def exit_at(address: str) -> Iterator[Exit]:
    with _Server(address) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Exit(address, f"socks5://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()
