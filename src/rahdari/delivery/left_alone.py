"""What a process took to send it and left, for it ended."""

import datetime as dt

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from .rules import LEFT_ALONE, TAKER_GONE

_NOT_CONNECTED = RawSQL("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = taken_by)", [], BooleanField())


def left_alone(now: dt.datetime) -> Q:
    """Of rows with `state`, `taken_at` and `taken_by` (`db.connections.backend_of`): those whose process lost its
    connection, and those that have taken far too long."""
    gone = Q(taken_at__lt=now - TAKER_GONE) & Q(_NOT_CONNECTED)
    return Q(state="sending") & (gone | Q(taken_at__lt=now - LEFT_ALONE))
