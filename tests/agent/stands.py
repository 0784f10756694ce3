"""A server of a feed that takes receipts, and can misbehave."""

import datetime as dt
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOKEN = "sample-token"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


type Answer = tuple[int, bytes]


class Stand:
    """A server of one feed, which takes receipts. `spoil` changes answers: path and true answer in, answer out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        # What the agent said, and the same with its signature.
        self.receipts: list[dict[str, Any]] = []
        self.signed: list[dict[str, Any]] = []
        self.receipt_status = 201
        self.token = TOKEN
        self.spoil: Callable[[str, Answer], Answer | Iterator[bytes]] = lambda path, answer: answer
        self.lag = dt.timedelta()
        stand = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024  # head and body in one packet

            def do_GET(self) -> None:
                stand.asked.append(self.path)
                answer = stand.spoil(self.path, stand.answer(self.path, self.headers.get("Authorization")))
                if isinstance(answer, tuple):
                    self.send(*answer)
                    return
                self.send_response_only(200)
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for piece in answer:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass  # The agent has had enough, as it should.
                self.close_connection = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Authorization") != f"Bearer {stand.token}":
                    self.send(401, b"")
                    return
                if stand.receipt_status < 400:
                    said = json.loads(body)
                    stand.signed.append(said)
                    stand.receipts.append(said.get("receipt", said))
                self.send(stand.receipt_status, b"{}")

            def send(self, status: int, body: bytes) -> None:
                self.send_response_only(status)
                at = now() + stand.lag
                self.send_header("Date", at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)
        self._thread.start()

    def told(self, session: str) -> list[dict[str, Any]]:
        """The receipts for one stream."""
        return [receipt for receipt in self.receipts if receipt["session"] == session]

    def answer(self, path: str, authorization: str | None) -> Answer:
        if authorization != f"Bearer {self.token}":
            return 401, b""
        file = self.folder / path.removeprefix("/feed/")
        return (200, file.read_bytes()) if file.is_file() else (404, b"")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    stand = Stand(folder)
    try:
        yield stand
    finally:
        stand.close()
