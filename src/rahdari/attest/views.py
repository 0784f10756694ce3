"""The desk of an association: who asks, who is attested, lists of members, disputes.

Invariants: an association sees its own members and no other's, and never an address; every page works without
JavaScript; each look at somebody's name is on record.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.access import association_required, person
from rahdari.policy import Attesting
from rahdari.web import limits, values
from rahdari.web.posting import posted_from

from . import attestations, desk, disputing, lists, queries, requests, rules, words
from .forms import AskedForm, ListForm, MemberForm, NotMemberForm, RenewForm, ReplyForm, RevokeForm
from .models import Attestation, MemberList
from .rules import Effect, Reply

# Lists in an hour: each is read by row.
LISTS, PER_SECONDS = 30, 3600
READ = ["GET", "HEAD", "POST"]


def association_of(request: HttpRequest) -> str:
    slug = people.association_of(person(request))
    assert slug is not None  # noqa: S101 (association_required)
    return slug


def by_whom(request: HttpRequest) -> str:
    return f"person:{person(request).pk}"


def attesting_of(request: HttpRequest) -> Attesting:
    """What the policy says of associations; one that it names no more has no desk."""
    found = queries.attesting()
    if found is None or found.association(association_of(request)) is None:
        raise Http404
    return found


def looked(request: HttpRequest, subject: str, act: str = "attest.read_attestation") -> None:
    actor = f"association:{association_of(request)}"
    journal.record(act=act, actor=actor, subject=subject, now=timezone.now(), detail={"by": by_whom(request)})


def looked_at_list(request: HttpRequest, shown: Iterable[str], act: str = "attest.listed") -> None:
    """Each of whom something stands there is looked at."""
    actor, by = f"association:{association_of(request)}", {"by": by_whom(request)}
    journal.record_list(act=act, actor=actor, where=actor, shown=shown, detail=by, now=timezone.now())


def page_of(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    attesting = queries.attesting()
    about = {"association": words.association(association_of(request), attesting)}
    return render(request, f"attest/{template}", about | context, status=status)


def _found(request: HttpRequest, number: str) -> Attestation:
    try:
        return queries.attestation_for_association(association=association_of(request), number=number)
    except queries.NotFound:
        raise Http404 from None


# -- the list ------------------------------------------------------------------------------------------------------


@association_required
@never_cache
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _list(request: HttpRequest, form: ListForm | None = None, status: int = 200) -> HttpResponse:
    association, attesting, now = association_of(request), attesting_of(request), timezone.now()
    text = " ".join(request.GET.get("q", "").split())[:100]
    page = request.GET.get("page", "0")
    asked = list(queries.requests_waiting(association)[: desk.SHOWN])
    shown = desk.desk(
        association=association,
        attesting=attesting,
        view=request.GET.get("view", "all"),
        text=text,
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 0,
        now=now,
    )
    disputes, denied = queries.disputes_waiting(association, now), queries.denied_lately(association, now)
    members = [*(row.attestation for row in shown.rows), *(each.attestation for each in disputes)]
    looked_at_list(request, [*(each.subject for each in (*asked, *denied)), *queries.subjects_of(members)])
    context = {
        "desk": shown,
        "text": text,
        "asked": asked,
        "asked_count": queries.requests_waiting(association).count(),
        "disputes": disputes,
        "denied": denied,
        "form": form or _list_form(request),
        "last": queries.last_list(association),
        "claims": _claims(attesting, association),
        "no_better_lane": words.title_of(queries.in_force().no_better_lane, ""),
    }
    return page_of(request, "members.html", context, status=status)


def _claims(attesting: Attesting, association: str) -> list[tuple[str, list[str]]]:
    """What the association's word does: each claim with its weights, each said once."""
    told = []
    for claim in attesting.claims_of(association):
        worth = {attesting.weight(association, claim.key, service) for service in claim.services}
        told.append(
            (words.title_of(claim.title, claim.key), [words.weight(each) for each in sorted(filter(None, worth))])
        )
    return told


