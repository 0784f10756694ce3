"""What an officer fills in for somebody who calls or comes: no more than can be said without papers. There is no field
for a card number, a file or a voice; the steps of the application ask its holder for the rest."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.address import format_block
from rahdari.apply import entered, form_errors
from rahdari.apply.address_form import AddressForm
from rahdari.apply.entered import Said
from rahdari.apply.entered_models import Way
from rahdari.people.identifiers import IdentifierError, parse_mobile
from rahdari.people.models import Language, normalise_email
from rahdari.people.names import NameField
from rahdari.policy import Policy
from rahdari.web import fields

WAYS = {Way.TELEPHONE: gettext_lazy("By telephone"), Way.PAPER: gettext_lazy("On paper, or in the office")}


# A mobile number signs nobody in (`people.sign_in`).
_ONLY_MOBILE = gettext_lazy(
    "With a mobile number alone they can read it and not take it over: signing in takes an email address. Ask whether "
    "they have one. If they have none, they need one of their own before it is erased; enter the mobile number until "
    "then."
)


class EntryForm(AddressForm):
    """The address may stay empty: whoever calls often does not know it, and proves it later in any case."""

    field_order: Any = (
        *("way", "language", "contact", "service", "name", "mobile", "purpose"),
        *("which", "block", "kind", "protocol", "port"),
    )
    way = forms.ChoiceField(
        label=gettext_lazy("How did they come to you?"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how they came to you")),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("In which language shall we write?"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose the language")),
    )
    contact = fields.line(
        gettext_lazy("Their email address or mobile number"),
        gettext_lazy("Enter an email address or a mobile number"),
        hint=gettext_lazy("The code goes there. Without it nothing is sent, and all of this is erased."),
        most=254,
        dir="ltr",
    )
    service = forms.ChoiceField(
        label=gettext_lazy("Who will use the VPN?"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose who will use the VPN")),
    )
    name = NameField(label=gettext_lazy("Name of the person"), required=False)
    mobile = fields.line(gettext_lazy("Number to call at any hour"), most=30, dir="ltr", inputmode="tel")
    purpose = fields.text(
        gettext_lazy("What the VPN is used for"),
        "",
        hint=gettext_lazy("In their own words. Nothing about what they read or send."),
        required=False,
    )

    def __init__(self, *args: Any, policy: Policy, language: str, **kwargs: Any) -> None:
        super().__init__(*args, limits=policy.limits, asks_which=True, **kwargs)
        for name in ("remote", "label", "stays", "id"):
            del self.fields[name]
        # Nothing that no service asks for.
        asked = {name for each in policy.services.values() if each.open for name in each.asks}
        for name, question in (("name", "name"), ("mobile", "contact_number"), ("purpose", "purpose")):
            if question not in asked:
                del self.fields[name]
        # The address is one thing that may be left out, with all that belongs to it.
        self.fields["block"].required = False
        given = bool(self.data.get("block", "").strip())
        self.fields["which"].required = self.fields["which"].required and given
        self.fields["kind"].required = self.fields["kind"].required and given
        contact = self.fields["contact"]
        if entered.sends_sms():
            contact.help_text = f"{contact.help_text} {_ONLY_MOBILE}"
        else:
            contact.label = _("Their email address")
            contact.error_messages["required"] = _("Enter an email address")
        choices: dict[str, Any] = self.fields
        choices["way"].choices = list(WAYS.items())
        choices["language"].choices = list(Language.choices)
        choices["service"].choices = [
            (key, (each.who or each.title).in_language(language)) for key, each in policy.services.items() if each.open
        ]

    def clean_contact(self) -> str:
        given = str(self.cleaned_data["contact"]).strip()
        if "@" in given:
            address = normalise_email(given)
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(_("Enter an email address, with a name before and after the sign @.")) from None
            return address
        if not entered.sends_sms():
            raise ValidationError(_("This register sends no SMS: enter an email address."))
        return self._number(given)

    def clean_mobile(self) -> str:
        given = str(self.cleaned_data["mobile"]).strip()
        return self._number(given) if given else ""

    @staticmethod
    def _number(given: str) -> str:
        try:
            return parse_mobile(given)
        except IdentifierError as error:
            raise ValidationError(form_errors.mobile(error), code=error.reason) from None

    def clean_block(self) -> Any:
        return super().clean_block() if self.cleaned_data["block"].strip() else None

    @property
    def said(self) -> Said:
        given = self.cleaned_data
        block = given.get("block")
        about = {name: given.get(name) or "" for name in ("kind", "protocol", "port")} if block is not None else {}
        return Said(
            service=given["service"],
            which=given.get("which") or "",
            name=given.get("name") or "",
            mobile=given.get("mobile") or "",
            purpose=given.get("purpose") or "",
            block=format_block(block) if block is not None else "",
            **about,
        )
