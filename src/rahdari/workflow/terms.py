"""How long what is granted lasts."""

import datetime as dt

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.calendar import queries as calendars
from rahdari.policy import Policy, due_at
from rahdari.register.models import Registration


def full_term(application: Application, registration: Registration) -> dt.datetime:
    """The end of the term that the registration has, or would have had from its first day."""
    return term_from(registration.valid_from, application)


def term_from(start: dt.datetime, application: Application) -> dt.datetime:
    """The months of the service; not longer than the certificate that the registration rests on."""
    service = applications.frozen_policy(application).services[application.service]
    until = months_later(start, service.validity_months)
    last_day = applications.certified_until(application)
    return until if last_day is None else min(until, last_day)


def grace_of(policy: Policy, valid_until: dt.datetime) -> dt.datetime | None:
    """Until when the entries stay after the term; None when the policy lets them end with it."""
    if policy.renewal.in_grace != "stays":
        return None
    return due_at(started_at=valid_until, allowance=policy.renewal_grace, calendar=calendars.in_force())


def months_later(start: dt.datetime, months: int) -> dt.datetime:
    """The same day and time some months on; the last day of the month when it has no such day."""
    index = start.month - 1 + months
    year, month = start.year + index // 12, index % 12 + 1
    first_of_next = dt.date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_of_next - dt.timedelta(days=1)).day
    return start.replace(year=year, month=month, day=min(start.day, last_day))
