"""Trying without changing anything: neither the state nor a target, and a running agent is not disturbed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, NftTarget, file_target
from rahdari.agent.faults import Exit
from rahdari.agent.folder import sole_agent
from rahdari.agent.rehearsal import Rehearsed, rehearsing
from rahdari.agent.ruleset import ruleset
from rahdari.cli import main
from tests.agent.feeds import Publisher, Stand, an_entry, now, sync, written
from tests.agent.namespaces import a_namespace
from tests.needs import needs_program
from tests.push.process import PATIENCE
from tests.waiting import until


def rehearsed(configuration: Configuration) -> Rehearsed:
    with rehearsing(configuration) as rehearsal:
        return rehearsal.sync(now=now())


def everything(folder: Path) -> dict[str, str]:
    """All files of a machine, by their bytes; SQLite's own index of its log is none of them."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@contextmanager
def nothing_changes(folder: Path, stand: Stand) -> Iterator[None]:
    before, told = everything(folder), len(stand.receipts)
    yield
    assert everything(folder) == before
    assert len(stand.receipts) == told


class TestDryRun:
    def test_says_what_would_come_and_go(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        csv = file_target("csv", "e.csv", tmp_path / "operator" / "e.csv")
        configuration = replace(configuration, targets=(csv,))
        first, second = an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32")
        publisher.publish(first, second)
        sync(configuration)
        publisher.publish(an_entry("192.0.2.3/32"), an_entry("192.0.2.4/32"), remove=[second])
        with nothing_changes(tmp_path / "operator", stand):
            said = rehearsed(configuration)
        assert said.exit is Exit.OK
        assert (said.before["feed-static"].sequence, said.after["feed-static"].sequence) == (1, 2)
        (planned,) = said.planned
        assert (planned.target, planned.unit, planned.added, planned.removed) == ("e.csv", "lines", 2, 1)
        assert planned.first_added[0].startswith("192.0.2.3/32,any,")
        assert planned.first_removed[0].startswith("192.0.2.2/32,any,")
        assert said.loaded == 3
        # And that is what comes.
        sync(configuration)
        assert len(csv.path.read_text().splitlines()) == 4
        (planned,) = rehearsed(configuration).planned
        assert (planned.added, planned.removed) == (0, 0)

    def test_before_the_first_sync_shows_the_first_edition(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(*(an_entry(f"192.0.2.{number}/32") for number in range(1, 31)))
        with nothing_changes(tmp_path / "operator", stand):
            (planned,) = rehearsed(configuration).planned
        assert planned.added >= 30
        assert len(planned.first_added) == 5

    def test_verifies_as_ever(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        sync(configuration)
        publisher.publish(an_entry("192.0.2.1/32"))
        other = Publisher(tmp_path / "other")
        stand.spoil = lambda path, answer: (200, other.stamp()) if "timestamp" in path else answer
        with nothing_changes(tmp_path / "operator", stand):
            said = rehearsed(configuration)
        assert (said.exit, said.refused) == (Exit.UNTRUSTED, True)
        assert said.after == said.before

    def test_tells_what_would_not_work(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        small = file_target("palo-alto", "edl", tmp_path / "operator" / "edl.txt", capacity=2)
        configuration = replace(configuration, targets=(small,))
        publisher.publish(*(an_entry(f"192.0.2.{number}/32") for number in (1, 3, 5, 7)))
        with nothing_changes(tmp_path / "operator", stand):
            said = rehearsed(configuration)
        assert (said.exit, [fault.name for fault in said.faults]) == (Exit.NOT_APPLIED, ["OverCapacity"])

    def test_counts_removals_that_would_be_held_back(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 51)]
        publisher.publish(*entries)
        sync(configuration)
        publisher.publish(remove=entries[:30])
        with nothing_changes(tmp_path / "operator", stand):
            said = rehearsed(configuration)
        assert [fault.name for fault in said.faults] == ["RemovalsHeld"]
        assert said.loaded == 50

    def test_of_what_is_compared_as_a_whole(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        mmdb = file_target("mmdb", "e.mmdb", tmp_path / "operator" / "e.mmdb")
        configuration = replace(configuration, targets=(mmdb,))
        publisher.publish(an_entry("192.0.2.1/32"))
        (planned,) = rehearsed(configuration).planned
        assert (planned.unit, planned.added) == ("files", 1)

    def test_needs_no_lock_and_lets_a_running_agent_work(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        with sole_agent(configuration.state), rehearsing(configuration) as rehearsal:
            publisher.publish(an_entry("192.0.2.1/32"))
            assert rehearsal.sync(now=now()).exit is Exit.OK

    def test_without_a_state_says_how_to_make_one(
        self, configuration: Configuration, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        elsewhere = replace(configuration, state=tmp_path / "nowhere")
        assert main(["agent", "sync", "--dry-run", "--config", str(written(elsewhere))]) == Exit.STATE
        assert "rahdari agent init" in capsys.readouterr().err
        assert not (tmp_path / "nowhere").exists()


class TestCommand:
    def test_tells_a_person_and_a_program(
        self,
        tmp_path: Path,
        publisher: Publisher,
        stand: Stand,
        configuration: Configuration,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        publisher.publish(*(an_entry(f"192.0.2.{number}/32") for number in range(1, 31)))
        options = ["agent", "sync", "--dry-run", "--config", str(written(configuration))]
        with nothing_changes(tmp_path / "operator", stand):
            assert main(options) == 0
            said = capsys.readouterr().out
            assert main([*options, "--json"]) == 0
            told = json.loads(capsys.readouterr().out)
        assert said.startswith("Nothing was changed.\nEdition 1 of static entries would be the first one here.\n")
        assert "30 entries would count.\n" in said
        assert "lines would come, 0 would go" in said
        assert "more" in said
        assert told["streams"]["feed-static"] == {"from": None, "to": 1, "entries": 30}
        assert (told["dry_run"], told["ok"], told["targets"][0]["removed"]) == (True, True, 0)

    def test_of_run_follows_and_changes_nothing(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        sync(configuration)
        file = written(configuration)
        log = tmp_path / "run.log"
        publisher.publish(an_entry("192.0.2.1/32"))
        with nothing_changes(tmp_path / "operator", stand), log.open("wb") as output:
            command = [sys.executable, "-m", "rahdari", "agent", "run", "--dry-run", "--config", str(file)]
            environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
            try:
                until(lambda: "Edition 1 of static entries would follow 0." in log.read_text(), log)
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()


class TestDevice:
    @pytest.mark.root
    def test_is_looked_at_and_left_alone(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        needs_program("nft", "apt-get install nftables")
        with a_namespace() as namespace:
            namespace.nft("-f", "-", given=ruleset())
            target = NftTarget("rahdari", netns=namespace.name)
            configuration = replace(configuration, targets=(target,))
            first = an_entry("192.0.2.1/32", "udp", 51820)
            publisher.publish(first, an_entry("198.51.100.0/24"))
            assert sync(configuration).exit is Exit.OK
            before = namespace.nft("list", "ruleset")
            publisher.publish(an_entry("192.0.2.9/32", "udp", 51820), an_entry("2001:db8::/48"), remove=[first])
            said = rehearsed(configuration)
            assert namespace.nft("list", "ruleset") == before
        (planned,) = said.planned
        assert (planned.unit, planned.added, planned.removed, planned.fault) == ("elements", 2, 1, None)
        assert planned.first_removed == ["host_ports4 192.0.2.1 . udp . 51820"]
        assert planned.first_added == ["host_ports4 192.0.2.9 . udp . 51820", "nets6 2001:db8::/48"]
