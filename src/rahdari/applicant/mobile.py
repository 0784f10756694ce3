"""A mobile number instead of addresses, of an application or of a registration: its code, and the operator to ask."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from rahdari.apply import queries as applications
from rahdari.apply import subjects
from rahdari.apply.form_errors import turned_around
from rahdari.apply.models import Application
from rahdari.mobile import actions, queries, rules
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import MobileState
from rahdari.people.identifiers import IdentifierError, parse_mobile, with_plain_digits
from rahdari.people.models import User
from rahdari.policy import Policy
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from rahdari.sms import codes as number_codes
from rahdari.web import values

from . import mobile_lines


class NumberForm(forms.Form):
    use_required_attribute = False

    number = forms.CharField(
        label=gettext_lazy("Mobile number"),
        help_text=gettext_lazy("It begins with 03. We send a code to it by SMS."),
        max_length=30,
        widget=forms.TextInput(
            attrs={"class": "code big", "type": "tel", "inputmode": "tel", "autocomplete": "tel", "dir": "ltr"}
        ),
        error_messages={
            "required": gettext_lazy("Enter a mobile number"),
            "max_length": gettext_lazy("This is longer than a mobile number. Enter only the number."),
        },
    )
    sim = forms.ChoiceField(
        label=gettext_lazy("In whose name is the SIM?"),
        help_text=gettext_lazy("The operator compares it with the name in your application."),
        choices=[("me", pgettext_lazy("the SIM", "Mine")), ("other", gettext_lazy("Somebody else’s, or a company’s"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose in whose name the SIM is"),
            "invalid_choice": gettext_lazy("Choose in whose name the SIM is"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sim: Any = self.fields["sim"]
        sim.hints = {"other": _("Then it cannot be registered. A service point of the operator moves it to your name.")}

    def clean_number(self) -> str:
        try:
            return parse_mobile(self.cleaned_data["number"])
        except IdentifierError as error:
            if error.reason == "turned_around":
                raise ValidationError(turned_around(), code=error.reason) from None
            said = {
                "letters": _("A mobile number has digits only. Leave letters out."),
                "not_pakistan": _("Enter a mobile number of Pakistan: we cannot send SMS to other countries."),
            }.get(error.reason, _("A mobile number has 11 digits and begins with 03."))
            raise ValidationError(said, code=error.reason) from None

    def clean_sim(self) -> str:
        if self.cleaned_data["sim"] != "me":
            told = _("A SIM in another name cannot be registered. Move it to your name, or use another number.")
            raise ValidationError(told, code="other")
        return "me"


class CodeForm(forms.Form):
    use_required_attribute = False

    code = forms.CharField(
        label=gettext_lazy("6-digit code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "code big", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
        error_messages={
            "required": gettext_lazy("Enter the code from the SMS"),
            "max_length": gettext_lazy("That code is wrong. Use the one in the latest SMS"),
        },
    )

    def clean_code(self) -> str:
        return "".join(sign for sign in with_plain_digits(self.cleaned_data["code"]) if sign.isdigit())


class OperatorForm(forms.Form):
    use_required_attribute = False

    operator = forms.ChoiceField(
        label=gettext_lazy("Whose SIM is it?"),
        help_text=gettext_lazy("If you moved the number to another operator, choose the one you have now."),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the operator of the SIM"),
            "invalid_choice": gettext_lazy("Choose the operator of the SIM"),
        },
    )

    def __init__(self, *args: Any, operators: list[Operator], proposed: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["operator"]
        field.initial = proposed
        field.choices = [(each.slug, values.name(each.name)) for each in operators]


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
        name=subjects.holder_name_of(found),
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


def wrong_code(error: number_codes.CodeWrong) -> str:
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


# -- what other use cases ask for (`lines`) ----------------------------------------------------------------------------

line_for, is_ready, lines_of = mobile_lines.line_for, mobile_lines.is_ready, mobile_lines.lines_of
count_of, is_left, on_lists = mobile_lines.count_of, mobile_lines.is_left, mobile_lines.on_lists
