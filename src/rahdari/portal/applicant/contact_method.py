"""A way to prove a whole range: a code is written to a contact that the regional registry publishes for it.

The registry is asked when the applicant asks, by the worker; then one contact is chosen, and the code comes back from
whoever reads that address.
"""

import uuid
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.applicant.contact_method import no_code, not_taken
from rahdari.applicant.proofs import ask_for_a_look, counts, is_looking, open_method, pending
from rahdari.apply import queries as apply
from rahdari.control import challenges, method_words, prefixes, registries, registry_words
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method
from rahdari.control.sentences import LookText
from rahdari.people.rules import Act

from . import shared


@dataclass(frozen=True)
class Choice:
    """A contact that the registry names."""

    role: str
    address: str


@dataclass(frozen=True)
class ContactWay:
    """How far this way has come. `trouble` says what is wrong with what was just typed or chosen."""

    challenge: Challenge | None
    looking: bool
    contacts: tuple[Choice, ...]
    sent_to: str
    result: LookText | None
    counted: bool
    trouble: str = ""

    @property
    def state(self) -> str:
        of_this = f"{self.challenge.status}.{len(self.contacts)}" if self.challenge is not None else ""
        return f"{of_this}.{self.looking}.{self.result.short if self.result else ''}"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    row = next((each for each in apply.rows_of(application) if each.pk == endpoint), None)
    policy, now = apply.frozen_policy(application), timezone.now()
    if row is None or not counts(policy, row, Method.CONTACT, now):
        raise Http404
    if proofs.is_proved(row.subject, row.network):
        return redirect("portal:prove", reference=reference, endpoint=endpoint)
    challenge = pending(row, Method.CONTACT, now)
    actor, trouble = by.actor, ""
    if request.method == "POST":
        if "look" in request.POST:
            ask_for_a_look(challenge or open_method(row, policy, Method.CONTACT, actor=actor, now=now), now)
        elif "contact" in request.POST and challenge is not None and application.holder_name:
            trouble = _send(challenge, request.POST["contact"][:300], application.holder_name, actor)
        elif "code" in request.POST and challenge is not None:
            trouble = _try(challenge, request.POST["code"][:100])
        if not trouble:
            return redirect(request.path)
    rpki = prefixes.rpki_of(row.network, row.asn, now)
    context = {
        "application": application,
        "endpoint": row,
        "addr": format_block(row.network),
        "title": method_words.title(Method.CONTACT),
        "gist": method_words.gist(Method.CONTACT),
        "method": _method(challenge, trouble),
        "needs_name": not application.holder_name,
        "counts_half": counts(policy, row, Method.CONTACT, now) < policy.proof.enough,
        "rpki": registry_words.of_rpki(rpki) if rpki else "",
    }
    return render(request, "portal/applicant/contact_method.html", context, status=422 if trouble else 200)


def _method(challenge: Challenge | None, trouble: str) -> ContactWay:
    if challenge is None:
        return ContactWay(None, False, (), "", None, False, trouble)
    facts, last = challenge.facts, proofs.last_attempt(challenge)
    return ContactWay(
        challenge,
        is_looking(challenge, timezone.now()),
        tuple(Choice(registry_words.role(each["role"]), each["address"]) for each in facts.get("contacts", [])),
        facts.get("to", ""),
        method_words.of_look(last) if last is not None else None,
        last is not None and last.finding == "part",
        trouble,
    )


def _send(challenge: Challenge, contact: str, name: str, actor: str) -> str:
    """What is wrong; nothing when the letter is on its way."""
    try:
        registries.send_code(
            challenge=challenge,
            contact=contact,
            name=name,
            language=(get_language() or "en").split("-")[0],
            actor=actor,
            now=timezone.now(),
        )
    except registries.NoCodeNow as error:
        return no_code(error)
    except challenges.ChallengeNotPending:
        return ""
    return ""


def _try(challenge: Challenge, given: str) -> str:
    try:
        registries.try_code(challenge=challenge, given=given, now=timezone.now())
    except registries.CodeNotTaken as error:
        return not_taken(error)
    except challenges.ChallengeNotPending:
        return ""
    return ""
