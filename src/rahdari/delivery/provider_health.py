"""How those who carry our letters have done: whom to leave alone for a while, and whom `rahdari doctor` names."""

import datetime as dt

from django.db import connection, transaction
from django.db.models import QuerySet

from .models import ProviderHealth
from .rules import rest_after

MAIL = "mail"
NOTED_EVERY = dt.timedelta(minutes=1)
IS_WELL = """SELECT 1 FROM delivery_providerhealth
WHERE name = %s AND failures = 0 AND rests_until IS NULL AND last_taken_at > %s AND last_taken_at <= %s"""


def resting(*, now: dt.datetime) -> dict[str, dt.datetime]:
    """Who is left alone, and until when."""
    found = ProviderHealth.objects.filter(rests_until__gt=now)
    return {one.name: one.rests_until for one in found if one.rests_until is not None}


def note_taken(name: str, *, now: dt.datetime) -> None:
    """With each letter; written when that is news, and once a minute while all is well."""
    with connection.cursor() as cursor:
        cursor.execute(IS_WELL, [name, now - NOTED_EVERY, now])
        if cursor.fetchone():
            return
    with transaction.atomic():
        ProviderHealth.objects.update_or_create(
            name=name, defaults={"failures": 0, "rests_until": None, "last_taken_at": now}
        )


@transaction.atomic
def note_failure(name: str, reason: str, *, now: dt.datetime) -> None:
    """Count a failure of a provider; after some in a row it rests (`rest_after`). Keeps 80 characters of `reason`."""
    ProviderHealth.objects.get_or_create(name=name)
    one = ProviderHealth.objects.select_for_update().get(name=name)
    one.failures += 1
    rest = rest_after(one.failures)
    one.rests_until = None if rest is None else now + rest
    one.last_error, one.last_failed_at = reason[:80], now
    one.save()


def all_of_them() -> QuerySet[ProviderHealth]:
    """The mail server and the providers of SMS, as they have done of late."""
    return ProviderHealth.objects.order_by("name")
