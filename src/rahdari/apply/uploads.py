"""The pages of the documents: which are asked for, sending files, removing one, looking at one's own."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.people.acting import Acting
from rahdari.policy import Policy, Service
from rahdari.vault import files

from . import drafts, form_errors, forms, pages, parts, queries, rules
from .models import Application, Document
from .rules import EVIDENCE_RULE
from .sent_files import Refused, accepted, take_in


@pages.draft_page
def documents(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    policy = queries.policy_in_force()
    service = queries.service_of(application, policy)
    if not service.documents:
        return pages.to_tasks(application)
    present = list(queries.documents_of(application))
    language = queries.language_now()
    missing = {rule.key for rule in queries.missing_documents(application, policy)}
    facts = queries.facts_of(application)
    return render(
        request,
        "apply/documents.html",
        {
            "application": application,
            "rows": [
                {
                    "key": rule.key,
                    "title": rule.title.in_language(language),
                    "hint": rule.hint.in_language(language),
                    "files": [document for document in present if document.rule == rule.key],
                    "needed": rule.key in missing,
                    "may_follow": rule.may_follow,
                }
                for rule in service.documents
            ],
            "one_is_enough": _one_is_enough(service),
            "stands_in": bool(facts.ntn) and rules.tax_number_stands_in(service),
            "may_be_vouched_for": rules.papers_or_association(service) and _has_associations(service, policy),
            "association": _association(application, policy) if rules.is_vouched_for(facts, service) else "",
            "tasks_url": pages.tasks_url(application),
            "next_url": pages.tasks_url(application) if missing else pages.next_url(application),
        },
    )


def _one_is_enough(service: Service) -> list[str]:
    """Which papers stand for each other, one sentence for each set of them."""
    sets: dict[str, list[str]] = {}
    for rule in service.documents:
        if rule.group:
            sets.setdefault(rule.group, []).append(rule.title.in_language(queries.language_now()))
    if len(sets) == 1 and all(rule.group for rule in service.documents):
        return [_("One of these is enough.")]
    return [
        _("One of these is enough: %(papers)s.") % {"papers": f" {_('or')} ".join(titles)} for titles in sets.values()
    ]


def _has_associations(service: Service, policy: Policy) -> bool:
    return policy.attesting is not None and bool(policy.attesting.asked_for(service.key))


def _association(application: Application, policy: Policy) -> str:
    found = policy.attesting.association(application.association) if policy.attesting else None
    return found.title.in_language(queries.language_now()) if found is not None else application.association


@pages.draft_page
def upload(request: HttpRequest, application: Application, by: Acting, rule: str) -> HttpResponse:
    return send_papers(request, application, by, rule)


def send_papers(
    request: HttpRequest, application: Application, by: Acting, rule: str, *, kind: str = ""
) -> HttpResponse:
    """The page that takes the files for one thing. `kind` of proof, where it is only now chosen: it is saved with the
    first of them."""
    chosen = application.evidence_kind
    application.evidence_kind = kind or chosen
    policy = queries.policy_in_force()
    service = queries.service_of(application, policy)
    title = _title(application, service, rule)
    if title is None:
        raise Http404
    asked = service.document(rule)
    last_day = forms.LastDayForm(request.POST) if asked is not None and asked.expires else None
    refused: list[Refused] = []
    sent = 0
    nothing_chosen = False
    if request.method == "POST" and (last_day is None or last_day.is_valid()):
        valid_until = last_day.cleaned_data["valid_until"] if last_day else None

        def keep(name: str, content: bytes) -> Document:
            return parts.attach_document(
                application=application,
                rule=rule,
                name=name,
                content=content,
                actor=by.actor,
                now=pages.now(),
                policy=policy,
                valid_until=valid_until,
            )

        sent, refused = take_in(request, policy, keep)
        present = queries.documents_of(application).filter(rule=rule).exists()
        nothing_chosen = not sent and not present
        if present and kind and kind != chosen:
            drafts.save_evidence(
                application=application,
                kind=kind,
                association=application.association,
                association_number=application.association_number,
                actor=by.actor,
                now=pages.now(),
            )
        if valid_until is not None and not sent:
            parts.date_documents(
                application=application, rule=rule, valid_until=valid_until, actor=by.actor, now=pages.now()
            )
        if not refused and not nothing_chosen:
            if request.POST.get("act") == "send":
                return HttpResponseRedirect(request.get_full_path())
            if sent:
                messages.success(request, _received(sent))
            if rule == EVIDENCE_RULE or len(service.documents) == 1:
                return pages.to_next(request, application)
            return HttpResponseRedirect(reverse("apply:documents", args=[application.reference]))
    limits = policy.limits
    back_to = "apply:evidence" if rule == EVIDENCE_RULE else "apply:documents"
    if rule == EVIDENCE_RULE and len(rules.kinds_of(service)) == 1:
        back_to = "portal:tasks"
    return render(
        request,
        "apply/upload.html",
        {
            "application": application,
            "rule": rule,
            "title": title[0],
            "hint": title[1],
            "is_evidence": rule == EVIDENCE_RULE,
            "files": list(queries.documents_of(application).filter(rule=rule)),
            "refused": refused,
            "refused_words": _refused_words(len(refused), sent),
            "nothing_chosen": nothing_chosen,
            "limit": form_errors.megabytes(limits.document_bytes),
            "most": limits.documents_per_application,
            "accept": accepted(policy),
            "last_day": last_day if request.method == "POST" or last_day is None else forms.LastDayForm(),
            "back_url": reverse(back_to, args=[application.reference]),
            "tasks_url": pages.tasks_url(application),
        },
    )


def _received(sent: int) -> str:
    return ngettext("%(count)s file received, readable.", "%(count)s files received, readable.", sent) % {"count": sent}


def _refused_words(bad: int, total: int) -> str:
    if total == 1:
        return _("This file could not be used")
    return ngettext(
        "%(bad)s of %(total)s files could not be used", "%(bad)s of %(total)s files could not be used", bad
    ) % {"bad": bad, "total": total}


def _title(application: Application, service: Service, rule: str) -> tuple[str, str] | None:
    language = queries.language_now()
    if rule == EVIDENCE_RULE and service.evidence:
        kind = service.evidence_kind(application.evidence_kind)
        if kind is None:
            return _("Evidence of employment or freelance work"), ""
        return kind.title.in_language(language), kind.hint.in_language(language)
    asked = service.document(rule)
    return None if asked is None else (asked.title.in_language(language), asked.hint.in_language(language))


@pages.draft_page
def remove(request: HttpRequest, application: Application, by: Acting, id: uuid.UUID) -> HttpResponse:
    document = Document.objects.filter(application=application, pk=id).first()
    if document is None:
        raise Http404
    if request.method == "POST":
        parts.remove_document(application=application, document=document, actor=by.actor, now=pages.now())
        messages.success(request, _("File %(name)s was removed.") % {"name": form_errors.isolated_name(document.name)})
    return HttpResponseRedirect(reverse("apply:upload", args=[application.reference, document.rule]))


@pages.own_page
def look(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    """The applicant's own file, as it was kept."""
    try:
        document = queries.document_of(application=application, id=id)
        content = queries.content_of(document)
    except (queries.DocumentNotFound, files.FileMissing):
        raise Http404 from None
    response = HttpResponse(content, content_type=document.media_type)
    # Always a download: nothing that a stranger made is opened within this site.
    response.headers["Content-Disposition"] = f'attachment; filename="document.{document.name.rpartition(".")[2]}"'
    response.headers["Cache-Control"] = "no-store"
    return response
