"""The journal only grows, and an act that is rolled back leaves no record."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from rahdari.journal import actions, queries
from rahdari.journal.models import JournalEntry

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)


def recorded(subject: str = "application:1", act: str = "apply.submitted") -> JournalEntry:
    actions.record(act=act, actor="person:1", subject=subject, now=NOW, reason="as asked", detail={"endpoints": 2})
    return JournalEntry.objects.order_by("-id")[0]


class TestRecord:
    def test_keeps_who_did_what_when_and_why(self) -> None:
        row = recorded()
        assert (row.act, row.actor, row.subject, row.at) == ("apply.submitted", "person:1", "application:1", NOW)
        assert (row.reason, row.detail) == ("as asked", {"endpoints": 2})

    def test_no_row_can_be_changed(self) -> None:
        row = recorded()
        with connection.cursor() as cursor:  # switched off for the clean-up between tests, see tests/conftest.py
            cursor.execute("ALTER TABLE journal_journalentry ENABLE TRIGGER journal_is_never_emptied")
        for attempt in (
            lambda: JournalEntry.objects.filter(pk=row.pk).update(actor="person:2"),
            lambda: row.delete(),
            lambda: connection.cursor().execute("TRUNCATE journal_journalentry"),
        ):
            with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
                attempt()
        assert list(queries.about("application:1").values_list("actor", flat=True)) == ["person:1"]

    def test_an_act_that_is_rolled_back_leaves_no_record(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            recorded("application:9")
            raise ZeroDivisionError
        assert not queries.about("application:9").exists()

    @pytest.mark.parametrize("value", ["203.0.113.24/32", "2001:db8::/32", "someone@sample.example", ["203.0.113.9"]])
    def test_takes_no_address(self, value: object) -> None:
        with pytest.raises(actions.NotForTheJournal):
            actions.record(
                act="control.proved", actor="person:1", subject="endpoint:1", now=NOW, detail={"at": [value]}
            )
        assert not JournalEntry.objects.exists()


class TestReads:
    def test_reads_are_told_from_acts_newest_first(self) -> None:
        recorded("application:1", "decide.took_case")
        first = recorded("application:1", "decide.read_case")
        second = recorded("application:2", "apply.read_document")
        recorded("application:3", "decide.read_case")
        assert list(queries.reads_of(["application:1", "application:2"])) == [second, first]
