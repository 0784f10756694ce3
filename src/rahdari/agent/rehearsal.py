"""A sync that changes nothing: on a copy of the state, with targets that are only looked at, and no receipt.

All that is fetched is verified as ever. The copy is made as SQLite copies a database that is in use, so a running agent
is not disturbed, and a lock is not needed.
"""

import datetime as dt
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rahdari.feed import kind_of

from .applying import moment_of
from .configuration import Configuration
from .disk import FILE, NoState, disk_faults
from .faults import AgentFault, Exit, gravest
from .folder import open_state
from .planning import Planned, plan, plan_as_json, plan_in_words, scratch
from .state import AgentState, Position
from .syncing import Agent, each_once


@dataclass(frozen=True)
class Rehearsed:
    """`before` and `after` are positions by role; `planned` has each target. `loaded` entries would count."""

    before: dict[str, Position]
    after: dict[str, Position]
    loaded: int
    planned: tuple[Planned, ...]
    seconds: float
    faults: tuple[AgentFault, ...]

    @property
    def exit(self) -> Exit:
        return gravest([fault.exit for fault in self.faults])

    @property
    def refused(self) -> bool:
        return any(fault.exit is Exit.UNTRUSTED for fault in self.faults)


class Rehearsal:
    """An agent whose work is only shown. `state` is a copy."""

    def __init__(self, configuration: Configuration, state: AgentState) -> None:
        self.configuration, self.state = configuration, state
        self._agent = Agent(configuration, state)
        self.server = self._agent.server

    def sync(self, *, now: dt.datetime, timestamp: bytes | None = None) -> Rehearsed:
        started = time.monotonic()
        before = self.state.positions()
        learned = self._agent.learn(now=now, timestamp=timestamp, audit=True)
        faults = list(learned.faults)
        after = self.state.positions()
        planned: list[Planned] = []
        loaded = 0
        if after:
            grace = dt.timedelta(hours=self.configuration.grace_hours) + self._agent.clock_lead
            moment, _ = moment_of(self.state, after, now=now, grace=grace, look=True)
            loaded = moment.loaded
            planned = [plan(target, moment) for target in self.configuration.targets]
        faults += [one.fault for one in planned if one.fault is not None]
        faults += self._agent.standing_faults(now=now, known=faults)
        return Rehearsed(before, after, loaded, tuple(planned), time.monotonic() - started, each_once(faults))

    def close(self) -> None:
        self._agent.close()


@contextmanager
def rehearsing(configuration: Configuration) -> Iterator[Rehearsal]:
    """Raises NoState and what else a state that cannot be read raises."""
    with tempfile.TemporaryDirectory(prefix="rahdari-rehearsal-", dir=scratch()) as folder:
        copy = Path(folder)
        _copy_state(configuration.state, copy)
        with open_state(copy) as state:
            rehearsal = Rehearsal(replace(configuration, state=copy), state)
            try:
                yield rehearsal
            finally:
                rehearsal.close()


def _copy_state(folder: Path, copy: Path) -> None:
    if not (folder / FILE).exists():
        raise NoState(folder)
    with disk_faults(folder):
        source = sqlite3.connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            target = sqlite3.connect(copy / FILE)
            try:
                source.backup(target)
            finally:
                target.close()
        finally:
            source.close()
        with suppress(FileNotFoundError):
            shutil.copytree(folder / "metadata", copy / "metadata")


def rehearsed_as_json(said: Rehearsed) -> dict[str, Any]:
    return {
        "dry_run": True,
        "ok": said.exit is Exit.OK,
        "streams": {
            role: {
                "from": said.before[role].sequence if role in said.before else None,
                "to": at.sequence,
                "entries": at.entries,
            }
            for role, at in said.after.items()
        },
        "in_force": said.loaded,
        "targets": [plan_as_json(one) for one in said.planned],
        "seconds": round(said.seconds, 3),
        "faults": [{"name": fault.name, "what": fault.what, "mend": fault.mend} for fault in said.faults],
    }


def rehearsed_in_words(said: Rehearsed) -> str:
    """Faults are told beside it."""
    lines = ["Nothing was changed."]
    for role, at in said.after.items():
        had = said.before.get(role)
        if had is None:
            lines.append(f"Edition {at.sequence} of {kind_of(role)} entries would be the first one here.")
        elif had.sequence != at.sequence:
            lines.append(f"Edition {at.sequence} of {kind_of(role)} entries would follow {had.sequence}.")
    if said.after:
        lines.append(f"{said.loaded} entries would count.")
        lines.append(plan_in_words(said.planned))
    return "\n".join(line for line in lines if line)
