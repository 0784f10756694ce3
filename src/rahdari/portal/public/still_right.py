"""The page behind the link of a yearly letter: one button, for whoever has the letter.

Opening it changes nothing: programs that look at links in mail answer no question. It shows the number and nothing else
of the registration; a wrong, an old and a used link of one that is over are answered alike.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply.queries import policy_in_force
from rahdari.register import actions, still_right
from rahdari.web import errors, limits, visitor

# Pages a minute for one household: enough for anybody, too few to try tokens.
PAGES, PER_SECONDS = 30, 60


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    allowance = limits.take(f"portal.still_right:{visitor.household(request)}", rate=PAGES, per=PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    question = still_right.question_of_link(reference=reference, token=token)
    if question is not None and request.method == "POST":
        actions.say_right(registration=question.registration, actor=still_right.BY_LETTER, now=timezone.now())
        return redirect("portal:still_right", reference=reference, token=token)
    context = {"question": question, "contact": policy_in_force().contact}
    response = render(request, "portal/public/still_right.html", context, status=404 if question is None else 200)
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
