"""The page that a client or employer opens from our letter. Opening it changes nothing; only its buttons do."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.inquiry.kinds import NoLongerOpen, NotAnAnswer, is_open
from rahdari.inquiry.rules import SILENT, WITHDRAWN
from rahdari.journal import actions as journal
from rahdari.web import errors, limits, visitor

from . import actions
from .models import ReferenceRequest
from .parties import PARTIES
from .queries import LINKS

# Pages a minute for one household: enough for anybody, too few to try tokens.
PAGES, PER_SECONDS = 30, 60


def _too_many(request: HttpRequest) -> HttpResponse | None:
    allowance = limits.take(f"vouch.page:{visitor.household(request)}", rate=PAGES, per=PER_SECONDS)
    return None if allowance.allowed else errors.too_many(request, wait=allowance.wait)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, token: str) -> HttpResponse:
    if refusal := _too_many(request):
        return refusal
    found = LINKS.opened_by(token)
    now = timezone.now()
    nothing_chosen = False
    if found is not None and request.method == "POST":
        with suppress(NotAnAnswer):
            with suppress(NoLongerOpen):
                actions.answer(question=found, given=request.POST.get("answer", ""), now=now)
            return redirect("vouch:question", token=token)
        nothing_chosen = True
    if found is not None and is_open(found, now):  # it shows the name
        journal.record(act="vouch.read_question", actor=actions.ADDRESSEE, subject=found.subject, now=now)
    return _page(request, "vouch/question.html", found, token, nothing_chosen=nothing_chosen)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """One button: no more mail from us to this address."""
    if refusal := _too_many(request):
        return refusal
    found = LINKS.opened_by(token)
    done = False
    if found is not None and request.method == "POST":
        actions.stop(question=found, now=timezone.now())
        done = True
    return _page(request, "vouch/stop.html", found, token, done=done)


def _page(
    request: HttpRequest, template: str, found: ReferenceRequest | None, token: str, **more: object
) -> HttpResponse:
    state = "unknown"
    if found is not None:
        is_over = found.state == WITHDRAWN or (found.is_waiting and not is_open(found, timezone.now()))
        state = SILENT if is_over else found.state
    party = PARTIES[found.party] if found is not None else None
    words = {"asks": party.asks(found.name), "confirms": party.confirmed(found.name)} if found and party else {}
    context = {"question": found, "state": state, "token": token, "party": party, **words, **more}
    response = render(request, template, context, status=404 if found is None else 200)
    # The address of this page is what answers the question: it goes to no other site and into no search. Not
    # "no-referrer": then browsers send our own form with the origin "null", and it could not be told from a forged one.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
