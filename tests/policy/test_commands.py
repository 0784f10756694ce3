"""`rahdari policy check` and `rahdari policy use`, as an operator of the service meets them."""

import argparse
from pathlib import Path

import pytest

from rahdari import cli
from rahdari.policy import BUNDLED, commands

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
        assert kept == ["in-force.digest", "in-force.toml"]

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
