"""What a supervisor fills in about days of the office, and what whoever does not confirm it says."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.policy import Calendar
from rahdari.policy.corrections import Kind
from rahdari.policy.days import slots_of
from rahdari.web import fields
from rahdari.web.values import plain_ltr

from .models import LONGEST, CalendarCorrection

EXAMPLE = "09:00-13:00, 14:00-16:00"
ONE = gettext_lazy("Choose one of these.")
A_TIME = gettext_lazy("Give the time, such as 13:00.")


class CorrectionForm(forms.Form):
    """`calendar` is that in force, `replaces` the correction that this one takes the place of."""

    use_required_attribute = False
    kind = forms.ChoiceField(
        label=gettext_lazy("What is different"),
        widget=forms.RadioSelect,
        choices=[
            (Kind.CLOSED.value, gettext_lazy("The office is closed")),
            (Kind.HOURS.value, gettext_lazy("Other office hours, such as in Ramadan")),
            (
                Kind.WORKED.value,
                gettext_lazy("It is open after all: no day off, or an order that was withdrawn"),
            ),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), ONE),
    )
    first = fields.day(gettext_lazy("First day"), gettext_lazy("Give the first day."))
    last = fields.day(
        gettext_lazy("Last day"),
        gettext_lazy("Give the last day."),
        required=False,
        hint=gettext_lazy("Leave it empty for a single day."),
    )
    begins = fields.time(gettext_lazy("From what time"), A_TIME, required=False)
    ends = fields.time(gettext_lazy("Until what time"), A_TIME, required=False)
    title_en = fields.line(gettext_lazy("What it is called, in English"), gettext_lazy("Name it in English."), most=120)
    title_ur = fields.line(
        gettext_lazy("What it is called, in Urdu"),
        gettext_lazy("Name it in Urdu."),
        most=120,
        dir="rtl",
        lang="ur",
    )
    source = fields.line(
        gettext_lazy("Number of the notification, or of the order of this office"),
        gettext_lazy("Name the order or notification."),
    )
    status = forms.ChoiceField(
        label=gettext_lazy("How sure it is"),
        widget=forms.RadioSelect,
        choices=[
            (CalendarCorrection.Status.NOTIFIED.value, gettext_lazy("Notified")),
            (CalendarCorrection.Status.ESTIMATED.value, gettext_lazy("Estimated, a notification is to come")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), ONE),
    )
    why = fields.line(gettext_lazy("Why it takes the place of the earlier one"), gettext_lazy("Say why."), most=400)

    def __init__(
        self, *args: Any, calendar: Calendar, replaces: CalendarCorrection | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.calendar = calendar
        self.fields["begins"].help_text = _("Only for a part of a day; empty for whole days.")
        if replaces is None:
            del self.fields["why"]
        for at, slots in enumerate(calendar.week):
            name = f"day_{at}"
            self.fields[name] = fields.line(WEEKDAYS[at], most=60, dir="ltr")
            self.fields[name].initial = ", ".join(f"{each.opens:%H:%M}-{each.closes:%H:%M}" for each in slots)

    @property
    def of_week(self) -> list[forms.BoundField]:
        return [self[f"day_{at}"] for at in range(7)]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("kind", "first", "last", "begins", "ends")]

    @property
    def last_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("title_en", "title_ur", "source", "status", "why") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        first, kind = given.get("first"), given.get("kind")
        given["last"] = given.get("last") or first
        if first is not None and not dt.timedelta() <= given["last"] - first <= LONGEST:
            self.add_error("last", _("Give a day after the first one, 92 days away at most."))
        begins, ends = given.get("begins"), given.get("ends")
        if kind == Kind.HOURS:
            begins = ends = None
        elif (begins is None) != (ends is None) or (begins and ends and ends <= begins):
            self.add_error("ends", _("Give both times, the earlier one first, or neither."))
        given["begins"], given["ends"] = begins, ends
        given["week"] = self._week(given) if kind == Kind.HOURS else []
        if kind == Kind.WORKED and begins is None and first is not None and "last" not in self.errors:
            days = [first + dt.timedelta(days=each) for each in range((given["last"] - first).days + 1)]
            if not any(map(self.calendar.usual_on, days)):
                self.add_error(
                    "begins", _("These days have no usual hours. Give the hours in which the office is open.")
                )
        return given

    def _week(self, given: dict[str, Any]) -> list[list[str]]:
        week = [str(given.get(f"day_{at}", "")).replace(",", " ").split() for at in range(7)]
        for at, texts in enumerate(week):
            try:
                week[at] = [f"{each.opens:%H:%M}-{each.closes:%H:%M}" for each in slots_of(texts)]
            except ValueError:
                self.add_error(
                    f"day_{at}", _("Write hours like %(example)s, or leave it empty.") % {"example": plain_ltr(EXAMPLE)}
                )
        if not any(week):
            self.add_error("day_0", _("Give the hours of at least one day."))
        return week

    @property
    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith("day_")}


class AnswerForm(forms.Form):
    """Of the second officer."""

    use_required_attribute = False
    decision = forms.ChoiceField(
        label=gettext_lazy("Is it so?"),
        widget=forms.RadioSelect,
        choices=[
            ("confirm", gettext_lazy("Yes: it is in force from now on")),
            ("drop", gettext_lazy("No: it is not to be in force")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose one of the two.")),
    )
    why = fields.line(gettext_lazy("If not, why"), most=400)

    def __init__(self, *args: Any, is_author: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_author:
            self.fields["decision"].widget = forms.HiddenInput()
            self.fields["decision"].initial = "drop"
            self.fields["why"].label, self.fields["why"].required = _("Why it is withdrawn"), True
            self.fields["why"].error_messages["required"] = _("Say why.")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("decision") == "drop" and not given.get("why", "").strip() and "why" not in self.errors:
            self.add_error("why", _("Say why."))
        return given
