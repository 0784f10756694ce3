"""The public check of a number: valid, expired, struck out, or not found, and nothing that could be listed.

While somebody says that a company's name or number is theirs, and nobody has decided it, the page says that instead of
that the name matches.

A number whose check letter is wrong is told from one that does not exist without asking the database. Tries are counted
by household and by neighbourhood (`web.visitor`), so that nobody walks through all numbers, and whoever does gets no
name: a company's registered name is compared with the one that the visitor types, and a name is shown only to whoever
holds the certificate, whose link carries a secret.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.applicant.lines import count_of
from rahdari.applicant.registration_status import addresses_of, standing_of
from rahdari.applicant.titles import service_title
from rahdari.apply import subjects
from rahdari.checks.names import is_same_name
from rahdari.complaint import contesting
from rahdari.db import replicas
from rahdari.journal import actions as journal
from rahdari.people import holders
from rahdari.register import queries as register
from rahdari.register import reference as references
from rahdari.register.models import Registration
from rahdari.vault import links
from rahdari.web import errors, limits, visitor
from rahdari.web.replicas import from_replica

from .forms import CheckForm

# Tries a minute for one household, and for all that are next to each other in the network.
OF_HOUSEHOLD, OF_NEIGHBOURHOOD, PER_SECONDS = 20, 200, 60


def _too_many(request: HttpRequest, what: str) -> HttpResponse | None:
    for where, rate in (
        (visitor.household(request), OF_HOUSEHOLD),
        (visitor.neighbourhood(request), OF_NEIGHBOURHOOD),
    ):
        allowance = limits.take(f"portal.{what}:{where}", rate=rate, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
    return None


@never_cache
@require_safe
@from_replica
def number(request: HttpRequest) -> HttpResponse:
    """The form, and with `?number=` the answer."""
    form = CheckForm(request.GET if "number" in request.GET else None)
    if not form.is_valid():
        return render(request, "portal/public/check.html", {"form": form})
    if refusal := _too_many(request, "number"):
        return refusal
    exact = form.cleaned_data["number"]
    return _answer(request, exact, _found(exact), on_paper=False, typed=form.cleaned_data["name"])


def _found(reference: str) -> Registration | None:
    """Nobody is told that a number does not exist which was given a moment ago."""
    found = register.registration_by_reference(reference)
    if found is None and replicas.leave():
        found = register.registration_by_reference(reference)
    return found


@never_cache
@require_safe
@from_replica
def certificate_link(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """What the code on a certificate opens. The link's secret shows the holder's name, also a person's."""
    if refusal := _too_many(request, "certificate"):
        return refusal
    exact = references.normalise(reference)
    genuine = exact is not None and links.matches("certificate", exact, token)
    registration = _found(exact) if exact is not None and genuine else None
    response = _answer(request, exact or "", registration, on_paper=True)
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _answer(
    request: HttpRequest, exact: str, registration: Registration | None, *, on_paper: bool, typed: str = ""
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, object] = {"reference": exact, "registration": registration, "now": now, "on_paper": on_paper}
    context["standing"] = standing_of(registration, now) if registration else "not_found"
    if registration is not None:
        holder = holders.public_holder(registration.holder)
        context["is_company"] = is_company = holder is not None and holder.kind == "organisation"
        if on_paper and holder is not None:
            context["holder"] = subjects.holder_name_of(registration)
        elif is_company:
            if typed.strip():
                context["typed"], context["fits"] = typed, is_same_name(typed, subjects.holder_name_of(registration))
            if not context.get("fits"):
                context["form"] = CheckForm(initial={"number": exact, "name": typed})
        if context.get("holder") or context.get("fits"):
            # Asked only where the page would vouch for the name: all other answers are as they were.
            context["contested"] = contesting.name_is_contested(registration)
        context["category"] = service_title(registration.category)
        context["valid_until"] = register.shown_until(registration, now)
        context["lines"] = count_of(registration)
        context["count"] = addresses_of(registration)
        # The holder can see that the number was checked; who checked it is not kept.
        journal.record(
            act="portal.read_certificate" if on_paper else "portal.read_number",
            actor="public",
            subject=f"registration:{registration.id}",
            now=now,
        )
    response = render(request, "portal/public/checked.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
