"""Applying deltas to the entries of one role, within one transaction.

The digest is kept over what is published, entry by entry. What an update takes out of what stood before it is noted
apart (`State.note_lost`): whether it goes or is held back is decided when the whole update has been read.
"""

import datetime as dt

from rahdari.feed import DigestMismatch, EditionReader, Op, SetDigest

from .entries import EntryConflict
from .schema import Point, Stored
from .state import AgentState


class Update:
    """`table` is the one that counts, or one that is being filled (then nothing of it has stood before)."""

    def __init__(
        self,
        state: AgentState,
        role: str,
        table: str,
        digest: SetDigest,
        entries: int,
        now: dt.datetime,
        *,
        stands: bool,
    ) -> None:
        self._state, self._role, self._table, self._stands = state, role, table, stands
        self._holding, self._now = state.holds(role), now
        self.digest, self.entries = digest, entries
        self.changed: list[Point] = []
        self._highest = state.highest(table)
        self._next = self._highest + 1
        if stands:
            state.forget_lost()

    def follow(self, reader: EditionReader) -> None:
        """A delta that begins where we stand. Raises FeedFault, EntryConflict."""
        header = reader.header
        if header.digest_before != self.digest.hexdigest():
            raise DigestMismatch("before", header.digest_before, self.digest.hexdigest())
        for operation, entry, was in reader.with_bytes():
            stored = Stored.of(operation.entry)
            if operation.op is Op.REMOVE:
                self._out(stored, entry)
                continue
            if operation.was is not None and was is not None:
                self._out(Stored.of(operation.was), was)
            self._in(stored, entry)
        self._check_end(reader)

    def cover(self, reader: EditionReader) -> None:
        """A delta that began before us: it tells how each entry that changed since stands at its end."""
        for operation, entry, _ in reader.with_bytes():
            stored = Stored.of(operation.entry)
            found = self._state.entry(self._table, stored.id)
            if found is not None:
                self._drop(*found, found[1].canonical)
            if operation.op is not Op.REMOVE:
                self._in(stored, entry)
        self._check_end(reader)

    def _check_end(self, reader: EditionReader) -> None:
        if reader.header.digest_after != self.digest.hexdigest():
            raise DigestMismatch("after", reader.header.digest_after, self.digest.hexdigest())

    def _in(self, stored: Stored, canonical: bytes) -> None:
        self._state.put(self._table, self._next, stored, self._now)
        if self._holding and self._stands:
            self._state.forget_held(self._role, stored)
        self._next += 1
        self.entries += 1
        self.digest.add(canonical)
        self.changed.append(stored.point)

    def _out(self, stored: Stored, canonical: bytes) -> None:
        """Only the very entry that is meant."""
        found = self._state.entry(self._table, stored.id)
        if found is None or found[1] != stored:
            raise EntryConflict(stored.id.hex())
        self._drop(*found, canonical)

    def _drop(self, number: int, stored: Stored, canonical: bytes) -> None:
        self._state.take_out(self._table, number)
        # What came only within this update has never stood.
        if self._stands and number <= self._highest:
            self._state.note_lost(stored)
        self.entries -= 1
        self.digest.remove(canonical)
        self.changed.append(stored.point)
