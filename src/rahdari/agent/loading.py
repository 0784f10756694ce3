"""Loading all entries of a role from a snapshot, into a table beside the one that counts.

In many small transactions, so that neither memory nor the log of the database grows with it. Nothing of it counts until
`catching_up` has held it against what was signed and changed over to it; a load that was cut short leaves a table that
nobody reads, and the next load or the next start drops it.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import batched, chain
from typing import BinaryIO

from rahdari.feed import DigestMismatch, EditionReader, SetDigest
from rahdari.feed.plain import entries_in

from .hashing import count_beside
from .schema import Stored
from .state import AgentState

# In one transaction: about 50,000 rows.
BLOCKS = 160


@dataclass(frozen=True)
class Loaded:
    table: str
    digest: SetDigest
    entries: int


def load(state: AgentState, role: str, reader: EditionReader, body: BinaryIO, now: dt.datetime) -> Loaded:
    """`body` is what the reader reads. Raises FeedFault, EntryConflict, and what the state raises."""
    # Nothing of this counts yet: the transaction that changes over brings all of it to the disk.
    with state.transaction(durable=False):
        table = state.begin_list(role)
    counting = count_beside(body, reader.header.count)
    try:
        entries, fits = 0, True
        digest = SetDigest()
        for some in batched(enumerate(reader.rows()), BLOCKS):
            with state.transaction(durable=False):
                state.fill(table, chain.from_iterable(rows for _, (rows, _) in some))
            for number, (rows, block) in some:
                entries += len(rows)
                if counting is not None and counting.counts(number):
                    fits = fits and block is not None
                elif block is not None:
                    digest.add_all(entries_in(block))
                else:
                    digest.add_all(Stored(*row).canonical for row in rows)
        with state.transaction(durable=False):
            state.index_list(table, now)
        if counting is not None and not (fits and counting.add_to(digest)):
            digest = SetDigest()
            digest.add_all(row.canonical for row in state.rows_of(table))
        if reader.header.digest_after != digest.hexdigest():
            raise DigestMismatch("after", reader.header.digest_after, digest.hexdigest())
    except BaseException:
        state.drop_unfinished_lists()
        raise
    finally:
        if counting is not None:
            counting.stop()
    return Loaded(table, digest, entries)
