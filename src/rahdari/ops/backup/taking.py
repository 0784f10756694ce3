"""One backup: the cluster, the data folder and the keys, each packed, sealed, kept and read back.

Invariants:
- What has no `backup.json` is no backup: that file is written when each object was read back and is what was sent.
- A backup killed at any moment leaves what the next one clears away, and nothing else.
- One place keeps the backups of one register.
"""

import datetime as dt
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rahdari import __version__
from rahdari.ops.errors import Told

from . import engine, facts, sealing, state, wal
from .target import Target, TargetAway

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


class AnotherRegister(Told):
    """The place has the backups of another database cluster. `.theirs` and `.ours` are PostgreSQL's identifiers."""

    def __init__(self, target: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"{target} has the backups of another database (system identifier {theirs}; this one is {ours}). "
            "Give this register a place of its own in RAHDARI_BACKUP. Nothing was written."
        )
        self.theirs, self.ours = theirs, ours


class NotKept(Told):
    """What was read back is not what was sent. `.key` is the object."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} was kept, and what is read back is something else: the store or its disk is at fault. This backup "
            "does not count, and the next one clears it away. Look after the store."
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
    the sealed objects. `since` is the id of the backup that this one adds to, empty for a full one. It can be restored
    to any time from `finished_at` on, as far as the log reaches. `keys` are short prints that tell one key from
    another.
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


def all_backups(target: Target) -> list[Backup]:
    """Those that are whole, in the order in which they were taken, whatever the clock said."""
    found = [key for key, _ in target.keys("backups/") if key.endswith("/backup.json")]
    return sorted((Backup(**data) for key in found if (data := target.read_data(key))), key=lambda each: each.number)


def proofs(target: Target) -> list[dict[str, Any]]:
    """What was restored in rehearsals, oldest first."""
    found = [target.read_data(key) for key, _ in target.keys("proved/")]
    return sorted((each for each in found if each), key=lambda each: str(each["at"]))


Step = Callable[[str], None]


def take(
    server: engine.Server,
    data: Path,
    target: Target,
    public_keys: str,
    *,
    full: bool,
    clock: Callable[[], dt.datetime],
    say: Step = lambda text: None,
) -> Backup:
    """Take one. Raises what `engine`, `sealing` and `target` raise, AnotherRegister, NotKept, BackupRuns and NoRoom;
    whatever it raises, nothing that was there before is changed."""
    keys, here = sealing.recipients(public_keys), local(data)
    with _alone(here):
        _belongs(target, server)
        known = all_backups(target)
        _clear(target, here, known)
        began = clock()
        since = None if full else _to_add_to(known, here, server)
        programs = engine.programs(server.major)
        # 1) The cluster, checked by PostgreSQL's own program before anything is sent.
        cluster = here.staging / "cluster"
        say("Copying the database" + (f", what changed since {since.id}." if since else "."))
        # What is known now is in what is copied from now on.
        known_now = facts.of(server.url, data)
        programs.base(server.url, cluster, since=here.of(since.id, "manifest") if since else None)
        say("Checking the copy.")
        programs.verify(cluster)
        finished = clock()
        # 2) Packed and sealed, each in one file.
        say("Sealing it.")
        name = f"{finished:%Y%m%dT%H%M%SZ}-{'more' if since else 'full'}-{secrets.token_hex(2)}"
        first_segment = _first_segment(cluster)
        manifest = (cluster / "backup_manifest").read_bytes()
        sealing.seal_folder(cluster, _below(cluster), here.staging / DATABASE, keys)
        shutil.rmtree(cluster)
        index = index_of(data)
        before = json.loads(here.of(since.id, "files.json").read_text()) if since else {}
        changed = [path for path, stamp in index.items() if before.get(path) != stamp]
        about = {INDEX: json.dumps(index).encode(), "facts.json": json.dumps(known_now).encode()}
        sealing.seal_folder(data, _stamps_first(changed), here.staging / FILES, keys, added=about)
        secret = [each.relative_to(data).as_posix() for each in facts.files_below(data / "keys")]
        secret += [each.relative_to(data).as_posix() for each in sorted(data.glob(PASSWORDS))]
        sealing.seal_folder(data, secret, here.staging / KEYS, keys)
        # 3) Kept, and read back.
        objects: dict[str, list[Any]] = {}
        for part in (DATABASE, FILES, KEYS):
            path = here.staging / part
            objects[part] = [sealing.digest_of(path), path.stat().st_size]
            say(f"Keeping {part} ({path.stat().st_size / 1e6:.1f} MB), and reading it back.")
            target.put(f"backups/{name}/{part}", path)
            if target.digest(f"backups/{name}/{part}") != objects[part][0]:
                raise NotKept(f"backups/{name}/{part}")
            path.unlink()
        made = Backup(
            name,
            known[-1].number + 1 if known else 0,
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
        )
        target.put_data(made.key("backup.json"), asdict(made))
        # 4) What the next one adds to, and what doctor reads.
        shutil.rmtree(here.folder / "last", ignore_errors=True)
        (here.folder / "last").mkdir(mode=0o700)
        here.of(name, "manifest").write_bytes(manifest)
        here.of(name, "files.json").write_text(json.dumps(index))
        proved = proofs(target)[-1:]
        about_it = {"backup": asdict(made), "proved": proved[0] if proved else None, "target": target.address}
        state.note(data, about_it)
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
def _alone(here: Local) -> Iterator[None]:
    here.folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(here.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRuns from None
        yield
    except PermissionError as error:
        raise MayNotRead(str(error.filename)) from None
    except OSError as error:
        raise NoRoom(f"{error.filename or here.folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(here.staging, ignore_errors=True)
        os.close(descriptor)


def _belongs(target: Target, server: engine.Server) -> None:
    kept = target.read_data("register.json")
    if kept is None:
        target.put_data("register.json", {"identifier": server.identifier})
    elif kept["identifier"] != server.identifier:
        raise AnotherRegister(target.address, kept["identifier"], server.identifier)


def _clear(target: Target, here: Local, known: list[Backup]) -> None:
    """What a killed backup has left."""
    shutil.rmtree(here.staging, ignore_errors=True)
    here.staging.mkdir(mode=0o700)
    whole = {each.id for each in known}
    # Where the account may add and not erase, it stays, and counts for nothing.
    with suppress(TargetAway):
        target.erase([key for key, _ in target.keys("backups/") if key.split("/")[1] not in whole])


def _to_add_to(known: list[Backup], here: Local, server: engine.Server) -> Backup | None:
    """The last one, where the server knows what changed since and we have kept what is needed; else a full one it
    is."""
    last = known[-1] if known else None
    if last is None or server.major < engine.INCREMENTAL_FROM or not server.summarizes:
        return None
    if last.chain + 1 > LONGEST_CHAIN or last.major != server.major:
        return None
    return last if all(here.of(last.id, name).exists() for name in KEPT_HERE) else None


def _first_segment(cluster: Path) -> str:
    """From which file of the log on it is restored."""
    label = (cluster / "backup_label").read_text().split("\n", 1)[0]
    return label.rpartition("file ")[2].rstrip(")")


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
