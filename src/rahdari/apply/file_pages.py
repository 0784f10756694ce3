"""The pages of many addresses at once: a file or pasted rows, what is said of each row, and the file to take home.

Invariants: nothing is added before the result was seen; rows that were not added stay in the file, on a page of their
own and in a download; the page says of a row what the form says of one address.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.policy import Policy
from rahdari.web import limits

from . import bulk, drafts, form_errors, judging, pages, queries, rows, unsaved_input
from .judging import Judged
from .models import AddressFile, Application
from .rows import AddressRow, FileFault, Table

ROWS_SHOWN = 200


@pages.addresses_page
def add_many(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    policy = queries.policy_in_force()
    most = judging.most_rows(application, policy)
    if not most:
        raise Http404
    problem, given = "", None
    if request.method == "POST":
        found = _sent(request, most)
        if isinstance(found, Table):
            name = getattr(request.FILES.get("rows"), "name", None) or ""
            try:
                file = bulk.keep_file(application=application, table=found, name=name, now=pages.now())
            except bulk.TooManyFiles as error:
                found = form_errors.too_many_files(error.limit)
            else:
                return HttpResponseRedirect(reverse("apply:address_file", args=[application.reference, file.pk]))
        problem, given = found, request.POST.get("paste", "")
    else:
        back = unsaved_input.take(request, now=pages.now())
        given = back.get("paste") if back else None
    context = {
        "application": application,
        "problem": problem,
        "paste": given,
        "given_back": bool(given) and not problem,
        "most": most,
        "protocols": rows.NAMES_OF_PROTOCOLS,
        "asks_subscriber": queries.service_of(application, policy).asks_operator,
        "megabytes": form_errors.megabytes(rows.MOST_BYTES),
        "files": queries.address_files_of(application),
    }
    return render(request, "apply/add_many.html", context)


def _sent(request: HttpRequest, most: int) -> Table | str:
    """The rows that were sent, or what is wrong with the file as a whole."""
    file, pasted = request.FILES.get("rows"), request.POST.get("paste", "")
    allowance = limits.take(f"apply.files:{person(request).pk}", rate=judging.FILES, per=judging.PER_SECONDS)
    if not allowance.allowed:
        return form_errors.files_too_often(allowance.wait)
    if isinstance(file, UploadedFile):
        content = file.read(rows.MOST_BYTES + 1)
    elif pasted.strip():
        content = pasted.encode()
    else:
        return _("Choose a file, or paste the rows")
    found = rows.read(content, most_rows=most)
    return form_errors.rows_file(found, most_rows=most) if isinstance(found, FileFault) else found


def _file(application: Application, id: uuid.UUID) -> AddressFile:
    try:
        return queries.address_file_of(application=application, id=id)
    except queries.AddressFileNotFound:
        raise Http404 from None


@pages.addresses_page
def result(request: HttpRequest, application: Application, by: Acting, id: uuid.UUID) -> HttpResponse:
    policy = queries.policy_in_force()
    try:
        file = queries.address_file_of(application=application, id=id)
    except queries.AddressFileNotFound:
        # All of it was added, maybe by a second press of the same button; or its days are over.
        return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    table, judged = judging.judge_file(application, file, policy, by=person(request))
    problem = ""
    if request.method == "POST":
        problem = _act(request, application, by, file, table, judged, policy)
        if not problem:
            return _after(application, file)
    return render(request, "apply/address_file.html", _facts(request, application, file, table, judged, problem))


def _act(
    request: HttpRequest,
    application: Application,
    by: Acting,
    file: AddressFile,
    table: Table,
    judged: list[Judged],
    policy: Policy,
) -> str:
    """Do what a button says; a sentence when it could not be done."""
    act = request.POST.get("act")
    if act == "forget":
        bulk.forget_file(application=application, id=file.pk)
        return ""
    if act == "rows" or "drop" in request.POST:
        return _replace(request, file, judged, judging.most_rows(application, policy))
    if act == "mend":
        mended = {each.row.line: each.mended for each in judged if each.mended is not None}
        try:
            file = bulk.replace_rows(file=file, rows=mended)
        except bulk.FileTooLarge:
            return form_errors.rows_file(FileFault.TOO_LARGE, most_rows=judging.most_rows(application, policy))
        _table, judged = judging.judge_file(application, file, policy, by=person(request))
    good = {each.row.line: each.wanted for each in judged if each.is_good and each.wanted is not None}
    try:
        added = bulk.add_from_file(
            file=file,
            good=good,
            actor=by.actor,
            now=pages.now(),
            policy=policy,
            adds_branches=judging.adds_branches(person(request), application.organisation),
        )
    except (drafts.NotADraft, queries.AddressFileNotFound):
        return ""
    if count := len(added.endpoints):
        said = ngettext("%(count)s address was added.", "%(count)s addresses were added.", count) % {"count": count}
        messages.success(request, said)
    return ""


def _replace(request: HttpRequest, file: AddressFile, judged: list[Judged], most: int) -> str:
    """Corrected rows as text, under the same headings: each takes the place of a wrong row, in their order. The row
    whose button was pressed is dropped, whether its line still stands in the text or not.
    """
    dropped = {line for line in request.POST.getlist("drop") if line.isdecimal()}
    found = rows.read(request.POST.get("rows", "").encode(), most_rows=most)
    if isinstance(found, FileFault):
        return form_errors.rows_file(found, most_rows=most)
    wrong = [each.row.line for each in judged if not each.is_good]
    left = [line for line in wrong if str(line) not in dropped]
    if len(found.rows) not in {len(wrong), len(left)}:
        return ngettext(
            "Correct the row here, in one line. To leave it out, press its button above.",
            "Correct the %(count)s rows here, one line for each row. To leave a row out, press its button above.",
            len(wrong),
        ) % {"count": len(wrong)}
    lines = wrong if len(found.rows) == len(wrong) else left
    new = {line: AddressRow(line, row.cells) for line, row in zip(lines, found.rows, strict=True)}
    try:
        bulk.replace_rows(file=file, rows=new, without=set(wrong) - set(left))
    except bulk.FileTooLarge:
        return form_errors.rows_file(FileFault.TOO_LARGE, most_rows=most)
    return ""


def _after(application: Application, file: AddressFile) -> HttpResponseRedirect:
    """To the rows that are left, or to the addresses when none is."""
    if queries.address_files_of(application).filter(pk=file.pk).exists():
        return HttpResponseRedirect(reverse("apply:address_file", args=[application.reference, file.pk]))
    return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))


def _facts(
    request: HttpRequest,
    application: Application,
    file: AddressFile,
    table: Table,
    judged: list[Judged],
    problem: str,
) -> dict[str, Any]:
    wrong = [each for each in judged if not each.is_good]
    noted = [each for each in judged if each.is_good and each.notes]
    plain = [each for each in judged if each.is_good and not each.notes]
    mendable = sum(each.mended is not None for each in wrong)
    given = request.POST.get("rows") if problem else None
    return {
        "application": application,
        "file": file,
        "total": len(judged),
        "good": len(noted) + len(plain),
        "wrong": wrong,
        "noted": noted,
        "plain": plain,
        "shown": ROWS_SHOWN,
        "mendable": mendable,
        "unknown": [column for column in table.unknown if column != "more"],
        "problem": problem,
        "rows": given if given is not None else judging.as_text(wrong, table.columns),
        "kept_until": judging.kept_until(file),
    }


@pages.own_addresses_page
def corrected(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    """Every row that waits, with our corrections and what is wrong with the others."""
    file = _file(application, id)
    table, judged = judging.judge_file(application, file, queries.policy_in_force(), by=person(request))
    return _csv(judging.corrected(judged, table), "addresses-to-correct.csv")


@pages.own_addresses_page
def sample(request: HttpRequest, application: Application) -> HttpResponse:
    asks = queries.service_of(application, queries.frozen_policy(application)).asks_operator
    return _csv(judging.sample(asks_subscriber=asks), "addresses.csv")


def _csv(content: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
