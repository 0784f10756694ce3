"""What services of the time of single ports still need is entered, a registration at a time. Reached through `actions`.

Invariants: an entry is on the list only if it stood when the register learnt of parts (migration 0010); nothing is
taken away and nothing moved; what is entered, and that it is off the list, is one transaction.
"""

import datetime as dt
from itertools import groupby

from django.db import transaction

from rahdari.address import Part, Protocol, contains, vpn
from rahdari.journal import actions as journal

from . import queries
from .models import Entry, Registration, ToComplete
from .noting import active_entries_locked, new_part
from .rules import HOME, Block, Standing


def complete_registration(*, registration: Registration, now: dt.datetime) -> list[Block]:
    """Enter what is missing beside the single ports of a registration, and take it off the list.

    Returns the addresses that got something, without those of people at home. Doing it twice changes nothing.
    """
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        waiting = ToComplete.objects.filter(entry__registration=registration)
        listed = set(waiting.select_for_update().values_list("entry", flat=True))
        found: list[Entry] = []
        if listed and queries.standing(registration, now) is Standing.VALID:
            active = active_entries_locked(registration)
            # Of several at one address the first port gets what is missing.
            first = sorted((entry for entry in active if entry.pk in listed), key=lambda entry: entry.port or 0)
            found = [part for entry in first for part in _complete(entry, now)]
            found += [part for entry in active if entry.origin.startswith(HOME) for part in _at_home(entry, now)]
        waiting.delete()
        if found:
            journal.record(
                act="register.completed",
                actor="system:line",
                subject=f"registration:{registration.id}",
                now=now,
                detail={"entries": len(found)},
            )
    own = (part.block for part in found if not part.origin.startswith(HOME))
    return [block for block, _ in groupby(sorted(own, key=lambda block: (block.version, block)))]


def _complete(entry: Entry, now: dt.datetime) -> list[Entry]:
    lead = entry.part_of or entry
    # Also what the holder has registered by itself: whoever knew added UDP 4500 as an address of its own.
    there = [each.part for each in _of_holder(entry) if contains(each.block, entry.block)]
    missing = [part for part in vpn.completed([entry.part]) if not any(each.covers(part) for each in there)]
    return _entered(lead, missing, now)


def _at_home(entry: Entry, now: dt.datetime) -> list[Entry]:
    """A line at home speaks to the gateway what the gateway speaks, at any port."""
    if entry.part_of_id is not None:
        return []
    own = queries.own_entries_of(entry.registration).filter(ended_at__isnull=True)
    wanted = [Part(Protocol(protocol)) for protocol in sorted(set(own.values_list("protocol", flat=True)))]
    there = queries.parts_at(entry)
    missing = [part for part in wanted if not any(each.covers(part) for each in there)]
    return _entered(entry, missing, now)


def _of_holder(entry: Entry) -> list[Entry]:
    return list(queries.overlapping_active(block=entry.block).filter(holder=entry.holder))


def _entered(lead: Entry, missing: list[Part], now: dt.datetime) -> list[Entry]:
    # It leaves within the second anyway.
    if lead.valid_until <= now + dt.timedelta(seconds=1):
        return []
    return [new_part(lead, part, "enter", now) for part in missing]
