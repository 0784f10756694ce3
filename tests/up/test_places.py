"""Requests as the server hands them over, in threads of their own: who has to wait for whom."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from rahdari.up.places import FILE_THREADS, Environ, Places

FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
PATIENCE = 30


class Behind:
    """An application that holds what is asked for at /held until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.begins = threading.Semaphore(0)

    def __call__(self, environ: Environ, start: Any) -> list[bytes]:
        self.begun.append(environ.get("HTTP_X_NAME", ""))
        self.begins.release()
        if environ["PATH_INFO"] == "/held":
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
    given: dict[str, Any] = {"threads": 2, "largest": 1000, "cookie": "sid", "waiting": 64} | more
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
            pool.submit(ask, asked, request("/held", HTTP_X_NAME=str(number)))
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid=str(number)))
        behind.wait_for(2 + FILE_THREADS)
        assert ask(asked, request(path)) == ("200 OK", b"")

    def test_is_answered_when_one_household_has_all_it_may_have(self, behind: Behind, pool: ThreadPoolExecutor) -> None:
        asked = places(behind, waiting=8)
        for _ in range(4):
            pool.submit(ask, asked, request("/held"))
        behind.wait_for(2)
        with asked.room._changed:
            assert asked.room._changed.wait_for(lambda: asked.room._inside["192.0.2.1"] == 4, PATIENCE)
        assert ask(asked, request("/"))[0] == "503 Service Unavailable"
        assert ask(asked, request("/healthz"))[0] == "200 OK"
        behind.go_on.set()
        assert ask(asked, request("/", REMOTE_ADDR="192.0.2.2"))[0] == "200 OK"


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
        asked = places(behind, turn_patience=0.01)
        for number in range(FILE_THREADS):
            pool.submit(ask, asked, request("/held", kind=FILES, body=b"x", sid=str(number)))
        behind.wait_for(FILE_THREADS)
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
