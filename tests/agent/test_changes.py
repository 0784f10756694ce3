"""A target that takes changes only holds what one holds that reads everything: whatever happens in between."""

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rahdari.agent.folder import create, open_state
from rahdari.agent.schema import Stored, key_of
from rahdari.agent.state import ChangedPoint
from rahdari.agent.updating import Update
from rahdari.feed import ROLES, SetDigest
from rahdari.feed.entry import time_text
from tests.needs import fewer

BASE = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ids = st.integers(0, 5).map(lambda n: bytes([n]) * 16)
prefixes = st.sampled_from(["192.0.2.1/32", "192.0.2.2/32", "198.51.100.0/24", "2001:db8::/64"])
kinds = st.sampled_from([("any", None), ("udp", 443), ("tcp", 443)])
hours = st.integers(-30, 30)
roles = st.sampled_from(ROLES)


@dataclass(frozen=True)
class Own:
    prefix: str
    protocol: str
    port: int | None
    comment: str


class Targets(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        create(self.folder)
        self._opened = open_state(self.folder)
        self.state = self._opened.__enter__()
        # So that the log is cut now and then.
        self.state.most_changes = 12
        self.now = self.kept_after = BASE
        self.mark = ""
        self.held: set[ChangedPoint] = set()

    def teardown(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    @rule(role=roles, id=ids, prefix=prefixes, kind=kinds, begins=hours, lasts=st.integers(1, 40))
    def publish(self, role: str, id: bytes, prefix: str, kind: tuple[str, int | None], begins: int, lasts: int) -> None:
        start = self.now + begins * HOUR
        entry = Stored(id, key_of(prefix), *kind, time_text(start), time_text(start + lasts * HOUR))
        table, _ = self.state.list_names(role)
        with self.state.transaction():
            update = Update(self.state, role, table, SetDigest(), 0, self.now, stands=True)
            if found := self.state.entry(table, id):
                update._drop(*found, found[1].canonical)
            update._in(entry, entry.canonical)
            self.state.note_changes(update.changed)

    @rule(role=roles, id=ids, hold=st.booleans())
    def take_out(self, role: str, id: bytes, hold: bool) -> None:
        table, _ = self.state.list_names(role)
        with self.state.transaction():
            update = Update(self.state, role, table, SetDigest(), 0, self.now, stands=True)
            if found := self.state.entry(table, id):
                update._drop(*found, found[1].canonical)
            self.state.note_changes(update.changed)
            if hold:
                self.state.hold_lost(
                    table, role=role, session="", from_sequence=1, to_sequence=2, now=self.now, moved=True
                )

    @rule(role=st.one_of(st.none(), roles))
    def release(self, role: str | None) -> None:
        with self.state.transaction():
            self.state.release_held(role=role)

    @rule(role=roles, keep=st.sets(ids))
    def load_anew(self, role: str, keep: set[bytes]) -> None:
        entries = [entry for entry in self.state.entries(role) if entry.id in keep]
        with self.state.transaction():
            before, after = self.state.list_names(role)
            assert self.state.begin_list(role) == after
            self.state.fill(after, entries)
            self.state.index_list(after, self.now)
            self.state.compare_lists(before, after)
            self.state.forget_held_in(role, after)
            self.state.change_over(role)

    @rule(rows=st.lists(st.tuples(prefixes, kinds), max_size=2, unique=True))
    def add_own(self, rows: list[tuple[str, tuple[str, int | None]]]) -> None:
        with self.state.transaction():
            self.state.set_local([Own(prefix, *kind, "ours") for prefix, kind in rows], self.now)

    @rule(by=st.integers(1, 20), stale=st.booleans())
    def wait(self, by: int, stale: bool) -> None:
        self.now += by * HOUR
        self.kept_after = max(self.kept_after, self.now - 10 * HOUR) if stale else self.now

    @rule(by=st.integers(1, 20))
    def set_clock_back(self, by: int) -> None:
        self.now -= by * HOUR
        self.kept_after = min(self.kept_after, self.now)

    @precondition(lambda self: hasattr(self, "state"))
    @rule()
    def look(self) -> None:
        at = {"now": self.now, "kept_after": self.kept_after}
        changed = self.state.changes_since(self.mark, **at) if self.mark else None
        if changed is None:
            self.held = self.everything()
        else:
            points = set(changed)
            self.held = (self.held - points) | self.state.stands(points, **at)
        self.mark = self.state.mark(**at)
        assert self.held == self.everything()

    def everything(self) -> set[ChangedPoint]:
        rows = self.state.in_force_rows(now=self.now, kept_after=self.kept_after)
        return {ChangedPoint(row.prefix, row.protocol, row.port) for row in rows}

    @invariant()
    def counts_and_order_are_those_of_the_rows(self) -> None:
        if not hasattr(self, "state"):
            return
        rows = list(self.state.in_force_rows(now=self.now, kept_after=self.kept_after))
        keys = [(key_of(row.prefix), row.protocol, row.port or 0) for row in rows]
        assert keys == sorted(keys)
        counted = self.state.count_in_force(now=self.now, kept_after=self.kept_after)
        assert counted == (len(rows), sum(row.kept_stale for row in rows))


TestTargets = Targets.TestCase
TestTargets.settings = settings(max_examples=fewer(40, 15), stateful_step_count=25, deadline=None)


def test_what_is_held_back_before_it_begins_reaches_a_target_when_it_does() -> None:
    machine = Targets()
    machine.begin()
    try:
        machine.publish(ROLES[0], bytes(16), "192.0.2.1/32", ("any", None), begins=2, lasts=10)
        machine.take_out(ROLES[0], bytes(16), hold=True)
        machine.look()
        assert not machine.held and machine.state.next_change(now=machine.now) == BASE + 2 * HOUR
        machine.wait(2, stale=False)
        machine.look()
        assert machine.held == {ChangedPoint("192.0.2.1/32", "any", None)}
    finally:
        machine.teardown()
