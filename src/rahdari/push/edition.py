"""Learning of a new edition.

Each operator has a repository of its own, and its signed timestamp is the last file of an edition to be put in place
there: whoever sees it changed knows that all of the edition is there. The kernel tells when one is put in place
(inotify), within some 30 microseconds and at no cost while nothing happens. A slow sweep over all of them stands behind
it, for what the kernel cannot tell: a folder on a network, notices that were dropped, a folder that is new. Where there
is no inotify the sweep is quick: 7,000 looks a second, one hundredth of a core.
"""

import asyncio
import base64
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inotify_simple import INotify, flags

# A file is put in place by a rename, or written where it stands.
IN_PLACE = flags.MOVED_TO | flags.CLOSE_WRITE | flags.ONLYDIR
log = logging.getLogger("rahdari.push")

SWEEP_SECONDS = 1.0
QUICK_SWEEP_SECONDS = 0.05
LOOKS_PER_SECOND = 7000
# python-tuf refuses a timestamp of more than 16 KB.
TIMESTAMP_BYTES = 16_384
TIMESTAMP = "timestamp.json"

# What one agent's refresh costs this process, measured with `bench/push`: spread so, they do not queue.
SPREAD_MS_EACH = 1.0
SPREAD_MS_MOST = 10_000
CROWD_SECONDS = 1.0

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Announced:
    """A timestamp as it was signed, and what is told of it: its number, how far agents may spread what they ask of the
    server, and small files that it leads to (`beside`).

    `data` is that of an event, `event` all of it: built once, however many are told.
    """

    number: int
    timestamp: bytes
    spread_ms: int
    data: str
    event: bytes

    @classmethod
    def of(cls, timestamp: bytes, spread_ms: int, beside: Mapping[str, bytes]) -> "Announced":
        """Raises ValueError."""
        number = number_of(timestamp)
        said: dict[str, Any] = {"timestamp": base64.b64encode(timestamp).decode(), "spread_ms": spread_ms}
        if beside:
            said["files"] = {name: base64.b64encode(body).decode() for name, body in beside.items()}
        data = json.dumps(said, separators=(",", ":"))
        return cls(number, timestamp, spread_ms, data, f"event: edition\nid: {number}\ndata: {data}\n\n".encode())


