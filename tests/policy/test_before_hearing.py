"""A suspension before a hearing is off, and a law officer turns it on in every part or not at all."""

import re
from pathlib import Path

import pytest

from rahdari.policy import SHIPPED, load

from .test_loading import problems_of

ON = (
    ('source = "no provision found: off", enabled = false', 'source = "Sample provision"'),
    (
        'Off by default.", name = "", office = "", on = ""',
        'Off by default.", name = "S", office = "L", on = "2026-11-01"',
    ),
)


def text_with(*changes: tuple[str, str], code: str = "S4", status: str = "confirmed") -> str:
    text = SHIPPED["pakistan"].read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    if not code:
        return text
    before, at, after = text.partition(f"[reasons.{code}]\n")
    after = re.sub(r"decided_by = { (.*) }", r"decided_by = { \1, before_hearing = true }", after, count=1)
    return before + at + re.sub(r'status = "\w+"', f'status = "{status}"', after, count=1)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_is_off_in_every_bundled_policy(name: str) -> None:
    found = load(SHIPPED[name])
    assert found.before_hearing is None
    assert not any(reason.before_hearing for reason in found.reasons.values())


def test_is_turned_on_by_a_signature_a_time_and_a_confirmed_code(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text_with(*ON), encoding="utf-8")
    found = load(file)
    assert found.before_hearing is not None and found.before_hearing.length == 72
    assert [code for code, reason in found.reasons.items() if reason.before_hearing] == ["S4"]


LONGER = ("{ length = 72, unit", "{ length = 73, unit")
OTHER_UNIT = ('{ length = 72, unit = "hours"', '{ length = 72, unit = "working_hours"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (text_with(*ON, LONGER), "72 at most"),
        (text_with(*ON, OTHER_UNIT), "counted in hours"),
        (text_with(ON[0]), "No law officer has signed"),
        (text_with(*ON, code=""), "Say by which codes"),
        (text_with(*ON, status="to_confirm"), "Only a confirmed code"),
        (text_with(*ON, code="S3"), "Only a confirmed code"),
        (text_with(*ON, code="X5"), "Only a confirmed code"),
        (text_with(*ON, code="S5"), "needs report_answer_hearing in the file, which is there only after the hearing"),
        (text_with(), "This is off"),
    ],
)
def test_is_refused_in_part(text: str, words: str) -> None:
    assert [each.message for each in problems_of(text) if words in each.message], problems_of(text)
