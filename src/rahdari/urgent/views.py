"""The desk's side: a holder who is cut off is on the telephone.

One officer finds the registration, hears the code or calls back; a second one agrees. Opening a registration or a call
is on record before a byte of it is sent.
"""

import datetime as dt
import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import queries as applications
from rahdari.people.access import officer_required, person
from rahdari.register import queries as register
from rahdari.sms import codes
from rahdari.web.posting import posted_from

from . import actions, queries, words
from .forms import CallForm, FindForm, NumberCodeForm
from .models import UrgentEntry
from .rules import State, Way


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """Calls that wait for a second officer, and the form to begin one."""
    officer, now = person(request), timezone.now()
    if queries.terms() is None:
        raise Http404
    form = FindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = register.registration_by_reference(form.cleaned_data["number"])
        if found is not None and not queries.is_theirs(officer, holder=found.holder):
            return redirect("urgent:registration", reference=found.reference)
        form.add_error("number", _("No registration has this number, or it is your own."))
    rows = [
        {"call": each, "may": actions.may_second(each, officer, now) is None, "mine": each.opened_by_id == officer.pk}
        for each in queries.waiting(now)
        if not queries.is_theirs(officer, holder=each.holder)
    ]
    return render(request, "urgent/desk.html", {"rows": rows, "form": form}, status=422 if form.errors else 200)


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def registration(request: HttpRequest, reference: str) -> HttpResponse:
    """Who is calling, what is cut off, and the new address."""
    officer, now = person(request), timezone.now()
    try:
        found = queries.registration_for_officer(officer=officer, reference=reference, now=now)
    except queries.NotFound:
        raise Http404 from None
    why = queries.cannot(found, None, now)
    form = CallForm(request.POST or None, entries=queries.endpoints_of(found), numbers=queries.numbers_on_file(found))
    if request.method == "POST" and why is None and form.is_valid():
        try:
            call = actions.open_call(
                registration=found,
                officer=officer,
                person=form.cleaned_data["person"].person,
                cut_off=form.cleaned_data["cut_off"],
                block=form.cleaned_data["block"],
                now=now,
            )
        except actions.CannotNow as error:
            chosen = form.cleaned_data["person"].person
            form.add_error("person", words.cannot_for_caller(error.why, queries.counts_from(found, chosen, now)))
        except actions.AlreadyYours:
            form.add_yours()
        except actions.NotYou:
            raise Http404 from None
        except codes.TooManyCodes:
            form.add_error("person", _("Too many codes were sent to this number. Try again later."))
        else:
            return redirect("urgent:call", id=call.pk)
    context = {
        "registration": found,
        "why": words.cannot_for_caller(why, queries.counts_from(found, None, now)) if why is not None else "",
        "form": form,
    }
    return render(request, "urgent/registration.html", context, status=422 if form.errors else 200)


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def call(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One call: the code, or the number to call back; then what the second officer reads."""
    officer, now = person(request), timezone.now()
    found = _opened(request, id)
    mine, form = found.opened_by_id == officer.pk, NumberCodeForm(request.POST or None)
    ended = codes.has_ended(found, now) if found.way == Way.CODE and found.state == State.ASKED else ""
    if request.method == "POST" and not ended and form.is_valid():
        try:
            actions.hear_code(row=found, officer=officer, code=form.cleaned_data["code"], now=now)
        except codes.CodeWrong as error:
            form.add_wrong(error.tries_left)
        except codes.CodeEnded as error:
            ended = error.why
        except (actions.NothingWaits, actions.NotYou):
            return redirect("urgent:call", id=found.pk)
        else:
            return redirect("urgent:call", id=found.pk)
    is_running = queries.is_running(found, now)
    return render(
        request,
        "urgent/call.html",
        {
            "call": found,
            "registration": found.registration,
            "form": form,
            "ended": ended,
            "mine": mine,
            "is_asked": found.state == State.ASKED and is_running and not ended,
            "is_called": found.way == Way.CALL,
            "waits": found.state == State.SPOKEN and is_running,
            "may_second": actions.may_second(found, officer, now) is None,
            "is_given": found.given_at is not None,
            "runs": applications.what_runs(register.parts_at(found.cut_off)) if found.cut_off is not None else None,
            "not_this_way": words.not_this_way() if found.why == "not_this_way" else "",
        },
        status=422 if form.errors or (ended and request.method == "POST") else 200,
    )


def _opened(request: HttpRequest, id: uuid.UUID) -> UrgentEntry:
    try:
        return queries.call_for_officer(officer=person(request), id=id, now=timezone.now())
    except queries.NotFound:
        raise Http404 from None


def _counts_from(row: UrgentEntry, now: dt.datetime) -> dt.datetime | None:
    return queries.counts_from(row.registration, row.person, now)


def _done(request: HttpRequest, id: uuid.UUID, act: Callable[..., object], said: str) -> HttpResponse:
    found, now = _opened(request, id), timezone.now()
    try:
        act(row=found, officer=person(request), now=now)
    except actions.NotYou:
        messages.warning(request, _("Another officer does this: another person than the one who has the call."))
    except actions.NothingWaits:
        messages.info(request, _("Nothing waits for this any more."))
    except actions.NotThisWay:
        messages.warning(request, words.not_this_way())
    except actions.CannotNow as error:
        messages.warning(request, words.cannot_for_caller(error.why, _counts_from(found, now)))
    else:
        messages.success(request, said)
    return redirect("urgent:call", id=found.pk)


@officer_required
@posted_from("urgent:call", "id")
def called_back(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    return _done(request, id, actions.called_back, _("Noted. A second officer must agree now."))


@officer_required
@posted_from("urgent:call", "id")
def second(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    return _done(request, id, actions.second, _("Listed. Operators get it within seconds."))


@officer_required
@posted_from("urgent:call", "id")
def decline(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    return _done(request, id, actions.decline, _("Nothing was listed."))
