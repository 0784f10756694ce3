"""The page of the proof link. It is opened by whoever sits at the address, signed in or not.

A browser shows whose address is asked for and a button, which is the proof; curl and Wget prove by opening: `visits`.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from rahdari.web import errors, limits, visitor

from . import challenges, visits

# Tries with links that do not exist, from one address. Links cannot be guessed; this keeps the trying cheap for us.
UNKNOWN_LINKS = 30
PER_SECONDS = 60


@visits.link_page
def prove(request: HttpRequest, token: str) -> HttpResponse:
    address = visitor.address(request)
    confirmed, opened = visits.is_confirmed(request), visits.is_opened(request)
    try:
        outcome = challenges.open_link(
            token=token, address=address, now=timezone.now(), confirmed=confirmed, opened=opened
        )
    except challenges.LinkUnknown:
        where = visitor.household(request)
        allowance = limits.take(f"control.unknown_link:{where}", rate=UNKNOWN_LINKS, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        if "text/html" not in request.headers.get("Accept", "text/html"):
            said = _("There is no such link. The page of the application has the right one.")
            return HttpResponse(said + "\n", content_type="text/plain; charset=utf-8", status=404)
        raise Http404 from None
    # The answer is 200 whatever the outcome: other codes are logged with the path, and the path is the secret.
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return HttpResponse(_one_line(outcome), content_type="text/plain; charset=utf-8")
    kind, _kind, key = outcome.challenge.subject.partition(":")
    endpoint = key if kind == "endpoint" else ""
    facts = {"outcome": outcome, "challenge": outcome.challenge, "token": token, "endpoint": endpoint}
    return render(request, "control/link.html", facts)


def _one_line(outcome: challenges.LinkOutcome) -> str:
    """The answer for curl and its like, on a server without a browser."""
    # A right-to-left terminal would turn a bare address round.
    before, after = ("\u2066", "\u2069") if get_language_bidi() else ("", "")
    values = {"block": f"{before}{outcome.shown_block}{after}", "seen": f"{before}{outcome.address}{after}"}
    sentence = {
        "proved": _("Proved: this address is %(seen)s."),
        "counted": _("Proved: this address is %(seen)s. It needs one more to prove %(block)s."),
        "proved_before": _("Already proved: %(block)s."),
        "would_prove": _("Not proved yet: this address is %(seen)s. Send a POST to the link, or use curl or Wget."),
        "expired": _("This link is no longer valid. The page of the application has a new one."),
        "withdrawn": _("This link is not needed any more."),
    }.get(outcome.result, _("Not proved: this address is %(seen)s, the link is for %(block)s."))
    return sentence % values + "\n"
