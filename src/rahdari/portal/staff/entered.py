"""The desk enters an application for somebody who calls or comes. An officer sees their own entries, and no other's;
nobody here learns whether a contact belongs to an account."""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import drafts, entered, queries
from rahdari.people.access import officer_required, person
from rahdari.web.posting import posted_from
from rahdari.web.values import plain_ltr

from ..public.entered import kept_for
from .entered_forms import EntryForm

A_YEAR = dt.timedelta(days=365)


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def entries(request: HttpRequest) -> HttpResponse:
    officer, now = person(request), timezone.now()
    policy, language = queries.policy_in_force(), get_language() or "en"
    form = EntryForm(request.POST or None, policy=policy, language=language)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = entered.enter(
                officer=officer,
                way=given["way"],
                language=given["language"],
                contact=given["contact"],
                said=form.said,
                now=now,
            )
        except entered.TooMany as error:
            form.add_error("contact", _too_many(error.why))
        except drafts.ServiceNotOpen:
            form.add_error("service", _("Applications for this are not taken now."))
        else:
            messages.success(
                request, _("The code goes out now. Tell them the number %(number)s.") % {"number": plain_ltr(made)}
            )
            if form.said.block and form.told_of_whole:
                messages.warning(request, form.told_of_whole)
            return redirect("portal:desk_entries")
    context: dict[str, object] = {
        "form": form,
        "rows": entered.open_of(officer, now),
        "counts": entered.counts((now - A_YEAR).date()),
    }
    context["kept"] = kept_for()
    return render(request, "portal/staff/entered.html", context, status=422 if form.errors else 200)


def _too_many(why: str) -> str:
    return {
        "open": _("Twenty of your entries wait. Enter more when some of them are taken over or erased."),
        "contact": _("Three codes went to this contact today. Enter it again tomorrow."),
        "officer": _("You have entered as many today as an officer may."),
    }[why]


@officer_required
@posted_from("portal:desk_entries")
def drop(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    officer, now = person(request), timezone.now()
    found = entered.open_of(officer, now).filter(pk=id).first()
    try:
        if found is None:
            raise entered.Gone
        entered.drop(entry=found, officer=officer, now=now)
    except entered.Gone:
        messages.info(request, _("It is not there any more."))
    else:
        messages.success(request, _("Erased. The code does not work any more."))
    return redirect("portal:desk_entries")
