"""An address that somebody else has on the register already: whoever has proved control of it may ask to share it.

Nobody learns that an address is registered before they have proved control of it; and then never by whom.
"""

import datetime as dt
import uuid

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.applicant.overview import Overview
from rahdari.applicant.share import NOBODY, UNPROVED, NameForm, ask, status_of, to_share, withdraw_request
from rahdari.apply import queries as apply
from rahdari.db import together
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.share import actions, queries
from rahdari.web import values

from . import shared


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    mine = next((each for each in apply.rows_of(application) if each.pk == endpoint), None)
    if mine is None or mine.is_dynamic:
        raise Http404
    now = timezone.now()
    if request.method == "POST" and "withdraw" in request.POST:
        withdraw_request(application, mine, actor=by.actor, now=now)
        return redirect(request.path)
    stands = status_of(application, mine, now)
    if stands.state in {UNPROVED, NOBODY}:
        return redirect("portal:prove", reference=reference, endpoint=mine.pk)
    last, terms = stands.last, stands.terms
    form = NameForm(initial={"name": application.company_name or application.holder_name})
    if request.method == "POST" and stands.may_ask and terms is not None:
        form = NameForm(request.POST)
        if form.is_valid():
            try:
                ask(application, mine, form.cleaned_data["name"], terms, actor=by.actor, now=now)
            except actions.NoName:
                form.add_error("name", _("Write the name that they will see"))
            except (actions.CannotBeShared, actions.TooSoon):
                return redirect(request.path)
            else:
                return redirect(request.path)
    context = {
        "application": application,
        "endpoint": mine,
        "addr": format_block(mine.network),
        "last": last,
        "state": stands.state,
        "may_ask": stands.may_ask,
        "again_at": stands.again_at,
        "answer_within": values.span_words(terms.answer_within) if terms is not None else "",
        "form": form,
    }
    return render(request, "portal/applicant/share.html", context)


def on_home(user: User, _now: dt.datetime) -> together.Part:
    asked, sharers = together.totals(queries.questions_to(user), number=Count("*")), queries.sharers(user)[:1]
    return together.Part([asked, sharers], lambda: {"sharing_asked": asked[0]["number"], "is_sharing": bool(sharers)})


def on_status(seen: Overview) -> dict[str, object]:
    found = seen.application
    return {"to_share": to_share(found, seen.proved) if found.status == "submitted" else []}


urlpatterns = [path("my/applications/<str:reference>/prove/<uuid:endpoint>/share/", share, name="share")]
