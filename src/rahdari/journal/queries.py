"""Reads of the journal, newest first."""

from collections.abc import Iterable

from django.db.models import QuerySet

from .models import Entry


def about(subject: str) -> QuerySet[Entry]:
    """All that was done to, or read of, one subject."""
    return Entry.objects.filter(subject=subject).order_by("-id")


def reads_of(subjects: Iterable[str]) -> QuerySet[Entry]:
    """Who looked at any of these subjects: the rows whose act is a read."""
    return Entry.objects.filter(subject__in=list(subjects), act__contains=".read_").order_by("-id")
