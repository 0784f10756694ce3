"""CONTRIBUTING.md says of every file what `./test` leaves out of it."""

import re
from pathlib import Path

from tests import dear

from .named_tests import TESTS

SECTION = "### What `./test` leaves out\n"
# What leaves tests or steps out; `fewer` only tries the same on fewer examples.
TRACE = re.compile(r"pytest\.mark\.whole\b|\bENGLISH_FIRST\b|\brarely\(|\beverything_is_needed\(\)|\ba_third\(")


def test_every_file_with_something_left_out_is_listed_and_no_other() -> None:
    text = (TESTS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = text.partition(SECTION)[2].partition("\n## ")[0].splitlines()
    listed = {name for row in rows if row.startswith("| `") for name in re.findall(r"`(\S+\.py)`", row.split("|")[1])}
    ours = {Path(__file__), TESTS / "needs.py", TESTS / "conftest.py"}
    found = {path for path in TESTS.rglob("*.py") if path not in ours and TRACE.search(path.read_text("utf-8"))}
    assert listed == {str(path.relative_to(TESTS)) for path in found}


def test_what_is_left_out_for_what_it_costs_is_there_and_what_always_runs_is_not_among_it() -> None:
    left_out = dear.listed()
    assert left_out and not left_out & dear.ALWAYS
    assert [name for name in left_out | dear.ALWAYS if not (TESTS / name).is_file()] == []
