"""The branches of an organisation: which there are, who hears of their lines, and which addresses are theirs."""

import uuid
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.branches import BranchForm, addresses_of
from rahdari.apply import bulk, form_errors
from rahdari.people import branches as people_branches
from rahdari.people import queries
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.rules import Act

from . import shared


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def branches(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Every branch with its contact and the number of its addresses; for who may, a form to add one."""
    organisation = shared.organisation(request, id, Act.BRANCHES if request.method == "POST" else Act.SEE)
    may_edit = queries.may(person(request), Act.BRANCHES, organisation=organisation)
    form = BranchForm(request.POST if request.method == "POST" else None) if may_edit else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            people_branches.add_branch(
                organisation=organisation, actor=actor_of(person(request)), now=timezone.now(), **form.cleaned_data
            )
        except people_branches.BranchNameTaken:
            form.add_name_taken()
        except people_branches.TooManyBranches as error:
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
    organisation = shared.organisation(request, id, Act.BRANCHES)
    try:
        found = queries.branch_of(organisation=organisation, id=branch)
    except queries.BranchNotFound:
        raise Http404 from None
    act, now, actor = request.POST.get("act"), timezone.now(), actor_of(person(request))
    here = redirect("portal:branch", id=organisation.pk, branch=found.pk)
    initial = {name: getattr(found, name) for name in BranchForm.base_fields}
    form = BranchForm(initial=initial)
    if request.method == "POST" and act == "end":
        people_branches.end_branch(branch=found, actor=actor, now=now)
        return redirect("portal:branches", id=organisation.pk)
    if request.method == "POST" and act in {"take", "let_go"}:
        chosen = request.POST.getlist("address")
        listed = [each.subject for each in addresses_of(organisation) if each.subject in chosen]
        target = found if act == "take" else None
        bulk.place_endpoints(subjects=listed, branch=target, organisation=organisation, actor=actor, now=now)
        return here
    if request.method == "POST":
        form = BranchForm(request.POST)
        if form.is_valid():
            try:
                people_branches.change_branch(branch=found, actor=actor, now=now, **form.cleaned_data)
            except people_branches.BranchNameTaken:
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
