"""What every page of a draft has in common: who may open it, and that nothing typed is lost.

Invariants: no page of a draft is shown to anyone but its applicant, and the answer for another's is the answer for
none; a form that comes back without a signed-in person or with an old token saves nothing, and its values are kept
for that same page (see `kept`).
"""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.web import errors

from . import access, queries, unsaved_input
from .models import Application, Endpoint
from .rules import Status, StepKey

type View = Callable[..., HttpResponse]


class _TokenCheck(CsrfViewMiddleware):
    """Django's own check, which answers with the reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def has_valid_token(request: HttpRequest) -> bool:
    check = _TokenCheck(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, cast(Any, None), (), {}) is None


def is_from_here(request: HttpRequest) -> bool:
    """Whether the form stood on one of our own pages: no other site may put values into somebody's form."""
    source = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(source).netloc == request.get_host()


def draft_page(view: View, act: Act = Act.PAPERS) -> View:
    """A page of a draft: `view(request, application, by, ...)`, for whoever may do this with it.

    The check of the token is made here and not by the middleware, because a form that stayed open over a sign-out
    has an old one: then nothing is saved, and what was typed is shown again on the same page.
    """

    @wraps(view)
    def guarded(request: HttpRequest, reference: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            valid = has_valid_token(request)
            if not request.user.is_authenticated or not valid:
                if not valid and not is_from_here(request):
                    return errors.form_too_old(request)
                unsaved_input.keep(request, now=timezone.now())
                if request.user.is_authenticated:
                    return HttpResponseRedirect(request.get_full_path())
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        try:
            application, by = access.application_for_applicant(applicant=person(request), reference=reference, act=act)
        except access.ApplicationNotFound:
            raise Http404 from None
        if application.status != Status.DRAFT:
            messages.info(request, _("This application was sent, so its answers stay as they are."))
            return HttpResponseRedirect(reverse("portal:application", args=[application.reference]))
        if application.service not in queries.policy_in_force().services:
            # The rules offer the service no longer: its tasks say so. What was typed waits for it to come back.
            if request.method == "POST":
                unsaved_input.keep(request, now=timezone.now())
            return to_tasks(application)
        return view(request, application, by, *args, **kwargs)

    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    return require_http_methods(["GET", "HEAD", "POST"])(guarded)


def addresses_page(view: View) -> View:
    """A page of a draft that shows its addresses and no answer: also for who sees no papers. One about a mobile number
    has none."""

    @wraps(view)
    def unless_mobile(request: HttpRequest, application: Application, *args: Any, **kwargs: Any) -> HttpResponse:
        if application.is_mobile:
            return to_tasks(application)
        return view(request, application, *args, **kwargs)

    return draft_page(unless_mobile, Act.ADDRESSES)


def own_page(view: View, act: Act = Act.PAPERS) -> View:
    """A page that only reads the applicant's own application, sent or not."""

    @wraps(view)
    def guarded(request: HttpRequest, reference: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        try:
            reached = access.application_for_applicant(applicant=person(request), reference=reference, act=act)
        except access.ApplicationNotFound:
            raise Http404 from None
        return view(request, reached.row, *args, **kwargs)

    return require_safe(guarded)


def own_addresses_page(view: View) -> View:
    return own_page(view, Act.ADDRESSES)


def now() -> dt.datetime:
    return timezone.now()


def to_tasks(application: Application) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("portal:tasks", args=[application.reference]))


def to_next(
    request: HttpRequest, application: Application, endpoints: Sequence[Endpoint] | None = None
) -> HttpResponseRedirect:
    """To the next task that is open. After those of this room come those that the room above knows. Whoever has the
    endpoints gives them along."""
    endpoints = queries.rows_of(application) if endpoints is None else endpoints
    step = queries.open_step(application, queries.policy_in_force(), endpoints=endpoints)
    if step is None:
        return HttpResponseRedirect(import_string(settings.AFTER_THE_FORM)(request, application, endpoints))
    if step.key is StepKey.ADDRESSES and queries.lists_nothing(application, endpoints):
        return HttpResponseRedirect(reverse("apply:add_address", args=[application.reference]))
    return HttpResponseRedirect(step.url)


def next_url(application: Application) -> str:
    """Finds the next task when it is followed, whichever room has it."""
    return reverse("portal:next_task", args=[application.reference])


def tasks_url(application: Application) -> str:
    return reverse("portal:tasks", args=[application.reference])


def way_on(request: HttpRequest, application: Application) -> str:
    """From the addresses to the next task; for who sees no papers, to the proofs."""
    if access.may(person(request), Act.PAPERS, application=application):
        return next_url(application)
    return reverse("portal:prove_many", args=[application.reference])


def way_back(request: HttpRequest, application: Application, *, to_nothing: bool = False) -> str:
    """From the addresses to the tasks; for who sees no papers, to the proofs, or home if there is nothing to prove."""
    if access.may(person(request), Act.PAPERS, application=application):
        return tasks_url(application)
    return reverse("portal:home") if to_nothing else reverse("portal:prove_many", args=[application.reference])
