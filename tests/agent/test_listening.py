"""How word of an edition reaches the agent, when all is well and when something on the way keeps it back."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.configuration import Configuration
from rahdari.agent.events import LONGEST_SPREAD_MS, Event, News, event_of, news_of
from rahdari.agent.inbox import Inbox, Word
from rahdari.agent.listening import Listener, Pace, Way
from rahdari.agent.transport import Server
from tests.agent.servers import Asked, Reply, answering, buffering_proxy
from tests.waiting import until

QUICK = Pace(pause=(0.01, 0.05), long_polls=(0.3, 0.6), least=0.01, least_unchanged=0.02)
# Between two sentences of the servers here; half a second of silence is long beside it.
BEAT, SILENCE = 0.05, 0.5


def a_configuration(folder: Path, url: str, **other: Any) -> Configuration:
    (folder / "token").write_text("sample-token")
    return Configuration(
        server=url,
        receipt_url=f"{url}/feed/receipt",
        token_file=folder / "token",
        root=folder / "root.json",
        root_sha256="",
        state=folder,
        targets=(),
        **other,
    )


@contextmanager
def listening(
    configuration: Configuration, pace: Pace = QUICK, *, silence: float = SILENCE
) -> Iterator[tuple[Listener, Inbox]]:
    inbox = Inbox()
    listener = Listener(Server(configuration, silence=silence), f"{configuration.server}/feed", inbox, pace)
    listener.start()
    try:
        yield listener, inbox
    finally:
        listener.stop()
        listener.join(10)


def said(number: int, timestamp: bytes = b"signed", spread_ms: int = 0) -> bytes:
    data = json.dumps({"timestamp": base64.b64encode(timestamp).decode(), "spread_ms": spread_ms})
    return f"event: edition\nid: {number}\ndata: {data}\n\n".encode()


def answered(number: int, timestamp: bytes = b"signed") -> bytes:
    return json.dumps({"id": str(number), "timestamp": base64.b64encode(timestamp).decode(), "spread_ms": 0}).encode()


class Feed:
    """A server's script: a stream of what `editions` holds, with a beat, and long polls for the same."""

    def __init__(self) -> None:
        self.edition = 1
        self.ending = threading.Event()
        self.streams = True
        self.polls = True

    def __call__(self, asked: Asked) -> Reply:
        has = asked.headers.get("Last-Event-ID", "")
        if asked.path == "/feed/events" and self.streams:
            return Reply(body=self.stream(has), headers={"Content-Type": "text/event-stream"})
        if asked.path == "/feed/poll" and self.polls:
            return Reply(204) if has == str(self.edition) else Reply(body=answered(self.edition))
        return Reply(404)

    def stream(self, has: str) -> Iterator[bytes]:
        yield b": connected\n\n"
        while not self.ending.is_set():
            if has != str(self.edition):
                has = str(self.edition)
                yield said(self.edition)
            yield b": still here\n\n"
            self.ending.wait(BEAT)


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    yield feed
    feed.ending.set()


