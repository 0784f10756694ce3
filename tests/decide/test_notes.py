"""Notes of officers: for colleagues at once, for the holder after the decision, in the database for good."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from rahdari.apply.models import Application
from rahdari.archive.actions import Box
from rahdari.decide import desk, erasing, granting, notes, queries, recusing, transitions
from rahdari.decide.models import Case
from rahdari.decide.note_models import Mention, Note
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests.builders.cases import HOUR, NOW, a_case
from tests.builders.programs import Program

from .test_actions import grantable
from .test_views import page, signed_in

pytestmark = pytest.mark.django_db
WORDS = "Call the bank about the second letter."


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]


def a_note(case: Case, officer: User, *mentioned: User, kept_back: str = "") -> Note:
    facts = {"mentioned": mentioned, "kept_back": kept_back, "now": NOW}
    return notes.write_note(case=case, officer=officer, text=f" {WORDS} ", **facts)


def waiting(officer: User) -> int:
    return desk.desk(officer=officer, filters=desk.Filters(view="mentioned"), now=NOW + HOUR).total


class TestAtTheDesk:
    def test_calls_a_colleague_until_they_open_the_case(self, officer: User, second: User) -> None:
        case = a_case()
        client = signed_in(officer)
        form = client.get(page(case, "note")).text
        assert "Officer B" in form and "Officer A" not in form[form.index("<form") :]
        client.post(page(case, "note"), {"text": WORDS, "mentioned": [str(second.pk)], "kept_back": ""})
        assert (waiting(second), waiting(officer)) == (1, 0)
        there = signed_in(second)
        queue = there.get(reverse("decide:queue"), {"view": "mentioned"}).text
        assert case.application.reference in queue and "You are mentioned <b>1</b>" in queue
        text = there.get(page(case)).text
        assert WORDS in text and "Meant for:" in text and "The holder reads it after the decision" in text
        assert waiting(second) == 0
        assert Mention.objects.get().seen_at == NOW + HOUR

    def test_is_not_seen_by_a_colleague_who_is_not_meant(self, officer: User, second: User, director: User) -> None:
        case = a_case()
        a_note(case, officer, second)
        signed_in(director).get(page(case))
        assert waiting(second) == 1

    def test_needs_words_and_a_ground_of_the_list(self, officer: User, second: User) -> None:
        case = a_case()
        client = signed_in(officer)
        assert client.post(page(case, "note"), {"text": " "}).status_code == 422
        assert client.post(page(case, "note"), {"text": WORDS, "kept_back": "secret"}).status_code == 422
        assert client.post(page(case, "note"), {"text": WORDS, "mentioned": ["x"]}).status_code == 422
        with pytest.raises(ValueError, match="secret"):
            a_note(case, officer, kept_back="secret")
        assert not Note.objects.exists()

    def test_is_meant_for_nobody_without_a_part_in_deciding(self, officer: User, second: User) -> None:
        case = a_case()
        recusing.recuse(case=case, officer=second, why="My cousin.", now=NOW)
        for stranger in (second, officer, case.application.applicant):
            with pytest.raises(notes.NotAColleague):
                a_note(case, officer, stranger)
        with pytest.raises(transitions.Recused):
            a_note(case, second)
        with pytest.raises(transitions.NotAnOfficer):
            a_note(case, case.application.applicant)

    def test_is_on_record_without_its_words(self, officer: User) -> None:
        case = a_case()
        a_note(case, officer, kept_back="check")
        row = JournalEntry.objects.get(act="decide.wrote_note")
        assert (row.subject, row.detail["kept_back"]) == (case.application.subject, "check")
        assert WORDS not in str(row.detail)


class TestTheHolder:
    def status(self, case: Case) -> str:
        client = Client()
        client.force_login(case.application.applicant)
        return client.get(reverse("portal:status", args=[case.application.reference])).text

    def test_reads_it_after_the_decision(self, officer: User) -> None:
        case = grantable(a_case(), officer)
        a_note(case, officer)
        Note.objects.create(case=case, author=officer, text="Sample Person told us.", kept_back="other_person", at=NOW)
        assert WORDS not in self.status(case)
        granting.grant(case=case, officer=officer, now=NOW)
        text = self.status(case)
        assert WORDS in text
        assert "Sample Person told us." not in text and "It names another person" in text
        assert "Officer A" not in text[text.index('id="notes"') :]

    def test_has_the_same_by_program(self, officer: User) -> None:
        case = grantable(a_case(), officer)
        a_note(case, officer, kept_back="check")
        program = Program(case.application.applicant)
        at = f"/applications/{case.application.reference}/notes"
        assert program.get(at).json() == {"notes": []}
        granting.grant(case=case, officer=officer, now=NOW)
        assert [(each["text"], each["kept_back"]) for each in program.get(at).json()["notes"]] == [("", "check")]


class TestTheDatabase:
    def refuses(self, sql: str, *given: object) -> None:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, given)

    def test_keeps_notes_and_mentions(self, officer: User, second: User) -> None:
        case = a_case()
        note = a_note(case, officer, second)
        self.refuses("UPDATE decide_note SET text = ''::bytea")
        self.refuses("UPDATE decide_note SET kept_back = 'check'")
        self.refuses("DELETE FROM decide_mention")
        self.refuses("UPDATE decide_mention SET officer_id = %s", officer.pk)
        notes.mark_seen(found=list(Mention.objects.all()), now=NOW)
        self.refuses("UPDATE decide_mention SET seen_at = NULL")
        self.refuses("DELETE FROM decide_note")
        with pytest.raises(DatabaseError), transaction.atomic():
            Note.objects.create(case=case, author=officer, kept_back="secret", at=NOW)
        recusing.recuse(case=case, officer=second, why="My cousin.", now=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Note.objects.create(case=case, author=second, text="x", at=NOW)
        other = Note.objects.create(case=case, author=officer, text="x", at=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Mention.objects.create(note=other, officer=second)
        assert queries.cases().get(pk=case.pk).notes.count() == 2
        assert Note.objects.get(pk=note.pk).text == WORDS

    def test_lets_the_words_go_with_the_file(self, officer: User) -> None:
        case = a_case()
        a_note(case, officer)
        Application.objects.filter(pk=case.application_id).update(erased_at=NOW)
        erasing.erase_words(application=case.application, box=Box("case", now=NOW))
        assert Note.objects.get().text == ""
