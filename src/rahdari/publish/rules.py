"""Pure rules of the publisher: what a change says in the feed, which files are live, how an operator stands."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from rahdari.proof import FeedEntry, Op, Operation
from rahdari.proof.entry import FIELDS

# One delta holds at most so many changes; a long backlog becomes several editions.
CHANGES_IN_AN_EDITION = 10_000
SNAPSHOT_EVERY = 64
# While a snapshot is written, changes that came are published after so many of its entries (some 50 milliseconds).
ENTRIES_AT_A_TIME = 2_000
# With the two snapshots these are all the targets that role `feed` lists: about a hundred, as TUF metadata is read
# whole by every agent at every edition.
LIVE_DELTAS = 96
LIVE_SNAPSHOTS = 2
# How long a file stays after the metadata no longer name it: an agent may be in the middle of reading it.
KEPT_UNREFERENCED = dt.timedelta(hours=24)

ROOT_LASTS = dt.timedelta(days=365)
TARGETS_LAST = dt.timedelta(days=90)
FEED_LASTS = dt.timedelta(days=7)
SNAPSHOT_LASTS = dt.timedelta(hours=24)
TIMESTAMP_LASTS = dt.timedelta(hours=1)
TIMESTAMP_EVERY = dt.timedelta(minutes=5)

# An operator within this of the register is in step.
LAG_ALLOWED = dt.timedelta(minutes=5)


class NotPublishable(Exception):
    """A change that cannot stand in the feed. `.why` says what is wrong with it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def entry_of(snapshot: Mapping[str, Any]) -> FeedEntry:
    """What the register says of an entry, as the feed has it: the six fields, and nothing more can come through."""
    if set(snapshot) != set(FIELDS):
        raise NotPublishable(f"an entry has the fields {', '.join(FIELDS)}, not {', '.join(sorted(snapshot))}")
    return FeedEntry(**snapshot)


def operation_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> Operation:
    """The line for a change: `before` is what the feed said of the entry, `after` what it says now, empty: nothing."""
    if not after:
        if not before:
            raise NotPublishable("an entry that was never published has ended")
        return Operation(Op.REMOVE, entry_of(before))
    if not before:
        return Operation(Op.ADD, entry_of(after))
    return Operation(Op.REPLACE, entry_of(after), was=entry_of(before))


def snapshot_is_due(*, sequence: int, last_snapshot: int) -> bool:
    return sequence - last_snapshot >= SNAPSHOT_EVERY


def oldest_live_delta(*, head: int, newest_snapshot: int) -> int:
    """The edition of the oldest delta that is named when `head` is the last edition.

    From the newest snapshot deltas always lead on, also when the next one is late.
    """
    return min(head - LIVE_DELTAS, newest_snapshot) + 1


class ReceiptStanding(StrEnum):
    GOOD = "good"
    DRIFT = "drift"
    INCOMPLETE = "incomplete"


def receipt_standing(*, digest: str, published_digest: str | None, all_targets_ok: bool) -> ReceiptStanding:
    """A receipt is good when the operator holds what was published, in all its places.

    `published_digest` is that of the edition it names, or None when we never published such an edition.
    """
    if digest != published_digest:
        return ReceiptStanding.DRIFT
    return ReceiptStanding.GOOD if all_targets_ok else ReceiptStanding.INCOMPLETE


def in_force_at(*, published_at: dt.datetime, applied_at: dt.datetime, received_at: dt.datetime) -> dt.datetime:
    """When it came into force: what the operator's clock says, but never before publication nor after its receipt."""
    return max(published_at, min(applied_at, received_at))


class LagState(StrEnum):
    IN_STEP = "in_step"
    BEHIND = "behind"
    DRIFT = "drift"
    INCOMPLETE = "incomplete"
    NEVER = "never"


def lag_state(*, latest: ReceiptStanding | None, lag: dt.timedelta | None, lacks: bool = True) -> LagState:
    """How an operator stands, from its latest receipt and its lag (see `queries.operators_with_lag`).

    One that `lacks` no edition is in step, however late it came to that: it joined, or was away, and has caught up.
    """
    if latest is None or lag is None:
        return LagState.NEVER if latest is None else LagState(latest)
    if latest is not ReceiptStanding.GOOD:
        return LagState(latest)
    return LagState.BEHIND if lacks and lag > LAG_ALLOWED else LagState.IN_STEP
