"""The lines of the log: PostgreSQL's timelines. A restore begins a new one, and so does a failover; what is written to
the old one from there on belongs to no register that is in use.

Invariant: beside a line that left it, an old line gets neither log nor backups.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rahdari.ops.errors import Told

from .target import Target

# What tells of them can be read without the private key: who archives has none.
PREFIX = "lines/"
_HISTORY = re.compile(r"([0-9A-F]{8})\.history")


class LineLeft(Told):
    """The place has a later line, which does not go through what this server writes. `.ours`, `.theirs`."""

    def __init__(self, ours: int, theirs: int) -> None:
        super().__init__(
            f"This server writes line {ours} of the log, and line {theirs}, which left it, is archived there: the "
            "register was restored and goes on as that one, or another server leads. Nothing was written. If this is "
            "an old one that came back, stop it for good. If this one shall go on and that one was a trial, give this "
            "one a place of its own in RAHDARI_BACKUP, and take a full backup."
        )
        self.ours, self.theirs = ours, theirs


@dataclass(frozen=True)
class Line:
    """`left`: the lines that it comes from, and the byte of the log at which each was left."""

    number: int
    left: Mapping[int, int] = field(default_factory=dict)

    def goes_through(self, line: int, until: int) -> bool:
        """Whether what that line has up to this byte belongs to this one."""
        return line == self.number or until <= self.left.get(line, -1)


def position(text: str) -> int:
    """A byte of the log, from PostgreSQL's way to write it."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def read(name: str, content: bytes) -> Line | None:
    """What a history file tells, None for another file of the log."""
    found = _HISTORY.fullmatch(name)
    if found is None:
        return None
    rows = [line.split("\t") for line in content.decode(errors="replace").splitlines() if line[:1].isdigit()]
    return Line(int(found[1], 16), {int(row[0]): position(row[1]) for row in rows})


def note(target: Target, line: Line) -> None:
    target.put_data(f"{PREFIX}{line.number:08X}.json", {"left": {str(each): at for each, at in line.left.items()}})


def check(target: Target, line: int, until: int | None = None) -> None:
    """Raises LineLeft where what this line has up to that byte, or has now, belongs to no later one."""
    numbers = [int(key.removeprefix(PREFIX)[:8], 16) for key, _ in target.keys(PREFIX)]
    newest = max(numbers, default=line)
    if newest <= line:
        return
    told = target.read_data(f"{PREFIX}{newest:08X}.json") or {"left": {}}
    later = Line(newest, {int(each): at for each, at in told["left"].items()})
    if until is None or not later.goes_through(line, until):
        raise LineLeft(line, newest)
