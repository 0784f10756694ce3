"""Whoever an officer entered an application for reads it, takes it over, or says that it was not them.

The code opens it, for as long as the browser is open and half an hour at most; taking it over takes an account, which
begins with signing in, as for everybody. Whoever has the code has an account already or begins one: no officer is told.
"""

import contextlib
import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import drafts, entered, queries, summary
from rahdari.apply.entered_models import DeskEntry
from rahdari.people import sign_in
from rahdari.people.access import person
from rahdari.people.forms import code_widget, digits
from rahdari.people.models import User
from rahdari.web import fields, limits, visitor
from rahdari.web.allowances import in_words
from rahdari.web.posting import posted_from

SLOT, OPEN_FOR = "portal.entry", dt.timedelta(minutes=30)
# Codes that one household may try in an hour, of whatever entries.
TRIES, PER_SECONDS = 20, 3600


class EntryCodeForm(forms.Form):
    """The number of the entry, and the code that came with it."""

    use_required_attribute = False
    number = fields.line(
        gettext_lazy("Number of the entry"),
        gettext_lazy("Enter the number, as in the message with the code"),
        hint=gettext_lazy("It begins with E."),
        most=30,
        dir="ltr",
        autocapitalize="characters",
        spellcheck="false",
    )
    code = forms.CharField(
        label=gettext_lazy("8-digit code"),
        max_length=40,
        widget=code_widget(),
        error_messages=dict.fromkeys(("required", "max_length"), gettext_lazy("Enter the code of 8 digits")),
    )

    def clean_code(self) -> str:
        return digits(self.cleaned_data["code"])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    form = EntryCodeForm(request.POST or None, initial={"number": request.GET.get("number", "")[:20]})
    if request.method == "POST" and form.is_valid():
        if not limits.allow(f"entered.try:{visitor.household(request)}", rate=TRIES, per=PER_SECONDS):
            form.add_error("code", _("Too many codes were tried. Try again in an hour."))
        else:
            now, given = timezone.now(), form.cleaned_data
            try:
                entry = entered.open_with_code(number=given["number"], code=given["code"], now=now)
            except (entered.WrongCode, entered.Gone):
                # One sentence for both: no stranger learns which entries there are.
                form.add_error(
                    "code",
                    _(
                        "We have no entry with this number and this code. Check both. After %(most)s wrong codes all "
                        "of an entry is erased."
                    )
                    % {"most": entered.TRIES},
                )
            else:
                request.session[SLOT] = [str(entry.pk), now.isoformat()]
                return redirect("portal:entered_read")
    context = {"form": form, "kept": kept_for()}
    return render(request, "portal/public/entered_code.html", context, status=422 if form.errors else 200)


def kept_for() -> str:
    """How long an entry waits, in words."""
    kept = queries.policy_in_force().retention["desk_entry"].allowance
    return in_words(kept) if kept is not None else ""


def _opened(request: HttpRequest) -> DeskEntry | None:
    """The entry that this browser opened with its code."""
    key, at = request.session.get(SLOT, ["", ""])
    now = timezone.now()
    if not key or dt.datetime.fromisoformat(at) < now - OPEN_FOR:
        return None
    return entered.by_key(key, now)


@never_cache
@require_http_methods(["GET", "HEAD"])
def read(request: HttpRequest) -> HttpResponse:
    """All that was entered."""
    entry = _opened(request)
    if entry is None:
        return redirect("portal:entered")
    context = {"entry": entry, "rows": _rows(entry), "signed_in": isinstance(request.user, User)}
    context["only_mobile"] = "@" not in entry.contact
    return render(request, "portal/public/entered.html", context)


def _rows(entry: DeskEntry) -> list[tuple[str, list[summary.SummaryLine]]]:
    """Each answer that was entered, with its lines, in the reader's language."""
    said, language = entered.Said.of(entry), queries.language_now()
    service = queries.policy_in_force().services.get(said.service)
    title = service.title.in_language(language) if service is not None else said.service
    which = next((str(words) for key, (words, _hint) in summary.WHICH.items() if key == said.which), "")
    runs = [summary.line_of(entered.parts_of(said), said.kind)] if said.kind else []
    found: list[tuple[Any, list[summary.SummaryLine]]] = [
        (_("Service"), [summary.SummaryLine(title)]),
        (_("Your name"), [summary.SummaryLine(said.name, "name")] if said.name else []),
        (_("Number to call at any hour"), [summary.SummaryLine(said.mobile, "ltr")] if said.mobile else []),
        (_("What the VPN is used for"), [summary.SummaryLine(said.purpose, "name")] if said.purpose else []),
        (_("What is to be registered"), [summary.SummaryLine(which)] if which else []),
        (_("Address"), [summary.SummaryLine(said.block, "ltr")] if said.block else []),
        (_("What runs there"), runs),
        (_("Your contact"), [summary.SummaryLine(entry.contact, "ltr")]),
    ]
    return [(label, lines) for label, lines in found if lines]


@posted_from("portal:entered_read")
def take_over(request: HttpRequest) -> HttpResponse:
    entry = _opened(request)
    if entry is None:
        return redirect("portal:entered")
    if not isinstance(request.user, User):
        if "@" in entry.contact:
            sign_in.expect(request, entry.contact)
        return redirect_to_login(reverse("portal:entered_read"))
    try:
        made = entered.take_over(entry=entry, holder=person(request), now=timezone.now())
    except entered.Gone:
        return redirect("portal:entered")
    except entered.OwnEntry:
        messages.warning(request, _("You entered this for somebody else. Only they can take it over."))
    except drafts.ServiceNotOpen:
        messages.warning(request, _("Applications for this are not taken now."))
    except drafts.TooManyDrafts:
        messages.warning(request, _("You have as many drafts as a person may have. Send or withdraw one first."))
    else:
        del request.session[SLOT]
        messages.success(request, _("It is your application now. Look at each step, and send it yourself."))
        return redirect("portal:tasks", reference=made.reference)
    return redirect("portal:entered_read")


@posted_from("portal:entered_read")
def disown(request: HttpRequest) -> HttpResponse:
    entry = _opened(request)
    if entry is not None:
        with contextlib.suppress(entered.Gone):
            entered.disown(entry=entry, now=timezone.now())
        del request.session[SLOT]
    return render(request, "portal/public/entered_gone.html")
