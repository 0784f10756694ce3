"""What whoever complains, the holder, and whoever decides fill in. Nothing is chosen beforehand.

No field asks what somebody reads or writes, with whom, how much, how many use it, or what they believe:
tests/safeguards holds the fields to this list.
"""

import uuid
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.decide import searching
from rahdari.people.identifiers import IdentifierError, parse_cnic, parse_company_number
from rahdari.people.names import leads_nowhere
from rahdari.policy import Reason
from rahdari.register import reference as references
from rahdari.web import fields
from rahdari.web.values import plain_ltr

from . import words
from .rules import KINDS, About, Kind, Outcome, must_be_confirmed

# What is asked of applicants by some rules alone, and what a correction of it is about.
OF_WHOM = {"name": About.NAME, "card_number": About.CARD, "company_number": About.COMPANY}


def _number(given: str) -> str:
    exact = references.normalise(given)
    if exact is None:
        raise forms.ValidationError(_("Enter the number as on the certificate."))
    return exact


def _about(kind: Kind, label: Any, missing: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), missing),
        choices=[(each.value, each.value) for each in KINDS[kind].about],
    )


class _ComplaintForm(forms.Form):
    """`key` makes that a form which is sent twice is one complaint. `depending` names the fields that must be filled in
    with some answers alone."""

    use_required_attribute = False
    kind: Kind
    depending: tuple[str, ...]
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    email = forms.EmailField(
        label=gettext_lazy("Your email address"),
        required=False,
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Enter an email address, with the sign @ in it.")},
    )
    with_files = forms.BooleanField(label=gettext_lazy("I have files that show it"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4()
        for name in self.depending:
            needed: Any = self.fields[name]
            needed.depends = True
        about: Any = self.fields["about"]
        about.choices = [(each.value, words.about(each)) for each in KINDS[self.kind].about]
        about.hints = {each.value: words.hint(each) for each in KINDS[self.kind].about if words.hint(each)}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("with_files") and "email" in given and not given["email"]:
            self.add_error("email", _("Enter your email address: you add the files by the link that we send there."))
        return given

    @property
    def facts(self) -> dict[str, Any]:
        """As `actions.send` takes them."""
        given = self.cleaned_data
        return {
            "id": given["key"] or uuid.uuid4(),
            "kind": self.kind.value,
            "about": given["about"],
            "target": given["target"],
            "words": given["words"],
            "email": given["email"],
            "with_files": given["with_files"],
        }


class MisuseForm(_ComplaintForm):
    kind = Kind.MISUSE
    depending = ("body_reference",)
    number = fields.line(
        gettext_lazy("Number of the registration"),
        gettext_lazy("Enter the number of the registration."),
        hint=gettext_lazy("It is on the certificate. We do not say whether a number is registered."),
        most=60,
        dir="ltr",
        autocapitalize="characters",
        spellcheck="false",
    )
    about = _about(
        Kind.MISUSE,
        gettext_lazy("What happened?"),
        gettext_lazy("Choose what happened. We can only take reports about these."),
    )
    words = fields.text(
        gettext_lazy("What shows that?"),
        gettext_lazy("Write what shows it, in a sentence or two."),
        hint=gettext_lazy("The holder of the registration reads this. Leave out what tells who you are."),
    )
    public_body = fields.line(
        gettext_lazy("Public body, if you write for one"),
        hint=gettext_lazy("The holder reads it. We do not verify it."),
    )
    public_body.validators.append(partial(leads_nowhere, of_firm=True))
    body_reference = fields.line(gettext_lazy("Its file number"))
    field_order = ("key", "number", "about", "words", "public_body", "body_reference", "email", "with_files")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = _("For the receipt and the answer. Without it your report is anonymous.")
        self.fields["with_files"].help_text = _(
            "We send you a link to add them. The holder sees them, to answer them. An anonymous report has no files."
        )

    def clean_number(self) -> str:
        return _number(self.cleaned_data["number"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        given["target"] = given.get("number", "")
        if given.get("public_body", "").strip() and not given.get("body_reference", "").strip():
            self.add_error("body_reference", _("Enter the file number of the public body."))
        return given

    @property
    def facts(self) -> dict[str, Any]:
        given = self.cleaned_data
        return super().facts | {"public_body": given["public_body"], "body_reference": given["body_reference"]}


class CorrectionForm(_ComplaintForm):
    """`here` is the address that the visitor comes from, as a network of one address; None where it is none.
    `asked`: what the rules in force ask of an applicant, so that it may be somebody else's."""

    kind = Kind.CORRECTION
    depending = ("name", "card_number", "company_number", "number", "email")
    about = _about(Kind.CORRECTION, gettext_lazy("What is it about?"), gettext_lazy("Choose what it is about."))
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    name = fields.line(
        gettext_lazy("Your full name"),
        hint=gettext_lazy(
            "Only for a complaint about your name. Enter your full name. We do not tell anyone the result."
        ),
    )
    card_number = fields.line(
        gettext_lazy("Card number (CNIC or NICOP)"),
        hint=gettext_lazy("Only if it is about your card number. We compare it and tell nobody what we find."),
        most=60,
        dir="ltr",
    )
    company_number = fields.line(
        gettext_lazy("Company number (CUIN)"),
        hint=gettext_lazy("Only if it is about your company."),
        most=60,
        dir="ltr",
    )
    number = fields.line(
        gettext_lazy("Number of the registration"),
        hint=gettext_lazy("Only if you saw a certificate: it is printed on it."),
        most=60,
        dir="ltr",
        autocapitalize="characters",
        spellcheck="false",
    )
    words = fields.text(
        gettext_lazy("What is wrong?"),
        gettext_lazy("Write what is wrong, in a sentence or two."),
        hint=gettext_lazy("If something is registered, its holder reads this."),
    )
    field_order = (
        "key",
        "seen",
        "about",
        "name",
        "card_number",
        "company_number",
        "number",
        "words",
        "email",
        "with_files",
    )

    def __init__(
        self, *args: Any, here: str | None, shown: str = "", asked: Collection[str] = tuple(OF_WHOM), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.here = here
        without = {subject for datum, subject in OF_WHOM.items() if datum not in asked}
        for datum in OF_WHOM.keys() - set(asked):
            del self.fields[datum]
        self.fields["seen"].initial = here or ""
        about: Any = self.fields["about"]
        without |= set() if here is not None else {About.ADDRESS}
        about.choices = [(key, title) for key, title in about.choices if key not in without]
        self.fields["with_files"].help_text = _(
            "Such as a letter that names you. We send you a link to add them. Only the officers who decide see them. "
            "Send no picture of your identity card."
        )
        about.hints = {About.ADDRESS.value: _("You opened this page from %(address)s.") % {"address": plain_ltr(shown)}}
        self.fields["email"].help_text = (
            _("For the receipt and the answer.")
            if here is None
            else _("For the receipt and the answer. About your own address you may leave it out.")
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        about = given.get("about", "")
        if about == About.ADDRESS:
            given["target"] = self.here or ""
            if given.get("seen") != self.here:
                self.add_error("about", _("Your address has changed since you opened this page. Look at it once more."))
        elif about == About.NAME:
            given["target"] = given.get("name", "").strip()
            if not searching.is_whole(given["target"]):
                self.add_error("name", _("Enter your full name."))
        elif about == About.CARD:
            try:
                given["target"] = parse_cnic(given.get("card_number", "")).digits
            except IdentifierError:
                self.add_error("card_number", _("Enter the 13 digits of your card number."))
        elif about == About.COMPANY:
            try:
                given["target"] = parse_company_number(given.get("company_number", ""))
            except IdentifierError:
                self.add_error("company_number", _("Enter the company number: 7 digits, on the incorporation letter."))
        elif about == About.ENTRY:
            try:
                given["target"] = _number(given.get("number", ""))
            except forms.ValidationError as error:
                self.add_error("number", error)
        if about and must_be_confirmed(self.kind, about) and "email" in given and not given["email"]:
            self.add_error("email", _("Enter your email address: we write there to confirm that it was you."))
        return given


class AnswerForm(forms.Form):
    use_required_attribute = False
    answer = fields.text(
        gettext_lazy("Your answer"),
        gettext_lazy("Write your answer, in a sentence or two."),
        rows=5,
        hint=gettext_lazy("English or Urdu. An officer reads it before anything is decided."),
    )


class DecisionForm(forms.Form):
    """`outcomes` are those that are possible, `codes` those by which a registration may be taken back for this."""

    use_required_attribute = False
    outcome = forms.ChoiceField(
        label=gettext_lazy("What you found"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose what you found.")),
    )
    why = fields.text(
        gettext_lazy("Why"),
        gettext_lazy("Enter why, in one sentence."),
        hint=gettext_lazy("The holder reads this. The person who complained does not."),
    )
    code = forms.ChoiceField(
        label=gettext_lazy("What follows, if it is founded"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose what follows.")},
    )
    evidence = fields.text(
        gettext_lazy("What shows it, if you propose a revocation"),
        "",
        rows=2,
        required=False,
        hint=gettext_lazy("The holder reads this in the notice."),
    )

    def __init__(self, *args: Any, outcomes: Sequence[Outcome], codes: Sequence[Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcome: Any = self.fields["outcome"]
        outcome.choices = [(each.value, words.outcome(each)) for each in outcomes]
        code: Any = self.fields["code"]
        needed: Any = self.fields["evidence"]
        code.depends = needed.depends = True
        code.choices = [
            ("", _("Nothing more: the holder has changed or ended it")),
            *((each.code, _("Propose a revocation by %(code)s") % {"code": each.code}) for each in codes),
        ]
        if Outcome.FOUNDED not in outcomes:
            del self.fields["code"], self.fields["evidence"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("outcome") != Outcome.FOUNDED:
            given["code"] = given["evidence"] = ""
        elif given.get("code") and not given.get("evidence", "").strip():
            self.add_error("evidence", _("Name what shows it: the holder is to answer it."))
        return given
