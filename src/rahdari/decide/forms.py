"""What an officer fills in. Nothing is preselected: a decision is always the officer's own choice."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rahdari.apply.rules import GROUNDS_TO_HOLD
from rahdari.people.mailboxes import EmailField, clean_email
from rahdari.people.models import User
from rahdari.policy import Reason
from rahdari.web import fields

from . import searching, words
from .models import Case
from .rules import KeptBack


class DecideForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[
            ("grant", pgettext_lazy("decision", "Grant")),
            ("ask", pgettext_lazy("decision", "Ask for something")),
            ("refuse", pgettext_lazy("decision", "Refuse")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose grant, ask or refuse."),
            "invalid_choice": _("Choose grant, ask or refuse."),
        },
    )
    code = forms.ChoiceField(required=False)
    codes = forms.MultipleChoiceField(
        required=False, error_messages={"invalid_choice": _("Choose reasons from the list.")}
    )
    text = forms.CharField(
        required=False,
        max_length=fields.WORDS,
        error_messages={"max_length": fields.TOO_LONG},
    )
    named = forms.CharField(
        required=False,
        max_length=fields.WORDS,
        error_messages={"max_length": fields.TOO_LONG},
    )

    def __init__(self, *args: Any, questions: list[Reason], refusals: list[Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = self.fields["code"], self.fields["codes"]
        for field, reasons in zip(codes, (questions, refusals), strict=True):
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - both are, a few lines above
            field.choices = [(reason.code, reason.code) for reason in reasons]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        decision = given.get("decision")
        if decision == "ask" and not given.get("code") and "code" not in self.errors:
            self.add_error("code", _("Choose what is missing."))
        if decision == "refuse":
            if not given.get("codes") and "codes" not in self.errors:
                self.add_error("codes", _("Choose at least one reason."))
            if not given.get("text", "").strip():
                self.add_error("text", _("Enter a sentence for the applicant: what in this case leads to the reason."))
        return given


class RecordForm(forms.Form):
    outcome = forms.ChoiceField(
        choices=[("passed", _("It agrees")), ("failed", _("It does not agree"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you found.")},
    )
    # One of the usual ways, or words of the officer's own, or both.
    way = forms.CharField(required=False, max_length=100)
    how = forms.CharField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        way, how = given.pop("way", ""), given.get("how", "")
        given["how"] = f"{way if way in words.ways_to_find_out() else ''} {how}".strip()
        if not given["how"] and "how" not in self.errors:
            self.add_error("how", _("Enter how you found out."))
        return given


class OperatorForm(forms.Form):
    """To whom addresses belong whose network is unknown; whether there is such an operator, the act says."""

    operator = forms.CharField(error_messages={"required": _("Choose an operator from the list.")})


class RecordManyForm(RecordForm):
    """The same for many addresses; `kinds` are the checks that have not passed everywhere."""

    kind = forms.ChoiceField(
        error_messages={"required": _("Choose a check."), "invalid_choice": _("Choose a check.")},
    )

    def __init__(self, *args: Any, kinds: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [(kind, kind) for kind in kinds]


class RecordSeveralForm(forms.Form):
    """The same for several checks at once, each with words of its own; one that nothing is chosen for is left alone.

    `checks` are pairs of a check's id and its title.
    """

    def __init__(self, *args: Any, checks: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checks = list(checks)
        for check, title in self.checks:
            self.fields[f"outcome_{check}"] = forms.ChoiceField(
                label=title,
                required=False,
                choices=[("", _("Leave it")), *RecordForm.base_fields["outcome"].choices],  # type: ignore[attr-defined]
            )
            self.fields[f"how_{check}"] = forms.CharField(label=_("How you found out"), required=False, max_length=500)

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"outcome_{check}"], self[f"how_{check}"]) for check, _title in self.checks]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for check, _title in self.checks:
            if given.get(f"outcome_{check}") and not given.get(f"how_{check}") and f"how_{check}" not in self.errors:
                self.add_error(f"how_{check}", _("Enter how you found out."))
        if not self.errors and not self.found():
            first = f"outcome_{self.checks[0][0]}" if self.checks else None
            self.add_error(first, _("Choose what you found."))
        return given

    def found(self) -> list[tuple[uuid.UUID, str, str]]:
        given = self.cleaned_data
        return [
            (uuid.UUID(check), given[f"outcome_{check}"], given[f"how_{check}"])
            for check, _title in self.checks
            if given.get(f"outcome_{check}")
        ]


class SecondForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("refuse", _("Refuse the application")), ("drop", _("Do not refuse, continue the case"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    because = fields.text(
        _("Why, in one sentence"), _("Enter why, in one sentence."), hint=_("The applicant reads this.")
    )


class DropForm(forms.Form):
    because = forms.CharField(max_length=fields.WORDS, error_messages={"required": _("Enter why, in one sentence.")})


class RecuseForm(forms.Form):
    conflict = forms.CharField(max_length=fields.WORDS, error_messages={"required": _("Enter why, in one sentence.")})


class SaveViewForm(forms.Form):
    """Under which name the filter that is shown is saved."""

    name = forms.CharField(
        label=_("Name of the view"),
        help_text=_("The view, queue and filters are saved. Words that were searched for are never saved."),
        max_length=40,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Give the view a name."), "max_length": _("A name has 40 letters at most.")},
    )


class NoteForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    text = fields.text(_("Your note"), _("Enter the note."), rows=4)
    mentioned = forms.MultipleChoiceField(
        label=_("For whom it is meant"),
        help_text=_("They find the case in the queue under “You are mentioned” until they open it."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose colleagues from the list.")},
    )
    kept_back = forms.ChoiceField(
        label=_("Does the holder read it after the decision?"),
        required=False,
        error_messages={"invalid_choice": _("Choose one from the list.")},
    )

    def __init__(self, *args: Any, colleagues: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4()
        self.colleagues = {str(each.pk): each for each in colleagues}
        grounds = [(each.value, _("No:") + " " + words.why_kept_back(each)) for each in KeptBack]
        for name, choices in (
            ("mentioned", [(key, each.name or each.email) for key, each in self.colleagues.items()]),
            ("kept_back", [("", _("Yes")), *grounds]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
            field.choices = choices
        if not self.colleagues:
            del self.fields["mentioned"]

    def clean_mentioned(self) -> list[User]:
        return [self.colleagues[key] for key in self.cleaned_data["mentioned"]]


class WhyForm(forms.Form):
    """Why a file is opened that is decided or closed. Chosen from a list: no words about a person in the journal."""

    why = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["why"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [(reason, words.why(reason)) for reason in words.WHY_AGAIN]
        field.error_messages |= dict.fromkeys(("required", "invalid_choice"), _("Choose why you open the file."))


class HoldForm(forms.Form):
    """Until when a closed file is kept, and for what."""

    until = fields.day(_("Keep it until the end of"), _("Give the day."))
    because = forms.ChoiceField(
        label=_("Because of"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose what it is kept for.")),
    )
    words = forms.CharField(
        label=_("Its number, or what it is"),
        help_text=_("The holder reads this."),
        max_length=200,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Give its number, or say what it is.")},
    )

    def __init__(self, *args: Any, days: tuple[dt.date, dt.date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = days
        field = self.fields["because"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [("", _("Choose one")), *((each, words.held_because(each)) for each in GROUNDS_TO_HOLD)]

    def clean_until(self) -> dt.date:
        until: dt.date = self.cleaned_data["until"]
        if not self.days[0] <= until <= self.days[1]:
            raise forms.ValidationError(
                _("Give a date from tomorrow on, at most a year away. You can extend it later.")
            )
        return until


class SearchForm(forms.Form):
    """Who else has this name or address, asked within a case: only what stands in that case is asked for."""

    asked = forms.CharField(
        label=_("Name or address"),
        help_text=_("The whole name or the whole address. A part of one, or a placeholder, finds nothing."),
        max_length=120,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        error_messages={"required": _("Enter the whole name or the whole address.")},
    )
    part = _("This is a part of a name or of an address, or contains a placeholder. Enter all of it, without * ? or %.")

    def __init__(self, *args: Any, case: Case | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case = case

    def clean_asked(self) -> str:
        asked = str(self.cleaned_data["asked"]).strip()
        if not searching.is_whole(asked):
            raise forms.ValidationError(self.part)
        if self.case is not None and not searching.matches_case(self.case, asked):
            raise forms.ValidationError(
                _("This is not in the case. Ask for the name in it, or for one of its addresses.")
            )
        return asked


class TakeBackForm(forms.Form):
    """Nothing is chosen beforehand; what in the file shows it is named."""

    take_code = forms.ChoiceField(
        label=_("Reason"),
        error_messages={"required": _("Choose a reason."), "invalid_choice": _("Choose reasons from the list.")},
    )
    take_text = fields.text(
        _("A sentence for the holder: what in this case leads to the reason"),
        _("Enter a sentence for the holder: what in this case leads to the reason."),
    )
    take_evidence = fields.text(
        _("What in the file shows it"), _("Name what in the file shows it. The holder reads it."), rows=2
    )
    take_paper = forms.FileField(
        required=False,
        label=_("A document that shows it, as a PDF or a picture"),
        help_text=_("If it is not in the file yet. The second officer and the holder read it."),
    )
    take_first = forms.BooleanField(
        required=False,
        label=_("Suspend it at once, before the holder is heard"),
        help_text=_("A Director must agree. It ends automatically, and it is done once."),
    )

    def __init__(self, *args: Any, codes: list[tuple[str, str]], first: Collection[str] = (), **kwargs: Any) -> None:
        """`first`: the codes for which it can be suspended before a hearing."""
        super().__init__(*args, **kwargs)
        self.first = frozenset(first)
        field = self.fields["take_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [("", _("Choose one")), *codes]
        if not self.first:
            del self.fields["take_first"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("take_first") and given.get("take_code", "") and given["take_code"] not in self.first:
            self.add_error("take_first", _("For this reason the holder is heard first."))
        return given


class SuspendFirstForm(forms.Form):
    """A Director agrees that it is suspended before the holder is heard."""

    first_because = fields.text(
        _("Why it cannot wait for the hearing, in one sentence"),
        _("Enter why, in one sentence."),
        hint=_("The holder reads this."),
    )


class SecondTakingBackForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("take", _("Revoke the registration")), ("keep", _("It stays as it is"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    because = fields.text(_("Why, in one sentence"), _("Enter why, in one sentence."), hint=_("The holder reads this."))

    def offer_to_keep_alone(self) -> None:
        """For whoever may not revoke it now."""
        field = self.fields["decision"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is, a few lines above
        field.choices = [("keep", _("It stays as it is"))]


class ReviewerForm(forms.Form):
    """Somebody from outside decides this one matter."""

    use_required_attribute = False
    email = EmailField(
        label=_("Email address of the person from outside"),
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid"), _("Give an email address.")),
    )
    who = fields.text(
        _("Who that is, and why they can decide this"),
        _("Say who that is."),
        rows=2,
        hint=_("The person whom it is about reads this."),
    )

    def clean_email(self) -> str:
        """One with which they can sign in."""
        return clean_email(self.cleaned_data["email"])


class RestoreForm(forms.Form):
    why = fields.text(
        _("Why it is restored, in one sentence"),
        _("Enter why, in one sentence."),
        hint=_("The holder reads this."),
    )
