"""Mandates: what an organisation lets agents do in its name, and what they did."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.apply import access
from rahdari.apply import queries as applications
from rahdari.apply.forms import text_input
from rahdari.journal import queries as journal
from rahdari.journal import registry
from rahdari.people import actions, queries
from rahdari.people import mandates as people_mandates
from rahdari.people.mailboxes import EmailField, clean_email
from rahdari.people.models import Mandate, Organisation, User
from rahdari.people.names import NameField
from rahdari.people.rules import Scope
from rahdari.register import queries as register
from rahdari.web import limits, values

from .titles import service_title

SCOPES = {
    Scope.APPLY.value: gettext_lazy("Apply, answer, prove, renew and end"),
    Scope.ADDRESSES.value: gettext_lazy("Prove addresses and change them, without seeing papers"),
    Scope.SEE.value: gettext_lazy("See the registrations only"),
}
SHOWN = 100
GIVEN, PER_SECONDS = 20, 3600
TO_ONE_ADDRESS, A_DAY = 3, 86_400
LONGEST = dt.timedelta(days=731)


class MandateForm(forms.Form):
    use_required_attribute = False
    agent_name = NameField(
        label=gettext_lazy("Who acts for you"),
        of_firm=True,
        help_text=gettext_lazy("The person or firm, for example a consultant, a law firm or your parent company."),
        widget=text_input(),
        error_messages={"required": gettext_lazy("Enter who acts for you")},
    )
    email = EmailField(
        label=gettext_lazy("Their email"),
        help_text=gettext_lazy("We send one email to this address. They have 14 days to accept."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": gettext_lazy("Enter the email address"),
            "invalid": gettext_lazy("Enter an email address with an @ sign and without spaces"),
        },
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("What they may do"),
        choices=list(SCOPES.items()),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what they may do"),
            "invalid_choice": gettext_lazy("Choose what they may do"),
        },
    )
    services = forms.MultipleChoiceField(
        label=gettext_lazy("For which services"),
        help_text=gettext_lazy("Leave all boxes empty to allow every service."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    months = forms.ChoiceField(
        label=gettext_lazy("For how long"),
        choices=[("3", gettext_lazy("3 months")), ("12", gettext_lazy("1 year")), ("24", gettext_lazy("2 years"))],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose for how long")},
    )

    def __init__(self, *args: Any, giver: User, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.giver, self.organisation = giver, organisation
        field: Any = self.fields["services"]
        field.choices = [(key, service_title(key)) for key in services_of_organisations()]

    def clean_email(self) -> str:
        email = clean_email(self.cleaned_data["email"])
        if not actions.allow_stranger(by=self.giver, organisation=self.organisation):
            raise ValidationError(
                _(
                    "Before its first registration an organisation can offer 5 mandates a day. Offer the others "
                    "tomorrow"
                ),
                code="rate_limited",
            )
        # Each offer is a letter: nobody's mailbox is filled by them.
        for key, rate, per in (
            (f"portal.mandate:{self.giver.pk}", GIVEN, PER_SECONDS),
            (f"portal.mandate_to:{self.giver.pk}:{email.lower()}", TO_ONE_ADDRESS, A_DAY),
        ):
            allowance = limits.take(key, rate=rate, per=per)
            if not allowance.allowed:
                words = _("Too many mandates. Try again after %(when)s")
                raise ValidationError(words % {"when": values.again_after(allowance.wait)}, code="rate_limited")
        return email


def services_of_organisations() -> list[str]:
    policy = applications.policy_in_force()
    return [key for key, service in policy.services.items() if service.open and service.holder == "organisation"]


@dataclass(frozen=True)
class Done:
    """An act of an agent: when, who, what, about which application or registration."""

    at: dt.datetime
    agent: str
    words: str
    about: str


@dataclass(frozen=True)
class Shown:
    mandate: Mandate
    state: str  # offered | in_force | ended | over
    scope: str
    services: list[str]


def mandate_view(mandate: Mandate, now: dt.datetime) -> Shown:
    """A mandate as pages and programs show it: `offered`, `in_force`, `over` (its time has passed) or `ended`."""
    if mandate.ended_at is not None:
        state = "ended"
    elif mandate.valid_until <= now or (
        mandate.accepted_at is None and mandate.given_at <= now - queries.MANDATE_OFFERED
    ):
        state = "over"
    else:
        state = "in_force" if mandate.accepted_at is not None else "offered"
    titles = [service_title(key) for key in mandate.services.split()]
    return Shown(mandate, state, str(SCOPES[mandate.scope]), titles)


def done_for(organisation: Organisation) -> list[Done]:
    """What agents did in the organisation's name, newest first."""
    agents = {each.agent_id: each.agent_name for each in queries.mandates_of(organisation) if each.agent_id}
    about = {each.subject: each.reference for each in access.applications_for(organisation)}
    held = register.registrations_of(holders=[organisation.holder_ref])
    about |= {f"registration:{each.pk}": each.reference for each in held}
    # By a program of theirs they are named as the person; what they did to the organisation's it sees all the same.
    actors = [f"{kind}:{pk}" for kind in ("agent", "person") for pk in agents]
    return [
        Done(
            row.at,
            agents[uuid.UUID(row.actor.partition(":")[2])],
            str(registry.words_of(row.act).done or _("Something else: %(act)s") % {"act": f"\u2066{row.act}\u2069"}),
            about[row.subject],
        )
        for row in journal.done_by(actors, about)[:SHOWN]
    ]


def note_former_agent(user: User, reference: str, now: dt.datetime) -> None:
    """Somebody asked for a change of what they do not reach: if they acted for its organisation once, that hears of it.
    What they are told does not differ."""
    row = access.every().filter(reference=access.typed(reference), organisation__isnull=False).first()
    if row is not None:
        people_mandates.note_former_agent(user=user, holder=row.holder_ref, subject=row.subject, now=now)
        return
    found = register.registration_by_reference(reference)
    if found is not None:
        subject = f"registration:{found.pk}"
        people_mandates.note_former_agent(user=user, holder=found.holder, subject=subject, now=now)


def offer(form: MandateForm, *, actor: str, now: dt.datetime) -> Mandate:
    """Offer what a form in order asks for. A letter goes to the address."""
    data = form.cleaned_data
    return people_mandates.give_mandate(
        organisation=form.organisation,
        email=data["email"],
        agent_name=data["agent_name"],
        scope=data["scope"],
        services=data["services"],
        valid_until=now + dt.timedelta(days=int(data["months"]) * LONGEST.days // 24),
        actor=actor,
        now=now,
        language=form.giver.language,
    )
