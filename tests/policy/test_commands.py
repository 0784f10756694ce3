"""`rahdari policy check` and `rahdari policy use`, as an operator of the service meets them."""

import argparse
import datetime as dt
from pathlib import Path

import pytest
import time_machine

from rahdari import cli
from rahdari.policy import BUNDLED, commands, history, load
from rahdari.policy.loading import SHIPPED

TEXT = BUNDLED.read_text(encoding="utf-8")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers(dest="command", required=True))
    arguments = parser.parse_args(["policy", *words])
    result: int = arguments.run(arguments)
    return result


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAHDARI_DATA", str(tmp_path))
    return tmp_path


class TestCheck:
    def test_says_what_waits_for_a_signature(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("check") == 0
        said = capsys.readouterr().out
        assert "To be signed by the law officer: 16 of 16." in said
        assert "item_5: Suspension before a hearing" in said
        assert "until then off in production: 24." in said

    def test_says_the_line_and_the_reason(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "mine.toml"
        file.write_text(TEXT.replace('nature = "registration"', 'nature = "tax"'), encoding="utf-8")
        assert run("check", str(file)) == 1
        line = TEXT[: TEXT.index("nature =")].count("\n") + 1
        assert f"{file}, line {line}, nature: 'tax' is not one of:" in capsys.readouterr().err


class TestUse:
    def test_brings_a_good_file_into_force(self, data: Path, tmp_path: Path) -> None:
        file = tmp_path / "mine.toml"
        file.write_text(TEXT, encoding="utf-8")
        assert run("use", str(file)) == 0
        assert (data / "policy" / "in-force.toml").read_text(encoding="utf-8") == TEXT
        kept = sorted(path.name for path in (data / "policy").iterdir())
        assert kept == ["history.jsonl", "in-force.digest", "in-force.toml", "versions"]

    def test_leaves_the_old_one_in_force_when_the_new_one_is_broken(
        self, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("use", str(BUNDLED)) == 0
        file = tmp_path / "broken.toml"
        file.write_text(TEXT.replace("escalate_at = [80, 100]", "escalate_at = []"), encoding="utf-8")
        assert run("use", str(file)) == 1
        said = capsys.readouterr().err
        assert "rising percentages" in said and "the policy in force stays in force" in said
        assert (data / "policy" / "in-force.toml").read_text(encoding="utf-8") == TEXT


IN_USE = (
    SHIPPED["declaration"]
    .read_text(encoding="utf-8")
    .replace("demonstration = true", "demonstration = false")
    .replace('name = "", office = "", on = ""', 'name = "Sample", office = "Law officer", on = 2026-11-01')
)
TWO = ("--name", "Sample One, Chair", "--second", "Sample Two, Law officer")
AT = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)


class TestInProduction:
    """Rules that bind somebody are not changed in the dark."""

    @pytest.fixture
    def file(self, data: Path, tmp_path: Path) -> Path:
        """A draft; version 1 is in force."""
        file = tmp_path / "draft.toml"
        file.write_text(IN_USE, encoding="utf-8")
        with time_machine.travel(AT - dt.timedelta(days=90), tick=False):
            assert run("use", str(file), *TWO) == 0
        return file

    def changed(self, file: Path, *pairs: tuple[str, str]) -> str:
        text = file.read_text(encoding="utf-8")
        for before, after in (*pairs, ('version = "', 'version = "next-')):
            assert before in text
            text = text.replace(before, after, 1)
        file.write_text(text, encoding="utf-8")
        return str(file)

    def test_two_persons_bring_them_into_force(
        self, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        same = ("--name", "Sample One, Chair", "--second", "sample one,  chair")
        for names in ((), TWO[:2], same):
            assert run("use", self.changed(file), *names) == 1
            assert "Two persons bring rules into force" in capsys.readouterr().err
        assert [event.names for event in history.events(data)] == [("Sample One, Chair", "Sample Two, Law officer")]

    def test_each_has_a_version_of_its_own(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file.write_text(
            IN_USE.replace("endpoints_per_application = 5", "endpoints_per_application = 6"), encoding="utf-8"
        )
        assert run("use", str(file), *TWO) == 1
        assert "Give these a version of their own" in capsys.readouterr().err

    def test_what_is_in_somebodys_favour_comes_at_once(self, file: Path) -> None:
        assert (
            run("use", self.changed(file, ("endpoints_per_application = 5", "endpoints_per_application = 6")), *TWO)
            == 0
        )

    def test_what_goes_against_somebody_takes_notice(
        self, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = load(file).digest
        draft = self.changed(file, ("endpoints_per_application = 5", "endpoints_per_application = 4"))
        with time_machine.travel(AT, tick=False) as clock:
            assert run("use", draft, *TWO) == 1
            said = capsys.readouterr().err
            assert "limits.endpoints_per_application" in said and "announced 30 days before" in said
            assert run("announce", draft, "--name", "Sample One, Chair") == 0
            assert "limits.endpoints_per_application: 5 -> 4" in capsys.readouterr().out
            clock.move_to(AT + dt.timedelta(days=30, seconds=-1))
            assert run("announce", draft, "--name", "Sample One, Chair") == 0, "the time runs from the first one"
            assert run("use", draft, *TWO) == 1
            assert "may come into force from 30 December 2026, 09:00 UTC" in capsys.readouterr().err
            assert commands.digest_in_force(commands.in_force(data)) == before
            clock.move_to(AT + dt.timedelta(days=30))
            assert run("use", draft, *TWO) == 0
        assert history.announced(history.events(data)) == []

    def test_what_was_withdrawn_was_not_announced(self, data: Path, file: Path) -> None:
        draft = self.changed(file, ("endpoints_per_application = 5", "endpoints_per_application = 4"))
        with time_machine.travel(AT, tick=False) as clock:
            assert run("announce", draft, "--name", "Sample One, Chair") == 0
            assert run("announce", draft, "--name", "Sample One, Chair", "--withdraw") == 0
            assert run("announce", draft, "--name", "Sample One, Chair", "--withdraw") == 1
            clock.move_to(AT + dt.timedelta(days=60))
            assert run("use", draft, *TWO) == 1

    def test_a_hand_in_the_file_or_a_demonstration_is_no_way_round(
        self, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        draft = self.changed(file, ("endpoints_per_application = 5", "endpoints_per_application = 4"))
        for text in (Path(draft).read_text(encoding="utf-8"), "no [ TOML"):
            commands.in_force(data).write_text(text, encoding="utf-8")
            assert run("use", draft, *TWO) == 1
            assert "1 of its differences may go against somebody" in capsys.readouterr().err
        assert run("use", "pakistan", *TWO) == 1
        assert "differences may go against somebody" in capsys.readouterr().err


class TestWithoutAnInstallation:
    def test_a_file_is_judged_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A lawyer has a checkout and a file, and no data folder."""
        monkeypatch.setenv("RAHDARI_DATA", str(tmp_path / "none"))
        file = tmp_path / "policy.toml"
        file.write_text(TEXT, encoding="utf-8")
        assert cli.run(["policy", "check", str(file)]) == 0
        assert "version" in capsys.readouterr().out
        with pytest.raises(cli.NoDataFolder):
            cli.run(["policy", "use", str(file)])
        assert not (tmp_path / "none").exists()
