"""docs/attacks.md, docs/safeguards.md: each row of a matrix is a test that is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def rows_of(page: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| What happens |", "| Promise |"))
    ]


ROWS, SAFEGUARDS = rows_of("attacks.md"), rows_of("safeguards.md")
TESTS = sorted({test for row in ROWS + SAFEGUARDS for test in re.findall(r"`([a-z_/]+\.py[^`]*)`", row[-1])})


def test_each_safeguard_says_by_what_it_is_held() -> None:
    assert len(SAFEGUARDS) > 5
    assert [row for row in SAFEGUARDS if len(row) != 3 or not row[0] or not row[-1].startswith("`")] == []


def test_each_row_says_what_happens_how_it_recovers_and_by_what_it_is_held() -> None:
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(row) != 4 or not all(row) or not row[-1].startswith("`")] == []


@pytest.mark.parametrize("test", TESTS)
def test_the_test_that_is_named_is_there(test: str) -> None:
    path, *names = test.split("::")
    body: list[ast.stmt] = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8")).body
    for name in names:
        [found] = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
        body = found.body
