"""What an appellant, an officer who records a letter, and whoever decides fill in. Nothing is chosen beforehand."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.web import fields

from . import words
from .models import Point
from .rules import GROUNDS, Against, Outcome


class AppealForm(forms.Form):
    """`against` says which grounds there are; with `papers` the words may be missing."""

    use_required_attribute = False
    grounds = forms.MultipleChoiceField(
        label=gettext_lazy("What is wrong with the decision?"),
        help_text=gettext_lazy("Choose all that apply. We decide each one separately."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose what is wrong with the decision"),
            "invalid_choice": gettext_lazy("Choose what is wrong with the decision"),
        },
    )
    words = fields.text(
        gettext_lazy("Say why, in your own words"),
        gettext_lazy("Write why, in a sentence or two"),
        rows=5,
        hint=gettext_lazy("English or Urdu. You need not name a law."),
    )
    hearing = forms.ChoiceField(
        label=gettext_lazy("How should we hear you?"),
        widget=forms.RadioSelect,
        choices=[
            ("writing", gettext_lazy("In writing is enough")),
            ("call", gettext_lazy("By telephone or video")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how we should hear you")),
    )

    def __init__(self, *args: Any, against: Against, papers: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grounds: Any = self.fields["grounds"]
        if against == Against.SILENCE:
            del self.fields["grounds"]
        else:
            grounds.choices = [(each.value, words.ground(each)) for each in GROUNDS[against]]
            grounds.hints = {each.value: words.hint(each) for each in GROUNDS[against]}
        self.fields["words"].required = not papers and against != Against.SILENCE
        hearing: Any = self.fields["hearing"]
        hearing.hints = {"call": _("We tell you day and time a week before.")}

    @property
    def facts(self) -> dict[str, Any]:
        """As the acts take them."""
        given = self.cleaned_data
        return {
            "grounds": given.get("grounds", []),
            "words": given["words"],
            "to_be_heard": given["hearing"] == "call",
        }


class WrittenAppealForm(AppealForm):
    """One that came by letter, or was spoken at the desk."""

    received = fields.day(gettext_lazy("On which day it came"), gettext_lazy("Give the day."))

    def clean_received(self) -> dt.date:
        received: dt.date = self.cleaned_data["received"]
        if received > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come. Give the day on which the letter arrived."))
        return received


class DecisionForm(forms.Form):
    """Each point its outcome and why."""

    use_required_attribute = False
    text = fields.text(
        gettext_lazy("Anything else the appellant should read"), gettext_lazy("Write why."), required=False
    )

    def __init__(self, *args: Any, points: Sequence[Point], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.points = list(points)
        for point in self.points:
            self.fields[f"outcome_{point.ground}"] = forms.ChoiceField(
                label=words.ground(point.ground),
                widget=forms.RadioSelect,
                choices=[(each.value, words.outcome(each)) for each in Outcome],
                error_messages=dict.fromkeys(
                    ("required", "invalid_choice"), _("Choose what you decide about this point.")
                ),
            )
            self.fields[f"why_{point.ground}"] = fields.text(
                _("Why, in words that the appellant understands"), _("Enter why, in one sentence.")
            )
        self.order_fields([*(name for name in self.fields if name != "text"), "text"])

    @property
    def decided(self) -> dict[str, tuple[str, str]]:
        given = self.cleaned_data
        return {each.ground: (given[f"outcome_{each.ground}"], given[f"why_{each.ground}"]) for each in self.points}


class TooLateForm(forms.Form):
    use_required_attribute = False
    too_late_because = fields.text(
        gettext_lazy("Why the delay is not excused"),
        gettext_lazy("Enter why, in one sentence."),
        hint=gettext_lazy("The appellant reads this."),
    )


class ServedForm(forms.Form):
    use_required_attribute = False
    on = fields.day(gettext_lazy("On which day it was handed over"), gettext_lazy("Give the day."))
    how = fields.text(
        gettext_lazy("How, and to whom"),
        gettext_lazy("Say how it was handed over, and to whom."),
        rows=2,
        hint=gettext_lazy("The time to appeal begins on this day. The holder reads this."),
    )

    def clean_on(self) -> dt.date:
        on: dt.date = self.cleaned_data["on"]
        if on > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come. Give the day on which it was handed over."))
        return on
