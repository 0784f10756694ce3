"""Packs of evidence: asked for by a holder, or when an incident ends; made afterwards, since an authority for time is
asked."""

import datetime as dt

from django.db import transaction

from rahdari.register.models import Registration

from . import queries
from .models import Incident, Pack


@transaction.atomic
def ask(*, incident: Incident, registration: Registration, now: dt.datetime) -> Pack:
    """One that is not made yet is asked for once."""
    facts = {"incident": incident, "registration": registration, "made_at": None, "erased_at": None}
    return Pack.objects.get_or_create(**facts, defaults={"asked_at": now})[0]


def ask_for_all(incident: Incident, now: dt.datetime) -> None:
    """For each holder who reported it."""
    for registration in {each.registration for each in queries.standing_reports(incident) if each.registration}:
        ask(incident=incident, registration=registration, now=now)
