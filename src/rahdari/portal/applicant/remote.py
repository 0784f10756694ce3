"""People who work from home over what is registered: how many, the links for them, and how many lines stand."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.registration_status import standing_of
from rahdari.applicant.remote import LinksForm, WorkersForm, is_offered, make_links, staff_of, workers_of
from rahdari.people.rules import Act
from rahdari.policy import RemoteStaff
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from rahdari.remote import actions as remote
from rahdari.remote import queries as lines
from rahdari.remote.models import HomeConnection

from .shared import own_registration


@dataclass(frozen=True)
class Shown:
    """A line as its organisation sees it: by its number, and without its address."""

    line: HomeConnection
    is_open: bool
    url: str

    @property
    def name(self) -> str:
        return str(self.line.number)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, reference: str) -> HttpResponse:
    found, by = own_registration(request, reference, Act.ADDRESSES)
    rule = is_offered(found)
    if rule is None:
        return redirect("portal:registration", reference=reference)
    now, actor = timezone.now(), by.actor
    workers_form = WorkersForm(initial={"workers": workers_of(found)})
    links_form = LinksForm(initial={"count": 1})
    valid = standing_of(found, now) == Standing.VALID
    if request.method == "POST" and valid:
        act = request.POST.get("act", "")
        if act == "workers":
            workers_form = WorkersForm(request.POST)
            if workers_form.is_valid():
                remote.set_workers(
                    registration=found, workers=workers_form.cleaned_data["workers"], actor=actor, now=now
                )
                return redirect(request.path)
        elif act == "links":
            links_form = LinksForm(request.POST)
            if links_form.is_valid() and _made(found, links_form, rule, actor):
                return redirect(request.path + "#lines")
        elif act.startswith("end:"):
            _end(found, act.removeprefix("end:"), actor)
            return redirect(request.path + "#lines")
    staff = staff_of(found, rule, now)
    is_error = bool(workers_form.errors or links_form.errors)
    context = {
        "registration": found,
        "valid": valid,
        **vars(staff),
        "workers_form": workers_form,
        "links_form": links_form,
        "lines": [_shown(line, now) for line in staff.lines],
    }
    return render(request, "portal/applicant/remote.html", context, status=422 if is_error else 200)


def _shown(line: HomeConnection, now: dt.datetime) -> Shown:
    is_open = lines.is_open(line, now)
    return Shown(line, is_open, lines.link_url(line) if is_open else "")


def _made(found: Registration, form: LinksForm, rule: RemoteStaff, actor: str) -> bool:
    try:
        make_links(found, rule, form.cleaned_data["count"], actor=actor, now=timezone.now())
    except remote.TooManyLines as error:
        form.add_too_many(error.room)
        return False
    return True


def _end(found: Registration, number: str, actor: str) -> None:
    line = lines.line_of(found, int(number)) if number.isascii() and number.isdecimal() and len(number) < 8 else None
    if line is None:
        raise Http404
    remote.end_line(line=line, actor=actor, now=timezone.now())


def on_registration(found: Registration) -> dict[str, object]:
    return {"has_remote": is_offered(found) is not None}


urlpatterns = [path("my/registrations/<str:reference>/home/", page, name="remote_staff")]
