"""docs/attacks.md, docs/safeguards.md: each row of a matrix is a test that is there."""

from pathlib import Path

from .named_tests import missing_tests

ROOT = Path(__file__).resolve().parent.parent.parent


def rows_of(page: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| What happens |", "| Promise |"))
    ]


ROWS, SAFEGUARDS = rows_of("attacks.md"), rows_of("safeguards.md")


def test_each_safeguard_says_by_what_it_is_held() -> None:
    assert len(SAFEGUARDS) > 5
    assert [row for row in SAFEGUARDS if len(row) != 3 or not row[0] or not row[-1].startswith("`")] == []


def test_each_row_says_what_happens_how_it_recovers_and_by_what_it_is_held() -> None:
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(row) != 4 or not all(row) or not row[-1].startswith("`")] == []


def test_every_test_that_is_named_is_there() -> None:
    assert missing_tests(row[-1] for row in ROWS + SAFEGUARDS) == []


def test_a_test_that_is_not_there_is_found() -> None:
    here = "docs/test_attacks.py::test_a_test_that_is_not_there_is_found"
    assert missing_tests([f"`{here}`, `{here}_too`, `docs/test_nothing.py::TestIt`"]) == [
        f"{here}_too",
        "docs/test_nothing.py::TestIt",
    ]
