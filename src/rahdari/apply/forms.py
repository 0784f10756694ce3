"""What people type, and what the page says when it cannot be used. Identifiers are kept in their one form."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from rahdari.people import identifiers
from rahdari.people.names import NameField, tidy
from rahdari.policy import Association, Service

from . import form_errors, rules


def text_input(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"} | attributes)


def number_input(**attributes: str) -> forms.TextInput:
    return text_input(inputmode="numeric", dir="ltr", **attributes)


class LineField(forms.CharField):
    """One line. A NUL, which nobody can see or delete, is left out instead of complained about."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\0", "")


class StepForm(forms.Form):
    """One page of a draft. `seen` is what the answers were when the page was shown."""

    use_required_attribute = False
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class CardForm(StepForm):
    """The number of a card, on the pages that ask for it."""

    cnic = LineField(
        label=_("Card number (CNIC or NICOP)"),
        help_text=_("13 digits. Kept encrypted, never shown whole."),
        widget=number_input(),
        error_messages={"required": _("Enter your card number")},
    )

    def __init__(self, *args: Any, kept: str = "", asks_card: bool = True, **kwargs: Any) -> None:
        """`kept`: the number that is there already, masked. It is never given back, so the field stays empty."""
        super().__init__(*args, **kwargs)
        if not asks_card:
            del self.fields["cnic"]
        elif kept:
            field = self.fields["cnic"]
            field.required = False
            field.help_text = _("We have %(number)s. Leave this empty to keep it.") % {
                "number": form_errors.isolated(kept)
            }

    def clean_cnic(self) -> str:
        """Empty when the number that is kept stays, or when none has to be given."""
        given = self.cleaned_data["cnic"]
        if not given.strip() and not self.fields["cnic"].required:
            return ""
        try:
            return identifiers.parse_cnic(given).digits
        except identifiers.IdentifierError as error:
            raise ValidationError(form_errors.card_number(error), code=error.reason) from None


class PersonForm(CardForm):
    field_order: tuple[str, ...] = ("name", "cnic")
    name = NameField(
        label=_("Your full name"),
        help_text=_("As on your identity card."),
        widget=text_input(autocomplete="name"),
        error_messages={
            "required": _("Enter your name as on your identity card"),
            "max_length": _("This name is too long: use at most %(limit_value)s characters"),
        },
    )

    def __init__(self, *args: Any, asks: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, asks_card=asks.get("card_number") == "required", **kwargs)
        if "name" not in asks:
            del self.fields["name"]


