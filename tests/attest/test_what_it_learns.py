"""What an association learns of those who did not name it, and what a slip in its list does."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.attest import rules
from rahdari.attest.models import Use
from rahdari.attest.rules import Bounds, Identifier, RowTrouble
from tests.portal import story

from .sample import a_secretary, an_attestation

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


@pytest.mark.django_db
def test_that_an_application_rests_on_its_word_is_nothing_it_sees(time_machine: Any) -> None:
    """It may not have been named: numbers of companies are looked up for everybody."""
    time_machine.move_to(timezone.now(), tick=False)
    applicant = story.a_person()
    found = an_attestation(identifier=Identifier("email", applicant.email), name=applicant.name)
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(a_secretary())
    addresses = [
        reverse("attest:members"),
        reverse("attest:attestation", args=[found.number]),
        reverse("attest:revoke", args=[found.number]),
        reverse("attest:own_list"),
    ]

    def seen() -> list[str]:
        return [re.sub(r'value="[^"]{64}"', "", desk.get(each).text) for each in addresses]

    before = seen()
    application = story.a_granted_application(applicant)
    facts = {"holder": application.holder_ref, "person": f"person:{applicant.pk}", "weight": "alone"}
    Use.objects.create(attestation=found, subject=application.subject, at=found.made_at, **facts)
    assert seen() == before
