"""A registered connection that is cut, reported by its holder on the page."""

import datetime as dt
from typing import Any

from rahdari.incident import actions
from rahdari.incident.models import Report
from rahdari.incident.rules import Channel
from rahdari.register import queries as register
from rahdari.register.models import Registration


def a_report(registration: Registration, now: dt.datetime, *, place: int = 0, **facts: Any) -> Report:
    """Of the connection that stands at this `place` among its addresses."""
    entry = register.own_entries_of(registration).order_by("block")[place]
    given = {"channel": Channel.PAGE, "sees": "nothing", "own_side": "on", "actor": "person:holder"} | facts
    return actions.report(registration=registration, entry=entry, now=now, **given)
