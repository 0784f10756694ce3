"""The mobile line of an application or a registration, for its pages: whose SIM, since when, in force or not."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from rahdari.apply.models import Application
from rahdari.mobile import queries
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import MobileState
from rahdari.publish import queries as publish
from rahdari.register.models import Entry, Registration


@dataclass(frozen=True)
class MobileLine:
    line: MobileNumber
    operator: str
    listed_at: dt.datetime | None
    applied_at: dt.datetime | None

    @property
    def is_known(self) -> bool:
        """Whether the operator has its own word for it; until then it knows it by the number of the check."""
        return bool(self.line.reference)


def operator_name(slug: str) -> str:
    operator = publish.operator_by_slug(slug)
    return operator.name if operator is not None else slug


def line_for(application: Application) -> MobileNumber | None:
    """The line that an application is about; of a renewal or a change the one that its registration has."""
    found = queries.line_of(application.subject)
    if found is None and application.registration is not None:
        found = queries.staying_lines(application.registration).first()
    return found


def is_ready(application: Application) -> bool:
    """Whether the number is confirmed by its code and its operator asked: the application can be sent."""
    line = line_for(application)
    return line is not None and line.state in {MobileState.ASKED, MobileState.KNOWN, MobileState.DENIED}


def lines_of(registration: Registration) -> list[MobileLine]:
    found = []
    for line in queries.lines_of(registration):
        stands = queries.in_force(line)
        found.append(MobileLine(line, operator_name(line.operator), stands.listed_at, stands.applied_at))
    return found


def standing_of(registration: Registration, entries: Iterable[Entry]) -> publish.OperatorStanding:
    """Where a registration stands at operators: its addresses in the feed, or its line on its own operator's list. One
    that is paused or suspended is with none."""
    if registration.suspended_at is not None:
        return publish.OperatorStanding(None, None, [], 0)
    lines = [each for each in lines_of(registration) if each.line.leaves_at is None]
    if not lines:
        return publish.standing_of(entries)
    in_force = [publish.InForce(each.operator, each.applied_at) for each in lines if each.applied_at is not None]
    listed = [each.listed_at for each in lines if each.listed_at is not None]
    return publish.OperatorStanding(max(each.line.last_sequence for each in lines), max(listed), in_force, len(lines))
