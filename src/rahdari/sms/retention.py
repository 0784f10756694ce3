"""Messages that are settled, forgotten with their file or when their time is over."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from .models import Message

SETTLED = ("sent", "delivered", "failed")
AT_ONCE = 1_000


@transaction.atomic
def forget_some(before: dt.datetime) -> int:
    """Of those that were written before then; returns of how many."""
    due = Message.objects.filter(state__in=SETTLED, written_at__lt=before).order_by("written_at").values("pk")
    found = [row["pk"] for row in due[:AT_ONCE]]
    Message.objects.filter(pk__in=found).delete()
    return len(found)


def erase_about(subjects: Collection[str]) -> None:
    Message.objects.filter(about__in=subjects, state__in=SETTLED).delete()
