"""What an officer fills in about a hearing, and about the order of a court."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rahdari.web import fields

from .hearings import Span
from .rules import HearingOutcome


class SetHearingForm(forms.Form):
    """Day, time and place. `moved`: one is set already, and whoever is heard is told why it is another. `between`:
    the first and the last moment for it."""

    hearing_day = fields.day(_("Day of the hearing"), _("Give the day."))
    hearing_time = fields.time(_("Time"), _("Give the time, such as 10:30."))
    hearing_place = fields.line(
        _("Place, telephone number or link"),
        _("Give the place, the number or the link."),
        hint=_("The person who is heard reads this."),
        most=500,
    )
    hearing_why = fields.line(
        _("Why it is moved, in one sentence"), _("Enter why, in one sentence."), most=fields.WORDS
    )

    def __init__(self, *args: Any, moved: bool, between: Span, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.between = between
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
    hearing_attended = fields.line(_("Who was there"), most=500)
    hearing_minutes = fields.text(
        _("What was said; if nobody came, how long you waited"),
        _("Enter what was said, or how long you waited."),
        rows=6,
        hint=_("The person who is heard reads this."),
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
    order_number = fields.line(_("Number of the order"), _("Give the number of the order."), most=80)
    order_court = fields.line(_("Court or tribunal that gave it"), _("Name the court or tribunal."))
    order_day = fields.day(_("Day of the order"), _("Give the day."))
    order_copy = fields.line(
        _("Where the certified copy is"),
        _("Say where the certified copy is."),
        hint=_("Its number in your files. The holder reads this, and may ask to see it."),
        most=500,
    )
    order_file = forms.FileField(
        label=_("The certified copy, as a PDF or a picture"),
        help_text=_("The second officer and the holder read it."),
        error_messages=dict.fromkeys(("required", "invalid", "missing", "empty"), _("Add the certified copy.")),
    )
    order_text = fields.text(
        _("A sentence for the holder: what the order says about this registration"),
        _("Enter a sentence for the holder: what the order says about this registration."),
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
