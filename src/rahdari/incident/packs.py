"""Packs of evidence: asked for by a holder, or when an incident ends; made afterwards, since an authority for time is
asked, which no transaction waits for."""

import datetime as dt
import hashlib
from functools import partial

from django.db import transaction

from rahdari.db.queues import attempt
from rahdari.journal import actions as journal
from rahdari.register.models import Registration
from rahdari.vault import files

from . import evidence, queries
from .models import Incident, Pack

PARTS = ("evidence", "address")


@transaction.atomic
def ask(*, incident: Incident, registration: Registration, now: dt.datetime) -> Pack:
    """One that is not made yet is asked for once."""
    facts = {"incident": incident, "registration": registration, "made_at": None, "erased_at": None}
    return Pack.objects.get_or_create(**facts, defaults={"asked_at": now})[0]


def ask_for_all(incident: Incident, now: dt.datetime) -> None:
    """For each holder who reported it."""
    for registration in {each.registration for each in queries.standing_reports(incident) if each.registration}:
        ask(incident=incident, registration=registration, now=now)


def make_due(*, now: dt.datetime, at_most: int = 5) -> int:
    """Make those that were asked for. Returns how many."""
    waiting = list(queries.packs_to_make(now)[:at_most])
    return sum(attempt("incident.packs", str(each.pk), partial(_make, each, now), now) for each in waiting)


def _make(pack: Pack, now: dt.datetime) -> int:
    if pack.registration is None:
        return 0
    made = evidence.make(pack.incident, pack.registration, now)
    with transaction.atomic():
        row = Pack.objects.select_for_update(of=("self",)).get(pk=pack.pk)
        if row.made_at is not None or row.erased_at is not None:
            return 0
        row.evidence = files.store(made.evidence, aad=_where(row, "evidence"))
        row.address = files.store(made.address, aad=_where(row, "address"))
        row.sha256 = hashlib.sha256(made.evidence).hexdigest()
        row.made_at, row.stamped_at = now, made.stamped_at
        row.save(update_fields=["evidence", "address", "sha256", "made_at", "stamped_at"])
        journal.record(
            act="incident.made_pack",
            actor="clock",
            subject=row.incident.subject,
            now=now,
            detail={"incident": row.incident.reference, "stamped": row.stamped_at is not None},
        )
    return 1


def content_of(pack: Pack, part: str) -> bytes:
    """The zip. Raises vault.files.FileMissing."""
    return files.read(getattr(pack, part), aad=_where(pack, part))


def name_of(pack: Pack, part: str) -> str:
    return f"{pack.incident.reference}{'-address' if part == 'address' else ''}.zip"


def _where(pack: Pack, part: str) -> str:
    return f"pack:{pack.pk}:{part}"
