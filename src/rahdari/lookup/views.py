"""What one set of rights sees: its sessions' entries as one, and the rule of when an entry counts.

A view is made anew when one of its sessions has changed, and never changed itself. Operators of equal rights share a
`Sight`, which has the present view.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rahdari.feed.entry import time_text

from .index import WIDER, Held, Index, several
from .query import Query
from .records import ID_END, NOT_AFTER, NOT_BEFORE, plain

# So long an entry that has ended is kept when nothing newer than its end was signed: as agents do (docs/agent.md).
GRACE = dt.timedelta(hours=72)
_COUNTS, _KEPT = b',"kept_stale":false', b',"kept_stale":true'


class Moment(NamedTuple):
    """An entry counts when it has begun by `now` and ends after `after`; one that ended by `now` is kept as stale."""

    now: bytes
    after: bytes

    @property
    def stale(self) -> bool:
        return self.after != self.now


def moment(*, now: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta = GRACE) -> Moment:
    """While the feed is fresh an entry's own end is honoured at once; then what ended since is kept for the grace."""
    after = now if now < fresh_until else max(fresh_until, now - grace)
    return Moment(time_text(now).encode("ascii"), time_text(after).encode("ascii"))


class Probe(NamedTuple):
    """Look up `number >> shift` by `get`. `last` of those with this shift, there may be one for each session."""

    shift: int
    get: Callable[[int], Held | None]
    last: bool


class Band(NamedTuple):
    """Probes that are worth a look only where one of `near` has `number >> shift`; always, where there is none."""

    shift: int
    near: tuple[Callable[[int], int | None], ...]
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class View:
    """`v4` and `v6` are all probes, longest prefix first; the bands are the same ones, for many addresses at once."""

    v4: tuple[Probe, ...] = ()
    v6: tuple[Probe, ...] = ()
    bands_v4: tuple[Band, ...] = ()
    bands_v6: tuple[Band, ...] = ()

    @classmethod
    def of(cls, indexes: Sequence[Index]) -> "View":
        v4, v6 = _probes(indexes, 4), _probes(indexes, 6)
        return cls(v4, v6, _bands(indexes, 4, v4), _bands(indexes, 6, v6))

    def bands(self, version: int) -> tuple[Band, ...]:
        return self.bands_v4 if version == 4 else self.bands_v6

    def covering(self, asked: Query, at: Moment, *, every: bool = False) -> list[bytes]:
        """The entries that count and cover all that was asked: on the longest prefix that has one, or on every one.

        Longest prefix first, then by id. Plain records.
        """
        version, number, length = asked
        probes, narrower = (self.v4, 32 - length) if version == 4 else (self.v6, 128 - length)
        found: list[bytes] = []
        on_this: list[bytes] = []
        for shift, get, last in probes:
            if shift < narrower:
                continue
            held = get(number >> shift)
            if held is not None:
                on_this += counting(held, at)
            if last and on_this:
                found += sorted(on_this)
                on_this = []
                if not every:
                    break
        return found


def counts(entry: bytes, at: Moment) -> bool:
    """Whether a plain record counts."""
    return entry[NOT_BEFORE] <= at.now and entry[NOT_AFTER] > at.after


def counting(held: Held, at: Moment) -> list[bytes]:
    return [entry for entry in map(plain, several(held)) if counts(entry, at)]


def entry_record(record: bytes, at: Moment) -> bytes:
    """An entry as answers have it: what was published, and whether it is kept though it has ended."""
    return record[:ID_END] + (_COUNTS if record[NOT_AFTER] > at.now else _KEPT) + record[ID_END:]


def _probes(indexes: Sequence[Index], version: int) -> tuple[Probe, ...]:
    bits = 32 if version == 4 else 128
    tables = sorted(
        ((bits - length, table.get) for index in indexes for length, table in index.lengths(version).items()),
        key=lambda pair: pair[0],
    )
    shifts = [shift for shift, _ in tables]
    return tuple(
        Probe(shift, get, last=shift not in shifts[place + 1 : place + 2]) for place, (shift, get) in enumerate(tables)
    )


def _bands(indexes: Sequence[Index], version: int, probes: tuple[Probe, ...]) -> tuple[Band, ...]:
    bits = 32 if version == 4 else 128
    bands, left = [], list(probes)
    for wide in WIDER[version]:
        # Before the in-between ones comes what is longer than all of them.
        longer = [probe for probe in left if probe.shift == 0]
        between = [probe for probe in left if 0 < probe.shift < bits - wide]
        bands += [Band(0, (), tuple(longer))] if longer else []
        near = tuple(index.near(version)[wide].get for index in indexes if wide in index.near(version))
        bands += [Band(bits - wide, near if len(between) > 1 else (), tuple(between))] if between else []
        left = [probe for probe in left if probe.shift >= bits - wide]
        exact = [probe for probe in left if probe.shift == bits - wide]
        bands += [Band(0, (), tuple(exact))] if exact else []
        left = left[len(exact) :]
    return (*bands, Band(0, (), tuple(left))) if left else tuple(bands)
