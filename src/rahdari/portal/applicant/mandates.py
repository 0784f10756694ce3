"""Mandates: what an organisation lets agents do in its name and what they did; and an agent's own page of them."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.titles import service_title
from rahdari.apply import actions as apply
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply.forms import text_input
from rahdari.journal import queries as journal
from rahdari.journal import registry
from rahdari.people import actions, queries
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.acting import Acting
from rahdari.people.mailboxes import EmailField, clean_email
from rahdari.people.models import Mandate, Organisation, User
from rahdari.people.names import NameField
from rahdari.people.rules import Act, Scope
from rahdari.register import queries as register
from rahdari.web import limits, values

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


def shown(mandate: Mandate, now: dt.datetime) -> Shown:
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
    about = {each.subject: each.reference for each in applications.applications_for(organisation)}
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


def _organisation(request: HttpRequest, id: uuid.UUID) -> Organisation:
    try:
        return queries.organisation_within(user=person(request), id=id, act=Act.MEMBERS)
    except queries.OrganisationNotFound:
        raise Http404 from None


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mandates(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """For owners: the mandates, a form to give one, and what was done by them."""
    organisation, now, actor = _organisation(request, id), timezone.now(), actor_of(person(request))
    here = redirect("portal:mandates", id=organisation.pk)
    if request.method == "POST" and "end" in request.POST:
        row = queries.mandates_of(organisation).filter(pk=_uuid(request.POST["end"])).first()
        if row is None:
            raise Http404
        actions.end_mandate(mandate=row, actor=actor, now=now)
        return here
    form = MandateForm(
        request.POST if request.method == "POST" else None, giver=person(request), organisation=organisation
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        actions.give_mandate(
            organisation=organisation,
            email=data["email"],
            agent_name=data["agent_name"],
            scope=data["scope"],
            services=data["services"],
            valid_until=now + dt.timedelta(days=int(data["months"]) * LONGEST.days // 24),
            actor=actor,
            now=now,
            language=person(request).language,
        )
        messages.success(request, _("The mandate is offered. It is valid once they accept it."))
        return here
    context = {
        "organisation": organisation,
        "mandates": [shown(each, now) for each in queries.mandates_of(organisation)],
        "done": done_for(organisation),
        "form": form,
    }
    return render(request, "portal/applicant/mandates.html", context)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mandates_held(request: HttpRequest) -> HttpResponse:
    """For an agent: what is offered, whom they act for, and the way to begin an application in a name."""
    user, now = person(request), timezone.now()
    offered, held = queries.mandates_offered_to(user, now), queries.mandates_in_force(user, Act.SEE)
    if request.method == "POST":
        act, key = request.POST.get("act"), _uuid(request.POST.get("mandate", ""))
        pool = offered if act == "accept" else held if act in {"give_up", "apply"} else offered
        row = pool.filter(pk=key).first()
        if row is None:
            raise Http404
        if act == "accept":
            actions.accept_mandate(user=user, mandate=row, actor=actor_of(user), now=now)
        elif act in {"decline", "give_up"}:
            actions.end_mandate(mandate=row, actor=actor_of(user), now=now)
        elif act == "apply":
            return _begin(request, user, row, request.POST.get("service", ""), now)
        return redirect("portal:mandates_held")
    may_apply = set(queries.mandates_in_force(user, Act.APPLY).values_list("pk", flat=True))
    services = [(key, service_title(key)) for key in services_of_organisations()]
    context = {
        "offered": [shown(each, now) for each in offered],
        "held": [
            (shown(each, now), [pair for pair in services if each.pk in may_apply and each.covers(pair[0])])
            for each in held
        ],
    }
    return render(request, "portal/applicant/mandates_held.html", context)


def _begin(request: HttpRequest, user: User, mandate: Mandate, service: str, now: dt.datetime) -> HttpResponse:
    """A draft in the organisation's name: it holds what is registered, whoever applies."""
    found = queries.mandate_for(user, mandate.organisation.holder_ref, Act.APPLY, service=service)
    if found is None or service not in services_of_organisations():
        raise Http404
    try:
        application = apply.start_application(
            applicant=user,
            service=service,
            fixed_address="yes",
            mandate=found,
            actor=Acting(user, found).actor,
            now=now,
        )
    except apply.TooManyDrafts as error:
        messages.error(request, form_errors.too_many_drafts(error.limit))
        return redirect("portal:home")
    return redirect("portal:tasks", reference=application.reference)
