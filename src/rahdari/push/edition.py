"""Learning of a new edition.

The signed timestamp is the last file of an edition to be put in place; whoever sees it changed knows that all of the
edition is there. It is looked at on a short timer: that works on each file system, needs no queue that can overflow,
and costs about a microsecond a look.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("rahdari.push")

EVERY_SECONDS = 0.05
# python-tuf refuses a timestamp of more than 16 KB.
TIMESTAMP_BYTES = 16_384


@dataclass(frozen=True)
class Announced:
    """The timestamp as it was signed, and the number that its events carry."""

    number: int
    timestamp: bytes


class Watch:
    """The newest edition, and a way to wait for the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._turn = asyncio.Event()
        self.current: Announced | None = None
        self.closing = False

    def look(self) -> None:
        try:
            stat = self._path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if seen == self._seen:
                return
            # Noted first: what cannot be read is told once, not on each look.
            self._seen = seen
            with self._path.open("rb") as file:
                timestamp = file.read(TIMESTAMP_BYTES + 1)
            announced = Announced(number=number_of(timestamp), timestamp=timestamp)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.error("%s cannot be read: %s", self._path, error)
            return
        if self.current != announced:
            self.current = announced
            self._wake()

    def close(self) -> None:
        self.closing = True
        self._wake()

    def turn(self) -> asyncio.Event:
        """What is set when something changes. Take it before reading `current`, then wait for it."""
        return self._turn

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY_SECONDS)

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()


def number_of(timestamp: bytes) -> int:
    """The timestamp's version: it grows with each edition and each new signature, so each event has its own number.

    Nothing is verified here: this process holds no keys and decides nothing. Raises ValueError.
    """
    if len(timestamp) > TIMESTAMP_BYTES:
        raise ValueError(f"longer than {TIMESTAMP_BYTES} bytes")
    try:
        version = json.loads(timestamp)["signed"]["version"]
    except (KeyError, TypeError, RecursionError):
        raise ValueError("not a signed timestamp") from None
    if type(version) is not int or version < 1:
        raise ValueError("a timestamp without a version")
    return version
