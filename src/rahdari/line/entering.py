"""From decide to register: grants are entered, or go back to an officer."""

import datetime as dt

from rahdari.apply import queries as applications
from rahdari.decide import actions as decide
from rahdari.decide import queries as decisions
from rahdari.register import actions as register
from rahdari.register.rules import NewEntry

from .step import AT_ONCE, one_item


def enter_grants(now: dt.datetime) -> int:
    """Grants that are not on the register yet. One that another holder has overtaken goes back to an officer."""
    moved = 0
    for decision in list(decisions.grants_not_entered()[:AT_ONCE]):
        application = decision.case.application
        with one_item(application.subject):
            policy = applications.frozen_policy(application)
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
                    valid_until=months_later(decision.at, policy.services[application.service].validity_months),
                    actor=decision.decided_by,
                    now=now,
                )
            except register.BlockAlreadyEntered:
                decide.return_grant(decision=decision, why="already_entered", now=now)
            else:
                decide.mark_entered(decision=decision, registration=registration, now=now)
            moved += 1
    return moved


def months_later(start: dt.datetime, months: int) -> dt.datetime:
    """The same day and time some months on; the last day of the month when it has no such day."""
    index = start.month - 1 + months
    year, month = start.year + index // 12, index % 12 + 1
    first_of_next = dt.date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_of_next - dt.timedelta(days=1)).day
    return start.replace(year=year, month=month, day=min(start.day, last_day))
