"""What is asked for at each round of the line, or with each application, costs what it finds and not the register."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import QuerySet

from rahdari.register import queries
from rahdari.register.models import Entry

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOLDER = uuid.UUID(int=1)
BLOCK = ipaddress.ip_network("192.0.2.1/32")


@pytest.mark.parametrize(
    "asked",
    [
        lambda: queries.due_to_expire(now=NOW),
        lambda: queries.expired_since(start=NOW),
        lambda: queries.expiring_between(start=NOW, end=NOW + DAY),
        lambda: queries.grace_begun_between(start=NOW, end=NOW + DAY),
        lambda: queries.provisional_ending_between(start=NOW, end=NOW + DAY),
        lambda: queries.entries_due_to_end(now=NOW),
        lambda: queries.rerouted_since(start=NOW),
        lambda: queries.sharers_due_to_leave(now=NOW),
        lambda: queries.active_after(HOLDER)[:100],
        lambda: queries.to_ask_whether_right(silent_since=NOW, term_beyond=NOW),
        lambda: queries.to_ask_whether_right_again(now=NOW, term_beyond=NOW),
        lambda: queries.canaries(),
        lambda: queries.overlapping_active(block=BLOCK, other_than=HOLDER),
        lambda: queries.registrations_of(holders=[HOLDER]),
        lambda: queries.parts_of(holders=[HOLDER]),
        lambda: Entry.objects.filter(holder=HOLDER, ended_at__isnull=True),
    ],
)
def test_no_table_is_read_whole(asked: Callable[[], QuerySet[Entry]]) -> None:
    with connection.cursor() as cursor:
        # The tables are empty, and reading one whole would be right: it is done now only where nothing else can be.
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = asked().explain()
    assert "Index" in plan and "Seq Scan" not in plan, plan
