"""Token servers on loopback, good and bad: each is a thread that answers every connection by a given recipe."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Recipe = Callable[[socket.socket, threading.Event], None]


def answer(body: bytes, *, status: str = "200 OK", headers: bytes = b"") -> Recipe:
    def send(connection: socket.socket, _stop: threading.Event) -> None:
        connection.recv(4096)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
        connection.sendall(head + headers + b"\r\n" + body)

    return send


def redirect(connection: socket.socket, _stop: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/x\r\nContent-Length: 0\r\n\r\n")


def say_nothing(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(30)


def never_end(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"x" * 4096)


def speak_ssh(connection: socket.socket, _stop: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-Sample\r\n")


def hang_up(connection: socket.socket, _stop: threading.Event) -> None:
    connection.recv(4096)


@contextmanager
def serving(recipe: Recipe) -> Iterator[int]:
    """The port of a server that answers by the recipe until the block is left."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_one(connection: socket.socket) -> None:
        try:
            with connection:
                recipe(connection, stop)
        except OSError:
            pass  # the other side has gone, as it should

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
