"""From decide to register: grants are entered, or go back to an officer."""

import datetime as dt

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.decide import actions as decide
from rahdari.decide import queries as decisions
from rahdari.decide.models import Decision
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry

from .step import AT_ONCE, one_item


def enter_grants(now: dt.datetime) -> int:
    """Grants that are not on the register yet. One that another holder has overtaken goes back to an officer."""
    moved = 0
    for decision in list(decisions.grants_not_entered()[:AT_ONCE]):
        application = decision.case.application
        with one_item(application.subject):
            until = decision.provisional_until
            try:
                registration = register.enter(
                    origin=application.subject,
                    holder=application.holder_ref,
                    category=application.service,
                    endpoints=[
                        NewEntry(
                            origin=endpoint.subject,
                            block=endpoint.network,
                            protocol=endpoint.protocol,
                            port=endpoint.port,
                            asn=endpoint.asn,
                        )
                        for endpoint in applications.endpoints_of(application)
                    ],
                    valid_from=decision.at,
                    valid_until=until or term_from(decision.at, application),
                    provisional_code=decision.provisional_codes[0] if until else "",
                    actor=decision.decided_by,
                    now=now,
                )
                registration = _as_decided(decision, registration, now)
            except register.BlockAlreadyEntered:
                decide.return_grant(decision=decision, why="already_entered", now=now)
            except register.NotValid:
                decide.return_grant(decision=decision, why="registration_ended", now=now)
            else:
                decide.mark_entered(decision=decision, registration=registration, now=now)
            moved += 1
    return moved


def _as_decided(decision: Decision, registration: Registration, now: dt.datetime) -> Registration:
    """A registration that stood provisionally while an officer decided anew: the same number goes on."""
    actor = decision.decided_by
    if not registration.is_provisional:
        return registration
    if decision.provisional_until is None:
        until = full_term(decision.case.application, registration)
        return register.confirm_registration(registration=registration, valid_until=until, actor=actor, now=now)
    return register.prolong_provisional(
        registration=registration, until=decision.provisional_until, actor=actor, now=now
    )


def full_term(application: Application, registration: Registration) -> dt.datetime:
    """The end of the term that the registration has, or would have had from its first day."""
    return term_from(registration.valid_from, application)


def term_from(start: dt.datetime, application: Application) -> dt.datetime:
    """The months of the service; not longer than the certificate that the registration rests on."""
    service = applications.frozen_policy(application).services[application.service]
    until = months_later(start, service.validity_months)
    last_day = applications.certified_until(application)
    return until if last_day is None else min(until, last_day)


def months_later(start: dt.datetime, months: int) -> dt.datetime:
    """The same day and time some months on; the last day of the month when it has no such day."""
    index = start.month - 1 + months
    year, month = start.year + index // 12, index % 12 + 1
    first_of_next = dt.date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_of_next - dt.timedelta(days=1)).day
    return start.replace(year=year, month=month, day=min(start.day, last_day))
