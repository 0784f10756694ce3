"""Holding back removals that are too many at once (rule 7), and letting them go.

Additions and replacements apply, the digest follows what is published, and the entries that would go are kept apart,
enforced and reported, until a statement signed by the offline keys covers them or the operator releases them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rahdari.feed import BulkStatement, kind_of

from .faults import AgentFault, Exit
from .rules import REMOVALS_COUNT, REMOVALS_PERCENT, REMOVALS_WINDOW, STEADY_ROLES, removals_allowed
from .state import AgentState, Position


class RemovalsHeld(AgentFault):
    exit = Exit.ALARM

    def __init__(self, role: str, count: int) -> None:
        super().__init__(
            f"{count} removals of {kind_of(role)} entries are held back: more than {REMOVALS_PERCENT} % and more than "
            f"{REMOVALS_COUNT} would have gone within a day. These entries stay enforced.",
            "Ask the authority whether this is meant. If so, say `rahdari agent release` or wait for its statement.",
        )
        self.role, self.count = role, count


@dataclass(frozen=True)
class Statement:
    """A bulk statement, and the path under which it is signed."""

    path: str
    content: BulkStatement


@dataclass(frozen=True)
class Span:
    """An update: from the edition held (exclusive) to the one reached."""

    role: str
    session: str
    from_sequence: int
    to_sequence: int


def update_hold(
    *,
    state: AgentState,
    before: Position,
    after: Position,
    table: str,
    statements: Sequence[Statement],
    now: dt.datetime,
) -> None:
    """Decide on what the update took out: within the transaction that changes entries and position."""
    span = Span(after.role, after.session, before.sequence, after.sequence)
    count = state.count_lost(table, now=now, moved=after.role in STEADY_ROLES)
    if not count:
        return
    window = state.removals_since(after.role, now - REMOVALS_WINDOW)
    allowed = removals_allowed(of=before.entries, within_window=window)
    if count <= allowed:
        state.note_removals(after.role, count, now)
        return
    if _spend(state, statements, span, count, allowed, now):
        return
    state.hold_lost(
        table,
        role=after.role,
        session=after.session,
        from_sequence=before.sequence,
        to_sequence=after.sequence,
        now=now,
        moved=after.role in STEADY_ROLES,
    )


def release_stated(*, state: AgentState, statements: Sequence[Statement], now: dt.datetime) -> int:
    """Let go what was held back before its statement came."""
    released = 0
    if not statements:
        return released
    positions = state.positions()
    for (role, session, start, end), count in state.held_spans().items():
        entries = positions[role].entries if role in positions else 0
        window = state.removals_since(role, now - REMOVALS_WINDOW)
        allowed = removals_allowed(of=entries + count, within_window=window)
        if _spend(state, statements, Span(role, session, start, end), count, allowed, now):
            released += state.release_held(role=role, span=(session, start, end))
    return released


def release(*, state: AgentState, role: str | None, now: dt.datetime) -> int:
    """The operator's word: let go what is held back. Returns how many entries that were."""
    with state.transaction():
        return state.release_held(role=role)


def held_faults(state: AgentState, now: dt.datetime) -> list[AgentFault]:
    return [RemovalsHeld(role, count) for role, count in state.held_counts(now=now).items()]


def _spend(
    state: AgentState, statements: Sequence[Statement], span: Span, count: int, allowed: int, now: dt.datetime
) -> bool:
    """Whether statements cover these removals; then so much of them is used up."""
    left = [
        (statement, statement.content.removals - state.used_of(statement.path))
        for statement in statements
        if _meets(statement.content, span)
    ]
    if count > sum(rest for _, rest in left) + allowed:
        return False
    open_count = count
    for statement, rest in left:
        used = min(rest, open_count)
        state.use(statement.path, used)
        open_count -= used
    if open_count:
        state.note_removals(span.role, open_count, now)
    return True


def _meets(said: BulkStatement, span: Span) -> bool:
    same = (said.role, said.session) == (span.role, span.session)
    return same and said.from_sequence < span.to_sequence and span.from_sequence < said.to_sequence
