"""Registrations of the time when one port was registered alone get what their services need; their holders hear of it.

What was to be completed was listed once, by a migration; the list empties, and then this step finds nothing.
"""

import datetime as dt

from django.db import transaction
from django.urls import reverse

from rahdari.db.batches import in_turn
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.models import Registration

from .step import AT_ONCE, one_item


def complete_registrations(now: dt.datetime) -> int:
    """Enter what is missing; the letter is written in the same transaction, so none is without the other."""
    done = 0
    for registration in in_turn("register: complete", entries.to_complete(), at_most=AT_ONCE):
        with one_item(f"registration:{registration.pk}"), transaction.atomic():
            blocks = register.complete_registration(registration=registration, now=now)
            if blocks:
                _tell(registration, len(blocks), now)
            done += 1
    return done


def _tell(registration: Registration, addresses: int, now: dt.datetime) -> None:
    for person in people.people_to_tell(registration.holder):
        letters.write_once(
            to=person,
            template="registration_completed",
            about=f"registration:{registration.pk}",
            once="completed",
            context={
                "registration": registration.reference,
                "addresses": addresses,
                "url": reverse("portal:registration", args=[registration.reference]),
            },
            now=now,
        )
