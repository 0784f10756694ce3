"""What goes along with the word of an edition, and that it is what these readers may fetch."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent.events import MOST_DATA
from rahdari.feed import ROLES
from rahdari.push.app import Push
from rahdari.push.prefetch import MOST
from tests.push.feeds import OTHER_SESSION, SESSION, Stream, bearer, let_in, metadata_of, put, token
from tests.push.stories import running

DELTA = "ab" * 32


def path_of(start: int, end: int, session: str = SESSION) -> str:
    return f"feed-static/{session}/delta-{start}-{end}-{'01' * 16}.jsonl.gz"


def edition(
    data: Path, number: int, *, session: str = SESSION, content: bytes = b"delta", role_padding: int = 0
) -> None:
    """Edition `number` of static entries with its delta; the other roles stay. Nobody here looks at signatures."""
    metadata = metadata_of(data)
    for role in ROLES:
        version = number if role == ROLES[0] else 1
        start = start_of(number)
        said = {"custom": {"from": start, "to": number, "session": session}, "hashes": {"sha256": DELTA}}
        targets = {path_of(start, number, session): said} if role == ROLES[0] else {}
        put(metadata / f"{version}.{role}.json", signed({"targets": targets, "padding": "x" * role_padding}))
    folder = data / "feed" / "targets" / "feed-static" / session
    put(folder / f"{DELTA}.{path_of(start_of(number), number, session).rpartition('/')[2]}", content)
    versions = {f"{role}.json": {"version": number if role == ROLES[0] else 1} for role in ROLES}
    put(metadata / f"{number}.snapshot.json", signed({"meta": versions}))
    heads = {role: {"session": session, "sequence": number if role == ROLES[0] else 0} for role in ROLES}
    meta = {"snapshot.json": {"version": number}}
    put(metadata / "timestamp.json", signed({"version": number, "meta": meta, "feed": {"heads": heads}}))


def start_of(number: int) -> int:
    return max(number - 1, 0)


def signed(said: dict[str, Any]) -> bytes:
    return json.dumps({"signatures": [], "signed": said}).encode()


def files_in(stream: Stream) -> dict[str, bytes]:
    said = json.loads(stream.content.split(b"data: ")[-1])
    return {name: base64.b64decode(body) for name, body in said.get("files", {}).items()}


def after_two_editions(data: Path, **second: Any) -> dict[str, bytes]:
    """What a reader is told of the second of two editions."""
    edition(data, 1)
    found: dict[str, bytes] = {}

    async def story(push: Push) -> None:
        stream = Stream(push, "/feed/events")
        await stream.says(b"id: 1\n")
        assert files_in(stream) == {}
        # The first that is told while somebody reads: from where they come is not known.
        edition(data, 2)
        await stream.says(b"id: 2\n")
        edition(data, 3, **second)
        await stream.says(b"id: 3\n")
        found.update(files_in(stream))
        await stream.leave()

    running(data, story)
    return found


@pytest.fixture(autouse=True)
def entitled(data: Path) -> None:
    let_in(data, ("sample-one", [token("sample-token-of-operator-one")], [SESSION]))


class TestFiles:
    def test_are_those_that_are_new_since_what_was_told_before(self, data: Path) -> None:
        found = after_two_editions(data)
        delta = f"targets/feed-static/{SESSION}/{DELTA}.{path_of(2, 3).rpartition('/')[2]}"
        assert list(found) == ["metadata/3.snapshot.json", "metadata/3.feed-static.json", delta]
        assert found[delta] == b"delta"
        assert found["metadata/3.snapshot.json"] == (metadata_of(data) / "3.snapshot.json").read_bytes()

    def test_are_all_there_or_none(self, data: Path) -> None:
        assert after_two_editions(data, content=b"x" * (MOST + 1)) == {}

    def test_are_none_when_there_is_too_much(self, data: Path) -> None:
        assert after_two_editions(data, role_padding=MOST) == {}

    def test_are_none_of_a_session_in_which_all_begins_anew(self, data: Path) -> None:
        let_in(data, ("sample-one", [token("sample-token-of-operator-one")], [SESSION, OTHER_SESSION]))
        assert after_two_editions(data, session=OTHER_SESSION) == {}

    def test_are_none_that_the_reader_may_not_fetch(self, data: Path) -> None:
        let_in(data, ("sample-one", [token("sample-token-of-operator-one")], [OTHER_SESSION]))
        assert after_two_editions(data) == {}

    @pytest.mark.parametrize("version", ['"../../../1"', "null", "1.5", "[]"])
    def test_never_come_from_elsewhere(self, data: Path, version: str) -> None:
        edition(data, 1)

        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events", headers=bearer(last_event_id="1"))
            await stream.says(b": connected")
            edition(data, 2)
            await stream.says(b"id: 2\n")
            meta = f'{{"snapshot.json":{{"version":{version}}}}}'
            said = f'{{"signed":{{"version":3,"meta":{meta},"feed":{{"heads":{{}}}}}}}}'
            put(metadata_of(data) / "timestamp.json", said.encode())
            await stream.says(b"id: 3\n")
            assert files_in(stream) == {}
            await stream.leave()

        running(data, story)


def test_everything_fits_into_what_an_agent_takes() -> None:
    names, around = 9 * 220, 200
    assert 4 * -(-MOST // 3) + names + around < MOST_DATA
