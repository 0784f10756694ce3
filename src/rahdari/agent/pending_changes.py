"""What there is to apply, as seen at one moment: the entries that count, and what changed since a target looked."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched

from rahdari.feed.entry import time_text

from .renderers.renderer import Head
from .state import AgentState, ChangedPoint, EntryRow, Position

# Above this, to read everything is quicker than to ask for each.
MOST_CHANGES = 20_000
ASKED_AT_ONCE = 500


@dataclass(frozen=True)
class Moment:
    """`loaded` entries count. `look`: what stands at the targets is to be read."""

    state: AgentState
    now: dt.datetime
    kept_after: dt.datetime
    positions: Mapping[str, Position]
    loaded: int
    look: bool
    _changes: dict[str, "set[ChangedPoint] | None"] = field(default_factory=dict)

    def rows(self) -> Iterator[EntryRow]:
        """All that counts, in order; a stream."""
        return self.state.in_force_rows(now=self.now, kept_after=self.kept_after)

    def changes(self, mark: str) -> "set[ChangedPoint] | None":
        """What may have changed since; None when that is not known, or is much. Targets in step ask the same."""
        if mark not in self._changes:
            found = self.state.changes_since(mark, now=self.now, kept_after=self.kept_after) if mark else None
            points: set[ChangedPoint] | None = None
            if found is not None:
                points = set()
                for point in found:
                    points.add(point)
                    if len(points) > MOST_CHANGES:
                        points = None
                        break
            self._changes[mark] = points
        return self._changes[mark]

    def standing(self, prefixes: Iterable[str]) -> Iterator[EntryRow]:
        """The entries of these very prefixes that count."""
        at, after = time_text(self.now), time_text(self.kept_after)
        for some in batched(sorted(set(prefixes)), ASKED_AT_ONCE):
            for row in self.state.covering(list(some)):
                if row.local or (row.not_before <= at and row.not_after > after):
                    yield row

    @property
    def stands(self) -> dict[str, tuple[str, int]]:
        return {role: (position.session, position.sequence) for role, position in self.positions.items()}

    @property
    def mark(self) -> str:
        return self.state.mark(now=self.now, kept_after=self.kept_after)

    @property
    def head(self) -> Head:
        held = self.positions.items()
        return Head(tuple((role, at.session, at.sequence, at.digest) for role, at in held), self.now)
