"""The pages for whoever complains, with or without an account: the two forms, and the receipt by its link.

Invariant: the answer is the same whether there is a registration or not. What is found is looked for when the form is
taken in, and shown to nobody here.
"""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import policy
from rahdari.apply import queries as papers
from rahdari.apply.form_errors import megabytes
from rahdari.apply.screening import FileFault, FileRefused, shown_name
from rahdari.apply.sent_files import Refused, accepted, take_in
from rahdari.archive import queries as archive
from rahdari.decide import case_clock
from rahdari.web import limits, visitor
from rahdari.web.allowances import in_words

from . import actions, queries, rules, words
from .forms import CorrectionForm, MisuseForm
from .models import Complaint
from .rules import State

# Complaints an hour of one household and of all that are next to each other in the network, and letters about them to
# one email address.
OF_HOUSEHOLD, OF_NEIGHBOURHOOD, PER_SECONDS = 5, 50, 3600
TO_AN_ADDRESS = limits.Letters(of_household=5, of_neighbourhood=10, of_all=20, per=PER_SECONDS)
# And files; those of a household are counted with the seconds that judging them takes, as an applicant's.
FILES_OF_NEIGHBOURHOOD, FILES_OF_ALL = 100, 400


def _may_send(request: HttpRequest, email: str) -> bool:
    place = visitor.place(request)
    asked = [(place.household, OF_HOUSEHOLD), (place.neighbourhood, OF_NEIGHBOURHOOD)]
    if not all(limits.allow(f"complaint.send:{where}", rate=rate, per=PER_SECONDS) for where, rate in asked):
        return False
    return not email or limits.take_letter("complaint.letter", email, place, TO_AN_ADDRESS).allowed


def _page(request: HttpRequest, form: Any, template: str) -> HttpResponse:
    """The form, or what comes of it. Whatever is wrong, nothing that was typed is lost."""
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        if _may_send(request, form.cleaned_data["email"]):
            sent = actions.send(**form.facts, language=(get_language() or "en")[:2], now=timezone.now())
            return redirect("complaint:receipt", receipt=sent.receipt, token=queries.token_of(sent))
        form.add_error(
            None,
            _(
                "Too many complaints came from here, or with this email address. Nothing is lost: send this one again "
                "in an hour."
            ),
        )
        status = 429
    now, in_force = timezone.now(), case_clock.policy_in_force()
    context = {
        "form": form,
        "due_at": policy.add(start=now, allowance=in_force.clocks[actions.DECIDED], calendar=case_clock.calendar()),
        "answer_within": in_force.clocks[actions.ANSWERED],
        "kept_for": _kept_for(in_force),
        "mail": settings.CONTACT_EMAIL,
    }
    return render(request, template, context, status=status)


