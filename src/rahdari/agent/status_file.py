"""What was wrong with the last sync, how far the clock was ahead and which terms the feed named, for `status`: a small
file, written over in place.

It is not in the database, since a full disk is one of the things it has to tell: the room of this file was taken when
there was some. What cannot be read in it, as after a power cut, says nothing; the next sync writes all of it anew.
"""

import datetime as dt
import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rahdari.feed.entry import parse_time, time_text

from .disk import disk_faults
from .faults import AgentFault, Exit

FILE = "faults.json"
BYTES = 64 * 1024
# What is longer can be counted from no date.
MOST_LEAD = dt.timedelta(days=100 * 366)


@dataclass(frozen=True)
class KeptFault:
    name: str
    what: str
    mend: str
    at: dt.datetime
    exit: Exit


def remember(
    folder: Path,
    faults: Collection[AgentFault],
    now: dt.datetime,
    lead: dt.timedelta = dt.timedelta(),
    terms: str = "",
) -> None:
    """Those of the last run; a fault that goes on keeps the time it began. `lead` is how far this machine's clock is
    ahead of the server's, kept in whole minutes. Raises DiskFull, StateNotOurs."""
    lasts = round(lead.total_seconds() / 60)
    told = ({(one.name, one.what) for one in faults}, lasts, terms)
    if _told.get(folder) == (_stamp(folder), told):
        return
    before = remembered(folder)
    began = {fault.name: fault.at for fault in before}
    kept = {
        (one.name, one.what): KeptFault(one.name, one.what, one.mend, began.get(one.name, now), one.exit)
        for one in faults
    }
    beside = {"clock_lead": lasts, "terms": terms}
    if kept.keys() == {(one.name, one.what) for one in before} and _read(folder).items() >= beside.items():
        _told[folder] = (_stamp(folder), told)
        return
    rows = [[one.name, one.what, one.mend, time_text(one.at), int(one.exit)] for one in kept.values()]
    while len(content := json.dumps({"faults": rows, **beside}).encode()) > BYTES:
        rows.pop()
    with disk_faults(folder):
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(handle, 0, BYTES)
            os.pwrite(handle, content.ljust(BYTES), 0)
        finally:
            os.close(handle)
    if len(rows) == len(kept):
        _told[folder] = (_stamp(folder), told)


# What this process wrote or found last, and the file as it was then: as a rule all of it is so with the next edition.
_told: dict[Path, tuple[object, object]] = {}


def _stamp(folder: Path) -> tuple[int, int, int] | None:
    with suppress(OSError):
        status = (folder / FILE).stat()
        return status.st_ino, status.st_mtime_ns, status.st_size
    return None


def remembered(folder: Path) -> list[KeptFault]:
    """In the order in which they began."""
    try:
        rows = _read(folder)["faults"]
        found = [KeptFault(name, what, mend, parse_time(at), Exit(exit)) for name, what, mend, at, exit in rows]
    except (KeyError, ValueError, TypeError):
        return []
    return sorted(found, key=lambda fault: (fault.at, fault.name))


def remembered_lead(folder: Path) -> dt.timedelta:
    """How far the clock was ahead; zero where that is not known."""
    minutes = _read(folder).get("clock_lead")
    return bounded(dt.timedelta(minutes=min(minutes, 10**9))) if type(minutes) is int else dt.timedelta()


def remembered_terms(folder: Path) -> str:
    """The digest of those that the feed named last; empty where it named none."""
    terms = _read(folder).get("terms")
    return terms if isinstance(terms, str) else ""


def bounded(lead: dt.timedelta) -> dt.timedelta:
    return min(max(lead, dt.timedelta()), MOST_LEAD)


def _read(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
