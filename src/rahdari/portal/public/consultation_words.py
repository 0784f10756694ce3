"""What the pages say of drafts, comments and answers."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rahdari.consult import queries
from rahdari.consult.models import Draft, Version
from rahdari.consult.rules import Hidden, Outcome, State
from rahdari.web import values
from rahdari.web.allowances import in_words

TONES = {State.OPEN: "wait", State.ANSWERING: "info", State.ADOPTED: "ok", State.WITHDRAWN: "off"}
_STATES: dict[str, Callable[[], str]] = {
    State.OPEN: lambda: pgettext("a draft rule", "Open for comment"),
    State.ANSWERING: lambda: pgettext("a draft rule", "Comments are being answered"),
    State.ADOPTED: lambda: pgettext("a draft rule", "Adopted"),
    State.WITHDRAWN: lambda: pgettext("a draft rule", "Withdrawn"),
}
_OUTCOMES: dict[str, Callable[[], tuple[str, str]]] = {
    Outcome.CHANGED: lambda: (pgettext("an answer", "Changed"), "ok"),
    Outcome.KEPT: lambda: (pgettext("an answer", "Kept as it was"), "off"),
    Outcome.LATER: lambda: (pgettext("an answer", "Later"), "wait"),
}
_HIDDEN: dict[str, Callable[[], str]] = {
    Hidden.ABUSE: lambda: _("It insults or threatens somebody."),
    Hidden.PERSONAL_DATA: lambda: _("It tells private details of another person."),
    Hidden.FALSE_NAME: lambda: _("It names somebody who did not write it."),
}


def state(key: str) -> str:
    return _STATES[key]()


_WAYS: dict[str, Callable[[], str]] = {
    "at_once": lambda: pgettext("a past case", "Granted at once"),
    "provisional": lambda: pgettext("a past case", "Granted provisionally"),
    "depends": lambda: pgettext("a past case", "Depends on a check that was never made"),
    "officer": lambda: pgettext("a past case", "To an officer"),
    "not_taken": lambda: pgettext("a past case", "Not taken: no such service"),
}


def effect(replayed: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a version would have changed of past cases, in words; None before that was asked."""
    if replayed is None:
        return None
    rows = [
        {
            "was": _WAYS[each["was"]](),
            "would_be": _WAYS[each["would_be"]](),
            "worse": each["worse"],
            "count": each["count"],
        }
        for each in replayed["moved"]
    ]
    return replayed | {"rows": rows}


def outcome(key: str) -> tuple[str, str]:
    """In words, and the tone of its tag."""
    return _OUTCOMES[key]()


def taken_back() -> tuple[str, str]:
    """Of an answer whose change is none any more."""
    return pgettext("an answer", "Not changed any more"), "wait"


def hidden(key: str) -> str:
    return _HIDDEN[key]()


def published(draft: Draft, version: Version) -> str:
    until = values.day(draft.closes_at)
    if version.number == 1:
        return _("A new draft, open for comment until %(day)s") % {"day": until}
    return _("Version %(number)s, open for comment until %(day)s") % {"number": version.number, "day": until}


def days_left(draft: Draft, now: dt.datetime) -> str:
    """Empty when the time is over."""
    if not queries.is_open(draft, now):
        return ""
    days = (draft.closes_at - now).days
    if days < 1:
        return _("The last day")
    return ngettext("%(count)s day left", "%(count)s days left", days) % {"count": days}


def terms() -> dict[str, str]:
    """The times of the policy in force, in words."""
    clocks = queries.in_force().clocks
    return {name: in_words(clocks[clock]) for name, clock in _CLOCKS.items()}


def kept() -> str:
    """How long after the last day for comments an address is kept at most, in words; empty for ever."""
    allowance = queries.in_force().retention[queries.ADDRESSES].allowance
    return in_words(allowance) if allowance is not None else ""


_CLOCKS = {
    "open": "consultation",
    "again": "consultation_again",
    "answered": "consultation_answered",
    "name": "consultation_name",
}
