"""A register from its backups, as it was at one time, in a new data folder.

Invariants:
- Nothing that is there is touched: the folder is new, or the restore is refused. It is made beside and renamed, so
  that a restore killed at any moment leaves no half register under the name. What is beside holds database and keys:
  it is erased when the restore fails, and by the next one where this one was killed.
- All or nothing of the log: a segment that is missing, or damaged, is an error and never the end.
- The keys are those that the backup names.
- What is sound comes back: a backup needs what it adds to and nothing newer, a damaged one is passed over for the one
  before it and more of the log, and documents that are damaged are named and keep nothing else back.
"""

import csv
import datetime as dt
import errno
import fcntl
import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from rahdari.ops import datafolder, postgres
from rahdari.ops.errors import Told

from . import engine, facts, lines, sealing, taking, wal
from .taking import Backup, Step
from .target import Target

# So long a recovery may say nothing new before it is given up, in seconds.
PATIENCE = 600
# So often it says how far it is, in seconds.
TELL_AFTER = 10
NOT_REACHED = "recovery ended before configured recovery target was reached"
# What PostgreSQL's programs and the system say of a full disk.
_FULL = re.compile(rf"{re.escape(os.strerror(errno.ENOSPC))}|: wrote \d+ of \d+")
OURS = "# Written by `rahdari restore`, and taken away when it has ended."


class NothingToRestore(Told):
    """No backup leads to that time. `.oldest` is the time from which on one does, empty without any."""

    def __init__(self, target: str, oldest: str, to: str) -> None:
        if oldest:
            super().__init__(
                f"The oldest backup in {target} is of {oldest}; nothing leads to {to}. Choose a later time."
            )
        else:
            super().__init__(f"There is no backup in {target}. Look whether it is the right place, and mounted.")
        self.oldest = oldest


class NoSuchBackup(Told):
    """No backup has this name. `.name` is the name."""

    def __init__(self, target: str, name: str) -> None:
        super().__init__(f"There is no backup {name} in {target}. `rahdari backup list` names those that are there.")
        self.name = name


class PartMissing(Told):
    """A backup needs an earlier one, or an object, that is gone or damaged. `.name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is gone or damaged, and the backup that was asked for needs it. Bring it back from where the "
            "place of the backups is itself kept, or choose another with --backup (`rahdari backup list` names them)."
        )
        self.name = name


class FolderTaken(Told):
    """There is something in the folder. `.folder` is the folder."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"{folder} {why}. A register is restored into a new folder alone, and nothing is overwritten: move it "
            "aside, or name another with --data."
        )
        self.folder = folder


class NoRoom(Told):
    """The disk was full. `.needed` is about how much the restore takes there, in bytes; `.free` what was there."""

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        super().__init__(
            f"The disk of {folder} is full: {free / 1e6:.0f} MB were free when the restore began, and it needs "
            f"about {needed / 1e6:.0f} MB. Nothing of it is left. Make room, or restore on another disk: --data, and "
            "in a rehearsal --work."
        )
        self.needed, self.free = needed, free


