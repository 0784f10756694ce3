"""The page behind the link of a letter to the contact that a list has for a number: who applies with it, and yes or no.

Opening it changes nothing: programs that look at links in mail answer no question. It shows of the applicants what the
letters say of them; a wrong link and one that is over are answered alike.
"""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant import representing
from rahdari.checks import contacts
from rahdari.checks.words import roster_title
from rahdari.web import errors, limits, visitor

# Pages a minute for one household: enough for anybody, too few to try tokens.
PAGES, PER_SECONDS = 30, 60


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def applying(request: HttpRequest, id: uuid.UUID, token: str) -> HttpResponse:
    allowance = limits.take(f"portal.number_contact:{visitor.household(request)}", rate=PAGES, per=PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    now = timezone.now()
    opened = contacts.check_of_link(id=id, token=token, now=now)
    found = representing.applying_with_the_number(opened) if opened is not None else []
    if opened is not None and request.method == "POST" and request.POST.get("answer") in {"yes", "no"}:
        agrees = request.POST["answer"] == "yes"
        if representing.answer_as_contact(opened, request.POST.get("about", ""), agrees=agrees, now=now):
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect(request.path)
    context: dict[str, object] = {"found": found}
    if opened is not None and found:
        context["list"] = roster_title(opened.facts.get("roster", ""))
        context["listed"] = representing.listed_name(opened)
    response = render(request, "portal/public/number_contact.html", context, status=200 if found else 404)
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
