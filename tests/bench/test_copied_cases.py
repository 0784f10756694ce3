"""Files to measure the desk on are copied by SQL: each copy is one that the product's own acts could have made."""

import datetime as dt
import random

import pytest
from django.conf import settings
from django.utils import timezone

from bench import copied_cases
from rahdari.checks.models import Check
from rahdari.decide import assignment, calendar_changes, desk, queries, questions, queue_columns
from rahdari.decide.models import Case
from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.vault import keys
from tests.builders import cases

pytestmark = pytest.mark.django_db
COPIES = 3


def test_a_copy_is_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_cases, "MOMENTS", COPIES)
    keys.make_missing(settings.DATA / "keys")
    at = timezone.now() - dt.timedelta(hours=2)
    officer, other = cases.an_officer("Officer A"), cases.an_officer("Officer B")
    taken = assignment.take_case(case=cases.a_case(now=at), officer=officer, now=at)
    asked = questions.ask_question(case=taken, officer=officer, code="Q4", text="Which client?", now=at).case
    kinds = Check.objects.all(), Letter.objects.all(), JournalEntry.objects.filter(act__startswith="decide.")
    whole = [each.count() for each in kinds]
    model = copied_cases.Model(queries.cases().get(pk=asked.pk), 1, [officer, other])
    copied_cases.copy([model], count=COPIES, start=70, luck=random.Random(1))

    assert [each.count() for each in kinds] == [number * (COPIES + 1) for number in whole]
    copies = list(queries.cases().exclude(pk=asked.pk))
    assert {case.application.name for case in copies} == {copied_cases.name_of(70 + n) for n in range(COPIES)}
    assert all(queries.open_question(case).text == "Which client?" for case in copies)
    assert {case.assigned_to for case in copies} == {officer, other}
    assert len({endpoint.block for case in copies for endpoint in case.application.endpoints.all()}) == COPIES
    # What the queue keeps is what it would keep.
    assert not calendar_changes.stale().exists()
    for case in copies:
        before = {name: getattr(case, name) for name in queue_columns.FIELDS}
        queue_columns.keep(case)
        kept = Case.objects.get(pk=case.pk)
        assert {name: getattr(kept, name) for name in queue_columns.FIELDS} == before
    shown = desk.desk(officer=officer, filters=desk.Filters(view="applicant", q="person 71"), now=timezone.now())
    assert [row.holder for row in shown.rows] == [copied_cases.name_of(71)]
    assert Case.objects.get(application__reference=shown.rows[0].reference).started_at < at


def test_a_copy_that_nobody_reads_has_the_same_rows() -> None:
    keys.make_missing(settings.DATA / "keys")
    at = timezone.now() - dt.timedelta(hours=2)
    case = assignment.take_case(case=cases.a_case(now=at), officer=cases.an_officer("Officer A"), now=at)
    kinds = Case.objects.all(), Check.objects.all(), Letter.objects.all(), JournalEntry.objects.exclude(subject="")
    whole = [each.filter(pk__in=[row.pk for row in copied_cases.rows_of(case)]).count() for each in kinds]
    others = [each.count() - number for each, number in zip(kinds, whole, strict=True)]
    model = copied_cases.Model(queries.cases().get(pk=case.pk), 1)
    copied_cases.copy([model, model], count=1, start=70, luck=random.Random(1), readable=False)
    assert [each.count() for each in kinds] == [2 * one + other for one, other in zip(whole, others, strict=True)]
