"""Backups of a real PostgreSQL with its log archived; what is broken is broken in a copy of the place where they are
kept."""

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import psycopg
import pytest
from django.db.utils import ConnectionHandler

from rahdari import cli
from rahdari.db import log_archive
from rahdari.ops import datafolder, postgres
from rahdari.ops.backup import commands, drill, engine, lines, restoring, sealing, state, taking, wal
from rahdari.ops.backup.target import Target, TargetAway
from rahdari.ops.drills import Differs
from rahdari.settings.base import database
from tests.needs import needs_namespaces, needs_root
from tests.waiting import until

from .backups import NOW, Kept, Register, a_backup, change, copy, damage, decisions_in, kept, later, new, register

__all__ = ["copy", "kept", "new", "register"]


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

    def recovers(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[bool, str, str | None]) -> postgres.Server:
        """A recovery of which PostgreSQL answers this; each look at the clock finds it five minutes on."""
        connect, clock = MagicMock(), count(0, 300)
        connect.return_value.__enter__.return_value.execute.return_value.fetchone.side_effect = answers
        monkeypatch.setattr(restoring, "psycopg", SimpleNamespace(connect=connect))
        monkeypatch.setattr(
            restoring, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _seconds: None)
        )
        return SimpleNamespace(admin_url="")  # type: ignore[return-value]

    def test_says_how_far_it_is_while_it_takes_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        server = self.recovers(
            monkeypatch,
            (True, "0/3000060", None),
            (True, "0/5000028", "2026-03-01 12:00:00+00"),
            (False, "0/5000028", "2026-03-01 12:10:00+00"),
        )
        assert restoring._wait_until_over(server, said.append) == "2026-03-01 12:10:00+00"
        assert said == [
            "So far it has what was written up to position 0/3000060.",
            "So far it has what was written up to 2026-03-01 12:00:00+00.",
        ]

    def test_that_comes_no_further_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server = self.recovers(monkeypatch, *[(True, "0/3000060", None)] * 9)
        with pytest.raises(restoring.RecoveryFailed, match="nothing new for 600 s at 0/3000060"):
            restoring._wait_until_over(server, lambda _text: None)

    @pytest.mark.whole
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


