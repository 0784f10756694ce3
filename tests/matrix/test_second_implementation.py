"""The feed's metadata are read by a TUF implementation that shares nothing with ours: tuf-js, for Node.

What it verifies must be what we verify, and what it must refuse it refuses: so the metadata are TUF, and not what one
library happens to accept. Its modules are put in place by `npm ci --prefix tests/matrix/second_tuf`.
"""

import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rahdari.feed import ROLES, FeedEntry
from tests.needs import missing, needs_program

from .simulator import STATIC, Simulator, a_key

PROGRAM = Path(__file__).parent / "second_tuf" / "walk.js"
ENTRY = FeedEntry("1" * 32, "192.0.2.1/32", "any", None, "2026-11-10T09:31:07Z", "2027-11-10T09:31:07Z")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *values: Any) -> None:
        pass


@pytest.fixture
def node() -> str:
    program = needs_program("node", "apt-get install nodejs npm")
    if not (PROGRAM.parent / "node_modules" / "tuf-js").is_dir():
        missing("tuf-js is not there; to run this test: npm ci --ignore-scripts --prefix tests/matrix/second_tuf")
    return program


@pytest.fixture
def feed(tmp_path: Path) -> Simulator:
    return Simulator(tmp_path / "feed")


@pytest.fixture
def url(feed: Simulator) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(feed.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Walk:
    """A client that keeps its memory in a folder from one walk to the next."""

    def __init__(self, node: str, url: str, folder: Path, root: Path) -> None:
        self.command = [node, str(PROGRAM), f"{url}/metadata", f"{url}/targets", str(folder)]
        (folder / "metadata").mkdir(parents=True)
        (folder / "metadata" / "root.json").write_bytes(root.read_bytes())

    def __call__(self, *targets: str) -> dict[str, Any]:
        done = subprocess.run([*self.command, *targets], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise Refused(done.stderr.strip())
        value: dict[str, Any] = json.loads(done.stdout)
        return value


class Refused(Exception):
    pass


@pytest.fixture
def walk(node: str, url: str, feed: Simulator, tmp_path: Path) -> Walk:
    return Walk(node, url, tmp_path / "second", feed.root_file)


class TestSecondImplementation:
    def test_walks_all_roles_and_verifies_the_files(self, feed: Simulator, walk: Walk) -> None:
        file = feed.add(ENTRY)
        feed.write()
        openings = [path for role in ROLES for path in feed.roles[role].targets]
        found = walk(*openings)
        assert set(found["versions"]) == {"root", "timestamp", "snapshot", "targets", *ROLES}
        assert found["versions"][STATIC] == 2
        assert found["targets"][file.path] == {"length": file.length, "sha256": file.sha256, "custom": file.custom()}
        assert None not in found["targets"].values()

    def test_follows_keys_that_changed_while_it_slept(self, feed: Simulator, walk: Walk) -> None:
        walk()
        for role in ("root", "timestamp", "snapshot", "targets", STATIC):
            old = feed.signers["root"]
            feed.signers[role] = [a_key()]
            feed.trust(role)
            feed.bump("root", "targets", STATIC)
            if role == "root":
                feed.signers["root"] = [*feed.signers["root"], *old]
            feed.write()
            feed.signers["root"] = feed.signers["root"][:1]
        assert walk()["versions"]["root"] == 6

    def test_refuses_what_another_key_signed(self, feed: Simulator, walk: Walk) -> None:
        walk()
        feed.signers[STATIC] = [a_key()]
        file = feed.add(ENTRY)
        feed.write()
        with pytest.raises(Refused, match="feed-static"):
            walk(file.path)

    def test_refuses_a_version_that_went_back(self, feed: Simulator, walk: Walk) -> None:
        feed.bump_snapshot()
        feed.write()
        walk()
        feed.timestamp.version -= 1
        feed.write()
        with pytest.raises(Refused, match=r"(?i)timestamp"):
            walk()

    def test_finds_no_file_of_one_role_in_another(self, feed: Simulator, walk: Walk) -> None:
        (opening,) = feed.roles[STATIC].targets.values()
        stolen = opening.path.replace(STATIC, "feed-dynamic")
        feed.roles[STATIC].targets = {stolen: opening}
        feed.bump(STATIC)
        feed.write()
        assert walk(stolen)["targets"] == {stolen: None}
