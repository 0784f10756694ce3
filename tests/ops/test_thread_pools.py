"""Requests as the server hands them over, in threads of their own: who has to wait for whom."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from rahdari.ops.thread_pools import (
    FILE_THREADS,
    HALF_LIFE,
    MOST_OF_HOUSEHOLD,
    MOST_OF_SENDER,
    Answer,
    Environ,
    Places,
    Spent,
    Turns,
)
from tests.waiting import until

FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
PATIENCE = 120


class Behind:
    """An application that holds what is asked for at /held until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.begins = threading.Semaphore(0)

    def __call__(self, environ: Environ, start: Any) -> list[bytes]:
        self.begun.append(environ.get("HTTP_X_NAME", ""))
        self.begins.release()
        if environ["PATH_INFO"].endswith("/held"):
            assert self.go_on.wait(PATIENCE)
        body = environ["wsgi.input"].read()
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def wait_for(self, many: int) -> None:
        for _ in range(many):
            assert self.begins.acquire(timeout=PATIENCE)


class Line:
    """A body of which the rest never comes, until the sender leaves."""

    def __init__(self) -> None:
        self.leaves, self.reads = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        self.reads.set()
        assert self.leaves.wait(PATIENCE)
        return b""


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def pool(behind: Behind) -> Iterator[ThreadPoolExecutor]:
    """The server's threads."""
    with ThreadPoolExecutor(64) as made:
        yield made
        behind.go_on.set()


def places(behind: Any, **more: Any) -> Places:
    given: dict[str, Any] = {"threads": 2, "largest": 1000, "cookie": "sid", "waiting": 256} | more
    return Places(behind, household=lambda environ: environ.get("REMOTE_ADDR", ""), **given)


