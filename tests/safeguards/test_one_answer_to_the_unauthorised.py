"""Whoever may not know is answered alike, registered or not: before the question is looked at."""

from pathlib import Path

import pytest

from tests.lookup.feeds import TOKEN, Feed, ask
from tests.lookup.test_access import QUESTIONS, begun


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


class Untouchable:
    """Stands where the lock of the index does: whoever looks into an index takes that first."""

    def __init__(self) -> None:
        self.touched = 0

    def __enter__(self) -> None:
        self.touched += 1

    def __exit__(self, *error: object) -> None:
        pass


class TestTheUnknown:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer " + "x" * 600]
    )
    def test_learn_nothing_whatever_they_ask(self, feed: Feed, header: str, method: str) -> None:
        lookup = begun(feed)
        shown = {"HTTP_AUTHORIZATION": header} if header else {}
        answers = [ask(lookup, question, token=None, method=method, **shown) for question in QUESTIONS]
        assert all(answer == answers[0] for answer in answers)
        assert answers[0].status == 401
        assert answers[0].headers["www-authenticate"] == 'Bearer realm="feed"'

    def test_make_no_index_be_looked_into(self, feed: Feed) -> None:
        """Registered or not, the same is done: refusing counts one, and an answer looks once and counts."""
        lookup = begun(feed)
        lookup.reading = watched = Untouchable()  # type: ignore[assignment]
        view = next(iter(lookup._standings.values())).sight.view
        touched: list[int] = []

        def look(number: int) -> None:
            touched.append(number)

        spied = tuple(probe._replace(get=look) for probe in view.v4)
        object.__setattr__(view, "v4", spied)
        for question in QUESTIONS:
            before = watched.touched
            assert ask(lookup, question, token="wrong").status == 401
            assert watched.touched == before + 1
        assert touched == []
        # The spy would have seen it.
        ask(lookup, QUESTIONS[0])
        assert touched == [0xCB007107]

    def test_are_counted(self, feed: Feed) -> None:
        lookup = begun(feed)
        ask(lookup, "/lookup/ip/203.0.113.7", token=None)
        assert b'rahdari_lookup_refusals_total{why="unknown"} 1' in ask(lookup, "/metrics", token=None).body

    def test_see_what_depends_on_no_entry(self, feed: Feed) -> None:
        lookup = begun(feed)
        assert ask(lookup, "/healthz", token=None).body == b"ready\n"
        assert ask(lookup, "/rdap/help", token=None).status == 200
        assert ask(lookup, "/rdap/help", token=None, method="POST").status == 401
