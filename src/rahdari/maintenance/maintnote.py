"""Notices in the format of the field: BCOP maintnote, which is iCalendar with properties of its own. Pure.

Written so that any calendar, and the readers of networks' inventories, take them: one notice is for one consumer with
that consumer's objects alone; the account is always there; the impact is said of each object and of all, because a
reader ignores the first where there is one object; times are UTC; METHOD is left out. `read` takes what operators' own
programs send, and says of what it does not take how to mend it.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from icalendar import Calendar, Event
from icalendar.prop import vCalAddress, vText

from .rules import Component, Impact, LineFault, LineTrouble, Status, read_component, worst

MEDIA = "text/calendar; charset=utf-8"
# For a calendar program: an event that is off is shown as off.
SHOWN_AS = {Status.TENTATIVE: "TENTATIVE", Status.CANCELLED: "CANCELLED"}
LARGEST = 256 * 1024
MOST_EVENTS = 100
LONGEST_ID = 120
# By these an event is at several times, or one of several. Work has one window.
RECURRING = ("RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID")
# So many objects that cannot be read are named; all are counted.
MOST_NAMED = 5


@dataclass(frozen=True)
class Note:
    """One notice to one consumer. `objects`: what is affected, and how."""

    uid: str
    maintenance_id: str
    sequence: int
    account: str
    provider: str
    organiser: str
    email: str
    status: Status
    starts_at: dt.datetime
    ends_at: dt.datetime
    stamped_at: dt.datetime
    objects: Mapping[str, Impact]
    summary: str
    description: str = ""
    url: str = ""


def write(notes: Iterable[Note], *, name: str = "") -> bytes:
    """A calendar of these, as a file. `name` is what a calendar program calls it."""
    calendar = Calendar()
    calendar.add("PRODID", "-//Rahdari//Planned work//EN")
    calendar.add("VERSION", "2.0")
    if name:
        calendar.add("NAME", name)
        calendar.add("X-WR-CALNAME", name)
        calendar.add("REFRESH-INTERVAL", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for note in notes:
        calendar.add_component(_event(note))
    content: bytes = calendar.to_ical()
    return content


def _event(note: Note) -> Event:
    event = Event()
    event.add("UID", note.uid)
    event.add("SEQUENCE", note.sequence)
    event.add("DTSTAMP", note.stamped_at.astimezone(dt.UTC))
    event.add("DTSTART", note.starts_at.astimezone(dt.UTC))
    event.add("DTEND", note.ends_at.astimezone(dt.UTC))
    event.add("SUMMARY", note.summary)
    if note.description:
        event.add("DESCRIPTION", note.description)
    if note.url:
        event.add("URL", note.url)
    event.add("STATUS", SHOWN_AS.get(note.status, "CONFIRMED"))
    event.add("TRANSP", "TRANSPARENT")
    organiser = vCalAddress(f"mailto:{note.email}")
    organiser.params["CN"] = note.organiser
    event.add("ORGANIZER", organiser)
    event.add("X-MAINTNOTE-PROVIDER", note.provider)
    event.add("X-MAINTNOTE-ACCOUNT", note.account)
    event.add("X-MAINTNOTE-MAINTENANCE-ID", note.maintenance_id)
    for name, impact in note.objects.items():
        event.add("X-MAINTNOTE-OBJECT-ID", vText(name), parameters={"X-MAINTNOTE-OBJECT-IMPACT": str(impact)})
    event.add("X-MAINTNOTE-IMPACT", str(worst(note.objects.values())))
    event.add("X-MAINTNOTE-STATUS", str(note.status))
    return event


# -- what operators send -------------------------------------------------------------------------------------------


class Fault(StrEnum):
    TOO_LARGE = "too_large"
    NO_CALENDAR = "no_calendar"
    NO_EVENT = "no_event"
    TOO_MANY = "too_many"
    MISSING = "missing"
    TWICE = "twice"
    TIME = "time"
    NO_ZONE = "no_zone"
    SEQUENCE = "sequence"
    STATUS = "status"
    IMPACT = "impact"
    OBJECT = "object"
    LONG_ID = "long_id"
    RECURS = "recurs"
    TWO_WORDS = "two_words"


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a file or one of its events (from 1; 0: with all of it), and at which property. `given`, as it
    was written; `count` of them are wrong; `meant`: what one may have been meant to be."""

    fault: Fault
    event: int = 0
    name: str = ""
    given: str = ""
    count: int = 1
    meant: str = ""


@dataclass(frozen=True)
class Sent:
    """One notice as it was sent, with nothing of it held against what is registered."""

    own_id: str
    sequence: int
    account: str
    status: Status
    starts_at: dt.datetime
    ends_at: dt.datetime
    components: tuple[Component, ...]
    summary: str


