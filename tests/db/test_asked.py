"""Queries whose text is made once: they find what Django's find, and what depends on more is asked as Django has it."""

import datetime as dt
import logging
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from rahdari.applicant import access_log
from rahdari.apply.models import Application, Endpoint
from rahdari.db.asked import MOST, Asked
from rahdari.db.postgres.compiler import SQLCompiler
from rahdari.journal.models import JournalEntry
from tests.builders.drafts import a_draft, with_address

pytestmark = pytest.mark.django_db

LONG_AGO, LATER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class TestAsked:
    def test_finds_the_rows_of_the_values_given(self) -> None:
        drafts = [a_draft(), a_draft()]
        asked = Asked(lambda pk, before: Application.objects.filter(pk=pk, created_at__lt=before))
        for draft in (*drafts, drafts[0]):
            assert asked(draft.pk, LATER) == [draft]
        assert asked(drafts[0].pk, LONG_AGO) == [] == asked(uuid.uuid4(), LATER)

    def test_finds_those_of_a_list_of_any_length(self) -> None:
        drafts = [a_draft() for _ in range(3)]
        asked = Asked(lambda keys: Application.objects.filter(pk__in=keys).order_by("created_at", "id"))
        for number in (1, 3, 0, 2):
            assert set(asked([each.pk for each in drafts[:number]])) == set(drafts[:number])
        assert asked([drafts[0].pk] * 2) == [drafts[0]]

    def test_keeps_no_text_of_long_lists(self) -> None:
        draft, more = a_draft(), [uuid.uuid4() for _ in range(MOST)]
        asked = Asked(lambda keys: Application.objects.filter(pk__in=keys))
        assert asked([draft.pk, *more]) == [draft]
        assert asked._known == {}

    def test_a_value_may_stand_within_a_text_or_as_a_uuid(self) -> None:
        draft = a_draft()
        endpoint = with_address(draft)

        def named(keys: list[str]) -> QuerySet[Any]:
            own = Endpoint.objects.filter(application__in=[uuid.UUID(key) for key in keys])
            texts = own.values_list(Concat(Value("endpoint:"), Cast("pk", CharField())), flat=True)
            acts = JournalEntry.objects.filter(subject__in=[f"application:{key}" for key in keys])
            return texts.union(acts.order_by().values_list("subject", flat=True)).order_by()

        asked: Asked[Any] = Asked(named)
        assert asked([str(a_draft().pk)]) != [f"endpoint:{endpoint.pk}", draft.subject]
        assert sorted(asked([str(draft.pk)])) == [draft.subject, f"endpoint:{endpoint.pk}"]

    def test_related_rows_and_those_read_beforehand_come_along(self) -> None:
        draft = a_draft()
        endpoint = with_address(draft)
        asked = Asked(
            lambda key: Application.objects.filter(pk=key).select_related("applicant").prefetch_related("endpoints")
        )
        asked(a_draft().pk)
        with CaptureQueriesContext(connection) as queries:
            [found] = asked(draft.pk)
            assert (found.applicant, list(found.endpoints.all())) == (draft.applicant, [endpoint])
        assert len(queries) == 2

    def test_django_makes_the_text_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = []
        asked = Asked(lambda key: made.append(key) or Application.objects.filter(pk=key))  # type: ignore[func-returns-value]
        for _ in range(4):
            asked(a_draft().pk)
        # With values of its own, and with those that were given.
        assert len(made) == 2

    def test_what_depends_on_its_values_is_told_and_asked_as_django_has_it(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        draft = a_draft()
        asked = Asked(
            lambda name: Application.objects.filter(**({"reference": name} if name[0] == "A" else {"service": name}))
        )
        with pytest.raises(AssertionError):
            asked(draft.reference)
        monkeypatch.setattr(SQLCompiler, "strict", False)
        caplog.clear()
        with caplog.at_level(logging.ERROR, "rahdari.db"):
            assert asked(draft.reference) == [draft] == asked(draft.reference)
        assert len(caplog.records) == 1

    def test_one_is_the_row_or_an_error(self) -> None:
        draft = a_draft()
        asked = Asked(lambda key: Application.objects.filter(pk=key))
        assert asked.one(draft.pk) == draft
        with pytest.raises(Application.DoesNotExist):
            asked.one(uuid.uuid4())

    def test_takes_no_value_that_it_could_not_find_again(self) -> None:
        asked: Asked[Any] = Asked(lambda number: Endpoint.objects.filter(position=number))
        with pytest.raises(TypeError):
            asked(1)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_outside_a_transaction() -> None:
    draft = a_draft()
    asked = Asked(lambda key: Application.objects.select_for_update().filter(pk=key))
    with transaction.atomic():
        assert asked(draft.pk) == [draft]
    with pytest.raises(TransactionManagementError):
        asked(draft.pk)


def test_what_a_look_stands_under_is_asked_in_the_order_given() -> None:
    for _ in range(8):  # in a set the order of several values is another nearly each time
        Asked(access_log._asked_around)([str(uuid.uuid4()) for _ in range(4)])
