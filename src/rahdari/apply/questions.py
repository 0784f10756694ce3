"""The questions before an application, as forms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.policy import Policy

from . import eligible, summary
from .eligible import Use


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
    """Who each service is for, in the words of the policy."""

    who = _question(_("Who will use the VPN?"), [], _("Choose who will use the VPN"))

    def __init__(self, *args: Any, policy: Policy, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["who"]
        field.choices = [
            *((key, (each.who or each.title).in_language(language)) for key, each in policy.services.items()),
            *([(eligible.LICENSED, _("I use the VPN of a licensed provider"))] if policy.licensees else []),
            (eligible.NONE, pgettext_lazy("who will use the VPN", "None of these")),
        ]
        closed = [key for key, service in policy.services.items() if not service.open]
        field.hints = dict.fromkeys(closed, _("Not yet open. We tell you what to do until then."))
        field.or_before = (eligible.LICENSED if policy.licensees else eligible.NONE,)


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
        [],
        _("Choose what you want to register"),
    )

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["which"]
        offered = eligible.which_are_offered(policy)
        field.choices = [(key, summary.WHICH[key][0]) for key in offered]
        field.hints = {key: summary.WHICH[key][1] for key in offered}


class BeginForm(QuestionForm):
    """The email address to begin with. It is sent to the page that signs people in, which takes it."""

    email = forms.CharField(
        label=_("Email"),
        help_text=_("Use the same one every time. There is no password."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
