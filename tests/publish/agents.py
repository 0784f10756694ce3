"""The real agent at an operator, and a server that gives it its repository as the pushing process does."""

import dataclasses
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rahdari.agent.configuration import Configuration, FileTarget
from rahdari.agent.folder import open_state
from rahdari.agent.syncing import SyncOutcome
from rahdari.feed.repository import METADATA
from rahdari.publish.models import Operator
from tests.agent.feeds import a_configuration, sync
from tests.builders.publishing import NOW, verified_in_its_time


class _OneRepository(SimpleHTTPRequestHandler):
    """`/feed/metadata/...` is one operator's, `/feed/targets/...` everybody's; receipts are taken and thrown away."""

    def __init__(self, *arguments: object, feed: Path, repository: str) -> None:
        self.feed, self.repository = feed, repository
        super().__init__(*arguments)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        for prefix, folder in (
            ("/feed/metadata/", self.feed / "repositories" / self.repository / METADATA),
            ("/feed/targets/", self.feed / "targets"),
        ):
            if path.startswith(prefix) and ".." not in path:
                return str(folder / path.removeprefix(prefix))
        return str(self.feed / "nowhere")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        body = b'{"standing":"good","sequence":0}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def serving(feed: Path, operator: Operator) -> Iterator[str]:
    handler = functools.partial(_OneRepository, feed=feed, repository=operator.repository)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class AgentSide:
    """An operator's machine: it syncs when it is told to, and sleeps in between."""

    def __init__(self, folder: Path, url: str, root: Path) -> None:
        self.target = FileTarget("csv", "entries.csv", folder / "entries.csv")
        self.configuration: Configuration = a_configuration(folder, url, root, targets=(self.target,))

    def sync(self, **options: object) -> SyncOutcome:
        # In the time of the world that publishes, however long ago that began.
        with verified_in_its_time():
            return sync(self.configuration, **{"at": NOW, **options})  # type: ignore[arg-type]

    def moves_to(self, other: "AgentSide") -> None:
        """The same machine, with what it holds, asks where the other one asks."""
        mine, theirs = self.configuration, other.configuration
        self.configuration = dataclasses.replace(mine, server=theirs.server, receipt_url=theirs.receipt_url)

    @property
    def prefixes(self) -> set[str]:
        """What is enforced."""
        lines = self.target.path.read_text().splitlines()
        return {line.split(",")[0] for line in lines if line and line[0].isdigit()}

    def sequence(self, role: str = "feed-static") -> int:
        with open_state(self.configuration.state) as state:
            position = state.position(role)
            assert position is not None
            return int(position.sequence)
