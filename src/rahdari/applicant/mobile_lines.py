"""The mobile line of an application or a registration, for its pages: whose SIM, since when, in force or not."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rahdari.apply.models import Application
from rahdari.mobile import queries
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import Left, MobileState
from rahdari.publish import queries as publish
from rahdari.register.models import Registration


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


def lines_of(*registrations: Registration) -> list[MobileLine]:
    lines = list(queries.lines_of(*registrations))
    if not lines:
        return []
    stands = queries.all_in_force(lines)
    names = {each.slug: each.name for each in publish.operators().filter(slug__in={line.operator for line in lines})}
    return [
        MobileLine(line, names.get(line.operator, line.operator), stands[line.pk].listed_at, stands[line.pk].applied_at)
        for line in lines
    ]


def on_lists[K](groups: Mapping[K, Registration]) -> dict[K, publish.OperatorStanding]:
    """How those of these registrations stand that have lines: on their own operator's list. Those that are paused or
    suspended are on none."""
    lines: dict[object, list[MobileLine]] = defaultdict(list)
    for each in lines_of(*groups.values()) if groups else ():
        if each.line.leaves_at is None:
            lines[each.line.registration_id].append(each)
    return {key: _on_their_lists(of_it) for key, each in groups.items() if (of_it := lines.get(each.pk))}


def _on_their_lists(lines: list[MobileLine]) -> publish.OperatorStanding:
    in_force = [publish.InForce(each.operator, each.applied_at) for each in lines if each.applied_at is not None]
    listed = [each.listed_at for each in lines if each.listed_at is not None]
    return publish.OperatorStanding(max(each.line.last_sequence for each in lines), max(listed), in_force, len(lines))


def count_of(registration: Registration) -> int | None:
    """How many lines it is for; None for one that is for addresses."""
    return queries.lines_of(registration).count() if queries.has_lines(registration) else None


def is_left(registration: Registration) -> bool:
    """Whether an operator said of its last line that it is no longer the holder's."""
    last = queries.last_line_of(registration)
    return last is not None and last.leave_reason in set(Left)
