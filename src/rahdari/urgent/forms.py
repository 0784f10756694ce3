"""What a holder who is cut off types, or an officer for one on the telephone. Nothing is chosen beforehand."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.address import AddressError, Block, directory, format_block, is_single, parse_block
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply import rules as addresses
from rahdari.people.sms_forms import NumberCodeForm as NumberCodeForm
from rahdari.register import queries as register
from rahdari.register import reference as references
from rahdari.register.models import Entry
from rahdari.web import fields
from rahdari.web.values import ltr, name

from .queries import OnFile


class UrgentForm(forms.Form):
    """The new address, and the one that is cut off: the same runs there."""

    use_required_attribute = False
    cut_off = forms.ChoiceField(
        label=gettext_lazy("Which address is cut off?"),
        help_text=gettext_lazy("The same service is then listed at the new address."),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choose the address that is cut off")
        ),
    )
    block = fields.line(
        gettext_lazy("New address"),
        gettext_lazy("Enter the new address"),
        hint=gettext_lazy("One public address, IPv4 or IPv6. It is shown by the router or the server there."),
        most=300,
        dir="ltr",
        inputmode="url",
        autocapitalize="off",
    )

    def __init__(self, *args: Any, entries: Sequence[Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = {str(each.pk): each for each in entries}
        cut_off: Any = self.fields["cut_off"]
        cut_off.choices = [(key, _label(each)) for key, each in self.entries.items()]

    def clean_cut_off(self) -> Entry:
        return self.entries[self.cleaned_data["cut_off"]]

    def clean_block(self) -> Block:
        try:
            block = parse_block(self.cleaned_data["block"])
        except AddressError as error:
            raise ValidationError(form_errors.address(error), code=error.reason) from None
        limits = applications.policy_in_force().limits
        trouble = addresses.assess_block(block, limits=limits, allowed=settings.ALLOWED_SPECIAL_RANGES)
        if trouble is not None:
            raise ValidationError(form_errors.trouble(trouble), code=trouble.kind)
        if not is_single(block):
            raise ValidationError(_("Enter one address, not a range."), code="range")
        return block

    def add_yours(self) -> None:
        self.add_error("block", ValidationError(_("You have registered this address already."), code="yours"))


def _label(entry: Entry) -> SafeString:
    line = applications.what_runs(register.parts_at(entry))
    runs = ltr(line.text) if line.kind == "ltr" else line.text
    organisation = directory.current().organisation(entry.asn) if entry.asn is not None else None
    parts = (ltr(format_block(entry.block)), runs, name(organisation) if organisation else "")
    return format_html_join(" · ", "{}", ((part,) for part in parts if part))


class CallForm(UrgentForm):
    """The same for a holder on the telephone, with the person whose number it is."""

    field_order = ("person", "cut_off", "block")
    person = forms.ChoiceField(
        label=gettext_lazy("Who is calling?"),
        help_text=gettext_lazy("The code goes to the number on file, and to no other."),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose who is calling")),
    )

    def __init__(self, *args: Any, numbers: Sequence[OnFile], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.numbers = {str(each.person.pk): each for each in numbers}
        person: Any = self.fields["person"]
        person.choices = [
            (key, format_html("{} ({})", name(each.person.name or each.person.email), ltr(each.masked)))
            for key, each in self.numbers.items()
        ]

    def clean_person(self) -> OnFile:
        return self.numbers[self.cleaned_data["person"]]


class FindForm(forms.Form):
    """The number of the registration, as the caller reads it from the certificate or a letter."""

    use_required_attribute = False
    number = fields.line(
        gettext_lazy("Number of the registration"),
        gettext_lazy("Enter the number of the registration."),
        most=60,
        dir="ltr",
        autocapitalize="characters",
        spellcheck="false",
    )

    def clean_number(self) -> str:
        exact = references.normalise(self.cleaned_data["number"])
        if exact is None:
            raise forms.ValidationError(_("Enter the number as on the certificate."))
        return exact
