"""The documentation names all there is."""

import importlib
import pkgutil
from pathlib import Path

import rahdari.agent
from rahdari.agent import configuration
from rahdari.agent.faults import AgentFault, Exit
from rahdari.agent.sets import SET_NAMES
from rahdari.agent.targets_configuration import TARGET_SETTINGS

ROOT = Path(__file__).resolve().parent.parent.parent
AGENT = (ROOT / "docs" / "agent.md").read_text()
DEVICES = "".join(path.read_text() for path in sorted((ROOT / "docs" / "devices").glob("*.md")))


def every_fault() -> list[type[AgentFault]]:
    for module in pkgutil.walk_packages(rahdari.agent.__path__, "rahdari.agent."):
        importlib.import_module(module.name)
    return AgentFault.__subclasses__()


def test_every_fault_is_named_with_its_exit_code() -> None:
    rows = [line for line in AGENT.splitlines() if line.startswith("| `")]
    for fault in every_fault():
        codes = [row.split("|")[2].strip() for row in rows if f"`{fault.__name__}`" in row]
        assert codes == [str(int(fault.exit))], fault.__name__


def test_every_setting_set_and_exit_code_is_named() -> None:
    for name in (*configuration._TOP, *SET_NAMES):
        assert f"`{name}`" in AGENT or f"[[{name}]]" in AGENT, name
    for name in {*TARGET_SETTINGS, *(name for known in TARGET_SETTINGS.values() for name in known)}:
        assert f"`{name}`" in DEVICES, name
    for code in Exit:
        assert f"| {int(code)} |" in AGENT


def test_every_act_and_option_is_named() -> None:
    import argparse

    from rahdari.agent.commands import register

    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    register(subparsers)
    acts = next(
        action for action in subparsers.choices["agent"]._actions if isinstance(action, argparse._SubParsersAction)
    )
    for name, act in acts.choices.items():
        assert f"`rahdari agent {name}" in AGENT
        for option in act._option_string_actions:
            if option.startswith("--") and option != "--help":
                assert option in AGENT or option.removeprefix("--").replace("-", "_") in AGENT, (name, option)
