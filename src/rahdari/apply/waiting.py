"""What waits for the line, and what does not any more."""

from collections.abc import Iterable

from django.db.models import QuerySet

from .models import Application
from .reach import every
from .rules import Status


def submitted_without_checks() -> QuerySet[Application]:
    """Sent, and their checks not asked for yet, oldest first."""
    return every().filter(status=Status.SUBMITTED, checks_opened_at__isnull=True).order_by("submitted_at", "id")


def submitted_undecided() -> QuerySet[Application]:
    """Sent, their checks asked for, and nothing decided yet, oldest first."""
    return every().filter(status=Status.SUBMITTED, checks_opened_at__isnull=False).order_by("submitted_at", "id")


def closed_among(subjects: Iterable[str]) -> list[Application]:
    """Of these applications, those of which nothing comes any more."""
    ids = [subject.removeprefix("application:") for subject in subjects if subject.startswith("application:")]
    return list(every().filter(pk__in=ids, status__in=["refused", "withdrawn", "not_pursued"]))
