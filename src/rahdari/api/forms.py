"""The form of a new token."""

from django import forms
from django.utils.translation import gettext_lazy as _

from . import words
from .interface import API
from .rules import DAYS, Scope


class TokenForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(
        label=_("What the token is for"),
        help_text=_("For example the name of your program. You see it beside the token."),
        max_length=60,
        error_messages={"required": _("Enter what the token is for"), "max_length": _("Use 60 characters at most")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        help_text=_("Tick as little as the program needs."),
        choices=lambda: [(scope.value, words.SCOPES[scope]) for scope in Scope if scope in API.scopes_used()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick at least one thing that the program may do"),
            "invalid_choice": _("Choose only from the list"),
        },
    )
    days = forms.TypedChoiceField(
        label=_("How long it works"),
        choices=[(str(days), words.DAYS[days]) for days in DAYS],
        coerce=int,
        initial="90",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how long it works"), "invalid_choice": _("Choose how long it works")},
    )
