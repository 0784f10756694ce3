"""The branches of an organisation: what is said of one, and which addresses are whose."""

import uuid
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.address import format_block
from rahdari.apply import form_errors, subjects
from rahdari.apply.forms import LineField, text_input
from rahdari.people.identifiers import IdentifierError, parse_mobile
from rahdari.people.mailboxes import EmailField, clean_email
from rahdari.people.models import Branch, Organisation
from rahdari.people.names import NameField, tidy
from rahdari.register import queries as register


class BranchForm(forms.Form):
    use_required_attribute = False
    name = NameField(
        label=gettext_lazy("Name of the branch"),
        max_length=100,
        widget=text_input(),
        error_messages={
            "required": gettext_lazy("Enter the name of the branch"),
            "max_length": gettext_lazy("This name is too long: use at most %(limit_value)s characters"),
        },
    )
    city = LineField(label=gettext_lazy("City"), max_length=80, required=False, widget=text_input())
    address = LineField(label=gettext_lazy("Street and house"), max_length=200, required=False, widget=text_input())
    contact_name = NameField(
        label=gettext_lazy("Contact for the line there"),
        help_text=gettext_lazy("We email them when there is a problem with an address of this branch."),
        max_length=120,
        required=False,
        widget=text_input(),
    )
    contact_email = EmailField(
        label=gettext_lazy("Their email"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": gettext_lazy("Enter an email address with an @ sign and without spaces")},
    )
    contact_mobile = LineField(
        label=gettext_lazy("Their mobile number"),
        required=False,
        widget=text_input(dir="ltr", inputmode="tel"),
    )

    def clean_city(self) -> str:
        return tidy(self.cleaned_data["city"])

    def clean_address(self) -> str:
        return tidy(self.cleaned_data["address"])

    def clean_contact_name(self) -> str:
        return tidy(self.cleaned_data["contact_name"])

    def clean_contact_email(self) -> str:
        given = self.cleaned_data["contact_email"]
        return clean_email(given) if given else ""

    def clean_contact_mobile(self) -> str:
        given = self.cleaned_data["contact_mobile"].strip()
        if not given:
            return ""
        try:
            return parse_mobile(given)
        except IdentifierError as error:
            raise ValidationError(form_errors.mobile(error), code=error.reason) from None

    def add_name_taken(self) -> None:
        self.add_error("name", _("Another branch has this name. Enter a different name."))


@dataclass(frozen=True)
class Address:
    """A registered address of the organisation: of which branch it is, if of any."""

    subject: str
    entry: uuid.UUID
    text: str
    label: str
    registration: str
    branch: Branch | None


def addresses_of(organisation: Organisation) -> list[Address]:
    """The addresses that the organisation has on the register now, each once."""
    found: list[Address] = []
    held = register.registrations_of(holders=[organisation.holder_ref])
    registrations = list(held.prefetch_related("entries"))
    entries = register.endpoints_among(
        entry for registration in registrations for entry in registration.entries.all() if entry.ended_at is None
    )
    numbers = {each.pk: each.reference for each in registrations}
    known = subjects.endpoints_by_subjects([entry.subject for entry in entries])
    for entry in entries:
        endpoint = known.get(entry.subject)
        if endpoint is not None:
            branch = endpoint.branch if endpoint.branch is not None and endpoint.branch.ended_at is None else None
            text = format_block(entry.block)
            found.append(
                Address(endpoint.subject, entry.pk, text, endpoint.label, numbers[entry.registration_id], branch)
            )
    return found
