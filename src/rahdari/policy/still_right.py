"""When a holder is asked whether a registration is still right: by the clock `still_right`, and again on the days of
`reminders.still_right`. Pure.

A file without the clock asks nobody. Nothing here says what follows from silence, because nothing does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .reading import Section
from .retention import DAYS
from .shapes import Policy

CLOCK = "still_right"
UNITS = {"calendar_days": "days", "months": "months"}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StillRight:
    """Asked `every` so long after the holder's last word or the last question, and reminded so many days after that.
    Where the renewal opens before the last reminder would go out nobody is asked: the renewal asks."""

    every: timedelta
    remind_after: tuple[int, ...]
    renewal_opens_before: timedelta

    def silent_since(self, now: datetime) -> datetime:
        """Who has said nothing since then, and was not asked since then, is asked now."""
        return now - self.every

    def renewal_opens_after(self, now: datetime) -> datetime:
        """Terms that end by then are renewed instead."""
        return now + self.renewal_opens_before + DAY * max(self.remind_after, default=0)

    def is_due(
        self, *, last_word_at: datetime, asked_at: datetime | None, valid_until: datetime, now: datetime
    ) -> bool:
        since = self.silent_since(now)
        unasked = asked_at is None or asked_at <= since
        return last_word_at <= since and unasked and valid_until > self.renewal_opens_after(now)

    def next_at(self, letters: int, now: datetime) -> datetime | None:
        """When the next letter goes out after so many, the last of them now; None after the last. A letter that is late
        moves those behind it: no two come together."""
        if letters > len(self.remind_after):
            return None
        before = (0, *self.remind_after)
        return now + DAY * (before[letters] - before[letters - 1])

    def is_last(self, letters: int) -> bool:
        return letters > len(self.remind_after)


def still_right_of(policy: Policy) -> StillRight | None:
    """None of a policy that asks for none."""
    clock = policy.clocks.get(CLOCK)
    if clock is None or not clock.enabled:
        return None
    return StillRight(
        every=timedelta(days=clock.length * DAYS[UNITS.get(clock.unit, "days")]),
        remind_after=policy.reminders.get(CLOCK, ()),
        renewal_opens_before=timedelta(days=policy.renewal.opens_days_before),
    )


def judge_still_right(root: Section, policy: Policy) -> None:
    clock = policy.clocks.get(CLOCK)
    days = policy.reminders.get(CLOCK, ())
    if clock is None:
        if days:
            root.faults.add(("reminders", CLOCK), f"There is no clock {CLOCK} that these reminders are counted from.")
        return
    if clock.unit not in UNITS:
        root.faults.add(("clocks", CLOCK), "Count it in months or calendar_days.")
    elif max(days, default=0) * DAY >= timedelta(days=clock.length * DAYS[UNITS[clock.unit]]):
        root.faults.add(("reminders", CLOCK), "The last reminder must come before the next question.")
    if policy.contact is None:
        root.fault("The last letter says whom to call or write to: [contact].", "contact")
