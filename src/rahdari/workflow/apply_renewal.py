"""A renewal or a change that was granted, carried over to the registration, which keeps its number.

What the register holds and what was applied for are compared: what is new is entered, what is gone stays for the
overlap of the policy, everything else is left alone. Nothing of it is a gap in the feed.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from rahdari import optional
from rahdari.address import Part, in_order
from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import About
from rahdari.decide import ending
from rahdari.policy import Policy
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import URGENT, new_endpoint

from .terms import grace_of, term_from


@transaction.atomic
def carry_out(
    application: Application,
    endpoints: Sequence[Endpoint],
    policy: Policy,
    *,
    provisional_until: dt.datetime | None,
    actor: str,
    now: dt.datetime,
) -> None:
    """Carry it over. A renewal that is granted provisionally moves the end to that day alone, and never to an earlier
    one. Raises BlockAlreadyEntered."""
    registration = application.registration
    if registration is None:
        return
    if application.about == About.RENEWAL:
        until = provisional_until or term_from(registration.valid_until, application)
        if until > registration.valid_until:
            registration = register.renew(
                registration=registration,
                valid_until=until,
                grace_until=grace_of(policy, until),
                actor=actor,
                now=now,
            )
    held, leaves_at = _held(registration), now + policy.change.overlap
    stay, asked = set[uuid.UUID](), defaultdict[Entry, list[Part]](list)
    for row in endpoints:
        if row.is_dynamic:
            continue
        entry = next((each for each, parts in held.items() if _is_that(row, each, parts)), None)
        if entry is not None:
            asked[entry] += row.parts
            continue
        new = new_endpoint(row.subject, row.network, row.parts, row.asn)
        stay.add(address_changes.add_entry(registration=registration, new=new, actor=actor, now=now).pk)
    for entry, parts in asked.items():
        kept = address_changes.change_parts(
            entry=entry, parts=in_order(parts), leaves_at=leaves_at, actor=actor, now=now
        )
        stay.add(kept.pk)
    # Read anew: an endpoint may have been taken into another one of the same address.
    for entry in _held(registration):
        # What was listed before its papers came ends by itself, or is asked for: no other change ends it.
        if entry.pk not in stay and not entry.origin.startswith(URGENT):
            address_changes.retire_entry(entry=entry, until=leaves_at, actor=actor, now=now)
    optional.ask(__package__, "close_hosts_but", endpoints, registration, until=leaves_at, now=now)
    optional.ask(__package__, "tie_hosts", endpoints, registration, now=now)
    optional.ask(__package__, "list_line", application, registration, now=now)
    register.note_word(registration, now)
    if application.about == About.RENEWAL and provisional_until is None:
        # All that is asked for was there anew: a suspension because it was not is over.
        ending.restore_renewed(registration=registration, now=now)


def _held(registration: Registration) -> dict[Entry, tuple[Part, ...]]:
    standing = entries.own_entries_of(registration).filter(ended_at__isnull=True, kind="static")
    return entries.endpoints_among(standing)


def _is_that(row: Endpoint, entry: Entry, parts: Sequence[Part]) -> bool:
    """Whether what was applied for is this endpoint of the register: something of it runs at the same address."""
    return row.network == entry.block and any(part in parts for part in row.parts)
