"""Pure rules of the publisher: what a stream says of a change, which files are live, how an operator stands."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rahdari.errors import RahdariError
from rahdari.feed import FeedEntry, Op, Operation
from rahdari.feed.entry import FIELDS

# One edition takes at most so many changes; a long backlog becomes several.
CHANGES_IN_AN_EDITION = 10_000
# Deltas are merged by sixteen: from n - 16 to n whenever 16 divides n, from n - 256 to n whenever 256 does, and so on.
MERGED_BY = 16
# A merged delta of more operations than that is not made: a snapshot serves as well.
MOST_OPERATIONS = 500_000
# One of at most so many is written with its edition (some 50 milliseconds), a larger one after it.
OPERATIONS_AT_ONCE = 4_000
# How many deltas are named of width 1, and of each wider one: with the snapshots about a hundred targets, as TUF
# metadata are read whole by every agent at every edition.
LIVE_NARROW = 32
LIVE_WIDE = 24
LIVE_SNAPSHOTS = 2
SNAPSHOT_EVERY = dt.timedelta(hours=1)
# While a snapshot is written or a stream filled, changes that came are published after so many of its entries (some 50
# milliseconds).
ENTRIES_AT_A_TIME = 2_000
# How much of the stream of everything is looked through in one go for the entries of some networks.
LISTINGS_AT_A_TIME = 20_000
# How long a file stays after the metadata no longer name it: an agent may be in the middle of reading it.
KEPT_UNREFERENCED = dt.timedelta(hours=24)
# A delta begins at no edition that is older: whoever stands there takes a snapshot. So what was listed of an entry that
# has left all streams for longer is needed by no file any more.
DELTAS_REACH = dt.timedelta(days=6)
FORGOTTEN_AFTER = dt.timedelta(days=7)
# An entry whose networks changed stays with the operators it had for so long, and until the new ones have it.
OVERLAP = dt.timedelta(hours=24)
# Between the sequence that an operator left and the one it comes to, so that what is published meanwhile fits in.
ROOM_FOR_MEANWHILE = 1_000

ROOT_LASTS = dt.timedelta(days=365)
TARGETS_LAST = dt.timedelta(days=90)
FEED_LASTS = dt.timedelta(days=7)
SNAPSHOT_LASTS = dt.timedelta(hours=24)
TIMESTAMP_LASTS = dt.timedelta(hours=1)
TIMESTAMP_EVERY = dt.timedelta(minutes=5)

# An operator within this of the register is in sync.
LAG_ALLOWED = dt.timedelta(minutes=5)


class NotPublishable(RahdariError):
    """A change that cannot stand in the feed. `.why` says what is wrong with it."""

    says = "{why}"
    why: str


def entry_of(snapshot: Mapping[str, Any]) -> FeedEntry:
    """What the register says of an entry, as the feed has it: the six fields, and nothing more can come through.
    Raises NotPublishable for any other field.
    """
    if set(snapshot) != set(FIELDS):
        raise NotPublishable(f"an entry has the fields {', '.join(FIELDS)}, not {', '.join(sorted(snapshot))}")
    return FeedEntry(**snapshot)


# -- deltas --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Net:
    """What became of an entry between two editions of a stream. None: not listed then.

    `between` is what it said in the middle, for one that came and went.
    """

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    between: Mapping[str, Any] | None = None


class Course(NamedTuple):
    """What became of an entry between two editions of a stream, by the numbers of the changes that say it."""

    before: int | None = None
    after: int | None = None
    between: int | None = None

    def with_row(self, change: int, begun: int, ended: int | None, *, start: int, end: int) -> "Course":
        """With one more row of the entry: of those that held from edition `begun` on, before edition `ended`.

        Rows may come in any order; they are those that began after `start` or held at it and ended, up to `end`.
        """
        if begun <= start:
            return self._replace(before=change)
        after = change if ended is None or ended > end else self.after
        return self._replace(after=after, between=max(change, self.between or 0))

    @property
    def told(self) -> list[int]:
        """The changes that its lines are made from."""
        held = [change for change in (self.before, self.after) if change is not None]
        return held or [change for change in (self.between,) if change is not None]

    def net(self, said: Mapping[int, Mapping[str, Any]]) -> Net:
        """The same with what the changes say, of all that are `told`."""
        before, after, between = (said[change] if change in self.told else None for change in self)
        return Net(before, after, between)

    @property
    def lines(self) -> int:
        """How many lines `operations_of` makes of it."""
        return 1 if self.before is not None or self.after is not None else 2


def operations_of(net: Net) -> list[Operation]:
    """The lines of a delta for an entry.

    Whoever follows from the first edition applies them strictly; whoever stands in the middle takes them as how the
    entry stands at the end. So an entry that changed and changed back is there (replaced by itself), and so is one that
    came and went: added, then removed. Raises NotPublishable for an entry that was never listed.
    """
    if net.before is not None and net.after is not None:
        return [Operation(Op.REPLACE, entry_of(net.after), was=entry_of(net.before))]
    if net.after is not None:
        return [Operation(Op.ADD, entry_of(net.after))]
    if net.before is not None:
        return [Operation(Op.REMOVE, entry_of(net.before))]
    if net.between is None:
        raise NotPublishable("an entry that was never listed has no line")
    entry = entry_of(net.between)
    return [Operation(Op.ADD, entry), Operation(Op.REMOVE, entry)]


def spans(editions: Iterable[tuple[int, int]], *, start: int) -> Iterator[tuple[int, int]]:
    """Cut what follows edition `start` into spans (after, up to) of some ENTRIES_AT_A_TIME changes; one edition stays
    whole. `editions` are sequences and how much each changed, in their order."""
    low, high, held = start, start, 0
    for sequence, changes in editions:
        if held and held + changes > ENTRIES_AT_A_TIME:
            yield low, high
            low, held = high, 0
        high, held = sequence, held + changes
    if high > low:
        yield low, high


def merged_widths(sequence: int, *, first: int) -> Iterator[int]:
    """How wide the merged deltas are that end at this edition, in a session that begins at `first`."""
    width = MERGED_BY
    while sequence % width == 0 and sequence - width >= first:
        yield width
        width *= MERGED_BY


def first_at_or_after(sequence: int) -> int:
    """Where a session may begin: merged deltas end at round numbers, and one that begins between two of them would
    need another snapshot as soon as its first narrow deltas are named no more."""
    step = MERGED_BY**2
    return -(-sequence // step) * step


def reaches(deltas: Iterable[tuple[int, int]], *, start: int, end: int) -> int | None:
    """How many fetches lead from edition `start` to `end` with these deltas (from, to); None when they do not.

    Of those that begin at or before where one stands, the one that leads farthest is the best to take.
    """
    known = list(deltas)
    fetches = 0
    while start < end:
        farthest = max((to for begin, to in known if begin <= start < to), default=None)
        if farthest is None:
            return None
        start, fetches = farthest, fetches + 1
    return fetches


def snapshot_is_due(
    *,
    sequence: int,
    last: int | None,
    last_at: dt.datetime | None,
    reachable: bool,
    narrow_bytes: int,
    last_bytes: int,
    now: dt.datetime,
) -> bool:
    """Whether a stream needs a new snapshot: none is there, deltas do not lead from it to the head, an hour has gone
    since and something changed, or what agents would read beside it has become more than itself."""
    if last is None or last_at is None or not reachable:
        return True
    if sequence == last:
        return False
    return now - last_at >= SNAPSHOT_EVERY or narrow_bytes > max(last_bytes, 2**20)


# -- who gets an entry ---------------------------------------------------------------------------------------------


def is_entitled(*, everything: bool, theirs: Iterable[int], asns: Iterable[int]) -> bool:
    """Whether who has rights to `theirs`, or to everything, gets an entry of the networks `asns`."""
    return everything or not set(theirs).isdisjoint(asns)


# -- operators -----------------------------------------------------------------------------------------------------


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
    IN_SYNC = "in_sync"
    BEHIND = "behind"
    DRIFT = "drift"
    INCOMPLETE = "incomplete"
    NEVER = "never"


def lag_state(*, latest: ReceiptStanding | None, lag: dt.timedelta | None, lacks: bool = True) -> LagState:
    """How an operator stands, from its latest receipt and its lag (see `queries.operators_with_lag`).

    One that `lacks` no edition is in sync, however late it came to that: it joined, or was away, and has caught up.
    """
    if latest is None or lag is None:
        return LagState.NEVER if latest is None else LagState(latest)
    if latest is not ReceiptStanding.GOOD:
        return LagState(latest)
    return LagState.BEHIND if lacks and lag > LAG_ALLOWED else LagState.IN_SYNC
