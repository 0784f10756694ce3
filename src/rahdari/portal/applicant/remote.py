"""People who work from home over what is registered: how many, the links for them, and how many lines stand."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.registration_status import standing_of
from rahdari.apply import queries as applications
from rahdari.people.rules import Act
from rahdari.policy import RemoteStaff
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from rahdari.remote import actions as remote
from rahdari.remote import queries as lines
from rahdari.remote import rules
from rahdari.remote.models import HomeConnection

from .shared import own_registration

NUMBER = gettext_lazy("Enter a number, for example 40")


def _number(label: Any, *, least: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=100_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}),
        error_messages={"required": NUMBER, "invalid": NUMBER, "min_value": NUMBER, "max_value": NUMBER},
    )


class WorkersForm(forms.Form):
    use_required_attribute = False
    workers = _number(
        gettext_lazy("How many people work over it from home or elsewhere"),
        least=0,
        help_text=gettext_lazy("Only the number. We ask for no names."),
    )


class LinksForm(forms.Form):
    use_required_attribute = False
    count = _number(gettext_lazy("How many links"), least=1)

    def add_too_many(self, room: int) -> None:
        self.add_error(
            "count",
            ngettext("There is room for %(count)s more link", "There is room for %(count)s more links", room)
            % {"count": room}
            if room
            else _("You cannot make more links: give a higher number first, or end lines"),
        )


@dataclass(frozen=True)
class Shown:
    """A line as its organisation sees it: by its number, and without its address."""

    line: HomeConnection
    is_open: bool
    url: str

    @property
    def name(self) -> str:
        return str(self.line.number)


def is_offered(registration: Registration) -> RemoteStaff | None:
    """The policy's rules, where registrations of this kind have lines at home."""
    rule = applications.policy_in_force().remote_staff
    return rule if rule is not None and registration.category in rule.services else None


def workers_of(registration: Registration) -> int:
    """How many the organisation has told of."""
    gateway = lines.gateway_of(registration)
    return gateway.workers if gateway is not None else 0


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
                remote.tell_workers(
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
    known = list(lines.lines_of(found))
    workers = workers_of(found)
    is_error = bool(workers_form.errors or links_form.errors)
    context = {
        "registration": found,
        "valid": valid,
        "workers": workers,
        "workers_form": workers_form,
        "links_form": links_form,
        "room": rules.room_for(
            workers=workers, most=rule.most_lines, live=sum(lines.live(line, now) for line in known)
        ),
        "most": rule.most_lines,
        "standing": sum(line.stands for line in known),
        "lines": [_shown(line) for line in known if lines.live(line, now)],
        "over": sum(not lines.live(line, now) for line in known),
    }
    return render(request, "portal/applicant/remote.html", context, status=422 if is_error else 200)


def _shown(line: HomeConnection) -> Shown:
    is_open = lines.is_open(line, timezone.now())
    return Shown(line, is_open, lines.link_url(line) if is_open else "")


def _made(found: Registration, form: LinksForm, rule: RemoteStaff, actor: str) -> bool:
    try:
        remote.make_links(
            registration=found,
            count=form.cleaned_data["count"],
            workers=workers_of(found),
            policy=rule,
            actor=actor,
            now=timezone.now(),
        )
    except remote.TooManyLines as error:
        form.add_too_many(error.room)
        return False
    return True


def _end(found: Registration, number: str, actor: str) -> None:
    line = lines.line_of(found, int(number)) if number.isascii() and number.isdecimal() and len(number) < 8 else None
    if line is None:
        raise Http404
    remote.end_line(line=line, actor=actor, now=timezone.now())
