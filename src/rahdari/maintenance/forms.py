"""What an operator or the regulator fills in about work."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.people import quoting
from rahdari.web import fields

from . import maintnote, queries, rules, words
from .models import Work
from .rules import Impact, LineTrouble, Plan, Reason, Stays

# Shown first: what most work does.
USUAL = Impact.OUTAGE


class WorkForm(forms.Form):
    """A plan, of a draft or of what was announced."""

    use_required_attribute = False
    affected = fields.text(
        _("What is affected"),
        _("Enter at least one address, range or entry, one on each line."),
        rows=5,
        hint=_(
            "One on each line: an address or range, with protocol and port for one service alone, or the number of an "
            "entry in your feed. For example 203.0.113.32/27 or 203.0.113.41 udp 51820. Where a line is affected "
            "differently, write NO-IMPACT, REDUCED-REDUNDANCY, DEGRADED or OUTAGE at its end."
        ),
    )
    impact = forms.ChoiceField(
        label=_("What happens to it"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose what happens.")),
    )
    day = fields.day(_("Day"), _("Enter the day, such as 24 November 2026."))
    begins = fields.time(pgettext_lazy("planned work", "From"), _("Enter the time, such as 02:00."))
    ends = fields.time(pgettext_lazy("planned work", "To"), _("Enter the time, such as 03:00."))
    last_day = fields.day(
        _("Last day"),
        _("Enter the day, such as 24 November 2026."),
        required=False,
        hint=_("Only if it is not the same day or the night that follows."),
    )
    minutes = forms.IntegerField(
        label=_("Minutes without an answer"),
        help_text=_("How long one address is interrupted at most, if that is shorter than the window."),
        required=False,
        min_value=1,
        max_value=10_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _("Enter a number of minutes.")),
    )
    reason = forms.ChoiceField(
        label=_("Reason"), error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose a reason."))
    )
    text_en = fields.line(
        _("What the holders read, in English"),
        hint=_(
            "One sentence, in English, in Urdu or in both. No names and no numbers of customers. "
            "If you write it for the first time, an officer reads it before the holders do."
        ),
        most=500,
    )
    text_ur = fields.line(_("What the holders read, in Urdu"), most=500)
    tentative = forms.BooleanField(label=_("The time may still change"), required=False)

    def __init__(self, *args: Any, work: Work | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_of(work) if work is not None else {"impact": USUAL})
        super().__init__(*args, **kwargs)
        of_reason, of_impact = self.fields["reason"], self.fields["impact"]
        assert isinstance(of_reason, forms.ChoiceField) and isinstance(of_impact, forms.ChoiceField)  # noqa: S101 - above
        of_reason.choices = [("", _("Choose one")), *((each.value, words.reason(each)) for each in Reason)]
        of_impact.choices = [(each.value, words.impact(each)) for each in reversed(Impact)]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "affected" in given and "impact" in given:
            most = queries.terms().most_components
            read = rules.read_components(given["affected"], impact=Impact(given["impact"]), most=most)
            if isinstance(read, LineTrouble):
                self.add_error("affected", words.line_trouble(read))
            given["components"] = read
        return given

    def _window(self) -> tuple[dt.datetime, dt.datetime]:
        given = self.cleaned_data
        day, begins, ends = given["day"], given["begins"], given["ends"]
        # 23:00 to 02:00 is one night.
        last = given["last_day"] or (day if ends > begins else day + dt.timedelta(days=1))
        start, end = (dt.datetime.combine(each, at) for each, at in ((day, begins), (last, ends)))
        return timezone.make_aware(start), timezone.make_aware(end)

    @property
    def plan(self) -> Plan:
        given = self.cleaned_data
        starts_at, ends_at = self._window()
        return Plan(
            components=given["components"],
            reason=Reason(given["reason"]),
            text_en=given["text_en"],
            text_ur=given["text_ur"],
            starts_at=starts_at,
            ends_at=ends_at,
            minutes=given["minutes"],
            is_tentative=given["tentative"],
        )


def initial_of(work: Work) -> dict[str, Any]:
    """What the form says of work as it is."""
    components = work.components
    start, end = (timezone.localtime(each) if each else None for each in (work.starts_at, work.ends_at))
    found: dict[str, Any] = {
        "affected": "\n".join(rules.noted_line_of(each, usual=work.impact) for each in components),
        "impact": work.impact,
        "minutes": work.minutes,
        "reason": work.reason,
        "text_en": work.text_en,
        "text_ur": work.text_ur,
        "tentative": work.is_tentative,
    }
    if start and end:
        usual_end = start.date() if end.time() > start.time() else start.date() + dt.timedelta(days=1)
        found |= {"day": start.date(), "begins": start.time(), "ends": end.time()}
        found |= {} if end.date() == usual_end else {"last_day": end.date()}
    return found


class ProlongForm(forms.Form):
    """Until when work that runs will take."""

    use_required_attribute = False
    day = fields.day(_("Day"), _("Enter the day, such as 24 November 2026."))
    ends = fields.time(_("Expected end"), _("Enter the time, such as 03:00."))

    @property
    def expected_end_at(self) -> dt.datetime:
        given = self.cleaned_data
        return timezone.make_aware(dt.datetime.combine(given["day"], given["ends"]))


class AnotherNightForm(forms.Form):
    """What a holder says who asks for another night."""

    use_required_attribute = False
    why = fields.line(
        _("Why another night is better"),
        _("Say in one sentence why another night is better."),
        hint=_("For example “we take calls from 01:00 to 09:00”. Your name is not shown to them: leave names out."),
        most=rules.LONGEST_WHY,
    )
    why.validators.append(quoting.leads_nowhere)
    night = fields.day(
        _("A night that suits you"),
        _("Enter the day, such as 24 November 2026."),
        required=False,
        hint=_("If you know one. The work keeps its hours."),
    )


class StaysForm(forms.Form):
    """Why work is not moved: the answer to all who asked."""

    use_required_attribute = False
    code = forms.ChoiceField(
        label=_("Why it stays"), error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose a reason."))
    )
    said = fields.line(_("What the holders read beside it"), most=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of_code = self.fields["code"]
        assert isinstance(of_code, forms.ChoiceField)  # noqa: S101 - above
        of_code.choices = [("", _("Choose one")), *((each.value, words.stays(each)) for each in Stays)]


class CalendarFileForm(forms.Form):
    use_required_attribute = False
    file = forms.FileField(
        label=_("Calendar file with notices"),
        help_text=_("iCalendar with the fields of maintnote (BCOP), 256 kilobytes at most."),
        error_messages={
            "required": _("Choose the calendar file."),
            "empty": _("The file is empty. Choose the calendar file."),
        },
        widget=forms.FileInput(attrs={"class": "input drop", "accept": ".ics,text/calendar"}),
    )

    def content(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read(maintnote.LARGEST + 1)
        return content
