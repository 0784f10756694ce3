"""What was to go out, and nobody takes it."""

import datetime as dt
from typing import Any

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from .rules import LEFT_ALONE, WITHOUT_JOB


def left_alone[Rows: QuerySet[Any]](all_of_it: Rows, *, job: str, name: str, now: dt.datetime) -> Rows:
    """Without a job that waits or is done, after some seconds: between a letter and its job there are none when all is
    well. With one, when it has taken far too long."""
    table = all_of_it.model._meta.db_table
    has_job = RawSQL(  # noqa: S611  (names of ours)
        "EXISTS (SELECT FROM procrastinate_jobs j WHERE j.task_name = %s AND j.status IN ('todo', 'doing')"
        f" AND j.args ->> %s = {table}.id::text)",
        [job, name],
        output_field=BooleanField(),
    )
    soon, long_ago = now - WITHOUT_JOB, now - LEFT_ALONE
    since = Q(state="sending", taken_at__lt=soon) | Q(state="queued", next_try_at__lt=soon)
    too_long = Q(state="sending", taken_at__lt=long_ago) | Q(state="queued", next_try_at__lt=long_ago)
    return all_of_it.annotate(has_job=has_job).filter(since).filter(Q(has_job=False) | too_long)