def _options(request: HttpRequest) -> dict[str, Any]:
    attesting = attesting_of(request)
    bounds = desk.bounds(attesting, timezone.now())
    return {"attesting": attesting, "association": association_of(request), "bounds": bounds}


def _list_form(request: HttpRequest, *data: Any) -> ListForm:
    return ListForm(*data, most_rows=values.figure(attesting_of(request).most_rows), **_options(request))


@association_required
@never_cache
@require_safe
def own_list(request: HttpRequest) -> HttpResponse:
    """All that the association attested, as a file. By what members are known again is not kept in a readable form."""
    association = association_of(request)
    looked_at_list(request, queries.subjects_of_all(association), "attest.downloaded")
    return _as_file(lists.own_list(association, on=queries.day_of(timezone.now())), "members.csv")


def _as_file(text: str, name: str) -> HttpResponse:
    # With a byte order mark, so that a spreadsheet takes it for what it is.
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# -- one member ----------------------------------------------------------------------------------------------------


@association_required
@never_cache
@require_http_methods(READ)
def add(request: HttpRequest) -> HttpResponse:
    """Attest one member."""
    form = MemberForm(request.POST if request.method == "POST" else None, **_options(request))
    if request.method == "POST" and form.is_valid():
        try:
            found, effect = attestations.attest(
                association=association_of(request),
                claim=form.cleaned_data["claim"],
                method=form.cleaned_data["method"],
                member=form.member,
                by=by_whom(request),
                now=timezone.now(),
            )
        except attestations.MemberNotTaken as error:
            form.add_trouble(error.trouble)
        else:
            told = {
                Effect.NEW: _("The member is attested."),
                Effect.RENEWED: _("The attestation is updated."),
                Effect.SAME: _("You attested this already. Nothing has changed."),
            }[effect]
            messages.success(request, told)
            return redirect("attest:attestation", number=found.number)
    return page_of(request, "add.html", {"form": form}, status=422 if form.is_bound else 200)


@association_required
@never_cache
@require_http_methods(READ)
def attestation(request: HttpRequest, number: str) -> HttpResponse:
    """One attestation: what it says, what it counts for; its end moved."""
    found, options = _found(request, number), _options(request)
    form = RenewForm(
        request.POST if request.method == "POST" else None,
        initial={"valid_until": options["bounds"].latest.isoformat()},
        **options,
    )
    if request.method == "POST" and form.is_valid() and found.revoked_at is None:
        attestations.renew(
            attestation=found, valid_until=form.cleaned_data["valid_until"], by=by_whom(request), now=timezone.now()
        )
        messages.success(request, _("The attestation is updated."))
        return redirect("attest:attestation", number=found.number)
    looked(request, f"attestation:{found.number}")
    now = timezone.now()
    context = {
        "row": desk.row(found, options["attesting"], queries.day_of(now)),
        "weights": words.weights(found) if found.revoked_at is None else [],
        "method": words.method(found.method, options["attesting"]),
        "known_by": words.identifier(found.identifier_kind),
        "revocation": words.revocation(found.revocation, options["attesting"]) if found.revoked_at else "",
        "can_give_back": found.revoked_at is not None and now <= found.revoked_at + rules.UNDONE_WITHIN,
        "form": form,
    }
    return page_of(request, "attestation.html", context, status=422 if form.is_bound else 200)


@association_required
@never_cache
@require_http_methods(READ)
def revoke(request: HttpRequest, number: str) -> HttpResponse:
    found, attesting = _found(request, number), attesting_of(request)
    form = RevokeForm(request.POST if request.method == "POST" else None, attesting=attesting)
    if found.revoked_at is not None:
        return redirect("attest:attestation", number=found.number)
    if request.method == "POST" and form.is_valid():
        try:
            attestations.revoke(attestation=found, by=by_whom(request), now=timezone.now(), **form.cleaned_data)
        except attestations.NotRevocable:
            pass
        else:
            told = _("It is revoked. If a registration depends on it, its holder gets a letter with your reason.")
            messages.success(request, told)
        return redirect("attest:attestation", number=found.number)
    looked(request, f"attestation:{found.number}")
    context = {
        "attestation": found,
        "form": form,
        "days": attesting.another_proof_within.length,
        "until": queries.last_day_to_object(timezone.now()),
    }
    return page_of(request, "revoke.html", context, status=422 if form.is_bound else 200)


