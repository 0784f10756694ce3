"""One backup: the cluster, the data folder and the keys, each packed, sealed, kept and read back.

Invariants:
- What has no `backup.json` is no backup: that file is written when each object was read back and is what was sent, and
  is read back itself.
- What a store does not answer with is not taken for gone: of what may be a backup, nothing is cleared away.
- A backup killed at any moment leaves what the next one clears away, and nothing else.
- A backup is verified with all that it adds to: that is read back first, and what is damaged is added to by none.
- What a backup counts never falls where rows never go: the count before is kept, and compared by the next rehearsal.
- One place keeps the backups of one register.
"""

import datetime as dt
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rahdari import __version__
from rahdari.ops import postgres
from rahdari.ops.errors import Told

from . import engine, facts, lines, sealing, state, wal
from .target import WHOSE, Damaged, Target, TargetAway

# An incremental backup needs each one before it, back to a full one: so many, and a full one is taken.
LONGEST_CHAIN = 14
DATABASE, FILES, KEYS = "database.tar.gz.age", "files.tar.gz.age", "keys.tar.gz.age"
# Of the data folder: what is elsewhere in the backup, or made again at each start.
NOT_FILES = frozenset({"keys", "postgres", "static", "lock", "backup", "addresses"})
PASSWORDS = "postgres/*password"
INDEX = ".files.json"
# Of the last backup, in the data folder: what the next one is compared with.
KEPT_HERE = ("manifest", "files.json")
KEEP_DAYS = 35
# Which backups were found damaged.
DAMAGED = "damaged/"


class AnotherRegister(Told):
    """The place has the backups of another database cluster. `.theirs` and `.ours` are PostgreSQL's identifiers."""

    def __init__(self, target: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"{target} has the backups of another database (system identifier {theirs}; this one is {ours}). "
            "Give this register a place of its own in RAHDARI_BACKUP. Nothing was written."
        )
        self.theirs, self.ours = theirs, ours


class PlaceEmpty(Told):
    """The place has nothing of what was verified there. `.last` is the last one that was."""

    def __init__(self, target: str, last: str) -> None:
        super().__init__(
            f"{target} is empty, and {last} was verified there: its disk is not mounted, or is another one. Nothing "
            "was written. Mount it, and call this again. If the place is new on purpose: rahdari backup --full"
        )
        self.last = last


class NotKept(Told):
    """What was read back is not what was sent. `.key` is the object."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} was kept, and what is read back is something else or nothing: the store or its disk is at fault, "
            "or an old copy of it answers. This backup does not count, and the next one clears it away. Look after the "
            "store."
        )
        self.key = key


class NoRoom(Told):
    """A file could not be written. `.why` is what the system said."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The copy cannot be written: {why}. The data folder needs room for the database once more while a backup "
            "is taken. What was kept before stays; make room and call this again."
        )
        self.why = why


