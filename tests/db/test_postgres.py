"""The engine: kept texts of queries are what Django makes; statements are prepared, and a migration does no harm."""

import datetime as dt
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, ProgrammingError, connection, transaction
from django.db.backends.postgresql.compiler import SQLCompiler as DjangosCompiler
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from psycopg._preparing import PrepareManager

from rahdari.apply.models import Application, Endpoint
from rahdari.db.postgres import compiler
from rahdari.db.postgres.compiler import SQLCompiler
from rahdari.journal.models import JournalEntry
from rahdari.vouch.models import MailOptOut
from tests import prepared

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)

KEPT: dict[str, Callable[[Any], Any]] = {
    "by a value": lambda x: Application.objects.filter(reference=x),
    "by two": lambda x: Application.objects.filter(Q(reference=x) | ~Q(service=x), registration__isnull=True),
    "in a list": lambda x: Endpoint.objects.filter(position__in=range(len(x))),
    "in JSON": lambda x: JournalEntry.objects.filter(detail__contains={"of": x}, act=x).order_by("-id"),
    "all": lambda x: Endpoint.objects.all(),
    "related rows": lambda x: Application.objects.select_related("applicant", "organisation").filter(reference=x),
    "along a relation": lambda x: Endpoint.objects.filter(application__applicant__email=x),
    "by another table": lambda x: Application.objects.filter(
        Exists(Endpoint.objects.filter(application=OuterRef("pk"), kind=x))
    ),
    "in an order": lambda x: Endpoint.objects.filter(kind=x).order_by("-added_at", F("id").desc(nulls_last=True)),
    "a part": lambda x: Application.objects.filter(reference=x)[5:10],
    "some columns": lambda x: Application.objects.filter(reference=x).only("pk", "status"),
    "values": lambda x: Endpoint.objects.filter(operator_name=x).values_list("pk", "application__reference"),
    "distinct": lambda x: Endpoint.objects.filter(operator_name=x).values_list("application", flat=True).distinct(),
    "locked": lambda x: Application.objects.filter(reference=x).select_for_update(skip_locked=True, of=("self",)),
}
NOT_KEPT: dict[str, Callable[[Any], Any]] = {
    "grouped": lambda x: Endpoint.objects.filter(operator_name=x).values("application").annotate(count=Count("pk")),
    "annotated": lambda x: Application.objects.filter(reference=x).annotate(low=Lower("reference")),
    "by an expression": lambda x: Application.objects.filter(reference=x).order_by(Lower("reference")),
    "a union": lambda x: Application.objects.filter(reference=x).union(Application.objects.filter(service=x)),
}


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    monkeypatch.setattr(compiler, "_kept", kept)
    monkeypatch.setattr(SQLCompiler, "compared", 1)
    return kept


def text(made: type, queryset: Any) -> Any:
    return made(queryset.query.clone(), connection, "default").as_sql()


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_text_is_what_django_makes(name: str, nothing_is_kept: dict[Any, Any]) -> None:
    """Of other values than those with which it was kept."""
    for value in ("x", "yy", "zz"):
        kept, made = text(SQLCompiler, KEPT[name](value)), text(DjangosCompiler, KEPT[name](value))
        assert kept[0] == made[0]
        assert list(map(str, kept[1])) == list(map(str, made[1]))
    assert [kept.compared for kept in nothing_is_kept.values()] == [1]


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_has_a_shape_of_its_own_kind_is_left_to_django(name: str, nothing_is_kept: dict[Any, Any]) -> None:
    assert text(SQLCompiler, NOT_KEPT[name]("x")) == text(DjangosCompiler, NOT_KEPT[name]("x"))
    assert not nothing_is_kept


def test_no_two_shapes_are_the_same() -> None:
    texts = [text(SQLCompiler, queries(value))[0] for queries in KEPT.values() for value in ("x", "yy")]
    assert texts == [text(DjangosCompiler, queries(value))[0] for queries in KEPT.values() for value in ("x", "yy")]
    # `exists` and `count` have texts of their own, and so has a part of a list.
    more = [KEPT["all"]("").query.exists(), KEPT["all"]("")[:3].query]
    assert [SQLCompiler(query.clone(), connection, "default").as_sql() for query in more] == [
        DjangosCompiler(query.clone(), connection, "default").as_sql() for query in more
    ]


def test_rows_come_as_they_are(nothing_is_kept: dict[Any, Any]) -> None:
    for _ in range(3):
        assert Endpoint.objects.count() == 0
        assert not Endpoint.objects.exists()
        assert list(Application.objects.select_related("applicant").filter(reference="x")) == []
    assert len(nothing_is_kept) == 3


def test_nothing_found_is_asked_of_nobody() -> None:
    for _ in range(2):
        assert list(Endpoint.objects.filter(pk__in=[])) == []


