"""The public check of a number: valid, expired, struck out, or not found, and nothing that could be listed.

A number whose check letter is wrong is told from one that does not exist without asking the database. Tries are counted
by network (an IPv4 address, an IPv6 /64), so that nobody walks through all numbers. A company's registered name is
shown; a person's only to whoever holds the certificate, whose link carries a secret.
"""

import ipaddress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rahdari.journal import actions as journal
from rahdari.page import errors, limits, visitor
from rahdari.people import queries as people
from rahdari.register import queries as register
from rahdari.register import reference as references
from rahdari.register.models import Registration
from rahdari.vault import links

from .titles import category_title

TRIES, PER_SECONDS = 20, 60


def _network(request: HttpRequest) -> str:
    here = visitor.address(request)
    prefix = 64 if here.version == 6 else 32
    return str(ipaddress.ip_network((here, prefix), strict=False))


def _may_try(request: HttpRequest) -> bool:
    return limits.allow(f"portal.check:{_network(request)}", rate=TRIES, per=PER_SECONDS)


@require_safe
def number(request: HttpRequest) -> HttpResponse:
    """The form, and with `?number=` the answer."""
    given = request.GET.get("number", "").strip()
    if "number" not in request.GET:
        return render(request, "portal/public/check.html", {"number": "", "error": ""})
    exact = references.normalise(given)
    if exact is None:
        error = _("Enter the number, for example RD-4F7K-92MQ") if not given else _mistyped(given)
        return render(request, "portal/public/check.html", {"number": given[:40], "error": error})
    if not _may_try(request):
        return errors.too_many(request, retry_after=PER_SECONDS)
    return _answer(request, exact, register.registration_by_reference(exact), show_person=False)


def _mistyped(given: str) -> str:
    if len("".join(character for character in given if character.isalnum())) in (8, 10):
        return _("One letter or digit of this number is wrong. Compare it with the certificate, sign by sign")
    return _("A registration number has RD and eight letters and digits, for example RD-4F7K-92MQ")


@require_safe
def certificate_link(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """What the code on a certificate opens. The link's secret shows the holder's name, also a person's."""
    if not _may_try(request):
        return errors.too_many(request, retry_after=PER_SECONDS)
    exact = references.normalise(reference)
    registration = register.registration_by_reference(exact) if exact and links.matches("certificate", exact, token) else None
    return _answer(request, exact or reference[:40], registration, show_person=True)


def _answer(request: HttpRequest, shown: str, registration: Registration | None, *, show_person: bool) -> HttpResponse:
    now = timezone.now()
    standing = register.standing(registration, now) if registration else "not_found"
    context = {"reference": shown, "standing": str(standing), "registration": registration, "now": now, "paper": show_person}
    if registration is not None:
        holder = people.public_holder(registration.holder)
        context["holder"] = holder.name if holder and (show_person or holder.kind == "organisation") else ""
        context["category"] = category_title(registration.category)
        context["count"] = register.entries_of(registration).count()
        # The holder sees that the number was checked; who checked it is not kept.
        journal.record(
            act="portal.read_certificate" if show_person else "portal.read_number",
            actor="public",
            subject=f"registration:{registration.id}",
            now=now,
        )
    return render(request, "portal/public/checked.html", context)
