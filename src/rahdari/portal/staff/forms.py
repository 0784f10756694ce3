"""What an officer says about a hold. Nothing is preselected."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class HoldForm(forms.Form):
    decision = forms.ChoiceField(
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two."), "invalid_choice": _("Choose one of the two.")},
    )
    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea,
        error_messages={
            "required": _("Enter why, in one sentence."),
            "max_length": _("This is too long. Shorten it to 1,000 characters."),
        },
    )

    def __init__(self, *args: Any, decisions: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        decision = self.fields["decision"]
        assert isinstance(decision, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        decision.choices = decisions
