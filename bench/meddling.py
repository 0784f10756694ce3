"""A relay between an agent and the feed that can misbehave, as a thief on the way or a broken proxy does.

It holds no keys: whatever it does to a body, the agent has to find out.
"""

import http.client
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

FILES = re.compile(r"/feed/targets/.*\.gz")
TIMESTAMP = "/feed/metadata/timestamp.json"
WAITING = ("/feed/events", "/feed/poll")
DATA = b"data: "
MEDDLED = ("forged", "short", "endless")
PIECE = 64 * 1024
# More than any file may have, and not without an end: a benchmark has one.
ENDLESS = 64


class Relay(http.server.ThreadingHTTPServer):
    """`way` says how it misbehaves; empty, it passes everything on.

    "away"      it closes every connection, and those that are open
    "replay"    the timestamp it saw first is the answer for ever, and nothing is pushed
    "forged"    one byte of each file is another
    "short"     each file ends in its middle, under a new ETag, with a length to match
    "endless"   each file is followed by zeros without an end
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.way, self.first = upstream, "", b""
        self.refused = threading.Event()
        self._open: set[Any] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def begin(self, way: str) -> None:
        """From now on. What is pushed passes no more, and what is open ends."""
        self.refused.clear()
        self.way = way
        self._cut()

    def end(self) -> None:
        self.way = ""
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(2)

    @contextmanager
    def kept(self, connection: Any) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is what it is for."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        way, path = self.server.way, self.path.partition("?")[0]
        if way == "away" or (way == "replay" and path in WAITING):
            self.server.refused.set()
            return
        asked = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        if way == "replay" or (way and FILES.fullmatch(path)):
            asked.pop("If-None-Match", None)
        with self.server.kept(self.connection):
            upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=70)
            try:
                upstream.request("GET", self.path, headers=asked)
                answer = upstream.getresponse()
                if path in WAITING:
                    self._pass(answer, None)
                else:
                    self._pass(answer, self._meddled(answer.read(), way, path, answer.status))
            finally:
                upstream.close()

    def _meddled(self, body: bytes, way: str, path: str, status: int) -> bytes:
        if path == TIMESTAMP and status == 200:
            self.server.first = self.server.first or body
            if way == "replay":
                self.server.refused.set()
                return self.server.first
        if way not in MEDDLED or not FILES.fullmatch(path):
            return body
        self.server.refused.set()
        middle = len(body) // 2
        if way == "forged":
            return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        return body[:middle] if way == "short" else body

    def _pass(self, answer: http.client.HTTPResponse, body: bytes | None) -> None:
        endless = self.server.way == "endless" and FILES.fullmatch(self.path)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, f'"meddled-{len(body or b"")}"' if self._new_tag(name) else value)
        if body is not None and not endless:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if body is None:
            while line := answer.readline():
                self.wfile.write(self._without_files(line))
            return
        self.wfile.write(body)
        for _ in range(ENDLESS * 16 if endless else 0):
            self.wfile.write(bytes(PIECE))

    def _without_files(self, line: bytes) -> bytes:
        """An event, and of its files none while they are meddled with: they have to be asked for."""
        if self.server.way not in MEDDLED or not line.startswith(DATA):
            return line
        said = json.loads(line.removeprefix(DATA))
        said.pop("files", None)
        return DATA + json.dumps(said).encode() + b"\n"

    def _new_tag(self, name: str) -> bool:
        return name.lower() == "etag" and self.server.way == "short" and bool(FILES.fullmatch(self.path))

    def log_message(self, format: str, *words: Any) -> None:
        """Nothing: stdout is for the table."""


@contextmanager
def relaying(upstream: int) -> Iterator[Relay]:
    with Relay(upstream) as relay:
        thread = threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.shutdown()
            thread.join()
