"""A round of the line costs what waits, and not all that was ever registered."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rahdari import workflow
from tests.decide.builders import NOW, an_application

pytestmark = pytest.mark.django_db
# Which proofs that were asked for again have come: their challenges are found by an index, for the few that are open,
# but for so few the planner would rather read them once.
ALLOWED = ("verify_challenge", 'SELECT "verify_reproof"')
# What rests no longer than this is run as good as always.
SHORT = dt.timedelta(minutes=1)
READ = re.compile(r"^\s*(SELECT|WITH)\b", re.IGNORECASE)
WHOLE = re.compile(r"Seq Scan on (\w+)")


def test_no_step_reads_a_whole_table() -> None:
    an_application()
    workflow.advance(now=NOW)
    with CaptureQueriesContext(connection) as asked:
        # Each by itself: a round leaves out those whose tables are empty.
        for step in workflow.STEPS:
            if (step.rests or SHORT) <= SHORT:
                step.run(NOW + dt.timedelta(days=1))
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
