"""Reads of the journal, newest first."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, UUIDField
from django.db.models.functions import Cast, Right

from . import registry
from .models import REMOVED, SHOWN, JournalEntry


def about(subject: str) -> QuerySet[JournalEntry]:
    """All that was done to, or read of, one subject."""
    return JournalEntry.objects.filter(subject=subject).order_by("-id")


def was_done(act: str, subject: str, detail: Mapping[str, Any]) -> bool:
    """Whether this was done to, or read of, the subject, with these details."""
    return JournalEntry.objects.filter(subject=subject, act=act, detail__contains=dict(detail)).exists()


def reads_of(subjects: Iterable[str]) -> QuerySet[JournalEntry]:
    """Who looked at any of these subjects: the rows whose act is a read, and lists on which it stood."""
    named, reads = list(subjects), registry.reads()
    shown = reduce(or_, (Q(detail__contains={SHOWN: [subject]}) for subject in named), Q(pk__in=[]))
    on_lists = JournalEntry.objects.filter(shown, detail__has_key=SHOWN, act__in=reads).order_by()
    read = JournalEntry.objects.filter(subject__in=named, act__in=reads).order_by()
    return JournalEntry.objects.filter(pk__in=read.values("pk").union(on_lists.values("pk"))).order_by("-id")


@dataclass(frozen=True)
class Looks:
    """Reads of one day by the same person, of the same thing, for the same reason and on the same ground; `at` is the
    last of them."""

    at: dt.datetime
    actor: str
    act: str
    reason: str
    ground: str
    count: int


def looks_at(subjects: Iterable[str], *, zone: dt.tzinfo) -> list[Looks]:
    """Who looked at any of these subjects, newest first, several of a day in one: nobody buries a look under others."""
    named, reads = list(subjects), list(registry.reads())
    on_a_list = " OR ".join(["detail @> %s::jsonb"] * len(named)) or "false"
    lists = [json.dumps({SHOWN: [subject]}) for subject in named]
    with connection.cursor() as cursor:
        cursor.execute(LOOKS.format(on_a_list=on_a_list), [named, reads, SHOWN, reads, *lists, str(zone)])
        return [Looks(*row) for row in cursor.fetchall()]


# Each application's page asks it, mostly for nothing.
LOOKS = """SELECT max(at) AS last, actor, act, reason, ground, count(*) FROM journal_journalentry WHERE id IN (
  SELECT id FROM journal_journalentry WHERE subject = ANY(%s) AND act = ANY(%s)
  UNION SELECT id FROM journal_journalentry WHERE detail ? %s AND act = ANY(%s) AND ({on_a_list})
) GROUP BY (at AT TIME ZONE %s)::date, actor, act, reason, ground ORDER BY last DESC, act, actor"""


def left_by(member: str) -> QuerySet[JournalEntry]:
    """When somebody ceased to belong to what."""
    return JournalEntry.objects.filter(act__endswith=f".{REMOVED}", detail__contains={"member": member}).order_by()


def staff_in(rows: QuerySet[JournalEntry]) -> QuerySet[JournalEntry, Any]:
    """The ids of officers and supervisors among those who did something, for a query of theirs."""
    by_officers = rows.order_by().filter(actor__regex=r"^(officer|supervisor):[0-9a-f-]{36}$")
    return by_officers.values_list(Cast(Right("actor", 36), UUIDField()))


def ceased(subject: str) -> QuerySet[JournalEntry]:
    """When whom ceased to belong to this; `detail` names them under "member"."""
    return JournalEntry.objects.filter(act__endswith=f".{REMOVED}", subject=subject).order_by()


def acts_after(id: int, acts: Iterable[str]) -> QuerySet[JournalEntry]:
    """Rows of these acts behind a row, oldest first."""
    return JournalEntry.objects.filter(pk__gt=id, act__in=list(acts)).order_by("id")


def last_row() -> int:
    """The number of the last row that can be seen; 0 where there is none."""
    return JournalEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def writers() -> set[str]:
    """The other transactions under way that write to the journal, as PostgreSQL calls them. Each holds its lock from
    before its first row is numbered until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [JournalEntry._meta.db_table])
        return {name for (name,) in cursor.fetchall()}


_WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks WHERE relation = %s::regclass AND mode = 'RowExclusiveLock'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"""


def done_by(actors: Iterable[str], subjects: Iterable[str]) -> QuerySet[JournalEntry]:
    """What any of these did to any of these subjects, reads as well."""
    return JournalEntry.objects.filter(actor__in=list(actors), subject__in=list(subjects)).order_by("-id")


def actors_of(*, acts: Iterable[str], subjects: Iterable[str]) -> list[tuple[str, int]]:
    """Who did any of these acts to any of these subjects, and to how many of them; those who did most first."""
    found = (
        JournalEntry.objects.filter(act__in=list(acts), subject__in=list(subjects))
        .values_list("actor")
        .annotate(number=Count("subject", distinct=True))
        .order_by("-number", "actor")
    )
    return [(actor, number) for actor, number in found]
