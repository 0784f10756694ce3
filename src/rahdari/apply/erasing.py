"""What was sent and whose time of keeping is over (retention of the policy in force).

Papers first: files and names go, and a row says that each was there. Then the card number. At last all that says who
applied and for which address; what was asked for, when, and what came of it stays.
"""

import datetime as dt
from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from rahdari.archive.actions import Box
from rahdari.journal import actions as journal
from rahdari.vault import files

from . import file_hold, queries
from .drafts import locked
from .file_hold import held, is_held
from .models import AddressFile, Application, Document, Endpoint, LateEvidence
from .rules import About, Status

CARD_DIGITS = 13


def _due(now: dt.datetime) -> QuerySet[Document]:
    """Papers of applications that were decided, or given up, longer ago than the policy in force keeps papers; and what
    came after that, such as with the answer to a notice, as long from then."""
    kept = queries.policy_in_force().retention["documents"].span
    if kept is None:
        return Document.objects.none()
    due = Document.objects.filter(
        erased_at__isnull=True,
        removed_at__isnull=True,
        application__closed_at__lt=now - kept,
        uploaded_at__lt=now - kept,
    ).exclude(application__in=file_hold.files_on_hold(now).order_by())
    return due.select_related("application").order_by("application__closed_at", "id")


def with_papers_due(*, now: dt.datetime) -> QuerySet[Application]:
    """Applications with papers to erase, those closed first in front."""
    return _closed_longer_than(queries.policy_in_force().retention["documents"].span, now).filter(
        Exists(_due(now).filter(application=OuterRef("pk")).order_by())
    )


@transaction.atomic
def erase_documents(*, application: Application, now: dt.datetime, actor: str = "clock") -> int:
    """Erase them; return how many there were. An application that was opened again meanwhile keeps its papers."""
    row = locked(application)
    if row.closed_at is None:
        return 0
    due = list(_due(now).filter(application=row).select_for_update(of=("self",)))
    box = Box("documents", now=now)
    _erase_papers(due, box, now)
    box.seal(about=row.reference)
    if due:
        journal.record(
            act="apply.erased_documents", actor=actor, subject=row.subject, now=now, detail={"count": len(due)}
        )
    return len(due)


def with_numbers_due(*, now: dt.datetime) -> QuerySet[Application]:
    """Closed applications whose card number's time is over, and not yet erased."""
    due = _closed_longer_than(queries.policy_in_force().retention["card_number"].span, now)
    return due.filter(number_erased_at__isnull=True).exclude(held(now))


def _closed_longer_than(kept: dt.timedelta | None, now: dt.datetime) -> QuerySet[Application]:
    """None of them, where it is kept for ever."""
    if kept is None:
        return Application.objects.none()
    return Application.objects.filter(closed_at__lt=now - kept).order_by("closed_at", "id")


@transaction.atomic
def erase_card_number(*, application: Application, now: dt.datetime, actor: str = "clock") -> bool:
    """Its keyed hash stays with the application. A sole trader's tax number is the card's, so it goes too."""
    row = locked(application)
    if row.closed_at is None or row.number_erased_at is not None or is_held(row, now):
        return False
    had_one = bool(row.cnic)
    box = Box("card_number", now=now)
    if had_one:
        box.take_fields(row, ["cnic", "ntn"])
        box.seal(about=row.reference)
    row.cnic, row.number_erased_at = "", now
    if len(row.ntn) == CARD_DIGITS:
        row.ntn = ""
    row.save(update_fields=["cnic", "ntn", "number_erased_at"])
    if had_one:
        journal.record(act="apply.erased_card_number", actor=actor, subject=row.subject, now=now)
    return had_one


def with_files_due(*, before: dt.datetime | None, granted: bool, now: dt.datetime) -> QuerySet[Application]:
    """Applications that were granted, or came to nothing, before then, the oldest first. Whether what they led to has
    ended as long ago, or may still be appealed against, the caller knows."""
    if before is None:
        return Application.objects.none()
    due = Application.objects.filter(erased_at__isnull=True, closed_at__lt=before).exclude(held(now))
    due = due.order_by("closed_at", "id")
    return due.filter(status=Status.GRANTED) if granted else due.exclude(status=Status.GRANTED)


def _erase_papers(papers: Iterable[Document], box: Box, now: dt.datetime) -> None:
    """What was removed by its owner, and a note of a paper seen before, have no file that could be taken in."""
    for document in papers:
        if document.stored and document.removed_at is None and document.noted_from_id is None:
            box.take_paper(document, partial(files.read, document.stored, aad=document.aad))
        document.name, document.erased_at = "", now
        document.save(update_fields=["name", "erased_at"])
        transaction.on_commit(partial(files.erase, document.stored))


def erase_papers_of(*, asked: str, box: Box, now: dt.datetime) -> None:
    """Those of somebody who does not apply (`queries.papers_of`). In the caller's transaction, who seals the box."""
    _erase_papers(Document.objects.filter(application__isnull=True, rule=asked, erased_at__isnull=True), box, now)


SAID = (
    *("name", "cnic", "cnic_index", "company_name", "company_number", "ntn", "contact_name", "contact_mobile"),
    *("purpose", "evidence_text", "association_number", "held_because", "held_words"),
)


@transaction.atomic
def erase_application(*, application: Application, box: Box, now: dt.datetime, actor: str = "clock") -> list[str]:
    """Erase all that says who applied and for which address. Gives the subjects of the endpoints that went, by which
    other rooms know what they hold of it; that, the caller erases in the same transaction."""
    row = locked(application)
    if row.closed_at is None or row.erased_at is not None or is_held(row, now):
        return []
    endpoints, files_of_rows = Endpoint.objects.filter(application=row), AddressFile.objects.filter(application=row)
    for rows in ([row], endpoints, files_of_rows, LateEvidence.objects.filter(application=row)):
        box.take(rows)
    subjects = [each.subject for each in endpoints]
    endpoints.delete()
    files_of_rows.delete()
    for proof in LateEvidence.objects.filter(application=row):
        proof.text = ""
        proof.save(update_fields=["text"])
    _erase_papers(Document.objects.filter(application=row, erased_at__isnull=True), box, now)
    for field in SAID:
        setattr(row, field, "")
    row.erased_at, row.number_erased_at = now, row.number_erased_at or now
    # A renewal names the registration that it renewed: with it, it would still say for which address.
    row.about, row.registration, row.organisation, row.mandate = About.NEW.value, None, None, None
    row.save()
    journal.record(act="apply.erased_application", actor=actor, subject=row.subject, now=now)
    return [row.subject, *subjects]
