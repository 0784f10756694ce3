"""Which signed files to take to get from one edition to another. Pure.

A delta may be taken from any edition between its ends (see `catching_up`), so that merged deltas bring an agent from
anywhere to the newest edition in a few fetches.
"""

import heapq
from collections.abc import Sequence

from rahdari.feed import FeedFile, Kind

# What one more fetch costs, in bytes that could be fetched instead.
FETCH_BYTES = 20_000
# All of it is loaded anew when the deltas weigh this many times as much: a delta is cheaper to take than its bytes say.
RELOAD_WEIGHT = 4
# From nothing, a byte of a delta takes as long as so many of a snapshot (`bench/cold-start`, 1 million entries).
DELTA_WEIGHT = 4


def weight(way: Sequence[FeedFile]) -> int:
    return sum(file.length + FETCH_BYTES for file in way)


def way_by_deltas(files: Sequence[FeedFile], *, session: str, start: int, end: int) -> list[FeedFile]:
    """The lightest chain of deltas without a gap; empty when there is none."""
    deltas = [
        file
        for file in files
        if file.kind is Kind.DELTA and file.session == session and start < file.to_sequence <= end
    ]
    best: dict[int, tuple[int, FeedFile | None, int]] = {start: (0, None, start)}
    waiting, done = [(0, start)], set[int]()
    while waiting:
        weighs, at = heapq.heappop(waiting)
        if at in done:
            continue
        done.add(at)
        if at == end:
            break
        for file in deltas:
            if not _from(file) <= at < file.to_sequence:
                continue
            further = weighs + file.length + FETCH_BYTES
            if file.to_sequence not in best or further < best[file.to_sequence][0]:
                best[file.to_sequence] = (further, file, at)
                heapq.heappush(waiting, (further, file.to_sequence))
    way: list[FeedFile] = []
    at = end
    while at != start:
        if at not in best:
            return []
        _, step, before = best[at]
        if step is not None:
            way.insert(0, step)
        at = before
    return way


def way_from_snapshot(files: Sequence[FeedFile], *, session: str, end: int) -> list[FeedFile]:
    """The lightest snapshot with the deltas that lead on from it; empty when there is none."""
    ways = []
    for file in files:
        if file.kind is not Kind.SNAPSHOT or file.session != session or file.to_sequence > end:
            continue
        onward = way_by_deltas(files, session=session, start=file.to_sequence, end=end)
        if onward or file.to_sequence == end:
            ways.append([file, *onward])
    return min(ways, key=lambda way: (_from_nothing(way), -way[0].to_sequence), default=[])


def _from_nothing(way: Sequence[FeedFile]) -> int:
    """A row of a snapshot is taken in bulk, a line of a delta one by one."""
    return weight(way) + sum(file.length * (DELTA_WEIGHT - 1) for file in way if file.kind is Kind.DELTA)


def is_heavy(way: Sequence[FeedFile], files: Sequence[FeedFile], *, session: str, end: int) -> bool:
    """Whether all of it is rather loaded anew than brought up by these deltas."""
    # One fetch at least, whatever the snapshot: nearly all ways are lighter than that allows.
    if weight(way) <= RELOAD_WEIGHT * FETCH_BYTES:
        return False
    anew = way_from_snapshot(files, session=session, end=end)
    return bool(anew) and weight(way) > RELOAD_WEIGHT * weight(anew)


def _from(file: FeedFile) -> int:
    return file.from_sequence if file.from_sequence is not None else -1
