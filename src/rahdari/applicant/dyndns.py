"""A connection whose address changes by itself: how it stands, what was reported, how long it may be silent."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.dyndns import hosts, queries, rules
from rahdari.dyndns.models import AddressReport, DynamicHost, ReportedAddress
from rahdari.dyndns.rules import By, ReportOutcome

from . import router_settings

REPORTS_SHOWN = 20
PRESSES, PER_SECONDS = 20, 600
OLD_TOKEN_LASTS = dt.timedelta(hours=24)
LONGEST_PAUSE = dt.timedelta(days=90)


class WrongDay(ValueError):
    """With the words for it."""


@dataclass(frozen=True)
class ConnectionRow:
    """One line of what was reported, in words."""

    report: AddressReport
    who: str
    what: str
    tone: str


def row_of(report: AddressReport) -> ConnectionRow:
    who = {
        By.ROUTER: _("Router"),
        By.PROGRAM: _("Computer"),
        By.PAGE: _("You, on this page"),
        By.LINK: _("A proof"),
    }[By(report.by)]
    tone, what = {
        ReportOutcome.CHANGED: ("info", _("Changed")),
        ReportOutcome.SAME: ("ok", _("Same address, no change")),
        ReportOutcome.NOT_PUBLIC: ("bad", _("Not accepted: this is not a public address")),
        ReportOutcome.NOT_PROVED: ("warn", _("Not yet: it was reported from elsewhere, and is not proved")),
        ReportOutcome.TOO_OFTEN: ("warn", _("Not accepted: too many changes in a short time")),
        ReportOutcome.RIVAL: ("warn", _("Not yet: another holder reports this address too")),
        ReportOutcome.HELD: ("bad", _("Not accepted: the address is registered to another holder")),
        ReportOutcome.YOURS: ("warn", _("Not accepted: you have already registered it")),
        ReportOutcome.OLD_TOKEN: ("bad", _("Not accepted: an old password")),
    }[ReportOutcome(report.outcome)]
    return ConnectionRow(report, who, what, tone)


@dataclass(frozen=True)
class ConnectionStatus:
    """State of the connection: `current` | `silent` | `off` | `paused` | `unheard`."""

    state: str
    reported: list[ReportedAddress]

    @property
    def addresses(self) -> list[str]:
        return [format_block(each.network) for each in self.reported]


def status_of(host: DynamicHost, now: dt.datetime) -> ConnectionStatus:
    addresses = [
        each for each in queries.reported_addresses_of(host) if each.entry is not None and each.entry.ended_at is None
    ]
    if not addresses:
        return ConnectionStatus(
            "off" if queries.reports_of(host).filter(outcome__in=rules.TAKEN).exists() else "unheard", []
        )
    if any(not rules.has_run_out(until=each.until, rival_until=each.rival_until, now=now) for each in addresses):
        return ConnectionStatus("current", addresses)
    paused = host.paused_until is not None and host.paused_until > now
    return ConnectionStatus("paused" if paused else "silent", addresses)


def host_name(host: DynamicHost) -> str:
    """As clients want one: in full."""
    return router_settings.fqdn(host.name, settings.SITE_URL, settings.DDNS_DOMAIN)


def end_of_pause(day: dt.date | None, now: dt.datetime) -> dt.datetime:
    """When a pause until this day is over. Raises WrongDay."""
    today = timezone.localdate(now)
    if day is None or not today < day <= today + LONGEST_PAUSE:
        words = _("Enter a date within the next 90 days, for example %(day)s.")
        raise WrongDay(words % {"day": today + dt.timedelta(days=7)})
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


# -- what other use cases ask for --------------------------------------------------------------------------------------

hosts_of, reported_among, reported_address_of = queries.hosts_of, queries.reported_among, queries.reported_address_of
make_host = hosts.make_host


def is_reported(subject: str, now: dt.datetime) -> bool:
    host = queries.host_by_subject(subject)
    return host is not None and any(each.until > now for each in queries.reported_addresses_of(host))
