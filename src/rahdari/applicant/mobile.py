"""A mobile number instead of addresses, of an application or of a registration: its code, and the operator to ask."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.mobile import actions, queries, rules
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import MobileState
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.policy import Policy
from rahdari.publish.models import Operator
from rahdari.register.models import Registration

from .mobile_forms import OperatorForm


@dataclass(frozen=True)
class Place:
    """What the number is for."""

    subject: str
    reference: str
    holder: uuid.UUID
    name: str
    policy: Policy
    follows: MobileNumber | None = None

    @property
    def line(self) -> MobileNumber | None:
        return queries.line_of(self.subject)


def place_of_application(found: Application) -> Place:
    follows = queries.staying_lines(found.registration).first() if found.registration is not None else None
    return Place(
        subject=found.subject,
        reference=found.reference,
        holder=found.holder_ref,
        name=found.holder_name,
        policy=applications.frozen_policy(found),
        follows=follows,
    )


def place_of_registration(found: Registration) -> Place | None:
    """None for one that never had a mobile number."""
    follows = queries.last_line_of(found)
    if follows is None:
        return None
    return Place(
        subject=f"registration:{found.pk}",
        reference=found.reference,
        holder=found.holder,
        name=applications.holder_name_of(found),
        policy=applications.policy_in_force(),
        follows=follows,
    )


def too_many(wait: dt.timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return ngettext(
        "Too many codes were sent. Ask again in %(count)s minute.",
        "Too many codes were sent. Ask again in %(count)s minutes.",
        minutes,
    ) % {"count": minutes}


def no_sms() -> str:
    return _("This register sends no SMS at the moment, so no code can come. Try again later.")


def wrong_code(error: people.CodeWrong) -> str:
    said = ngettext(
        "That code is wrong. %(count)s try is left.",
        "That code is wrong. %(count)s tries are left.",
        error.tries_left,
    )
    return said % {"count": error.tries_left}


def operator_form(
    line: MobileNumber, operators: list[Operator], given: Mapping[str, Any] | None = None
) -> OperatorForm | None:
    """While somebody is to be asked: the number was confirmed, or the operator asked says that it is another one's."""
    if not line.number or line.state not in {MobileState.CONFIRMED, MobileState.DENIED}:
        return None
    others = [each for each in operators if line.state == MobileState.CONFIRMED or each.slug != line.operator]
    proposed = rules.propose(line.number, {each.slug: each.number_prefixes for each in others})
    return OperatorForm(given, operators=others, proposed=proposed)


def send_code(place: Place, *, user: User, number: str, network: str, actor: str, now: dt.datetime) -> MobileNumber:
    """Take the number, and send a code to it. Raises people.TooManyCodes, people.SmsNotSetUp."""
    return actions.type_number(
        subject=place.subject,
        holder=place.holder,
        user=user,
        number=number,
        network=network,
        language=applications.language_now(),
        follows=place.follows,
        actor=actor,
        now=now,
    )


def ask_operator(place: Place, line: MobileNumber, operator: str, *, actor: str, now: dt.datetime) -> MobileNumber:
    """Ask whose SIM it is. Raises mobile.actions.MoveNotAllowed when it was answered meanwhile."""
    return actions.ask_operator(
        line=line, operator=operator, name=place.name, policy=place.policy, actor=actor, now=now
    )
