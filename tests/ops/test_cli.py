"""The command `rahdari`, as a program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rahdari import cli, policy
from rahdari.ops import datafolder, postgres, sample_drafts
from rahdari.policy import commands

PURE = ("django", "psycopg", "granian")


def rahdari(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAHDARI", "DATABASE", "DJANGO"))}
    return subprocess.run(
        [sys.executable, "-m", "rahdari", *arguments], capture_output=True, text=True, env=kept | environment
    )


class TestWords:
    def test_are_all_listed_with_what_they_do(self) -> None:
        said = rahdari("--help")
        assert said.returncode == 0
        for word, command in cli.COMMANDS.items():
            assert word in said.stdout
            assert command.help in said.stdout

    def test_are_all_there_when_called(self) -> None:
        for word in cli.COMMANDS:
            parser = cli.parser_for(word)
            with pytest.raises(SystemExit) as ended:
                parser.parse_args([*word.split(), "--help"])
            assert ended.value.code == 0

    def test_that_look_at_a_data_folder_name_its_option(self) -> None:
        for words in (["doctor"], ["policy", "use"], ["operator", "add"], ["feed", "rotate"]):
            assert "--data DIR" in rahdari(*words, "--help").stdout, words
        assert "--data" not in rahdari("my", "apply", "--help").stdout

    def test_that_do_not_exist_are_told_with_the_nearest(self) -> None:
        said = rahdari("dmo")
        assert said.returncode == 1
        assert "Did you mean `rahdari demo`?" in said.stderr

    def test_without_any_the_list_is_shown(self) -> None:
        said = rahdari()
        assert said.returncode == 2
        assert "doctor" in said.stderr


class TestWhoDraftsARule:
    """`consult check` on a machine that may have no installation: without Django and without a database."""

    def check(self, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        draft, becomes = folder / "draft.toml", folder / "policy.toml"
        draft.write_text(sample_drafts.SAMPLE.read_text())
        becomes.write_text(sample_drafts.becomes(policy.BUNDLED.read_text()))
        return rahdari("consult", "check", str(draft), str(becomes), *words, **environment)

    def test_without_an_installation_compares_with_the_policy_that_comes_along(self, tmp_path: Path) -> None:
        # A folder in which something else lies is none, either.
        for words, environment in (([], {"RAHDARI_DATA": "none"}), (["--data", str(tmp_path)], {})):
            said = self.check(tmp_path, *words, **environment)
            assert said.returncode == 0, said.stderr
            assert "Nothing is wrong with it." in said.stdout
            assert "There is no installation at " in said.stdout
            told = "differs from the policy that comes with this version (pakistan) in: "
            assert f"{told}services.whitelist_call_centre.clock." in said.stdout

    def test_with_one_compares_with_what_is_in_force_there(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        data.mkdir()
        datafolder.write_label(data, datafolder.REGISTER)
        said = self.check(tmp_path, "--data", str(data))
        assert "differs from the policy in force in: services.whitelist_call_centre.clock." in said.stdout, said.stderr
        in_force = commands.in_force(data)
        in_force.parent.mkdir()
        in_force.write_text(
            (tmp_path / "policy.toml")
            .read_text()
            .replace("officer_decision = { length = 10", "officer_decision = { length = 8")
        )
        said = self.check(tmp_path, RAHDARI_DATA=str(data))
        assert "differs from the policy in force in: clocks.officer_decision.length." in said.stdout, said.stderr
        assert "There is no installation" not in said.stdout
        assert [each.name for each in in_force.parent.iterdir()] == ["in-force.toml"]

    def test_is_told_what_is_wrong_with_either_file(self, tmp_path: Path) -> None:
        (tmp_path / "draft.toml").write_text("format = 1")
        (tmp_path / "policy.toml").write_text(policy.BUNDLED.read_text())
        named = ["--data", str(tmp_path / "none")]
        said = rahdari("consult", *named, "check", str(tmp_path / "draft.toml"), str(tmp_path / "policy.toml"))
        assert said.returncode == 1
        assert "draft.toml: " in said.stderr
        assert "Traceback" not in said.stderr


class TestImports:
    def test_the_agent_meets_nothing_of_the_server(self) -> None:
        program = (
            "import sys; from rahdari import cli; cli.parser_for('agent');"
            f"print([name for name in {PURE!r} if name in sys.modules])"
        )
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == "[]"

    def test_a_server_command_says_what_to_install_when_only_the_light_side_is_there(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(cli, "SERVER_PACKAGES", ("a_package_that_is_not_here",))
        assert cli.main(["doctor"]) == 1
        assert "pip install 'rahdari[server]'" in capsys.readouterr().err


class TestCatalogues:
    def test_of_a_checkout_that_are_older_than_their_sources_are_named(self, tmp_path: Path) -> None:
        package = tmp_path / "src" / "rahdari"
        folder = package / "apply" / "locale" / "ur" / "LC_MESSAGES"
        folder.mkdir(parents=True)
        source, compiled = folder / "django.po", folder / "django.mo"
        source.touch()
        assert cli.stale_catalogues(package) == [], "no checkout: what is installed was compiled with it"
        (tmp_path / "pyproject.toml").touch()
        assert cli.stale_catalogues(package) == [source]
        compiled.touch()
        os.utime(compiled, ns=(source.stat().st_mtime_ns, source.stat().st_mtime_ns))
        assert cli.stale_catalogues(package) == []
        os.utime(source, ns=(compiled.stat().st_mtime_ns + 1, compiled.stat().st_mtime_ns + 1))
        assert cli.stale_catalogues(package) == [source]


class TestData:
    def test_is_taken_from_anywhere_before_a_bare_dash(self) -> None:
        given = ["roster", "import", "--data", "/somewhere", "x", "--", "--data", "y"]
        assert cli.take_data(given) == (Path("/somewhere"), ["roster", "import", "x", "--", "--data", "y"])
        assert cli.take_data(["doctor", "--data=/else"]) == (Path("/else"), ["doctor"])

    def test_is_taken_by_acts_that_need_none_too(self, tmp_path: Path) -> None:
        assert cli.main(["backup", "list", "--to", str(tmp_path), "--data", str(tmp_path)]) == 0

    def test_with_files_of_another_account_is_told_with_their_owner(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (closed := tmp_path / ".lock").touch()
        owner = cli.name_of(os.geteuid())
        assert cli.of_a_file(PermissionError(13, "Permission denied", str(closed))) is None
        monkeypatch.setattr(os, "geteuid", lambda: 60801)
        told = str(cli.of_a_file(PermissionError(13, "Permission denied", str(closed))))
        assert f"{closed} is closed to the account 60801; it belongs to {owner}." in told

    def test_that_is_not_there_is_told_with_its_path(self, tmp_path: Path) -> None:
        said = rahdari("doctor", "--data", str(tmp_path / "nowhere"))
        assert said.returncode == 1
        assert f"There is no data folder at {tmp_path / 'nowhere'}" in said.stderr
        assert not (tmp_path / "nowhere").exists()

    def test_of_a_newer_release_is_not_worked_on(self, tmp_path: Path) -> None:
        (tmp_path / "version").write_text('format = 99\nkind = "register"\nwritten_by = "9.0.0"\n')
        said = rahdari("roster", "status", "--data", str(tmp_path))
        assert said.returncode == 1
        assert "was written by Rahdari 9.0.0, newer than this one" in said.stderr
        assert "Traceback" not in said.stderr


class TestDatabase:
    ROSTER = ("roster", "status", "--data")
    DEMO = {"DJANGO_SETTINGS_MODULE": "rahdari.settings.demo"}

    def test_that_is_away_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        url = f"postgresql:///register?host={tmp_path}"
        said = rahdari(*self.ROSTER, str(tmp_path), DATABASE_URL=url, **self.DEMO)
        assert said.returncode == 75
        assert said.stderr.startswith("The database does not answer (")
        assert "rahdari up" in said.stderr and "DATABASE_URL" in said.stderr
        assert "Traceback" not in said.stderr

    def test_without_our_tables_is_told_to_be_prepared(self, tmp_path: Path) -> None:
        with postgres.throwaway_postgres() as url:
            said = rahdari(*self.ROSTER, str(tmp_path), DATABASE_URL=url, **self.DEMO)
        assert said.returncode == 1
        assert said.stderr.startswith("The database is not up to date (")
        assert said.stderr.endswith("Run: rahdari prepare\n")
