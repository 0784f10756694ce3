"""What the register forgets of what has ended: whose it was, and then the addresses. Reached through `actions`.

A registration keeps its number, its dates and how it ended. Of an entry nothing stays: which addresses one holder had,
and since when, is told by no row any more.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef

from rahdari.archive.actions import Box
from rahdari.journal import actions as journal

from .models import Change, CoHolder, Entry, Registration, SharedBlock
from .queries import FORGOTTEN


@transaction.atomic
def forget_holder(*, registration: Registration, box: Box, now: dt.datetime) -> None:
    """Of a registration that has ended: whose it was, and from which application it came."""
    nobody, mark = uuid.uuid4(), f"{FORGOTTEN}{registration.pk}"
    shared = {entry.shared_id for entry in registration.entries.all() if entry.shared_id}
    box.take([registration])
    box.take(registration.entries.exclude(kind="dynamic"))
    for entry in registration.entries.all():
        entry.holder, entry.origin = nobody, f"{mark}:{entry.pk}"
        entry.save(update_fields=["holder", "origin"])
    # Unless another registration of the same holder knows the block.
    over = CoHolder.objects.filter(shared__in=shared, holder=registration.holder, ended_at__isnull=False)
    known = Entry.objects.filter(shared=OuterRef("shared"), holder=registration.holder)
    over.exclude(Exists(known)).delete()
    registration.holder, registration.origin = nobody, mark
    registration.save(update_fields=["holder", "origin"])
    journal.record(act="register.forgot_holder", actor="clock", subject=f"registration:{registration.pk}", now=now)


@transaction.atomic
def mark_forgotten(*, entries: Collection[Entry], box: Box) -> None:
    """Of entries that have ended: whose they were. Then they may go. Where an address that changes by itself was, from
    day to day, is no record: it was told to whoever had to spare it."""
    for entry in entries:
        if not entry.origin.startswith(FORGOTTEN):
            box.take([entry] if entry.kind != "dynamic" else [])
            entry.holder, entry.origin = uuid.uuid4(), f"{FORGOTTEN}{entry.registration_id}:{entry.pk}"
            entry.save(update_fields=["holder", "origin"])


@transaction.atomic
def forget_entries(*, entries: Collection[Entry]) -> None:
    """Entries that were marked, with what was noted of them, and blocks that nobody shares any more."""
    gone = [entry.pk for entry in entries]
    shared = {entry.shared_id for entry in entries if entry.shared_id}
    Entry.objects.filter(follows__in=gone).update(follows=None)
    Change.objects.filter(entry__in=gone).delete()
    Entry.objects.filter(pk__in=gone).delete()
    SharedBlock.objects.filter(pk__in=shared, sharers__isnull=True, entries__isnull=True).delete()
