"""Showing the metrics: to who asks at an address of this machine, and in a file for node_exporter's textfile collector.

That they cannot be shown is told in the log and stops nothing. Who asks is given the page of the last sync: no question
reaches the state, and none holds up the work.
"""

import datetime as dt
import http.server
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from .atomic_files import put_file
from .metrics import Counted, exposition, success_in
from .syncing import Agent, SyncOutcome

log = logging.getLogger("rahdari.agent")

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ASKER_SECONDS = 5.0


class Showing:
    """As a context: serves while it stands, if the configuration names an address."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._counted = Counted()
        self._page = b""
        self._server: _PageServer | None = None
        if (path := agent.configuration.metrics_file) is not None:
            with suppress(OSError, UnicodeDecodeError):
                self._counted.last_success = success_in(path.read_text(encoding="utf-8"))

    def __enter__(self) -> Self:
        self._render(None, way="poll")
        if (at := self._agent.configuration.metrics) is not None:
            try:
                self._server = _PageServer(at, lambda: self._page)
            except OSError as error:
                log.error("the metrics cannot be served at %s port %d: %s", *at, error.strerror)
            else:
                threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def page(self) -> str:
        """As it is given to who asks."""
        return self._page.decode()

    def show(self, outcome: SyncOutcome, *, pushed: bool = False, way: str = "", received: int = 0) -> None:
        """After each sync. `received` is what came over other connections than the agent's own."""
        server = self._agent.server
        self._counted.received, self._counted.requests = server.received + received, server.requests
        self._counted.note(outcome, now=dt.datetime.now(dt.UTC), pushed=pushed)
        self._render(outcome, way=way)
        if (path := self._agent.configuration.metrics_file) is not None:
            try:
                put_file(path, self._page)
            except OSError as error:
                log.error("the metrics cannot be written to %s: %s", path, error.strerror)

    def _render(self, outcome: SyncOutcome | None, *, way: str) -> None:
        text = exposition(
            configuration=self._agent.configuration,
            state=self._agent.state,
            counted=self._counted,
            outcome=outcome,
            now=dt.datetime.now(dt.UTC),
            way=way,
            certificate_ends_at=self._agent.server.certificate_ends_at(),
        )
        self._page = text.encode()


class _PageServer(http.server.HTTPServer):
    """One asker at a time, each for a few seconds at most: nobody makes the agent open more."""

    def __init__(self, at: tuple[str, int], page: Callable[[], bytes]) -> None:
        self.address_family = socket.AF_INET6 if ":" in at[0] else socket.AF_INET
        self.page = page
        super().__init__(at, _Asker)

    def handle_error(self, request: object, client_address: object) -> None:
        """An asker that went away is nobody's concern."""


class _Asker(http.server.BaseHTTPRequestHandler):
    timeout = ASKER_SECONDS
    server: _PageServer

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        page = self.server.page()
        self.send_response(200)
        self.send_header("Content-Type", MEDIA_TYPE)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def version_string(self) -> str:
        return "rahdari-agent"

    def log_message(self, format: str, *values: object) -> None:
        """Being asked every few seconds is no news."""