def request(
    path: str, *, body: Any = b"", length: int | None = None, kind: str = FORM, sid: str = "", **more: str
) -> Environ:
    made = {
        "PATH_INFO": path,
        "CONTENT_TYPE": kind,
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_COOKIE": f"a=b; sid={sid}",
    } | more
    size = len(body) if length is None else length
    return made | {"CONTENT_LENGTH": str(size), "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body}


def ask(asked: Places, environ: Environ) -> tuple[str, bytes]:
    said: list[str] = []
    content = asked(environ, lambda status, headers: said.append(status))
    return said[0], b"".join(content)


class TestReserved:
    @pytest.mark.parametrize("path", ["/prove/abc/", "/nic/update", "/v3/update", "/healthz"])
    def test_is_answered_while_every_other_place_is_taken(
        self, path: str, behind: Behind, pool: ThreadPoolExecutor
    ) -> None:
        asked = places(behind)
        for number in range(4):
            pool.submit(ask, asked, request("/held", REMOTE_ADDR=f"192.0.2.{number}"))
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid=str(number)))
        behind.wait_for(2 + FILE_THREADS)
        assert ask(asked, request(path)) == ("200 OK", b"")

    def test_is_answered_when_one_household_has_all_it_may_have(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked = places(behind, waiting=32)
        for _ in range(4):
            pool.submit(ask, asked, request("/held"))
        behind.wait_for(1)
        with asked.room._changed:
            assert asked.room._changed.wait_for(lambda: asked.room._inside["192.0.2.1"] == 4, PATIENCE)
        assert ask(asked, request("/"))[0] == "503 Service Unavailable"
        assert ask(asked, request("/healthz"))[0] == "200 OK"
        assert ask(asked, request("/", REMOTE_ADDR="192.0.2.2"))[0] == "200 OK"

    def test_is_answered_when_another_household_asks_for_it_all_the_time(
        self, behind: Behind, pool: ThreadPoolExecutor
    ) -> None:
        asked = places(behind, waiting=64)
        for _ in range(4):
            pool.submit(ask, asked, request("/prove/held"))
        behind.wait_for(1)
        inside = asked.reserved_room
        with inside._changed:
            assert inside._changed.wait_for(lambda: inside._inside["192.0.2.1"] == 4, PATIENCE)
        assert ask(asked, request("/healthz"))[0] == "503 Service Unavailable"
        assert ask(asked, request("/"))[0] == "200 OK"
        assert ask(asked, request("/healthz", REMOTE_ADDR="192.0.2.2"))[0] == "200 OK"


class TestPages:
    def test_of_one_household_leave_a_thread_to_the_others(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked = places(behind)
        for _ in range(20):
            pool.submit(ask, asked, request("/held", HTTP_X_NAME="greedy"))
        behind.wait_for(1)
        assert ask(asked, request("/", REMOTE_ADDR="192.0.2.2", HTTP_X_NAME="other"))[0] == "200 OK"
        assert behind.begun == ["greedy", "other"]

    def test_that_wait_too_long_are_given_back(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked = places(behind, threads=1)
        pool.submit(ask, asked, request("/held"))
        behind.wait_for(1)
        asked.turn_patience = 0.01
        assert ask(asked, request("/", REMOTE_ADDR="192.0.2.2"))[0] == "503 Service Unavailable"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestTurns:
    """One thread, which is held until all who want something wait."""

    def order(self, turns: Turns, wanted: list[tuple[str, str]]) -> list[str]:
        begun: list[str] = []
        go_on = threading.Event()

        def work(who: str) -> Answer:
            begun.append(who)
            assert go_on.wait(PATIENCE)
            return "200 OK", [], []

        taken = [turns.submit("first", lambda: work("first"), household="192.0.2.99")]
        for who, household in wanted:
            taken.append(turns.submit(who, partial(work, who), household=household))
        go_on.set()
        for each in taken:
            each.result(PATIENCE)
        # What the last one took is counted a moment after its answer: whoever asks may set the clock then.
        until(lambda: not turns._busy)
        return begun[1:]

    def test_are_given_round(self) -> None:
        wanted = [("greedy", "192.0.2.1")] * 4 + [("b", "192.0.2.2"), ("c", "192.0.2.3"), ("b", "192.0.2.2")]
        assert self.order(Turns("t", 1, of_one=1), wanted) == ["greedy", "b", "c", "greedy", "b", "greedy", "greedy"]

    @pytest.mark.parametrize(
        ("name", "seconds"), [("sender greedy", MOST_OF_SENDER), ("from 192.0.2.1", MOST_OF_HOUSEHOLD)]
    )
    def test_of_those_who_took_much_come_last(self, name: str, seconds: float) -> None:
        turns = Turns("t", 1, of_one=1, by_time=True, clock=(clock := Clock()))
        assert turns.spent is not None
        turns.spent.add(name, seconds + 1)
        wanted = [("greedy", "192.0.2.1")] * 2 + [("b", "192.0.2.2")] * 2 + [("c", "192.0.2.3")]
        assert self.order(turns, wanted) == ["b", "c", "b", "greedy", "greedy"]
        clock.now += HALF_LIFE
        assert self.order(turns, wanted) == ["greedy", "b", "c", "greedy", "b"]

    def test_count_the_seconds_of_what_was_done_also_when_it_failed(self) -> None:
        turns = Turns("t", 1, of_one=1, by_time=True, clock=(clock := Clock()))

        def fails() -> Answer:
            clock.now += 11
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            turns.submit("greedy", fails, household="192.0.2.1").result(PATIENCE)
        wanted = [("greedy", "192.0.2.1"), ("b", "192.0.2.1")]
        assert self.order(turns, wanted) == ["b", "greedy"]

    def test_are_forgotten_in_time(self) -> None:
        spent = Spent(clock := Clock())
        spent.add("a", 8.0)
        clock.now += 3 * HALF_LIFE
        assert spent.of("a") == 1.0
        clock.now += 50 * HALF_LIFE
        assert spent.of("a") == 0.0 and not spent._seconds
        spent.add("b", 4.0)
        clock.now += HALF_LIFE
        assert spent.of("b") == 2.0

    def test_that_were_given_up_are_not_kept(self) -> None:
        turns, go_on = Turns("t", 1, of_one=1), threading.Event()
        begins = threading.Event()

        def held() -> Answer:
            begins.set()
            assert go_on.wait(PATIENCE)
            return "200 OK", [], []

        first = turns.submit("a", held, household="192.0.2.1")
        assert begins.wait(PATIENCE)
        for _ in range(100):
            turns.submit("b", held, household="192.0.2.1").cancel()
        assert len(turns._waiting["b"]) == 1
        go_on.set()
        assert first.result(PATIENCE)


class TestFiles:
    def test_leave_the_pages_alone(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked = places(behind)
        for number in range(20):
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid=str(number)))
        behind.wait_for(FILE_THREADS)
        assert ask(asked, request("/", body=b"name=x")) == ("200 OK", b"name=x")

    def test_of_one_sender_come_one_at_a_time_and_others_in_between(
        self, behind: Behind, pool: ThreadPoolExecutor
    ) -> None:
        asked = places(behind)
        for _ in range(5):
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid="greedy", HTTP_X_NAME="greedy"))
        behind.wait_for(1)
        # The second place is free, and not for the greedy one.
        other = request("/", kind=FILES, body=b"x", sid="other", HTTP_X_NAME="other")
        assert ask(asked, other)[0] == "200 OK"
        assert behind.begun == ["greedy", "other"]

    def test_that_wait_too_long_are_given_back_with_the_reason_in_both_languages(
        self, behind: Behind, pool: ThreadPoolExecutor
    ) -> None:
        asked = places(behind)
        for number in range(FILE_THREADS):
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid=str(number)))
        behind.wait_for(FILE_THREADS)
        asked.turn_patience = 0.01
        status, page = ask(asked, request("/", kind=FILES, body=b"x", sid="late", HTTP_X_NAME="late"))
        assert status == "503 Service Unavailable"
        assert "load this page again" in page.decode() and 'lang="ur"' in page.decode()
        assert "late" not in behind.begun

    def test_raise_what_the_application_raised(self, pool: ThreadPoolExecutor) -> None:
        def broken(environ: Environ, start: Any) -> list[bytes]:
            raise ZeroDivisionError

        asked = places(broken)
        for _ in range(FILE_THREADS + 1):  # and the threads go on
            with pytest.raises(ZeroDivisionError):
                ask(asked, request("/", kind=FILES, body=b"x"))


