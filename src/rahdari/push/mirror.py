"""The feed's files, carried to a store of objects or another folder, for a CDN or any web server to give out.

What always holds in the store, also when we are killed between any two writes: a repository's timestamp leads to files
that are all there. So they go in this order: targets, metadata of roles, the list of these (`snapshot`), the timestamp.
Files that never change are written once; what is there with the right length is left alone, so a carry that was broken
off is taken up where it stopped. What the publisher has erased is erased last. A store that is ahead of us is left as
it is: ours would be an old copy.

Keys are the paths below DATA/feed: `targets/...` and `repositories/<repository>/metadata/...`, whose names nobody can
guess. Nothing else of the data folder is read; neither keys nor the access file come near it. Agents verify each byte,
so the store needs no trust: it can withhold editions, which they notice, and forge none.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rahdari.errors import RahdariError
from rahdari.feed.repository import location_of

from .edition import TIMESTAMP, TIMESTAMP_BYTES, number_of

log = logging.getLogger("rahdari.push")

AT_ONCE = 16
WAY_OUT = (
    "It is tried again by itself, each minute at the latest; what is in the store stays whole, and agents read the "
    "server. If it goes on, see that the store answers, has room and lets us in."
)
NEVER_CACHED = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
_OURS = re.compile(
    r"repositories/[0-9a-f]{32}/metadata/(timestamp|[1-9][0-9]{0,15}\.[a-z][a-z0-9-]{0,40})\.json"
    r"|targets/(?:bulk|[a-z][a-z0-9-]{0,40}/[0-9a-f]{32})/[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9._-]{0,150}",
    re.ASCII,
)
_REPOSITORY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NUMBERED = re.compile(r"([1-9][0-9]{0,15})\.([a-z][a-z0-9-]{0,40})\.json", re.ASCII)


class NoFeed(RahdariError):
    """There is no feed in this folder. Nothing is erased on its word."""

    says = "there is no feed in {feed}"
    feed: Path


class Behind(RahdariError):
    """The store has a later timestamp than the folder."""

    says = "the store has version {stored} of a timestamp, and this folder an older one ({ours})"
    repository: str
    ours: int
    stored: int


class OldCopy(RahdariError):
    """The store took a timestamp, and answers with an older one."""

    says = (
        "the store took version {ours} of a timestamp and answers with an older one ({stored}; 0 is none): a cache or "
        "an old copy of the store answers for it. Name the store itself (--endpoint), and look after it"
    )
    repository: str
    ours: int
    stored: int


class Store(Protocol):
    """What is asked of a store. A write is seen whole or not at all."""

    async def sizes(self) -> dict[str, int]:
        """Every key below ours, with its length."""
        ...

    async def read(self, key: str) -> bytes | None: ...

    async def write(self, key: str, content: Path | bytes, *, media_type: str, cache: str) -> None: ...

    async def erase(self, keys: Sequence[str]) -> None: ...


@dataclass
class Carried:
    """What was done. `faults` are the repositories that could not be carried, and why."""

    written: int = 0
    bytes: int = 0
    erased: int = 0
    announced: int = 0
    faults: dict[str, Exception] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The files that one timestamp leads to, in the order they are written."""

    timestamp: bytes
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    snapshot: str


