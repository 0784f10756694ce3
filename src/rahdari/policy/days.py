"""The calendar of the file: office hours, seasons with other hours, holidays and how sure they are."""

import re
from collections.abc import Iterable
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .clock import Calendar, Holiday, Season, Slot, Week
from .reading import Section

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOLIDAY_STATUSES = ("estimated", "notified", "superseded")


def calendar_from(section: Section) -> Calendar:
    zone = section.string("zone", filled=True)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        section.fault(f"There is no time zone {zone!r}.", "zone")
        zone = "UTC"
    week = _week(section.section("week"))
    if not any(week):
        section.fault("The office is never open in this week, so no clock of working time could end.", "week")
    holidays = []
    for row in section.rows("holidays"):
        day = row.day("date")
        name = row.both("name")
        status = row.choice("status", HOLIDAY_STATUSES)
        source = row.string("source", filled=True)
        if day is not None:
            holidays.append(Holiday(day, {"en": name.en, "ur": name.ur}, status, source))
        row.done()
    seasons = []
    for row in section.rows("seasons"):
        first, last = row.day("from_date"), row.day("until_date")
        title = row.string("name", filled=True)
        hours = _week(row.section("week"))
        status = row.choice("status", HOLIDAY_STATUSES)
        source = row.string("source", filled=True)
        if first and last:
            if last < first:
                row.fault("This season ends before it begins.", "until_date")
            seasons.append(Season(title, first, last, hours, status, source))
        row.done()
    section.string("basis", "")
    section.done()
    return Calendar(zone, week, tuple(holidays), tuple(seasons))


def week_of(days: Iterable[Iterable[str]]) -> Week:
    """The week of seven lists like ["09:00-13:00", "14:00-16:00"], Monday first. Raises ValueError."""
    return tuple(slots_of(each) for each in days)


def slots_of(texts: Iterable[str]) -> tuple[Slot, ...]:
    """Raises ValueError for what is no time, and for hours that do not follow each other."""
    slots = list[Slot]()
    for text in texts:
        written = re.fullmatch(r"(\d{2}:\d{2})[-–](\d{2}:\d{2})", text)
        if written is None:
            raise ValueError(text)
        opens, closes = (time.fromisoformat(each) for each in written.groups())
        if closes <= opens or (slots and opens < slots[-1].closes):
            raise ValueError(text)
        slots.append(Slot(opens, closes))
    return tuple(slots)


def _week(section: Section) -> Week:
    week = []
    for day in DAYS:
        slots: list[Slot] = []
        for text in section.words(day):
            begin, _dash, end = text.partition("-")
            opens, closes = section.hour(begin, day), section.hour(end, day)
            if opens is None or closes is None:
                continue
            if closes <= opens or (slots and opens < slots[-1].closes):
                section.fault('Office hours must follow each other and end after they begin, like "09:00-13:00".', day)
                continue
            slots.append(Slot(opens, closes))
        week.append(tuple(slots))
    section.done()
    return tuple(week)
