"""Reminders of an invitation as a file for the reader's own calendar, so that nobody has to be told an address.

What reminds is their phone: it can be deleted there, and we know of it as little as of anybody who opened the link.
"""

import datetime as dt

from django.utils import timezone
from icalendar import Alarm, Calendar, Event

from .models import Campaign
from .rules import reminders

AT_HOUR = 10


def file_of(campaign: Campaign, *, title: str, link: str, now: dt.datetime) -> bytes:
    """An iCalendar file (RFC 5545) with two events at most. It names neither the inviter nor a VPN in its title: others
    see a calendar."""
    calendar = Calendar()
    calendar.add("prodid", "-//Rahdari//Invitation//EN")
    calendar.add("version", "2.0")
    for number, moment in enumerate(reminders(now, campaign.ends_at), start=1):
        event, alarm = Event(), Alarm()
        event.add("uid", f"{campaign.pk}-{number}")
        event.add("dtstamp", now.astimezone(dt.UTC))
        # In the morning, whenever the link was opened. It stays after now and before the end: both are a day away.
        begins = timezone.localtime(moment).replace(hour=AT_HOUR, minute=0, second=0, microsecond=0)
        event.add("dtstart", begins.astimezone(dt.UTC))
        event.add("duration", dt.timedelta(minutes=10))
        event.add("summary", title)
        event.add("url", link)
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", dt.timedelta(0))
        event.add_component(alarm)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
