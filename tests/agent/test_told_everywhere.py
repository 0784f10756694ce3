"""What the agent finds wrong is told alike by `status`, by the metrics and in the log, whatever it is."""

import datetime as dt
import importlib
import json
import logging
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rahdari.agent
from rahdari.agent.configuration import Configuration
from rahdari.agent.disk import DiskFull
from rahdari.agent.faults import AgentFault, Exit
from rahdari.agent.folder import open_state
from rahdari.agent.following import _log
from rahdari.agent.metrics_server import Showing
from rahdari.agent.state import AgentState
from rahdari.agent.syncing import Agent, SyncOutcome
from rahdari.cli import main
from tests.agent.feeds import Publisher, Stand, an_entry, names, now, sync, written
from tests.agent.test_metrics import read
from tests.needs import needs_namespaces, needs_program

ROOT = Path(__file__).resolve().parent.parent.parent

# Of commands that a person types, or of the announcer: no sync raises them.
TYPED = {"NotUnderstood", "AlreadyConfigured", "WelcomeUnclear", "NoConfiguration", "ConfigurationError"}
ANNOUNCED = {"SettingsUnusable", "RegisterNotReached", "Refused", "NotNow"}
# `run` does not begin with these: `status` says the same instead of an answer (`test_state`).
AT_THE_START = {"NoState", "StateOfNewerVersion", "StateBusy"}
# What the state alone says anew at each question: below, each by what makes it.
TIMELY = {"Stale", "SignatureOld", "RemovalsHeld"}


def every_fault() -> list[type[AgentFault]]:
    for module in pkgutil.walk_packages(rahdari.agent.__path__, "rahdari.agent."):
        importlib.import_module(module.name)

    def below(fault: type[AgentFault]) -> list[type[AgentFault]]:
        return [fault, *(deeper for one in fault.__subclasses__() for deeper in below(one))]

    found = {one.__name__: one for fault in AgentFault.__subclasses__() for one in below(fault)}
    return [found[name] for name in sorted(found.keys() - TYPED - ANNOUNCED - AT_THE_START - TIMELY)]


def follow_once(configuration: Configuration, agent: Agent, at: dt.datetime) -> tuple[SyncOutcome, dict[str, str]]:
    """One round of `run`: the outcome, and the page of metrics."""
    outcome = agent.sync(now=at)
    _log(outcome, "")
    with Showing(agent) as showing:
        showing.show(outcome)
        return outcome, read(showing.page)