@association_required
@never_cache
@posted_from("attest:attestation", "number")
def give_back(request: HttpRequest, number: str) -> HttpResponse:
    found = _found(request, number)
    try:
        attestations.give_back(attestation=found, by=by_whom(request), now=timezone.now())
    except attestations.NotRevocable:
        messages.error(request, _("The time to undo the revocation has ended. Attest the member again."))
    else:
        messages.success(request, _("The attestation is valid again."))
    return redirect("attest:attestation", number=found.number)


# -- who asks ------------------------------------------------------------------------------------------------------


@association_required
@never_cache
@require_http_methods(READ)
def asked(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Somebody says that they are a member: attest them, or say that they are none."""
    try:
        found = queries.request_for_association(association=association_of(request), id=id)
    except queries.NotFound:
        raise Http404 from None
    if not found.is_waiting:
        return redirect("attest:members")
    if queries.is_own(found, by_whom(request)):
        looked(request, found.subject, "attest.read_request")
        return page_of(request, "asked.html", {"asked": found, "own": True}, 409 if request.method == "POST" else 200)
    options = _options(request)
    data = request.POST if request.method == "POST" and "not_member" not in request.POST else None
    initial = {"valid_until": options["bounds"].latest.isoformat()}
    form = AskedForm(data, initial=initial, service=found.service, **options)
    says_no = request.method == "POST" and "not_member" in request.POST
    not_member = NotMemberForm(request.POST if says_no else None)
    if says_no and not_member.is_valid():
        requests.answer_request(
            request=found,
            answer=rules.Answer.NOT_MEMBER,
            why=not_member.cleaned_data["why"],
            by=by_whom(request),
            now=timezone.now(),
        )
        messages.success(request, _("You answered that this is not your member. You can undo it for 24 hours."))
        return redirect("attest:members")
    if request.method == "POST" and not says_no and form.is_valid():
        try:
            requests.attest_applicant(request=found, by=by_whom(request), now=timezone.now(), **form.cleaned_data)
        except attestations.MemberNotTaken as error:
            form.add_error(None, words.trouble(error.trouble))
        except NoLongerOpen:
            return redirect("attest:members")
        else:
            messages.success(request, _("The member is attested."))
            return redirect("attest:members")
    looked(request, found.subject, "attest.read_request")
    context = {"asked": found, "form": form, "not_member": not_member}
    return page_of(request, "asked.html", context, status=422 if request.method == "POST" else 200)


@association_required
@never_cache
@posted_from("attest:members")
def take_answer_back(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A no was a slip."""
    try:
        found = queries.request_for_association(association=association_of(request), id=id)
        requests.take_answer_back(request=found, by=by_whom(request), now=timezone.now())
    except (queries.NotFound, requests.OwnRequest):
        raise Http404 from None
    except NoLongerOpen:
        messages.error(request, _("The time to undo it has ended. If it is your member after all, attest it."))
        return redirect("attest:members")
    messages.success(request, _("Your answer is undone. The question waits for you again."), extra_tags="ok")
    return redirect("attest:asked", id=id)


# -- lists ---------------------------------------------------------------------------------------------------------


@association_required
@never_cache
@posted_from("attest:members")
def upload(request: HttpRequest) -> HttpResponse:
    form = _list_form(request, request.POST, request.FILES)
    if form.is_valid():
        most = attesting_of(request).most_rows
        sent = form.cleaned_data["members"]
        allowance = limits.take(f"attest.list:{association_of(request)}", rate=LISTS, per=PER_SECONDS)
        if not allowance.allowed:
            form.add_error("members", words.lists_too_often(allowance.wait))
            return _list(request, form, status=429)
        try:
            kept = lists.keep_list(
                association=association_of(request),
                claim=form.cleaned_data["claim"],
                method=form.cleaned_data["method"],
                content=sent.read(rules.MOST_FILE_BYTES + 1),
                name=sent.name or "",
                most_rows=most,
                by=by_whom(request),
                now=timezone.now(),
            )
            return redirect("attest:file", id=kept.pk)
        except lists.ListNotTaken as error:
            form.add_error("members", words.file_trouble(error.trouble, values.figure(most)))
    return _list(request, form, status=422)


def _kept(request: HttpRequest, id: uuid.UUID) -> MemberList:
    try:
        return queries.list_for_association(association=association_of(request), id=id)
    except queries.NotFound:
        raise Http404 from None


@association_required
@never_cache
@require_http_methods(READ)
def file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What would become of each row; attesting the good ones."""
    kept, options, now = _kept(request, id), _options(request), timezone.now()
    bounds, attesting = options["bounds"], options["attesting"]
    if request.method == "POST":
        kept = lists.send_list(kept=kept, bounds=bounds, by=by_whom(request), now=now)
        told = ngettext("%(count)s member is attested.", "%(count)s members are attested.", kept.made + kept.renewed)
        messages.success(request, told % {"count": values.figure(kept.made + kept.renewed)})
        return redirect("attest:file", id=id)
    looked_at_list(request, queries.subjects_of(queries.made_from(kept)))
    judged = lists.judged(kept, bounds=bounds)
    latest = values.plain_ltr(bounds.latest.isoformat())
    wrong = [each for each in judged if each.trouble]
    good = [each for each in judged if each.effect is not None and each.effect is not Effect.SAME]
    context = {
        "file": kept,
        "claim": words.claim(kept.claim, attesting),
        # Of thousands of rows the first ones, and all of them in a file.
        "wrong": [desk.RowResult(each, words.result(each, latest)) for each in wrong[: desk.SHOWN]],
        "wrong_count": len(wrong),
        "good": [desk.RowResult(each, words.result(each, latest)) for each in good[: desk.SHOWN]],
        "good_count": len(good),
        "same": sum(each.effect is Effect.SAME for each in judged),
    }
    return page_of(request, "file.html", context)


@association_required
@never_cache
@require_safe
def corrected(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The rows to correct, as a file; with `all`, each row and what it does."""
    kept, options = _kept(request, id), _options(request)
    latest = options["bounds"].latest.isoformat()
    looked_at_list(request, queries.subjects_of(queries.made_from(kept)), "attest.downloaded")
    every = "all" in request.GET
    text = lists.corrected(kept, bounds=options["bounds"], words=lambda each: words.result(each, latest), every=every)
    return _as_file(text, "checked.csv" if every else "to-correct.csv")


# -- disputes ------------------------------------------------------------------------------------------------------


@association_required
@never_cache
@require_http_methods(READ)
def reply(request: HttpRequest, number: str) -> HttpResponse:
    """A member disputes what the association said, or that it took it back: its answer."""
    try:
        matter = queries.matter_for_association(association=association_of(request), number=number)
    except queries.NotFound:
        raise Http404 from None
    now = timezone.now()
    form = ReplyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            disputing.reply(
                matter=matter,
                reply=Reply(form.cleaned_data["reply"]),
                text=form.cleaned_data["text"],
                by=by_whom(request),
                now=now,
            )
        except disputing.NotPossibleNow:
            messages.error(request, _("The time to answer has ended, or it was already answered."))
        else:
            messages.success(request, _("Your answer has arrived. An officer decides."))
        return redirect("attest:members")
    looked(request, f"attestation:{matter.attestation.number}")
    context = {
        "matter": matter,
        "row": desk.row(matter.attestation, queries.attesting(), queries.day_of(now)),
        "open": matter.awaits_association(now),
        "form": form,
    }
    return page_of(request, "reply.html", context, status=422 if form.is_bound else 200)
