"""A list of licensed providers takes the place of the one before: all of it, or nothing."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from rahdari import policy
from rahdari.db.locks import Lock, hold
from rahdari.journal import actions as journal
from rahdari.policy import Licensees
from rahdari.policy.reading import Faults

from . import queries, rules
from .models import ProviderList


@transaction.atomic
def import_list(*, text: str, names: Sequence[str], now: dt.datetime) -> ProviderList | None:
    """Bring it in; None when the list in force says the same. `names`: who does, each with their office.
    Raises policy.PolicyError with every problem, by line."""
    hold(Lock.PROVIDERS)
    latest, today = queries.latest(), queries.local_day(now)
    before = queries.relied_on()

    def judge(found: Licensees, faults: Faults) -> None:
        if latest is None or found != before:
            rules.judge(before, found, names, today, faults)

    found, digest = policy.read_licensees(text, judge)
    if latest is not None and found == before:
        return None
    made = ProviderList.objects.create(
        number=latest.number + 1 if latest is not None else 1,
        as_of=found.as_of,
        at=now,
        text=text,
        digest=digest,
        names=[name.strip() for name in names if name.strip()],
        takes_two=rules.takes_two(before, found, today),
    )
    detail = {"number": made.number, "digest": digest, "names": made.names}
    journal.record(act="licensees.imported", actor="command line", subject="licensees", now=now, detail=detail)
    return made
