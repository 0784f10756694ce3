"""What an officer fills in about a hearing, and about the order of a court."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .forms import WORDS
from .rules import HearingOutcome

TOO_LONG = _("This is too long. Shorten it to 4,000 characters.")


class SetHearingForm(forms.Form):
    """Day, time and place. `moved`: one is set already, and the holder is told why it is another."""

    hearing_day = forms.DateField(
        label=_("Day of the hearing"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=dict.fromkeys(("required", "invalid"), _("Give the day.")),
    )
    hearing_time = forms.TimeField(
        label=_("Time"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages=dict.fromkeys(("required", "invalid"), _("Give the time, such as 10:30.")),
    )
    hearing_place = forms.CharField(
        label=_("Place or link"),
        help_text=_("The holder reads this."),
        max_length=500,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Give the place, or the link to it.")},
    )
    hearing_why = forms.CharField(
        label=_("Why it is moved, in one sentence"),
        max_length=WORDS,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Enter why, in one sentence."), "max_length": TOO_LONG},
    )

    def __init__(self, *args: Any, moved: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not moved:
            del self.fields["hearing_why"]

    @property
    def starts_at(self) -> dt.datetime:
        given = self.cleaned_data
        return timezone.make_aware(dt.datetime.combine(given["hearing_day"], given["hearing_time"]))


class RecordHearingForm(forms.Form):
    hearing_outcome = forms.ChoiceField(
        label=_("What happened"),
        choices=[
            (HearingOutcome.ATTENDED.value, _("It was held")),
            (HearingOutcome.NOBODY_CAME.value, _("Nobody came")),
        ],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of the two.")),
    )
    hearing_attended = forms.CharField(
        label=_("Who was there"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    hearing_minutes = forms.CharField(
        label=_("What was said; if nobody came, how long you waited"),
        help_text=_("The holder reads this."),
        max_length=WORDS,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        error_messages={"required": _("Enter what was said, or how long you waited."), "max_length": TOO_LONG},
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        held = given.get("hearing_outcome") == HearingOutcome.ATTENDED
        if held and not given.get("hearing_attended", "").strip() and "hearing_attended" not in self.errors:
            self.add_error("hearing_attended", _("Enter who was there."))
        return given


class OrderForm(forms.Form):
    """What a court ordered. Only what the order itself says: the officer finds nothing."""

    order_code = forms.ChoiceField(
        label=_("Reason for carrying it out"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose a reason.")),
    )
    order_number = forms.CharField(
        label=_("Number of the order"),
        max_length=80,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Give the number of the order.")},
    )
    order_court = forms.CharField(
        label=_("Court or tribunal that gave it"),
        max_length=200,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Name the court or tribunal.")},
    )
    order_day = forms.DateField(
        label=_("Day of the order"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=dict.fromkeys(("required", "invalid"), _("Give the day.")),
    )
    order_copy = forms.CharField(
        label=_("Where the certified copy is"),
        help_text=_("Its number in your files. The holder reads this, and may ask to see it."),
        max_length=500,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Say where the certified copy is.")},
    )
    order_text = forms.CharField(
        label=_("A sentence for the holder: what the order says about this registration"),
        max_length=WORDS,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={
            "required": _("Enter a sentence for the holder: what the order says about this registration."),
            "max_length": TOO_LONG,
        },
    )

    def __init__(self, *args: Any, codes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["order_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [("", _("Choose one")), *codes]

    def clean_order_day(self) -> dt.date:
        day: dt.date = self.cleaned_data["order_day"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return day

    @property
    def order(self) -> str:
        """How it is named to whoever reads it."""
        given = self.cleaned_data
        return ", ".join((given["order_number"], given["order_court"], given["order_day"].isoformat()))
