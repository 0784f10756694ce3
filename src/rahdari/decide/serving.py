"""When what was written to a holder reached them: a notice as much as a decision. One rule: with its letter, unless
every letter came back; then when one was first read here, or when it was handed over in another way. Until then no time
that began with it runs."""

import datetime as dt
from collections.abc import Callable, Collection

from rahdari.letters import queries as letters
from rahdari.people import reading

from .models import Case, Notice

NOTICES = ("application_notice", "registration_notice")
# When something of a case was handed over in another way, that day or later; of a room above.
HANDED_OVER: list[Callable[[Case, dt.datetime], dt.datetime | None]] = []


def served_at(
    case: Case, at: dt.datetime, about: Collection[str], templates: Collection[str] = NOTICES
) -> dt.datetime | None:
    """When the letters of this moment reached whoever they are about; None: they have not."""
    arrived = letters.arrived_at(about=about, templates=templates, at=at)
    if arrived == at:
        return at
    handed = [each(case, at) for each in HANDED_OVER]
    return min((each for each in (arrived, *handed) if each is not None), default=None)


def came_back(notice: Notice) -> bool:
    """Whether the time to answer it has not begun, since nobody got it."""
    return notice.may_answer and not notice.is_order and notice_served_at(notice) is None


def notice_served_at(notice: Notice) -> dt.datetime | None:
    """Asked once for a page that is only read."""
    known: dict[str, dt.datetime | None] = vars(notice).setdefault("_served", {})
    if "at" not in known or not reading.ONLY.get():
        led_to = [each.registration_id for each in notice.case.decisions.all() if each.registration_id is not None]
        about = [notice.case.application.subject, *(f"registration:{each}" for each in led_to)]
        known["at"] = served_at(notice.case, notice.sent_at, about)
    return known["at"]
