"""In step with the editions, whatever happens to the files."""

import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from rahdari.feed import FeedFile, Op, Operation
from rahdari.lookup.app import Lookup
from rahdari.lookup.sessions import IN_PLACE
from tests.lookup.feeds import DYNAMIC, HOUR, NOW, STATIC, Feed, Stream, an_entry, ask, opened, put, token


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


def path_of(feed: Feed, file: FeedFile) -> Path:
    return feed.feed / "targets" / file.location


def look(lookup: Lookup) -> None:
    """Without waiting out the pause after a failure."""
    for trouble in lookup.follower._troubles.values():
        trouble.until = 0
    lookup.follower.look()


def edition(lookup: Lookup) -> str:
    return ask(lookup, "/lookup/ip/192.0.2.1").headers["rahdari-edition"]


def begun(feed: Feed, *prefixes: str) -> tuple[Lookup, Stream]:
    streams = feed.streams([an_entry(prefix) for prefix in prefixes])
    feed.let_in("sample-one", streams)
    feed.publish()
    return opened(feed), streams[0]


class TestFollow:
    def test_a_delta_is_in_the_answers_as_soon_as_the_timestamp_names_it(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        [gone] = static.entries.values()
        came = an_entry("203.0.113.8/32")
        static.edition(Operation(Op.ADD, came), Operation(Op.REMOVE, gone))
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.8").status == 404
        feed.publish(now=NOW + HOUR / 60)
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.8").status == 200
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 404
        assert edition(lookup) == "static=1 dynamic=0 canary=0"

    def test_an_entry_may_move_and_change_several_times_in_one_delta(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        [first] = static.entries.values()
        second = an_entry("203.0.113.0/24", id=first.id)
        third = an_entry("198.51.100.0/24", "udp", 500, id=first.id)
        static.edition(Operation(Op.REPLACE, second, first), Operation(Op.REPLACE, third, second))
        feed.publish()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 404
        assert ask(lookup, "/lookup/ip/198.51.100.9").json()["entries"][0]["port"] == 500

    def test_a_covering_delta_is_taken_from_where_it_stands(self, feed: Feed) -> None:
        lookup, static = begun(feed, *(f"203.0.113.{number}/32" for number in range(20)))
        before = dict(static.entries)
        moved, gone, back, kept = list(static.entries.values())[:4]
        # Seen here: `moved` goes to one place, `back` goes away, `passing` comes.
        static.replace(moved, elsewhere := an_entry("198.51.100.1/32", id=moved.id))
        static.remove(back)
        static.add(passing := an_entry("192.0.2.9/32"))
        feed.publish()
        lookup.follower.look()
        # Not seen: it goes on to another, one goes away, one comes back, one that came goes, one comes and goes.
        static.replace(elsewhere, an_entry("198.51.100.2/32", id=moved.id))
        static.remove(gone)
        static.add(back)
        static.remove(passing)
        static.add(late := an_entry("192.0.2.11/32"))
        static.remove(late)
        static.add(an_entry("192.0.2.10/32"))
        for file in static.files[1:]:
            path_of(feed, file).unlink()
        static.files = [static.files[0], static.merged(0, before)]
        feed.publish()
        lookup.follower.look()
        assert edition(lookup) == "static=10 dynamic=0 canary=0"
        held = ["198.51.100.1", "198.51.100.2", "192.0.2.9", "192.0.2.10", "192.0.2.11"]
        found = {address for address in held if ask(lookup, f"/lookup/ip/{address}").status == 200}
        assert found == {"198.51.100.2", "192.0.2.10"}
        for entry, status in ((moved, 404), (gone, 404), (back, 200), (kept, 200)):
            assert ask(lookup, f"/lookup/ip/{entry.prefix.removesuffix('/32')}").status == status

    def test_many_changes_at_once_are_put_into_a_copy(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.0/24", "2001:db8::/48", "198.51.100.0/26")
        index = lookup.follower.sessions[static.session].held.index
        static.add(*(an_entry(f"10.0.{number >> 8}.{number & 255}/32") for number in range(IN_PLACE + 5)))
        static.add(*(an_entry(f"10.1.{number}.0/25") for number in range(IN_PLACE // 2)))
        feed.publish()
        lookup.follower.look()
        assert lookup.follower.sessions[static.session].held.index is not index
        assert index.entries == 3
        for address in ("10.0.0.9", "10.1.9.7", "203.0.113.7", "2001:db8::1", "198.51.100.7"):
            assert ask(lookup, f"/lookup/ip/{address}").status == 200
        assert ask(lookup, "/lookup/ip/10.1.9.200").status == 404

    def test_a_snapshot_bridges_what_deltas_do_not(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        static.add(an_entry("203.0.113.8/32"))
        static.add(an_entry("203.0.113.9/32"))
        static.files = [static.snapshot()]
        feed.publish()
        lookup.follower.look()
        assert edition(lookup) == "static=2 dynamic=0 canary=0"
        assert ask(lookup, "/lookup/ip/203.0.113.9").status == 200

    def test_entries_that_two_sessions_hold_are_held_once(self, feed: Feed) -> None:
        entry = an_entry("203.0.113.7/32")
        feed.let_in("sample-one", feed.streams([entry, an_entry("203.0.113.8/32")]))
        feed.let_in("sample-two", feed.streams([entry]), token("another"))
        feed.publish()
        lookup = opened(feed)
        place = (4, 32, int.from_bytes(bytes([203, 0, 113, 7])))
        static = [session for session in lookup.follower.sessions.values() if session.role == STATIC]
        one, two = (session.held.index.v4[32][place[2]] for session in static)
        assert one is two

    def test_a_new_session_takes_over_when_it_is_held_and_not_before(self, feed: Feed) -> None:
        lookup, old = begun(feed, "203.0.113.7/32")
        new = feed.stream(STATIC, [an_entry("198.51.100.7/32")], sequence=9)
        feed.operators["sample-one"][1][0] = new
        [snapshot] = new.files
        content = path_of(feed, snapshot).read_bytes()
        path_of(feed, snapshot).unlink()
        # The publisher goes on granting the one that was left until its files are gone.
        feed.publish(granted=False)
        accesses = feed.operators["sample-one"][1]
        feed.operators["sample-one"] = (feed.operators["sample-one"][0], [*accesses, old])
        feed.write_access()
        feed.operators["sample-one"] = (feed.operators["sample-one"][0], accesses)
        look(lookup)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        assert edition(lookup) == "static=0 dynamic=0 canary=0"
        put(path_of(feed, snapshot), content)
        look(lookup)
        assert edition(lookup) == "static=9 dynamic=0 canary=0"
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 404
        assert ask(lookup, "/lookup/ip/198.51.100.7").status == 200
        assert old.session not in lookup.follower.sessions

    def test_rights_that_are_taken_away_are_gone_at_once(self, feed: Feed) -> None:
        lookup, _ = begun(feed, "203.0.113.7/32")
        new = feed.stream(STATIC, [an_entry("198.51.100.7/32")], sequence=9)
        path_of(feed, new.files[0]).unlink()
        feed.operators["sample-one"][1][0] = new
        feed.publish()
        look(lookup)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 503

    def test_an_operator_who_comes_and_one_who_goes(self, feed: Feed) -> None:
        lookup, _ = begun(feed, "203.0.113.7/32")
        feed.let_in("sample-two", feed.operators["sample-one"][1], token("another"))
        feed.publish()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7", token="another").status == 200
        del feed.operators["sample-one"]
        feed.publish()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 401
        assert ask(lookup, "/lookup/ip/203.0.113.7", token="another").status == 200


def cut(content: bytes) -> bytes:
    return content[:-10]


def another_bit(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def longer(content: bytes) -> bytes:
    return content + b"\0"


def empty(content: bytes) -> bytes:
    return b""


DAMAGE = pytest.mark.parametrize("damage", [cut, another_bit, longer, empty], ids=lambda damage: damage.__name__)


class TestDamage:
    @DAMAGE
    def test_of_a_delta_leaves_the_edition_that_is_held(
        self, feed: Feed, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        path = path_of(feed, static.add(an_entry("203.0.113.8/32")))
        content = path.read_bytes()
        put(path, damage(content))
        feed.publish()
        for _ in range(3):
            look(lookup)
        assert edition(lookup) == "static=0 dynamic=0 canary=0"
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        assert "what is held stays" in caplog.text
        assert "203.0.113" not in caplog.text
        put(path, content)
        look(lookup)
        assert edition(lookup) == "static=1 dynamic=0 canary=0"

    @DAMAGE
    def test_of_a_snapshot_is_never_answered_from(self, feed: Feed, damage: Callable[[bytes], bytes]) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        path = path_of(feed, streams[0].files[0])
        content = path.read_bytes()
        put(path, damage(content))
        feed.let_in("sample-one", streams)
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 503
        put(path, content)
        look(lookup)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200

    # A bit of the timestamp is vouched for by its signature alone, which agents look at.
    @pytest.mark.parametrize(
        ("name", "damage"),
        [
            *product(["{}.feed-static.json", "{}.snapshot.json"], [cut, another_bit, longer, empty]),
            *product(["timestamp.json"], [cut, longer, empty]),
        ],
    )
    def test_of_metadata_leaves_what_is_held(self, feed: Feed, name: str, damage: Callable[[bytes], bytes]) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        static.add(an_entry("203.0.113.8/32"))
        feed.publish()
        path = feed.metadata("sample-one") / name.format(feed.version)
        content = path.read_bytes()
        put(path, damage(content))
        look(lookup)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        assert edition(lookup) == "static=0 dynamic=0 canary=0"
        put(path, content)
        look(lookup)
        assert edition(lookup) == "static=1 dynamic=0 canary=0"

    def test_a_delta_that_leads_elsewhere_than_it_says_is_read_around(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        # Signed, of the right form, and wrong: its digest is that of another set.
        static.add(an_entry("203.0.113.8/32"))
        good = static.files.pop()
        static.digest.add(b"something else")
        static.digests[1] = static.digest.hexdigest()
        static.files.append(static._delta(0, static.digests[0], [Operation(Op.ADD, an_entry("203.0.113.9/32"))]))
        feed.publish()
        look(lookup)
        assert edition(lookup) == "static=0 dynamic=0 canary=0"
        static.digest.remove(b"something else")
        static.files = [static.files[0], good, static.snapshot()]
        feed.publish()
        look(lookup)
        assert edition(lookup) == "static=1 dynamic=0 canary=0"
        assert ask(lookup, "/lookup/ip/203.0.113.9").status == 404

    def test_a_head_of_another_number_of_entries_is_not_taken(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        streams[0].entries["0" * 32] = an_entry("203.0.113.8/32", id="0" * 32)
        feed.let_in("sample-one", streams)
        feed.publish()
        assert ask(opened(feed), "/lookup/ip/203.0.113.7").status == 503

    def test_an_earlier_timestamp_changes_no_answer(self, feed: Feed) -> None:
        lookup, static = begun(feed, "203.0.113.7/32")
        path = feed.metadata("sample-one") / "timestamp.json"
        old = path.read_bytes()
        static.add(an_entry("203.0.113.8/32"))
        feed.publish()
        lookup.follower.look()
        put(path, old)
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.8").status == 200

    def test_trouble_with_one_session_is_not_the_others(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        feed.let_in("sample-one", streams)
        other = [streams[0], feed.stream(DYNAMIC), streams[2]]
        feed.let_in("sample-two", other, token("another"))
        path_of(feed, other[1].files[0]).unlink()
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        assert ask(lookup, "/lookup/ip/203.0.113.7", token="another").status == 503


AT_THE_END = """
import atexit, os
# Of these the first that is said is done last.
atexit.register(lambda: print(os.fstat(wait._ended) is not None))
from rahdari.lookup.watching import Wait
wait = Wait()
"""


def test_a_process_that_ends_closes_nothing_under_the_thread_that_waits() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", AT_THE_END], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