class TestStream:
    def test_tells_each_edition_and_goes_on_where_it_was(self, tmp_path: Path, feed: Feed) -> None:
        with (
            answering(feed) as (url, asked),
            # So long that a busy machine has the time for a beat.
            listening(a_configuration(tmp_path, url), silence=60) as (listener, inbox),
        ):
            assert inbox.take(60).timestamp == b"signed"
            assert listener.way is Way.STREAM
            feed.edition = 2
            assert inbox.take(60).pushed
            feed.ending.set()
            until(lambda: len(asked) >= 2)
            feed.ending.clear()
            feed.edition = 3
            assert inbox.take(60).pushed
        assert "Last-Event-ID" not in asked[0].headers
        assert asked[-1].headers["Last-Event-ID"] in {"2", "3"}
        assert {one.path for one in asked} == {"/feed/events"}

    def test_that_is_kept_back_gives_way_to_long_polls(self, tmp_path: Path, feed: Feed) -> None:
        with answering(feed) as (url, asked):
            port = int(url.rpartition(":")[2])
            with buffering_proxy(port, keeps_back=lambda head: b"/feed/events" in head) as proxy:
                configuration = a_configuration(tmp_path, url, proxy=proxy)
                with listening(configuration) as (listener, inbox):
                    assert inbox.take(60).pushed
                    # Between two of them it looks whether a stream passes, and for a moment goes by neither.
                    until(lambda: listener.way is Way.LONG_POLL)
                    feed.edition = 2
                    assert inbox.take(60).pushed
                    # Time and again it is seen whether a stream passes by now.
                    before = sum(one.path == "/feed/events" for one in asked)
                    until(lambda: sum(one.path == "/feed/events" for one in asked) > before)

    def test_is_used_again_once_it_passes(self, tmp_path: Path, feed: Feed) -> None:
        passes = threading.Event()
        with answering(feed) as (url, _):
            port = int(url.rpartition(":")[2])
            kept_back = buffering_proxy(port, keeps_back=lambda head: b"/feed/events" in head and not passes.is_set())
            with kept_back as proxy, listening(a_configuration(tmp_path, url, proxy=proxy)) as (listener, _):
                until(lambda: listener.way is Way.LONG_POLL)
                passes.set()
                until(lambda: listener.way is Way.STREAM)

    def test_that_says_something_at_first_and_then_no_more_is_kept_back_too(self, tmp_path: Path, feed: Feed) -> None:
        ended = threading.Event()

        def script(asked: Asked) -> Reply:
            if asked.path != "/feed/events":
                return feed(asked)

            def once() -> Iterator[bytes]:
                yield b": connected\n\n" + said(feed.edition)
                ended.wait(60)

            return Reply(body=once())

        with answering(script) as (url, _), listening(a_configuration(tmp_path, url)) as (listener, _):
            until(lambda: listener.way is Way.LONG_POLL)
            ended.set()

    def test_that_the_server_does_not_have_gives_way_too(self, tmp_path: Path, feed: Feed) -> None:
        feed.streams = False
        with answering(feed) as (url, _), listening(a_configuration(tmp_path, url)) as (listener, inbox):
            assert inbox.take(60).pushed
            until(lambda: listener.way is Way.LONG_POLL)

    def test_without_either_leaves_the_poll(self, tmp_path: Path, feed: Feed) -> None:
        feed.streams = feed.polls = False
        with answering(feed) as (url, asked), listening(a_configuration(tmp_path, url)) as (listener, inbox):
            until(lambda: {one.path for one in asked} == {"/feed/events", "/feed/poll"})
            assert listener.way is Way.POLL
            assert not inbox.take(0).pushed
            feed.streams = True
            until(lambda: listener.way is Way.STREAM)

    def test_from_a_server_that_is_away_is_not_taken_for_one_kept_back(
        self, tmp_path: Path, feed: Feed, caplog: pytest.LogCaptureFixture
    ) -> None:
        with answering(feed) as (url, _):
            pass
        with listening(a_configuration(tmp_path, url)):
            until(lambda: "cannot be reached" in caplog.text)
        assert "/feed/poll" not in caplog.text


class TestLongPoll:
    def test_that_is_answered_at_once_each_time_is_asked_at_our_pace(self, tmp_path: Path) -> None:
        def eager(asked: Asked) -> Reply:
            return Reply(body=answered(7)) if asked.path == "/feed/poll" else Reply(404)

        slow = Pace(pause=(0.01, 0.05), long_polls=(60, 60), least=0.01, least_unchanged=3600)
        with answering(eager) as (url, asked), listening(a_configuration(tmp_path, url), slow) as (listener, inbox):
            assert inbox.take(60).timestamp == b"signed"
            until(lambda: sum(one.path == "/feed/poll" for one in asked) == 2)
            # The second answer brought nothing new: from here on it is an hour until the third.
            assert listener.heard == 1
            assert asked[-1].headers["Last-Event-ID"] == "7"

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"id": 7}', b'{"id": "a\\nb"}', b'{"id": "' + b"9" * 200 + b'"}']
    )
    def test_with_an_answer_of_another_shape_only_asks_for_a_look(self, body: bytes) -> None:
        event = event_of(body)
        assert event.id is None
        assert news_of(event) == News(None)


class TestSpread:
    @given(st.one_of(st.none(), st.booleans(), st.text(), st.floats(), st.integers()))
    def test_is_never_longer_than_the_poll(self, given_ms: object) -> None:
        news = news_of(Event("1", "edition", json.dumps({"spread_ms": given_ms})))
        assert 0 <= news.spread <= LONGEST_SPREAD_MS / 1000
        if type(given_ms) is int and 0 <= given_ms <= LONGEST_SPREAD_MS:
            assert news.spread == given_ms / 1000

    def test_of_nothing_is_no_wait(self) -> None:
        inbox = Inbox()
        inbox.put(News(b"one", 0.0))
        assert inbox.take(3600) == Word(True, b"one")

    def test_is_waited_out_and_the_newest_counts(self) -> None:
        inbox = Inbox()
        inbox.put(News(b"one", 3600.0))
        inbox.put(News(b"two", 3600.0))
        # Far below an hour, and not due: whoever takes after his own wait takes what is there.
        assert inbox.take(0.01) == Word(True, b"two", spread=3600.0)
        inbox.put(News(b"three", 3600.0))
        inbox.put(News(b"four", 0.0))
        assert inbox.take(3600) == Word(True, b"four")
        assert inbox.take(0) == Word()

    def test_ends_with_the_process(self) -> None:
        inbox = Inbox()
        inbox.close()
        assert inbox.take(3600) == Word()
