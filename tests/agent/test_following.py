"""The real thing: granian serves the feed, `rahdari agent run` follows it in a process of its own."""

import base64
import datetime as dt
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

from rahdari.agent.configuration import Configuration, FileTarget
from rahdari.agent.folder import open_state
from rahdari.agent.status import status
from rahdari.agent.status_file import remembered
from tests.agent.feeds import TOKEN, Publisher, Stand, a_configuration, an_entry, listed, now, sync, written
from tests.push.feeds import allow, metadata_of
from tests.push.process import PATIENCE, pushing
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The publisher's data folder."""
    return tmp_path / "data"


def publishing(data: Path) -> Publisher:
    """As `publish` lays it out for the pushing process: a repository for the operator, one shelf for all files."""
    publisher = Publisher(metadata_of(data).parent, shelf=data / "feed" / "targets")
    allow(data, tokens=(("sample-one", TOKEN),))
    return publisher


@contextmanager
def following(configuration: Configuration, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "rahdari", "agent", "run", "--config", str(written(configuration))]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


class TestRun:
    def test_applies_each_edition_as_it_is_pushed_and_stops_when_asked(self, tmp_path: Path, data: Path) -> None:
        publisher = publishing(data)
        log = tmp_path / "agent.log"
        with pushing(data, tmp_path / "push.log") as (_, port):
            configuration = a_configuration(tmp_path / "operator", f"http://127.0.0.1:{port}", publisher.root_file)
            with following(configuration, log) as process:
                until(lambda: "listening" in log.read_text(), log)
                # Far below the minute at which it would ask by itself: each comes by push.
                for number in range(1, 6):
                    publisher.publish(an_entry(f"192.0.2.{number}/32"), snapshot=False)
                    until(lambda: len(listed(configuration)) == publisher.sequence, log)
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0
        assert "stopped; what was applied stays enforced" in log.read_text()
        assert "Traceback" not in log.read_text()

    def test_goes_on_when_the_pushing_process_was_away(self, tmp_path: Path, data: Path) -> None:
        publisher = publishing(data)
        log = tmp_path / "agent.log"
        with pushing(data, tmp_path / "push.log") as (_, port):
            configuration = a_configuration(tmp_path / "operator", f"http://127.0.0.1:{port}", publisher.root_file)
            following_it = following(configuration, log)
            process = following_it.__enter__()
            until(lambda: "listening" in log.read_text(), log)
        try:
            publisher.publish(an_entry("192.0.2.1/32"))
            until(lambda: "cannot be reached" in log.read_text(), log)
            assert listed(configuration) == []
            with pushing(data, tmp_path / "push.log", port=port):
                until(lambda: listed(configuration) == ["192.0.2.1/32"], log)
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 0
        finally:
            following_it.__exit__(None, None, None)

    def test_honours_the_end_of_an_entry_by_itself(self, tmp_path: Path, data: Path) -> None:
        publisher = publishing(data)
        log = tmp_path / "agent.log"
        ends = an_entry("192.0.2.1/32")
        publisher.publish(ends, an_entry("192.0.2.2/32"))
        with pushing(data, tmp_path / "push.log") as (_, port):
            configuration = a_configuration(tmp_path / "operator", f"http://127.0.0.1:{port}", publisher.root_file)
            with following(configuration, log):
                until(lambda: listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"], log)
                # Only now, or a busy machine would first look at what has ended.
                publisher.publish(an_entry(ends.prefix, id=ends.id, not_after=now() + dt.timedelta(seconds=2)))
                until(lambda: listed(configuration) == ["192.0.2.2/32"], log)

    def test_needs_the_state_for_itself(self, tmp_path: Path, stand: Stand, configuration: Configuration) -> None:
        log = tmp_path / "agent.log"
        with following(configuration, log):
            until(lambda: "applied" in log.read_text(), log)
            command = [sys.executable, "-m", "rahdari", "agent"]
            options = ["--config", str(written(configuration))]
            second = subprocess.run([*command, "sync", *options], capture_output=True, text=True)
            assert second.returncode == 6
            assert "Another agent (process " in second.stderr
            # Asking does not need it.
            asked = subprocess.run([*command, "status", "--json", *options], capture_output=True, text=True)
            assert json.loads(asked.stdout)["sequence"] == 0

    def test_tells_what_is_wrong_once_and_that_it_is_well_again(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        log = tmp_path / "agent.log"
        missing = tmp_path / "operator" / "not-yet" / "entries.json"
        configuration = replace(configuration, targets=(FileTarget("json", "entries.json", missing),))
        with following(configuration, log):
            until(lambda: "could not be written" in log.read_text(), log)
            asked = len(stand.asked)
            until(lambda: len(stand.asked) > asked + 2, log)
            missing.parent.mkdir()
            until(lambda: "all is well again" in log.read_text(), log)
        assert log.read_text().count("could not be written") == 1

    def test_tells_once_that_the_terms_are_not_accepted_and_says_that_all_is_well(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        log = tmp_path / "agent.log"
        missing = tmp_path / "operator" / "not-yet" / "entries.json"
        targets = (FileTarget("json", "entries.json", missing),)
        with following(replace(configuration, targets=targets, terms=""), log):
            until(lambda: "could not be written" in log.read_text(), log)
            missing.parent.mkdir()
            until(lambda: "all is well again" in log.read_text(), log)
        assert log.read_text().count("rahdari agent terms --accept") == 1

    def test_forged_events_only_make_it_ask_and_not_often(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        log = tmp_path / "agent.log"
        other = Publisher(tmp_path / "other")
        forged = json.dumps({"timestamp": base64.b64encode(other.stamp()).decode()})

        def flood(path: str, answer: tuple[int, bytes]) -> object:
            if path != "/feed/events":
                return answer
            return (f"id: {number}\ndata: {forged}\n\n".encode() for number in range(300))

        stand.spoil = flood  # type: ignore[assignment]
        with following(configuration, log):
            until(lambda: log.read_text().count("what was pushed is refused") >= 2, log)
            publisher.publish(an_entry("192.0.2.2/32"))
            # The server itself has it, and is asked because of the next forged word.
            until(lambda: listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"], log)
        assert stand.asked.count("/feed/metadata/timestamp.json") < 20
        with open_state(configuration.state) as state:
            assert remembered(state.folder) == []

    def test_an_old_event_said_again_raises_no_alarm(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        old = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(configuration)
        log = tmp_path / "agent.log"
        said = json.dumps({"timestamp": base64.b64encode(old).decode()})
        stand.spoil = lambda path, answer: (  # type: ignore[assignment,return-value]
            iter([f"id: 1\ndata: {said}\n\n".encode()]) if path == "/feed/events" else answer
        )
        with following(configuration, log):
            until(lambda: "what was pushed is refused" in log.read_text(), log)
            until(lambda: stand.asked.count("/feed/events") >= 2, log)
        with open_state(configuration.state) as state:
            assert remembered(state.folder) == []
        assert listed(configuration) == ["192.0.2.1/32"]


class TestStatus:
    def test_says_what_is_held_and_applied(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(configuration)
        with open_state(configuration.state) as state:
            said = status(configuration=configuration, state=state, now=now())
        assert (said.exit, said.in_force, said.unapplied) == (0, 1, ())
