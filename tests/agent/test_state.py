import datetime as dt
import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.disk import NoState, StateBusy, StateCorrupt, StateNotOurs, StateOfNewerVersion
from rahdari.agent.faults import Exit
from rahdari.agent.folder import create, open_state, set_aside, sole_agent
from rahdari.agent.schema import Stored, key_of
from rahdari.agent.state import EntryConflict
from rahdari.feed import ROLES
from tests.agent.feeds import Publisher, a_configuration, an_entry, listed, names, now, standing, sync
from tests.needs import needs_namespaces, needs_program

ROOT = Path(__file__).resolve().parent.parent.parent
AT = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
TERM = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")


class TestOpen:
    def test_is_refused_where_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(NoState) as caught, open_state(tmp_path):
            pass
        assert "rahdari agent init" in caught.value.mend

    @pytest.mark.parametrize("content", [b"this is no database, and longer than a page header" * 50, b""])
    def test_is_refused_when_the_file_is_something_else(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "state.sqlite3").write_bytes(content)
        with pytest.raises(StateCorrupt) as caught, open_state(tmp_path):
            pass
        assert "still enforced" in caught.value.what
        assert "--anew" in caught.value.mend

    def test_is_refused_when_a_page_is_damaged(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*[an_entry(f"192.0.2.{number}/32") for number in range(1, 200)])
        assert sync(configuration).exit is Exit.OK
        path = configuration.state / "state.sqlite3"
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        content = bytearray(path.read_bytes())
        for page in range(2, len(content) // 4096):
            content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
        path.write_bytes(content)
        with pytest.raises(StateCorrupt) as caught, open_state(configuration.state):
            pass
        # As the message says: set aside, all of it is there again.
        assert "sync --anew" in caught.value.mend
        set_aside(configuration.state, now())
        assert sync(configuration).exit is Exit.OK
        assert len(listed(configuration)) == 199

    def test_is_refused_when_a_newer_agent_wrote_it(self, configuration: Configuration) -> None:
        database = sqlite3.connect(configuration.state / "state.sqlite3", autocommit=True)
        database.execute("PRAGMA user_version = 99")
        database.close()
        with pytest.raises(StateOfNewerVersion, match="99"), open_state(configuration.state):
            pass

    def test_says_when_it_belongs_to_somebody_else(self, tmp_path: Path) -> None:
        (tmp_path / "state.sqlite3").mkdir()
        with pytest.raises(StateNotOurs), open_state(tmp_path):
            pass
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StateNotOurs, match="writable"):
            create(tmp_path / "file" / "state")


class TestSoleAgent:
    def test_is_one_at_a_time(self, configuration: Configuration) -> None:
        with (
            sole_agent(configuration.state),
            pytest.raises(StateBusy, match="Another agent"),
            sole_agent(configuration.state),
        ):
            pass
        with sole_agent(configuration.state):
            pass


def stored(id: str, prefix: str, not_before: str = TERM[0], not_after: str = TERM[1]) -> Stored:
    return Stored(bytes.fromhex(id), key_of(prefix), "any", None, not_before, not_after)


class TestTransaction:
    def test_is_all_or_nothing(self, configuration: Configuration) -> None:
        with open_state(configuration.state) as state:
            table, _ = state.list_names(ROLES[0])
            with state.transaction():
                state.put(table, 1, stored("0a" * 16, "192.0.2.1/32"), AT)
            with pytest.raises(EntryConflict), state.transaction():
                state.take_out(table, 1)
                state.put(table, 2, stored("0a" * 16, "192.0.2.2/32"), AT)
                state.put(table, 3, stored("0a" * 16, "192.0.2.3/32"), AT)
            assert [entry.key for entry in state.entries(ROLES[0])] == [key_of("192.0.2.1/32")]

    def test_next_change_is_the_next_beginning_or_end(self, configuration: Configuration) -> None:
        at = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
        with open_state(configuration.state) as state:
            assert state.next_change(now=at) is None
            with state.transaction():
                state.put(state.list_names(ROLES[0])[0], 1, stored("0a" * 16, "192.0.2.1/32"), at)
                later = stored("0b" * 16, "192.0.2.2/32", not_before="2026-12-01T00:00:00Z")
                state.put(state.list_names(ROLES[1])[0], 1, later, at)
            assert state.next_change(now=at) == dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
            assert state.next_change(now=at.replace(month=12)) == dt.datetime(2027, 11, 1, tzinfo=dt.UTC)
            assert state.next_change(now=at.replace(year=2027, month=12)) is None

    def test_keeps_the_newest_receipts_only(self, configuration: Configuration) -> None:
        at = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
        with open_state(configuration.state) as state:
            with state.transaction():
                for number in range(10):
                    state.keep_receipt(b"%d" % number, at, most=3)
                    state.keep_receipt(b"%d" % number, at, most=3)
            assert [body for _, body in state.receipts()] == [b"7", b"8", b"9"]


@pytest.mark.root
class TestFullDisk:
    def test_keeps_the_last_edition_says_so_and_goes_on_when_there_is_room(self, tmp_path: Path) -> None:
        needs_namespaces()
        unshare = needs_program("unshare", "apt-get install util-linux")
        command = [unshare, "--mount", sys.executable, "-m", "tests.agent.on_full_disk", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert result.returncode == 0, result.stderr
        said = json.loads(result.stdout)
        assert said["first"] == [[], ["192.0.2.1/32"]]
        code, name, text, still = said["full"]
        assert (code, name, still) == (Exit.STATE, "DiskFull", ["192.0.2.1/32"])
        assert "The last verified edition is kept and stays enforced" in text
        assert "Make room" in text
        assert said["held"] == [1, 1]
        assert said["again"] == [Exit.OK, [], 11]
        assert said["unwritten"] == [Exit.NOT_APPLIED, ["FileNotWritten"], 11]
        assert said["last"] == [[], 211]


class TestOtherRoot:
    def test_is_another_beginning(self, tmp_path: Path, configuration: Configuration, publisher: Publisher) -> None:
        """After `init --replace` with another root nothing of the old one is held against it."""
        publisher.publish(an_entry("192.0.2.1/32"))
        publisher.publish()
        assert sync(configuration).exit is Exit.OK
        other = Publisher(tmp_path / "other")
        other.publish(an_entry("192.0.2.9/32"))
        with standing(other.folder) as stand:
            moved = a_configuration(configuration.token_file.parent, stand.url, other.root_file)
            assert moved.state == configuration.state
            outcome = sync(moved)
            assert (outcome.exit, names(outcome)) == (Exit.OK, [])
            assert listed(moved) == ["192.0.2.9/32"]
            assert names(sync(replace(moved, root=configuration.root, root_sha256=configuration.root_sha256))) == [
                "Untrusted"
            ]
