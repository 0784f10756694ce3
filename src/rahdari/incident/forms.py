"""What a holder, whoever mends it and officers fill in. Nothing is chosen beforehand.

No field asks what somebody reads or writes, with whom, or what for: only that the connection is cut, and how it looks.
"""

import ipaddress
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.publish.models import Operator
from rahdari.register import queries as register
from rahdari.register import reference as references
from rahdari.register.models import Entry, Registration
from rahdari.web import fields

from . import words
from .models import Incident
from .rules import DISCLAIMS, OwnSide, Reason, Sees

ALL = "all"


def _radios(label: Any, missing: Any, choices: Iterable[tuple[str, str]] = (), *, hint: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        widget=forms.RadioSelect,
        choices=list(choices),
        error_messages=dict.fromkeys(("required", "invalid_choice"), missing),
    )


class _Seen(forms.Form):
    """How it looks from where the holder is."""

    use_required_attribute = False
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    sees = _radios(gettext_lazy("What do you see?"), gettext_lazy("Choose what you see."))
    own_side = _radios(gettext_lazy("Is everything on at your end?"), gettext_lazy("Choose one of the two."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4()
        sees: Any = self.fields["sees"]
        sees.choices = [(each.value, words.sees(each)) for each in Sees]
        own_side: Any = self.fields["own_side"]
        own_side.choices = [(each.value, words.own_side(each)) for each in OwnSide]
        own_side.hints = {OwnSide.UNKNOWN.value: _("Report it all the same. We say so to the operator.")}

    @property
    def facts(self) -> dict[str, Any]:
        """As `actions.report` takes them."""
        given = self.cleaned_data
        return {"id": given["key"] or uuid.uuid4(), "sees": given["sees"], "own_side": given["own_side"]}


class ReportForm(_Seen):
    """`connections`: of each entry how it is called; `looks`: of each what was last measured, as tone and words."""

    connection = _radios(gettext_lazy("Which address?"), gettext_lazy("Choose the address that is cut."))
    field_order = ("key", "connection", "sees", "own_side")

    def __init__(
        self, *args: Any, connections: Sequence[tuple[str, str]], looks: Mapping[str, tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        connection: Any = self.fields["connection"]
        connection.choices = list(connections)
        if len(connections) > 1:
            connection.choices = [*connections, (ALL, _("All of them"))]
        connection.leads = dict(looks)


class WordsForm(forms.Form):
    """Something in a sentence or two. Each page says whom it goes to."""

    use_required_attribute = False
    words = fields.text(gettext_lazy("In a sentence or two"), gettext_lazy("Write it, in a sentence or two."))


class AnswerForm(forms.Form):
    """`reasons` are those that may be given now."""

    use_required_attribute = False
    reason = _radios(gettext_lazy("What is the cause?"), gettext_lazy("Choose the cause."))
    words = fields.text(
        gettext_lazy("What you found, and what you do"),
        "",
        required=False,
        hint=gettext_lazy("Everybody who reported it reads this. Write no name and no address."),
    )

    def __init__(self, *args: Any, reasons: Sequence[Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason: Any = self.fields["reason"]
        reason.choices = [(each.value, words.reason(each)) for each in reasons]
        nothing = _("You say that nothing needs repair on your side. Anybody who reported it can disagree.")
        reason.hints = dict.fromkeys((each.value for each in DISCLAIMS), nothing)
        reason.hints |= {Reason.NOT_OURS.value: _("The desk asks the network that has it.")}


class DeskReportForm(_Seen):
    """For somebody who called, or wrote an SMS. The holder is written to, so that a false report is noticed."""

    number = fields.line(
        gettext_lazy("Number of the registration"),
        gettext_lazy("Enter the number of the registration."),
        most=60,
        dir="ltr",
        autocapitalize="characters",
        spellcheck="false",
    )
    address = fields.line(
        gettext_lazy("Address that is cut"),
        gettext_lazy("Enter the address that is cut."),
        most=60,
        dir="ltr",
        spellcheck="false",
    )
    words = fields.text(gettext_lazy("What was said"), "", required=False)
    field_order = ("key", "number", "address", "sees", "own_side", "words")
    registration: Registration
    entry: Entry

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        number, address = references.normalise(given.get("number", "")), given.get("address", "").strip()
        if not number or not address:
            return given
        # One sentence for both, so that nobody tries numbers or addresses here.
        wrong = _("No address like that is in force under this number. Ask for both again.")
        found = register.registration_by_reference(number)
        entry = None if found is None else _entry_at(found, address)
        if found is None or entry is None:
            self.add_error("address", wrong)
        else:
            self.registration, self.entry = found, entry
        return given


def _entry_at(registration: Registration, address: str) -> Entry | None:
    try:
        block = ipaddress.ip_network(address)
    except ValueError:
        return None
    found = register.own_entries_of(registration).filter(ended_at__isnull=True, part_of__isnull=True)
    return next((each for each in found if each.block == block), None)


class AssignForm(forms.Form):
    use_required_attribute = False
    operator = forms.ChoiceField(
        label=gettext_lazy("Whose it is to mend"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose an operator.")),
    )

    def __init__(self, *args: Any, operators: Iterable[Operator], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        operator: Any = self.fields["operator"]
        operator.choices = [("", "–"), *((each.slug, each.name) for each in operators)]


class MergeForm(forms.Form):
    use_required_attribute = False
    into = forms.ChoiceField(
        label=gettext_lazy("The same cause as"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose the other disruption.")),
    )

    def __init__(self, *args: Any, others: Iterable[Incident], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        into: Any = self.fields["into"]
        into.choices = [("", "–"), *((each.reference, each.reference) for each in others)]
