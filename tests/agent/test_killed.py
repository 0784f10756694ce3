"""Killed before any step that writes, the next sync comes to the same end."""

import random
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.feed import ROLES, SetDigest
from tests.agent.feeds import Publisher, Stand, an_entry, listed, names, now, sync, written
from tests.needs import everything_is_needed

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def killing(configuration: Configuration, before: Path, entries: Path) -> Iterator[Callable[[int], str]]:
    """A function that syncs from the state in `before`, and is killed before this step; or says how many there are."""
    old, file = entries.read_bytes(), written(configuration)
    command = [sys.executable, "-m", "tests.agent.killing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as killer:
        assert killer.stdin
        assert killer.stdout

        def kill(step: int) -> str:
            entries.write_bytes(old)
            killer.stdin.write(f"{file}\t{before}\t{step}\n")  # type: ignore[union-attr]
            killer.stdin.flush()  # type: ignore[union-attr]
            return killer.stdout.readline().strip()  # type: ignore[union-attr]

        yield kill
        killer.stdin.close()


def whole(configuration: Configuration) -> tuple[int, int]:
    """The sequence that is held and the number of entries, which belong together: so the digest says."""
    with open_state(configuration.state) as state:
        position = state.position(ROLES[0])
        assert position is not None
        digest = SetDigest()
        digest.add_all(entry.canonical for entry in state.entries(ROLES[0]))
        assert digest.hexdigest() == position.digest
        assert state.count(ROLES[0]) == position.entries
        return position.sequence, position.entries


def some_of(steps: int, stride: int, *, at_best: int) -> range:
    """Each so-manieth, from one by chance: many runs see every step."""
    stride = at_best if everything_is_needed() else stride
    first = random.randrange(stride)
    print(f"from step {first}")  # pytest shows it when the test fails
    return range(first, steps, stride)


class TestKilledAgent:
    def test_converges_from_every_step(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        gone = an_entry("192.0.2.1/32")
        publisher.publish(gone, an_entry("192.0.2.2/32"))
        assert sync(configuration).exit is Exit.OK
        before = tmp_path / "before"
        shutil.copytree(configuration.state, before)
        publisher.publish(an_entry("192.0.2.3/32"), remove=[gone], snapshot=False)
        with killing(configuration, before, tmp_path / "operator" / "entries.json") as kill:
            word, _, number = kill(1_000_000).partition(" ")
            assert (word, listed(configuration)) == ("done", ["192.0.2.2/32", "192.0.2.3/32"])
            steps = int(number)
            assert steps > 100
            for step in some_of(steps, 23, at_best=3):
                stand.receipts.clear()
                assert kill(step) == "killed"
                assert listed(configuration) in (["192.0.2.1/32", "192.0.2.2/32"], ["192.0.2.2/32", "192.0.2.3/32"])
                # Old or new, entries and number together.
                sequence, entries = whole(configuration)
                assert (sequence, entries) in {(1, 2), (2, 2)}
                with open_state(configuration.state) as state:
                    held = {row.prefix for row in state.covering(["192.0.2.1/32", "192.0.2.3/32"])}
                    assert held == {"192.0.2.1/32" if sequence == 1 else "192.0.2.3/32"}
                    if marker := state.markers().get("entries.json"):
                        old_one = marker.positions[ROLES[0]][1] == 1
                        assert old_one or listed(configuration) == ["192.0.2.2/32", "192.0.2.3/32"]
                outcome = sync(configuration)
                assert (outcome.exit, outcome.faults) == (Exit.OK, ())
                assert outcome.position
                assert outcome.position.digest == publisher.digest()
                assert listed(configuration) == ["192.0.2.2/32", "192.0.2.3/32"]
                # Told at least once; told twice is the same receipt.
                assert {receipt["sequence"] for receipt in stand.told(publisher.session)} == {2}
                assert not list(configuration.state.glob("metadata/*/tmp*"))

    @pytest.mark.whole
    def test_converges_while_a_snapshot_is_loaded_and_removals_are_held(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        entries = [an_entry(f"192.0.2.{n}/32") for n in range(40)]
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        everything = listed(configuration)
        before = tmp_path / "before"
        shutil.copytree(configuration.state, before)
        for entry in entries[:30]:
            del publisher.entries[entry.id]
        new = an_entry("198.51.100.1/32")
        publisher.entries[new.id] = new
        publisher.session, publisher.sequence, publisher.files = secrets.token_hex(16), 2, []
        publisher.add_snapshot()
        publisher.publish(an_entry("198.51.100.2/32"), snapshot=False)
        wanted = sorted([*everything, "198.51.100.1/32", "198.51.100.2/32"])
        with killing(configuration, before, tmp_path / "operator" / "entries.json") as kill:
            word, _, number = kill(1_000_000).partition(" ")
            assert (word, sorted(listed(configuration))) == ("done", wanted)
            for step in some_of(int(number), 31, at_best=6):
                assert kill(step) == "killed"
                assert sorted(listed(configuration)) in (sorted(everything), wanted)
                sequence, count = whole(configuration)
                assert (sequence, count) in {(1, 40), (3, 12)}
                with open_state(configuration.state) as state:
                    # Whoever was protected still is: held in the list, or held back with it.
                    rows = {row.prefix for row in state.in_force_rows(now=now(), kept_after=now())}
                    assert rows >= set(everything)
                    assert state.held_counts(now=now()) == ({ROLES[0]: 30} if sequence == 3 else {})
                outcome = sync(configuration)
                assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovalsHeld"])
                assert whole(configuration) == (3, 12)
                assert sorted(listed(configuration)) == wanted
