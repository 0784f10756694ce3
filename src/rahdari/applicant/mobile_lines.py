"""The mobile line of an application or a registration, for its pages: whose SIM, since when, in force or not."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
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


def standing_of(registration: Registration, entries: Iterable[Entry]) -> publish.OperatorStanding:
    """Where a registration stands at operators: its addresses in the feed, or its line on its own operator's list. One
    that is paused or suspended is with none."""
    return standings_of({"": (registration, entries)})[""]


def standings_of[K](groups: Mapping[K, tuple[Registration, Iterable[Entry]]]) -> dict[K, publish.OperatorStanding]:
    """The same for many, in as many queries as for one."""
    lines: dict[object, list[MobileLine]] = defaultdict(list)
    listed = [registration for registration, _ in groups.values() if registration.suspended_at is None]
    for each in lines_of(*listed) if listed else ():
        if each.line.leaves_at is None:
            lines[each.line.registration_id].append(each)
    found, in_feed = {}, {}
    for key, (registration, entries) in groups.items():
        if registration.suspended_at is not None:
            found[key] = publish.OperatorStanding(None, None, [], 0)
        elif of_it := lines.get(registration.pk):
            found[key] = _on_their_lists(of_it)
        else:
            in_feed[key] = entries
    return found | publish.standings_of(in_feed)


def _on_their_lists(lines: list[MobileLine]) -> publish.OperatorStanding:
    in_force = [publish.InForce(each.operator, each.applied_at) for each in lines if each.applied_at is not None]
    listed = [each.listed_at for each in lines if each.listed_at is not None]
    return publish.OperatorStanding(max(each.line.last_sequence for each in lines), max(listed), in_force, len(lines))