class TestOfWhatIsSound:
    """One file of a backup is damaged or gone."""

    def restored(self, copy: Target, kept: Kept, new: Path, **how: Any) -> tuple[restoring.Restored, list[str]]:
        said: list[str] = []
        done = restoring.restore(copy, kept.register.private, new, **{"to": None, **how}, say=said.append)
        return done, said

    def test_a_damaged_database_is_passed_over_for_the_one_before_and_more_of_the_log(
        self, copy: Target, kept: Kept, new: Path
    ) -> None:
        first, last = taking.all_backups(copy)[0], taking.all_backups(copy)[-1]
        damage(copy, last.key(taking.DATABASE))
        with pytest.raises(sealing.CannotOpen, match="it is not what was kept"):
            self.restored(copy, kept, new, backup=last.id)
        done, said = self.restored(copy, kept, new)
        assert (done.backup.id, done.damaged, done.lacking) == (first.id, [last.key(taking.DATABASE)], {})
        assert any(text.startswith(f"{last.id} cannot be restored: ") and first.id in text for text in said)
        assert decisions_in(new) == kept.at_end
        assert kept.register.papers(new) == kept.papers

    @pytest.mark.parametrize("where", ["head", "gone"])
    def test_documents_that_are_damaged_keep_nothing_else_back(
        self, copy: Target, kept: Kept, new: Path, where: str
    ) -> None:
        """The older backup, which never needed them, and the database with all of its log."""
        first, last = taking.all_backups(copy)[0], taking.all_backups(copy)[-1]
        key = last.key(taking.FILES)
        if where == "gone":
            copy.erase([key])
        else:
            copy.put(key, b"x" + b"".join(copy.pieces(key))[1:])
        done, _said = self.restored(copy, kept, new, backup=first.id)
        assert decisions_in(new) == kept.at_end
        # No list of the newest opens: what changed since the full one is not known, and 2 is there again.
        assert done.files_of.id == first.id
        assert set(kept.register.papers(new)) == {"1", "2"}
        assert done.damaged == [key]
        assert list(done.lacking) == ["*"] and first.finished_at[:19] in done.lacking["*"]
        assert (new / restoring.LACKING).read_text().splitlines()[0] == "file,why"

    def test_what_is_missing_is_named_one_by_one(
        self, copy: Target, kept: Kept, new: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first = taking.all_backups(copy)[0]
        damage(copy, first.key(taking.FILES))
        done, _said = self.restored(copy, kept, new)
        # The newest names all that there was, and has what came after the first.
        assert {"3", "4"} <= set(kept.register.papers(new))
        assert {path for path, why in done.lacking.items() if why == "not there"} >= {"documents/1"}
        assert "documents/2" not in done.lacking and "documents/3" not in done.lacking
        assert decisions_in(new) == kept.at_end
        assert commands.tell_what_lacks(done, new) == commands.NOT_WHOLE
        told = capsys.readouterr().err
        assert "THIS RESTORE IS NOT WHOLE" in told and first.key(taking.FILES) in told and "documents/1: " in told

    def test_nothing_is_proved_by_it(self, copy: Target, kept: Kept) -> None:
        damage(copy, taking.all_backups(copy)[0].key(taking.FILES))
        with pytest.raises(Differs, match="documents/1: not there"):
            drill.prove(copy.address, kept.register.private, say=lambda text: None)
        assert taking.proofs(copy) == taking.proofs(kept.register.target)

    def test_documents_of_a_backup_that_adds_to_one_of_the_line_before_it(self) -> None:
        """After a failover the log is of another line, and backups go on. The old leader took one more of its line."""
        full = a_backup(0)
        segment = wal.Segment(2, 9).name
        more = a_backup(1, since="b0", first_segment=segment)
        of_old = a_backup(2)
        last = a_backup(3, since="b1", first_segment=segment)
        known = [full, more, of_old, last]
        for line in (lines.Line(2), lines.Line(2, {1: wal.Segment(1, 2).end})):
            assert restoring._with_papers(known, line) == [full, more, last]
        assert restoring._with_papers(known, lines.Line(1)) == [full, of_old]
        # Before the first of a new line there are those of the line that it left.
        assert restoring._with_papers(known, lines.Line(3)) == [full, more, last]

    def test_a_part_of_a_file_is_taken_as_far_as_it_opens(self, tmp_path: Path) -> None:
        private, data = tmp_path / "private.key", tmp_path / "data"
        keys = sealing.recipients(sealing.new_key(private))
        data.mkdir()
        for number in range(9):
            (data / f"{number}").write_bytes(os.urandom(100_000))
        index = taking.index_of(data)
        target = Target(str(tmp_path / "place"))
        sealed = tmp_path / "sealed"
        about = {taking.INDEX: json.dumps(index).encode(), "facts.json": b"{}"}
        sealing.seal_folder(data, sorted(index), sealed, keys, added=about)
        backup = a_backup(objects={taking.FILES: [sealing.digest_of(sealed), 1]})
        target.put(backup.key(taking.FILES), sealed)
        damage(target, backup.key(taking.FILES))
        documents = restoring._Documents(target, tmp_path / "draft", sealing.identity(private), lambda text: None)
        documents.draft.mkdir()
        documents.bring_back([backup], backup)
        back = {path.name: path.read_bytes() for path in documents.draft.iterdir()}
        assert 0 < len(back) < 9
        assert back == {name: (data / name).read_bytes() for name in back}
        assert set(documents.lacking) == set(index) - set(back)


@pytest.mark.whole
class TestTwoOfOneRegister:
    def test_the_old_one_is_refused_and_what_goes_on_is_restored(self, copy: Target, kept: Kept, new: Path) -> None:
        """It was restored to a time and goes on, and the old one, which nobody stopped, does too."""
        old = kept.register
        restoring.restore(copy, old.private, new, to=kept.mark)
        # The restored one has not begun, so nothing is known of it.
        old.enter(60)
        of_old = old.take(copy)
        again = Register.beside(old, new, copy)
        again.server.start()
        try:
            again.enter(50)
            again.archive()
            with pytest.raises(lines.LineLeft, match="stop it for good") as refused:
                old.take(copy)
            assert (refused.value.ours, refused.value.theirs) == (1, 2)
            before = copy.keys("")
            log = old.data / "postgres" / "cluster" / "pg_wal"
            of_now = max(path for path in log.iterdir() if wal.segment(path.name))
            with pytest.raises(lines.LineLeft):
                wal.put(of_now, copy, old.public)
            assert copy.keys("") == before
            again.take(copy)
            again.enter(51)
            again.archive()
        finally:
            again.server.stop()
        second, said = new.with_name("second"), list[str]()
        restoring.restore(copy, old.private, second, to=None, say=said.append)
        assert decisions_in(second) == [*kept.at_mark, 50, 51]
        third = new.with_name("third")
        restoring.restore(copy, old.private, third, to=None, backup=of_old.id, say=said.append)
        assert {*kept.at_end, 60} <= set(decisions_in(third))
        assert any(text.startswith(f"{of_old.id} is of line 1 of the log, which line 2 left") for text in said)
        # Before the restored one has a backup of its own, the newest of the line that it came from is taken, and said.
        for each in taking.all_backups(copy):
            if each.timeline == 2:
                copy.erase([each.key("backup.json")])
        fourth = new.with_name("fourth")
        restoring.restore(copy, old.private, fourth, to=None, say=said.append)
        assert decisions_in(fourth) == [*kept.at_mark, 50, 51]
        assert any("Line 2 of the log is followed." in text and of_old.id in text for text in said)


class TestRefused:
    def test_a_damaged_file_that_every_backup_needs(self, copy: Target, kept: Kept, new: Path) -> None:
        first, last = taking.all_backups(copy)[0], taking.all_backups(copy)[-1]
        damage(copy, first.key(taking.DATABASE))
        with pytest.raises(sealing.CannotOpen, match=rf"{first.id}/database.* it is not what was kept"):
            restoring.restore(copy, kept.register.private, new, to=None)
        assert not new.exists()
        copy.erase([first.key("backup.json")])
        with pytest.raises(restoring.PartMissing, match=first.id):
            restoring.restore(copy, kept.register.private, new, to=None, backup=last.id)

    def test_a_log_with_a_gap_and_every_time_before_it_is_there(self, copy: Target, kept: Kept, new: Path) -> None:
        gone = later(copy, taking.all_backups(copy)[-1])[0]
        copy.erase([gone])
        with pytest.raises(wal.Missing) as caught:
            restoring.restore(copy, kept.register.private, new, to=None)
        assert caught.value.first in gone
        restoring.restore(copy, kept.register.private, new, to=kept.mark)
        assert decisions_in(new) == kept.at_mark

    def test_a_damaged_segment_is_no_end_of_the_log(self, copy: Target, kept: Kept, new: Path) -> None:
        damage(copy, later(copy, taking.all_backups(copy)[-1])[0])
        with pytest.raises(restoring.RecoveryFailed, match="does not open"):
            restoring.restore(copy, kept.register.private, new, to=None)
        # Up to there it had the database and all keys.
        assert not list(new.parent.glob("register*"))

    def test_a_time_that_no_backup_leads_to(self, kept: Kept, new: Path) -> None:
        with pytest.raises(restoring.NothingToRestore, match="The oldest backup in"):
            restoring.restore(kept.register.target, kept.register.private, new, to=NOW - dt.timedelta(days=999))

    def test_a_name_that_no_backup_has(self, kept: Kept, new: Path) -> None:
        with pytest.raises(restoring.NoSuchBackup, match=r"There is no backup nonsense in .*backup list"):
            restoring.restore(kept.register.target, kept.register.private, new, to=None, backup="nonsense")

    @pytest.mark.whole
    def test_a_time_that_the_log_does_not_reach(self, kept: Kept, new: Path) -> None:
        with pytest.raises(restoring.NotReached, match="--to latest"):
            restoring.restore(kept.register.target, kept.register.private, new, to=NOW + dt.timedelta(days=9999))

    def test_another_private_key(self, kept: Kept, new: Path) -> None:
        other = new.parent / "other.key"
        sealing.new_key(other)
        with pytest.raises(sealing.CannotOpen, match="encrypted for another key"):
            restoring.restore(kept.register.target, other, new, to=None)

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
    def test_what_was_stopped_leaves_nothing_and_what_was_killed_is_erased_by_the_next_one(
        self, kept: Kept, new: Path, how: signal.Signals
    ) -> None:
        draft = new.with_name("register.restoring")
        words = ["restore", "--from", str(kept.register.place), "--key", str(kept.register.private), "--data", str(new)]
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "rahdari", *words], stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            said = next(line for line in process.stderr if line.startswith("All is made in"))
            assert f"{draft}: database and keys in clear. If this is killed, erase that folder." in said
            process.send_signal(how)
        assert not new.exists()
        assert draft.exists() is (how == signal.SIGKILL)
        other, told = new.parent / "other.key", list[str]()
        sealing.new_key(other)
        with pytest.raises(sealing.CannotOpen):
            restoring.restore(kept.register.target, other, new, to=None, say=told.append)
        erased = f"Erasing {draft}, which a restore that was killed has left."
        assert (erased in told) is (how == signal.SIGKILL)
        assert not draft.exists()

    def test_a_folder_into_which_another_restore_goes(self, kept: Kept, new: Path) -> None:
        draft = new.with_name("register.restoring")
        draft.mkdir()
        lock = restoring._held(draft)
        try:
            with pytest.raises(restoring.FolderTaken, match="is being made by another restore"):
                restoring.restore(kept.register.target, kept.register.private, new, to=None)
        finally:
            os.close(lock)
        assert draft.exists()

    @pytest.mark.parametrize("which", ["at once", pytest.param("putting together", marks=pytest.mark.whole)])
    def test_a_full_disk_is_told_with_what_is_needed(self, kept: Kept, new: Path, which: str) -> None:
        needs_namespaces()
        known = taking.all_backups(kept.register.target)
        chosen = next(each for each in known if not each.is_full)
        parts = sum(each.unpacked[taking.DATABASE] for each in restoring.chain_of(chosen, known))
        room = (5_000_000 if which == "at once" else parts + 10_000_000) // 1_000_000
        small = new.parent / "small"
        small.mkdir()
        words = [sys.executable, "-P", "-m", "rahdari", "restore", "--from", str(kept.register.place)]
        words += ["--key", str(kept.register.private), "--backup", chosen.id, "--data", str(small / "register")]
        mounted = f'mount -t tmpfs -o size={room}m tmpfs "$0"; "$@"; code=$?; ls "$0"; exit $code'
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mounted, str(small), *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert f"The disk of {small} is full: " in done.stderr
        (needed,) = re.findall(r"it needs about (\d+) MB", done.stderr)
        assert int(needed) > parts / 1e6
        assert ("Putting them together." in done.stderr) is (which != "at once")
        assert "Traceback" not in done.stderr and "damaged" not in done.stderr

    @pytest.mark.whole
    def test_keys_of_another_day(self, copy: Target, kept: Kept, new: Path) -> None:
        backup = taking.all_backups(copy)[0]
        change(copy, backup, keys=backup.keys | {"fields.key": "0" * 12})
        with pytest.raises(restoring.OtherKeys, match=r"fields\.key"):
            restoring.restore(copy, kept.register.private, new, to=kept.mark, backup=backup.id)

    def test_a_folder_with_a_running_register_and_one_with_anything(self, kept: Kept, new: Path) -> None:
        with datafolder.locked(kept.register.data), pytest.raises(restoring.FolderTaken, match="in use"):
            restoring.restore(kept.register.target, kept.register.private, kept.register.data, to=None)
        new.mkdir()
        (new / "letter").touch()
        with pytest.raises(restoring.FolderTaken, match="not empty"):
            restoring.restore(kept.register.target, kept.register.private, new, to=None)
        with pytest.raises(restoring.FolderTaken, match="is no folder"):
            restoring.restore(kept.register.target, kept.register.private, new / "letter", to=None)
        with pytest.raises(restoring.FolderTaken, match="is where a disk is mounted"):
            restoring.restore(kept.register.target, kept.register.private, Path("/proc"), to=None)

    def test_the_place_of_another_register(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        place.put_data("register.json", {"identifier": "7"})
        with pytest.raises(taking.AnotherRegister):
            register.take(place)
        assert place.keys("") == [("register.json", place.keys("")[0][1])]


def children(process: int) -> list[tuple[int, str]]:
    """Each with the words that started it."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [(int(pid), Path(f"/proc/{pid}/cmdline").read_text()) for pid in found]


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


class Killed(BaseException):
    """The process ends here."""


class TestArchived:
    def test_within_the_seconds_that_are_set_also_after_each_start(self, place: Path) -> None:
        """PostgreSQL by itself looks at them only after five minutes."""
        register = Register(place)
        register.target.put_data("register.json", {"identifier": "1"})
        register.server.settings = {**register.server.settings, "archive_timeout": "1"}
        for number in range(2):
            register.server.start()
            try:
                register.do(f"CREATE TABLE decisions_{number} (number int)")
                with psycopg.connect(register.server.admin_url) as connection:
                    row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
                assert row is not None
                until(lambda name=row[0]: name in wal.names(register.target))
            finally:
                register.server.stop()


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
        # The first one had none before it to read back.
        for at in range(len(said) + 1):
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

    @pytest.mark.whole
    @pytest.mark.parametrize(
        ("said_of_it", "was", "becomes"),
        [
            ("WAL summaries are required", r'"Start-LSN": "[^"]+"', '"Start-LSN": "0/1000028"'),
            ("not in this server's history", '"Timeline": 1', '"Timeline": 9'),
        ],
    )
    def test_what_the_server_cannot_add_to_is_followed_by_a_full_one(
        self, register: Register, new: Path, said_of_it: str, was: str, becomes: str
    ) -> None:
        """A backup from before the summaries that the server has; and one of another line."""
        place = Target(str(new.parent / "place"))
        first = register.take(place)
        for path in (register.server.cluster / "pg_wal" / "summaries").iterdir():
            path.unlink()
        manifest = taking.local(register.data).of(first.id, "manifest")
        text = re.sub(was, becomes, manifest.read_text()).partition('"Manifest-Checksum"')[0]
        manifest.write_text(f'{text}"Manifest-Checksum": "{hashlib.sha256(text.encode()).hexdigest()}"}}\n')
        said: list[str] = []
        second = register.take(place, full=False, say=said.append)
        assert second.is_full
        assert any(text.startswith("PostgreSQL does not know all") and said_of_it in text for text in said), said
        assert register.take(place, full=False).since == second.id

    @pytest.mark.whole
    def test_what_fails_for_another_reason_fails(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        first = register.take(place)
        taking.local(register.data).of(first.id, "manifest").write_text("no manifest")
        with pytest.raises(engine.ProgramFailed, match="could not parse backup manifest"):
            register.take(place, full=False)

    @pytest.mark.whole
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

    @pytest.mark.whole
    def test_killed_while_it_copies_leaves_no_program_that_goes_on(self, register: Register, new: Path) -> None:
        """The server does not come to its checkpoint, so the copy waits for it."""
        assert register.server.process is not None
        (checkpointer,) = [pid for pid, words in children(register.server.process.pid) if "checkpointer" in words]
        words = [sys.executable, "-P", "-m", "rahdari", "backup", "--full", "--data", str(register.data)]
        settings = {"RAHDARI_BACKUP_KEY": register.public, "RAHDARI_BACKUP_DATABASE_URL": register.server.admin_url}
        place = Target(str(new.parent / "place"))
        os.kill(checkpointer, signal.SIGSTOP)
        try:
            with subprocess.Popen([*words, "--to", place.address], env={**os.environ, **settings}) as process:
                until((register.data / "backup" / "staging" / "cluster").exists)
                ((copying, program),) = children(process.pid)
                assert "pg_basebackup" in program
                process.kill()
            until(lambda: has_ended(copying))
        finally:
            os.kill(checkpointer, signal.SIGCONT)
        made = register.take(place)
        assert {key.split("/")[1] for key, _ in place.keys("backups/")} == {made.id}

    def test_a_copy_that_goes_on_is_another_backup(self, register: Register, new: Path) -> None:
        """What it holds open is the lock of the backup that started it."""
        with taking._alone(taking.local(register.data)) as lock:
            holder = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
        try:
            with pytest.raises(taking.BackupRuns, match="It goes on; wait for it"):
                register.take(Target(str(new.parent / "place")))
        finally:
            holder.kill()
            holder.wait()

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
        said = "cannot be used for backups: " if which == "place" else "The copy cannot be written: "
        assert said in done.stderr and "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert register.target.keys("backups/") == before


class TestVerifiedWithItsChain:
    def test_a_flipped_bit_in_an_older_file_is_said_and_added_to_by_none(
        self, copy: Target, kept: Kept, capsys: pytest.CaptureFixture[str]
    ) -> None:
        register, (first, more) = kept.register, taking.all_backups(copy)[:2]
        key = first.key(taking.FILES)
        sound = b"".join(copy.pieces(key))
        assert cli.main(["backup", "list", "--to", copy.address]) == 0
        assert "DAMAGED" not in capsys.readouterr().out
        damage(copy, key)
        listed = ["backup", "list", "--to", copy.address]
        assert cli.main(listed) == commands.NOT_WHOLE
        lines_said = capsys.readouterr().out.splitlines()
        assert [line.endswith(f"DAMAGED: {key}") for line in lines_said] == [True] * len(lines_said)
        made = register.take(copy, full=False)
        assert made.is_full
        noted = state.noted(register.data)
        assert noted["damaged"] == [key]
        assert commands.tell_what_is_wrong(noted) == commands.NOT_WHOLE
        assert f"{key} is damaged or gone" in capsys.readouterr().err
        # The old ones are not read any more, and what was found is known; what was added is sound.
        assert register.take(copy, full=False).since == made.id
        assert state.noted(register.data)["damaged"] == [key]
        assert cli.main(listed) == commands.NOT_WHOLE
        told = {line.split()[0]: "DAMAGED" in line for line in capsys.readouterr().out.splitlines()}
        assert told[first.id] and told[more.id] and not told[made.id]
        copy.put(key, sound)
        register.take(copy, full=False)
        noted = state.noted(register.data)
        assert noted["damaged"] == [] and commands.tell_what_is_wrong(noted) == 0
        assert copy.keys(taking.DAMAGED) == []

    def test_what_is_gone_or_cut_off_is_seen_without_reading(self, copy: Target, kept: Kept) -> None:
        first, more = taking.all_backups(copy)[:2]
        known = [first, more, a_backup(9)]
        assert taking.faults(copy, known) == {}
        copy.put(more.key(taking.DATABASE), b"short")
        copy.erase([first.key(taking.KEYS)])
        assert taking.faults(copy, known) == {first.id: [first.key(taking.KEYS)], more.id: [more.key(taking.DATABASE)]}
        assert taking.faults(copy, [more, a_backup(9)])[more.id] == [
            more.key(taking.DATABASE),
            f"backups/{first.id}/backup.json",
        ]

    def test_rows_that_are_fewer_than_they_may_be_are_said_and_the_count_before_is_kept(
        self, register: Register, new: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = Target(str(new.parent / "place"))
        register.do("CREATE TABLE decide_decision (number int); INSERT INTO decide_decision VALUES (1), (2)")
        try:
            register.take(place)
            assert state.noted(register.data)["fell"] == []
            register.do("DELETE FROM decide_decision WHERE number = 1")
            fell = ["rows of decide_decision: 2 before, 1 now"]
            for _hour in range(2):
                made = register.take(place, full=False)
                noted = state.noted(register.data)
                assert noted["fell"] == fell and commands.tell_what_is_wrong(noted) == commands.NOT_WHOLE
                assert f"{fell[0]}. Somebody changed the database past its guards" in capsys.readouterr().err
            # What the next rehearsal compares with.
            new.mkdir()
            key = made.key(taking.FILES)
            sealing.open_folder(place.pieces(key), key, new, sealing.identity(register.private))
            assert json.loads((new / "facts.json").read_text())["rows"]["decide_decision"] == 2
            register.take(place, full=False, count_anew=True)
            assert state.noted(register.data)["fell"] == []
        finally:
            register.do("DROP TABLE decide_decision")
            register.take(place, count_anew=True)


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


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, for a socket, and open to other users."""
    with tempfile.TemporaryDirectory(prefix="own-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_place_that_lets_nothing_be_erased_keeps_all_and_says_so(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: Target, keys: list[str]) -> None:
        raise TargetAway(self.address, "it may not be erased")

    before = kept.register.target.keys("backups/")
    monkeypatch.setattr(Target, "erase", refuse)
    for name, value in {**kept.register.server.environment, "RAHDARI_DATA": str(kept.register.data)}.items():
        monkeypatch.setenv(name, value)
    options = argparse.Namespace(to=None, full=False, count_anew=False)
    assert commands.run_backup(options) == 0
    assert "Old backups are not erased: it may not be erased." in capsys.readouterr().err
    assert set(before) < set(kept.register.target.keys("backups/"))


@pytest.mark.django_db
def test_the_archive_says_when_it_fails_and_when_it_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    register = Register(place)
    register.server.start()
    request.addfinalizer(register.server.stop)
    handler = ConnectionHandler({"default": database(register.server.admin_url)})
    request.addfinalizer(handler["default"].close)
    monkeypatch.setattr(log_archive, "connection", handler["default"])
    register.target.put_data("register.json", {"identifier": "1"})
    register.do("CREATE TABLE decisions (number int)")
    register.archive()
    first = log_archive.log_archive()
    assert first is not None and not first.fails and first.waiting == 0
    aside = register.place.with_name("aside")
    register.place.rename(aside)
    register.place.write_text("No folder is here.")
    register.do("INSERT INTO decisions VALUES (1)")
    with psycopg.connect(register.server.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_switch_wal()")
    until(lambda: (state := log_archive.log_archive()) and state.fails)
    failing = log_archive.log_archive()
    assert failing is not None and failing.fails and failing.waiting == 1 and failing.failed
    register.place.unlink()
    aside.rename(register.place)
    # A next file wakes the archiver, which had given up for a minute.
    register.do("INSERT INTO decisions VALUES (2)")
    register.archive()
    again = log_archive.log_archive()
    assert again is not None and not again.fails and again.waiting == 0
