"""Where two people are required: whether whoever acts can be the second one. Every act of seconding asks here, in rooms
that know people and in rooms that know actors alone; `settings.SECONDING` names the room that knows. Who holds the post
or the rank for it, the act asks itself. The database holds that they are two persons (`people_are_two`)."""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from rahdari.errors import RahdariError


class WhyNot(StrEnum):
    """Why somebody cannot be the second person."""

    SAME = "same"  # they are the first one, with this account or another one
    NEW = "new"  # they hold the post for too short a time (`settings.SECONDS_AFTER`)


class NotSecond(RahdariError):
    """They cannot be the second person. `.why`"""

    says = "not the second person: {why}"
    why: WhyNot


def why_not(second: Any, firsts: Iterable[Any], now: dt.datetime) -> WhyNot | None:
    """None: they can. `firsts`: all those who began it. Each is a person, the key of one, or an actor of the journal
    (`officer:<key>`); a program is no person, and only not the same one."""
    known = [each for each in firsts if each]
    if second in known:
        return WhyNot.SAME
    found: WhyNot | None = import_string(settings.SECONDING)(second, known, now)
    return found


def check(second: Any, firsts: Iterable[Any], now: dt.datetime) -> None:
    """Raises NotSecond."""
    if (why := why_not(second, firsts, now)) is not None:
        raise NotSecond(why)