def test_a_text_that_differs_serves_no_more(
    nothing_is_kept: dict[Any, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault that is guarded against: two queries of one shape whose texts differ."""
    monkeypatch.setattr(SQLCompiler, "strict", False)
    query = KEPT["by a value"]
    text(SQLCompiler, query("x"))
    (shape,) = nothing_is_kept
    nothing_is_kept[shape] = replace(nothing_is_kept[shape], after=" LIMIT 1")
    with caplog.at_level(logging.ERROR, logger="rahdari.db"):
        assert text(SQLCompiler, query("x")) == text(DjangosCompiler, query("x"))
    assert "LIMIT 1" in caplog.text
    assert text(SQLCompiler, query("y")) == text(DjangosCompiler, query("y"))


def test_so_many_are_kept(nothing_is_kept: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "AT_MOST", 2)
    for at in range(5):
        text(SQLCompiler, Endpoint.objects.all()[at : at + 1])
    assert len(nothing_is_kept) <= 2


@pytest.mark.django_db(transaction=True)
def test_a_row_is_locked_in_a_transaction_alone() -> None:
    for _ in range(2):
        with transaction.atomic():
            assert KEPT["locked"]("x").first() is None
    with pytest.raises(TransactionManagementError):
        KEPT["locked"]("x").first()


def test_what_is_asked_often_is_prepared() -> None:
    for _ in range(4):
        Application.objects.filter(reference="x").values(often=F("pk")).first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS \"often\"%'")
        assert cursor.fetchone() == (1,)


def test_no_plan_is_compiled_unless_the_address_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for options, compiled in (None, "off"), ("-c jit=on", "on"):
        other = connection.copy("default")
        monkeypatch.setitem(other.settings_dict["OPTIONS"], "options", options or "")
        with other.cursor() as cursor:
            cursor.execute("SHOW jit")
            assert cursor.fetchone() == (compiled,)
        other.close()


@pytest.fixture
def a_table_that_changes() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE a_table_that_changes (what smallint)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE a_table_that_changes")


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT what FROM a_table_that_changes")


def migrate(a: str) -> None:
    """By another connection, as a migration is."""
    other = connection.copy("default")
    with other.cursor() as cursor:
        cursor.execute(f"ALTER TABLE a_table_that_changes ALTER what TYPE {a}")
    other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("a_table_that_changes")
def test_a_migration_invalidates_what_was_prepared_and_nobody_sees_it() -> None:
    for _ in range(4):
        ask()
    migrate("bigint")
    ask()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("a_table_that_changes")
def test_inside_a_transaction_it_costs_that_transaction_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PrepareManager, "clear", prepared.forget)
    for _ in range(4):
        ask()
    migrate("bigint")
    with pytest.raises(DatabaseError, match="cached plan"), transaction.atomic():
        ask()
    with transaction.atomic():
        ask()


@pytest.mark.django_db(transaction=True)
class TestSavepoints:
    def row(self, name: str) -> None:
        MailOptOut.objects.create(address_index=name, at=NOW)

    def left(self) -> list[str]:
        return sorted(MailOptOut.objects.values_list("address_index", flat=True))

    def test_undo_what_failed_within_an_act_and_nothing_else(self) -> None:
        with transaction.atomic():
            with transaction.atomic():
                self.row("a")
            self.row("b")
            for name in ("c", "d"):
                with suppress(ZeroDivisionError), transaction.atomic():
                    self.row(name)
                    with transaction.atomic():
                        self.row(f"{name} within")
                    if name == "c":
                        raise ZeroDivisionError
            with suppress(IntegrityError), transaction.atomic():
                self.row("e")
                self.row("a")
            self.row("f")
        assert self.left() == ["a", "b", "d", "d within", "f"]

    def test_that_lay_within_what_was_undone_are_not_released(self) -> None:
        with transaction.atomic():
            before = transaction.savepoint_create()
            with transaction.atomic():
                self.row("a")
            transaction.savepoint_rollback(before)
            with transaction.atomic():
                self.row("b")
        assert self.left() == ["b"]

    def test_are_of_no_account_when_the_whole_act_fails(self) -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            with transaction.atomic():
                self.row("a")
            raise ZeroDivisionError
        with transaction.atomic(), transaction.atomic():
            self.row("b")
        assert self.left() == ["b"]

    def test_do_not_hide_that_a_statement_failed_within_one(self) -> None:
        with transaction.atomic():
            self.row("a")
            with pytest.raises(InternalError), transaction.atomic():
                self.row("b")
                with suppress(ProgrammingError), connection.cursor() as cursor:
                    cursor.execute("SELECT nothing_of_this_name")
        assert self.left() == ["a"]

    def test_are_released_with_the_next_one_or_by_the_end(self) -> None:
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            for name in ("a", "b"):
                with transaction.atomic(), transaction.atomic():
                    self.row(name)
        assert [each["sql"].split()[0] for each in asked] == [
            *("BEGIN", "SAVEPOINT", "SAVEPOINT", "INSERT"),
            *("RELEASE", "SAVEPOINT", "SAVEPOINT", "INSERT", "COMMIT"),
        ]