def asked(configuration: Configuration, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = main(["agent", "status", "--json", "--config", str(written(configuration))])
    return code, json.loads(capsys.readouterr().out)


def named(said: dict[str, object]) -> set[str]:
    return {fault["name"] for fault in said["faults"]}  # type: ignore[attr-defined]


def in_page(page: dict[str, str]) -> set[str]:
    return {name.split('"')[1] for name in page if name.startswith("rahdari_agent_fault{")}


class TestEachFault:
    @pytest.mark.parametrize("is_full", [False, True], ids=["with-room", "on-a-full-disk"])
    def test_is_told_alike_everywhere(
        self,
        is_full: bool,
        publisher: Publisher,
        configuration: Configuration,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, "rahdari.agent")

        def full(self: AgentState, **_: object) -> None:
            raise DiskFull(configuration.state)

        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            for number, kind in enumerate(every_fault()):
                publisher.publish(an_entry(f"192.0.2.{number + 1}/32"), snapshot=False)
                # As it is raised, with words of its own.
                fault = kind.__new__(kind)
                AgentFault.__init__(fault, f"It is {kind.__name__} that happened.", "Mend it.")

                def raises(*_: object, fault: AgentFault = fault, **__: object) -> None:
                    raise fault

                with monkeypatch.context() as patch:
                    patch.setattr(agent.targets, "apply", raises)
                    if is_full:
                        patch.setattr(AgentState, "transaction", full)
                    outcome, page = follow_once(configuration, agent, now())
                wrong = set(names(outcome))
                assert kind.__name__ in wrong
                assert ("DiskFull" in wrong) == (is_full or kind is DiskFull)
                code, said = asked(configuration, capsys)
                assert named(said) == in_page(page) == wrong
                alarms = outcome.exit is not Exit.OK
                assert (code, said["ok"]) == ((1, False) if alarms or said["unapplied"] else (0, True)), kind
                assert page["rahdari_agent_exit_code"] == str(int(outcome.exit))
                for one in outcome.faults:
                    assert str(one) in caplog.text
                # And when it is over, nobody goes on telling it.
                assert agent.sync(now=now()).faults == ()
            agent.close()
        assert asked(configuration, capsys)[1]["faults"] == []


class TestTime:
    @pytest.mark.parametrize(
        ("later", "name"),
        [
            (-dt.timedelta(days=1), "ClockWrong"),
            (dt.timedelta(minutes=20), "SignatureOld"),
            (dt.timedelta(hours=2), "Stale"),
            (dt.timedelta(hours=2), "Expired"),
        ],
    )
    def test_is_told_alike_everywhere(
        self,
        later: dt.timedelta,
        name: str,
        publisher: Publisher,
        stand: Stand,
        configuration: Configuration,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A clock that is behind as well, though nothing was verified before it was."""
        at = now() + later
        monkeypatch.setattr("rahdari.agent.commands.status.now", lambda: at)
        stand.lag = later
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            if later > dt.timedelta():
                agent.sync(now=now())
                if name == "Expired":
                    publisher.lifetime = -dt.timedelta(seconds=1)
                    publisher.sign()
                else:
                    stand.token = "another"
            outcome, page = follow_once(configuration, agent, at)
            agent.close()
        assert name in names(outcome)
        code, said = asked(configuration, capsys)
        assert code == 1
        assert named(said) == in_page(page) == set(names(outcome))


class TestHeldRemovals:
    def test_are_told_alike_everywhere(
        self,
        publisher: Publisher,
        configuration: Configuration,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, "rahdari.agent")
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 51)]
        publisher.publish(*entries)
        sync(configuration)
        publisher.publish(remove=entries[:30])
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            outcome, page = follow_once(configuration, agent, now())
            agent.close()
        code, said = asked(configuration, capsys)
        assert named(said) == in_page(page) == set(names(outcome)) == {"RemovalsHeld"}
        assert re.search(r"edition \d+ \(dynamic \d+, canary \d+\): \d+ entries applied to ", caplog.text)
        assert (code, page["rahdari_agent_exit_code"]) == (1, "1")
        assert main(["agent", "status", "--config", str(written(configuration))]) == 1
        assert (
            "20 of 20 entries count now; 30 more, taken out of the editions, are held back." in capsys.readouterr().out
        )


@pytest.mark.root
class TestFullDisk:
    """A disk that really is full, in a mount namespace of its own (`asked_on_full_disk`)."""

    def test_is_told_and_what_is_held_is_applied_and_answered(self, tmp_path: Path) -> None:
        needs_namespaces()
        unshare = needs_program("unshare", "apt-get install util-linux")
        command = [unshare, "--mount", sys.executable, "-m", "tests.agent.asked_on_full_disk", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert result.returncode == 0, result.stderr
        said = json.loads(result.stdout)
        for when in ("running", "started", "later"):
            assert "DiskFull" in said[when]["outcome"], when
            assert said[when]["status"] == [1, said[when]["outcome"]], when
            assert said[when]["metrics"] == said[when]["outcome"], when
            assert said[when]["check"] == [0, 7], when
            assert said[when]["in_force"] == said[when]["full_told"] == 1, when
        # After a boot, say: the targets are empty, and there is no room to write down that they are not.
        assert said["started"]["applied"] == ["192.0.2.1/32"]
        assert said["idle"] == [0, 7]
        assert ["RemovedLocally" in said[when]["outcome"] for when in ("started", "later")] == [True, False]
        assert said["room"].pop("in_force") == 2
        assert said["room"].pop("full_told") == 0
        assert said["room"] == {
            "outcome": [],
            "status": [0, []],
            "metrics": [],
            "check": [0, 0],
            "applied": ["192.0.2.1/32", "192.0.2.2/32"],
        }
