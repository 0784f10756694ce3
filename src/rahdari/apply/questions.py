"""The questions before an application, and the email address to begin with, as forms."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.policy import Policy

from . import eligible, summary
from .eligible import Use


def _question(label: Any, required: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"required": required, "invalid_choice": required},
    )


ASKED = ("who", "use", "which")


def in_address(query: Mapping[str, str]) -> dict[str, str]:
    """The answers that stand in the address of a page, unjudged."""
    return {name: query[name] for name in ASKED if query.get(name)}


class QuestionsForm(forms.Form):
    """The questions that the policy asks. Each has to be answered unless an answer before it says where that leads."""

    use_required_attribute = False
    who = _question(_("Who will use the VPN?"), _("Choose who will use the VPN"))
    use = _question(_("What will it be used for?"), _("Choose what the VPN will be used for"))
    which = _question(_("What do you want to register?"), _("Choose what you want to register"))
    token = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, policy: Policy, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        fields: dict[str, Any] = self.fields
        # Who each service is for, in the words of the policy.
        fields["who"].choices = [
            *((key, (each.who or each.title).in_language(language)) for key, each in policy.services.items()),
            *([(eligible.LICENSED, _("I use the VPN of a licensed provider"))] if policy.licensees else []),
            (eligible.NONE, pgettext_lazy("who will use the VPN", "None of these")),
        ]
        closed = [key for key, service in policy.services.items() if not service.open]
        fields["who"].hints = dict.fromkeys(closed, _("Not yet open. We tell you what to do until then."))
        fields["who"].or_before = (eligible.LICENSED if policy.licensees else eligible.NONE,)
        fields["use"].choices = [
            (Use.CLIENTS, summary.USES[Use.CLIENTS]),
            (Use.STAFF, summary.USES[Use.STAFF]),
            (Use.SERVICE, _("To sell or give VPN access to others")),
            (Use.PRIVATE, _("For private use only")),
        ]
        offered = eligible.which_are_offered(policy)
        fields["which"].choices = [(key, summary.WHICH[key][0]) for key in offered]
        fields["which"].hints = {key: summary.WHICH[key][1] for key in offered}
        for name in set(ASKED) - set(eligible.questions_of(policy)):
            del self.fields[name]

    @property
    def asked(self) -> list[forms.BoundField]:
        return self.visible_fields()

    def clean_token(self) -> str:
        """One that came without is new."""
        try:
            return str(uuid.UUID(self.cleaned_data["token"]))
        except ValueError:
            return str(uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in eligible.open_questions(self.policy, given):
            if name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return given


class BeginForm(forms.Form):
    """The email address to begin with. It is sent to the page that signs people in, which takes it."""

    use_required_attribute = False
    email = forms.CharField(
        label=_("Email"),
        help_text=_("Use the same one every time. There is no password."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
