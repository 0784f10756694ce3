"""Registers for tests of backups: a real PostgreSQL with its log archived, and the place where they are kept."""

import dataclasses
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rahdari.ops import datafolder, postgres
from rahdari.ops.backup import drill, engine, sealing, taking, wal
from rahdari.ops.backup.target import Target
from rahdari.vault import keys

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def a_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def a_backup(number: int = 0, since: str = "", **others: Any) -> taking.Backup:
    """The description of one that nobody took."""
    segment, text = wal.Segment(1, number * 3 + 1).name, (NOW + dt.timedelta(hours=number)).isoformat()
    made = taking.Backup(f"b{number}", number, since, text, text, "1", 18, segment, "0", {}, {})
    return dataclasses.replace(made, **others)


class Register:
    """A data folder beside a database with one table, whose log is archived."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.private = folder, folder / "register", folder / "private.key"
        self.public = sealing.new_key(self.private)
        datafolder.make(self.data, datafolder.REGISTER)
        keys.make_missing(self.data / "keys")
        self.place = folder / "place"
        settings = {
            "RAHDARI_BACKUP": str(self.place),
            "RAHDARI_BACKUP_KEY": self.public,
            "RAHDARI_BACKUP_SECONDS": "3600",
        }
        self.target = Target(str(self.place))
        self.server = postgres.Server(self.data, settings=postgres.archiving(settings))
        self.server.environment = settings
        os.chown(self.place, self.server.user.pw_uid, self.server.user.pw_gid)

    @classmethod
    def beside(cls, other: "Register", data: Path, target: Target) -> "Register":
        """The register that was restored into `data`, which goes on with the same keys at this place."""
        made = cls.__new__(cls)
        made.folder, made.data, made.private, made.public = data.parent, data, other.private, other.public
        made.place, made.target = Path(target.address), target
        settings = {**other.server.environment, "RAHDARI_BACKUP": target.address}
        made.server = postgres.Server(data, settings=postgres.archiving(settings))
        made.server.environment = settings
        return made

    def do(self, sql: str) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(sql)

    def enter(self, number: int) -> None:
        self.do(f"INSERT INTO decisions VALUES ({number})")
        paper = self.data / "documents" / f"{number}"
        paper.parent.mkdir(exist_ok=True)
        paper.write_bytes(os.urandom(100))

    def take(
        self, target: Target | None = None, *, full: bool = True, count_anew: bool = False, say: taking.Step = print
    ) -> taking.Backup:
        source = engine.server_at(postgres.known_url(self.data, role="postgres") or self.server.admin_url)
        return taking.take(
            source,
            self.data,
            target or self.target,
            self.public,
            full=full,
            count_anew=count_anew,
            clock=lambda: dt.datetime.now(dt.UTC),
            say=say,
        )

    def papers(self, data: Path | None = None) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in ((data or self.data) / "documents").iterdir()}

    def archive(self) -> None:
        drill._archive_all(self.data)


def decisions_in(data: Path) -> list[int]:
    server = postgres.Server(data)
    server.start()
    try:
        with psycopg.connect(server.admin_url.replace("/postgres?", "/rahdari?")) as connection:
            return [row[0] for row in connection.execute("SELECT number FROM decisions ORDER BY number")]
    finally:
        server.stop()


@pytest.fixture(scope="module")
def register() -> Iterator[Register]:
    with tempfile.TemporaryDirectory(prefix="rahdari-backup-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Register(folder)
        made.server.start()
        try:
            made.do("CREATE TABLE decisions (number int)")
            yield made
        finally:
            made.server.stop()


@dataclasses.dataclass
class Kept:
    """A full backup, one of what changed, and log after it; what the register was at two times."""

    register: Register
    mark: dt.datetime
    at_mark: list[int]
    at_end: list[int]
    papers: dict[str, bytes]


@pytest.fixture(scope="module")
def kept(register: Register) -> Kept:
    for number in (1, 2):
        register.enter(number)
    register.take()
    register.enter(3)
    mark = drill._clock_of(register.data)
    register.enter(4)
    (register.data / "documents" / "2").unlink()
    more = register.take(full=False)
    assert not more.is_full
    register.enter(5)
    register.archive()
    register.enter(6)
    register.archive()
    papers = register.papers()
    # What came after the last backup is in no backup of files.
    del papers["5"], papers["6"]
    return Kept(register, mark, [1, 2, 3], [1, 2, 3, 4, 5, 6], papers)


@pytest.fixture
def copy(kept: Kept, register: Register) -> Iterator[Target]:
    """The place of the backups, to be broken."""
    folder = Path(tempfile.mkdtemp(prefix="copy-", dir=register.folder))
    folder.chmod(0o755)
    shutil.copytree(register.place, folder / "place")
    for path in [folder / "place", *(folder / "place").rglob("*")]:
        shutil.chown(path, register.server.user.pw_uid, register.server.user.pw_gid)
    yield Target(str(folder / "place"))
    shutil.rmtree(folder)


@pytest.fixture
def new(register: Register) -> Iterator[Path]:
    """A data folder that is not there yet."""
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=register.folder))
    folder.chmod(0o755)
    yield folder / "register"
    shutil.rmtree(folder)


def damage(target: Target, key: str) -> None:
    content = bytearray(b"".join(target.pieces(key)))
    content[len(content) // 2] ^= 1
    target.put(key, bytes(content))


def change(target: Target, backup: taking.Backup, **changes: object) -> None:
    target.put_data(backup.key("backup.json"), dataclasses.asdict(backup) | changes)


def later(target: Target, backup: taking.Backup) -> list[str]:
    """The keys of the log after a backup, in order."""
    log = wal.names(target)
    return [log[name] for name in sorted(log) if wal.segment(name) and name > backup.first_segment]
