"""What officers fill in about draft rules. What is published is given in both languages."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rahdari import policy
from rahdari.consult.models import Hearing
from rahdari.consult.rules import Hidden, Outcome
from rahdari.web import fields

from ..public import consultation_words as words

# A policy file has about 90 kB; a draft is a few pages.
LARGEST = 500_000


def both_of(given: Mapping[str, Any], name: str) -> policy.Text:
    return policy.Text(given[f"{name}_en"], given[f"{name}_ur"])


class _TextFile(forms.FileField):
    """A file of text, given out as text."""

    def clean(self, data: Any, initial: Any = None) -> str:
        found = super().clean(data, initial)
        if found.size > LARGEST:
            raise forms.ValidationError(_("This file is too large for what it should be."))
        try:
            return str(found.read().decode("utf-8"))
        except UnicodeDecodeError:
            raise forms.ValidationError(_("This file is not written in UTF-8.")) from None


class PublishForm(forms.Form):
    use_required_attribute = False
    draft = _TextFile(
        label=gettext_lazy("File of the draft"),
        help_text=gettext_lazy(
            "A text file: the title, the reasons, and each passage with the rule in force, in English and Urdu."
        ),
        error_messages=dict.fromkeys(("required", "empty"), gettext_lazy("Choose the file of the draft.")),
    )
    policy = _TextFile(
        label=gettext_lazy("Policy file that it would become"),
        error_messages=dict.fromkeys(("required", "empty"), gettext_lazy("Choose the policy file.")),
    )


class AnswerForm(forms.Form):
    use_required_attribute = False
    point_en = fields.line(
        gettext_lazy("The point, in English"), gettext_lazy("Write it in English, too."), dir="ltr", lang="en"
    )
    point_ur = fields.line(
        gettext_lazy("The point, in Urdu"), gettext_lazy("Write it in Urdu, too."), dir="rtl", lang="ur"
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("What came of it"),
        widget=forms.RadioSelect,
        choices=[
            (Outcome.CHANGED, pgettext_lazy("an answer", "Changed")),
            (Outcome.KEPT, pgettext_lazy("an answer", "Kept as it was")),
            (Outcome.LATER, pgettext_lazy("an answer", "Later")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose what came of it.")),
    )
    clause = forms.ChoiceField(
        label=gettext_lazy("Passage that is different now"),
        help_text=gettext_lazy("If something changed: a passage of the latest version that has other words now."),
        required=False,
    )
    text_en = fields.text(gettext_lazy("The answer, in English"), gettext_lazy("Write it in English, too."))
    text_ur = fields.text(gettext_lazy("The answer, in Urdu"), gettext_lazy("Write it in Urdu, too."))

    def __init__(self, *args: Any, clauses: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of_clause: Any = self.fields["clause"]
        of_clause.choices = [("", "–"), *clauses]
        of_clause.depends = True  # on the outcome: the act refuses a change without it
        if not clauses:
            outcome: Any = self.fields["outcome"]
            outcome.choices = [each for each in outcome.choices if each[0] != Outcome.CHANGED]
            outcome.help_text = _("To answer that something changed, publish the next version with other words first.")
            del self.fields["clause"]


class NumberForm(forms.Form):
    use_required_attribute = False
    number = forms.IntegerField(
        label=gettext_lazy("Number of the comment"),
        min_value=1,
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value"), gettext_lazy("Enter its number.")),
    )


class HideForm(NumberForm):
    """Sent twice: the second time with the number (`sure`) of the comment that the officer has read."""

    sure = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = forms.ChoiceField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("There is no other reason. A comment is never hidden for its opinion of the draft."),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose the reason.")),
    )

    def __init__(self, *args: Any, has_ended: bool, **kwargs: Any) -> None:
        # Another form of the page asks for a number, too.
        super().__init__(*args, **{"auto_id": "id_hide_%s"} | kwargs)
        why: Any = self.fields["why"]
        reasons = [Hidden.PERSONAL_DATA] if has_ended else Hidden
        why.choices = [(each.value, words.hidden(each)) for each in reasons]
        if has_ended:
            said = _("This draft has ended: a comment is hidden for private details of another person alone.")
            why.help_text = why.error_messages["invalid_choice"] = said


class HearingForm(forms.Form):
    use_required_attribute = False
    day = fields.day(gettext_lazy("Day"), gettext_lazy("Choose the day."))
    at = fields.time(gettext_lazy("Time"), gettext_lazy("Choose the time."))
    place_en = fields.line(
        gettext_lazy("Place, in English"), gettext_lazy("Write it in English, too."), dir="ltr", lang="en"
    )
    place_ur = fields.line(gettext_lazy("Place, in Urdu"), gettext_lazy("Write it in Urdu, too."), dir="rtl", lang="ur")

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "day" in given and "at" in given and self.held_at <= self.now:
            self.add_error("day", _("Choose a day and a time that are still to come."))
        return given

    @property
    def held_at(self) -> dt.datetime:
        given = self.cleaned_data
        return timezone.make_aware(dt.datetime.combine(given["day"], given["at"]))


class OfHearing(forms.Form):
    """About a hearing of a page that may have the same form for another one."""

    use_required_attribute = False

    def __init__(self, *args: Any, hearing: Hearing, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"id_{hearing.pk}_%s"} | kwargs)
        self.hearing = hearing


class CallOffForm(OfHearing):
    why_en = fields.text(gettext_lazy("Why it is called off, in English"), gettext_lazy("Write it in English, too."))
    why_ur = fields.text(gettext_lazy("Why it is called off, in Urdu"), gettext_lazy("Write it in Urdu, too."))


class MinutesForm(OfHearing):
    minutes_en = fields.text(gettext_lazy("Minutes, in English"), gettext_lazy("Write it in English, too."))
    minutes_ur = fields.text(gettext_lazy("Minutes, in Urdu"), gettext_lazy("Write it in Urdu, too."))


class WithdrawForm(forms.Form):
    use_required_attribute = False
    why_en = fields.text(gettext_lazy("Why it is withdrawn, in English"), gettext_lazy("Write it in English, too."))
    why_ur = fields.text(gettext_lazy("Why it is withdrawn, in Urdu"), gettext_lazy("Write it in Urdu, too."))