class Mirror:
    def __init__(self, feed: Path, store: Store, *, at_once: int = AT_ONCE) -> None:
        self._feed, self._store = feed, store
        self._gate = asyncio.Semaphore(at_once)
        self._there: dict[str, int] | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._announced: dict[str, bytes] = {}
        # Never forgotten: below what we wrote nothing is written, whatever the store says that it has.
        self._highest: dict[str, int] = {}

    async def carry(self, *, erase: bool = True) -> Carried:
        """Bring the store into line with the folder. Raises NoFeed, and what the store raises when it is listed."""
        repositories = self.repositories()
        carried = Carried()
        if self._there is None:
            self._there = {key: size for key, size in (await self._store.sizes()).items() if _OURS.fullmatch(key)}
        done = await asyncio.gather(*(self._carry(each, carried) for each in repositories), return_exceptions=True)
        for repository, fault in zip(repositories, done, strict=True):
            if isinstance(fault, Exception):
                carried.faults[repository] = fault
            elif fault is not None:
                raise fault
        if erase:
            await self._erase(carried)
        return carried

    def repositories(self) -> list[str]:
        """Raises NoFeed."""
        if not (self._feed / "metadata" / "1.root.json").is_file():
            raise NoFeed(self._feed)
        folder = self._feed / "repositories"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(name for name in names if _REPOSITORY.fullmatch(name))

    def forget(self) -> None:
        """List the store anew next time: others may have changed it."""
        self._there, self._announced = None, {}

    async def _carry(self, repository: str, carried: Carried) -> None:
        folder = f"repositories/{repository}/metadata"
        key = f"{folder}/{TIMESTAMP}"
        try:
            with (self._feed / key).open("rb") as file:
                timestamp = file.read(TIMESTAMP_BYTES + 1)
        except FileNotFoundError:
            return
        if timestamp == self._announced.get(repository):
            return
        ours = number_of(timestamp)
        if (highest := self._highest.get(repository, 0)) > ours:
            raise Behind(repository, ours, highest)
        if repository not in self._announced:
            # The first time: what did another run leave there?
            stored = await self._store.read(key)
            if stored is not None and (version := number_of(stored)) > ours:
                raise Behind(repository, ours, version)
            if stored is not None:
                self._announced[repository] = stored
        plan = plan_of(self._feed, folder, timestamp)
        await all_of(self._once(name, carried) for name in plan.targets)
        await all_of(self._once(name, carried) for name in plan.roles)
        await self._once(plan.snapshot, carried)
        if timestamp != self._announced.get(repository):
            await self._write(key, timestamp, len(timestamp), NEVER_CACHED, carried)
            self._highest[repository] = ours
            stored = await self._store.read(key)
            if stored != timestamp:
                version = number_of(stored) if stored is not None else 0
                raise (Behind if version > ours else OldCopy)(repository, ours, version)
            self._announced[repository] = timestamp
            carried.announced += 1

    async def _once(self, key: str, carried: Carried) -> None:
        """Write this file unless it is there. Several repositories may want the same one at the same time."""
        assert self._there is not None  # noqa: S101
        task = self._under_way.get(key)
        if task is None:
            size = (self._feed / key).stat().st_size
            if self._there.get(key) == size:
                return
            task = asyncio.create_task(self._write(key, self._feed / key, size, FOR_EVER, carried))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        await asyncio.shield(task)

    async def _write(self, key: str, content: Path | bytes, size: int, cache: str, carried: Carried) -> None:
        assert self._there is not None  # noqa: S101
        media_type = "application/json" if key.endswith(".json") else "application/gzip"
        async with self._gate:
            await self._store.write(key, content, media_type=media_type, cache=cache)
        self._there[key] = size
        carried.written += 1
        carried.bytes += size

    async def _erase(self, carried: Carried) -> None:
        """Erase what the folder no longer has; a timestamp before what it leads to."""
        assert self._there is not None  # noqa: S101
        gone = [key for key in self._there if not (self._feed / key).exists()]
        timestamps = [key for key in gone if key.endswith(f"/{TIMESTAMP}")]
        for keys in (timestamps, sorted(set(gone) - set(timestamps))):
            if keys:
                await self._store.erase(keys)
            for key in keys:
                self._there.pop(key, None)
        for key in timestamps:
            self._announced.pop(key.split("/")[1], None)
        carried.erased += len(gone)


def plan_of(feed: Path, folder: str, timestamp: bytes) -> Plan:
    """Follow the metadata from this timestamp. Raises OSError, ValueError.

    Signatures are the agents' business. A file that is named and has gone is an error: the next timestamp is taken.
    """
    try:
        snapshot = f"{folder}/{json.loads(timestamp)['signed']['meta']['snapshot.json']['version']}.snapshot.json"
        listed = _signed(feed / snapshot)["meta"]
        roles = [f"{folder}/{role['version']}.{name}" for name, role in sorted(listed.items())]
        targets: dict[str, None] = {}
        for name in roles:
            for path, target in _signed(feed / name)["targets"].items():
                targets[f"targets/{location_of(path, target['hashes']['sha256'])}"] = None
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("the metadata are not those of a feed") from None
    # The walk of an agent that slept begins at an old root and needs each one after it.
    names = (path.name for path in (feed / folder).iterdir())
    numbered = (found for name in names if (found := _NUMBERED.fullmatch(name)))
    roots = sorted(int(found[1]) for found in numbered if found[2] == "root")
    plan = Plan(timestamp, tuple(targets), (*(f"{folder}/{root}.root.json" for root in roots), *roles), snapshot)
    if strange := next((key for key in (*plan.targets, *plan.roles, snapshot) if not _OURS.fullmatch(key)), None):
        raise ValueError(f"the metadata name {strange[:120]!r}")
    return plan


def _signed(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes())["signed"])


async def all_of(acts: Iterable[Awaitable[None]]) -> None:
    """All to their end, also when one fails; then raise the first fault."""
    for result in await asyncio.gather(*acts, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def follow(
    mirror: Mirror, woken: asyncio.Event, *, told: Callable[[Carried], None], pause: float = 1.0, longest: float = 60.0
) -> None:
    """Carry whenever `woken` is set and every `pause` seconds, until cancelled. After a fault, ever later."""
    wait, turns = pause, 0
    while True:
        woken.clear()
        try:
            # Looking at every key is for once a minute.
            carried = await mirror.carry(erase=turns % max(round(longest / pause), 1) == 0)
            turns += 1
            told(carried)
            faulty = bool(carried.faults)
        except Exception as error:  # the store may be away for any reason; what is there stays whole
            log.error("the mirror is not in step: %s. %s", first_line(error), WAY_OUT)
            mirror.forget()
            faulty = True
        wait = min(wait * 2, longest) if faulty else pause
        try:
            async with asyncio.timeout(wait):
                if faulty:
                    await asyncio.sleep(wait)
                await woken.wait()
        except TimeoutError:
            pass


def first_line(error: Exception) -> str:
    """The library adds pages for its own makers."""
    return str(error).strip().partition("\n")[0].rstrip(" :.") or type(error).__name__
