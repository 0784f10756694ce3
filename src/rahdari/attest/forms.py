"""The forms of associations and of their members. Choices are the policy's."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from rahdari.people.quoting import leads_nowhere
from rahdari.policy import Attesting, Choice, Claim
from rahdari.web.values import plain_ltr

from . import rules, words
from .rules import Bounds, Member, Reply, RowTrouble

FIELD_OF = {
    RowTrouble.NO_NUMBER: "number",
    RowTrouble.NUMBER_SHAPE: "number",
    RowTrouble.LETTER_FOR_FIGURE: "number",
    RowTrouble.NUMBER_TAKEN: "number",
    RowTrouble.NO_NAME: "name",
    RowTrouble.NAME_TOO_LONG: "name",
    RowTrouble.NAME_LEADS_AWAY: "name",
    RowTrouble.NO_IDENTIFIER: "identifier",
    RowTrouble.IDENTIFIER_SHAPE: "identifier",
}


def _choices(rows: Iterable[Claim | Choice]) -> list[tuple[str, str]]:
    return [(each.key, each.title.in_language(get_language())) for each in rows]


def _text(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "input", "autocomplete": "off", **attributes})


def _day() -> forms.TextInput:
    return forms.DateInput(attrs={"class": "input", "type": "date", "dir": "ltr"})


def _until() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Valid until"),
        help_text=gettext_lazy("The last day on which it is valid. You can renew it later."),
        max_length=10,
        widget=_day(),
        error_messages={"required": gettext_lazy("Enter the last day on which it is valid.")},
    )


def claim_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("What do you attest?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what you attest"),
            "invalid_choice": gettext_lazy("Choose what you attest"),
        },
    )


def method_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("How did you check it?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Say how you checked it"),
            "invalid_choice": gettext_lazy("Say how you checked it"),
        },
    )


class AttestingForm(forms.Form):
    """What every form of an association offers: its claims, and the ways of checking."""

    use_required_attribute = False

    def __init__(
        self,
        *args: Any,
        attesting: Attesting,
        association: str,
        bounds: Bounds,
        service: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.bounds = bounds
        claims = [
            each
            for each in attesting.claims_of(association)
            if service is None or attesting.weight(association, each.key, service) is not None
        ]
        for key, rows in (("claim", claims), ("method", attesting.methods)):
            if key in self.fields:
                field: Any = self.fields[key]
                field.choices = _choices(rows)

    def add_trouble(self, trouble: RowTrouble) -> None:
        latest = plain_ltr(self.bounds.latest.isoformat())
        self.add_error(FIELD_OF.get(trouble, "valid_until"), ValidationError(words.trouble(trouble, latest)))

    def clean_valid_until(self) -> dt.date:
        """For forms that ask for the day alone."""
        found = rules.read_day(self.cleaned_data["valid_until"])
        trouble = (
            RowTrouble.DAY_SHAPE
            if found is None
            else RowTrouble.ENDED
            if found < self.bounds.today
            else RowTrouble.TOO_FAR
            if found > self.bounds.latest
            else None
        )
        if trouble is not None or found is None:
            latest = plain_ltr(self.bounds.latest.isoformat())
            raise ValidationError(words.trouble(trouble or RowTrouble.DAY_SHAPE, latest))
        return found


class MemberForm(AttestingForm):
    number = forms.CharField(
        label=gettext_lazy("Member number"),
        max_length=60,
        widget=_text(dir="ltr"),
        error_messages={"required": gettext_lazy("Enter the member number")},
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the member"),
        help_text=gettext_lazy("As on the identity card, or as the company is registered. Urdu or Latin letters."),
        max_length=300,
        widget=_text(),
        error_messages={"required": gettext_lazy("Enter the name of the member")},
    )
    identifier = forms.CharField(
        label=gettext_lazy("Card number, company number or email address"),
        help_text=gettext_lazy(
            "We recognise the member by it. We keep only a fingerprint of it, which tells nothing without our key."
        ),
        max_length=254,
        widget=_text(dir="ltr"),
        error_messages={"required": gettext_lazy("Give a card number, a company number or an email address.")},
    )
    claim = claim_field()
    method = method_field()
    valid_until = _until()

    member: Member

    def clean_valid_until(self) -> Any:
        return self.cleaned_data["valid_until"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            found = rules.read_member(
                number=data["number"],
                name=data["name"],
                identifier=data["identifier"],
                valid_from="",
                valid_until=data["valid_until"],
                bounds=self.bounds,
            )
            if isinstance(found, RowTrouble):
                self.add_trouble(found)
            else:
                self.member = found
        return data


class AskedForm(AttestingForm):
    """The answer to an applicant: attested, with what, or not a member."""

    claim = claim_field()
    method = method_field()
    valid_until = _until()


class NotMemberForm(forms.Form):
    use_required_attribute = False
    why = forms.CharField(
        label=gettext_lazy("How do you know that it is not your member?"),
        help_text=gettext_lazy("One sentence. The officer who looks at it reads it."),
        max_length=600,
        widget=forms.Textarea(attrs={"class": "input", "rows": 2, "dir": "auto"}),
        error_messages={
            "required": gettext_lazy("Enter how you know it"),
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters"),
        },
    )


class RenewForm(AttestingForm):
    valid_until = _until()


class ListForm(AttestingForm):
    members = forms.FileField(
        label=gettext_lazy("List of members"),
        error_messages={
            "required": gettext_lazy("Choose the file with your members"),
            "empty": gettext_lazy("The file has no rows. Choose the file with your members."),
        },
        widget=forms.FileInput(attrs={"class": "input drop", "accept": ".csv,text/csv"}),
    )
    claim = claim_field()
    method = method_field()
    checked = forms.BooleanField(
        label=gettext_lazy("We checked these members ourselves in the last 12 months"),
        help_text=gettext_lazy("The association is responsible for its attestations."),
        error_messages={"required": gettext_lazy("Tick the box if you checked them. If not, send those you checked.")},
    )

    def __init__(self, *args: Any, most_rows: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].help_text = _(
            "CSV with %(columns)s, up to %(most)s rows. You see the result for each row before anything takes effect."
        ) % {"columns": plain_ltr(", ".join(rules.NEEDED)), "most": most_rows}


class RevokeForm(forms.Form):
    use_required_attribute = False
    revocation = forms.ChoiceField(
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("The member reads the reason."),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose why you revoke it"),
            "invalid_choice": gettext_lazy("Choose why you revoke it"),
        },
    )
    explanation = forms.CharField(
        label=gettext_lazy("What the member should know"),
        help_text=gettext_lazy("One or two sentences."),
        max_length=600,
        validators=[leads_nowhere],
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
        error_messages={
            "required": gettext_lazy("Enter a sentence for the member"),
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters"),
        },
    )

    def __init__(self, *args: Any, attesting: Attesting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["revocation"]
        field.choices = _choices(attesting.revocations)


class RevokeManyForm(RevokeForm):
    members = forms.FileField(
        label=gettext_lazy("List of members"),
        error_messages={
            "required": gettext_lazy("Choose the file with the members"),
            "empty": gettext_lazy("The file has no rows. Choose the file with the members."),
        },
        widget=forms.FileInput(attrs={"class": "input drop", "accept": ".csv,text/csv"}),
    )
    field_order = ("members", "revocation", "explanation")

    def __init__(self, *args: Any, most_rows: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].help_text = _(
            "CSV with %(columns)s, up to %(most)s rows. You see the result for each row before anything is revoked."
        ) % {"columns": plain_ltr(", ".join(rules.NEEDED_TO_REVOKE)), "most": most_rows}
        self.fields["revocation"].help_text = _("One reason for all of them. Each member reads it.")


class DisputeForm(forms.Form):
    use_required_attribute = False
    objection = forms.CharField(
        label=gettext_lazy("What is wrong?"),
        help_text=gettext_lazy("A few sentences. The association and an officer read them."),
        max_length=1500,
        widget=forms.Textarea(attrs={"class": "input", "rows": 4}),
        error_messages={
            "required": gettext_lazy("Enter what is wrong"),
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters"),
        },
    )


class ReplyForm(forms.Form):
    use_required_attribute = False
    reply = forms.ChoiceField(
        label=gettext_lazy("Your answer"),
        choices=[
            (Reply.KEEPS.value, gettext_lazy("Our decision stays the same")),
            (Reply.YIELDS.value, gettext_lazy("The member is right, correct it")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose an answer"),
            "invalid_choice": gettext_lazy("Choose an answer"),
        },
    )
    text = forms.CharField(
        label=gettext_lazy("Your reasons"),
        help_text=gettext_lazy("The member and an officer read it."),
        max_length=1500,
        validators=[leads_nowhere],
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
        error_messages={
            "required": gettext_lazy("Enter your reasons"),
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters"),
        },
    )
