"""The page on which a person makes and ends tokens and ends webhooks, and the contract for programs."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people.access import person, person_required
from rahdari.people.reauthentication import need_fresh_proof
from rahdari.programs import tokens
from rahdari.programs.openapi import document
from rahdari.web.posting import posted_from

from . import keys, queries, webhook_delivery, words
from .forms import TokenForm
from .interface import API
from .rules import Scope


@never_cache
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document(API), json_dumps_params={"indent": 1})


@person_required
@never_cache
@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, form: TokenForm | None = None, status: int = 200, **more: Any) -> HttpResponse:
    standing = queries.tokens_of(person(request), now=timezone.now())
    context: dict[str, Any] = {
        "tokens": [(each, [words.SCOPES[Scope(scope)] for scope in each.scopes]) for each in standing],
        "form": form or TokenForm(),
        "base": request.build_absolute_uri(API.base),
        "webhooks": queries.webhooks_of(person(request)),
    }
    return render(request, "api/programs.html", context | more, status=status)


@person_required
@never_cache
@posted_from("api:programs")
def make_token(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    need_fresh_proof(request)
    data = form.cleaned_data
    try:
        token, text = keys.make_token(
            owner=person(request),
            name=data["name"],
            scopes=data["scopes"],
            valid_for=dt.timedelta(days=data["days"]),
            now=timezone.now(),
        )
    except tokens.TooManyTokens:
        form.add_error(
            "name", _("You have %(count)s tokens, which is the limit. Revoke one first.") % {"count": tokens.MOST}
        )
        return _page(request, form, status=422)
    return _page(request, new_token=token, new_text=text)


@person_required
@never_cache
@posted_from("api:programs")
def revoke_token(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    if not keys.revoke_token(owner=person(request), id=id, now=timezone.now()):
        raise Http404
    messages.success(request, _("The token is revoked. No program can use it any more."))
    return redirect("api:programs")


@person_required
@never_cache
@posted_from("api:programs")
def end_webhook(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    try:
        found = queries.webhook_of(person(request), id)
    except queries.WebhookNotFound:
        raise Http404 from None
    webhook_delivery.end_webhook(webhook=found, now=timezone.now())
    messages.success(request, _("The webhook is ended. We no longer send anything there."))
    return redirect("api:programs")
