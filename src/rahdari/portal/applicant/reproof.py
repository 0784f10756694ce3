"""Proofs of what is registered: how each address was shown, whether it is asked for again, and the page to show it.

Whatever comes of it, nothing is removed; the pages say so.
"""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari import policy as policies
from rahdari.applicant.proof_history import Proved, about, proofs_of
from rahdari.people.access import person_required
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.models import Entry
from rahdari.register.rules import STANDING
from rahdari.verify import actions as verify
from rahdari.verify import queries as proofs
from rahdari.verify import rules, way_words
from rahdari.verify.models import Challenge, Method, Reproof, Status
from rahdari.web import visitor

from .control_methods import ask, progress
from .own_registration import own_registration


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
    under_way = mine.last if mine.last is not None and mine.last.state == Reproof.State.OPEN else None
    if request.method == "POST":
        if under_way is None:
            begin(row, mine, by.actor, now)
        else:
            repeated = pending_way(under_way, under_way.proof.method)
            if repeated is not None:
                ask(repeated, now)
        return redirect(reverse("portal:prove_again", args=[found.reference, row.pk]) + "#seen")
    facts: dict[str, Any] = {"registration": found, "mine": mine, "addr": mine.address, "under_way": under_way}
    if under_way is not None:
        facts |= _ways_of(request, under_way, row)
    return render(request, "portal/applicant/prove_again.html", facts)


def begin(row: Entry, mine: Proved, actor: str, now: dt.datetime) -> None:
    rules_in_force = policies.current(settings.POLICY_FILE).proof
    proof = proofs.proof_of(row.subject, row.block)
    if proof is not None:
        verify.begin_reproof(
            about=about(row),
            occasion=f"asked:{now:%Y-%m-%dT%H:%M:%S}",
            proof=proof,
            windows=rules_in_force.windows,
            between=rules_in_force.between_windows,
            now=now,
            actor=actor,
        )


def pending_way(reproof: Reproof, method: str) -> Challenge | None:
    if method == Method.LINK:
        return None
    found = proofs.latest_challenge(subject=reproof.subject, block=reproof.proof.network, method=method)
    return found if found is not None and found.status == Status.PENDING else None


def link_of(reproof: Reproof) -> str | None:
    """The link that shows it, while it waits."""
    link = proofs.latest_challenge(subject=reproof.subject, block=reproof.proof.network, method=Method.LINK)
    return proofs.link_url(link) if link is not None and link.status == Status.PENDING else None


def _ways_of(request: HttpRequest, reproof: Reproof, row: Entry) -> dict[str, Any]:
    """The link, which always works, and the way of the first time where we can look by ourselves."""
    facts: dict[str, Any] = {"ends_at": reproof.opened_at + reproof.between * reproof.windows}
    link = proofs.latest_challenge(subject=reproof.subject, block=reproof.proof.network, method=Method.LINK)
    if link is not None and link.status == Status.PENDING:
        address = rules.plain_address(visitor.address(request))
        attempt = proofs.last_attempt(link)
        facts |= {
            "link_url": proofs.link_url(link),
            "link_path": proofs.link_path(link),
            "seen": address,
            "is_there": rules.covers(row.block, address),
            "link_said": way_words.of_look(attempt) if attempt is not None else None,
        }
        facts["state"] = f"{link.status}.{attempt.pk if attempt else 0}"
    repeated = pending_way(reproof, reproof.proof.method)
    if repeated is not None:
        state = facts.get("state", "")
        facts |= {"challenge": repeated, "way_title": way_words.title(repeated.method), **progress(repeated)}
        facts["state"] = f"{state}.{facts['state']}"
    return facts
