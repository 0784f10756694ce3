"""A registration that leaves the feed and comes back: suspended and resumed, struck out and restored.

Invariants: the number and the term stay, and no proof is asked for anew; while it is suspended its addresses stay its
own, and nothing of it is in the feed; restored, it has every address that nobody else has got meanwhile.
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from rahdari.journal import actions as journal

from . import queries, rules
from .changes import BlockAlreadyEntered, NotValid, active_entries_locked, block_is_free, note_change
from .models import Entry, Registration


def suspend(
    *,
    registration: Registration,
    code: str,
    actor: str,
    now: dt.datetime,
    until: dt.datetime | None = None,
    instead_of: str = "",
) -> Registration:
    """Take its addresses out of the feed, and keep them for it: until a day, or until `resume`. Doing it twice changes
    nothing; but one that is suspended under the code `instead_of` is from now on suspended under this one. Raises
    NotValid."""
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        standing = queries.standing(registration, now)
        is_listed = standing is rules.Standing.VALID
        if standing is rules.Standing.SUSPENDED and registration.suspended_code != instead_of:
            return registration
        if not is_listed and standing is not rules.Standing.SUSPENDED:
            raise NotValid(registration, standing)
        registration.suspended_at, registration.suspended_until = now, until
        registration.suspended_code, registration.suspended_by = code, actor
        _saved(registration, "suspend" if is_listed else "", now)
        _journal("suspended", registration, actor, now, reason=code)
    return registration


def resume(*, registration: Registration, actor: str, now: dt.datetime) -> Registration:
    """Its addresses are in the feed again. Doing it twice changes nothing. Raises NotValid when it is over."""
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        standing = queries.standing(registration, now)
        if standing is rules.Standing.VALID:
            return registration
        if standing is not rules.Standing.SUSPENDED:
            raise NotValid(registration, standing)
        code = registration.suspended_code
        registration.suspended_at = registration.suspended_until = None
        registration.suspended_code = registration.suspended_by = ""
        _saved(registration, "resume", now)
        _journal("resumed", registration, actor, now, reason=code)
    return registration


def _saved(registration: Registration, act: str, now: dt.datetime) -> None:
    registration.save(update_fields=["suspended_at", "suspended_until", "suspended_code", "suspended_by"])
    for entry in active_entries_locked(registration) if act else ():
        note_change(entry, act, now)


def restore(
    *, registration: Registration, actor: str, now: dt.datetime, without: Collection[str] = ()
) -> tuple[Registration, list[Entry]]:
    """It was struck out, and stands again: with every address that ended with it and that nobody else has got since,
    but for the origins in `without`, and for what was to end anyway by now (a dynamic address is reported again).

    Returns it, and the entries that did not come back because somebody else has got the address. Doing it twice
    changes nothing. Raises NotValid past its term.
    """
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        ended_at = registration.struck_out_at
        if ended_at is None:
            return registration, []
        if registration.expired_at is not None or now >= registration.stays_until:
            raise NotValid(registration, rules.Standing.EXPIRED)
        code = registration.struck_out_code
        registration.struck_out_at, registration.struck_out_code, registration.struck_out_by = None, "", ""
        registration.suspended_at = registration.suspended_until = None
        registration.suspended_code = registration.suspended_by = ""
        registration.save()
        ended = Entry.objects.filter(
            registration=registration, ended_at=ended_at, end_reason="strike_out", valid_until__gt=now
        ).exclude(origin__in=without)
        lost = [entry for entry in ended.select_for_update().order_by("id") if not _came_back(entry, now)]
        _journal("restored", registration, actor, now, reason=code)
    return registration, lost


def _came_back(entry: Entry, now: dt.datetime) -> bool:
    entry.ended_at, entry.end_reason = None, ""
    # Its part in a shared block has ended: alone it comes back as anybody's, and beside others it is asked for anew.
    entry.shared, entry.carrier = None, None
    try:
        with block_is_free(entry.block, besides=entry):
            entry.save(update_fields=["ended_at", "end_reason", "shared", "carrier"])
    except BlockAlreadyEntered:
        return False
    note_change(entry, "restore", now)
    return True


def _journal(act: str, registration: Registration, actor: str, now: dt.datetime, *, reason: str) -> None:
    journal.record(
        act=f"register.{act}", actor=actor, subject=f"registration:{registration.pk}", now=now, reason=reason
    )
