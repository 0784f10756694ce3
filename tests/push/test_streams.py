"""Events, the long poll, and how an edition is noticed."""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.push.app import Push
from rahdari.push.edition import SPREAD_MS_MOST, Crowd
from rahdari.push.limits import Seats
from tests.push.feeds import OTHER_TOKEN, Answer, Stream, allow, announce, bearer, call, metadata_of, put
from tests.push.stories import running


def told(stream: Stream) -> dict[str, Any]:
    return dict(json.loads(stream.content.split(b"data: ")[-1]))


class TestEvents:
    def test_tell_the_present_edition_then_each_new_one(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            second = announce(data, 2)
            await stream.says(b"id: 2\n")
            assert stream.headers["content-type"] == "text/event-stream"
            assert told(stream) == {"timestamp": base64.b64encode(second).decode(), "spread_ms": 0}
            assert b"\n" not in stream.content.split(b"data: ")[-1].strip()
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

        running(data, story)

    @pytest.mark.parametrize("last", ["1", "0", "999", "unknown", "", "-5"])
    def test_tell_the_newest_to_whoever_has_another_or_none_that_is_known(self, data: Path, last: str) -> None:
        announce(data, 7)

        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events", headers=bearer(last_event_id=last))
            await stream.says(b"id: 7\n")
            await stream.leave()

        running(data, story)

    def test_tell_each_operator_of_its_own_editions_alone(self, data: Path) -> None:
        announce(data, 1, "sample-two")
        allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN)))

        async def story(push: Push) -> None:
            mine = Stream(push, "/feed/events", headers=bearer("one", last_event_id="1"))
            other = Stream(push, "/feed/events", headers=bearer(OTHER_TOKEN, last_event_id="1"))
            await mine.says(b": connected")
            await other.says(b": connected")
            announce(data, 2, "sample-two")
            await other.says(b"id: 2\n")
            announce(data, 5)
            await mine.says(b"id: 5\n")
            assert b"id: 2\n" not in mine.content
            assert b"id: 5\n" not in other.content
            await mine.leave()
            await other.leave()

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
                put(metadata_of(data) / "timestamp.json", broken)
                push.sweep()
            announce(data, 3)
            await stream.says(b"id: 3\n")
            await stream.leave()

        running(data, story)

    def test_are_counted_for_each_operator_and_for_all(self, data: Path) -> None:
        announce(data, 1, "sample-two")
        announce(data, 1, "sample-three")
        allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN), ("sample-three", "three")))

        async def story(push: Push) -> None:
            first = Stream(push, "/feed/events", headers=bearer("one"))
            await first.says(b"id: 1\n")
            for path in ("/feed/events", "/feed/poll?after=1"):
                refused = await call(push, path, headers=bearer("one"))
                assert (refused.status, refused.headers["retry-after"]) == (429, "60")
            other = Stream(push, "/feed/events", headers=bearer(OTHER_TOKEN))
            await other.says(b"id: 1\n")
            full = await call(push, "/feed/events", headers=bearer("three"))
            assert (full.status, full.headers["retry-after"]) == (503, "60")
            await first.leave()
            again = Stream(push, "/feed/events", headers=bearer("one"))
            await again.says(b"id: 1\n")
            await again.leave()
            await other.leave()
            assert (push.seats.total, dict(push.seats.taken)) == (0, {})

        running(data, story, seats=Seats(each=1, all=2))

    def test_are_cut_for_a_reader_who_does_not_take_them(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            stream.taking.clear()
            announce(data, 2)
            await stream.finished()
            assert push.seats.total == 0

        running(data, story, patience=0.01)

    def test_skip_what_came_while_the_reader_was_slow(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            other = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            stream.taking.clear()
            for version in range(2, 50):
                announce(data, version)
                await other.says(f"id: {version}\n".encode())
            stream.taking.set()
            await stream.says(b"id: 49\n")
            # The one that was under way, and the newest: nothing is kept for the reader in between.
            assert stream.content.count(b"event: ") <= 3
            await stream.leave()
            await other.leave()

        running(data, story)

    @pytest.mark.parametrize("path", ["/feed/events", "/feed/poll?after=1&wait=50"])
    def test_end_when_the_process_is_told_to_stop(self, data: Path, path: str) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, path)
            if path == "/feed/events":
                await stream.says(b"id: 1\n")
            push.watch.close()
            await stream.finished()

        running(data, story)

    @pytest.mark.parametrize(
        "path", ["/feed/events", "/feed/poll?after=1", "/feed/metadata/timestamp.json", "/healthz"]
    )
    def test_end_the_connection_too_of_whoever_asks_when_the_process_stops(self, data: Path, path: str) -> None:
        async def story(push: Push) -> None:
            ends = {"connection": "close"}
            answer = await call(push, "/healthz")
            assert answer.headers.items().isdisjoint(ends.items())
            push.watch.close()
            answer = await call(push, path)
            assert answer.headers.items() >= ends.items()
            # There is no such header in HTTP/2, where the server ends connections by itself.
            answer = await call(push, path, http_version="2")
            assert answer.headers.items().isdisjoint(ends.items())

        running(data, story)


class TestPoll:
    async def polled(self, push: Push, query: str = "", **headers: str) -> Answer:
        return await call(push, f"/feed/poll{query}", headers=bearer(**headers))

    def test_answers_at_once_when_there_is_a_later_one(self, data: Path) -> None:
        present = announce(data, 4)

        async def story(push: Push) -> None:
            for answer in (
                await self.polled(push),
                await self.polled(push, "?after=3"),
                await self.polled(push, last_event_id="3"),
                await self.polled(push, "?after=3", last_event_id="4"),
                await self.polled(push, "?after=unknown"),
            ):
                assert answer.status == 200
                assert answer.headers["content-type"] == "application/json"
                assert answer.headers["cache-control"] == "no-store"
                timestamp = base64.b64encode(present).decode()
                assert json.loads(answer.body) == {"id": "4", "timestamp": timestamp, "spread_ms": 0}

        running(data, story)

    def test_waits_for_the_next_one(self, data: Path) -> None:
        async def story(push: Push) -> None:
            waiting = Stream(push, "/feed/poll", headers=bearer(last_event_id="1"))
            behind = Stream(push, "/feed/events")
            await behind.says(b"id: 1\n")
            assert waiting.status == 0
            announce(data, 2)
            await waiting.finished()
            assert (waiting.status, json.loads(waiting.content)["id"]) == (200, "2")
            await behind.leave()

        running(data, story)

    @pytest.mark.parametrize("after", ["1", "5"])
    def test_says_that_nothing_came(self, data: Path, after: str) -> None:
        """Also to a reader who is ahead: it would only ask again at once."""

        async def story(push: Push) -> None:
            answer = await self.polled(push, f"?after={after}&wait=0.01")
            assert (answer.status, answer.body) == (204, b"")

        running(data, story)

    def test_wants_a_number_of_seconds(self, data: Path) -> None:
        async def story(push: Push) -> None:
            assert (await self.polled(push, "?wait=long")).status == 400

        running(data, story)

    def test_ends_when_the_reader_leaves(self, data: Path) -> None:
        async def story(push: Push) -> None:
            waiting = Stream(push, "/feed/poll?after=1")
            await waiting.leave()
            assert push.seats.total == 0

        running(data, story)


class TestWatch:
    @pytest.mark.parametrize("use_inotify", [True, False])
    def test_sees_what_was_there_what_is_replaced_and_what_is_new(self, data: Path, use_inotify: bool) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            announce(data, 2)
            await stream.says(b"id: 2\n")
            await stream.leave()
            allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN)))
            push.sweep()
            announce(data, 1, "sample-two")
            newcomer = Stream(push, "/feed/events", headers=bearer(OTHER_TOKEN))
            await newcomer.says(b"id: 1\n")
            announce(data, 2, "sample-two")
            await newcomer.says(b"id: 2\n")
            await newcomer.leave()

        running(data, story, use_inotify=use_inotify)

    def test_goes_on_when_the_folder_was_put_anew(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            metadata = metadata_of(data)
            metadata.rename(metadata.with_name("before"))
            announce(data, 2)
            await stream.says(b"id: 2\n")
            announce(data, 3)
            await stream.says(b"id: 3\n")
            await stream.leave()

        running(data, story)

    def test_looks_at_all_when_notices_were_lost(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
            folder = metadata_of(data)
            # No turn of the loop until the queue has run over.
            for number in range(limit + 10):
                descriptor = os.open(folder / f".{number % 2}", os.O_CREAT | os.O_WRONLY)
                os.close(descriptor)
            announce(data, 2)
            await stream.says(b"id: 2\n")
            await stream.leave()

        running(data, story)

    def test_is_open_for_nothing_once_ended(self, data: Path) -> None:
        before = len(os.listdir("/proc/self/fd"))

        async def story(push: Push) -> None:
            assert (await call(push, "/healthz")).status == 200

        running(data, story)
        assert len(os.listdir("/proc/self/fd")) <= before


class TestSpread:
    def test_is_none_for_one_and_grows_with_those_told_within_a_second(self) -> None:
        hour = [0.0]
        crowd = Crowd(lambda: hour[0])
        assert crowd.spread_ms("a", 1) == 0
        assert crowd.spread_ms("b", 1) == 1
        assert crowd.spread_ms("c", 300) == 301
        # The same readers told again are no more than before.
        assert crowd.spread_ms("c", 300) == 301
        hour[0] = 1.5
        assert crowd.spread_ms("a", 1) == 0
        assert crowd.spread_ms("d", 10**6) == SPREAD_MS_MOST

    @given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 500), st.floats(0, 2)), max_size=60))
    def test_counts_each_repository_once(self, steps: list[tuple[str, int, float]]) -> None:
        hour, last = 0.0, dict[str, tuple[float, int]]()
        crowd = Crowd(lambda: hour)
        for repository, readers, pause in steps:
            hour += pause
            last[repository] = (hour, readers)
            told = sum(count for at, count in last.values() if at >= hour - 1.0)
            assert crowd.spread_ms(repository, readers) == min(max(told - 1, 0), SPREAD_MS_MOST)

    def test_is_told_with_the_event(self, data: Path) -> None:
        async def story(push: Push) -> None:
            streams = [Stream(push, "/feed/events") for _ in range(4)]
            for stream in streams:
                await stream.says(b"id: 1\n")
            announce(data, 2)
            for stream in streams:
                await stream.says(b"id: 2\n")
            await asyncio.gather(*(stream.leave() for stream in streams))
            assert {told(stream)["spread_ms"] for stream in streams} == {3}

        running(data, story)
