import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rahdari.push.app import Push
from tests.push.feeds import OTHER_TOKEN, Stream, allow, announce, bearer, call, put


@pytest.fixture
def data(tmp_path: Path) -> Path:
    allow(tmp_path)
    announce(tmp_path, 1)
    put(tmp_path / "feed" / "metadata" / "1.root.json", b'{"signed": 1}')
    put(tmp_path / "feed" / "targets" / "feed-static" / "abc.snap-1-xyz.zst", b"\x28\xb5\x2f\xfd snapshot")
    return tmp_path


@asynccontextmanager
async def pushing(data: Path, *, heartbeat: float = 15, streams: int = 32) -> AsyncIterator[Push]:
    push = Push(data, heartbeat=heartbeat, streams=streams)
    try:
        yield push
    finally:
        await push.end()


def running(data: Path, story: Callable[[Push], Awaitable[None]], *, heartbeat: float = 15, streams: int = 32) -> None:
    async def told() -> None:
        async with pushing(data, heartbeat=heartbeat, streams=streams) as push:
            await story(push)

    asyncio.run(told())


class TestFile:
    def test_is_served_with_a_tag_and_for_ever(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, "/feed/metadata/1.root.json")
            assert (answer.status, answer.body) == (200, b'{"signed": 1}')
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
            assert answer.headers["content-length"] == "13"
            again = await call(
                push, "/feed/metadata/1.root.json", headers=bearer(if_none_match=f'"x", W/{answer.headers["etag"]}')
            )
            assert (again.status, again.body) == (304, b"")

        running(data, story)

    def test_timestamp_is_asked_for_each_time_and_gets_a_new_tag_when_replaced(self, data: Path) -> None:
        async def story(push: Push) -> None:
            first = await call(push, "/feed/metadata/timestamp.json")
            assert first.headers["cache-control"] == "private, no-cache"
            announce(data, 2)
            second = await call(
                push, "/feed/metadata/timestamp.json", headers=bearer(if_none_match=first.headers["etag"])
            )
            assert second.status == 200
            assert json.loads(second.body)["signed"]["version"] == 2

        running(data, story)

    def test_head_says_the_length_and_sends_nothing(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, "/feed/targets/feed-static/abc.snap-1-xyz.zst", method="HEAD")
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["content-length"] == "13"
            assert answer.headers["content-type"] == "application/octet-stream"

        running(data, story)

    @pytest.mark.parametrize(
        "path",
        [
            "/feed/metadata/../../feed-access.json",
            "/feed/../feed-access.json",
            "/feed/metadata//etc/passwd",
            "/feed/metadata/.hidden",
            "/feed/metadata/",
            "/feed/metadata",
            "/feed/keys/online.pem",
            "/feed/targets/feed-static",
            "/feed/targets/a\x00b",
            "/feed/targets/a\nb",
            "/feed/metadata/2.root.json",
            "/feed/metadata/" + "a" * 5000,
            "/feed/targets/" + "a/" * 50 + "b",
            "/",
            "/feed",
            "feed/metadata/1.root.json",
        ],
    )
    def test_is_not_found_outside_the_feed(self, data: Path, path: str) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, path)
            assert answer.status == 404
            assert answer.problem()["title"] == "Not Found"

        running(data, story)

    def test_is_not_found_through_a_link_or_a_pipe(self, data: Path) -> None:
        (data / "feed" / "targets" / "outside").symlink_to(data)
        (data / "feed" / "metadata" / "9.root.json").symlink_to(data / "feed-access.json")
        os.mkfifo(data / "feed" / "metadata" / "8.root.json")

        async def story(push: Push) -> None:
            for path in ("targets/outside/feed-access.json", "metadata/9.root.json", "metadata/8.root.json"):
                assert (await call(push, f"/feed/{path}")).status == 404

        running(data, story)

    def test_is_only_read(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, "/feed/metadata/1.root.json", method="PUT")
            assert answer.status == 405
            assert answer.headers["allow"] == "GET, HEAD"

        running(data, story)


