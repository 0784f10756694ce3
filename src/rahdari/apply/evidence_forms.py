"""Forms of evidence of employment: which kind, and what each sort of it wants."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from rahdari.people import mailboxes
from rahdari.people.models import normalise_email
from rahdari.policy import EvidenceKind, Service, Text

from . import rules, summary
from .forms import CardForm, LineField, LongText, StepForm, limit, text_input
from .rules import ASSOCIATION


class EvidenceForm(StepForm):
    """Which evidence of employment. The kinds are the policy's."""

    kind = forms.ChoiceField(
        label=_("How can you prove your employment or freelance work?"),
        help_text=_("One is enough."),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how you prove your employment or freelance work"),
            "invalid_choice": _("Choose how you prove your employment or freelance work"),
        },
    )

    def __init__(self, *args: Any, service: Service, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        leads: dict[str, tuple[str, Any]] = {ASSOCIATION: ("ok", _("Registered at once when it has attested you"))}
        for kind in service.evidence:
            if found := summary.leads_to(kind):
                leads[kind.key] = found
        groups = summary.evidence_groups(service)
        field: Any = self.fields["kind"]
        field.choices = [
            (key, title.in_language(language) if isinstance(title, Text) else title)
            for group in groups
            for key, title in group.kinds
        ]
        field.leads = leads
        field.groups = {key: (group.title, group.hint) for group in groups for key, _title in group.kinds}


class EvidenceTextForm(StepForm):
    text = LongText(widget=forms.Textarea(attrs={"rows": 8}), error_messages={"required": _("Enter or paste it here")})

    def __init__(
        self, *args: Any, title: str = "", hint: str = "", most: int = 4000, lasts: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.most, self.lasts = most, lasts
        self.fields["text"].label, self.fields["text"].help_text = title, hint

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        limit(self.fields["text"], len(text), self.most)
        return text


class LaterText(forms.Form):
    """The same after the application was sent."""

    use_required_attribute = False
    text = LongText(
        label=_("Evidence of employment or freelance work"),
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=4000,
        error_messages={
            "required": _("Enter or paste it here"),
            "max_length": _("This is too long: use at most %(limit_value)s characters"),
        },
    )


class ClientForm(StepForm):
    """Whom to ask: somebody at the client's or employer's own domain."""

    text = LineField(
        label=_("Their email address"),
        help_text=_("At their own domain, as on their own site. We cannot accept addresses at free mail services."),
        max_length=254,
        widget=text_input(type="email", inputmode="email", autocomplete="off", dir="ltr"),
        error_messages={
            "required": _("Enter the address of a client or employer"),
            "max_length": _("This address is too long. Check it again."),
        },
    )

    def __init__(self, *args: Any, own: str = "", free_mail: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own, self.free_mail = own, free_mail

    def clean_text(self) -> str:
        address = normalise_email(self.cleaned_data["text"])
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("This is not an email address. It looks like name@client.example"), code="no"
            ) from None
        if not mailboxes.is_reachable(address):
            raise ValidationError(mailboxes.UNREACHABLE, code="unreachable")
        if address == self.own.lower():
            raise ValidationError(_("This is your own address. Give that of your client or employer."), code="own")
        if rules.domain_of(address) in self.free_mail:
            raise ValidationError(
                _(
                    "Anybody can have an address at this mail service, so it proves nothing. "
                    "Give an address at the client’s own domain, or choose another proof."
                ),
                code="free_mail",
            )
        return address


class DeclarationForm(CardForm):
    """What is declared, in the policy's words, and what the work is."""

    field_order = ("text", "cnic", "declared")

    text = LongText(
        label=_("What you do"),
        help_text=_("A few words, for example “web design for shops abroad”."),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=400,
        error_messages={
            "required": _("Enter in a few words what you do"),
            "max_length": _("This is too long: use at most %(limit_value)s characters"),
        },
    )
    declared = forms.BooleanField(
        label=_("I work for clients in my own name, and all the conditions are met."),
        error_messages={"required": _("Tick the box if this is true. If not, choose another proof.")},
    )

    def __init__(
        self,
        *args: Any,
        kind: EvidenceKind,
        language: str,
        addresses: int,
        declared_before: Callable[[], bool],
        lasts: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lasts = lasts
        self.kind, self.addresses, self.declared_before = kind, addresses, declared_before
        self.conditions = [condition.in_language(language) for condition in kind.conditions]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        most = self.kind.most_addresses
        if most is not None and self.addresses > most:
            raise ValidationError(
                ngettext(
                    "A declaration covers %(most)s address. "
                    "Remove the others from this application, or choose another proof.",
                    "A declaration covers %(most)s addresses. "
                    "Remove the others from this application, or choose another proof.",
                    most,
                )
                % {"most": most},
                code="addresses",
            )
        if self.declared_before():
            raise ValidationError(
                _(
                    "You have already used a declaration, which is possible only once in a certain time. Choose "
                    "another proof."
                ),
                code="again",
            )
        return data