def read(content: bytes) -> list[Sent | Trouble] | Trouble:
    """The notices of a file, one by one; a Trouble alone where there is nothing to read."""
    if len(content) > LARGEST:
        return Trouble(Fault.TOO_LARGE)
    try:
        calendars = Calendar.from_ical(content, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return Trouble(Fault.NO_CALENDAR)
    events = [event for each in calendars if each.name == "VCALENDAR" for event in each.walk("VEVENT")]
    if not events:
        return Trouble(Fault.NO_EVENT if calendars else Fault.NO_CALENDAR)
    if len(events) > MOST_EVENTS:
        return Trouble(Fault.TOO_MANY)
    found: list[Sent | Trouble] = []
    said: dict[tuple[str, int], Sent] = {}
    for number, event in enumerate(events, 1):
        read = _read(event, number)
        if isinstance(read, Sent) and said.setdefault((read.own_id, read.sequence), read) != read:
            read = Trouble(Fault.TWO_WORDS, number, "SEQUENCE", read.own_id)
        found.append(read)
    return found


def _read(event: Any, number: int) -> Sent | Trouble:
    wanted = ("X-MAINTNOTE-MAINTENANCE-ID", "X-MAINTNOTE-ACCOUNT", "X-MAINTNOTE-STATUS", "X-MAINTNOTE-OBJECT-ID")
    for name in (*wanted, "DTSTART", "DTEND", "SEQUENCE"):
        if name not in event:
            return Trouble(Fault.MISSING, number, name)
        if isinstance(event[name], list) and name != "X-MAINTNOTE-OBJECT-ID":
            return Trouble(Fault.TWICE, number, name)
    for name in RECURRING:
        if name in event:
            return Trouble(Fault.RECURS, number, name)
    own_id, account = _text(event["X-MAINTNOTE-MAINTENANCE-ID"]), _text(event["X-MAINTNOTE-ACCOUNT"])
    if not own_id:
        return Trouble(Fault.MISSING, number, "X-MAINTNOTE-MAINTENANCE-ID")
    if len(own_id) > LONGEST_ID:
        return Trouble(Fault.LONG_ID, number, "X-MAINTNOTE-MAINTENANCE-ID", own_id[:LONGEST_ID])
    status = _text(event["X-MAINTNOTE-STATUS"]).upper()
    if status not in set(Status):
        return Trouble(Fault.STATUS, number, "X-MAINTNOTE-STATUS", status[:60])
    written = _text(event["SEQUENCE"])
    if not re.fullmatch(r"[0-9]{1,9}", written):
        return Trouble(Fault.SEQUENCE, number, "SEQUENCE", written[:60])
    times = [_time(event, name, number) for name in ("DTSTART", "DTEND")]
    for time in times:
        if isinstance(time, Trouble):
            return time
    components = _components(event, number)
    if isinstance(components, Trouble):
        return components
    starts_at, ends_at = (time for time in times if not isinstance(time, Trouble))
    summary = " ".join(_text(event.get("SUMMARY", "")).split())
    return Sent(own_id, int(written), account, Status(status), starts_at, ends_at, components, summary)


def _text(value: Any) -> str:
    return str(value).strip().replace("\0", "")


def _time(event: Any, name: str, number: int) -> dt.datetime | Trouble:
    try:
        value = event[name].dt
    except (AttributeError, ValueError):
        value = None
    if not isinstance(value, dt.datetime):
        return Trouble(Fault.TIME, number, name, _text(event[name])[:60])
    # Readers take a time without a zone for UTC, people for their own: it is said, and not guessed.
    return value.astimezone(dt.UTC) if value.tzinfo is not None else Trouble(Fault.NO_ZONE, number, name)


def _components(event: Any, number: int) -> tuple[Component, ...] | Trouble:
    listed = event["X-MAINTNOTE-OBJECT-ID"]
    objects: Sequence[Any] = listed if isinstance(listed, list) else [listed]
    overall = _text(event.get("X-MAINTNOTE-IMPACT", "")).upper()
    found, wrong = [], []
    for each in objects:
        given = str(getattr(each, "params", {}).get("X-MAINTNOTE-OBJECT-IMPACT", "")).upper() or overall
        if given not in set(Impact):
            return Trouble(Fault.IMPACT if given else Fault.MISSING, number, "X-MAINTNOTE-IMPACT", given[:60])
        read = read_component(_text(each), impact=Impact(given))
        if isinstance(read, LineTrouble):
            wrong.append((_text(each)[:60], read.suggestion if read.fault is LineFault.ADDRESS else ""))
        else:
            found.append(read)
    if wrong:
        given = ", ".join(written for written, _meant in wrong[:MOST_NAMED])
        return Trouble(Fault.OBJECT, number, "X-MAINTNOTE-OBJECT-ID", given, len(wrong), wrong[0][1])
    return tuple(found)
