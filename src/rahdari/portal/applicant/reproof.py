"""Proofs of what is registered: how each address was shown, whether it is asked for again, and the page to show it.

Whatever comes of it, nothing is removed; the pages say so.
"""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.proof_history import begin, pending_method, previous_method, proofs_of
from rahdari.applicant.proofs import ask_for_a_look
from rahdari.control import method_words, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Method, Reproof
from rahdari.people.access import person_required
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.models import Entry
from rahdari.register.rules import STANDING
from rahdari.web import visitor

from .control_methods import progress
from .shared import own_registration


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove_again(request: HttpRequest, reference: str, entry: uuid.UUID) -> HttpResponse:
    found, by = own_registration(request, reference, Act.PROVE)
    row = register.active_entry_of(found, entry)
    if row is None:
        raise Http404
    now = timezone.now()
    mine = proofs_of([row])[0]
    # Of a suspended one, too: that the address is in the holder's hands is what an officer waits for.
    if register.standing(found, now) not in STANDING:
        return redirect("portal:registration", reference=found.reference)
    under_way = mine.under_way
    if request.method == "POST":
        if under_way is None:
            begin(row, by.actor, now)
        else:
            repeated = previous_method(under_way)
            if repeated is not None:
                ask_for_a_look(repeated, now)
        return redirect(reverse("portal:prove_again", args=[found.reference, row.pk]) + "#seen")
    facts: dict[str, Any] = {"registration": found, "mine": mine, "addr": mine.address, "under_way": under_way}
    if under_way is not None:
        facts |= _ways_of(request, under_way, row)
    return render(request, "portal/applicant/prove_again.html", facts)


def _ways_of(request: HttpRequest, reproof: Reproof, row: Entry) -> dict[str, Any]:
    """The link, which always works, and the way of the first time where we can look by ourselves."""
    facts: dict[str, Any] = {"ends_at": reproof.opened_at + reproof.between * reproof.windows}
    link = pending_method(reproof, Method.LINK)
    if link is not None:
        address = rules.plain_address(visitor.address(request))
        attempt = proofs.last_attempt(link)
        facts |= {
            "link_url": proofs.link_url(link),
            "link_path": proofs.link_path(link),
            "seen": address,
            "is_there": rules.covers(row.block, address),
            "link_result": method_words.of_look(attempt) if attempt is not None else None,
        }
        facts["state"] = f"{link.status}.{attempt.pk if attempt else 0}"
    repeated = previous_method(reproof)
    if repeated is not None:
        state = facts.get("state", "")
        facts |= {"challenge": repeated, "way_title": method_words.title(repeated.method), **progress(repeated)}
        facts["state"] = f"{state}.{facts['state']}"
    return facts
