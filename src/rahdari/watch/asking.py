"""One look that a holder asks for: they report that it is cut, and it is looked at before its time in the schedule.

Without a consent nothing is looked at. It is asked for once in `asked_every` at most, and counts among all looks: the
bounds of the load are the same.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db.models import Q

from . import queries
from .models import Consent


def ask(*, feed_id: str, holder: uuid.UUID, now: dt.datetime) -> bool:
    """By whoever holds the endpoint. False: it is not measured by a consent of theirs, or one was asked for just now.
    The process that measures reads it within seconds."""
    rules = queries.rules_in_force()
    if rules is None:
        return False
    free = Q(asked_at=None) | Q(asked_at__lte=now - rules.asked_every)
    standing = Consent.objects.filter(free, feed_id=feed_id, holder=holder, withdrawn_at=None)
    return standing.update(asked_at=now, looked_for_at=None) > 0


def waiting() -> list[uuid.UUID]:
    """The consents of which a look was asked for that is not made yet."""
    found = Consent.objects.filter(asked_at__isnull=False, looked_for_at=None, withdrawn_at=None)
    return list(found.order_by("asked_at", "id").values_list("pk", flat=True))


def looked(consents: Iterable[uuid.UUID], now: dt.datetime) -> None:
    Consent.objects.filter(pk__in=list(consents), looked_for_at=None).update(looked_for_at=now)
