"""What an officer fills in when somebody demands what is held. A demand names no person: the search does."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.decide import searching
from rahdari.decide.forms import SearchForm
from rahdari.web import fields

from .models import LONGEST_HIDDEN, Demand


class DemandForm(forms.Form):
    use_required_attribute = False
    number = fields.line(gettext_lazy("Number of the demand"), gettext_lazy("Give the number of the demand."), most=40)
    body = fields.line(
        gettext_lazy("Who demands it"),
        gettext_lazy("Say which public body demands it."),
        most=60,
        hint=gettext_lazy("The public body, not a person."),
    )
    provision = fields.line(
        gettext_lazy("By which provision of the law"), gettext_lazy("Name the provision of the law."), most=60
    )
    day = fields.day(gettext_lazy("Date of the demand"), gettext_lazy("Give the date of the demand."))
    signed_by = fields.line(gettext_lazy("Who signed it"), gettext_lazy("Say who signed it."))
    wanted = fields.text(gettext_lazy("What it asks for"), gettext_lazy("Say what it asks for."))
    how_many = forms.ChoiceField(
        label=gettext_lazy("How many files it asks for"),
        widget=forms.RadioSelect,
        choices=[
            ("one", gettext_lazy("One file, of one named person, company or address")),
            ("more", gettext_lazy("More than one, or files that are described and not named")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose one of the two.")),
    )
    hidden_until = fields.day(
        gettext_lazy("The holder must not be told until"),
        gettext_lazy("Give the day."),
        required=False,
        hint=gettext_lazy("Only where a law or a court says so, for a year at most. Then the holder reads it."),
    )
    hidden_by = fields.line(gettext_lazy("Which law or court says so"), most=60)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        # The record is kept for good: it names the demand, and nobody's name or address.
        for field in ("number", "body", "provision", "hidden_by"):
            if "@" in str(given.get(field, "")):
                self.add_error(field, _("Name only the demand. Do not enter here who is searched for."))
        until: dt.date | None = given.get("hidden_until")
        if until is not None:
            today = timezone.localdate()
            if not today <= until <= today + LONGEST_HIDDEN:
                self.add_error("hidden_until", _("Give a day from today on, a year away at most."))
            if not given.get("hidden_by"):
                self.add_error("hidden_by", _("Name the law or the court."))
        return given

    @property
    def facts(self) -> dict[str, Any]:
        """As the act takes them."""
        given = dict(self.cleaned_data)
        is_bulk = given.pop("how_many") == "more"
        return {**given, "is_bulk": is_bulk}


class FileForm(SearchForm):
    """The one file: by a whole name, a whole address, or a number."""

    def __init__(self, *args: Any, demand: Demand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.demand = demand
        self.fields["asked"].label = _("Name, address, or number of the case or registration")

    def clean_asked(self) -> str:
        asked = str(self.cleaned_data["asked"]).strip()
        if not searching.is_whole(asked):
            raise forms.ValidationError(self.part)
        named = f" {self.demand.number} {self.demand.body} {self.demand.provision} ".casefold()
        if f" {asked.casefold()} " in named:
            raise forms.ValidationError(_("The demand itself names this person. Record it without the name."))
        return asked


class AnswerForm(forms.Form):
    use_required_attribute = False
    outcome = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        widget=forms.RadioSelect,
        choices=[
            (Demand.Outcome.GIVEN.value, gettext_lazy("What it asks for is given")),
            (Demand.Outcome.IN_PART.value, gettext_lazy("A part of it is given")),
            (Demand.Outcome.REFUSED.value, gettext_lazy("It is refused")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose the decision.")),
    )
    answer = fields.text(
        gettext_lazy("What exactly is given, or why it is refused"),
        gettext_lazy("Say what is given, or why it is refused."),
        hint=gettext_lazy("The holder reads this."),
    )
