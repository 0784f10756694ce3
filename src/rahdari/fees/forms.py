"""What those who keep accounts fill in. Nothing is preselected."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.web import values

from . import statements

REASON = 300
TOO_LONG = gettext_lazy("This is too long. Shorten it to 300 characters.")


def _what_is_taken() -> str:
    said = _("camt.053 (XML), or CSV with the columns %(columns)s. Nothing is added unless all of it can be read.")
    columns = ", ".join(statements.COLUMNS[name][0].capitalize() for name in statements.NEEDED)
    return said % {"columns": values.plain_ltr(columns)}


class StatementForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("The bank's file"),
        help_text=lazy(_what_is_taken, str)(),
        error_messages={
            "required": gettext_lazy("Choose the bank's file"),
            "empty": gettext_lazy("This file is empty. Download it from the bank again."),
            "invalid": gettext_lazy("Choose the bank's file"),
            "missing": gettext_lazy("Choose the bank's file"),
        },
    )


class PaymentForm(forms.Form):
    """What a payment that no invoice was found for is: paid for an invoice, or set aside: not for one of ours, or in
    another currency."""

    decision = forms.ChoiceField(
        label=gettext_lazy("What is this payment?"),
        choices=[
            ("match", gettext_lazy("It is for an invoice")),
            ("aside", gettext_lazy("It is not for an invoice of ours, or it is in another currency")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what this payment is"),
            "invalid_choice": gettext_lazy("Choose what this payment is"),
        },
    )
    invoice = forms.CharField(
        label=gettext_lazy("Invoice"),
        help_text=gettext_lazy("Its number or its payment reference. Only if the payment is for an invoice."),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("No invoice has such a long number")},
    )
    why = forms.CharField(
        label=gettext_lazy("Why it is set aside"),
        help_text=gettext_lazy(
            "Only if it is not for an invoice of ours, or is in another currency. It is recorded in the journal."
        ),
        required=False,
        max_length=REASON,
        error_messages={"max_length": TOO_LONG},
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("decision") == "match" and not given.get("invoice") and "invoice" not in self.errors:
            self.add_error("invoice", _("Enter the number of the invoice, or its payment reference"))
        if given.get("decision") == "aside" and not given.get("why") and "why" not in self.errors:
            self.add_error("why", _("Enter in one sentence why it is set aside"))
        return given


class RefundForm(forms.Form):
    """Put on record what was paid back at the bank."""

    amount = forms.DecimalField(
        label=gettext_lazy("Amount that was paid back"),
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Enter the amount"),
            "invalid": gettext_lazy("Enter the amount as a number, like 200.00"),
            "min_value": gettext_lazy("Enter an amount above zero"),
            "max_decimal_places": gettext_lazy("Enter the amount with two decimal places, like 200.00"),
            "max_digits": gettext_lazy("This amount is too large"),
            "max_whole_digits": gettext_lazy("This amount is too large"),
        },
    )
    bank_id = forms.CharField(
        label=gettext_lazy("The bank's number of the transfer"),
        max_length=80,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Enter the bank's number of the transfer"),
            "max_length": gettext_lazy("No transfer has such a long number"),
        },
    )
    why = forms.CharField(
        label=gettext_lazy("Why it was paid back"),
        help_text=gettext_lazy("It is recorded in the journal."),
        max_length=REASON,
        error_messages={"required": gettext_lazy("Enter in one sentence why it was paid back"), "max_length": TOO_LONG},
    )
