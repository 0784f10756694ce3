"""A report against a registration is about one of four acts, and nothing that flows over a line is asked of anybody."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from rahdari.complaint.forms import AnswerForm, CorrectionForm, DecisionForm, MisuseForm
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import KINDS, Kind, Outcome

# Written out once more: whoever adds one changes this test, and says why in a decision.
ACTS = {"sold_on", "false_statement", "not_the_holder", "court_finding"}
OF_A_CORRECTION = {"address", "name", "card", "company", "entry"}
FIELDS = {
    "key", "seen", "number", "about", "words", "public_body", "body_reference", "email", "with_files",
    "name", "card_number", "company_number", "answer", "outcome", "why", "code", "evidence",
}  # fmt: skip
COLUMNS = {
    "id", "reference", "receipt", "kind", "about", "target", "words", "email", "is_anonymous", "language", "sender",
    "public_body",
    "body_reference", "sent_at", "received_at", "looked_up_at", "part_of", "registration", "case", "answer_due_at",
    "due_at", "answer", "answered_at", "lapsed_at", "decided_at", "decided_by", "outcome", "why", "notice",
    "overdue_at", "told_at", "erased_at", "files_until", "copy_of", "contested_at",
    "taken_back_at",
}  # fmt: skip
ROOM = Path(apps.get_app_config("complaint").path)


def forms() -> list[Any]:
    return [
        MisuseForm(),
        CorrectionForm(here=None),
        AnswerForm(),
        DecisionForm(outcomes=list(Outcome), codes=[]),
    ]


class TestAReport:
    def test_is_about_one_of_four_acts(self) -> None:
        assert {str(each) for each in KINDS[Kind.MISUSE].about} == ACTS
        assert {str(each) for each in KINDS[Kind.CORRECTION].about} == OF_A_CORRECTION
        assert set(KINDS) == {Kind.MISUSE, Kind.CORRECTION}

    def test_has_no_other_field_and_no_other_column(self) -> None:
        assert {name for form in forms() for name in form.fields} == FIELDS
        assert {field.name for field in Complaint._meta.concrete_fields} == COLUMNS

    @pytest.mark.django_db
    def test_says_on_its_page_what_nobody_reports(self, client: Client) -> None:
        page = client.get(reverse("complaint:misuse")).content.decode()
        assert "about nothing else" in page and "We look at no traffic" in page
        assert len(re.findall(r'type="radio" name="about"', page)) == len(ACTS)

    @pytest.mark.django_db
    def test_of_another_act_is_not_taken(self, client: Client) -> None:
        given = {"number": "RD-4F7K-92MQ", "about": "visited", "words": "They read something."}
        answer = client.post(reverse("complaint:misuse"), given)
        assert answer.status_code == 422 and not Complaint.objects.exists()


def test_the_room_asks_no_operator_and_looks_at_no_line() -> None:
    reached = re.compile(r"rahdari\.(confirm|inquiry|probe|vantage|control|lookup|publish|feed|mobile|vouch)\b")
    sources = [path.read_text(encoding="utf-8") for path in ROOM.rglob("*.py")]
    assert len(sources) > 10 and not [text for text in sources if reached.search(text)]