class CompanyForm(StepForm):
    name = NameField(
        label=_("Registered name"),
        of_firm=True,
        help_text=_("As in the company register. Anyone who scans the certificate sees this name."),
        max_length=200,
        widget=text_input(autocomplete="organization"),
        error_messages={
            "required": _("Enter the name of the company as registered"),
            "max_length": _("This name is too long: use at most %(limit_value)s characters"),
        },
    )
    company_number = LineField(
        label=_("Company number (CUIN)"),
        help_text=_("7 digits, on the incorporation letter."),
        widget=number_input(),
        error_messages={"required": _("Enter the company number")},
    )
    ntn = LineField(
        label=_("Tax number (NTN)"),
        help_text=_("If it is on the list of active taxpayers, we need no document from you."),
        required=False,
        widget=number_input(),
    )

    def __init__(self, *args: Any, service: Service, held_by: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held_by = held_by
        # What whoever typed it should know, when it is saved.
        self.notes: list[str] = []
        if not rules.tax_number_stands_in(service):
            self.fields["ntn"].help_text = _("The documents are still needed.")
        if not service.asks_tax_number:
            del self.fields["ntn"]
        if not service.has_company_number:
            del self.fields["company_number"]
            self.fields["name"].label = _("Name of the organisation")
            self.fields["name"].help_text = _("As on its letters. Anyone who scans the certificate sees this name.")

    def clean_company_number(self) -> str:
        typed = self.cleaned_data["company_number"]
        try:
            number = identifiers.parse_company_number(typed)
        except identifiers.IdentifierError as error:
            raise ValidationError(form_errors.company_number(error), code=error.reason) from None
        if self.held_by and number != self.held_by:
            raise ValidationError(
                _("This registration is of the company %(number)s. For another company, begin a new application."),
                code="other_company",
                params={"number": self.held_by},
            )
        if number not in identifiers.with_plain_digits(typed):
            self.notes.append(form_errors.read_as(number))
        return number

    def clean_ntn(self) -> str:
        if not self.cleaned_data["ntn"].strip():
            return ""
        try:
            number = identifiers.parse_ntn(self.cleaned_data["ntn"])
        except identifiers.IdentifierError as error:
            raise ValidationError(form_errors.tax_number(error), code=error.reason) from None
        if number.is_individual:
            raise ValidationError(form_errors.tax_number_of_a_person(), code="of_a_person")
        return str(number)


class ContactForm(StepForm):
    name = NameField(
        label=_("Name or role"),
        help_text=_("Someone who can be reached at any hour, for example the network manager."),
        error_messages={
            "required": _("Enter a contact whom we can call"),
            "max_length": _("This name is too long: use at most %(limit_value)s characters"),
        },
    )
    mobile = LineField(
        label=_("Mobile number"),
        help_text=_("We call it only when a registered connection breaks or we have a question."),
        widget=text_input(inputmode="tel", autocomplete="tel", dir="ltr", type="tel"),
        error_messages={"required": _("Enter a mobile number")},
    )

    def __init__(self, *args: Any, is_optional: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "mobile"):
            self.fields[name].required = not is_optional

    def clean(self) -> dict[str, Any]:
        """Where they are optional, both are given or neither."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name, other in (("name", "mobile"), ("mobile", "name")):
            if given.get(other) and not given.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return given

    def clean_mobile(self) -> str:
        if not self.cleaned_data["mobile"] and not self.fields["mobile"].required:
            return ""
        try:
            return identifiers.parse_mobile(self.cleaned_data["mobile"])
        except identifiers.IdentifierError as error:
            raise ValidationError(form_errors.mobile(error), code=error.reason) from None


class LongText(forms.CharField):
    """Some sentences. The limit is the policy's."""

    def to_python(self, value: Any) -> str:
        lines = (super().to_python(value) or "").replace("\r\n", "\n").split("\n")
        return "\n".join(tidy(line) for line in lines).strip()


def limit(field: forms.Field, length: int, most: int) -> None:
    if length > most:
        raise ValidationError(
            ngettext_lazy(
                "Shorten this: %(most)s character is the limit, and you have %(length)s.",
                "Shorten this: %(most)s characters are the limit, and you have %(length)s.",
                most,
            )
            % {"most": most, "length": length},
            code="too_long",
        )


class PurposeForm(StepForm):
    purpose = LongText(
        label=_("In your own words"),
        help_text=_("One or two sentences: who connects to what, and why. Leave out passwords and keys."),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Enter one sentence about what the VPN is used for")},
    )

    def __init__(self, *args: Any, most: int = 4000, is_optional: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most
        self.fields["purpose"].required = not is_optional

    def clean_purpose(self) -> str:
        purpose: str = self.cleaned_data["purpose"]
        if not purpose and not self.fields["purpose"].required:
            return ""
        if len(purpose) < 10:
            raise ValidationError(_("Add a little more: who connects to what, and why"), code="too_short")
        limit(self.fields["purpose"], len(purpose), self.most)
        return purpose


class AboutForm(PersonForm):
    """All that is asked of a person about themselves, as far as their service asks for it."""

    field_order = ("name", "cnic", "mobile", "purpose")
    mobile = LineField(
        label=_("Your mobile number"),
        help_text=_("For a question, or when your connection breaks."),
        widget=text_input(inputmode="tel", autocomplete="tel", dir="ltr", type="tel"),
        error_messages={"required": _("Enter a mobile number")},
    )
    purpose = LongText(
        label=_("What you use it for"),
        help_text=_("One sentence: whose systems, and why."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter one sentence about what the VPN is used for")},
    )

    def __init__(self, *args: Any, asks: Mapping[str, str], most: int = 4000, **kwargs: Any) -> None:
        super().__init__(*args, asks=asks, **kwargs)
        self.most = most
        for name, datum in (("mobile", "contact_number"), ("purpose", "purpose")):
            if datum in asks:
                self.fields[name].required = asks[datum] == "required"
            else:
                del self.fields[name]

    clean_mobile = ContactForm.clean_mobile
    clean_purpose = PurposeForm.clean_purpose


class AssociationForm(CardForm):
    """Which association, and under which number it knows the applicant. Where there is one, it is not asked for."""

    field_order = ("association", "number", "cnic")

    association = forms.ChoiceField(
        label=_("Which association?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose your association"), "invalid_choice": _("Choose your association")},
    )
    number = LineField(
        label=_("Member number"),
        help_text=_("As on your member card. If the association has not attested you yet, we ask it."),
        widget=text_input(dir="ltr"),
        error_messages={"required": _("Enter your member number")},
    )

    def __init__(
        self, *args: Any, associations: Sequence[Association] = (), language: str = "en", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.associations = associations
        if "cnic" in self.fields:
            self.fields["cnic"].required = False
            if not kwargs.get("kept"):
                self.fields["cnic"].help_text = _(
                    "Only if your association knows its members by it. 13 digits, kept encrypted, never shown whole."
                )
        field: Any = self.fields["association"]
        field.choices = [(each.key, each.title.in_language(language)) for each in associations]
        if len(associations) == 1:
            # One choice is none: it is told in the hint of the number.
            self.initial["association"] = associations[0].key
            field.required, field.disabled = False, True
            field.widget = forms.HiddenInput()
            self.fields["number"].label = _("Member number at %(association)s") % {
                "association": associations[0].title.in_language(language)
            }
        elif not associations:
            field.required = False
            field.widget = forms.HiddenInput()

    def clean_number(self) -> str:
        try:
            return identifiers.parse_association_number(self.cleaned_data["number"])
        except identifiers.IdentifierError as error:
            raise ValidationError(form_errors.association_number(error), code=error.reason) from None


class LastDayForm(forms.Form):
    """The last day that a certificate names."""

    use_required_attribute = False
    valid_until = forms.DateField(
        label=_("Valid until"),
        help_text=_("The last day printed on it. The registration ends on that day at the latest."),
        widget=forms.DateInput(attrs={"type": "date", "dir": "ltr"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"],
        error_messages={
            "required": _("Enter the last day printed on the certificate"),
            "invalid": _("Enter the date as on the certificate, for example 31/12/2027"),
        },
    )

    def clean_valid_until(self) -> dt.date:
        day: dt.date = self.cleaned_data["valid_until"]
        if day < timezone.localdate():
            raise forms.ValidationError(
                gettext("This certificate has expired. Send the new one, or continue without it and send it later."),
                code="expired",
            )
        return day
