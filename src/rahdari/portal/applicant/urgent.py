"""A holder who is cut off: one new address is listed before its proof, by the code that goes to the number on file.

Whoever reads it may have mobile data alone: nothing of it needs a script or a second page.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.apply import queries as applications
from rahdari.people.access import person, person_required
from rahdari.people.acting import Acting
from rahdari.people.adapter import current_language
from rahdari.register.models import Registration
from rahdari.sms import codes
from rahdari.sms import queries as sms
from rahdari.urgent import actions, queries, words
from rahdari.urgent.forms import NumberCodeForm, UrgentForm
from rahdari.urgent.models import UrgentEntry
from rahdari.urgent.rules import State
from rahdari.web import visitor
from rahdari.web.posting import posted_from
from rahdari.web.values import again_after

from .shared import own_registration


def _own(request: HttpRequest, reference: str) -> tuple[Registration, Acting]:
    found, by = own_registration(request, reference, queries.MAY)
    if queries.terms() is None or by.mandate is not None:
        raise Http404
    return found, by


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def urgent(request: HttpRequest, reference: str) -> HttpResponse:
    """The form; while one is listed, what is awaited, from whom and until when."""
    found, by = _own(request, reference)
    now, user = timezone.now(), person(request)
    row = queries.open_of(found.holder)
    why = queries.cannot(found, user, now)
    form = UrgentForm(request.POST or None, entries=queries.endpoints_of(found))
    if request.method == "POST" and why is None and form.is_valid() and _sent(request, found, by, form):
        return redirect("portal:urgent_code", reference=found.reference)
    on_file = queries.number_of(user, found)
    given = row if row is not None and row.state == State.GIVEN and row.entry is not None else None
    # An address of another registration of the same holder is shown on the page of that one.
    here = given is not None and given.registration_id == found.pk
    context = {
        "registration": found,
        "form": form,
        "row": given if here else None,
        "address": format_block(given.entry.block) if given is not None and given.entry is not None and here else "",
        "is_called": row is not None and row.state == State.SPOKEN and queries.is_running(row, now),
        "second_by": row.second_by if row is not None else None,
        "why": words.cannot(why, queries.counts_from(found, user, now)) if why is not None else "",
        "needs_number": why is not None and why.value == "no_number",
        "change": applications.under_way_for(found, "change"),
        "last": queries.last_of(found),
        "number": on_file.masked if on_file is not None else "",
        "days": terms.term.days if (terms := queries.terms()) is not None else 0,
        "set_up": sms.is_set_up(),
        "office": applications.policy_in_force().contact,
    }
    status = 422 if form.errors else 200
    return render(request, "portal/applicant/urgent.html", context, status=status)


def _sent(request: HttpRequest, found: Registration, by: Acting, form: UrgentForm) -> bool:
    """Send the code, or say on the form why not."""
    try:
        actions.ask(
            registration=found,
            by=by,
            cut_off=form.cleaned_data["cut_off"],
            block=form.cleaned_data["block"],
            network=visitor.household(request),
            language=current_language(),
            now=timezone.now(),
        )
    except actions.CannotNow as error:
        form.add_error(None, words.cannot(error.why, queries.counts_from(found, person(request), timezone.now())))
    except actions.AlreadyYours:
        form.add_yours()
    except codes.TooManyCodes as error:
        said = _("Too many codes were sent. Try again after %(when)s.")
        form.add_error("block", said % {"when": again_after(error.wait)})
    except codes.SmsNotSetUp:
        form.add_error("block", words.no_sms())
    else:
        return True
    return False


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def urgent_code(request: HttpRequest, reference: str) -> HttpResponse:
    """The code that came by SMS."""
    found, _by = _own(request, reference)
    row = queries.open_of(found.holder)
    if row is None or not _is_mine(row, found, request):
        return redirect("portal:urgent", reference=found.reference)
    now = timezone.now()
    form = NumberCodeForm(request.POST or None)
    ended = codes.has_ended(row, now)
    if request.method == "POST" and not ended and form.is_valid():
        try:
            actions.enter_code(row=row, code=form.cleaned_data["code"], now=now)
        except codes.CodeWrong as error:
            form.add_wrong(error.tries_left)
        except codes.CodeEnded as error:
            ended = error.why
        except actions.NothingWaits:
            return redirect("portal:urgent", reference=found.reference)
        except actions.CannotNow as error:
            counts_from = queries.counts_from(found, person(request), now)
            messages.warning(request, words.cannot(error.why, counts_from))
            return redirect("portal:urgent", reference=found.reference)
        except actions.NotThisWay:
            messages.warning(request, words.not_this_way())
            return redirect("portal:change_addresses", reference=found.reference)
        else:
            messages.success(request, _("Listed. Operators get it within seconds."))
            return redirect("portal:urgent", reference=found.reference)
    assert row.block is not None  # noqa: S101 - kept until it is listed
    context: dict[str, Any] = {
        "registration": found,
        "row": row,
        "form": form,
        "ended": ended,
        "address": format_block(row.block),
        "number": f"…{row.asked[-3:]}",
    }
    status = 422 if form.errors or (ended and request.method == "POST") else 200
    return render(request, "portal/applicant/urgent_code.html", context, status=status)


def _is_mine(row: UrgentEntry, found: Registration, request: HttpRequest) -> bool:
    return (
        row.registration_id == found.pk
        and row.state == State.ASKED
        and row.way == "page"
        and row.person_id == person(request).pk
    )


@person_required
@posted_from("portal:urgent", "reference")
def urgent_stop(request: HttpRequest, reference: str) -> HttpResponse:
    """It was not the holder, or it is not needed any more."""
    found, by = _own(request, reference)
    row = queries.open_of(found.holder)
    if row is not None and row.registration_id == found.pk:
        actions.stop(row=row, actor=by.actor, now=timezone.now())
        messages.success(request, _("It is off the list: operators hear of it within seconds."))
    return redirect("portal:urgent", reference=found.reference)


def on_registration(found: Registration) -> dict[str, object]:
    """A link on its page."""
    return {"has_urgent": queries.terms() is not None}


urlpatterns = [
    path("my/registrations/<str:reference>/urgent/", urgent, name="urgent"),
    path("my/registrations/<str:reference>/urgent/code/", urgent_code, name="urgent_code"),
    path("my/registrations/<str:reference>/urgent/stop/", urgent_stop, name="urgent_stop"),
]
