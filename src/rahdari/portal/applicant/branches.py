"""The branches of an organisation: which there are, who hears of their lines, and which addresses are theirs."""

import uuid
from collections import Counter
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

from rahdari.address import format_block
from rahdari.apply import actions as apply
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply.forms import LineField, text_input
from rahdari.people import actions, queries
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.identifiers import IdentifierError, parse_mobile
from rahdari.people.mailboxes import EmailField, clean_email
from rahdari.people.models import Branch, Organisation
from rahdari.people.names import NameField, tidy
from rahdari.people.rules import Act
from rahdari.register import queries as register


class BranchForm(forms.Form):
    use_required_attribute = False
    name = NameField(
        label=gettext_lazy("Name of the branch"),
        max_length=100,
        widget=text_input(),
        error_messages={
            "required": gettext_lazy("Enter the name of the branch"),
            "max_length": gettext_lazy("This name is too long: use at most %(limit_value)s characters"),
        },
    )
    city = LineField(label=gettext_lazy("City"), max_length=80, required=False, widget=text_input())
    address = LineField(label=gettext_lazy("Street and house"), max_length=200, required=False, widget=text_input())
    contact_name = LineField(
        label=gettext_lazy("Contact for the line there"),
        help_text=gettext_lazy("We email them when there is a problem with an address of this branch."),
        max_length=120,
        required=False,
        widget=text_input(),
    )
    contact_email = EmailField(
        label=gettext_lazy("Their email"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": gettext_lazy("Enter an email address with an @ sign and without spaces")},
    )
    contact_mobile = LineField(
        label=gettext_lazy("Their mobile number"),
        required=False,
        widget=text_input(dir="ltr", inputmode="tel"),
    )

    def clean_city(self) -> str:
        return tidy(self.cleaned_data["city"])

    def clean_address(self) -> str:
        return tidy(self.cleaned_data["address"])

    def clean_contact_name(self) -> str:
        return tidy(self.cleaned_data["contact_name"])

    def clean_contact_email(self) -> str:
        given = self.cleaned_data["contact_email"]
        return clean_email(given) if given else ""

    def clean_contact_mobile(self) -> str:
        given = self.cleaned_data["contact_mobile"].strip()
        if not given:
            return ""
        try:
            return parse_mobile(given)
        except IdentifierError as error:
            raise ValidationError(form_errors.mobile(error), code=error.reason) from None

    def add_name_taken(self) -> None:
        self.add_error("name", _("Another branch has this name. Enter a different name."))


@dataclass(frozen=True)
class Address:
    """A registered address of the organisation: of which branch it is, if of any."""

    subject: str
    entry: uuid.UUID
    text: str
    label: str
    registration: str
    branch: Branch | None


def _organisation(request: HttpRequest, id: uuid.UUID, act: Act) -> Organisation:
    try:
        return queries.organisation_within(user=person(request), id=id, act=act)
    except queries.OrganisationNotFound:
        raise Http404 from None


def addresses_of(organisation: Organisation) -> list[Address]:
    """The addresses that the organisation has on the register now, each once."""
    found: list[Address] = []
    entries = register.endpoints_among(
        entry
        for registration in register.registrations_of(holders=[organisation.holder_ref])
        for entry in registration.entries.all()
        if entry.ended_at is None
    )
    numbers = {each.pk: each.reference for each in register.registrations_of(holders=[organisation.holder_ref])}
    known = applications.endpoints_by_subjects([entry.subject for entry in entries])
    for entry in entries:
        endpoint = known.get(entry.subject)
        if endpoint is not None:
            branch = endpoint.branch if endpoint.branch is not None and endpoint.branch.ended_at is None else None
            text = format_block(entry.block)
            found.append(
                Address(endpoint.subject, entry.pk, text, endpoint.label, numbers[entry.registration_id], branch)
            )
    return found


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def branches(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Every branch with its contact and the number of its addresses; for who may, a form to add one."""
    organisation = _organisation(request, id, Act.BRANCHES if request.method == "POST" else Act.SEE)
    may_edit = queries.may(person(request), Act.BRANCHES, organisation=organisation)
    form = BranchForm(request.POST if request.method == "POST" else None) if may_edit else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            actions.add_branch(
                organisation=organisation, actor=actor_of(person(request)), now=timezone.now(), **form.cleaned_data
            )
        except actions.BranchNameTaken:
            form.add_name_taken()
        except actions.TooManyBranches as error:
            form.add_error("name", form_errors.branches_full(error.limit))
        else:
            return redirect("portal:branches", id=organisation.pk)
    counts = Counter(each.branch.pk for each in addresses_of(organisation) if each.branch is not None)
    found = sorted(queries.branches_of(organisation), key=lambda each: each.name.casefold())
    context = {
        "organisation": organisation,
        "owns": queries.owns(user=person(request), organisation=organisation),
        "branches": [(branch, counts[branch.pk]) for branch in found],
        "registered": sum(bool(counts[branch.pk]) for branch in found),
        "may_edit": may_edit,
        "form": form,
    }
    return render(request, "portal/applicant/branches.html", context)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def branch(request: HttpRequest, id: uuid.UUID, branch: uuid.UUID) -> HttpResponse:
    """One branch: what is said of it, and its addresses; others of the organisation can be moved here."""
    organisation = _organisation(request, id, Act.BRANCHES)
    try:
        found = queries.branch_of(organisation=organisation, id=branch)
    except queries.BranchNotFound:
        raise Http404 from None
    act, now, actor = request.POST.get("act"), timezone.now(), actor_of(person(request))
    here = redirect("portal:branch", id=organisation.pk, branch=found.pk)
    initial = {name: getattr(found, name) for name in BranchForm.base_fields}
    form = BranchForm(initial=initial)
    if request.method == "POST" and act == "end":
        actions.end_branch(branch=found, actor=actor, now=now)
        return redirect("portal:branches", id=organisation.pk)
    if request.method == "POST" and act in {"take", "let_go"}:
        chosen = request.POST.getlist("address")
        listed = [each.subject for each in addresses_of(organisation) if each.subject in chosen]
        target = found if act == "take" else None
        apply.place_endpoints(subjects=listed, branch=target, organisation=organisation, actor=actor, now=now)
        return here
    if request.method == "POST":
        form = BranchForm(request.POST)
        if form.is_valid():
            try:
                actions.change_branch(branch=found, actor=actor, now=now, **form.cleaned_data)
            except actions.BranchNameTaken:
                form.add_name_taken()
            else:
                messages.success(request, _("The branch was saved."))
                return here
    listed_addresses = addresses_of(organisation)
    context: dict[str, Any] = {
        "organisation": organisation,
        "branch": found,
        "form": form,
        "addresses": [each for each in listed_addresses if each.branch == found],
        "others": [each for each in listed_addresses if each.branch != found],
    }
    return render(request, "portal/applicant/branch.html", context)
