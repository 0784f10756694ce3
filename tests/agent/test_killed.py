"""Killed before any step that writes, the next sync comes to the same end."""

import shutil
import subprocess
import sys
from pathlib import Path

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.proof import ROLES
from tests.agent.feeds import Publisher, Stand, an_entry, listed, sync, written
from tests.needs import everything_is_needed


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
        entries = tmp_path / "operator" / "entries.json"
        old = entries.read_bytes()
        file = written(configuration)
        command = [sys.executable, "-m", "tests.agent.killing"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as killer:
            assert killer.stdin
            assert killer.stdout

            def kill(step: int) -> str:
                entries.write_bytes(old)
                killer.stdin.write(f"{file}\t{before}\t{step}\n")  # type: ignore[union-attr]
                killer.stdin.flush()  # type: ignore[union-attr]
                return killer.stdout.readline().strip()  # type: ignore[union-attr]

            word, _, number = kill(1_000_000).partition(" ")
            assert (word, listed(configuration)) == ("done", ["192.0.2.2/32", "192.0.2.3/32"])
            steps = int(number)
            assert steps > 100
            for step in range(0, steps, 1 if everything_is_needed() else 7):
                stand.receipts.clear()
                assert kill(step) == "killed"
                assert listed(configuration) in (["192.0.2.1/32", "192.0.2.2/32"], ["192.0.2.2/32", "192.0.2.3/32"])
                with open_state(configuration.state) as state:
                    position = state.position(ROLES[0])
                    assert position is not None
                    # Old or new, entries and number together.
                    assert (position.sequence, state.count()) in {(1, 2), (2, 2)}
                    held = {row.prefix for row in state.covering(["192.0.2.1/32", "192.0.2.3/32"])}
                    assert held == {"192.0.2.1/32" if position.sequence == 1 else "192.0.2.3/32"}
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
            killer.stdin.close()


ROOT = Path(__file__).resolve().parent.parent.parent
