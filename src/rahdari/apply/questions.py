"""The three questions before an application, as forms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.policy import Policy

from . import rules, summary
from .rules import Use, Which, Who


class QuestionForm(forms.Form):
    use_required_attribute = False


def _question(label: Any, choices: list[tuple[str, Any]], required: Any, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        help_text=help_text,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": required, "invalid_choice": required},
    )


class WhoForm(QuestionForm):
    who = _question(
        _("Who will use the VPN?"),
        [
            (Who.COMPANY, _("A company or firm")),
            (Who.FREELANCER, _("A freelancer or sole trader")),
            (Who.CALL_CENTRE, _("A call centre")),
            (Who.VIDEO, _("Video conferencing only")),
            (Who.BANK, _("A bank or financial institution")),
            (Who.EMBASSY, _("An embassy, consulate or international organisation")),
            (Who.PUBLIC_BODY, _("A university, school or public body")),
            (Who.LICENSED, _("I use the VPN of a licensed provider")),
            (Who.NONE, pgettext_lazy("who will use the VPN", "None of these")),
        ],
        _("Choose who will use the VPN"),
    )

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hints: dict[Who, Any] = {}
        for who, key in rules.SERVICE_OF.items():
            service = policy.services.get(key)
            if service is None or not service.open:
                hints[who] = _("Not yet open. We tell you what to do until then.")
        field: Any = self.fields["who"]
        field.hints = {key.value: hint for key, hint in hints.items()}
        field.or_before = (Who.LICENSED.value,)


class UseForm(QuestionForm):
    use = _question(
        _("What will it be used for?"),
        [
            (Use.CLIENTS, summary.USES[Use.CLIENTS]),
            (Use.STAFF, summary.USES[Use.STAFF]),
            (Use.SERVICE, _("To sell or give VPN access to others")),
            (Use.PRIVATE, _("For private use only")),
        ],
        _("Choose what the VPN will be used for"),
    )


class WhichForm(QuestionForm):
    which = _question(
        _("What do you want to register?"),
        [(key, summary.WHICH[key][0]) for key in Which],
        _("Choose what you want to register"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["which"].hints = {key: hint for key, (_label, hint) in summary.WHICH.items()}  # type: ignore[attr-defined]


class BeginForm(QuestionForm):
    """The email address to begin with. It is sent to the page that signs people in, which takes it."""

    email = forms.CharField(
        label=_("Email"),
        help_text=_("Use the same one every time. There is no password."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
