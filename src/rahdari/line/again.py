"""A renewal or a change that was granted, carried over to the registration, which keeps its number.

What the register holds and what was applied for are compared: what is new is entered, what is gone stays for the
overlap of the policy, everything else is left alone. Nothing of it is a gap in the feed.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import About
from rahdari.policy import Policy
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.models import Entry
from rahdari.register.rules import NewEntry

from . import leasing, mobile
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
    wanted = {_key(row): row for row in endpoints if not row.is_dynamic}
    held = {
        _key(entry): entry
        for entry in entries.own_entries_of(registration)
        if entry.ended_at is None and entry.kind == "static"
    }
    leaves_at = now + policy.change.overlap
    for key, row in wanted.items():
        entry = held.get(key)
        if entry is not None:
            register.extend_entry(entry=entry, until=registration.stays_until, now=now)
            continue
        new = NewEntry(row.subject, row.network, row.protocol, row.port, row.asn)
        register.add_entry(registration=registration, new=new, actor=actor, now=now)
    for key, entry in held.items():
        if key not in wanted:
            register.retire_entry(entry=entry, until=leaves_at, actor=actor, now=now)
    leasing.close_hosts_but(endpoints, registration, until=leaves_at, now=now)
    leasing.tie_hosts(endpoints, registration, now=now)
    mobile.list_line(application, registration, now=now)


def _key(row: Entry | Endpoint) -> tuple[str, str, int | None]:
    return str(row.block), row.protocol, row.port
