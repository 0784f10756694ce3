"""`rahdari directory`: what it says and what it leaves in the data folder."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.address import commands, directory


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RAHDARI_DATA", str(tmp_path / "data"))
    yield tmp_path / "data"
    directory.configure(None)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers())
    arguments = parser.parse_args(["directory", *words])
    code: int = arguments.run(arguments)
    return code


class TestDirectoryImport:
    def test_takes_the_good_rows_and_says_what_is_wrong_with_the_others(
        self, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = tmp_path / "new.csv"
        rows = ["64496,Sample,39.32.0.0/15", *(f"x{number},Sample,39.34.0.0/16" for number in range(25))]
        source.write_text("asn,organisation,prefix\n" + "\n".join(rows))
        assert run("import", str(source)) == 0
        said = capsys.readouterr().out
        assert "Rows taken: 1, left out: 25" in said
        assert "line 3: the number of the network is not one from 1 to 4294967295" in said
        assert "and 5 more" in said
        assert run("show", "39.32.0.9") == 0
        assert capsys.readouterr().out == "AS64496 Sample (39.32.0.0/15)\n"
        assert commands.in_use(data).exists()

    def test_changes_nothing_with_a_file_that_is_no_directory(
        self, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("import", str(tmp_path / "absent.csv")) == 1
        assert "the file cannot be read" in capsys.readouterr().err
        assert not commands.in_use(data).exists()

    def test_has_a_sentence_for_every_fault(self) -> None:
        assert set(commands.FAULTS) == set(directory.RowFault)


class TestDirectoryShow:
    def test_suggests_what_was_meant(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("show", "203.0.113.5/28") == 1
        assert "Did you mean 203.0.113.0/28?" in capsys.readouterr().err

    def test_says_that_an_unknown_network_is_no_ground_for_refusal(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("show", "154.192.0.1") == 0
        assert "no ground for refusal" in capsys.readouterr().out
