"""The data folder: whose it is, how new, and who holds it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rahdari.ops import datafolder, prepare
from rahdari.vault import keys

HOLD = """
import sys
from pathlib import Path
from rahdari.ops import datafolder
with datafolder.locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestMake:
    def test_makes_a_folder_that_only_its_user_enters(self, tmp_path: Path) -> None:
        folder = datafolder.make(tmp_path / "new" / "data", datafolder.DEMO)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        label = datafolder.read_label(folder)
        assert label is not None
        assert (label.format, label.kind) == (datafolder.FORMAT, datafolder.DEMO)

    def test_refuses_one_that_a_newer_version_has_written_and_changes_nothing(self, tmp_path: Path) -> None:
        newer = f'format = {datafolder.FORMAT + 1}\nkind = "demo"\nwritten_by = "9.1.0"\n'
        (tmp_path / "version").write_text(newer)
        with pytest.raises(datafolder.NewerFolder, match=r"9\.1\.0"):
            datafolder.make(tmp_path, datafolder.DEMO)
        assert (tmp_path / "version").read_text() == newer
        assert [path.name for path in tmp_path.iterdir()] == ["version"]

    def test_refuses_a_folder_with_other_things_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "letters.txt").write_text("not ours")
        with pytest.raises(datafolder.NotADataFolder, match="other things"):
            datafolder.make(tmp_path, datafolder.DEMO)

    def test_refuses_a_label_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "version").write_text("\x00 what is this")
        with pytest.raises(datafolder.NotADataFolder, match="cannot be read"):
            datafolder.make(tmp_path, datafolder.DEMO)

    def test_refuses_a_register_for_a_demonstration_and_the_other_way_round(self, tmp_path: Path) -> None:
        datafolder.make(tmp_path, datafolder.REGISTER)
        with pytest.raises(datafolder.OtherKind, match="rahdari up"):
            datafolder.make(tmp_path, datafolder.DEMO)

    def test_refuses_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(datafolder.NotADataFolder, match="not a folder"):
            datafolder.make(tmp_path / "file", datafolder.DEMO)


class TestReset:
    def test_empties_a_demonstration(self, tmp_path: Path) -> None:
        datafolder.make(tmp_path, datafolder.DEMO)
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys" / "fields.key").touch()
        elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
        elsewhere.mkdir()
        (elsewhere / "kept").touch()
        (tmp_path / "link").symlink_to(elsewhere)
        datafolder.reset(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
        assert datafolder.check(tmp_path, datafolder.DEMO) is None, "and it may be begun anew in the same place"
        assert (elsewhere / "kept").exists()

    def test_never_empties_a_register(self, tmp_path: Path) -> None:
        datafolder.make(tmp_path, datafolder.REGISTER)
        with pytest.raises(datafolder.OtherKind):
            datafolder.reset(tmp_path)
        assert (tmp_path / "version").exists()

    def test_never_empties_a_folder_of_other_things(self, tmp_path: Path) -> None:
        (tmp_path / "letters.txt").touch()
        with pytest.raises(datafolder.NotADataFolder):
            datafolder.reset(tmp_path)
        assert (tmp_path / "letters.txt").exists()


class TestLock:
    def test_tells_the_second_one_who_holds_it(self, tmp_path: Path) -> None:
        datafolder.make(tmp_path, datafolder.DEMO)
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdin is not None and holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert datafolder.is_locked(tmp_path)
            with (
                pytest.raises(datafolder.FolderBusy, match=rf"process {holder.pid} on {os.uname().nodename}\)"),
                datafolder.locked(tmp_path),
            ):
                pass
            with pytest.raises(datafolder.FolderBusy):
                datafolder.reset(tmp_path)
            # Killed, not stopped: the kernel lets the lock go.
            holder.kill()
        assert not datafolder.is_locked(tmp_path)
        with datafolder.locked(tmp_path):
            pass


class TestSecretKey:
    def test_is_made_once_and_for_its_user_only(self, tmp_path: Path) -> None:
        first = datafolder.secret_key(tmp_path)
        assert datafolder.secret_key(tmp_path) == first
        assert len(first) > 50
        assert stat.S_IMODE((tmp_path / "keys" / "django.key").stat().st_mode) == 0o600


class TestEnvironment:
    def test_says_what_a_command_beside_up_needs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "RAHDARI_SECRET_KEY"):
            monkeypatch.delenv(name, raising=False)
        datafolder.make(tmp_path, datafolder.DEMO)
        datafolder.secret_key(tmp_path)
        found = datafolder.environment(tmp_path)
        assert found["RAHDARI_DATA"] == str(tmp_path)
        assert found["DJANGO_SETTINGS_MODULE"] == "rahdari.settings.demo"
        assert found["RAHDARI_SECRET_KEY"]
        assert "DATABASE_URL" not in found

    def test_knows_where_up_is_reached(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in datafolder.ADDRESSES:
            monkeypatch.delenv(name, raising=False)
        datafolder.make(tmp_path, datafolder.DEMO)
        assert "RAHDARI_URL" not in datafolder.environment(tmp_path)
        given = dict(zip(datafolder.ADDRESSES, ("http://a:1", "http://a:2", "http://a:3"), strict=True))
        datafolder.note_addresses(tmp_path, {**given, "DATABASE_URL": "secret"})
        assert given.items() <= datafolder.environment(tmp_path).items()
        assert "secret" not in (tmp_path / "addresses").read_text()
        (tmp_path / "addresses").write_text("torn")
        assert "RAHDARI_URL" not in datafolder.environment(tmp_path)

    def test_leaves_what_the_caller_has_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "rahdari.settings.test")
        datafolder.make(tmp_path, datafolder.DEMO)
        assert datafolder.environment(tmp_path)["DJANGO_SETTINGS_MODULE"] == "rahdari.settings.test"


@pytest.mark.django_db
class TestKeys:
    def test_lost_ones_are_not_replaced_once_people_are_in_the_database(
        self, tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import datetime as dt

        from rahdari.people import actions as people

        monkeypatch.setattr("django.conf.settings.DATA", tmp_path)
        prepare.make_keys(new_keys=False)
        assert keys.problems(tmp_path / "keys") == []
        people.register_person(email="sample@rahdari.example", now=dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
        os.unlink(tmp_path / "keys" / "fields.key")
        with pytest.raises(prepare.KeysLost, match="personal fields") as lost:
            prepare.make_keys(new_keys=False)
        assert lost.value.names == ["fields"]
        assert not (tmp_path / "keys" / "fields.key").exists()
        prepare.make_keys(new_keys=True)
        assert keys.problems(tmp_path / "keys") == []

    def test_of_an_older_day_are_refused_and_newer_ones_are_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.conf.settings.DATA", tmp_path)
        path = tmp_path / "keys" / "links.key"

        def prepared(**given: bool) -> None:
            prepare.make_keys(new_keys=given.get("new_keys", False))
            prepare.note_keys()

        prepared()
        older = path.read_text()
        path.write_text(f"11111111 {'1' * 64}\n{older}")
        prepared()
        path.write_text(older)
        with pytest.raises(prepare.KeysLost, match=r"links\.key: without it") as lost:
            prepared()
        assert lost.value.names == ["links"]
        # Somebody says that the other is lost for good.
        prepared(new_keys=True)
        prepared()
        assert path.read_text() == older
