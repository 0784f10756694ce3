"""The page behind the link of a letter to the contact that a list has for a number: who applies with it, and yes or no.
By the link of a letter about what is registered also that, who owns it, and a no that contests the name.

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
    opened, email = contacts.check_of_link(id=id, token=token, now=now), ""
    if opened is None and (lasting := representing.lasting(id, token, now)) is not None:
        opened, email = lasting
    found = representing.applying_with_the_number(opened) if opened is not None else []
    if email:  # What is decided stands among what is registered.
        found = [each for each in found if each.application.status == "submitted"]
    if opened is not None and request.method == "POST" and request.POST.get("answer") in {"yes", "no"}:
        agrees = request.POST["answer"] == "yes"
        if representing.answer_as_contact(opened, request.POST.get("about", ""), agrees=agrees, now=now):
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect(request.path)
    if opened is not None and email and request.method == "POST" and request.POST.get("contested") in {"yes", "no"}:
        which, contested = request.POST.get("registration", ""), request.POST["contested"] == "yes"
        if representing.contest_as_contact(opened, email, which, contested=contested, now=now):
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect(request.path)
    registered = representing.registered_with_the_number(opened, email, now) if opened is not None and email else []
    asked = request.GET.get("no", "")
    context: dict[str, object] = {
        "found": found,
        "is_open": bool(found or email),
        "is_lasting": bool(email),
        "registered": [(each, each.registration.reference == asked) for each in registered],
    }
    if opened is not None and context["is_open"]:
        context["list"] = roster_title(opened.facts.get("roster", ""))
        context["listed"] = representing.listed_name(opened)
    response = render(request, "portal/public/number_contact.html", context, status=200 if context["is_open"] else 404)
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
