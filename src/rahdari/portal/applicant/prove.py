"""Proving an address: the ways as they stand, the fitting ones first. Each has a page of its own (`ways`)."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import optional
from rahdari.address import format_block
from rahdari.applicant import links
from rahdari.applicant.lines import is_ready, line_for
from rahdari.applicant.proofs import Proof, counts, is_proved_by_sending, left_to_prove, proofs_of, prove_by_visit
from rahdari.apply import access, subjects
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.control import method_words, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method, ProbeAttempt
from rahdari.db import together
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.web import visitor

from . import shared
from .control_methods import rows

# From so many on, the list of them comes first.
MANY = 5


@login_required
@require_safe
def first(request: HttpRequest, reference: str) -> HttpResponse:
    """Where to go on with the proofs; there is nothing to prove without an address."""
    application = shared.application(request, reference, Act.PROVE).row
    known = proofs_of(application)
    if not known:
        return redirect(without_addresses(request, application))
    return redirect(where_to_prove(application, known))


def without_addresses(request: HttpRequest, application: Application) -> str:
    """Where somebody goes who came to prove what is not there yet: to the addresses, or home."""
    may_add = access.may(person(request), Act.ADDRESSES, application=application)
    if application.status == "draft" and may_add and not application.is_mobile:
        return reverse("apply:addresses", args=[application.reference])
    return reverse("portal:home")


@login_required
@require_safe
def after_the_link(request: HttpRequest, endpoint: uuid.UUID) -> HttpResponse:
    """From the page of the link, which knows no application, on with the one that the address belongs to."""
    row = subjects.endpoint_by_subject(f"endpoint:{endpoint}")
    if row is None:
        return redirect("portal:home")
    try:
        application = access.application_for_applicant(
            applicant=person(request), reference=row.application.reference, act=Act.PROVE
        ).row
    except access.ApplicationNotFound:
        return redirect("portal:home")
    return redirect(continue_url(request, application))


def continue_url(request: HttpRequest, application: Application) -> str:
    """Where a proof leads on to."""
    if not access.may(person(request), Act.PAPERS, application=application):
        return reverse("portal:application", args=[application.reference])
    name = "portal:next_task" if application.status == "draft" else "portal:status"
    return reverse(name, args=[application.reference])


def next_page(request: HttpRequest, application: Application) -> str:
    """The page of what is still to do in a draft, in the order of its list; then the one to check and send."""
    policy = apply.policy_in_force()
    if application.status != "draft" or application.service not in policy.services:
        return reverse("portal:application", args=[application.reference])
    endpoints = apply.rows_of(application)
    open_step = apply.open_step(application, policy, endpoints=endpoints)
    if open_step is not None and policy.services[application.service].open:
        return open_step.url
    return after_the_form(request, application, endpoints)


def after_the_form(request: HttpRequest, application: Application, endpoints: Sequence[Endpoint]) -> str:
    """Where a draft goes on whose answers are all given. Named in `settings.AFTER_THE_FORM`."""
    if not apply.policy_in_force().services[application.service].open:
        return reverse("portal:application", args=[application.reference])
    if application.is_mobile and not is_ready(application):
        name = "portal:mobile_line" if line_for(application) else "portal:mobile_number"
        return reverse(name, args=[application.reference])
    known = [] if application.is_mobile else proofs_of(application, endpoints)
    left = left_to_prove(known)
    here = proved_by_sending(request, application, left)
    # Whose address somebody else has proves it first, and is told then.
    if len(here) < len(left) or (here and optional.ask("rahdari.applicant", "to_share", application, here)):
        return where_to_prove(application, known)
    return reverse("portal:check", args=[application.reference])


def proved_by_sending(request: HttpRequest, application: Application, unproved: Sequence[Endpoint]) -> list[Endpoint]:
    """Those that are proved when this visitor sends the application from where they are."""
    policy, now = apply.frozen_policy(application), timezone.now()
    seen = rules.plain_address(visitor.address(request))
    return [each for each in unproved if is_proved_by_sending(policy, each, seen, now)]


def where_to_prove(application: Application, known: Sequence[Proof]) -> str:
    """The page of the first endpoint that still needs a proof; of many, their list."""
    if len(known) >= MANY:
        return reverse("portal:prove_many", args=[application.reference])
    left = left_to_prove(known)
    unproved = [each for each in known if each.endpoint in left] or [each for each in known if not each.is_proved]
    wanted = unproved[0] if unproved else known[0]
    return reverse("portal:prove", args=[application.reference, wanted.endpoint.pk])


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    known = proofs_of(application)
    place = next((place for place, each in enumerate(known) if each.endpoint.pk == endpoint), None)
    if place is None:
        raise Http404
    mine = known[place]
    # Round the list: the one after this comes first.
    others = [each for each in [*known[place + 1 :], *known[:place]] if not each.is_proved]
    facts = {
        "application": application,
        "endpoint": mine.endpoint,
        "addr": format_block(mine.endpoint.network),
        "number": place + 1,
        "total": len(known),
        "next": others[0].endpoint if others else None,
        "proof": mine.proof,
        "continue_url": continue_url(request, application),
        "may_send": access.may(person(request), Act.PAPERS, application=application),
    }
    if mine.endpoint.is_dynamic:
        page: HttpResponse | None = optional.ask(
            __package__, "prove_changing", request, application, by, mine.endpoint, facts
        )
        if page is None:
            raise Http404
        return page
    if request.method == "POST":
        return _prove_here(request, application, by, mine)
    if mine.proof is not None:
        facts["proved"] = method_words.proved_by(mine.proof)
        facts["is_held"] = bool(optional.ask("rahdari.applicant", "is_held", application, mine.endpoint))
        return render(request, "portal/applicant/proved.html", facts)
    with together.ahead(*proofs.proofs_later(subject=mine.endpoint.subject, block=mine.endpoint.network)):
        return _methods(request, application, mine.endpoint, facts)


def _methods(request: HttpRequest, application: Application, endpoint: Endpoint, facts: dict[str, Any]) -> HttpResponse:
    """Of an address without a proof: by which methods it can be proved, and how far each has come."""
    policy, now = apply.frozen_policy(application), timezone.now()
    listed = rows(application, endpoint, policy, now)
    parts = proofs.parts_of(endpoint.subject, endpoint.network)
    facts |= {
        # What was begun stays in sight, and stands first.
        "fitting": sorted((row for row in listed if row.fits or row.tone), key=lambda row: not row.tone),
        "another": [row for row in listed if not row.fits and not row.tone],
        "begun": any(row.tone for row in listed),
        "is_line": endpoint.runs == "any",
        "is_range": rules.is_range(endpoint.network),
        "enough": policy.proof.enough,
        "so_far": rules.comes_to(endpoint.network, parts),
        "whole_counted": any(part.method in rules.OF_THE_WHOLE for part in parts),
        "by_registry": bool(counts(policy, endpoint, Method.RECORD, now)),
    }
    state = [row.state for row in listed]
    if counts(policy, endpoint, Method.LINK, now):
        link = proofs.working_link(subject=endpoint.subject, block=endpoint.network, now=now)
        attempt, tries = proofs.last_attempt_and_tries(link) if link is not None else (None, 0)
        facts |= _link(request, application, endpoint, link, attempt)
        state += [link.status, str(tries)] if link is not None else []
    # The page loads again by itself when this changes.
    facts["state"] = state_now = ".".join(state)
    if (answer := shared.state_for_script(request, state_now)) is not None:
        return answer
    return render(request, "portal/applicant/prove.html", facts)


def _prove_here(request: HttpRequest, application: Application, by: Acting, mine: Proof) -> HttpResponse:
    """One press on the network of the address is the same as opening the link there."""
    policy, seen = apply.frozen_policy(application), rules.plain_address(visitor.address(request))
    now = timezone.now()
    again = redirect("portal:prove", reference=application.reference, endpoint=mine.endpoint.pk)
    if mine.is_proved or "here" not in request.POST or not counts(policy, mine.endpoint, Method.LINK, now):
        # Also a page that stayed open from when the address was a changing one.
        return again
    if prove_by_visit(mine.endpoint, policy, seen, actor=by.actor, now=now) != "proved":
        return again
    shown = f"\u2066{format_block(mine.endpoint.network)}\u2069"
    messages.success(request, _("Address %(address)s is proved.") % {"address": shown})
    if bool(optional.ask("rahdari.applicant", "is_held", application, mine.endpoint)):
        # Somebody else has it: that page says so.
        return again
    goes_on = application.status == "draft" and access.may(person(request), Act.PAPERS, application=application)
    return redirect(next_page(request, application) if goes_on else continue_url(request, application))


def _link(
    request: HttpRequest,
    application: Application,
    endpoint: Endpoint,
    link: Challenge | None,
    attempt: ProbeAttempt | None,
) -> dict[str, Any]:
    """The link of the address; where it has none open, the one of the application does the same."""
    address = rules.plain_address(visitor.address(request))
    said = method_words.of_look(attempt) if attempt is not None else None
    return {
        "seen": address,
        "is_there": rules.covers(endpoint.network, address),
        "is_prefix": endpoint.network.num_addresses > 1,
        "link": link,
        "link_url": proofs.link_url(link) if link is not None else links.absolute(links.proves(application)),
        "link_result": said,
        "looked_at": timezone.now(),
    }
