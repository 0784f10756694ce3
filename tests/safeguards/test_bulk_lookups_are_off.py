"""Nobody has many addresses sorted into registered and others, unless a register turns that on in its settings."""

from pathlib import Path

import pytest

from rahdari.lookup.app import Lookup
from rahdari.lookup.settings import from_environment
from tests.lookup.feeds import HOUR, NOW, Feed, an_entry, ask, opened

ROOT = Path(__file__).resolve().parents[2]
MEANS_NOTHING = "means nothing about"


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    feed = Feed(tmp_path)
    feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32", "udp", 1194, not_after=NOW + HOUR)]))
    feed.publish()
    return feed


def in_bulk(lookup: Lookup) -> tuple[int, dict[str, object]]:
    answer = ask(lookup, "/lookup/ip", method="POST", body=b"203.0.113.7\n203.0.113.8\n")
    return answer.status, {} if answer.status == 200 else answer.json()


class TestBulk:
    def test_is_off_and_says_what_to_do_instead(self, feed: Feed) -> None:
        status, problem = in_bulk(opened(feed))
        assert (status, problem["type"]) == (403, "urn:rahdari:problem:bulk-is-off")
        assert "Follow the feed" in str(problem["detail"]) and "rahdari agent check" in str(problem["detail"])

    def test_tells_whoever_has_no_credential_nothing_of_it(self, feed: Feed) -> None:
        for lookup in (opened(feed), opened(feed, in_bulk=True)):
            assert ask(lookup, "/lookup/ip", method="POST", token=None, body=b"203.0.113.7").status == 401

    @pytest.mark.parametrize(("given", "status"), [({}, 403), ({"RAHDARI_LOOKUP_BULK": "0"}, 403)])
    def test_is_off_as_it_is_delivered(self, feed: Feed, given: dict[str, str], status: int) -> None:
        lookup = from_environment({"RAHDARI_DATA": str(feed.data)} | given)
        lookup._clock = lambda: NOW.timestamp()
        lookup.follower.look()
        assert in_bulk(lookup)[0] == status

    def test_is_on_where_a_register_says_so_and_a_slip_stops_the_start(self, feed: Feed) -> None:
        lookup = from_environment({"RAHDARI_DATA": str(feed.data), "RAHDARI_LOOKUP_BULK": "1"})
        lookup._clock = lambda: NOW.timestamp()
        lookup.follower.look()
        assert in_bulk(lookup)[0] == 200
        with pytest.raises(ValueError, match="0 or 1"):
            from_environment({"RAHDARI_DATA": str(feed.data), "RAHDARI_LOOKUP_BULK": "yes"})

    def test_stands_in_no_delivered_setting(self) -> None:
        set_here = [
            path.name
            for path in sorted((ROOT / "deploy").rglob("*"))
            if path.is_file() and "\nRAHDARI_LOOKUP_BULK=1" in path.read_text(errors="replace")
        ]
        assert set_here == []

    def test_has_no_speed_goal(self) -> None:
        targets = (ROOT / "docs" / "benchmarks.md").read_text().partition("## Targets")[2].partition("\n## ")[0]
        assert "single lookups" in targets and "bulk" not in targets


class TestNotListed:
    def test_means_nothing_and_each_answer_says_so(self, feed: Feed) -> None:
        lookup = opened(feed)
        for question in ("/lookup/ip/203.0.113.8", "/lookup/ip/203.0.113.8?all=1", "/rdap/ip/203.0.113.8"):
            answer = ask(lookup, question)
            assert answer.status == 404 and MEANS_NOTHING in answer.body.decode(), question

    @pytest.mark.parametrize("page", ["lookup.md", "agent.md", "operators.md", "devices/files.md"])
    def test_means_nothing_in_the_pages_for_operators(self, page: str) -> None:
        text = " ".join((ROOT / "docs" / page).read_text().split())
        assert "which means nothing about" in text or "That means nothing about" in text

    def test_no_page_recommends_a_tool_that_sorts(self) -> None:
        pages = sorted((ROOT / "docs").rglob("*.md"))
        assert [
            page.name for page in pages if "logstash" in page.read_text().casefold() and "_build" not in page.parts
        ] == []
