"""The desk of an operator: open checks, answers one by one and by file, and what its own system uses.

Invariants: an operator sees its own checks and no other's, and a name only masked; every page works
without JavaScript; what an operator downloads is on record.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.access import operator_required, person
from rahdari.programs import tokens as programs_tokens
from rahdari.programs import webhooks
from rahdari.web import values
from rahdari.web.posting import posted_from

from . import bulk, callbacks, desk, queries, questions, rules, tokens, words
from .forms import CallbackForm, FileForm, TokenForm
from .models import AnswerFile, Channel, SubscriberQuestion


def _operator(request: HttpRequest) -> str:
    slug = people.operator_of(person(request))
    assert slug is not None  # noqa: S101 (operator_required)
    return slug


def _by(request: HttpRequest) -> str:
    return f"person:{person(request).pk}"


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, template, {"wide": True} | context, status=status)


def _question(request: HttpRequest, number: str) -> SubscriberQuestion:
    try:
        return queries.question_for_operator(operator=_operator(request), number=number)
    except queries.QuestionNotFound:
        raise Http404 from None


# -- the list ------------------------------------------------------------------------------------------------------


@operator_required
@never_cache
@require_safe
def checks(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _looked(request: HttpRequest, act: str, found: Iterable[SubscriberQuestion], now: dt.datetime) -> None:
    """Whoever is asked about is told that the operator saw it."""
    actor = f"operator:{_operator(request)}"
    shown, by = (each.subject for each in found), {"by": _by(request)}
    journal.record_list(act=act, actor=actor, where=actor, shown=shown, detail=by, now=now)


def _list(request: HttpRequest, form: FileForm | None = None, status: int = 200, **more: Any) -> HttpResponse:
    view, now = request.GET.get("view", "open"), timezone.now()
    shown = desk.desk(operator=_operator(request), view=view, now=now)
    _looked(request, "confirm.listed", (row.question for row in shown.rows), now)
    context = {
        "desk": shown,
        "form": form or FileForm(),
        "next": request.GET.get("next", "")[:12],
        "wrong": "",
        "system_path": reverse("confirm:list_checks"),
        "reasons": [told for _place, _key, told in words.reasons(rules.QuestionKind.SUBSCRIBER)],
        "mobile_reasons": [told for _place, _key, told in words.reasons(rules.QuestionKind.MOBILE)],
    }
    return _page(request, "confirm/checks.html", context | more, status=status)


@operator_required
@never_cache
@posted_from("confirm:checks")
def answer(request: HttpRequest, number: str) -> HttpResponse:
    question = _question(request, number)
    given = request.POST
    following = desk.after(question)
    try:
        questions.read_and_answer(
            question=question,
            word=given.get("answer", ""),
            reason=given.get("reason", ""),
            reference=given.get("reference", "")[:200],
            channel=Channel.PAGE,
            by=_by(request),
            now=timezone.now(),
        )
    except questions.AnswerNotTaken as error:
        wrong = desk.Wrong(question.number, words.trouble(error.trouble))
        return _list(request, wrong=wrong, status=422)
    question.refresh_from_db()
    messages.success(
        request,
        _("%(check)s is answered: %(answer)s")
        % {"check": values.plain_ltr(question.number), "answer": words.answer_text(question)},
    )
    view = given.get("view", "open")
    back = reverse("confirm:checks") + (f"?view={view}" if view in desk.VIEWS and view != "open" else "")
    if following and view == "open":
        back += f"?next={following}#{following}"
    return redirect(back)


@operator_required
@never_cache
@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """The open checks as a file to fill in."""
    operator, now = _operator(request), timezone.now()
    found = list(queries.open_questions(operator=operator)[: rules.MOST_ROWS])
    _looked(request, "confirm.downloaded", found, now)
    return _csv(rules.write_table(rules.COLUMNS, (desk.cells(each) for each in found)), f"checks-{now:%Y%m%d-%H%M}")


def _csv(text: str, name: str) -> HttpResponse:
    # With a byte order mark, so that a spreadsheet takes it for what it is.
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


# -- files ---------------------------------------------------------------------------------------------------------


@operator_required
@never_cache
@posted_from("confirm:checks")
def upload(request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        sent = form.cleaned_data["answers"]
        content = sent.read(rules.MOST_FILE_BYTES + 1)
        try:
            file = bulk.keep_file(
                operator=_operator(request), content=content, name=sent.name or "", by=_by(request), now=timezone.now()
            )
            return redirect("confirm:file", id=file.pk)
        except bulk.FileNotTaken as error:
            form.add_error("answers", words.file_trouble(error.trouble))
    return _list(request, form, status=422)


def _file(request: HttpRequest, id: uuid.UUID) -> AnswerFile:
    try:
        return queries.file_for_operator(operator=_operator(request), id=id)
    except queries.FileNotFound:
        raise Http404 from None


@operator_required
@never_cache
def file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What became of each row; sending the good ones."""
    kept, now = _file(request, id), timezone.now()
    if request.method == "POST":
        taken = bulk.send_file(file=kept, by=_by(request), now=now)
        told = ngettext("%(count)s check is answered.", "%(count)s checks are answered.", taken)
        messages.success(request, told % {"count": values.figure(taken)})
        return redirect("confirm:file", id=id)
    judged = bulk.judged(kept, now=now, by=_by(request))
    context = {
        "file": kept,
        "wrong": [desk.RowResult(each, words.trouble(each.trouble)) for each in judged if each.trouble],
        "good": [desk.RowResult(each, desk.given_text(each.given)) for each in judged if each.given],
        "open": sum(1 for each in judged if each.trouble is None and each.given is None),
    }
    return _page(request, "confirm/file.html", context)


