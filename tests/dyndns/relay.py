"""A relay before the web process that says from which address a client comes, as nginx does; all else byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def relay(
    to_port: int,
    *,
    client: str = "",
    source: str = "",
    host: str = "127.0.0.1",
    opened: socket.socket | None = None,
) -> Iterator[int]:
    """Listen at `host`; what comes is passed on with `client` as its address, or from `source`. Yields the port.

    `opened` is a socket that listens elsewhere, in a namespace: what comes there is passed on as from whom it came.
    """
    with opened or listening_at(host) as listening:
        told = "peer" if opened is not None else client
        thread = threading.Thread(target=_accept, args=(listening, to_port, told, source), daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def listening_at(host: str, port: int = 0) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.bind((host, port))
    listening.listen()
    return listening


def _accept(listening: socket.socket, to_port: int, client: str, source: str) -> None:
    while True:
        try:
            here, peer = listening.accept()
        except OSError:
            return
        # Whoever goes away in the middle of it ends this one.
        with (
            suppress(OSError),
            here,
            socket.create_connection(("127.0.0.1", to_port), source_address=(source, 0)) as there,
        ):
            here.settimeout(60)
            there.settimeout(60)
            head = b""
            while b"\r\n\r\n" not in head:
                more = here.recv(4096)
                if not more:
                    break
                head += more
            first, end, rest = head.partition(b"\r\n")
            # The connection ends with the answer, so that what comes back needs no parsing.
            kept = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            shown = peer[0] if client == "peer" else client
            said = b"X-Forwarded-For: " + shown.encode() + b"\r\n" if shown else b""
            there.sendall(first + end + said + b"Connection: close\r\n")
            there.sendall(b"\r\n".join(kept))
            while part := there.recv(65536):
                here.sendall(part)
