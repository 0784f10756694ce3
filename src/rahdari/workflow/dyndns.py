"""Addresses that change by themselves, between their reports: what the clock does with them, and who is told."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.urls import reverse

from rahdari.apply.models import Endpoint
from rahdari.archive.actions import Box
from rahdari.db.queues import each_of
from rahdari.dyndns import hosts, reporting
from rahdari.dyndns import queries as dyndns_queries
from rahdari.dyndns.models import ReportedAddress
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import address_changes
from rahdari.register.models import Entry, Registration

from .step import AN_HOUR, Place, Step


def tie_hosts(endpoints: Iterable[Endpoint], registration: Registration, *, now: dt.datetime) -> None:
    """The connections of an application that was granted: what they report is listed from now on."""
    dynamic = [endpoint.connection for endpoint in endpoints if endpoint.is_dynamic]
    for host in dyndns_queries.hosts_by_subject(dynamic).values():
        reporting.list_reported(host=hosts.tie(host=host, registration=registration, now=now), now=now)


def close_hosts_but(
    endpoints: Iterable[Endpoint], registration: Registration, *, until: dt.datetime, now: dt.datetime
) -> None:
    """Connections that the holder has taken out of the registration: nothing more is listed for them."""
    kept = {endpoint.connection for endpoint in endpoints if endpoint.is_dynamic}
    for host in list(dyndns_queries.hosts_of(registration)):
        if host.subject not in kept:
            hosts.close(host=host, actor="system:workflow", now=now)
            for each in dyndns_queries.reported_addresses_of(host):
                if each.entry is not None and each.entry.ended_at is None:
                    address_changes.retire_entry(entry=each.entry, until=until, actor="system:workflow", now=now)


@each_of(dyndns_queries.silent_to_notify)
def notify_of_silence(silent: ReportedAddress, now: dt.datetime) -> bool:
    """Addresses that are not reported any more: notify the holder once; the address stays until the grace is over."""
    first = reporting.mark_notified(reported=silent, now=now)
    if first:
        _write(silent, "dyndns_silent", f"silent:{silent.reported_at.isoformat()}", now)
    return first


@each_of(dyndns_queries.lapsed_addresses)
def notify_of_lapses(lapsed: ReportedAddress, now: dt.datetime) -> None:
    """Addresses that are not listed any more: notify the holder; the next report lists the new one."""
    _write(lapsed, "dyndns_ended", f"lapsed:{lapsed.entry_id}", now)
    reporting.drop_lapsed(reported=lapsed, now=now)


def _write(each: ReportedAddress, template: str, once: str, now: dt.datetime) -> None:
    registration, entry = each.host.registration, each.entry
    if registration is None or entry is None:
        return
    for person in people.people_to_notify(registration.holder):
        letters.write_once(
            to=person,
            template=template,
            about=f"registration:{registration.pk}",
            once=f"dyndns:{each.pk}:{once}",
            context={
                "registration": registration.reference,
                "address": str(each.network.network_address),
                "reported_at": each.reported_at,
                "until": entry.valid_until,
                "url": reverse("portal:changing", args=[registration.reference, each.host_id]),
            },
            now=now,
        )


def forget_holder(*, registration: Registration, box: Box) -> list[str]:
    return list(hosts.erase(hosts=dyndns_queries.all_hosts_of(registration), box=box))


def let_go(*, entry: Entry) -> None:
    hosts.drop_closed(entry=entry)


def erase_asked(*, subjects: Sequence[str], box: Box) -> list[str]:
    """Of connections that came to nothing. Gives the subjects under which they claimed addresses."""
    asked = dyndns_queries.hosts_by_subject(subjects).values()
    return list(hosts.erase(hosts=[host for host in asked if host.registration_id is None], box=box))


entries_needed = dyndns_queries.reported_entries
STEPS = {
    Place.ENTRIES: (
        Step("dyndns: take proved claims", reporting.take_proved_claims),
        Step("dyndns: tell of silence", notify_of_silence, clock=True),
    ),
    Place.LAST: (
        Step("dyndns: tell of lapses", notify_of_lapses, clock=True),
        Step("dyndns: forget reports", reporting.forget_reports, rests=AN_HOUR),
    ),
}
