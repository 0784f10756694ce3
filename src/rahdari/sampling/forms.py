"""What whoever looks again fills in. Nothing is chosen beforehand."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.decide.case_page import ShownReason
from rahdari.web import fields


class VerdictForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("What would you have done?"),
        choices=[
            ("grant", pgettext_lazy("second review", "Granted")),
            ("ask", pgettext_lazy("second review", "Asked for something")),
            ("refuse", pgettext_lazy("second review", "Refused")),
        ],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of the three.")),
    )
    code = forms.ChoiceField(
        label=_("What you would have asked for"),
        required=False,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    codes = forms.MultipleChoiceField(
        label=_("Why you would have refused"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    because = fields.text(
        _("Why, in one sentence"),
        _("Enter why, in one sentence."),
        hint=_("A supervisor reads it if the decision was another one."),
    )

    def __init__(self, *args: Any, questions: list[ShownReason], refusals: list[ShownReason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = (("code", [("", _("Choose one")), *map(_choice, questions)]), ("codes", [*map(_choice, refusals)]))
        for name, choices in lists:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - both are, a few lines above
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("verdict") == "ask" and not given.get("code") and "code" not in self.errors:
            self.add_error("code", _("Choose what you would have asked for."))
        if given.get("verdict") == "refuse" and not given.get("codes") and "codes" not in self.errors:
            self.add_error("codes", _("Choose at least one reason."))
        return given

    @property
    def named(self) -> list[str]:
        """The codes of what was chosen."""
        given = self.cleaned_data
        named: dict[str, list[str]] = {"ask": [given["code"]], "refuse": given["codes"]}
        return named.get(given["verdict"], [])


def _choice(shown: ShownReason) -> tuple[str, str]:
    return shown.reason.code, f"\u2066{shown.reason.code}\u2069 {shown.text}"


class CloseForm(forms.Form):
    done = forms.ChoiceField(
        label=_("What was done?"),
        choices=[
            ("stays", _("Nothing: the decision was right, or is right by now")),
            ("revokes", _("I or an officer proposed to revoke the registration, with notice to the holder")),
            ("anew", _("The applicant was told that it is decided again")),
        ],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose what was done.")),
    )
    because = fields.text(_("Why, in one sentence"), _("Enter why, in one sentence."))
