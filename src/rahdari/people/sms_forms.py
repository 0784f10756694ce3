"""What people type about their mobile number, and what each page says when it cannot be used."""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .forms import code_widget, digits
from .identifiers import IdentifierError, parse_mobile


class NumberForm(forms.Form):
    """The mobile number for short notes."""

    number = forms.CharField(
        label=_("Mobile number"),
        help_text=_("We send a code to it by SMS."),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "dir": "ltr"}),
        error_messages={
            "required": _("Enter a mobile number"),
            "max_length": _("This is longer than a mobile number. Enter only the number."),
        },
    )

    def clean_number(self) -> str:
        try:
            return parse_mobile(self.cleaned_data["number"])
        except IdentifierError as error:
            said = {
                "turned_around": _(
                    "It contains an invisible character that reverses the digits. Type the number instead of "
                    "pasting it."
                ),
                "letters": _("A mobile number has digits only. Leave letters out."),
                "not_pakistan": _("Enter a mobile number of Pakistan: we cannot send SMS to other countries."),
            }.get(error.reason, _("A mobile number has 11 digits and begins with 03."))
            raise ValidationError(said, code=error.reason) from None

    def add_too_many(self, wait: dt.timedelta) -> None:
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        said = ngettext(
            "Too many codes were sent. Ask again in %(count)s minute.",
            "Too many codes were sent. Ask again in %(count)s minutes.",
            minutes,
        )
        self.add_error("number", ValidationError(said % {"count": minutes}, code="too_many"))

    def add_not_set_up(self) -> None:
        said = _("This register sends no SMS. Our letters come by email.")
        self.add_error("number", ValidationError(said, code="off"))


class NumberCodeForm(forms.Form):
    """The code from the SMS. Whether it is right is asked of the row that counts the tries."""

    code = forms.CharField(
        label=_("6-digit code"),
        max_length=40,
        widget=code_widget(),
        error_messages={
            "required": _("Enter the code from the SMS"),
            "max_length": _("That code is wrong. Use the one in the latest SMS"),
        },
    )

    def clean_code(self) -> str:
        return digits(self.cleaned_data["code"])

    def add_wrong(self, tries_left: int) -> None:
        said = ngettext(
            "That code is wrong. %(count)s try is left.",
            "That code is wrong. %(count)s tries are left.",
            tries_left,
        )
        self.add_error("code", ValidationError(said % {"count": tries_left}, code="incorrect"))
