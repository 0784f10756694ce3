"""Backups of a real PostgreSQL with its log archived; what is broken is broken in a copy of the place where they are
kept."""

import dataclasses
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.ops import datafolder, postgres
from rahdari.ops.backup import drill, engine, restoring, sealing, state, taking, wal
from rahdari.ops.backup.target import Target
from rahdari.ops.checks import NOTE, WRONG, Inspection
from rahdari.ops.doctor_backup import check_backup
from rahdari.ops.errors import Told
from rahdari.vault import keys
from tests.needs import needs_namespaces, needs_root
from tests.push.seaweed import seaweed

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def a_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


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

    def do(self, sql: str) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(sql)

    def enter(self, number: int) -> None:
        self.do(f"INSERT INTO decisions VALUES ({number})")
        paper = self.data / "documents" / f"{number}"
        paper.parent.mkdir(exist_ok=True)
        paper.write_bytes(os.urandom(100))

    def take(self, target: Target | None = None, *, full: bool = True, say: taking.Step = print) -> taking.Backup:
        source = engine.server_at(self.server.admin_url)
        return taking.take(
            source,
            self.data,
            target or self.target,
            self.public,
            full=full,
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


class TestRestored:
    def test_with_all_that_the_log_has(self, kept: Kept, new: Path) -> None:
        done = restoring.restore(kept.register.target, kept.register.private, new, to=None)
        assert decisions_in(new) == kept.at_end
        assert kept.register.papers(new) == kept.papers
        assert done.state_of > kept.mark
        assert not (new / "postgres" / "identity").exists()
        # The line that was begun is told to the archive, when there is one.
        log = new / "postgres" / "cluster" / "pg_wal"
        assert all((log / "archive_status" / f"{path.name}.ready").exists() for path in log.glob("*.history"))
        # The next start recovers nothing again.
        assert "restore_command" not in (new / "postgres" / "cluster" / "postgresql.auto.conf").read_text()

    def test_as_it_was_at_a_time_with_every_paper(self, kept: Kept, new: Path) -> None:
        restoring.restore(kept.register.target, kept.register.private, new, to=kept.mark)
        assert decisions_in(new) == kept.at_mark
        assert "3" in kept.register.papers(new)

    def test_by_the_command(self, kept: Kept, new: Path) -> None:
        words = [
            "restore",
            "--from",
            str(kept.register.place),
            "--key",
            str(kept.register.private),
            "--to",
            "yesterday",
        ]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rahdari", *words, "--data", str(new)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "is no time. Write `latest`, or a time in UTC like 2026-11-29T14:05." in done.stderr


def _damage(target: Target, key: str) -> None:
    content = bytearray(b"".join(target.pieces(key)))
    content[len(content) // 2] ^= 1
    target.put(key, bytes(content))


def _change(target: Target, backup: taking.Backup, **changes: object) -> None:
    target.put_data(backup.key("backup.json"), dataclasses.asdict(backup) | changes)


def _later(target: Target, backup: taking.Backup) -> list[str]:
    """The keys of the log after a backup, in order."""
    log = wal.names(target)
    return [log[name] for name in sorted(log) if wal.segment(name) and name > backup.first_segment]


class TestRefused:
    @pytest.mark.parametrize("part", [taking.DATABASE, taking.FILES, taking.KEYS])
    def test_a_damaged_file(self, copy: Target, kept: Kept, new: Path, part: str) -> None:
        _damage(copy, taking.all_backups(copy)[-1].key(part))
        with pytest.raises(sealing.CannotOpen, match="it is not what was kept"):
            restoring.restore(copy, kept.register.private, new, to=None)
        assert not new.exists()

    def test_a_file_that_its_description_was_changed_to(self, copy: Target, kept: Kept, new: Path) -> None:
        """Whoever writes into the place can change the digests, and not what a sealed file opens to."""
        backup = taking.all_backups(copy)[-1]
        _damage(copy, backup.key(taking.FILES))
        found = [copy.digest(backup.key(taking.FILES)), 1]
        _change(copy, backup, objects=backup.objects | {taking.FILES: found})
        with pytest.raises(sealing.CannotOpen, match="it is damaged"):
            restoring.restore(copy, kept.register.private, new, to=None)

    def test_a_backup_that_adds_to_one_that_is_gone(self, copy: Target, kept: Kept, new: Path) -> None:
        first = taking.all_backups(copy)[0]
        copy.erase([first.key("backup.json")])
        with pytest.raises(restoring.PartMissing, match=first.id):
            restoring.restore(copy, kept.register.private, new, to=None)

    def test_a_log_with_a_gap_and_every_time_before_it_is_there(self, copy: Target, kept: Kept, new: Path) -> None:
        gone = _later(copy, taking.all_backups(copy)[-1])[0]
        copy.erase([gone])
        with pytest.raises(wal.Missing) as caught:
            restoring.restore(copy, kept.register.private, new, to=None)
        assert caught.value.first in gone
        restoring.restore(copy, kept.register.private, new, to=kept.mark)
        assert decisions_in(new) == kept.at_mark

    def test_a_damaged_segment_is_no_end_of_the_log(self, copy: Target, kept: Kept, new: Path) -> None:
        _damage(copy, _later(copy, taking.all_backups(copy)[-1])[0])
        with pytest.raises(restoring.RecoveryFailed, match="does not open"):
            restoring.restore(copy, kept.register.private, new, to=None)

    def test_a_time_that_no_backup_leads_to(self, kept: Kept, new: Path) -> None:
        with pytest.raises(restoring.NothingToRestore, match="The oldest backup in"):
            restoring.restore(kept.register.target, kept.register.private, new, to=NOW - dt.timedelta(days=999))

    def test_a_time_that_the_log_does_not_reach(self, kept: Kept, new: Path) -> None:
        with pytest.raises(restoring.NotReached, match="--to latest"):
            restoring.restore(kept.register.target, kept.register.private, new, to=NOW + dt.timedelta(days=9999))

    def test_another_private_key(self, kept: Kept, new: Path) -> None:
        other = new.parent / "other.key"
        sealing.new_key(other)
        with pytest.raises(sealing.CannotOpen, match="encrypted for another key"):
            restoring.restore(kept.register.target, other, new, to=None)

    def test_keys_of_another_day(self, copy: Target, kept: Kept, new: Path) -> None:
        backup = taking.all_backups(copy)[0]
        _change(copy, backup, keys=backup.keys | {"fields.key": "0" * 12})
        with pytest.raises(restoring.OtherKeys, match=r"fields\.key"):
            restoring.restore(copy, kept.register.private, new, to=kept.mark, backup=backup.id)

    def test_a_folder_with_a_running_register_and_one_with_anything(self, kept: Kept, new: Path) -> None:
        with datafolder.locked(kept.register.data), pytest.raises(restoring.FolderTaken, match="in use"):
            restoring.restore(kept.register.target, kept.register.private, kept.register.data, to=None)
        new.mkdir()
        (new / "letter").touch()
        with pytest.raises(restoring.FolderTaken, match="not empty"):
            restoring.restore(kept.register.target, kept.register.private, new, to=None)

    def test_the_place_of_another_register(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        place.put_data("register.json", {"identifier": "7"})
        with pytest.raises(taking.AnotherRegister):
            register.take(place)
        assert place.keys("") == [("register.json", place.keys("")[0][1])]


class Killed(BaseException):
    """The process ends here."""


class TestTaken:
    def test_nothing_counts_that_is_read_back_as_something_else(
        self, register: Register, new: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = Target(str(new.parent / "place"))
        with monkeypatch.context() as lying:
            lying.setattr(place, "digest", lambda key: "0" * 64)
            with pytest.raises(taking.NotKept):
                register.take(place)
        assert taking.all_backups(place) == []
        register.take(place)
        ids = {key.split("/")[1] for key, _ in place.keys("backups/")}
        assert len(ids) == 1

    def test_no_program_gets_the_password_as_an_argument(
        self, register: Register, new: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        run = subprocess.run

        def seen(words: Any, **options: Any) -> Any:
            asked.extend(map(str, words))
            return run(words, **options)

        monkeypatch.setattr(subprocess, "run", seen)
        register.take(Target(str(new.parent / "place")))
        password = (register.server.home / "admin-password").read_text().strip()
        assert any("pg_basebackup" in word for word in asked)
        assert not any(password in word for word in asked)

    def test_killed_at_each_step_and_taken_again(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        said: list[str] = []
        first = register.take(place, say=said.append)
        for at in range(len(said)):
            steps = iter(range(99))

            def step(text: str, at: int = at, steps: Iterator[int] = steps) -> None:
                if next(steps) == at:
                    raise Killed

            with pytest.raises(Killed):
                register.take(place, say=step)
            assert taking.all_backups(place) == [first]
        last = register.take(place)
        assert [each.id for each in taking.all_backups(place)] == [first.id, last.id]
        assert {key.split("/")[1] for key, _ in place.keys("backups/")} == {first.id, last.id}
        assert not (register.data / "backup" / "staging").exists()

    def test_a_clock_that_was_set_back_changes_no_order(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        source = engine.server_at(register.server.admin_url)

        def at(day: int) -> str:
            moment = NOW + dt.timedelta(days=day)
            return taking.take(
                source, register.data, place, register.public, full=False, clock=lambda: moment, say=lambda text: None
            ).id

        taken = [at(2), at(1), at(3)]
        known = taking.all_backups(place)
        assert [each.id for each in known] == taken
        assert [each.since for each in known] == ["", taken[0], taken[1]]

    def test_what_may_not_be_read_is_missed_by_no_backup(
        self, register: Register, new: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = register.data / "keys" / "feed"
        walk = os.walk

        def scandir(top: Any, **options: Any) -> Any:
            if Path(top) == register.data / "keys":
                options["onerror"](PermissionError(13, "Permission denied", str(closed)))
            return walk(top, **options)

        monkeypatch.setattr(os, "walk", scandir)
        place = Target(str(new.parent / "place"))
        with pytest.raises(taking.MayNotRead, match="keys/feed may not be read, so a backup would lack it"):
            register.take(place)
        assert taking.all_backups(place) == []

    def test_root_leaves_it_to_the_user_who_archives(self, kept: Kept, new: Path) -> None:
        needs_root()
        place = new.parent / "place"
        words = ["backup", "--data", str(kept.register.data), "--to", str(place)]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rahdari", *words],
            env={**os.environ, "RAHDARI_BACKUP_KEY": kept.register.public},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert {path.stat().st_uid for path in (place, *place.rglob("*"))} == {kept.register.server.user.pw_uid}

    @pytest.mark.parametrize("which", ["place", "register/backup"])
    def test_a_full_disk_is_said_and_nothing_is_lost(self, kept: Kept, which: str) -> None:
        needs_namespaces()
        register, before = kept.register, kept.register.target.keys("backups/")
        small = register.folder / "small" if which == "place" else register.folder / which
        small.mkdir(exist_ok=True)
        words = [sys.executable, "-P", "-m", "rahdari", "backup", "--full", "--data", str(register.data)]
        words += ["--to", str(small if which == "place" else register.place)]
        settings = {"RAHDARI_BACKUP_KEY": register.public, "RAHDARI_BACKUP_DATABASE_URL": register.server.admin_url}
        mounted = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mounted, str(small), *words],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert register.target.keys("backups/") == before


class TestTheLog:
    def test_a_segment_is_kept_once_and_never_overwritten(self, tmp_path: Path) -> None:
        target, private = Target(str(tmp_path / "place")), tmp_path / "private.key"
        public = sealing.new_key(private)
        path = tmp_path / "00000001000000000000000A"
        path.write_bytes(b"a" * 1000)
        wal.put(path, target, public)
        wal.put(path, target, public)
        assert len(target.keys("wal/")) == 1
        assert wal.fetch(path.name, tmp_path / "back", target, private)
        assert (tmp_path / "back").read_bytes() == path.read_bytes()
        assert not wal.fetch("00000001000000000000000B", tmp_path / "other", target, private)
        path.write_bytes(b"b" * 1000)
        with pytest.raises(wal.AnotherWrites):
            wal.put(path, target, public)

    def test_its_commands_answer_as_postgresql_asks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        private = tmp_path / "private.key"
        environment = {"RAHDARI_BACKUP": str(tmp_path / "place"), "RAHDARI_BACKUP_KEY": sealing.new_key(private)}
        environment["RAHDARI_BACKUP_IDENTITY"] = str(private)
        segment = tmp_path / "000000010000000000000001"
        segment.write_bytes(b"log")
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) == 1
        assert wal.main(["put", str(segment)], environment) == 0
        (key,) = [key for key, _ in Target(str(tmp_path / "place")).keys("wal/")]
        _damage(Target(str(tmp_path / "place")), key)
        # Above 125 a recovery ends, instead of taking it for the end of the log.
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) > 125
        assert "does not open" in capsys.readouterr().err
        segment = segment.rename(tmp_path / "000000010000000000000002")
        assert wal.main(["put", str(segment)], environment | {"RAHDARI_BACKUP_KEY": "age1none"}) == 1
        del environment["RAHDARI_BACKUP_IDENTITY"]
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) > 125
        assert "'RAHDARI_BACKUP_IDENTITY' is not set" in capsys.readouterr().err

    @given(st.integers(1, 2**32 - 1), st.integers(0, 2**40 - 1))
    def test_a_name_is_one_segment(self, timeline: int, number: int) -> None:
        segment = wal.Segment(timeline, number)
        assert wal.segment(segment.name) == segment

    @given(st.integers(0, 600), st.integers(1, 40), st.data())
    def test_each_gap_is_found(self, first: int, count: int, data: st.DataObject) -> None:
        segments = [wal.Segment(1, number) for number in range(first, first + count)]
        names = [each.name for each in data.draw(st.permutations(segments))]
        assert wal.check_unbroken(names, segments[0]) == segments[-1]
        if count > 1:
            gone = data.draw(st.sampled_from(segments[:-1]))
            with pytest.raises(wal.Missing) as caught:
                wal.check_unbroken([name for name in names if name != gone.name], segments[0])
            assert caught.value.first == gone.name


def _made(number: int, at: dt.datetime, since: str) -> taking.Backup:
    segment = wal.Segment(1, number * 3).name
    text = at.isoformat()
    return taking.Backup(f"b{number}", number, since, text, text, "1", 18, segment, "0", {}, {})


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=12), st.integers(0, 60))
def test_what_is_forgotten_is_needed_for_no_time_that_is_kept(ages: list[tuple[int, bool]], days: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        target, since, at = Target(name), "", NOW - dt.timedelta(days=sum(age for age, _ in ages))
        made = []
        for number, (age, full) in enumerate(ages):
            at += dt.timedelta(days=age)
            since = "" if full or not number else since
            made.append(_made(number, at, since))
            target.put_data(made[-1].key("backup.json"), dataclasses.asdict(made[-1]))
            key = wal.Segment(1, number * 3).name
            target.put(f"wal/{key[:16]}/{key}-{'0' * 16}.gz.age", b"")
            since = made[-1].id
        before = taking.all_backups(target)
        taking.forget(target, now=NOW, days=days)
        left = taking.all_backups(target)
        assert left and left[-1] == before[-1]
        for each in left:
            restoring.chain_of(each, left)
        # Each time that is kept has the backup that it had.
        for day in range(days + 1):
            moment = NOW - dt.timedelta(days=day)
            had = [each for each in before if each.at <= moment][-1:]
            assert [each for each in left if each.at <= moment][-1:] == had
            assert all(each.first_segment in wal.names(target) for each in had)


class TestSealed:
    @given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=70_000), max_size=4))
    def test_opens_to_what_it_was(self, files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            sealing.new_key(here / "key")
            (here / "from").mkdir()
            for each, content in files.items():
                (here / "from" / each).write_bytes(content)
            identity = sealing.identity(here / "key")
            sealing.seal_folder(here / "from", sorted(files), here / "sealed", [identity.to_public()])
            sealing.open_folder(iter([(here / "sealed").read_bytes()]), "x", here / "to", identity)
            back = {path.name: path.read_bytes() for path in (here / "to").iterdir()} if files else {}
            assert back == files

    @given(st.integers(1, 400))
    def test_is_refused_when_its_end_is_cut_off(self, lost: int) -> None:
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            sealing.new_key(here / "key")
            identity = sealing.identity(here / "key")
            (here / "paper").write_bytes(os.urandom(100_000))
            sealing.seal_folder(here, ["paper"], here / "sealed", [identity.to_public()])
            with pytest.raises(sealing.CannotOpen):
                sealing.open_folder(iter([(here / "sealed").read_bytes()[:-lost]]), "x", here / "to", identity)

    def test_writes_nothing_outside(self, tmp_path: Path) -> None:
        sealing.new_key(tmp_path / "key")
        identity = sealing.identity(tmp_path / "key")
        sealing.seal_folder(tmp_path, [], tmp_path / "sealed", [identity.to_public()], added={"../outside": b"x"})
        with pytest.raises(sealing.CannotOpen):
            sealing.open_folder(iter([(tmp_path / "sealed").read_bytes()]), "x", tmp_path / "to" / "it", identity)
        assert not (tmp_path / "to" / "outside").exists()

    @pytest.mark.parametrize("text", ["", "age1nothing", "AGE-SECRET-KEY-1"])
    def test_no_key_is_said(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(sealing.NoSuchKey, match="rahdari backup new-key"):
            sealing.recipients(text)
        (tmp_path / "key").write_text(text)
        with pytest.raises(sealing.NoSuchKey, match="private key"):
            sealing.identity(tmp_path / "key")


def holds_as_a_place_does(target: Target) -> None:
    assert target.read("a/none") is None
    target.put("a/one", b"one")
    target.put("a/one", b"other")
    big = os.urandom(9_000_000)
    target.put("b/big", big)
    assert b"".join(target.pieces("b/big")) == big
    assert target.keys("a/") == [("a/one", 5)]
    with pytest.raises(FileNotFoundError):
        target.digest("a/none")
    target.erase(["a/one", "b/big"])
    assert target.keys("") == []


class TestPlaces:
    def test_a_folder(self, tmp_path: Path) -> None:
        holds_as_a_place_does(Target(str(tmp_path / "place")))

    @pytest.mark.whole
    def test_a_store_that_speaks_s3(self, monkeypatch: pytest.MonkeyPatch, register: Register, new: Path) -> None:
        with seaweed() as store:
            for name, value in {**store.environment, "AWS_ENDPOINT_URL": store.endpoint}.items():
                monkeypatch.setenv(name, value)
            target = Target(f"s3://{store.bucket}/backups-of-it")
            holds_as_a_place_does(target)
            register.enter(100)
            register.take(target)
            restoring.restore(target, register.private, new, to=None)
            assert 100 in decisions_in(new)
        with pytest.raises(Told, match="cannot be used for backups"):
            target.keys("")

    @pytest.mark.parametrize("address", ["ftp://example.org/x", "/proc/none/place"])
    def test_what_is_none_is_said(self, address: str) -> None:
        with pytest.raises(Told, match="cannot be used for backups"):
            Target(address)


@pytest.mark.whole
def test_the_rehearsal_loses_nothing(tmp_path: Path) -> None:
    """The whole of it: sample data, backups, the register destroyed, restored twice, and refused when things are
    broken."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rahdari", "drill", "restore", "--json", str(tmp_path / "drill.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row["result"] for row in json.loads((tmp_path / "drill.json").read_text())["rows"]}
    assert "editions and keys the same" in rows["restored to the end of the log"]
    assert sum(what.startswith("refused") for what in rows) == 4


def test_a_backup_is_proved_by_restoring_it(kept: Kept) -> None:
    assert drill.prove(str(kept.register.place), kept.register.private, say=lambda text: None) == 0
    (proof,) = taking.proofs(kept.register.target)
    assert proof["backup"] == taking.all_backups(kept.register.target)[-1].id


@pytest.mark.django_db
def test_the_doctor_says_how_old_the_last_ones_are(tmp_path: Path) -> None:
    patient = Inspection(tmp_path, {}, "127.0.0.1", 1)

    def said() -> list[tuple[str, str]]:
        return [(each.state, each.text) for each in check_backup(patient)]

    ((level, text),) = said()
    assert level == NOTE and text.startswith("none was taken with `rahdari backup`: a lost disk loses every decision.")
    (tmp_path / "backup").mkdir()
    fresh, old = a_clock() - dt.timedelta(hours=1), a_clock() - dt.timedelta(days=40)
    state.note(tmp_path, {"backup": {"id": "b", "finished_at": fresh.isoformat()}, "proved": {"at": fresh.isoformat()}})
    assert [each for each in said() if each[0] == WRONG] == []
    state.note(tmp_path, {"backup": {"id": "b", "finished_at": old.isoformat()}, "proved": None})
    wrong = [text for level, text in said() if level == WRONG]
    assert wrong[0].startswith("the last verified one is 40 days old")
    assert wrong[1].startswith("none was ever restored. Rehearse it: rahdari drill restore")