def _kept_for(rules: policy.Policy) -> str:
    """How long after the answer one that was not upheld is erased; empty where the law on archives has it kept."""
    allowance = rules.retention["misuse_report"].allowance
    return in_words(allowance) if allowance is not None and not archive.is_kept("misuse_report") else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def misuse(request: HttpRequest) -> HttpResponse:
    form = MisuseForm(request.POST if request.method == "POST" else None)
    return _page(request, form, "complaint/misuse.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correction(request: HttpRequest) -> HttpResponse:
    """The address is proved by the request itself, as by the link of a proof: whoever sends the form is at it."""
    address = visitor.address(request)
    here = None if address == visitor.NOWHERE else str(ipaddress.ip_network(address))
    form = CorrectionForm(
        request.POST if request.method == "POST" else None,
        here=here,
        shown=str(address),
        asked=policy.asked_by(case_clock.policy_in_force()),
    )
    return _page(request, form, "complaint/correction.html")


def _found(receipt: str, token: str, purpose: str) -> Complaint:
    try:
        return queries.complaint_for_sender(receipt=receipt, token=token, purpose=purpose)
    except queries.ComplaintNotFound:
        raise Http404 from None


@never_cache
@require_safe
def receipt(request: HttpRequest, receipt: str, token: str) -> HttpResponse:
    """What its sender follows it by."""
    return _shown(request, _found(receipt, token, queries.LINK))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, receipt: str, token: str) -> HttpResponse:
    """What the letter leads to: the button confirms the email address. Opening it changes nothing."""
    complaint = _found(receipt, token, queries.CONFIRMS)
    if request.method == "POST":
        complaint = actions.confirm(complaint=complaint, now=timezone.now())
    if complaint.takes_files(timezone.now()):
        token = queries.token_of(complaint, queries.FILES)
        return redirect("complaint:files", receipt=receipt, token=token)
    if complaint.state != State.UNCONFIRMED:
        return redirect("complaint:receipt", receipt=receipt, token=queries.token_of(complaint))
    return _shown(request, complaint, may_confirm=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest, receipt: str, token: str) -> HttpResponse:
    """Where files are added, by the link of the letter. None of them is ever given out here."""
    complaint = _found(receipt, token, queries.FILES)
    back = redirect("complaint:receipt", receipt=receipt, token=queries.token_of(complaint))
    if not complaint.takes_files(timezone.now()):
        return back
    refused: list[Refused] = []
    nothing_chosen = False
    if request.method == "POST":
        try:
            chosen, refused = _take_files(request, complaint)
        except actions.NotPossibleNow:
            return back
        nothing_chosen = "add" in request.POST and not chosen
        if not refused and not nothing_chosen:
            return back if "end" in request.POST else redirect(request.path)
    limits_in_force = case_clock.policy_in_force()
    context = {
        "complaint": complaint,
        "kept": list(papers.papers_of(complaint.papers)),
        "refused": refused,
        "nothing_chosen": nothing_chosen,
        "holder_sees": rules.KINDS[rules.Kind(complaint.kind)].holder_sees_files,
        "accept": accepted(limits_in_force),
        "megabytes": megabytes(limits_in_force.limits.document_bytes),
        "most": actions.MOST_FILES,
    }
    return _secret(render(request, "complaint/files.html", context, status=422 if refused or nothing_chosen else 200))


def _take_files(request: HttpRequest, complaint: Complaint) -> tuple[int, list[Refused]]:
    """Do what the button says. How many files came, and which of them could not be kept. Raises NotPossibleNow."""
    now, owner = timezone.now(), f"complaint:{visitor.household(request)}"
    if given := request.POST.get("remove"):
        actions.remove_file(complaint=complaint, id=given, now=now)

    def keep(name: str, content: bytes) -> None:
        for where, rate in ((visitor.neighbourhood(request), FILES_OF_NEIGHBOURHOOD), ("all", FILES_OF_ALL)):
            if not (taken := limits.take(f"complaint.file:{where}", rate=rate, per=PER_SECONDS)).allowed:
                seconds = int(taken.wait.total_seconds()) + 1
                raise FileRefused(FileFault.TOO_OFTEN, shown_name(name), limit=seconds)
        actions.add_file(complaint=complaint, name=name, content=content, owner=owner, now=now)

    chosen, refused = take_in(request, case_clock.policy_in_force(), keep, owner=owner)
    if "end" in request.POST and not refused:
        actions.end_files(complaint=complaint, now=now)
    return chosen, refused


def _shown(request: HttpRequest, complaint: Complaint, *, may_confirm: bool = False) -> HttpResponse:
    return _secret(render(request, "complaint/receipt.html", _facts(complaint) | {"may_confirm": may_confirm}))


def _secret(response: HttpResponse) -> HttpResponse:
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _facts(complaint: Complaint) -> dict[str, Any]:
    """Nothing of what was found, of what the holder said, or of when it was decided."""
    remedy = case_clock.policy_in_force().remedies.get("ombudsman")
    return {
        "complaint": complaint,
        "kind": words.kind(complaint.kind),
        "about": words.about(complaint.about),
        "unconfirmed": complaint.state == State.UNCONFIRMED,
        "days_for_files": actions.FILES_WITHIN.days,
        "takes_files": complaint.takes_files(timezone.now()),
        "until": complaint.sent_at + queries.CONFIRM_WITHIN,
        "late": complaint.told_at is None and complaint.due_at is not None and timezone.now() > complaint.due_at,
        "remedy": remedy.text.in_language(get_language()) if remedy is not None else "",
    }
