"""What was wrong with the last sync, for `status`: one small file, written over in place.

It is not in the database, since a full disk is one of the things it has to tell: the room of this file was taken when
there was some. What cannot be read in it, as after a power cut, says nothing; the next sync writes all of it anew.
"""

import datetime as dt
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rahdari.proof.entry import parse_time, time_text

from .disk import told
from .faults import AgentFault, Exit

FILE = "faults.json"
BYTES = 64 * 1024


@dataclass(frozen=True)
class KeptFault:
    name: str
    what: str
    mend: str
    at: dt.datetime
    exit: Exit


def remember(folder: Path, faults: Iterable[AgentFault], now: dt.datetime) -> None:
    """Those of the last run; a fault that goes on keeps the time it began. Raises DiskFull, StateNotOurs."""
    before = remembered(folder)
    began = {fault.name: fault.at for fault in before}
    kept = {
        (one.name, one.what): KeptFault(one.name, one.what, one.mend, began.get(one.name, now), one.exit)
        for one in faults
    }
    if kept.keys() == {(one.name, one.what) for one in before} and (folder / FILE).exists():
        return
    rows = [[one.name, one.what, one.mend, time_text(one.at), int(one.exit)] for one in kept.values()]
    while len(content := json.dumps(rows).encode()) > BYTES:
        rows.pop()
    with told(folder):
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(handle, 0, BYTES)
            os.pwrite(handle, content.ljust(BYTES), 0)
        finally:
            os.close(handle)


def remembered(folder: Path) -> list[KeptFault]:
    """In the order in which they began."""
    try:
        rows = json.loads((folder / FILE).read_bytes())
        found = [KeptFault(name, what, mend, parse_time(at), Exit(exit)) for name, what, mend, at, exit in rows]
    except (OSError, ValueError, TypeError):
        return []
    return sorted(found, key=lambda fault: (fault.at, fault.name))