class TestBodies:
    def test_that_come_slowly_hold_no_place(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked, slow = places(behind), [Line() for _ in range(20)]
        taken: list[Future[Any]] = [
            pool.submit(ask, asked, request("/", body=line, length=10, kind=kind))
            for line, kind in zip(slow, [FORM, FILES] * 10, strict=True)
        ]
        for line in slow:
            assert line.reads.wait(PATIENCE)
        assert ask(asked, request("/", body=b"a"))[0] == "200 OK"
        assert ask(asked, request("/", body=b"a", kind=FILES))[0] == "200 OK"
        for line in slow:
            line.leaves.set()
        assert {each.result(PATIENCE)[0] for each in taken} == {"400 Bad Request"}
        assert asked.room._inside.total() == asked.room._held.total() == 0

    def test_that_are_late_are_not_taken(self, behind: Behind) -> None:
        status, page = ask(places(behind, body_patience=-1.0), request("/", body=b"12"))
        assert status in {"400 Bad Request", "503 Service Unavailable"}
        assert "safe" in page.decode() and not behind.begun

    @pytest.mark.parametrize("body", [b"", b"123456789"])
    def test_that_end_before_they_should_are_not_taken(self, body: bytes, behind: Behind) -> None:
        assert ask(places(behind), request("/", body=body, length=10))[0] == "400 Bad Request"
        assert not behind.begun

    def test_larger_than_any_form_are_left_unread_to_the_application(self) -> None:
        seen = []

        def refuses(environ: Environ, start: Any) -> list[bytes]:
            seen.append(environ["wsgi.input"].tell())
            start("413 Content Too Large", [])
            return []

        assert ask(places(refuses), request("/", body=b"x" * 1001))[0] == "413 Content Too Large"
        assert seen == [0]

    def test_of_one_household_wait_when_they_hold_a_quarter_of_the_room(
        self, behind: Behind, pool: ThreadPoolExecutor
    ) -> None:
        asked = places(behind, most_held=40)
        first = pool.submit(ask, asked, request("/held", body=b"x" * 10))
        behind.wait_for(1)
        second = pool.submit(ask, asked, request("/", body=b"x" * 10))
        other = request("/", body=b"x" * 10, REMOTE_ADDR="192.0.2.2", HTTP_X_NAME="other")
        assert ask(asked, other)[0] == "200 OK"
        assert not second.done()
        behind.go_on.set()
        assert first.result(PATIENCE)[0] == second.result(PATIENCE)[0] == "200 OK"
        assert behind.begun == ["", "other", ""]
