"""Associations: whether what they attested, and a registration rests on, has ended after its holder was reminded."""

import datetime as dt

from rahdari.apply.models import Application
from rahdari.attest import queries
from rahdari.letters import queries as letters


def ended_after_reminder(application: Application, now: dt.datetime) -> bool:
    if not queries.is_over_for(application.subject, now):
        return False
    return letters.letters_about(application.subject).filter(template="attestation_ends_soon").exists()