class MayNotRead(Told):
    """A file or folder of the register is closed to us. `.name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} may not be read, so a backup would lack it. Where each process has a user of its own, take "
            "backups as root, or with the capability CAP_DAC_READ_SEARCH as deploy/systemd/rahdari-backup.service does."
        )
        self.name = name


class BackupRuns(Told):
    def __init__(self) -> None:
        super().__init__("Another backup of this data folder is being taken. It goes on; wait for it.")


@dataclass(frozen=True)
class Backup:
    """What `backup.json` says.

    `number` counts backups, for clocks are set back. Times are UTC. `objects` are SHA-256 in hex and size in bytes of
    the sealed objects, `unpacked` the bytes of what is in each. `since` is the id of the backup that this one adds to,
    empty for a full one. It can be restored to any time from `finished_at` on, as far as the log reaches. `keys` are
    short prints that tell one key from another. It is whole from byte `until` of the log on.
    """

    id: str
    number: int
    since: str
    began_at: str
    finished_at: str
    identifier: str
    major: int
    first_segment: str
    version: str
    keys: dict[str, str]
    objects: dict[str, list[Any]]
    chain: int = 0
    database: str = postgres.DATABASE
    until: int = 0
    unpacked: dict[str, int] = field(default_factory=dict)

    @property
    def timeline(self) -> int:
        """The line of the log on which it was taken."""
        return int(self.first_segment[:8], 16)

    def is_on(self, line: lines.Line) -> bool:
        begins = wal.segment(self.first_segment)
        # Descriptions did not say it from the beginning.
        return line.goes_through(self.timeline, self.until or (begins.start if begins else 0))

    @property
    def is_full(self) -> bool:
        return not self.since

    @property
    def at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.finished_at)

    def key(self, name: str) -> str:
        return f"backups/{self.id}/{name}"


@dataclass
class Local:
    """What the data folder keeps of backups: what the next incremental one and `doctor` need."""

    folder: Path

    @property
    def staging(self) -> Path:
        return self.folder / "staging"

    def of(self, backup: str, name: str) -> Path:
        return self.folder / "last" / f"{backup}.{name}"


def local(data: Path) -> Local:
    return Local(data / "backup")


Step = Callable[[str], None]


def all_backups(target: Target, say: Step = lambda text: None) -> list[Backup]:
    """Those that are whole, in the order in which they were taken, whatever the clock said. One whose description is
    damaged is said, and counts for none. Raises TargetAway."""
    found: list[Backup] = []
    needed = [each.name for each in fields(Backup) if each.default is MISSING is each.default_factory]
    for key in described(target):
        try:
            data = target.read_data(key, *needed)
        except Damaged as error:
            say(f"{error} It counts for no backup until then; the others do.")
            continue
        if data is None:
            raise TargetAway(target.address, f"{key} is listed, and what answers for the store does not have it")
        found.append(_backup_of(data))
    return sorted(found, key=lambda each: each.number)


def _backup_of(data: dict[str, Any]) -> Backup:
    """Without what a newer release adds."""
    return Backup(**{each.name: data[each.name] for each in fields(Backup) if each.name in data})


def described(target: Target) -> list[str]:
    return [key for key, _ in target.keys("backups/") if key.endswith("/backup.json")]


def chain(backup: Backup, known: list[Backup]) -> list[Backup | str]:
    """It and all that it adds to, the full one last; of one that nobody describes its id, and nothing after it."""
    by_id, found = {each.id: each for each in known}, list[Backup | str]([backup])
    while isinstance(last := found[-1], Backup) and last.since:
        found.append(by_id.get(last.since, last.since))
    return found


def faults(target: Target, known: list[Backup]) -> dict[str, list[str]]:
    """Of each backup that cannot be restored whole, what is gone or is not what was kept: of its own, and of what it
    adds to. The newest one is read back with all that it adds to, and so is each that was found damaged before; of the
    others it is looked whether all is there and as long as it was."""
    sizes = dict(target.keys("backups/"))
    read = {part.id for part in (chain(known[-1], known) if known else []) if isinstance(part, Backup)}
    read |= {key.removeprefix(DAMAGED).removesuffix(".json") for key, _ in target.keys(DAMAGED)}
    own: dict[str, list[str]] = {}
    for each in known:
        own[each.id] = []
        for name, (digest, size) in each.objects.items():
            key = each.key(name)
            if sizes.get(key) != size or (each.id in read and _digest(target, key) != digest):
                own[each.id].append(key)
    found = {}
    for each in known:
        parts = chain(each, known)
        # Its documents may be of any of them, the database needs all, and keys are its own.
        wrong = [key for part in parts for key in (own[part.id] if isinstance(part, Backup) else [_described(part)])]
        if wrong := [key for key in wrong if not key.endswith(KEYS) or key == each.key(KEYS)]:
            found[each.id] = wrong
    return found


def _described(backup: str) -> str:
    return f"backups/{backup}/backup.json"


def _digest(target: Target, key: str) -> str:
    try:
        return target.digest(key)
    except FileNotFoundError:
        return ""


def _note_faults(target: Target, found: dict[str, list[str]]) -> None:
    """For the next look, also from elsewhere: of an old backup it reads only what is noted."""
    own = {each: [key for key in keys if key.startswith(f"backups/{each}/")] for each, keys in found.items()}
    wanted = {f"{DAMAGED}{each}.json": keys for each, keys in own.items() if keys}
    noted = {key for key, _ in target.keys(DAMAGED)}
    for key in sorted(wanted.keys() - noted):
        target.put_data(key, {"objects": wanted[key]})
    # Brought back, or erased. Where the account may not erase, it is read again each time.
    with suppress(TargetAway):
        target.erase(sorted(noted - wanted.keys()))


def proofs(target: Target) -> list[dict[str, Any]]:
    """What was restored in rehearsals, oldest first."""
    found = []
    for key, _ in target.keys("proved/"):
        # One that cannot be read proves nothing.
        with suppress(Damaged):
            found.append(target.read_data(key, "backup", "at"))
    return sorted((each for each in found if each), key=lambda each: str(each["at"]))


def take(
    server: engine.Server,
    data: Path,
    target: Target,
    public_keys: str,
    *,
    full: bool,
    count_anew: bool = False,
    clock: Callable[[], dt.datetime],
    say: Step = lambda text: None,
) -> Backup:
    """Take one; `count_anew` where rows may be fewer than before. What is found damaged, and what fell, is in
    `state.noted`. Raises what `engine`, `sealing` and `target` raise, AnotherRegister, LineLeft, PlaceEmpty, NotKept,
    BackupRuns and NoRoom; whatever it raises, nothing that was there before is changed."""
    keys, here = sealing.recipients(public_keys), local(data)
    with _alone(here) as lock:
        if not full and (verified := state.places(data).get(target.address)) and not target.keys("backups/"):
            raise PlaceEmpty(target.address, verified)
        known = all_backups(target, say)
        _belongs(target, server, known, say)
        _goes_on(target, server, known)
        last = state.noted(data)
        noted = _backup_of(last["backup"]) if last.get("target") == target.address else None
        if noted is not None and noted.key("backup.json") not in described(target):
            say(
                f"{target.address} no longer has {noted.id}, which was verified there: somebody erased it, or what "
                "answers for the store is an old copy of it. This backup is taken all the same. Look after the store."
            )
        _clear(target, here, {each.id for each in (*known, *([noted] if noted else []))})
        if known:
            say(f"Reading {known[-1].id} back, with all that it adds to.")
        damaged = faults(target, known)
        _note_faults(target, damaged)
        began = clock()
        since = None if full or (known and known[-1].id in damaged) else _to_add_to(known, here, server)
        programs = engine.programs(server.major)
        # 1) The cluster, checked by PostgreSQL's own program before anything is sent.
        cluster = here.staging / "cluster"
        say("Copying the database" + (f", what changed since {since.id}." if since else "."))
        # What is known now is in what is copied from now on.
        known_now = facts.of(server.url, data)
        before = None if count_anew or last.get("counted_in") != server.identifier else last["counted"]
        begins = facts.beginning(before, server.url) if before and "journal" in known_now else None
        fell = facts.fallen(before, known_now, begins) if before else []
        counted = {**before, "keys": known_now["keys"]} if before and fell else known_now
        try:
            try:
                programs.base(server.url, cluster, since=here.of(since.id, "manifest") if since else None, hold=[lock])
            except engine.CannotAdd as error:
                say(f"PostgreSQL does not know all that changed since then, so all of it is copied: {error.why}")
                since = None
                programs.base(server.url, cluster, hold=[lock])
        except engine.ProgramFailed as error:
            raise (NoRoom(error.why) if os.strerror(errno.ENOSPC) in error.why else error) from None
        say("Checking the copy.")
        programs.verify(cluster)
        finished = clock()
        # 2) Packed and sealed, each in one file.
        say("Sealing it.")
        name = f"{finished:%Y%m%dT%H%M%SZ}-{'more' if since else 'full'}-{secrets.token_hex(2)}"
        first_segment = _first_segment(cluster)
        manifest = (cluster / "backup_manifest").read_bytes()
        unpacked = {DATABASE: sealing.seal_folder(cluster, _below(cluster), here.staging / DATABASE, keys)}
        shutil.rmtree(cluster)
        index = index_of(data)
        before = json.loads(here.of(since.id, "files.json").read_text()) if since else {}
        changed = [path for path, stamp in index.items() if before.get(path) != stamp]
        about = {INDEX: json.dumps(index).encode(), "facts.json": json.dumps(counted).encode()}
        files = _stamps_first(changed)
        unpacked[FILES] = sealing.seal_folder(data, files, here.staging / FILES, keys, added=about)
        secret = [each.relative_to(data).as_posix() for each in facts.files_below(data / "keys")]
        # Left over from the embedded server, they would make a restore take this one for it.
        if engine.identifier_of(data / "postgres" / "cluster") == server.identifier:
            secret += [each.relative_to(data).as_posix() for each in sorted(data.glob(PASSWORDS))]
        unpacked[KEYS] = sealing.seal_folder(data, secret, here.staging / KEYS, keys)
        # 3) Kept, and read back.
        objects: dict[str, list[Any]] = {}
        for part in (DATABASE, FILES, KEYS):
            path = here.staging / part
            objects[part] = [sealing.digest_of(path), path.stat().st_size]
            say(f"Keeping {part} ({path.stat().st_size / 1e6:.1f} MB), and reading it back.")
            target.put(f"backups/{name}/{part}", path)
            try:
                kept = target.digest(f"backups/{name}/{part}")
            except FileNotFoundError:
                kept = ""
            if kept != objects[part][0]:
                raise NotKept(f"backups/{name}/{part}")
            path.unlink()
        made = Backup(
            name,
            max((each.number + 1 for each in (*known, *([noted] if noted else []))), default=0),
            since.id if since else "",
            _text(began),
            _text(finished),
            server.identifier,
            server.major,
            first_segment,
            __version__,
            facts.prints(data),
            objects,
            since.chain + 1 if since else 0,
            server.database,
            _whole_from(json.loads(manifest)),
            unpacked,
        )
        content = target.put_data(made.key("backup.json"), asdict(made))
        if target.read(made.key("backup.json")) != content:
            target.erase([made.key("backup.json")])
            raise NotKept(made.key("backup.json"))
        # 4) What the next one adds to, and what doctor reads.
        shutil.rmtree(here.folder / "last", ignore_errors=True)
        (here.folder / "last").mkdir(mode=0o700)
        here.of(name, "manifest").write_bytes(manifest)
        here.of(name, "files.json").write_text(json.dumps(index))
        proved = proofs(target)[-1:]
        places = state.places(data) | {target.address: name}
        about_it = {"backup": asdict(made), "proved": proved[0] if proved else None, "target": target.address}
        found = {"damaged": sorted({key for keys in damaged.values() for key in keys}), "fell": fell}
        count = {"counted": counted, "counted_in": server.identifier}
        state.note(data, about_it | {"places": places} | found | count)
    return made


def forget(target: Target, *, now: dt.datetime, days: int = KEEP_DAYS) -> list[str]:
    """Erase backups, and the log, that are older than `days` and that no younger one needs; the keys that went.

    The last chain stays however old it is: a register whose backups fail loses none that it has.
    """
    backups = all_backups(target)
    fulls = [each for each in backups if each.is_full]
    limit = now - dt.timedelta(days=days)
    # The newest full backup from before the limit is needed: it leads to the times after the limit.
    needed = [each for each in fulls if each.at <= limit][-1:] or fulls[:1]
    if not needed:
        return []
    begin = needed[0]
    old = [each for each in backups if each.number < begin.number]
    gone = [key for each in old for key, _ in target.keys(f"backups/{each.id}/")]
    # What says that it is whole goes first.
    gone.sort(key=lambda key: not key.endswith("backup.json"))
    first = wal.segment(begin.first_segment)
    for file, key in wal.names(target).items():
        here = wal.segment(file[:24])
        if first and here and (here.timeline, here.number) < (first.timeline, first.number):
            gone.append(key)
    target.erase(gone)
    return gone


# -- how -----------------------------------------------------------------------------------------------------------


@contextmanager
def _alone(here: Local) -> Iterator[int]:
    """The lock, which the program that copies holds too: it may live for a moment longer than we do."""
    here.folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(here.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRuns from None
        yield descriptor
    except PermissionError as error:
        raise MayNotRead(str(error.filename)) from None
    except OSError as error:
        raise NoRoom(f"{error.filename or here.folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(here.staging, ignore_errors=True)
        os.close(descriptor)


def _belongs(target: Target, server: engine.Server, known: list[Backup], say: Step) -> None:
    try:
        kept = target.read_data(WHOSE, "identifier")
    except Damaged as error:
        if {each.identifier for each in known} != {server.identifier}:
            raise
        say(f"{error} All backups there are of this database, so it is written anew.")
        kept = None
    if kept is None:
        target.put_data(WHOSE, {"identifier": server.identifier})
    elif kept["identifier"] != server.identifier:
        raise AnotherRegister(target.address, kept["identifier"], server.identifier)


def _goes_on(target: Target, server: engine.Server, known: list[Backup]) -> None:
    """An old register that comes back after a restore has the same identifier, and an older line."""
    lines.check(target, server.timeline)
    # Where nothing archives the log, the backups alone tell.
    newest = max((each.timeline for each in known), default=0)
    if newest > server.timeline:
        raise lines.LineLeft(server.timeline, newest)


def _clear(target: Target, here: Local, whole: set[str]) -> None:
    """What a killed backup has left."""
    shutil.rmtree(here.staging, ignore_errors=True)
    here.staging.mkdir(mode=0o700)
    # Where the account may add and not erase, it stays, and counts for nothing.
    with suppress(TargetAway):
        there = [key for key, _ in target.keys("backups/")]
        # Also what this list has and the one before it had not: what answers may be two copies, one of them old.
        whole |= {key.split("/")[1] for key in there if key.endswith("/backup.json")}
        target.erase([key for key in there if key.split("/")[1] not in whole])


def _to_add_to(known: list[Backup], here: Local, server: engine.Server) -> Backup | None:
    """The last one, where the server knows what changed since and we have kept what is needed; else a full one it
    is."""
    last = known[-1] if known else None
    if last is None or server.major < engine.INCREMENTAL_FROM or not server.summarizes:
        return None
    if last.chain + 1 > LONGEST_CHAIN or last.major != server.major:
        return None
    # What one of them adds to may be gone, or damaged.
    if not all(isinstance(part, Backup) for part in chain(last, known)):
        return None
    return last if all(here.of(last.id, name).exists() for name in KEPT_HERE) else None


def _first_segment(cluster: Path) -> str:
    """From which file of the log on it is restored."""
    label = (cluster / "backup_label").read_text().split("\n", 1)[0]
    return label.rpartition("file ")[2].rstrip(")")


def _whole_from(manifest: dict[str, Any]) -> int:
    return max(lines.position(each["End-LSN"]) for each in manifest["WAL-Ranges"])


def _below(folder: Path) -> Iterator[str]:
    """Folders too: PostgreSQL wants its empty ones."""
    for path in sorted(folder.rglob("*")):
        yield path.relative_to(folder).as_posix()


def index_of(data: Path) -> dict[str, list[int]]:
    """Size and time of change of each file that belongs to the backup, by its path. Raises PermissionError."""
    found: dict[str, list[int]] = {}
    for top in (each for each in data.iterdir() if each.name not in NOT_FILES):
        for path in facts.files_below(top) if top.is_dir() else [top]:
            if path.name.endswith(".new"):
                continue
            with suppress(FileNotFoundError):
                status = path.lstat()
                found[path.relative_to(data).as_posix()] = [status.st_size, status.st_mtime_ns]
    return found


def _stamps_first(paths: list[str]) -> list[str]:
    """A timestamp of the feed before what it leads to: that was on the disk first, so all of it is packed."""
    return sorted(paths, key=lambda path: (not path.endswith("timestamp.json"), path))


def _text(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