@operator_required
@never_cache
@require_safe
def corrected(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The rows to correct, as a file."""
    kept, now = _file(request, id), timezone.now()
    told = {trouble: words.trouble(trouble) for trouble in rules.AnswerTrouble}
    return _csv(bulk.corrected(kept, now=now, words=told), "to-correct")


# -- the operator's own system -------------------------------------------------------------------------------------


@operator_required
@never_cache
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    return _system(request)


def _system(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    operator, now = _operator(request), timezone.now()
    callback = queries.callback_of(operator=operator)
    context: dict[str, Any] = {
        "tokens": queries.tokens_of(operator=operator, now=now),
        "callback": callback,
        "deliveries": [(each, *words.delivered(each)) for each in queries.deliveries_of(callback)[:10]]
        if callback
        else [],
        "token_form": TokenForm(),
        "callback_form": CallbackForm(),
        "base": request.build_absolute_uri(reverse("confirm:list_checks")).removesuffix("/checks"),
    }
    return _page(request, "confirm/system.html", context | more, status=status)


@operator_required
@never_cache
@posted_from("confirm:system")
def make_token(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _system(request, token_form=form, status=422)
    try:
        token, text = tokens.make_token(
            operator=_operator(request),
            name=form.cleaned_data["name"],
            sandbox=form.cleaned_data["sandbox"],
            by=_by(request),
            now=timezone.now(),
        )
    except programs_tokens.TooManyTokens:
        form.add_error("name", _("You have 10 keys, which is the limit. Revoke one that you do not use."))
        return _system(request, token_form=form, status=422)
    return _system(request, shown_token=token, shown_text=text)


@operator_required
@never_cache
@posted_from("confirm:system")
def revoke_token(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    ended = tokens.revoke_token(operator=_operator(request), id=id, by=_by(request), now=timezone.now())
    if not ended:
        raise Http404
    messages.success(request, _("The key is revoked. It no longer works."))
    return redirect("confirm:system")


@operator_required
@never_cache
@posted_from("confirm:system")
def set_callback(request: HttpRequest) -> HttpResponse:
    operator, now = _operator(request), timezone.now()
    if "end" in request.POST:
        callbacks.end_callback(operator=operator, by=_by(request), now=now)
        return redirect("confirm:system")
    if "test" in request.POST:
        if callbacks.send_test_event(operator=operator, now=now) is not None:
            messages.info(request, _("We have sent a test event. Load this page again in a few seconds."))
        return redirect(reverse("confirm:system") + "#callback")
    if "secret" in request.POST:
        callback = queries.callback_of(operator=operator)
        if callback is None:
            return redirect("confirm:system")
        secret = callbacks.change_callback_secret(callback=callback, by=_by(request), now=now)
        return _system(request, shown_secret=secret, shown_secret_is_new=True)
    form = CallbackForm(request.POST)
    if form.is_valid():
        try:
            _callback, secret = callbacks.register_callback(
                operator=operator, url=form.cleaned_data["url"].strip(), by=_by(request), now=now
            )
            return _system(request, shown_secret=secret)
        except webhooks.PlaceNotTaken as error:
            form.add_error("url", words.callback_trouble(error.outcome))
    return _system(request, callback_form=form, status=422)