class Crowd:
    """How many readers were told of something within the last second: they come to fetch at about the same time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._total = 0

    def spread_ms(self, repository: str, readers: int) -> int:
        """For these readers, told now: none for a single one, and more with each."""
        now = self._clock()
        self._total += readers - self._told.pop(repository, (0.0, 0))[1]
        self._told[repository] = (now, readers)
        while next(iter(self._told.values()))[0] < now - CROWD_SECONDS:
            self._total -= self._told.popitem(last=False)[1][1]
        return min(round(max(self._total - 1, 0) * SPREAD_MS_EACH), SPREAD_MS_MOST)


class Watch:
    """The newest timestamp of each repository, and a way to wait for the next one."""

    def __init__(
        self,
        feed: Path,
        *,
        use_inotify: bool = True,
        beside: Callable[[str, bytes | None], Mapping[str, bytes]] = lambda repository, timestamp: {},
    ) -> None:
        """`beside` gives what goes along with a repository's new timestamp; None for one that is told to nobody."""
        self._repositories = feed / "repositories"
        self._beside = beside
        self._use_inotify = use_inotify
        self._notices: INotify | None = None
        self._watches: dict[int, str] = {}
        self._seen: dict[str, Stamp | None] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._crowd = Crowd()
        self._troubles: dict[str, str] = {}
        self.current: dict[str, Announced] = {}
        # Set with every change of any repository.
        self.told_of_all: set[asyncio.Event] = set()
        self.closing = False

    def begin(self) -> None:
        """Be told by the kernel, if it does; needs a running loop."""
        if not self._use_inotify or self._notices is not None:
            return
        try:
            self._notices = INotify(nonblocking=True)
        except (OSError, AttributeError) as error:  # none left, or a system without it
            log.warning("new editions are looked for on a timer: %s", error)
            return
        asyncio.get_running_loop().add_reader(self._notices.fileno(), self._told)

    def end(self) -> None:
        self.close()
        if self._notices is not None:
            asyncio.get_running_loop().remove_reader(self._notices.fileno())
            self._notices.close()
            self._notices = None

    def close(self) -> None:
        """Nothing more comes: whoever waits goes."""
        self.closing = True
        for waiting in self._waiting.values():
            wake(waiting)

    def follow(self, repositories: Iterable[str]) -> None:
        """Watch these and no others."""
        wanted = set(repositories)
        for repository in self._seen.keys() - wanted:
            del self._seen[repository]
            self._troubles.pop(repository, None)
            self.current.pop(repository, None)
            wake(self._waiting.get(repository, ()))
        if self._notices is not None:
            self._watch_folders(self._notices, wanted)
        for repository in wanted - self._seen.keys():
            self._seen[repository] = None
        self.look(wanted)

    def look(self, repositories: Iterable[str]) -> None:
        for repository in repositories:
            self._look(repository)

    @property
    def unread(self) -> set[str]:
        """The folders whose timestamp is there and cannot be read, by their place in the feed."""
        return {f"repositories/{repository}/metadata" for repository in self._troubles}

    @property
    def pause(self) -> float:
        """Seconds until the next sweep."""
        if self._notices is not None:
            return SWEEP_SECONDS
        return max(QUICK_SWEEP_SECONDS, len(self._seen) / LOOKS_PER_SECOND)

    @contextmanager
    def reading(self, repository: str, woken: asyncio.Event) -> Iterator[None]:
        """Set `woken` whenever something changes there."""
        waiting = self._waiting.setdefault(repository, set())
        waiting.add(woken)
        try:
            yield
        finally:
            waiting.discard(woken)
            if not waiting and self._waiting.get(repository) is waiting:
                del self._waiting[repository]

    def _watch_folders(self, notices: INotify, wanted: set[str]) -> None:
        for watch in [watch for watch, repository in self._watches.items() if repository not in wanted]:
            del self._watches[watch]
            with suppress(OSError):  # it ended with its folder
                notices.rm_watch(watch)
        for repository in wanted - set(self._watches.values()):
            # Not there yet, or more watches than the system allows: the sweep finds what changes, and tries again.
            with suppress(OSError):
                self._watches[notices.add_watch(self._metadata(repository), IN_PLACE)] = repository

    def _metadata(self, repository: str) -> Path:
        return self._repositories / repository / "metadata"

    def _told(self) -> None:
        assert self._notices is not None  # noqa: S101
        changed: dict[str, None] = {}
        for event in self._notices.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                changed |= dict.fromkeys(self._seen)
            elif event.mask & flags.IGNORED:
                self._watches.pop(event.wd, None)
            elif event.name == TIMESTAMP and event.wd in self._watches:
                changed[self._watches[event.wd]] = None
        self.look(changed)

    def _look(self, repository: str) -> None:
        path = self._metadata(repository) / TIMESTAMP
        try:
            stat = path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if seen == self._seen.get(repository):
                return
            self._seen[repository] = seen
            with path.open("rb") as file:
                timestamp = file.read(TIMESTAMP_BYTES + 1)
            current = self.current.get(repository)
            if current is not None and current.timestamp == timestamp:
                return
            waiting = self._waiting.get(repository, ())
            beside = self._beside(repository, timestamp if waiting else None)
            spread = self._crowd.spread_ms(repository, len(waiting))
            self.current[repository] = Announced.of(timestamp, spread, beside)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            # Once, not on each look.
            if self._troubles.get(repository) != str(error):
                self._troubles[repository] = str(error)
                log.error("%s cannot be read: %s", path, error)
            return
        self._troubles.pop(repository, None)
        wake(waiting)
        wake(self.told_of_all)


def wake(waiting: Iterable[asyncio.Event]) -> None:
    for woken in waiting:
        woken.set()


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
