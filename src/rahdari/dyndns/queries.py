"""Reads of connections. The gatekeeper is `host_of`: a connection is found by its registration or endpoint only."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from rahdari import policy as policies
from rahdari.policy import DyndnsRules
from rahdari.register.models import Entry, Registration
from rahdari.vault import index

from . import rules
from .models import AddressClaim, AddressReport, DynamicHost, ReportedAddress, UpdateToken

SHOWN = "dyndns.token"


def rules_in_force() -> DyndnsRules:
    return policies.current(settings.POLICY_FILE).dyndns


def host_by_subject(subject: str) -> DynamicHost | None:
    return DynamicHost.objects.filter(subject=subject).first()


def host_by_id(id: str) -> DynamicHost | None:
    """The connection that a row of the journal names. For rooms above: no visitor stands behind it."""
    return DynamicHost.objects.select_related("registration").filter(pk=id).first()


def hosts_by_subject(subjects: Iterable[str]) -> dict[str, DynamicHost]:
    return {host.subject: host for host in DynamicHost.objects.filter(subject__in=list(subjects))}


def host_of(registration: Registration, id: uuid.UUID) -> DynamicHost | None:
    """A connection of this registration; None for any other."""
    return DynamicHost.objects.filter(registration=registration, pk=id).first()


def hosts_of(registration: Registration) -> QuerySet[DynamicHost]:
    return DynamicHost.objects.filter(registration=registration, closed_at__isnull=True).order_by("made_at", "id")


def token_index(token: str) -> str:
    return index.blind(SHOWN, token)


def token_shown(token: str) -> UpdateToken | None:
    """The token that was shown, with its connection; None when it was never given out."""
    plain = rules.token_shape(token)
    if not plain:
        return None
    return UpdateToken.objects.select_related("host__registration").filter(index=token_index(plain)).first()


def tokens_of(host: DynamicHost, *, now: dt.datetime) -> QuerySet[UpdateToken]:
    """Those that work, newest first."""
    return (
        UpdateToken.objects.filter(host=host).filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now)).order_by("-made_at")
    )


def reported_addresses_of(host: DynamicHost) -> list[ReportedAddress]:
    return list(ReportedAddress.objects.filter(host=host).select_related("entry").order_by("family"))


def reported_address_of(entry: Entry) -> ReportedAddress | None:
    """The reported address that has this entry listed; None for an address that was left, or a fixed one."""
    return ReportedAddress.objects.filter(entry=entry).select_related("host").first()


def reported_among(entries: Collection[Entry]) -> set[uuid.UUID]:
    """Of these entries, those of a reported address: the others were left, and stay for the overlap."""
    return set(ReportedAddress.objects.filter(entry__in=entries).values_list("entry", flat=True)) if entries else set()


def reports_of(host: DynamicHost) -> QuerySet[AddressReport]:
    return AddressReport.objects.filter(host=host).order_by("-last_at", "-id")


def claims_waiting(*, host: DynamicHost | None = None) -> QuerySet[AddressClaim]:
    found = AddressClaim.objects.filter(closed_at__isnull=True).select_related("host__registration")
    return (found.filter(host=host) if host is not None else found).order_by("at", "id")


def silent_to_notify(*, now: dt.datetime) -> QuerySet[ReportedAddress]:
    """Expired addresses of registered connections whose holder was not notified, the longest silent first."""
    return (
        ReportedAddress.objects.filter(notified_at__isnull=True)
        .filter(Q(until__lte=now) | Q(rival_until__lte=now))
        .filter(host__registration__isnull=False, host__closed_at__isnull=True)
        .filter(host__registration__struck_out_at__isnull=True, host__registration__expired_at__isnull=True)
        .filter(Q(host__paused_until__isnull=True) | Q(host__paused_until__lte=now))
        .exclude(entry=None)
        .select_related("host__registration", "entry")
        .order_by("until", "id")
    )


def lapsed_addresses() -> QuerySet[ReportedAddress]:
    """Reported addresses whose entry has ended on its own: the grace is over, or a rival has the address."""
    return (
        ReportedAddress.objects.filter(entry__ended_at__isnull=False, host__closed_at__isnull=True)
        .filter(host__registration__struck_out_at__isnull=True, host__registration__expired_at__isnull=True)
        .select_related("host__registration", "entry")
        .order_by("until", "id")
    )


def reports_to_forget(*, now: dt.datetime) -> QuerySet[AddressReport]:
    return AddressReport.objects.filter(last_at__lt=now - rules_in_force().updates_kept)


@dataclass(frozen=True)
class Counts:
    """Registered connections, for whoever runs it: of how many the address is reported, of how many it is not any more
    and still listed (silent), or not listed (off); those that were paused say nothing. Each counts once."""

    reporting: int
    silent: int
    off: int
    paused: int
    last_report: dt.datetime | None

    @property
    def all(self) -> int:
        return self.reporting + self.silent + self.off + self.paused


def counts(*, now: dt.datetime) -> Counts:
    """A connection with addresses of both families counts as its better one."""
    hosts = DynamicHost.objects.filter(registration__isnull=False, closed_at__isnull=True)
    hosts = hosts.filter(registration__struck_out_at__isnull=True, registration__expired_at__isnull=True)
    addresses = ReportedAddress.objects.filter(host__in=hosts)
    paused = set(hosts.filter(paused_until__gt=now).values_list("pk", flat=True))
    reporting = set(addresses.filter(until__gt=now).values_list("host", flat=True)) - paused
    listed = addresses.filter(until__lte=now, entry__isnull=False, entry__ended_at__isnull=True)
    silent = set(listed.values_list("host", flat=True)) - paused - reporting
    known = set(hosts.values_list("pk", flat=True))
    return Counts(
        reporting=len(reporting),
        silent=len(silent),
        off=len(known - paused - reporting - silent),
        paused=len(paused),
        last_report=addresses.aggregate(last=Max("reported_at"))["last"],
    )


def reported_entries() -> QuerySet[ReportedAddress, uuid.UUID | None]:
    """The entries of the reported addresses of open connections, ended ones too."""
    return ReportedAddress.objects.filter(entry__isnull=False, host__closed_at__isnull=True).values_list(
        "entry", flat=True
    )


def all_hosts_of(registration: Registration) -> QuerySet[DynamicHost]:
    """Every connection that a registration ever had."""
    return DynamicHost.objects.filter(registration=registration)
