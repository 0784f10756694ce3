"""When people are written to: hours in which a telephone stays silent, and how long before a date they are reminded."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from .reading import Section
from .shapes import QuietHours

CHANNELS = ("sms", "email")
# Reminders that are counted from when something was awaited, and not up to a date.
AFTER = frozenset({"proof", "still_right"})


def quiet_hours_from(section: Section, zone: str) -> QuietHours | None:
    """The hours without letters by the named channels, in the time zone `zone`; None without the section."""
    if not section.data:
        return None
    start = section.hour(section.string("from", filled=True), "from")
    end = section.hour(section.string("until", filled=True), "until")
    channels = section.words("channels")
    for channel in channels:
        if channel not in CHANNELS:
            section.fault(f"{channel!r} is no channel. There are {' and '.join(CHANNELS)}.", "channels")
    section.done()
    if start is None or end is None:
        return None
    if start == end:
        section.fault("Hours that begin when they end would be the whole day.", "until")
        return None
    return QuietHours(start, end, tuple(channels), ZoneInfo(zone))


def reminders_from(section: Section, renewal: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
    """How many days before, by what runs out; of a missing proof how many days after the application was sent. Those of
    a registration stand with its renewal.
    """
    found = {"registration": renewal}
    for key in section.data:
        days = section.numbers(key)
        falls = key not in AFTER
        if list(days) != sorted(set(days), reverse=falls) or any(day < 1 for day in days):
            wanted = "falling numbers of days, such as [7, 1]" if falls else "rising numbers of days, such as [1, 3]"
            section.fault(f"These must be {wanted}.", key)
        found[key] = days
    return found
