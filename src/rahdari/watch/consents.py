"""Consent to be measured: given for one endpoint by whoever proved it, and taken back at once.

Taking it back ends the looks and erases what was seen, in one transaction; a look that comes back afterwards finds no
consent and is thrown away (`recording`). What an open incident needs is kept with the incident, which has its own copy.
"""

import datetime as dt
import json
import uuid

from django.db import transaction

from rahdari.address import Address
from rahdari.db.wake import Channel, wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.probe import Claim

from . import queries
from .models import Consent, Report, SeenFacts, Spell


class NotMeasured(RahdariError):
    """The rules in force measure nobody."""

    says = "the policy has no part `watch`"


def agree(
    *,
    feed_id: str,
    holder: uuid.UUID,
    personal: bool,
    address: Address,
    claim: Claim,
    outside: bool = True,
    inside: bool = True,
    agent: bool = False,
    actor: str,
    now: dt.datetime,
) -> Consent:
    """Let an endpoint be measured, as often as the rules in force say. Given again, it is the one that stands, with
    what was chosen now. Raises NotMeasured."""
    rules = queries.rules_in_force()
    if rules is None:
        raise NotMeasured()
    asks = json.dumps({"address": str(address), "claim": claim.as_data()}, sort_keys=True)
    chosen = {"outside": outside, "inside": inside, "agent": agent}
    with transaction.atomic():
        found = Consent.objects.select_for_update().filter(feed_id=feed_id, withdrawn_at=None).first()
        if found is None:
            every = rules.persons_every if personal else rules.every
            found = Consent(
                feed_id=feed_id, holder=holder, personal=personal, every=every, given_at=now, given_by=actor
            )
        elif found.asks == asks and all(getattr(found, name) == value for name, value in chosen.items()):
            return found
        found.asks = asks
        for name, value in chosen.items():
            setattr(found, name, value)
        found.save()
        journal.record(act="watch.agreed", actor=actor, subject=found.subject, detail=chosen, now=now)
        wake(Channel.WATCH)
    return found


def withdraw(*, feed_id: str, actor: str, now: dt.datetime) -> bool:
    """Measure it no more, from this moment, and keep nothing of what was seen. False: nothing was agreed to."""
    with transaction.atomic():
        found = Consent.objects.select_for_update().filter(feed_id=feed_id, withdrawn_at=None).first()
        if found is None:
            return False
        found.withdrawn_at, found.asks = now, ""
        found.asked_at = found.looked_for_at = None
        found.save()
        erase(found)
        journal.record(act="watch.withdrew", actor=actor, subject=found.subject, now=now)
        wake(Channel.WATCH)
    return True


def erase(consent: Consent) -> None:
    """All that was seen under it."""
    for kind in (SeenFacts, Spell, Report):
        kind._default_manager.filter(consent=consent).delete()
