"""Addresses that change by themselves, between their reports: what the clock does with them, and who is told."""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from rahdari.apply.models import Endpoint
from rahdari.dyndns import actions as lease
from rahdari.dyndns import queries as leases
from rahdari.dyndns.models import Lease
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register.models import Registration

from .step import AT_ONCE, one_item


def tie_hosts(endpoints: Iterable[Endpoint], registration: Registration, *, now: dt.datetime) -> None:
    """The connections of an application that was granted: what they report is listed from now on."""
    dynamic = [endpoint.connection for endpoint in endpoints if endpoint.is_dynamic]
    for host in leases.hosts_by_subject(dynamic).values():
        lease.list_leases(host=lease.tie(host=host, registration=registration, now=now), now=now)


def close_hosts_but(
    endpoints: Iterable[Endpoint], registration: Registration, *, until: dt.datetime, now: dt.datetime
) -> None:
    """Connections that the holder has taken out of the registration: nothing more is listed for them."""
    kept = {endpoint.connection for endpoint in endpoints if endpoint.is_dynamic}
    for host in list(leases.hosts_of(registration)):
        if host.subject not in kept:
            lease.close(host=host, actor="system:line", now=now)
            for each in leases.leases_of(host):
                if each.entry is not None and each.entry.ended_at is None:
                    register.retire_entry(entry=each.entry, until=until, actor="system:line", now=now)


def take_proved_claims(now: dt.datetime) -> int:
    """Addresses that were reported from elsewhere, and are proved now."""
    return lease.take_proved_claims(now=now, limit=AT_ONCE)


def tell_of_silence(now: dt.datetime) -> int:
    """Leases that ran out: the holder is told once, and the address stays until the grace is over."""
    told = 0
    for each in list(leases.leases_to_tell_of(now=now)[:AT_ONCE]):
        with one_item(f"lease:{each.pk}"):
            if lease.mark_told(lease=each, now=now):
                _write(each, "lease_ran_out", f"silent:{each.reported_at.isoformat()}", now)
                told += 1
    return told


def end_entries_due(now: dt.datetime) -> int:
    """Entries whose own time is over: addresses that were left, leases whose grace is over."""
    return register.end_entries_due(now=now, limit=AT_ONCE)


def tell_of_lapses(now: dt.datetime) -> int:
    """Leases whose address is not listed any more: the holder is told, and the next report lists the new one."""
    told = 0
    for each in list(leases.leases_lapsed()[:AT_ONCE]):
        with one_item(f"lease:{each.pk}"):
            _write(each, "lease_ended", f"lapsed:{each.entry_id}", now)
            lease.let_go(lease=each, now=now)
            told += 1
    return told


def forget_reports(now: dt.datetime) -> int:
    """Reports are kept for as long as the policy says."""
    return lease.forget_reports(now=now)


def _write(each: Lease, template: str, once: str, now: dt.datetime) -> None:
    registration, entry = each.host.registration, each.entry
    if registration is None or entry is None:
        return
    for person in people.people_to_tell(registration.holder):
        letters.write_once(
            to=person,
            template=template,
            about=f"registration:{registration.pk}",
            once=f"lease:{each.pk}:{once}",
            context={
                "registration": registration.reference,
                "address": str(each.network.network_address),
                "reported_at": each.reported_at,
                "until": entry.valid_until,
                "url": reverse("portal:changing", args=[registration.reference, each.host_id]),
            },
            now=now,
        )
