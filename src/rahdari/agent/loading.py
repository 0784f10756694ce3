"""Loading all entries of a role from a snapshot, into a table beside the one that counts.

In many small transactions, so that neither memory nor the log of the database grows with it. Nothing of it counts until
`catching_up` has held it against what was signed and changed over to it; a load that was cut short leaves a table that
nobody reads, and the next load or the next start drops it.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rahdari.feed import DigestMismatch, EditionReader, SetDigest
from rahdari.feed.plain import Row

from .hashing import Counting, count_beside
from .schema import Stored
from .state import AgentState

# In one transaction.
ROWS = 50_000


@dataclass(frozen=True)
class Loaded:
    table: str
    digest: SetDigest
    entries: int


def load(state: AgentState, role: str, reader: EditionReader, body: BinaryIO, now: dt.datetime) -> Loaded:
    """`body` is what the reader reads. Raises FeedFault, EntryConflict, and what the state raises."""
    counting = count_beside(body, reader.header.count)
    # Nothing of this counts yet: the transaction that changes over brings all of it to the disk.
    with state.transaction(durable=False):
        table = state.begin_list(role)
    try:
        entries, plain = 0, True
        digest = SetDigest()
        for rows, fits in _batches(reader):
            with state.transaction(durable=False):
                state.fill(table, rows, now)
            if counting is None:
                digest.add_all(Stored(*row).canonical for row in rows)
            entries += len(rows)
            plain = plain and fits
        with state.transaction(durable=False):
            state.index_list(table)
        if counting is not None:
            digest = _counted(state, table, counting, plain=plain)
        if reader.header.digest_after != digest.hexdigest():
            raise DigestMismatch("after", reader.header.digest_after, digest.hexdigest())
    except BaseException:
        if counting is not None:
            counting.stop()
        state.drop_unfinished_lists()
        raise
    return Loaded(table, digest, entries)


def _batches(reader: EditionReader) -> Iterator[tuple[list[Row], bool]]:
    batch: list[Row] = []
    plain = True
    for rows, fits in reader.rows():
        batch += rows
        plain = plain and fits
        if len(batch) >= ROWS:
            yield batch, plain
            batch, plain = [], True
    if batch:
        yield batch, plain


def _counted(state: AgentState, table: str, counting: Counting, *, plain: bool) -> SetDigest:
    """What the second process counted, or the same from what was stored."""
    digest = counting.result() if plain else None
    if digest is None:
        counting.stop()
        digest = SetDigest()
        digest.add_all(row.canonical for row in state.rows_of(table))
    return digest
