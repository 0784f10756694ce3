"""Reads of lines at home. The token of a link is derived when it is needed; no table holds one."""

import datetime as dt
import uuid

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from rahdari.calendar import queries as calendars
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import HOME, Standing
from rahdari.vault import index, links

from .models import HomeConnection, StaffGateway
from .rules import HomeConnectionState

LINK = "remote.line"


def gateways_of(registration: Registration) -> QuerySet[StaffGateway]:
    """How many the organisation told of since it was registered: one row, or none when it told of nobody."""
    return StaffGateway.objects.filter(registration=registration)


def gateway_of(registration: Registration) -> StaffGateway | None:
    """The same row, read."""
    return gateways_of(registration).first()


def lines_of(registration: Registration) -> QuerySet[HomeConnection]:
    """All lines of a registration, by their numbers. For the holder, who sees no address of them, and for officers."""
    return (
        HomeConnection.objects.filter(registration=registration)
        .select_related("entry", "registration")
        .order_by("number")
    )


def live(line: HomeConnection, now: dt.datetime) -> bool:
    """Whether it takes the place of one person: it stands, or its link still works."""
    return line.stands or is_open(line, now)


def is_open(line: HomeConnection, now: dt.datetime) -> bool:
    """Whether its link can still be agreed to."""
    return line.state == HomeConnectionState.OFFERED and now < line.link_ends_at


def rests(line: HomeConnection, now: dt.datetime) -> bool:
    """Whether it is off the lists only as long as its registration is: paused, suspended, or ended with a way back."""
    registration = entries.fresh(line.registration)
    is_suspended = entries.standing(registration, now) is Standing.SUSPENDED
    return is_suspended or entries.may_be_undone(registration, now, calendars.in_force())


def ended_origins(registration: Registration) -> set[str]:
    """The origins of entries whose person withdrew, or whose line the organisation ended: they never come back."""
    over = HomeConnection.objects.filter(
        registration=registration, state__in=[HomeConnectionState.WITHDRAWN, HomeConnectionState.ENDED]
    )
    return {f"{HOME}{line.pk}:{change}" for line in over for change in range(line.changes)}


def line_of(registration: Registration, number: int) -> HomeConnection | None:
    """The line of this number under this registration; None for any other."""
    return lines_of(registration).filter(number=number).first()


def token_of(line: HomeConnection) -> str:
    return links.token(LINK, str(line.pk))


def link_index(token: str) -> str:
    return index.blind(LINK, token)


def link_url(line: HomeConnection) -> str:
    return settings.SITE_URL.rstrip("/") + reverse("remote:line", args=[token_of(line)])


def line_by_token(token: str) -> HomeConnection | None:
    """The line that a link opens, whatever became of it; None for a token that was never given out."""
    if not token.isascii() or len(token) != links.LENGTH:
        return None
    found = HomeConnection.objects.filter(link_index=link_index(token)).select_related("entry", "registration").first()
    if found is None or not links.matches(LINK, str(found.pk), token):
        return None
    return found


def entries_of_lines() -> QuerySet[HomeConnection, uuid.UUID | None]:
    """The entries that lines at home speak of which are not over."""
    return (
        HomeConnection.objects.filter(entry__isnull=False)
        .exclude(state__in=[HomeConnectionState.WITHDRAWN, HomeConnectionState.ENDED])
        .values_list("entry", flat=True)
    )