class TestAccess:
    @pytest.mark.parametrize(
        "headers",
        [
            [],
            bearer("another-token"),
            bearer(""),
            [(b"authorization", b"Basic c2FtcGxl")],
            [(b"authorization", b"\xff\xfe")],
        ],
    )
    @pytest.mark.parametrize("path", ["/feed/metadata/1.root.json", "/feed/events", "/feed/nothing", "/other"])
    def test_needs_a_token_everywhere(self, data: Path, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, path, headers=headers)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.problem()["status"] == 401

        running(data, story)

    def test_is_for_nobody_without_the_file_and_follows_it_when_it_changes(self, data: Path) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, "/feed/metadata/1.root.json")).status == 200
            (data / "feed-access.json").unlink()
            assert (await call(push, "/feed/metadata/1.root.json")).status == 401
            allow(data, tokens=(("sample-two", OTHER_TOKEN),))
            assert (await call(push, "/feed/metadata/1.root.json")).status == 401
            allow(data)
            assert (await call(push, "/feed/metadata/1.root.json")).status == 200

        running(data, story)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"operators": [{"slug": "a", "token_sha256": "zz"}]}'])
    def test_stays_as_it_was_when_the_file_is_broken(self, data: Path, content: bytes) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, "/feed/metadata/1.root.json")).status == 200
            put(data / "feed-access.json", content)
            assert (await call(push, "/feed/metadata/1.root.json")).status == 200
            assert (await call(push, "/feed/metadata/1.root.json", headers=bearer("other"))).status == 401

        running(data, story)

    def test_reads_the_file_again_when_it_becomes_readable(self, data: Path) -> None:
        """A change of owner moves none of inode, size and time of writing."""
        file = data / "feed-access.json"
        good = file.read_bytes()
        file.write_bytes(b"{" + b" " * (len(good) - 1))
        written = file.stat()

        async def story(push: Push) -> None:
            assert (await call(push, "/feed/metadata/1.root.json")).status == 401
            file.write_bytes(good)
            os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))
            assert (await call(push, "/feed/metadata/1.root.json")).status == 200

        running(data, story)

    def test_health_is_open_and_waits_for_the_first_edition(self, tmp_path: Path) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, "/healthz", headers=[])).status == 503
            announce(tmp_path, 1)
            push.watch.look()
            assert (await call(push, "/healthz", headers=[])).status == 200

        running(tmp_path, story)


class TestEvents:
    def test_tell_the_present_edition_then_each_new_one(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            second = announce(data, 2)
            await stream.says(b"id: 2\n")
            assert stream.headers["content-type"] == "text/event-stream"
            told = stream.content.split(b"data: ")[-1].strip()
            assert base64.b64decode(json.loads(told)["timestamp"]) == second
            assert b"\n" not in told
            await stream.leave()

        running(data, story)

    def test_do_not_repeat_what_the_reader_has(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events", headers=bearer(last_event_id="1"))
            await stream.says(b": connected")
            announce(data, 2)
            await stream.says(b"id: 2\n")
            assert b"id: 1\n" not in stream.content
            await stream.leave()
            behind = Stream(push, "/feed/events", headers=bearer(last_event_id="1"))
            await behind.says(b"id: 2\n")
            await behind.leave()

        running(data, story)

    def test_beat_when_nothing_happens(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b": still here\n\n: still here\n\n")
            await stream.leave()

        running(data, story, heartbeat=0.01)

    def test_survive_a_timestamp_that_cannot_be_read(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            for broken in (b"", b"{", b"[" * 9000, b'{"signed": {"version": "2"}}', b" " * 20_000):
                put(data / "feed" / "metadata" / "timestamp.json", broken)
                push.watch.look()
            announce(data, 3)
            await stream.says(b"id: 3\n")
            await stream.leave()

        running(data, story)

    def test_end_when_access_does(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            allow(data, tokens=(("sample-two", OTHER_TOKEN),))
            await stream.finished()

        running(data, story, heartbeat=0.01)

    def test_are_counted_for_each_operator(self, data: Path) -> None:
        allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN)))

        async def story(push: Push) -> None:
            first = Stream(push, "/feed/events", headers=bearer("one"))
            await first.says(b"id: 1\n")
            refused = await call(push, "/feed/events", headers=bearer("one"))
            assert refused.status == 429
            assert refused.headers["retry-after"] == "60"
            other = Stream(push, "/feed/events", headers=bearer(OTHER_TOKEN))
            await other.says(b"id: 1\n")
            await first.leave()
            again = Stream(push, "/feed/events", headers=bearer("one"))
            await again.says(b"id: 1\n")
            await again.leave()
            await other.leave()
            assert not push.open_streams

        running(data, story, streams=1)

    def test_end_when_the_process_is_stopped(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            await push.end()
            await stream.finished()

        running(data, story)
