"""Proving an address: the ways as they stand, and a look at the token when the applicant asks for it."""

import threading
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.address import format_block
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.page import visitor
from rahdari.people.access import actor_of, person
from rahdari.policy import Policy
from rahdari.verify import actions as verify
from rahdari.verify import queries as proofs
from rahdari.verify import rules, words
from rahdari.verify.models import Challenge, Method, Status

from . import shared


@dataclass(frozen=True)
class Proof:
    """How far the proof of one endpoint has come."""

    endpoint: Endpoint
    proof: Challenge | None

    @property
    def is_proved(self) -> bool:
        return self.proof is not None


def proofs_of(application: Application) -> list[Proof]:
    """The endpoints of an application, each with its proof or without."""
    return [
        Proof(endpoint, proofs.proof_of(endpoint.subject, endpoint.network))
        for endpoint in apply.endpoints_of(application)
    ]


def share_proofs(application: Application, actor: str) -> list[Proof]:
    """Two ports of one server are proved at once: what was proved for a block counts for its other endpoints."""
    known = proofs_of(application)
    by_block = {each.endpoint.network: each.proof for each in known if each.proof is not None}
    missing = [each for each in known if each.proof is None and each.endpoint.network in by_block]
    if not missing:
        return known
    for each in missing:
        verify.share_proof(
            proof=by_block[each.endpoint.network], subject=each.endpoint.subject, actor=actor, now=timezone.now()
        )
    return proofs_of(application)


@login_required
@require_safe
def first(request: HttpRequest, reference: str) -> HttpResponse:
    """The first endpoint that still needs a proof."""
    application = shared.application(request, reference)
    known = share_proofs(application, actor_of(person(request)))
    if not known:
        return redirect("portal:tasks", reference=reference)
    wanted = next((each for each in known if not each.is_proved), known[0])
    return redirect("portal:prove", reference=reference, endpoint=wanted.endpoint.pk)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    application = shared.application(request, reference)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    known = share_proofs(application, actor_of(person(request)))
    place = next((place for place, each in enumerate(known) if each.endpoint.pk == endpoint), None)
    if place is None:
        raise Http404
    mine = known[place]
    others = [each for each in known if not each.is_proved and each.endpoint.pk != endpoint]
    facts = {
        "application": application,
        "endpoint": mine.endpoint,
        "addr": format_block(mine.endpoint.network),
        "number": place + 1,
        "total": len(known),
        "next": others[0].endpoint if others else None,
        "proof": mine.proof,
    }
    if mine.proof is not None:
        return render(request, "portal/applicant/proved.html", facts)
    policy = apply.frozen_policy(application)
    link, token = _challenges(mine.endpoint, policy, actor_of(person(request)))
    if request.method == "POST":
        _look(request, token)
        return redirect(request.path + "#token")
    address = rules.plain_address(visitor.address(request))
    facts |= {
        "seen": address,
        "is_there": rules.covers(mine.endpoint.network, address),
        "is_prefix": mine.endpoint.network.num_addresses > 1,
        "link": link,
        "link_url": proofs.link_url(link),
        "link_said": _said(link),
        "token": token,
        "token_path": proofs.http_token(token)[0],
        "token_text": proofs.http_token(token)[1],
        "token_said": _said(token),
        "token_port": settings.PROOF_HTTP_PORT,
        "token_at": rules.address_to_ask(mine.endpoint.network),
        "looked_at": timezone.now(),
        # The page loads again by itself when this changes.
        "state": f"{link.status}.{link.attempts.count()}.{token.status}.{token.looks}",
    }
    return render(request, "portal/applicant/prove.html", facts)


def _challenges(endpoint: Endpoint, policy: Policy, actor: str) -> tuple[Challenge, Challenge]:
    link, token = (
        verify.open_challenge(
            subject=endpoint.subject,
            block=endpoint.network,
            method=method,
            valid_for=policy.limits.challenge_valid,
            now=timezone.now(),
            actor=actor,
        )
        for method in (Method.LINK, Method.HTTP)
    )
    return link, token


# Slow servers of strangers may hold one thread of this process, and never all that serve pages.
_looking = threading.BoundedSemaphore(1)


def _look(request: HttpRequest, token: Challenge) -> None:
    """Look once. Too soon, too often, or proved meanwhile: the page says how things stand, whatever was asked."""
    now = timezone.now()
    try:
        if not _looking.acquire(blocking=False):
            verify.ask_for_a_look(challenge=token, now=now)
            messages.info(request, _("We look within a minute. You may load this page again, or close it."))
            return
        try:
            verify.look_at_token(challenge=token, now=now)
        finally:
            _looking.release()
    except (verify.TooSoonToLook, verify.TooManyLooks, verify.ChallengeNotPending):
        return


def _said(challenge: Challenge) -> words.Said | None:
    attempt = proofs.last_attempt(challenge)
    return words.of_attempt(attempt) if attempt is not None and challenge.status == Status.PENDING else None
