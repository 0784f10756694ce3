"""Many queues are asked at once whether anything waits. The question is kept, and says at each time what they say."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from rahdari.db import queues
from rahdari.db.gate import AS_USUAL, KEPT, PLANNED_ONCE, Batch, Gate, Jobs
from rahdari.vouch.models import MailOptOut

NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ROWS = MailOptOut.objects.order_by("at", "address_index")


@dataclass(eq=False)
class Waiting:
    """A queue that counts how often its query was made."""

    finds: Callable[[dt.datetime], QuerySet[Any]]
    made: list[dt.datetime] = field(default_factory=list)

    def found(self, now: dt.datetime) -> QuerySet[Any]:
        self.made.append(now)
        return self.finds(now)


def gate(*finds: Callable[[dt.datetime], QuerySet[Any]], under: Callable[[], object] = str) -> Gate[Waiting]:
    return Gate([Waiting(each) for each in finds], under=under)


def places(asked: Gate[Waiting], now: dt.datetime) -> list[int]:
    waiting: Collection[Waiting] = asked.ask(now)
    return [place for place, queue in enumerate(asked.queues) if queue in waiting]


def questions(asked: CaptureQueriesContext) -> list[str]:
    """But for what says how to plan them."""
    return [each["sql"] for each in asked if "set_config" not in each["sql"]]


def a_row(name: str = "sample", at: dt.datetime = NOW) -> None:
    MailOptOut.objects.create(address_index=name, at=at)


@pytest.mark.django_db
class TestGate:
    def test_asks_all_at_once(self) -> None:
        a_row("100% it's")
        asked = gate(
            lambda _now: ROWS.filter(address_index="another"),
            lambda _now: ROWS.filter(address_index__startswith="100% it's"),
            lambda _now: ROWS.none(),
            lambda _now: ROWS,
        )
        assert places(asked, NOW) == [1, 3]
        with CaptureQueriesContext(connection) as queries:
            assert places(asked, NOW + SECOND) == [1, 3]
        assert len(questions(queries)) == 1

    def test_starts_no_process_for_a_question_and_leaves_the_connection_as_it_was(self) -> None:
        with connection.cursor() as cursor:
            # Wherever it may, PostgreSQL then has another process read.
            cursor.execute("SET LOCAL debug_parallel_query = 'on'")

            def plan() -> str:
                cursor.execute(f"EXPLAIN {ROWS.query}")
                return "".join(line for (line,) in cursor.fetchall())

            as_it_was = plan()
            cursor.execute(PLANNED_ONCE)
            while_asked = plan()
            cursor.execute(AS_USUAL)
            assert ("Gather" in as_it_was, "Gather" in while_asked) == (True, False)
            assert plan() == as_it_was

    def test_keeps_the_question_of_which_the_time_alone_is_another(self) -> None:
        a_row(at=NOW + 30 * SECOND)
        hour = dt.timedelta(hours=1, microseconds=1)
        asked = gate(lambda now: ROWS.filter(at__lte=now), lambda now: ROWS.filter(at__lt=now - hour + hour))
        times = {29: [], 30: [0], 31: [0, 1], 0: []}
        assert {after: places(asked, NOW + after * SECOND) for after in times} == times
        later = (NOW + 31 * SECOND).astimezone(ZoneInfo("Asia/Karachi"))
        assert places(asked, later) == [0, 1]
        assert asked.queues[0].made == [NOW + 29 * SECOND]

    @pytest.mark.parametrize("later", [KEPT, -KEPT])
    def test_makes_the_question_anew_each_minute(self, later: dt.timedelta) -> None:
        names = {NOW.isoformat(): "before", (NOW + later).isoformat(): "after"}
        asked = gate(lambda now: ROWS.filter(address_index=names[now.isoformat()]))
        a_row("after")
        assert [places(asked, now) for now in (NOW, NOW + later)] == [[], [0]]

    def test_makes_the_question_anew_at_once_under_other_rules(self) -> None:
        rules = ["before"]
        asked = gate(lambda _now: ROWS.filter(address_index=rules[0]), under=lambda: rules[0])
        a_row("after")
        assert places(asked, NOW) == []
        rules[0] = "after"
        assert places(asked, NOW + SECOND) == [0]
        rules[0] = "before"
        assert places(asked, NOW + SECOND) == []


@pytest.mark.django_db
class TestJobs:
    @pytest.fixture(autouse=True)
    def some(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queues, "_troubled", None)
        self.done: list[str] = []
        finds = Batch(lambda now: ROWS.filter(at__lte=now), self.does("finds"))
        self.jobs = Jobs(
            "test", finds, Batch(lambda _now: ROWS.none(), self.does("none")), each_minute=[self.does("by")]
        )
        self.jobs(NOW)

    def does(self, name: str) -> Callable[..., int]:
        def do(*, now: dt.datetime) -> int:
            self.done.append(name)
            return 1

        return do

    def done_at(self, now: dt.datetime) -> list[str]:
        self.done.clear()
        self.jobs(now)
        return self.done

    def test_does_all_at_first_and_once_a_minute(self) -> None:
        assert self.done == ["finds", "none", "by"]
        assert self.done_at(NOW + KEPT - SECOND) == []
        assert self.done_at(NOW + KEPT) == ["finds", "none", "by"]

    def test_does_what_something_waits_for_and_asks_one_query(self) -> None:
        a_row(at=NOW + 5 * SECOND)
        assert self.done_at(NOW + SECOND) == []
        with CaptureQueriesContext(connection) as asked:
            assert self.done_at(NOW + 2 * SECOND) == []
        assert len(questions(asked)) == 1
        assert self.done_at(NOW + 5 * SECOND) == ["finds"]

    def test_does_all_where_it_cannot_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(_gate: Gate[Batch], _now: dt.datetime) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Gate, "ask", broken)
        assert self.done_at(NOW + SECOND) == ["finds", "none"]
        assert [str(each) for each in queues.failing()] == ["test what waits"]


@pytest.mark.django_db(transaction=True)
def test_asks_on_a_new_connection_as_on_the_one_before() -> None:
    asked = gate(lambda now: ROWS.filter(at__lte=now))
    assert places(asked, NOW) == []
    connection.close()
    a_row()
    assert places(asked, NOW) == [0]
    assert len(asked.queues[0].made) == 1


@pytest.mark.django_db(transaction=True)
def test_asks_after_a_transaction_that_was_taken_back() -> None:
    """With which all that was prepared on the connection is forgotten."""
    asked = gate(lambda now: ROWS.filter(at__lte=now))
    for _ in range(4):
        assert places(asked, NOW) == []
    with transaction.atomic():
        a_row()
        transaction.set_rollback(True)
    assert places(asked, NOW) == []
    a_row()
    assert places(asked, NOW) == [0]
