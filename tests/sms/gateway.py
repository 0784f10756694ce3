"""A gateway for SMS by HTTP, on loopback, that does as it is told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SmsGateway:
    def __init__(self) -> None:
        # (status, body) in turn, then 200 with a reference; None closes the line without an answer.
        self.answers: deque[tuple[int, dict[str, Any]] | None] = deque()
        self.taken: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"


@contextmanager
def open_gateway() -> Iterator[SmsGateway]:
    gateway = SmsGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = gateway.answers.popleft() if gateway.answers else (200, {})
            gateway.headers.append(dict(self.headers))
            if answer is None or answer[0] < 300:
                gateway.taken.append(given)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            body = body or {"status": "accepted", "messages": [{"id": f"gw-{len(gateway.taken)}"}]}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Nothing: the test says what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
