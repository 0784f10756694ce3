"""What a slip in an association's list does."""

import datetime as dt

import pytest

from rahdari.attest import rules
from rahdari.attest.rules import Bounds, RowTrouble

TODAY = dt.date(2026, 11, 16)
BOUNDS = Bounds(TODAY, TODAY + dt.timedelta(days=400))


@pytest.mark.parametrize(("number", "wrong"), [
    ("SAMPLE-O031", True), ("SAMPLE-0O31", True), ("M-O0024", True), ("S-1l3", True),
    ("SAMPLE-0031", False), ("OIL-0031", False), ("PASHA 12", False), ("TO-7", False),
])  # fmt: skip
def test_a_letter_for_a_figure_brings_nobody_elses_row_up_to_date(number: str, wrong: bool) -> None:
    read = rules.read_member(
        number=number,
        name="Sample Member",
        identifier="member@client.example",
        valid_from="",
        valid_until="2027-06-30",
        bounds=BOUNDS,
    )
    assert (read is RowTrouble.LETTER_FOR_FIGURE) == wrong
    assert wrong or isinstance(read, rules.Member)
