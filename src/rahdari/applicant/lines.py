"""How a registration stands at operators: its addresses in the feed, or its mobile lines on their operators' lists; and
these lines, where the installation has the room for them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rahdari import optional
from rahdari.apply.models import Application
from rahdari.publish import queries as publish
from rahdari.register.models import Entry, Registration


def operator_name(slug: str) -> str:
    operator = publish.operator_by_slug(slug)
    return operator.name if operator is not None else slug


def line_for(application: Application) -> Any:
    """The `MobileNumber` that an application is about; of a renewal or a change the one that its registration has."""
    return optional.ask(__package__, "line_for", application)


def is_ready(application: Application) -> bool:
    """Whether the number is confirmed by its code and its operator asked: the application can be sent."""
    return bool(optional.ask(__package__, "is_ready", application))


def lines_of(registration: Registration) -> list[Any]:
    """Each with its operator's name and its days, as a `MobileLine`."""
    return optional.ask(__package__, "lines_of", registration) or []


def count_of(registration: Registration) -> int | None:
    """How many mobile lines it is for; None for one that is for addresses."""
    found: int | None = optional.ask(__package__, "count_of", registration)
    return found


def standing_of(registration: Registration, entries: Iterable[Entry]) -> publish.OperatorStanding:
    """Where a registration stands at operators. One that is paused or suspended is with none."""
    return standings_of({"": (registration, entries)})[""]


def standings_of[K](groups: Mapping[K, tuple[Registration, Iterable[Entry]]]) -> dict[K, publish.OperatorStanding]:
    """The same for many, in as many queries as for one."""
    listed = {key: each for key, (each, _) in groups.items() if each.suspended_at is None}
    found = {key: publish.OperatorStanding(None, None, [], 0) for key in groups.keys() - listed.keys()}
    found |= optional.joined(__package__, "on_lists", listed)
    return found | publish.standings_of({key: groups[key][1] for key in groups.keys() - found.keys()})
