"""What somebody fills in who says something about a draft. Nothing of it is asked of the register."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from rahdari import policy
from rahdari.checks.names import stands_in
from rahdari.consult import bodies, rules
from rahdari.consult.models import Body
from rahdari.people.names import NameField
from rahdari.web import fields

# The answer "all of it", where a passage is chosen.
ALL = "all"


def _email(hint: Any) -> forms.EmailField:
    return forms.EmailField(
        label=gettext_lazy("Your email address"),
        help_text=hint,
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Enter your email address: the code goes there."),
            "invalid": gettext_lazy("Enter an email address, with the sign @ in it."),
        },
    )


class SayForm(forms.Form):
    """`passages` are the sentences of the clause, to choose the one that is meant; none for the whole draft. `key`
    makes that a form which is sent twice is one comment, `version` says which text its author read."""

    use_required_attribute = False
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    passage = forms.ChoiceField(
        label=gettext_lazy("Which words do you mean?"),
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a sentence of the passage as it is now.")},
    )
    quoted = fields.line(
        gettext_lazy("Only some words of it"),
        hint=gettext_lazy("Copy them from the passage. May stay empty."),
        most=400,
    )
    words = fields.text(
        gettext_lazy("Your comment"),
        gettext_lazy("Write your comment."),
        hint=gettext_lazy("What should change, and why. Public."),
        rows=6,
    )
    name = NameField(
        label=gettext_lazy("Shown as"),
        help_text=gettext_lazy("Any name that you choose. May stay empty. Public."),
        of_firm=True,
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters")},
    )
    email = _email(gettext_lazy("For a code now, and for news of your comment. Not public."))

    def __init__(self, *args: Any, text: str = "", version: int, speaks_for: Body | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.speaks_for = speaks_for
        self.sentences = rules.sentences(text)
        self.fields["key"].initial = uuid.uuid4()
        self.fields["version"].initial = version
        if not text:
            del self.fields["passage"], self.fields["quoted"]
            return
        choices: Any = self.fields["passage"]
        choices.choices = [(ALL, _("All of this passage"))]
        if len(self.sentences) > 1:
            choices.choices += [(str(place), each) for place, each in enumerate(self.sentences)]
        choices.initial = ALL

    def clean_name(self) -> str:
        """The office, and whom it asked to speak as such, are named by no one else."""
        name: str = self.cleaned_data["name"]
        others = [each.name_text for each in bodies.bodies() if each.ended_at is None and each != self.speaks_for]
        for one in [policy.current(settings.POLICY_FILE).authority, *others]:
            if any(stands_in(text, name) for text in (one.en, one.ur)):
                said = _("This is the name of %(name)s. Enter your own, or leave it empty.")
                raise ValidationError(said, code="of_another", params={"name": one.in_language(get_language())})
        return name

    @property
    def quote(self) -> str:
        """The words that are meant; empty for all of the passage."""
        given = self.cleaned_data
        if given.get("quoted"):
            return str(given["quoted"])
        chosen = given.get("passage") or ALL
        return "" if chosen == ALL else self.sentences[int(chosen)]


class ClaimForm(forms.Form):
    """Where the code goes of whoever says that a name is theirs."""

    use_required_attribute = False
    email = _email(gettext_lazy("For a code now. We forget it when the code has gone out."))


class CodeForm(forms.Form):
    use_required_attribute = False
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(("required", "max_length"), gettext_lazy("Type the eight digits of the code.")),
    )
