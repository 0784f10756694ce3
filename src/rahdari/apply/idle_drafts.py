"""Drafts that nobody has touched for as long as the policy keeps them: deleted, with their files, for good.

A draft was not received by the authority, it was held for the applicant; so nothing of it stays but the journal's row,
which says that there was one. What was sent is never touched here.
"""

import datetime as dt
from functools import partial

from django.db import transaction

from rahdari.journal import actions as journal
from rahdari.vault import files

from . import queries
from .models import AddressFile, Application, Document, Endpoint
from .rules import Status


def delete_idle_draft(*, application: Application, now: dt.datetime) -> list[str]:
    """Delete the draft if it is still one and still idle. Gives the subjects of its endpoints, [] when it was kept."""
    with transaction.atomic():
        draft = queries.idle_drafts(now=now).select_for_update(skip_locked=True).filter(pk=application.pk).first()
        if draft is None or draft.status != Status.DRAFT:
            return []
        stored = list(Document.objects.filter(application=draft).values_list("stored", flat=True))
        endpoints = list(Endpoint.objects.filter(application=draft))
        subjects = [endpoint.subject for endpoint in endpoints]
        subject = draft.subject
        Document.objects.filter(application=draft).delete()
        Endpoint.objects.filter(application=draft).delete()
        AddressFile.objects.filter(application=draft).delete()
        draft.delete()
        journal.record(act="apply.deleted_idle_draft", actor="clock", subject=subject, now=now)
        # After the commit: a row without its file would be a loss, a file without its row is only found by nobody.
        for name in filter(None, stored):
            transaction.on_commit(partial(files.erase, name))
        return [*subjects, subject]
