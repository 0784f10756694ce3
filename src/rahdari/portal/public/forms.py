"""The questions of the public check: the number, and whose it is said to be; and what is said when it cannot
be one."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rahdari.checks.names import fold_name
from rahdari.register import reference as references

# Eight characters, with or without the RD in front: it has the right length, so one sign of it is wrong.
LENGTHS = (8, 10)


class CheckForm(forms.Form):
    number = forms.CharField(
        label=_("Registration number"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"class": "code big", "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Enter the registration number"),
            "max_length": _("Enter only the number, as on the certificate"),
        },
    )

    name = forms.CharField(
        label=_("Company’s name"),
        help_text=_("As on the certificate. We say whether it matches. We do not show the name."),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("Enter only the name, as on the certificate")},
    )

    def clean_name(self) -> str:
        given = str(self.cleaned_data["name"])
        if given.strip() and not fold_name(given):
            raise ValidationError(_("Enter only the name, as on the certificate"))
        return given

    def clean_number(self) -> str:
        """The number in its one form. The check letter finds a mistyped one without asking the database."""
        given = str(self.cleaned_data["number"])
        exact = references.normalise(given)
        if exact is not None:
            return exact
        if sum(sign.isalnum() for sign in given) in LENGTHS:
            raise ValidationError(_("One character of this number is wrong. Check it against the certificate"))
        raise ValidationError(_("Enter the number as on the certificate"))
