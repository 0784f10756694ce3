"""The certificate of a registration, for its holder: on the page, on A4, and as PDF.

It shows the holder, the category and the term, never an address, so that it can be shown to anyone. Its square code
opens the public check by a link with a secret (`vault.links`), which is derived from the number and stored nowhere.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rahdari.applicant import paper
from rahdari.people.rules import Act
from rahdari.web import errors, limits, visitor

from ..applicant.shared import own_registration


@login_required
@require_safe
def certificate(request: HttpRequest, reference: str) -> HttpResponse:
    sheet = paper.sheet_of(own_registration(request, reference, Act.SEE).row, timezone.now())
    facts = {"sheet": sheet, "qr": paper.qr_path(sheet.link)}
    response = render(request, "portal/public/certificate.html", facts)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def pdf(request: HttpRequest, reference: str) -> HttpResponse:
    allowance = limits.take(f"portal.pdf:{visitor.household(request)}", rate=paper.SHEETS, per=paper.PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    sheet = paper.sheet_of(own_registration(request, reference, Act.SEE).row, timezone.now())
    response = HttpResponse(paper.render(sheet), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{sheet.reference}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
