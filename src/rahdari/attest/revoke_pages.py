"""Taking back many attestations: a file, what becomes of each row, and one press."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people.access import association_required
from rahdari.web import limits, values

from . import lists, queries, revoking, rules, words
from .forms import RevokeManyForm
from .views import LISTS, PER_SECONDS, READ, association_of, attesting_of, by_whom, looked_at_list, page_of


@association_required
@never_cache
@require_http_methods(READ)
def revoke_many(request: HttpRequest) -> HttpResponse:
    attesting = attesting_of(request)
    most = values.figure(attesting.most_rows)
    data: tuple[Any, ...] = (request.POST, request.FILES) if request.method == "POST" else ()
    form = RevokeManyForm(*data, attesting=attesting, most_rows=most)
    if form.is_bound and form.is_valid():
        sent = form.cleaned_data["members"]
        allowance = limits.take(f"attest.list:{association_of(request)}", rate=LISTS, per=PER_SECONDS)
        if not allowance.allowed:
            form.add_error("members", words.lists_too_often(allowance.wait))
            return page_of(request, "revoke_many.html", {"form": form}, status=429)
        try:
            kept = revoking.keep_revocations(
                association=association_of(request),
                revocation=form.cleaned_data["revocation"],
                explanation=form.cleaned_data["explanation"],
                content=sent.read(rules.MOST_FILE_BYTES + 1),
                name=sent.name or "",
                most_rows=attesting.most_rows,
                by=by_whom(request),
                now=timezone.now(),
            )
            return redirect("attest:revocations", id=kept.pk)
        except lists.ListNotTaken as error:
            form.add_error("members", words.file_trouble(error.trouble, most, rules.NEEDED_TO_REVOKE))
    return page_of(request, "revoke_many.html", {"form": form}, status=422 if form.is_bound else 200)


@association_required
@never_cache
@require_http_methods(READ)
def revocations(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What would be taken back with each row; taking it back."""
    attesting = attesting_of(request)
    try:
        kept = queries.list_for_association(association=association_of(request), id=id, revokes=True)
    except queries.NotFound:
        raise Http404 from None
    if request.method == "POST":
        kept = revoking.send_revocations(kept=kept, by=by_whom(request), now=timezone.now())
        told = ngettext("%(count)s attestation is revoked.", "%(count)s attestations are revoked.", kept.made)
        messages.success(request, told % {"count": values.figure(kept.made)})
        return redirect("attest:revocations", id=id)
    judged = revoking.to_revoke(kept) if kept.sent_at is None else []
    good = [each for each in judged if each.found]
    looked_at_list(request, queries.subjects_of(found for each in good for found in each.found))
    context = {
        "file": kept,
        "reason": words.revocation(kept.revocation, attesting),
        "good": good,
        "count": sum(len(each.found) for each in good),
        "wrong": [(each.row, words.trouble(each.trouble)) for each in revoking.not_revoked(kept) if each.trouble],
    }
    return page_of(request, "revocations.html", context)


@association_required
@never_cache
@require_safe
def corrected(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The rows to correct, as a file."""
    try:
        kept = queries.list_for_association(association=association_of(request), id=id, revokes=True)
    except queries.NotFound:
        raise Http404 from None
    told = {trouble: words.trouble(trouble) for trouble in rules.RowTrouble}
    text = revoking.corrected_revocations(kept, words=told)
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="to-correct.csv"'
    return response
