"""The certificate of a registration, for its holder: on the page, on A4, and as PDF.

It shows the holder, the category and the term, never an address, so that it can be shown to anyone. Its square code
opens the public check by a link with a secret (`vault.links`), which is derived from the number and stored nowhere.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from rahdari import policy
from rahdari.applicant import paper
from rahdari.applicant.registration_status import addresses_of, standing_of
from rahdari.apply import queries as apply
from rahdari.mobile import queries as mobile
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.vault import links
from rahdari.web import errors, limits, visitor

from ..applicant.registration import registration_for
from .titles import category_title

# Setting a sheet takes a quarter of a second of a processor: one household has so many a minute, and one program.
SHEETS, PER_SECONDS = 20, 60


def sheet_of(registration: Registration) -> paper.Sheet:
    rules = policy.current(settings.POLICY_FILE)
    link = reverse(
        "portal:certificate_link",
        kwargs={
            "reference": registration.reference,
            "token": links.token("certificate", registration.reference),
        },
    )
    standing = standing_of(registration, timezone.now())
    changed = {
        "paused": registration.suspended_until,
        "suspended": registration.suspended_at,
        "ended": registration.struck_out_at,
        "struck_out": registration.struck_out_at,
    }.get(standing)
    return paper.Sheet(
        reference=registration.reference,
        standing=standing,
        changed_on=timezone.localdate(changed) if changed else None,
        holder=apply.holder_name_of(registration),
        authority=(rules.authority.en, rules.authority.ur),
        category=(category_title(registration.category, "en"), category_title(registration.category, "ur")),
        registered_on=timezone.localdate(registration.valid_from),
        valid_until=timezone.localdate(register.shown_until(registration, timezone.now())),
        addresses=addresses_of(registration),
        lines=mobile.lines_of(registration).count() if mobile.has_lines(registration) else None,
        link=settings.SITE_URL.rstrip("/") + link,
        check_at=settings.SITE_URL.partition("://")[2].rstrip("/") + reverse("portal:check_number").rstrip("/"),
        printed_at=timezone.localtime(),
        demo=settings.DEMO,
        provisional=registration.is_provisional,
        unregistered=rules.unregistered.text if rules.unregistered else None,
    )


@login_required
@require_safe
def certificate(request: HttpRequest, reference: str) -> HttpResponse:
    sheet = sheet_of(registration_for(request, reference))
    facts = {"sheet": sheet, "qr": paper.qr_path(sheet.link), "urdu_faces": paper.urdu_faces()}
    response = render(request, "portal/public/certificate.html", facts)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def pdf(request: HttpRequest, reference: str) -> HttpResponse:
    allowance = limits.take(f"portal.pdf:{visitor.household(request)}", rate=SHEETS, per=PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    sheet = sheet_of(registration_for(request, reference))
    response = HttpResponse(paper.render(sheet), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{sheet.reference}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
