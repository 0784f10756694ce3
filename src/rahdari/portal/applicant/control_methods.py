"""The methods to prove an address: the table of them as it stands for one endpoint, and the page of one method.

A way is opened when the applicant asks for it, and only then does anybody go and look. The looking is the worker's.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.applicant.offered_methods import OfferedMethod, offered
from rahdari.applicant.proof_forms import ProofForm, first_values
from rahdari.applicant.proofs import (
    TRIES_SHOWN,
    ask_for_a_look,
    counts,
    is_looking,
    is_pending,
    open_method,
    pending,
)
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.control import expected_claims, method_words, methods, prefixes, registry_words
from rahdari.control import queries as proofs
from rahdari.control import rules as proving
from rahdari.control.models import Challenge, Method
from rahdari.people.rules import Act
from rahdari.policy import Policy

from . import shared


@dataclass(frozen=True)
class MethodRow:
    """A way in the list of ways: `fits` when it is one for what runs there. `tone` and `state` say how it stands.
    `opens`: it is opened by pressing it, for it asks for nothing."""

    title: str
    gist: str
    url: str
    fits: bool
    tone: str
    state: str
    opens: bool = False


def rows(application: Application, endpoint: Endpoint, policy: Policy, now: dt.datetime) -> list[MethodRow]:
    """The ways but the link, which has a place of its own: those for which we look, the likeliest first."""
    found = [each for each in offered(application, endpoint, policy, now) if each.method != Method.LINK]
    return [
        _row(application, endpoint, each, now)
        for each in sorted(found, key=lambda each: (each.method not in methods.LOOKED_AT, each.rank))
    ]


def _row(application: Application, endpoint: Endpoint, method: OfferedMethod, now: dt.datetime) -> MethodRow:
    at = [application.reference, endpoint.pk]
    title = method_words.title(method.method)
    if method.operator is not None:
        url = reverse("portal:prove_operator", args=at)
        return MethodRow(title, method.operator.gist, url, method.fits, *method.operator.standing)
    tone, state = standing(method.latest, now)
    if method.method == Method.CONTACT:
        opens, url = False, reverse("portal:prove_contact", args=at)
    else:
        opens = not tone and not ProofForm.is_needed(method.method, endpoint)
        url = reverse("portal:prove_method", args=[*at, method.method])
    return MethodRow(title, method_words.gist(method.method), url, method.fits, tone, state, opens)


def standing(challenge: Challenge | None, now: dt.datetime) -> tuple[str, str]:
    """Tone and words of how far a way has come; empty for one that nobody began."""
    if challenge is None or not is_pending(challenge, now):
        return "", ""
    if is_looking(challenge, now):
        return "wait", method_words.looking()
    attempt = proofs.last_attempt(challenge)
    if attempt is None:
        return "wait", method_words.begun()
    result = method_words.of_look(attempt)
    return result.tone, result.short


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest, reference: str, endpoint: uuid.UUID, method: str) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    mine = next((each for each in apply.rows_of(application) if each.pk == endpoint), None)
    if mine is None or method not in methods.LOOKED_AT:
        raise Http404
    policy = apply.frozen_policy(application)
    overview = redirect("portal:prove", reference=reference, endpoint=mine.pk)
    if proofs.is_proved(mine.subject, mine.network):
        return overview
    now, actor = timezone.now(), by.actor
    challenge = pending(mine, method, now)
    if challenge is None and not counts(policy, mine, method, now):
        return overview
    needs_form = ProofForm.is_needed(method, mine)
    if challenge is None and not needs_form and request.method == "POST":
        challenge = open_method(mine, policy, method, actor=actor, now=now)
        if "look" not in request.POST:
            return redirect(request.path)
    form: ProofForm | None = None
    if request.method == "POST" and "look" in request.POST and challenge is not None:
        ask_for_a_look(challenge, now)
        return redirect(request.path + "#seen")
    if request.method == "POST" and needs_form:
        form = ProofForm(request.POST, request.FILES, method=method, endpoint=mine)
        if form.is_valid():
            open_method(mine, policy, method, actor=actor, now=now, given=form.given())
            return redirect(request.path + "#do")
    elif needs_form and (challenge is None or "change" in request.GET):
        given = challenge.facts if challenge else {}
        form = ProofForm(initial=first_values(method, mine, given), method=method, endpoint=mine)
    facts: dict[str, Any] = {
        "application": application,
        "endpoint": mine,
        "addr": format_block(mine.network),
        "method": method,
        "title": method_words.title(method),
        "gist": method_words.gist(method),
        "form": form,
        "challenge": challenge,
        "counts_half": counts(policy, mine, method, now) < policy.proof.enough,
        "is_range": proving.is_range(mine.network),
        "needs_form": needs_form,
        "of_the_whole": method in proving.OF_THE_WHOLE,
    }
    if method in proving.OF_THE_WHOLE:
        rpki = prefixes.rpki_of(mine.network, mine.asn, now)
        facts["rpki"] = registry_words.of_rpki(rpki) if rpki else ""
    if challenge is not None and form is None:
        facts |= progress(challenge)
    return render(request, "portal/applicant/method.html", facts)


def progress(challenge: Challenge) -> dict[str, Any]:
    now = timezone.now()
    tries = list(proofs.attempts_of(challenge).select_related("challenge")[:TRIES_SHOWN])
    looking = is_looking(challenge, now)
    return {
        "given": challenge.facts,
        "port_text": _port_text(challenge),
        "asked_at": expected_claims.address_asked(challenge),
        "steps": f"portal/applicant/methods/{challenge.method}.html",
        "values": expected_claims.shown_for(challenge),
        "looking": looking,
        "places": proofs.places_asked(),
        "result": method_words.of_look(tries[0]) if tries else None,
        "advice": method_words.advice_of(tries[0]) if tries else [],
        "tries": [method_words.of_try(each) for each in tries],
        "looked_at": now,
        # The page loads again by itself when this changes.
        "state": f"{challenge.status}.{looking}.{tries[0].pk if tries else 0}",
    }


def _port_text(challenge: Challenge) -> str:
    """`UDP 51820`"""
    given = challenge.facts
    is_udp = challenge.method == Method.WIREGUARD or given.get("tcp") is False
    return f"{'UDP' if is_udp else 'TCP'} {given.get('port', '')}"