class OtherKeys(Told):
    """The keys that came back are not those that the backup was taken with. `.names` says which."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"The keys {', '.join(names)} are not those with which this database was written, so it could not be read. "
            "Nothing was restored. Restore database and keys of one backup."
        )
        self.names = names


class NotReached(Told):
    """The log ends before the time that was asked for. `.until` is the time of the last commit in it, if known."""

    def __init__(self, to: str, until: str) -> None:
        known = f"the last that it knows is of {until}" if until else "it ends with the backup itself"
        super().__init__(
            f"The log does not reach {to}: {known}. Restore to an earlier time, or to all that there is with --to "
            "latest."
        )
        self.until = until


class RecoveryFailed(Told):
    """PostgreSQL could not recover. `.log` is the end of what it said."""

    def __init__(self, log: str) -> None:
        super().__init__(f"PostgreSQL did not get through the log. It said:\n{log}")
        self.log = log


type Fault = PartMissing | sealing.CannotOpen


@dataclass(frozen=True)
class Restored:
    """`reached` is the time of the last commit that came back, empty when none came after the backup. `files_of` is the
    backup whose list the documents were brought back by, `known` what was counted when `backup` was taken, empty where
    its count is damaged. `lacking` are documents that did not come back, or only as an older backup has them, each with
    the reason; `damaged` the names of what does not open or is gone."""

    backup: Backup
    files_of: Backup
    reached: str
    known: dict[str, Any]
    took_seconds: float
    lacking: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def state_of(self) -> dt.datetime:
        """The time whose state came back: of the last commit, or of the backup. UTC."""
        found = dt.datetime.fromisoformat(self.reached) if self.reached else self.backup.at
        return found.astimezone(dt.UTC)


def choose(
    target: Target, known: list[Backup], to: dt.datetime | None, backup: str = "", line: lines.Line | None = None
) -> Backup:
    """The last one that was finished by then, on this line of the log if there is one, or the one that is named.

    Raises NothingToRestore, NoSuchBackup.
    """
    if known and backup:
        fits = [each for each in known if each.id == backup]
        if not fits:
            raise NoSuchBackup(target.address, backup)
    else:
        fits = [each for each in known if not to or each.at <= to]
    if not fits:
        oldest = f"{known[0].finished_at[:19]} UTC" if known else ""
        raise NothingToRestore(target.address, oldest, _text(to))
    return candidates(fits, line)[-1]


def candidates(fits: list[Backup], line: lines.Line | None) -> list[Backup]:
    """Those on this line of the log, where there are any."""
    return [each for each in fits if line is not None and each.is_on(line)] or fits


def chain_of(backup: Backup, known: list[Backup]) -> list[Backup]:
    """It and all that it adds to, the full one first. Raises PartMissing."""
    found: list[Backup] = []
    for part in taking.chain(backup, known):
        if not isinstance(part, Backup):
            raise PartMissing(f"backups/{part}/backup.json")
        found.insert(0, part)
    return found


def restore(
    target: Target,
    identity: Path,
    data: Path,
    *,
    to: dt.datetime | None,
    backup: str = "",
    say: Step = lambda text: None,
) -> Restored:
    """Bring it back into `data`, which is new. `to` None is all that there is.

    Raises what `target`, `sealing` and `engine` raise, NothingToRestore, PartMissing, FolderTaken, NoRoom, OtherKeys,
    NotReached, RecoveryFailed and wal.Missing; whatever it raises, nothing of it is left.
    """
    began = time.monotonic()
    key = sealing.identity(identity)
    _must_be_new(data)
    known = taking.all_backups(target, say)
    log = wal.names(target)
    line = wal.newest_line(log, target, identity)
    if (newest := max((each.timeline for each in known), default=1)) > line.number:
        # Nothing archives the log, so nothing tells where it left the one before.
        line = lines.Line(newest)
    chosen, damaged = _sound(target, known, choose(target, known, to, backup, line), backup, line, say)
    if not chosen.is_on(line):
        say(f"{chosen.id} is of line {chosen.timeline} of the log, which line {line.number} left: it is followed.")
        line = lines.Line(chosen.timeline)
    elif left := [each.id for each in known if each.number > chosen.number and not each.is_on(line)]:
        say(
            f"Line {line.number} of the log is followed. Left out, since they were taken of the line before after "
            f"it had begun: {', '.join(left)}. To bring one of them back, name it with --backup."
        )
    log = {
        name: key
        for name, key in log.items()
        if (file := wal.segment(name)) is None or line.goes_through(file.timeline, file.start)
    }
    first = wal.segment(chosen.first_segment)
    if first is not None and log and to is None:
        wal.check_unbroken(log, first)
    # Of the documents the newest there are of this line: what came after `to` is known to no row, and nothing is
    # missing.
    with_papers = _with_papers(known, line)
    chain = chain_of(chosen, known)
    with _drafted(data, _needed(chain, _papers_chain(with_papers)), say) as draft:
        # First, for they tell another private key from damage.
        _open(target, chosen, taking.KEYS, draft, key)
        wrong = [name for name, kept in chosen.keys.items() if facts.prints(draft).get(name) != kept]
        if wrong:
            raise OtherKeys(wrong)
        documents = _Documents(target, draft, key, say)
        documents.bring_back(with_papers, chosen)
        if not (draft / "version").exists():
            datafolder.write_label(draft, datafolder.REGISTER)
        programs = engine.programs(chosen.major)
        cluster = draft / "postgres" / "cluster"
        _cluster(target, chain, draft, cluster, programs, key, say)
        say("Going through the log" + (f" up to {_text(to)}." if to else "."))
        try:
            server = server_on(draft, chosen, archive_mode="off")
            reached = _recover(server, target, identity, to, line=line.number if log else 0, say=say)
        except NotReached:
            # Perhaps for what is missing in between.
            if first is not None:
                wal.check_unbroken(log, first)
            raise
        if documents.lacking:
            write_lacking(draft, documents.lacking)
        draft.rename(data)
    return Restored(
        chosen,
        documents.listed_by or chosen,
        reached,
        documents.known,
        time.monotonic() - began,
        documents.lacking,
        damaged + documents.damaged,
    )


def server_on(data: Path, backup: Backup, **settings: str) -> postgres.Server:
    """What starts the cluster that came back into `data`: the embedded server, where it is one of ours."""
    if (data / "postgres" / "admin-password").exists():
        return postgres.Server(data, settings=settings)
    server = postgres.Adopted(data, settings=settings, programs=engine.programs(backup.major).folder)
    server.database = backup.database
    return server


def waits_for(cluster: Path) -> str:
    """`synchronous_standby_names` of the settings that came back with a cluster; empty where it waits for nobody."""
    found = ""
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        path = cluster / name
        text = path.read_text(errors="replace") if path.exists() else ""
        for said in re.findall(r"^\s*synchronous_standby_names\s*=?\s*'(.*)'", text, re.MULTILINE):
            found = said
    return found


# -- how -----------------------------------------------------------------------------------------------------------


def _must_be_new(data: Path) -> None:
    if datafolder.is_locked(data):
        raise FolderTaken(data, "is in use by a running register")
    if data.is_symlink() or (data.exists() and not data.is_dir()):
        raise FolderTaken(data, "is no folder")
    if data.is_mount():
        raise FolderTaken(data, "is where a disk is mounted, and cannot be made anew; name a folder below it")
    if data.exists() and any(data.iterdir()):
        raise FolderTaken(data, "is not empty")


@contextmanager
def _drafted(data: Path, needed: int, say: Step) -> Iterator[Path]:
    """A folder beside `data` that becomes it, or is erased. Raises FolderTaken, NoRoom."""
    draft = data.with_name(f"{data.name}.restoring")
    if draft.exists():
        os.close(_held(draft))
        say(f"Erasing {draft}, which a restore that was killed has left.")
        shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise FolderTaken(draft, "is left of a restore that was killed, and cannot be erased") from None
    lock, free = _held(draft), shutil.disk_usage(draft).free
    try:
        say(f"All is made in {draft}: database and keys in clear. If this is killed, erase that folder.")
        yield draft
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if _FULL.search(str(error)):
            raise NoRoom(draft.parent, needed, free) from None
        raise
    finally:
        os.close(lock)


def _held(draft: Path) -> int:
    """Held while a restore goes into it, until closed. Raises FolderTaken."""
    descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderTaken(draft, "is being made by another restore") from None
    return descriptor


def _sound(
    target: Target, known: list[Backup], chosen: Backup, named: str, line: lines.Line, say: Step
) -> tuple[Backup, list[str]]:
    """The last one up to `chosen` whose database and keys are as they were kept, and what is damaged of the others. A
    backup that was named is the only one. Raises PartMissing, CannotOpen."""
    read: dict[str, Fault | None] = {}

    def fault_of(part: Backup, name: str) -> Fault | None:
        if (object_key := part.key(name)) not in read:
            read[object_key] = None
            try:
                if target.digest(object_key) != part.objects[name][0]:
                    read[object_key] = sealing.CannotOpen(object_key, "it is not what was kept")
            except FileNotFoundError:
                read[object_key] = PartMissing(object_key)
        return read[object_key]

    def fault_in(backup: Backup) -> Fault | None:
        try:
            needed = [(part, taking.DATABASE) for part in chain_of(backup, known)]
        except PartMissing as error:
            return error
        return next((fault for each in [*needed, (backup, taking.KEYS)] if (fault := fault_of(*each))), None)

    fault = fault_in(chosen)
    if fault is None:
        return chosen, []
    earlier = [each for each in candidates(known, line) if each.number < chosen.number and not named]
    other = next((each for each in reversed(earlier) if fault_in(each) is None), None)
    if other is None:
        raise fault
    say(
        f"{chosen.id} cannot be restored: {fault} {other.id} is taken in its place, with the log since then; where no "
        "log is archived, that is the moment which comes back."
    )
    return other, sorted({fault.name, *(name for name, found in read.items() if found is not None)})


def _with_papers(known: list[Backup], line: lines.Line) -> list[Backup]:
    """Up to the newest one of this line: those on it, and each that they add to, which may be of a line before it."""
    newest = ([each for each in known if each.timeline == line.number] or known)[-1]
    by_id, found = {each.id: each for each in known}, set[str]()
    for each in known:
        part: Backup | None = each if each is newest or each.is_on(line) else None
        while part is not None and part.id not in found:
            found.add(part.id)
            part = by_id.get(part.since)
    return [each for each in known if each.id in found and each.number <= newest.number]


def _papers_chain(known: list[Backup]) -> list[Backup]:
    """The newest backup and all before it that it adds to, as far as they are described, the full one first."""
    try:
        return chain_of(known[-1], known)
    except PartMissing:
        return known[-1:]


LACKING = "missing-documents.csv"


def write_lacking(folder: Path, lacking: Mapping[str, str]) -> None:
    with (folder / LACKING).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "why"])
        rows.writerows(sorted(lacking.items()))


@dataclass
class _Documents:
    """The files of the data folder, as the newest list that opens names them, from the backups that have them.

    From the newest backup back: each version of a file is in the one that was taken after it changed. Where nothing is
    damaged that ends at the full backup; else older ones are asked too, and a file comes back as an older one has it
    rather than not at all. Of a damaged backup what stands before the damage is taken.
    """

    target: Target
    draft: Path
    key: Any
    say: Step
    lacking: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    listed_by: Backup | None = None
    known: dict[str, Any] = field(default_factory=dict)

    def bring_back(self, backups: list[Backup], chosen: Backup) -> None:
        by_id = {each.id: each for each in backups}
        wanted: dict[str, list[int]] = {}
        todo: set[str] = set()
        # Of each file in `todo`: the backup that should hold it, and whether it came back as an older one has it.
        held_by: dict[str, Backup] = {}
        older: dict[str, str] = {}
        indexes: dict[str, dict[str, list[int]]] = {}
        for backup in reversed(backups):
            if self.listed_by is not None and not todo:
                break
            self.say(f"Bringing back the files of {backup.id}.")
            folder, sound = self._unpacked(backup)
            index, counts = _read(folder / taking.INDEX), _read(folder / "facts.json")
            if backup.id == chosen.id:
                self.known = counts or {}
            if index is not None:
                indexes[backup.id] = index
                if self.listed_by is None:
                    self.listed_by, wanted, todo = backup, index, set(index)
                for path in sorted(todo):
                    if index.get(path) == wanted[path]:
                        held_by[path] = backup
                    from_here = folder / path
                    if not from_here.exists() or not (sound or _stamp(from_here, index.get(path))):
                        continue
                    if index.get(path) != wanted[path] and path in older:
                        continue
                    to = self.draft / path
                    to.parent.mkdir(parents=True, exist_ok=True)
                    from_here.replace(to)
                    older[path] = backup.id
                    if index.get(path) == wanted[path]:
                        del older[path]
                        todo.discard(path)
            shutil.rmtree(folder)
            if backup.since and backup.since not in by_id:
                self.damaged.append(f"backups/{backup.since}/backup.json")
            if backup.is_full and self.listed_by is not None and not self.damaged:
                # What is not there either went while it was packed.
                todo.clear()
        # The backup that should hold it is whole and knows that the one before had it not: it went while it was packed.
        gone = {
            path
            for path, holder in held_by.items()
            if holder.key(taking.FILES) not in self.damaged and (holder.is_full or holder.since in indexes)
        }
        for path in sorted(todo - gone):
            self.lacking[path] = f"as {older[path]} has it, which is older" if path in older else "not there"
        if self.listed_by is not backups[-1]:
            since = f"since {self.listed_by.finished_at[:19]} UTC" if self.listed_by else "at any time"
            self.lacking["*"] = f"which files changed {since} is not known: no list of them opens"

    def _unpacked(self, backup: Backup) -> tuple[Path, bool]:
        """Where its files are, and whether they are all that were packed."""
        folder, name = self.draft / ".files", backup.key(taking.FILES)
        folder.mkdir(mode=0o700)
        fault: Fault | None = None
        try:
            if self.target.digest(name) != backup.objects[taking.FILES][0]:
                fault = sealing.CannotOpen(name, "it is not what was kept")
            sealing.open_folder(self.target.pieces(name), name, folder, self.key)
        except FileNotFoundError:
            fault = PartMissing(name)
        except sealing.CannotOpen as error:
            fault = error
        if fault is not None:
            self.damaged.append(name)
            self.say(f"{fault} What opens of it is brought back, and the documents that are missing are named.")
        return folder, fault is None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return None


def _stamp(path: Path, said: list[int] | None) -> bool:
    """Whether a file is what a list says of it: archives keep times to a microsecond or so."""
    found = path.lstat()
    return said is not None and found.st_size == said[0] and abs(found.st_mtime_ns - said[1]) < 1_000_000


def _needed(chain: list[Backup], chain_of_papers: list[Backup]) -> int:
    """Bytes that a restore takes at most, about: each part of the database, and what is put together from them."""

    def size(backup: Backup, name: str) -> int:
        # Before it was noted how large a part is unpacked: more than it is sealed.
        return backup.unpacked.get(name, int(backup.objects[name][1]))

    parts = [size(each, taking.DATABASE) for each in chain]
    together = max(parts) if len(parts) > 1 else 0
    return sum(parts) + together + sum(size(each, taking.FILES) for each in chain_of_papers)


def _open(target: Target, backup: Backup, name: str, into: Path, key: Any) -> None:
    """What `_sound` found to be as it was kept. Raises PartMissing, CannotOpen."""
    try:
        sealing.open_folder(target.pieces(backup.key(name)), backup.key(name), into, key)
    except FileNotFoundError:
        raise PartMissing(backup.key(name)) from None


def _cluster(
    target: Target,
    chain: list[Backup],
    draft: Path,
    cluster: Path,
    programs: engine.Programs,
    key: Any,
    say: Step,
) -> None:
    parts = []
    for number, part in enumerate(chain):
        say(f"Bringing back the database of {part.id}.")
        folder = draft / f"part-{number}"
        folder.mkdir(mode=0o700)
        _open(target, part, taking.DATABASE, folder, key)
        programs.verify(folder)
        parts.append(folder)
    cluster.parent.mkdir(mode=0o700, exist_ok=True)
    if len(parts) == 1:
        parts[0].rename(cluster)
    else:
        say("Putting them together.")
        programs.combine(parts, cluster)
        for folder in parts:
            shutil.rmtree(folder)
        programs.verify(cluster)
    cluster.chmod(0o700)


def _recover(
    server: postgres.Server, target: Target, identity: Path, to: dt.datetime | None, *, line: int, say: Step
) -> str:
    cluster = server.cluster
    command = [sys.executable, "-P", "-m", "rahdari.ops.backup.wal", "fetch"]
    settings = [OURS, "archive_mode = off"]
    fetch = f"{shlex.join(command)} %f %p" if line else "false"
    settings.append(f"restore_command = '{_quoted(fetch)}'")
    settings += [f"recovery_target_timeline = '{line}'"] if line else []
    if to:
        settings += [
            f"recovery_target_time = '{to.astimezone(dt.UTC).isoformat()}'",
            "recovery_target_action = promote",
        ]
    configuration = cluster / "postgresql.auto.conf"
    kept = configuration.read_text() if configuration.exists() else ""
    configuration.write_text(kept + "\n".join(settings) + "\n")
    # A copy of a server that follows another would go on following, and never be done.
    (cluster / "standby.signal").unlink(missing_ok=True)
    (cluster / "recovery.signal").touch()
    # The user of the server may be another one than ours, when we are root.
    readable = server.home / "identity"
    readable.write_bytes(identity.read_bytes())
    readable.chmod(0o600)
    server.environment = {"RAHDARI_BACKUP": target.address, "RAHDARI_BACKUP_IDENTITY": str(readable)}
    try:
        with _told(server, to):
            server.start()
            reached = _wait_until_over(server, say)
    finally:
        server.stop()
        readable.unlink(missing_ok=True)
    configuration.write_text(kept)
    # The server recovered without archiving. What tells of the line that it began goes to the archive with its next
    # start: without it a second restore would begin a line of the same number.
    for path in (cluster / "pg_wal").glob("*.history"):
        (cluster / "pg_wal" / "archive_status" / f"{path.name}.ready").touch()
    return reached


@contextmanager
def _told(server: postgres.Server, to: dt.datetime | None) -> Iterator[None]:
    """PostgreSQL ends by itself when the log does not reach the time, or a file of it does not open."""
    try:
        yield
    except (postgres.DidNotStart, psycopg.Error):
        said = server.log.read_text(errors="replace") if server.log.exists() else ""
        if NOT_REACHED in said:
            until = [
                line.partition("at log time ")[2] for line in said.splitlines() if "last completed transaction" in line
            ]
            raise NotReached(_text(to), until[-1] if until else "") from None
        raise RecoveryFailed(said[-2000:].strip()) from None


def _wait_until_over(server: postgres.Server, say: Step) -> str:
    """The time of the last commit that came back."""
    seen, since = None, time.monotonic()
    told = since
    reached = ""
    while True:
        with psycopg.connect(server.admin_url, connect_timeout=10) as connection:
            row = connection.execute(
                "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text, pg_last_xact_replay_timestamp()::text"
            ).fetchone()
            assert row is not None  # noqa: S101
        reached = row[2] or reached
        if not row[0]:
            return reached
        if row[1] != seen:
            seen, since = row[1], time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise RecoveryFailed(f"nothing new for {PATIENCE} s at {seen}")
        if time.monotonic() - told >= TELL_AFTER:
            told = time.monotonic()
            say(f"So far it has what was written up to {reached or f'position {seen}'}.")
        time.sleep(0.1)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _text(at: dt.datetime | None) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "all that there is"
