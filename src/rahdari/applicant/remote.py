"""People who work from home over what is registered: how many, their lines, and links for more."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rahdari.apply import queries as applications
from rahdari.policy import RemoteStaff
from rahdari.register.models import Registration
from rahdari.remote import actions as remote
from rahdari.remote import queries as lines
from rahdari.remote import rules
from rahdari.remote.models import HomeConnection

NUMBER = gettext_lazy("Enter a number, for example 40")


def _number(label: Any, *, least: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=100_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}),
        error_messages={"required": NUMBER, "invalid": NUMBER, "min_value": NUMBER, "max_value": NUMBER},
    )


class WorkersForm(forms.Form):
    use_required_attribute = False
    workers = _number(
        gettext_lazy("How many people work over it from home or elsewhere"),
        least=0,
        help_text=gettext_lazy("Only the number. We ask for no names."),
    )


class LinksForm(forms.Form):
    use_required_attribute = False
    count = _number(gettext_lazy("How many links"), least=1)

    def add_too_many(self, room: int) -> None:
        self.add_error(
            "count",
            ngettext("There is room for %(count)s more link", "There is room for %(count)s more links", room)
            % {"count": room}
            if room
            else _("You cannot make more links: give a higher number first, or end lines"),
        )


def is_offered(registration: Registration) -> RemoteStaff | None:
    """The policy's rules, where registrations of this kind have lines at home."""
    rule = applications.policy_in_force().remote_staff
    return rule if rule is not None and registration.category in rule.services else None


def workers_of(registration: Registration) -> int:
    """How many the organisation has told of."""
    gateway = lines.gateway_of(registration)
    return gateway.workers if gateway is not None else 0


@dataclass(frozen=True)
class Staff:
    """How many work from home, how many lines stand and are over, how many more there may be; and those that live."""

    workers: int
    standing: int
    over: int
    room: int
    most: int
    lines: list[HomeConnection]


def staff_of(registration: Registration, rule: RemoteStaff, now: dt.datetime) -> Staff:
    """The lines at home of a registration: how many stand, are over and are live, and how many may still be made."""
    known, workers = list(lines.lines_of(registration)), workers_of(registration)
    live = [line for line in known if lines.live(line, now)]
    return Staff(
        workers=workers,
        standing=sum(line.stands for line in known),
        over=len(known) - len(live),
        room=rules.room_for(workers=workers, most=rule.most_lines, live=len(live)),
        most=rule.most_lines,
        lines=live,
    )


def make_links(
    registration: Registration,
    rule: RemoteStaff,
    count: int,
    *,
    actor: str,
    now: dt.datetime,
    id: uuid.UUID | None = None,
) -> list[HomeConnection]:
    """As many as the organisation has told of, at most. Raises remote.actions.TooManyLines."""
    workers = workers_of(registration)
    return remote.make_links(
        registration=registration, count=count, workers=workers, policy=rule, actor=actor, now=now, id=id
    )
