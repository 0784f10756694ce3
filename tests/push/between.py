"""What stands between us and a real S3 server and can be steered: it answers with errors, late, with an old copy, or
breaks off. Requests go on as they were signed."""

import http.client
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.push.process import PATIENCE

# What is done with one request: passed on, answered with this status, answered with what was put there before, broken
# off in its middle, or kept until the event is set and then passed on.
PASS, OLD, BREAK = "pass", "old", "break"
type Act = str | int | threading.Event


@dataclass
class Between:
    endpoint: str = ""
    spoil: Callable[[str, str], Act] = lambda method, path: PASS
    asked: list[tuple[str, str]] = field(default_factory=list)
    # All that was put, by its path, in order.
    put: dict[str, list[bytes]] = field(default_factory=dict)
    # Set once a request is kept waiting.
    kept: threading.Event = field(default_factory=threading.Event)

    def well(self) -> None:
        self.spoil = lambda method, path: PASS

    def writes(self) -> list[str]:
        return [path for method, path in self.asked if method in {"PUT", "POST", "DELETE"}]


@contextmanager
def between(behind: str) -> Iterator[Between]:
    """A server of its own before the one at `behind` (http://HOST:PORT)."""
    steered, address = Between(), urlsplit(behind).netloc

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            path = self.path.partition("?")[0]
            steered.asked.append((self.command, path))
            act = steered.spoil(self.command, path)
            length = int(self.headers.get("Content-Length") or 0)
            if act == BREAK:
                self.rfile.read(length // 2)
                self.close_connection = True
                return
            body = self.rfile.read(length)
            if isinstance(act, threading.Event):
                steered.kept.set()
                act.wait(PATIENCE)
            if isinstance(act, int):
                self.answer(act, [], b"")
                return
            if self.command == "PUT":
                steered.put.setdefault(path, []).append(body)
            if act == OLD and self.command == "GET" and path in steered.put:
                before = steered.put[path][:-1]
                self.answer(200 if before else 404, [("ETag", '"old"'), *DATED], before[-1] if before else b"")
                return
            connection = http.client.HTTPConnection(address, timeout=PATIENCE)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                with connection.getresponse() as found:
                    self.answer(found.status, found.getheaders(), found.read())
            finally:
                connection.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            kept = {name.lower(): value for name, value in headers}
            kept.pop("transfer-encoding", None)
            kept.pop("connection", None)
            if self.command != "HEAD":
                kept["content-length"] = str(len(body))
            for name, value in kept.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_any)

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # The other side has had enough.

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=lambda: listening.serve_forever(poll_interval=0.01))
        thread.start()
        steered.endpoint = f"http://127.0.0.1:{listening.server_port}"
        try:
            yield steered
        finally:
            listening.shutdown()
            thread.join()


DATED = [("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")]
