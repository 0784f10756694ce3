"""A round costs a batch of what waits, and not all that waits or was ever registered.

Queues that wait for somebody are filled with copies of what acts made. Of each there are forty batches: few enough to
be made in seconds, and whatever reads a whole queue stands out as it would among thousands.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rahdari import workflow
from rahdari.attest.models import AttestationUse
from rahdari.attest.models import MembershipInquiry as AskedOfAssociation
from rahdari.checks import checking
from rahdari.db import queues
from rahdari.decide import due
from rahdari.decide.models import Case, Decision
from rahdari.fees.models import Invoice
from rahdari.register.models import Registration
from rahdari.share.models import SharingRequest as AskedToShare
from rahdari.vouch.models import ReferenceRequest as AskedOfClient
from rahdari.workflow.step import Step
from tests.builders.cases import NOW, a_person, an_application

from .waiting import fill

pytestmark = pytest.mark.django_db
# Which proofs that were asked for again have come: their challenges are found by an index, for the few that are open,
# but for so few the planner would rather read them once.
ALLOWED = ("control_challenge", 'SELECT "control_reproof"')
# What rests no longer than this is run as good as always.
SHORT = dt.timedelta(minutes=1)
READ = re.compile(r"^\s*(SELECT|WITH)\b", re.IGNORECASE)
WHOLE = re.compile(r"Seq Scan on (\w+)")


def test_no_step_reads_a_whole_table() -> None:
    an_application()
    workflow.advance(now=NOW)
    with CaptureQueriesContext(connection) as asked:
        # Each by itself: a round leaves out those in which nothing waits.
        for step in workflow.STEPS:
            if (step.rests or SHORT) <= SHORT:
                step.run(now=NOW + dt.timedelta(days=1))
    read = {each["sql"] for each in asked.captured_queries if READ.match(each["sql"])}
    found = set()
    with connection.cursor() as cursor:
        # The tables are nearly empty, and reading one whole would be right: it is done only where nothing else can be.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in sorted(read):
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            found |= {(table, sql) for table in WHOLE.findall(plan) if (table, sql[: len(ALLOWED[1])]) != ALLOWED}
    assert read and not found, "\n\n".join(f"{table}: {sql}" for table, sql in sorted(found))


def test_grants_that_stand_for_now_cost_a_round_nothing() -> None:
    """Each has a check of documents that waits for something stronger, which nobody but its holder can bring."""
    costs = []
    for _ in range(3):
        an_application(applicant=a_person(), evidence="work_profile")
        rounds = workflow.Rounds()
        for seconds in range(3):
            workflow.advance(now=NOW + dt.timedelta(seconds=seconds), rounds=rounds)
        with counted() as cost:
            workflow.advance(now=NOW + dt.timedelta(seconds=3), rounds=rounds)
        costs.append(cost.queries)
    assert due.provisional_grants().count() == 3
    assert len(set(costs)) == 1, costs


MANY, BATCH = 400, 10
# What one item may cost, in queries and in rows: an application has up to sixteen checks.
MOST_QUERIES, MOST_ROWS = 30 * BATCH, 20 * BATCH


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(MANY, tmp_path, monkeypatch)


class Cost:
    """How many queries were asked, and how many rows the largest answer had."""

    def __init__(self) -> None:
        self.queries, self.rows, self.largest = 0, 0, ""

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        self.queries += 1
        rows = context["cursor"].rowcount if READ.match(sql) else 0
        if rows > self.rows:
            self.rows, self.largest = rows, sql
        return found


@contextmanager
def counted() -> Iterator[Cost]:
    cost = Cost()
    with connection.execute_wrapper(cost):
        yield cost


def too_much(steps: tuple[Step, ...]) -> list[str]:
    """The steps that cost more than a batch, in words."""
    found = []
    for step in steps:
        with counted() as cost:
            step.run(now=NOW)
        if cost.queries > MOST_QUERIES or cost.rows > MOST_ROWS:
            found.append(f"{step.name}: {cost.queries} queries; {cost.rows} rows of {cost.largest[:2000]}")
    return found


@pytest.mark.whole
def test_each_step_costs_a_batch_however_many_wait(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (
        AskedOfAssociation,
        AskedOfClient,
        AskedToShare,
        Case,
        Decision,
        Invoice,
        Registration,
        AttestationUse,
    ):
        assert model._default_manager.count() >= MANY, model
    monkeypatch.setattr(queues, "AT_ONCE", BATCH)
    monkeypatch.setattr(checking.answer_waiting, "at_most", BATCH)
    for _ in range(2):  # the second begins where the first left off
        assert too_much(workflow.STEPS) == []
    assert [str(each) for each in queues.failing()] == []
    whole = Step("planted", lambda now: len(list(AttestationUse.objects.filter(subject__in=list(decisions_of_all())))))
    assert len(too_much((whole,))) == 1


def decisions_of_all() -> Iterator[str]:
    return (each.case.application.subject for each in due.provisional_grants())
