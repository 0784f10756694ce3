"""`GET /metrics/letters`: how the queues stand; `/letters/no-reminders/ID/SECRET/`: whoever got a reminder by mail
wants no more of them.
"""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.web import errors, limits, visitor
from rahdari.web import metrics_access as watching

from . import actions, metrics, queries

# Tries with links that do not exist, from one address.
UNKNOWN_LINKS, PER_SECONDS = 30, 60


@csrf_exempt  # RFC 8058: a mail program posts on its own, without a cookie; the secret of the link stands for it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def no_reminders(request: HttpRequest, id: uuid.UUID, token: str) -> HttpResponse:
    """Opening it does nothing: programs that look through mail open every link. The button does, or a mail program."""
    try:
        found = queries.person_of_link(id=id, token=token)
    except queries.LetterNotFound:
        where = visitor.household(request)
        allowance = limits.take(f"letters.unknown_link:{where}", rate=UNKNOWN_LINKS, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        raise Http404 from None
    if request.method == "POST":
        actions.want_reminders(person=found, wanted=False, now=timezone.now())
    context = {"stopped": queries.wants_no_reminders(found)}
    response = render(request, "letters/pages/no_reminders.html", context)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Told to this machine, and to who has the token; to anybody else there is no such page."""
    if not watching.may_watch(request):
        raise Http404
    text = metrics.exposition(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
