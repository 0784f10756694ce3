"""Loading all entries of a role from a snapshot, into a table beside the one that counts.

In many small transactions, so that neither memory nor the log of the database grows with it. Nothing of it counts until
`catching_up` has held it against what was signed and changed over to it; a load that was cut short leaves a table that
nobody reads, and the next load or the next start drops it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched

from rahdari.proof import DigestMismatch, EditionReader, SetDigest

from .schema import Stored
from .state import State

ROWS = 20_000


@dataclass(frozen=True)
class Loaded:
    table: str
    digest: SetDigest
    entries: int


def load(state: State, role: str, reader: EditionReader) -> Loaded:
    """Raises FeedFault, EntryConflict, and what the state raises."""
    digest, entries = SetDigest(), 0

    def rows() -> Iterator[Stored]:
        for operation, canonical, _ in reader.with_bytes():
            digest.add(canonical)
            yield Stored.of(operation.entry)

    with state.transaction():
        table = state.begin_list(role)
    try:
        for some in batched(rows(), ROWS):
            with state.transaction():
                state.fill(table, some)
            entries += len(some)
        if reader.header.digest_after != digest.hexdigest():
            raise DigestMismatch("after", reader.header.digest_after, digest.hexdigest())
        with state.transaction():
            state.index_list(table)
    except BaseException:
        state.drop_unfinished_lists()
        raise
    return Loaded(table, digest, entries)
