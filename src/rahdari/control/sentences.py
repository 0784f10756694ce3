"""How something is said: sentences of ours with values put in."""

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from rahdari.web.values import clock_time, ltr

type Words = str | Promise


@dataclass(frozen=True)
class LookText:
    """A heading and one or two sentences under it, ready for a page. `tone`: ok | wait | bad."""

    tone: str
    short: str
    heading: str
    text: SafeString


def fill(sentence: str, **values: object) -> SafeString:
    """Put values into a translated sentence; the sentence is ours, the values are escaped unless made by us."""
    if not values:
        return SafeString(escape(sentence))
    filled: SafeString = format_html(
        sentence.replace("{", "{{").replace("}", "}}") % {name: f"{{{name}}}" for name in values}, **values
    )
    return filled


def clock(moment: dt.datetime) -> SafeString:
    return ltr(clock_time(moment, "exact"))
