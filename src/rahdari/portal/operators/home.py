"""The operator's home: which edition its network has, how late, and where it is applied."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people import queries as people
from rahdari.people.access import operator_required, person
from rahdari.publish import credentials, operator_lag
from rahdari.publish import queries as publish
from rahdari.publish.operator_lag import OperatorLag, PastLag
from rahdari.web import errors, values

SHOWN = 10
A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class LagText:
    """How the network stands, in words: a heading, a sentence on what it means or what to do, and its tone."""

    heading: str
    text: str
    tone: str


_SAID: dict[str, Callable[[], LagText]] = {
    "in_sync": lambda: LagText(
        _("Your network is up to date"), _("Every entry is applied, within the time that is allowed."), "ok"
    ),
    "behind": lambda: LagText(
        _("Your network is behind the register"),
        _("An edition has been out for more than 5 minutes and is not applied. Check the agent and its log."),
        "warn",
    ),
    "drift": lambda: LagText(
        _("Your network has a different list from the register"),
        _("The digest that your agent sent is not that of the edition. Run the agent's sync again, from a snapshot."),
        "bad",
    ),
    "incomplete": lambda: LagText(
        _("One point of your network is not complete"),
        _("The agent could not load the list everywhere. The table below shows where."),
        "bad",
    ),
    "never": lambda: LagText(
        _("We have not heard from your network yet"),
        _("Start the agent with the token that you were given. Its first report appears here within seconds."),
        "wait",
    ),
}


def lag_text(seen: OperatorLag) -> LagText:
    return _SAID[str(seen.state)]()


def behind_words(seen: OperatorLag) -> str:
    if not seen.behind:
        return ""
    return ngettext(
        "The network is behind by %(count)s edition.", "The network is behind by %(count)s editions.", seen.behind
    ) % {"count": values.figure(seen.behind)}


_LISTS: dict[str, Callable[[], str]] = {
    "static": lambda: _("fixed addresses %(number)s"),
    "dynamic": lambda: _("changing addresses %(number)s"),
    "canary": lambda: _("addresses of the register’s own %(number)s"),
}


def lists_of(past: PastLag) -> list[str]:
    """The lists that changed at one moment, each with the number of its edition."""
    return [
        say() % {"number": values.figure(past.sequences[kind])}
        for kind, say in _LISTS.items()
        if kind in past.sequences
    ]


@operator_required
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    slug, now = people.operator_of(person(request)), timezone.now()
    seen = next((each for each in operator_lag.operators_with_lag(now) if each.operator.slug == slug), None)
    if seen is None:
        # The post names an operator that is not, or no longer, in the list.
        return errors.no_access(request)
    past = operator_lag.lags_of(operator=seen.operator, since=now - A_DAY)
    context = {
        "seen": seen,
        "more": any(point.more for point in seen.points),
        "text": lag_text(seen),
        "behind": behind_words(seen),
        "asns": ", ".join(f"AS{asn}" for asn in seen.operator.asns),
        "past": [(lists_of(each), each) for each in past[-SHOWN:][::-1]],
        "lag": seen.lag if seen.behind else seen.shown_lag,
        "keys": [key for key in publish.agent_keys_of(seen.operator) if key.revoked_at is None],
        "credentials": credentials.credentials_of(seen.operator, now=now),
        "follow": f"{seen.state}.{seen.sequence}.{seen.register_sequence}",
    }
    return render(request, "portal/operator/home.html", context)
