"""The forms of a mobile number: the number, the code that came to it, and the operator it belongs to."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.apply.form_errors import turned_around
from rahdari.people.identifiers import IdentifierError, parse_mobile, with_plain_digits
from rahdari.publish.models import Operator
from rahdari.web import values


class NumberForm(forms.Form):
    use_required_attribute = False

    number = forms.CharField(
        label=_("Mobile number"),
        help_text=_("It begins with 03. We send a code to it by SMS."),
        max_length=30,
        widget=forms.TextInput(
            attrs={"class": "code big", "type": "tel", "inputmode": "tel", "autocomplete": "tel", "dir": "ltr"}
        ),
        error_messages={
            "required": _("Enter a mobile number"),
            "max_length": _("This is longer than a mobile number. Enter only the number."),
        },
    )
    sim = forms.ChoiceField(
        label=_("In whose name is the SIM?"),
        help_text=_("The operator compares it with the name in your application."),
        choices=[("me", pgettext_lazy("the SIM", "Mine")), ("other", _("Somebody else’s, or a company’s"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose in whose name the SIM is"),
            "invalid_choice": _("Choose in whose name the SIM is"),
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
        label=_("6-digit code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "code big", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Enter the code from the SMS"),
            "max_length": _("That code is wrong. Use the one in the latest SMS"),
        },
    )

    def clean_code(self) -> str:
        return "".join(sign for sign in with_plain_digits(self.cleaned_data["code"]) if sign.isdigit())


class OperatorForm(forms.Form):
    use_required_attribute = False

    operator = forms.ChoiceField(
        label=_("Whose SIM is it?"),
        help_text=_("If you moved the number to another operator, choose the one you have now."),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the operator of the SIM"),
            "invalid_choice": _("Choose the operator of the SIM"),
        },
    )

    def __init__(self, *args: Any, operators: list[Operator], proposed: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["operator"]
        field.initial = proposed
        field.choices = [(each.slug, values.name(each.name)) for each in operators]
