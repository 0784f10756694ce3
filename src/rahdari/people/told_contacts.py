"""That something of weight was done in an organisation's name, so that the contact of its number is told. Reached
through `actions`.

People know no list: who the contact is, and of what it is told, finds `workflow.contact_letters`. No organisation is
told of more often than once a day.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest

from rahdari.journal import actions as journal

from .models import Organisation

AGAIN = dt.timedelta(days=1)
JUST_BEFORE = dt.timedelta(microseconds=1)


def tell_contact_later(*, organisation: Organisation, now: dt.datetime) -> None:
    """In the transaction of the act: at once, or a day after the contact was told before.

    The row is written in each case: an act that waits for a letter that is just written, and began before it, is told
    with the next one.
    """
    told_at = F("contact_told_at")
    Organisation.objects.filter(pk=organisation.pk).exclude(company_number_index="").update(
        contact_due_at=Coalesce("contact_due_at", Greatest(Value(now), told_at + AGAIN)),
        contact_told_at=Case(When(contact_told_at__gte=now, then=Value(now - JUST_BEFORE)), default=told_at),
    )


def contacts_to_tell(now: dt.datetime) -> QuerySet[Organisation]:
    return Organisation.objects.filter(contact_due_at__lte=now).order_by("contact_due_at", "id")


@transaction.atomic
def contact_was_told(*, organisation: Organisation, written: bool, now: dt.datetime) -> None:
    """All that was done until now is told, or (not `written`) there was nothing to tell, or nobody."""
    organisation.contact_due_at, organisation.contact_told_at = None, now
    organisation.save(update_fields=["contact_due_at", "contact_told_at"])
    if written:
        journal.record(act="people.told_contact", actor="clock", subject=f"organisation:{organisation.pk}", now=now)


def tell_contact_next(*, organisation: Organisation, at: dt.datetime) -> None:
    """Its mailbox had its letter of today: then."""
    organisation.contact_due_at = at
    organisation.save(update_fields=["contact_due_at"])
