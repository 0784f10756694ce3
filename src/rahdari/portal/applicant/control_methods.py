"""The ways to prove an address: the table of them as it stands for one endpoint, and the page of one way.

A way is opened when the applicant asks for it, and only then does anybody go and look. The looking is the worker's.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
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
from rahdari.applicant.proof_forms import ProofForm, first_values
from rahdari.applicant.proofs import (
    TRIES_SHOWN,
    ask_for_a_look,
    counts,
    is_looking,
    is_pending,
    open_way,
    pending,
)
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.control import registry_words, way_words, ways
from rahdari.control import rules as proving
from rahdari.control.models import Challenge, Method
from rahdari.people.rules import Act
from rahdari.policy import Policy

from . import operator_way, shared


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


@dataclass(frozen=True)
class Asked:
    """For whom the list is made."""

    application: Application
    endpoint: Endpoint
    policy: Policy
    now: dt.datetime


def _looked_at(asked: Asked) -> Iterable[MethodRow]:
    """The ways for which we go and look."""
    fits = ways.fitting(asked.endpoint.runs, asked.endpoint.parts)
    offered = [method for method in ways.LOOKED_AT if counts(asked.policy, asked.endpoint, method, asked.now)]
    latest = proofs.latest_challenges(subject=asked.endpoint.subject, block=asked.endpoint.network)
    for method in sorted(offered, key=lambda each: fits.index(each) if each in fits else len(fits)):
        tone, state = standing(latest.get(method), asked.now)
        opens = not tone and not ProofForm.is_needed(method, asked.endpoint)
        url = reverse("portal:prove_way", args=[asked.application.reference, asked.endpoint.pk, method])
        is_fit = method in fits or method in proving.OF_THE_WHOLE
        yield MethodRow(way_words.title(method), way_words.gist(method), url, is_fit, tone, state, opens)


def _by_contact(asked: Asked) -> Iterable[MethodRow]:
    """A code to a contact that the registry names, where the policy has that: for whole ranges."""
    if counts(asked.policy, asked.endpoint, Method.CONTACT, asked.now):
        latest = proofs.latest_challenge(
            subject=asked.endpoint.subject, block=asked.endpoint.network, method=Method.CONTACT
        )
        tone, state = standing(latest, asked.now)
        url = reverse("portal:prove_contact", args=[asked.application.reference, asked.endpoint.pk])
        yield MethodRow(way_words.title(Method.CONTACT), way_words.gist(Method.CONTACT), url, True, tone, state)


def _by_operator(asked: Asked) -> Iterable[MethodRow]:
    """The operator of the address is asked, where the policy has that."""
    way = operator_way.way_of(asked.application, asked.endpoint, asked.policy)
    if way is not None:
        tone, state = way.standing
        url = reverse("portal:prove_operator", args=[asked.application.reference, asked.endpoint.pk])
        yield MethodRow(way_words.title(Method.OPERATOR), way.gist, url, False, tone, state)


# Whoever makes rows of ways: a room beside verify that knows another way adds its own.
ROWS: tuple[Callable[[Asked], Iterable[MethodRow]], ...] = (_looked_at, _by_contact, _by_operator)


def rows(asked: Asked) -> list[MethodRow]:
    return [row for make in ROWS for row in make(asked)]


def standing(challenge: Challenge | None, now: dt.datetime) -> tuple[str, str]:
    """Tone and words of how far a way has come; empty for one that nobody began."""
    if challenge is None or not is_pending(challenge, now):
        return "", ""
    if is_looking(challenge, now):
        return "wait", way_words.looking()
    attempt = proofs.last_attempt(challenge)
    if attempt is None:
        return "wait", way_words.begun()
    said = way_words.of_look(attempt)
    return said.tone, said.short


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def way(request: HttpRequest, reference: str, endpoint: uuid.UUID, method: str) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    mine = next((each for each in apply.endpoints_of(application) if each.pk == endpoint), None)
    if mine is None or method not in ways.LOOKED_AT:
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
        challenge = open_way(mine, policy, method, actor=actor, now=now)
        if "look" not in request.POST:
            return redirect(request.path)
    form: ProofForm | None = None
    if request.method == "POST" and "look" in request.POST and challenge is not None:
        ask_for_a_look(challenge, now)
        return redirect(request.path + "#seen")
    if request.method == "POST" and needs_form:
        form = ProofForm(request.POST, request.FILES, method=method, endpoint=mine)
        if form.is_valid():
            open_way(mine, policy, method, actor=actor, now=now, given=form.given())
            return redirect(request.path + "#do")
    elif needs_form and (challenge is None or "change" in request.GET):
        given = challenge.facts if challenge else {}
        form = ProofForm(initial=first_values(method, mine, given), method=method, endpoint=mine)
    return _page(request, Asked(application, mine, policy, now), method, challenge, form)


def _page(
    request: HttpRequest, asked: Asked, method: str, challenge: Challenge | None, form: ProofForm | None
) -> HttpResponse:
    facts: dict[str, Any] = {
        "application": asked.application,
        "endpoint": asked.endpoint,
        "addr": format_block(asked.endpoint.network),
        "method": method,
        "title": way_words.title(method),
        "gist": way_words.gist(method),
        "form": form,
        "challenge": challenge,
        "counts_half": counts(asked.policy, asked.endpoint, method, asked.now) < asked.policy.proof.enough,
        "is_range": proving.is_range(asked.endpoint.network),
        "needs_form": ProofForm.is_needed(method, asked.endpoint),
        "of_the_whole": method in proving.OF_THE_WHOLE,
    }
    if method in proving.OF_THE_WHOLE:
        rpki = proofs.rpki_of(asked.endpoint.network, asked.endpoint.asn, asked.now)
        facts["rpki"] = registry_words.of_rpki(rpki) if rpki else ""
    if challenge is not None and form is None:
        facts |= progress(challenge)
    return render(request, "portal/applicant/way.html", facts)


def progress(challenge: Challenge) -> dict[str, Any]:
    now = timezone.now()
    tries = list(proofs.attempts_of(challenge).select_related("challenge")[:TRIES_SHOWN])
    looking = is_looking(challenge, now)
    return {
        "given": challenge.facts,
        "port_text": _port_text(challenge),
        "asked_at": proofs.address_asked(challenge),
        "steps": f"portal/applicant/ways/{challenge.method}.html",
        "values": proofs.shown_for(challenge),
        "looking": looking,
        "places": proofs.places_asked(),
        "said": way_words.of_look(tries[0]) if tries else None,
        "advice": way_words.advice_of(tries[0]) if tries else [],
        "tries": [way_words.of_try(each) for each in tries],
        "looked_at": now,
        # The page loads again by itself when this changes.
        "state": f"{challenge.status}.{looking}.{tries[0].pk if tries else 0}",
    }


def _port_text(challenge: Challenge) -> str:
    """`UDP 51820`"""
    given = challenge.facts
    is_udp = challenge.method == Method.WIREGUARD or given.get("tcp") is False
    return f"{'UDP' if is_udp else 'TCP'} {given.get('port', '')}"
