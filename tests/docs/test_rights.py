"""docs/rights.md names tests, letters, operations and clocks that there are."""

import json
import re
from pathlib import Path

from rahdari import policy
from rahdari.letters.catalogue import LETTERS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "rights.md").read_text(encoding="utf-8")
TABLE = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| ")]
# Rights; and below them what follows when something goes wrong.
ROWS = [row for row in TABLE if len(row) == 5][2:]
MISHAPS = [row for row in TABLE if len(row) == 4][2:]


def named(cell: str) -> list[str]:
    return re.findall(r"`([\w./-]+)`", cell)


def test_names_tests_that_are_there() -> None:
    assert len(ROWS) > 15
    assert len(MISHAPS) >= 10
    for row in [*ROWS, *MISHAPS]:
        assert named(row[-1]) and all((ROOT / name).exists() for name in named(row[-1])), row


def test_names_operations_and_letters_that_are_there() -> None:
    contract = json.loads((ROOT / "src/rahdari/client/openapi.json").read_text(encoding="utf-8"))
    every = [one for path in contract["paths"].values() for one in path.values()]
    operations = {one["operationId"] for one in every if "operationId" in one}
    assert [name for row in ROWS for name in named(row[3]) if name not in operations | set(LETTERS)] == []
    assert [name for row in MISHAPS for name in named(row[1]) if name not in LETTERS] == []


def test_names_clocks_of_the_bundled_policy() -> None:
    rules = policy.current(None)
    for row in ROWS:
        for name in named(row[2]):
            forum = re.fullmatch(r"(?:forums\.(\w+))?\.(file_within|decides_within)|file_within", name)
            assert forum or name in rules.clocks, name
