"""Papers whose time of keeping is over: files and names go, and a row says that each was there. Through `actions`."""

import datetime as dt
from collections.abc import Collection
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rahdari.journal import actions as journal
from rahdari.vault import files

from . import queries
from .drafts import locked
from .models import Application, Document


def _due(now: dt.datetime) -> QuerySet[Document]:
    """Papers of applications that were decided, or given up, longer ago than the policy in force keeps papers."""
    kept = queries.policy_in_force().retention["documents"].span
    if kept is None:
        return Document.objects.none()
    due = Document.objects.filter(
        erased_at__isnull=True, removed_at__isnull=True, application__closed_at__lt=now - kept
    )
    return due.select_related("application").order_by("application__closed_at", "id")


def with_papers_due(*, now: dt.datetime, awaited: Collection[UUID], at_most: int) -> list[Application]:
    """Applications with papers to erase, but for those that are awaited: what stands provisionally may be looked at."""
    due = _due(now).exclude(application__in=awaited)[:at_most]
    return list({each.application_id: each.application for each in due}.values())


@transaction.atomic
def erase_documents(*, application: Application, now: dt.datetime, actor: str = "clock") -> int:
    """Erase them; return how many there were. An application that was opened again meanwhile keeps its papers."""
    row = locked(application)
    if row.closed_at is None:
        return 0
    due = list(_due(now).filter(application=row).select_for_update(of=("self",)))
    for document in due:
        document.name, document.erased_at = "", now
        document.save(update_fields=["name", "erased_at"])
        transaction.on_commit(partial(files.erase, document.stored))
    if due:
        journal.record(
            act="apply.erased_documents", actor=actor, subject=row.subject, now=now, detail={"count": len(due)}
        )
    return len(due)
