"""A relay before the web process that says from which address a client comes, as nginx does; all else byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def relay(to_port: int, *, client: str = "", source: str = "", host: str = "127.0.0.1") -> Iterator[int]:
    """Listen at `host`; what comes is passed on with `client` as its address, or from `source`. Yields the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.bind((host, 0))
        listening.listen()
        thread = threading.Thread(target=_accept, args=(listening, to_port, client, source), daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _accept(listening: socket.socket, to_port: int, client: str, source: str) -> None:
    while True:
        try:
            here, _ = listening.accept()
        except OSError:
            return
        with here, socket.create_connection(("127.0.0.1", to_port), source_address=(source, 0)) as there:
            here.settimeout(20)
            there.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                more = here.recv(4096)
                if not more:
                    break
                head += more
            first, end, rest = head.partition(b"\r\n")
            # The connection ends with the answer, so that what comes back needs no parsing.
            kept = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            said = b"X-Forwarded-For: " + client.encode() + b"\r\n" if client else b""
            there.sendall(first + end + said + b"Connection: close\r\n")
            there.sendall(b"\r\n".join(kept))
            with suppress(OSError):
                while part := there.recv(65536):
                    here.sendall(part)
