"""A mobile number instead of addresses: typed, confirmed by its code, asked of its operator; taken to another one.

The same three pages serve an application and a registration whose number went to another operator.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant import mobile as numbers
from rahdari.applicant.lines import operator_name
from rahdari.applicant.mobile import CodeForm, NumberForm
from rahdari.confirm import queries as questions
from rahdari.confirm import words
from rahdari.mobile import actions, rules
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import MobileState
from rahdari.people.access import person, person_required
from rahdari.people.acting import Acting, Reached
from rahdari.publish import queries as networks
from rahdari.register import queries as register
from rahdari.register.rules import Standing
from rahdari.sms import codes as number_codes
from rahdari.web import values, visitor

from . import shared
from .shared import own_registration

LATELY = dt.timedelta(days=30)


@dataclass(frozen=True)
class Place(numbers.Place):
    """With where its pages are."""

    back_url: str = field(kw_only=True)
    pages: str = field(kw_only=True)  # the beginning of their names

    def url(self, page: str) -> str:
        return reverse(f"portal:{self.pages}{page}", args=[self.reference])


def _with_pages(place: numbers.Place, pages: str, back: str) -> Place:
    return Place(**vars(place), pages=pages, back_url=reverse(back, args=[place.reference]))


def _of_application(request: HttpRequest, reference: str) -> Reached[Place] | HttpResponse:
    found, by = shared.application(request, reference)
    if not found.is_mobile:
        return redirect("portal:application", reference=reference)
    if found.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    return Reached(_with_pages(numbers.place_of_application(found), "mobile_", "portal:application"), by)


def _of_registration(request: HttpRequest, reference: str) -> Reached[Place] | HttpResponse:
    found, by = own_registration(request, reference)
    place = numbers.place_of_registration(found)
    if place is None or register.standing(found, timezone.now()) is not Standing.VALID:
        return redirect("portal:registration", reference=found.reference)
    return Reached(_with_pages(place, "mobile_move_", "portal:registration"), by)


type View = Callable[[HttpRequest, Place, Acting], HttpResponse]


def _pages(view: View) -> tuple[Callable[..., HttpResponse], Callable[..., HttpResponse]]:
    """The page for an application, and the same for a registration."""

    def of(place_of: Callable[[HttpRequest, str], Reached[Place] | HttpResponse]) -> Callable[..., HttpResponse]:
        @person_required
        @never_cache
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def page(request: HttpRequest, reference: str) -> HttpResponse:
            found = place_of(request, reference)
            return view(request, *found) if isinstance(found, Reached) else found

        return page

    return of(_of_application), of(_of_registration)


def _send_code(request: HttpRequest, place: Place, by: Acting, number: str) -> str:
    """Send it; what is in the way, in words, or nothing."""
    try:
        numbers.send_code(
            place,
            user=person(request),
            number=number,
            network=visitor.household(request),
            actor=by.actor,
            now=timezone.now(),
        )
    except number_codes.TooManyCodes as error:
        return numbers.too_many(error.wait)
    except number_codes.SmsNotSetUp:
        return numbers.no_sms()
    return ""


def _number(request: HttpRequest, place: Place, by: Acting) -> HttpResponse:
    """Which number, and in whose name."""
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        trouble = _send_code(request, place, by, form.cleaned_data["number"])
        if not trouble:
            return redirect(place.url("code"))
        form.add_error("number", trouble)
    context = {"place": place, "form": form, "needs_name": not place.name, "moves": place.pages == "mobile_move_"}
    return render(request, "portal/applicant/mobile_number.html", context, status=422 if form.errors else 200)


def _code(request: HttpRequest, place: Place, by: Acting) -> HttpResponse:
    """The code that came by SMS. The number is shown masked, and stands in no link and no form."""
    line = place.line
    if line is None or line.state != MobileState.TYPED:
        return redirect(place.url("line" if line is not None and line.state != MobileState.TYPED else "number"))
    now, trouble = timezone.now(), ""
    form = CodeForm(request.POST if request.method == "POST" and "again" not in request.POST else None)
    if request.method == "POST" and "again" in request.POST:
        trouble = _send_code(request, place, by, line.asked)
        if not trouble:
            messages.success(request, _("We have sent a new code."))
            return redirect(request.path)
    elif request.method == "POST" and form.is_valid():
        try:
            actions.confirm_number(
                line=line,
                user=person(request),
                code=form.cleaned_data["code"],
                actor=by.actor,
                now=now,
            )
        except number_codes.CodeWrong as error:
            form.add_error("code", numbers.wrong_code(error))
        except number_codes.CodeEnded:
            line.refresh_from_db()
        except number_codes.NoCodeWaiting:
            return redirect(place.url("number"))
        else:
            return redirect(place.url("line"))
    ended = number_codes.has_ended(line, now)
    context = {
        "place": place,
        "form": form,
        "line": line,
        "number": rules.masked(line.asked),
        "ended": ended,
        "trouble": trouble,
    }
    wrong = bool(form.errors or trouble or (ended and request.method == "POST"))
    return render(request, "portal/applicant/mobile_code.html", context, status=422 if wrong else 200)


def _line(request: HttpRequest, place: Place, by: Acting) -> HttpResponse:
    """Whose SIM it is: the operator chosen, asked, and what it said."""
    line = place.line
    if line is None:
        return redirect(place.url("number"))
    if line.state == MobileState.TYPED:
        return redirect(place.url("code"))
    operators = list(networks.mobile_operators())
    form = numbers.operator_form(line, operators, request.POST or None)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            numbers.ask_operator(place, line, form.cleaned_data["operator"], actor=by.actor, now=timezone.now())
        except actions.MoveNotAllowed:
            messages.info(request, _("The operator has answered in the meantime."))
        return redirect(request.path)
    status = 422 if form is not None and form.errors else 200
    context = {"place": place, "line": line, "form": form, "operators": operators, **_standing(line)}
    return render(request, "portal/applicant/mobile_line.html", context, status=status)


def _standing(line: MobileNumber) -> dict[str, Any]:
    now = timezone.now()
    due = line.check_due_at
    whole = due - line.asked_at if due is not None and line.asked_at is not None else None
    gone = now - line.asked_at if line.asked_at is not None else dt.timedelta()
    usual = questions.usual_time(operator=line.operator, since=now - LATELY) if line.operator else None
    return {
        "operator": operator_name(line.operator) if line.operator else "",
        "number": rules.masked(line.number),
        "late": due is not None and due <= now,
        "left_words": values.span_words(due - now) if due is not None and due > now else "",
        "share": min(1.0, gone / whole) if whole else 0.0,
        "usual": usual,
        "why": words.reason(line.reason),
        "state": f"{line.state}.{line.check_number}",
        "looked_at": now,
        "language": get_language(),
    }


number, move_number = _pages(_number)
code, move_code = _pages(_code)
line, move_line = _pages(_line)


urlpatterns = [
    path("my/applications/<str:reference>/mobile/", number, name="mobile_number"),
    path("my/applications/<str:reference>/mobile/code/", code, name="mobile_code"),
    path("my/applications/<str:reference>/mobile/operator/", line, name="mobile_line"),
    path("my/registrations/<str:reference>/mobile/", move_number, name="mobile_move_number"),
    path("my/registrations/<str:reference>/mobile/code/", move_code, name="mobile_move_code"),
    path("my/registrations/<str:reference>/mobile/operator/", move_line, name="mobile_move_line"),
]
