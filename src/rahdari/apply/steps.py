"""The pages that ask one thing: a form, an act, and back to the tasks."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from rahdari.people.acting import Acting
from rahdari.policy import EvidenceKind, Policy

from . import drafts, pages, queries, rules, summary, unsaved_input, uploads
from .models import Application
from .rules import EVIDENCE_RULE
from .step_forms import (
    ABOUT,
    COMPANY,
    CONTACT,
    EVIDENCE,
    MEMBERSHIP,
    PAGES,
    PERSON,
    PURPOSE,
    Asked,
)


def ask(request: HttpRequest, application: Application, by: Acting, asked: Asked, *, kind: str = "") -> HttpResponse:
    """The page of one step: shows its form, saves it, and leads on. What somebody changed meanwhile is shown and not
    overwritten. `kind` of proof, where it is only now chosen: it is saved with what it wants.
    """
    policy = queries.policy_in_force()
    service = queries.service_of(application, policy)
    if not asked.anywhere and asked.step not in rules.steps_of(service, mobile=application.is_mobile):
        return pages.to_tasks(application)
    steps = (asked.step, *asked.beside_it)
    now_seen = queries.seen(application, *steps)
    if kind and kind != application.evidence_kind:
        # What was written is of the kind before.
        application.evidence_kind, application.evidence_text = kind, ""
    options = asked.options(application, service, policy, pages.now())
    changed_meanwhile = False
    given: dict[str, Any] | None = None
    if request.method == "POST":
        form = asked.form(request.POST, **options)
        if form.is_valid():
            try:
                saved = asked.save(
                    application,
                    form.cleaned_data,
                    seen=form.cleaned_data["seen"] or None,
                    actor=by.actor,
                    now=pages.now(),
                )
            except drafts.ChangedMeanwhile as error:
                application, changed_meanwhile = error.application, True
                now_seen = queries.seen(application, *steps)
            except drafts.NotADraft:
                return HttpResponseRedirect(reverse("portal:application", args=[application.reference]))
            else:
                for note in getattr(form, "notes", ()):
                    messages.info(request, note)
                where = asked.after(saved, service)
                return HttpResponseRedirect(where) if where else pages.to_next(request, saved)
        data = request.POST.copy()
        data["seen"] = now_seen if changed_meanwhile else data.get("seen", now_seen)
        form.data = data
    else:
        given = unsaved_input.take(request, now=pages.now())
        form = asked.form(initial={**asked.initial(application), **(given or {}), "seen": now_seen}, **options)
    rows = _as_they_stand(application, asked, policy) if changed_meanwhile else []
    return render(
        request,
        "apply/step.html",
        {
            "application": application,
            "asked": asked,
            "heading": asked.heading_of(service) if asked.heading_of else asked.heading,
            "form": form,
            "beside": (*asked.beside, *asked.beside_of(application, service)),
            "given_back": given is not None,
            "meanwhile": rows,
            "back_url": reverse("apply:evidence", args=[application.reference])
            if asked.of_evidence and len(rules.kinds_of(service)) > 1
            else pages.tasks_url(application),
        },
    )


def _as_they_stand(application: Application, asked: Asked, policy: Policy) -> list[summary.SummaryRow]:
    """The answers of this step that another tab saved."""
    urls = {summary.url_of(step, application) for step in (asked.step, *asked.beside_it)}
    return [row for group in queries.summary_of(application, policy) for row in group.rows if row.url in urls]


@pages.draft_page
def about(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    return ask(request, application, by, ABOUT)


@pages.draft_page
def person(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    return ask(request, application, by, PERSON)


@pages.draft_page
def company(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    return ask(request, application, by, COMPANY)


@pages.draft_page
def contact(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    return ask(request, application, by, CONTACT)


@pages.draft_page
def purpose(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    return ask(request, application, by, PURPOSE)


@pages.draft_page
def evidence(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    """The kinds of proof, and at the same address the page of the one that is chosen. Choosing saves nothing: a kind is
    kept with what it wants. Where there is one kind, nobody is asked which."""
    service = queries.service_of(application, queries.policy_in_force())
    kinds = rules.kinds_of(service)
    chosen = kinds[0] if len(kinds) == 1 else request.GET.get("kind", "")
    if chosen in kinds:
        return _of_kind(request, application, by, chosen, service.evidence_kind(chosen))
    if request.POST.get("kind") in kinds:
        return HttpResponseRedirect(f"{request.path}?{urlencode({'kind': request.POST['kind']})}")
    return ask(request, application, by, EVIDENCE)


def _of_kind(
    request: HttpRequest, application: Application, by: Acting, key: str, kind: EvidenceKind | None
) -> HttpResponse:
    if kind is None:
        return ask(request, application, by, MEMBERSHIP, kind=key)
    if kind.sort.is_file:
        return uploads.send_papers(request, application, by, EVIDENCE_RULE, kind=key)
    return ask(request, application, by, PAGES[kind.wants], kind=key)


@pages.draft_page
def evidence_page(request: HttpRequest, application: Application, by: Acting, *, wants: str) -> HttpResponse:
    """The page of one sort of evidence."""
    service = queries.service_of(application, queries.policy_in_force())
    kind = service.evidence_kind(application.evidence_kind)
    if kind is None or kind.wants != wants:
        return HttpResponseRedirect(reverse("apply:evidence", args=[application.reference]))
    return ask(request, application, by, PAGES[wants])


@pages.draft_page
def association(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    """The association that vouches: one of the proofs of a freelancer, in the place of papers of a company."""
    service = queries.service_of(application, queries.policy_in_force())
    if not rules.takes_association(service):
        return HttpResponseRedirect(reverse("apply:evidence", args=[application.reference]))
    if request.method == "POST" and "leave" in request.POST:
        drafts.save_evidence(application=application, kind="", actor=by.actor, now=pages.now())
        where = "apply:documents" if service.documents else "apply:evidence"
        return HttpResponseRedirect(reverse(where, args=[application.reference]))
    return ask(request, application, by, MEMBERSHIP)
