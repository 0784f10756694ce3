"""A paper of a case, in a box of its own on the page. It is on record before a byte of it is sent."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.apply import queries as applications
from rahdari.apply.models import Document
from rahdari.journal import actions as journal
from rahdari.people.access import officer_required, person
from rahdari.vault.files import FileMissing

from . import queries
from .case_access import opened, why_of
from .models import Case

# No script, no form, nothing loaded from anywhere, in no page but ours. A PDF has no sandbox: browsers show
# none in one. Its own scripts were taken out when it was sent, and none may run.
DOCUMENT_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
POLICIES = {
    "image/jpeg": f"sandbox; {DOCUMENT_POLICY}",
    "image/png": f"sandbox; {DOCUMENT_POLICY}",
    "application/pdf": f"object-src 'self'; {DOCUMENT_POLICY}",
}
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@never_cache
@require_safe
@officer_required
def document(request: HttpRequest, reference: str, document: uuid.UUID) -> HttpResponse:
    shown = opened(request, reference)
    try:
        found, content = applications.read_document(
            officer=person(request),
            application=shown.application,
            id=document,
            reason=queries.reason_of(shown, why_of(request, reference)),
            ground=queries.ground_of(shown, why_of(request, reference)),
            now=timezone.now(),
        )
    except (applications.DocumentNotFound, FileMissing):
        raise Http404 from None
    return in_a_box(found, content, reference)


def of_case(case: Case, document: uuid.UUID, *, actor: str, reason: str) -> HttpResponse:
    """For whoever decides something of the case and is no officer of it. The read is on record. Raises Http404."""
    application = case.application
    try:
        found = applications.document_of(application=application, id=document)
        journal.record(
            act="apply.read_document",
            actor=actor,
            subject=application.subject,
            now=timezone.now(),
            reason=reason,
            ground=queries.ground_of(case),
            detail={"document": str(found.pk), "rule": found.rule},
        )
        content = applications.content_of(found)
    except (applications.DocumentNotFound, FileMissing):
        raise Http404 from None
    return in_a_box(found, content, application.reference)


def in_a_box(found: Document, content: bytes, reference: str) -> HttpResponse:
    """A paper of this application as a page may show it: without script, and never under the name that was sent."""
    in_place = found.media_type in POLICIES
    media_type = found.media_type if found.media_type in ENDINGS else "application/octet-stream"
    # Never the name that was sent: it may hold a person's name, and it goes into the officer's downloads.
    name = f"{reference}-{found.rule.partition(':')[0]}.{ENDINGS.get(media_type, 'bin')}"
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'{"inline" if in_place else "attachment"}; filename="{name}"'
    response["Content-Security-Policy"] = POLICIES.get(media_type, f"sandbox; {DOCUMENT_POLICY}")
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response
