"""The officer's desk: queue, case, approvals. Every page works without JavaScript; nothing is preselected.

Opening a case or one of its documents is on record before a byte of it is sent.
"""

import datetime as dt
import uuid
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.journal import actions as journal
from rahdari.people.access import officer_required, person
from rahdari.people.models import User
from rahdari.web.context import Link
from rahdari.web.posting import posted_from
from rahdari.web.replicas import from_replica

from . import (
    assignment,
    case_clock,
    desk,
    evidence,
    granting,
    hearing_views,
    hearings,
    notes,
    queries,
    questions,
    queues,
    recusing,
    refusals,
    revocation,
    transitions,
    words,
)
from .addresses import A_PAGE, GROUPS, Address, Group, fitting, table
from .case_access import AFTER_WHY, KEPT, THEN, WHY, moved_on, opened, render, to_page, why_of
from .case_page import CasePage
from .decided import SAME_NUMBER
from .forms import (
    DecideForm,
    DropForm,
    OperatorForm,
    RecordForm,
    RecordManyForm,
    RecuseForm,
    SaveViewForm,
    SecondForm,
    WhyForm,
)
from .models import Case
from .previews import letter_preview
from .seconding import Second

# Why the officer opens which closed cases again, for as long as the visit lasts.


def _keys(request: HttpRequest) -> bool:
    return bool(request.session.get("desk_keys", True))


def _page_number(request: HttpRequest) -> int:
    page = request.GET.get("page", "1")
    return int(page) if page.isdecimal() and len(page) < 7 else 1


def _filters(request: HttpRequest) -> desk.Filters:
    given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:80] for name in ("q", *KEPT)}
    return desk.Filters(**given, page=_page_number(request))


# -- lists -------------------------------------------------------------------------------------------------------


def if_there_is_time(officer: User, now: dt.datetime) -> list[Link]:
    """What rooms above have for an officer for whom no case waits."""
    found: list[Link] = import_string(settings.IF_THERE_IS_TIME)(officer, now)
    return found


@never_cache
@require_safe
@officer_required
@from_replica
def queue(request: HttpRequest) -> HttpResponse:
    return show_queue(request)


def show_queue(request: HttpRequest, *, form: SaveViewForm | None = None, status: int = 200) -> HttpResponse:
    given, filters = request.GET, _filters(request)
    if filters.q and (found := queries.reference_of(filters.q)) is not None:
        return to_page(request, "case", reference=found)
    shown = desk.desk(officer=person(request), filters=filters, now=timezone.now())
    request.for_me = shown.for_me  # type: ignore[attr-defined]
    rest = given.copy()
    rest.pop("page", None)
    filters = shown.filters
    is_filtered = any((filters.q, filters.service, filters.checks, filters.who, filters.queue))
    is_empty = not shown.rows and filters.view == "open" and not is_filtered
    context = {
        "desk": shown,
        "besides": if_there_is_time(person(request), timezone.now()) if is_empty else [],
        "filters": filters,
        "views": _views(shown),
        "services": [(key, service.short) for key, service in case_clock.policy_in_force().services.items()],
        "keys": _keys(request),
        "rest": rest.urlencode(),
        "kept": [(name, given[name][:60]) for name in KEPT if given.get(name)],
        "is_filtered": is_filtered,
        "saved": _saved(shown),
        "save_form": form or SaveViewForm(),
        "language": get_language(),
    }
    return render(request, "decide/queue.html", context, status)


def _saved(shown: desk.Desk) -> list[dict[str, Any]]:
    """The officer's own views, each with the end of its address and whether it is the one that is shown."""
    found = []
    for view, count in shown.saved:
        asked = {name: getattr(view, name) for name in KEPT}
        is_shown = not shown.filters.q and all(getattr(shown.filters, name) == asked[name] for name in KEPT)
        kept = urlencode({name: value for name, value in asked.items() if value})
        found.append({"view": view, "count": count, "kept": kept, "is_shown": is_shown})
    return found


@officer_required
@posted_from("decide:queue")
def save_view(request: HttpRequest) -> HttpResponse:
    """Save the filter that is shown, without the words that were searched for, or forget one that was saved."""
    officer = person(request)
    if "forget" in request.POST:
        with suppress(ValidationError):
            queues.forget_view(officer=officer, view=request.POST["forget"])
        return to_page(request, "queue")
    form = SaveViewForm(request.POST)
    if form.is_valid():
        filters = desk.shown_as(_filters(request))
        asked = {name: getattr(filters, name) for name in KEPT}
        try:
            queues.save_view(officer=officer, name=form.cleaned_data["name"], **asked)
        except queues.TooManyViews as error:
            said = _("You have saved %(most)s views already. Delete one of them first.")
            form.add_error("name", said % {"most": error.most})
    if form.errors:
        return show_queue(request, form=form, status=422)
    messages.success(request, _("The view is saved."))
    return to_page(request, "queue")


def _views(shown: desk.Desk) -> list[dict[str, Any]]:
    titles = {
        "open": _("Open"),
        "late": _("Late"),
        "hour": _("Due within an hour"),
        "mine": _("Mine"),
        "applicant": _("Waiting for applicant"),
        "second": _("Needs a second officer"),
        "mentioned": _("You are mentioned"),
    }
    return [{"name": name, "title": title, "count": shown.counts[name]} for name, title in titles.items()]


@never_cache
@require_safe
@officer_required
def approvals(request: HttpRequest) -> HttpResponse:
    officer, now = person(request), timezone.now()
    shown = desk.proposals(officer=officer, page=_page_number(request), now=now)
    takings = revocation.waiting(officer=officer, now=now)
    revoked = [notice.case.application for notice, _cannot in takings]
    # A Director who may agree to suspend it at once, before its holder is heard.
    first = {
        notice.pk
        for notice, _cannot in takings
        if revocation.can_be_first(notice.case, notice) and Second(officer, now).cannot_suspend(notice) is None
    }
    desk.record_looks(revoked, officer=officer, where="approvals", now=now)
    mine = shown.mine + sum(cannot is None or notice.pk in first for notice, cannot in takings)
    request.for_me = mine  # type: ignore[attr-defined]
    rows = [
        {"row": row, "why_not": words.why_not_second(row.cannot_second) if row.cannot_second else ""}
        for row in shown.rows
    ]
    return render(
        request,
        "decide/approvals.html",
        {
            "takings": [
                (notice, words.why_not_second(cannot) if cannot else "", notice.pk in first, cannot)
                for notice, cannot in takings
            ],
            "rows": rows,
            "mine": mine,
            "shown": shown,
        },
    )


@officer_required
@posted_from("decide:queue")
def turn_keys(request: HttpRequest) -> HttpResponse:
    request.session["desk_keys"] = not _keys(request)
    return to_page(request, "queue")


# -- one case ----------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def why(request: HttpRequest, reference: str) -> HttpResponse:
    """Why a closed case is opened again. Nothing of the file is shown yet."""
    try:
        queries.closed_case_for_officer(officer=person(request), reference=reference)
    except queries.CaseNotFound:
        raise Http404 from None
    form = WhyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = dict(request.session.get(WHY, {}))
        given[reference] = form.cleaned_data["why"]
        request.session[WHY] = given
        then = request.GET.get(THEN, "")
        return to_page(request, then if then in AFTER_WHY else "case", reference=reference)
    return render(request, "decide/why.html", {"reference": reference, "form": form}, 422 if form.is_bound else 200)


@never_cache
@require_safe
@officer_required
def case(request: HttpRequest, reference: str) -> HttpResponse:
    """The file; with `paper`, that paper beside it."""
    return show(request, opened(request, reference), paper=request.GET.get("paper", ""))


def _page_of(request: HttpRequest, shown: Case) -> CasePage:
    return CasePage(shown, reader=person(request), now=timezone.now(), language=get_language() or "en")


def show(request: HttpRequest, shown: Case, *, status: int = 200, paper: str = "", **extra: Any) -> HttpResponse:
    page = _page_of(request, shown)
    request.for_me = page.for_me  # type: ignore[attr-defined]
    if page.shows_listed_names:
        journal.record(
            act="decide.read_listed_name",
            actor=queries.actor_of(person(request)),
            subject=shown.application.subject,
            now=timezone.now(),
            reason=queries.reason_of(shown, why_of(request, shown.application.reference)),
            ground=queries.ground_of(shown, why_of(request, shown.application.reference)),
            detail={"case": str(shown.pk)},
        )
    if page.granted_before or page.refused_before:
        others = queries.others_counted_with(shown.application)
        facts: dict[str, Any] = {"officer": person(request), "where": "before", "why": SAME_NUMBER, "now": page.now}
        desk.record_looks(others, act="decide.read_outcome", **facts)
    if page.mentions_not_seen:
        notes.mark_seen(found=page.mentions_not_seen, now=page.now)
    context: dict[str, Any] = {
        "page": page,
        "case": shown,
        "application": shown.application,
        "form": page.decide_form(),
        "second_form": SecondForm(),
        "record_form": RecordForm(),
        "drop_form": DropForm(),
        "recuse_form": RecuseForm(),
        "operator_form": OperatorForm(),
        "keys": _keys(request),
        "ways": words.ways_to_find_out(),
        "paper": page.paper(paper),
        "several_form": page.several_form(),
        "held": words.why_held(shown.application, page.now),
        "hearing_forms": page.hearing_forms(),
        "hearing_form": None,
    }
    return render(request, "decide/case.html", context | extra, status=status)


@never_cache
@require_safe
@officer_required
def addresses(request: HttpRequest, reference: str) -> HttpResponse:
    """All addresses of a case, page by page; with `group` and `q`, those that fit."""
    return _show_addresses(request, _page_of(request, opened(request, reference)))


def _show_addresses(request: HttpRequest, page: CasePage, *, status: int = 200, **extra: Any) -> HttpResponse:
    group, q = request.GET.get("group", ""), request.GET.get("q", "").replace("\x00", "").strip()[:80]
    counts = Counter(each.group for each in page.addresses)
    titles = {Group.FAILED: _("Failed"), Group.WAITING: _("Waiting"), Group.PASSED: _("Passed")}
    views = [("", pgettext("addresses", "All"), len(page.addresses))]
    views += [(str(name), titles[name], counts[name]) for name in GROUPS]
    context = {
        "page": page,
        "application": page.application,
        "many_form": RecordManyForm(kinds=()),
        "rows": Paginator(fitting(page.addresses, group=group, q=q), A_PAGE).get_page(request.GET.get("page")),
        "views": views,
        "group": group if group in GROUPS else "",
        "q": q,
        "kept": urlencode({"group": group, "q": q}),
    }
    return render(request, "decide/addresses.html", context | extra, status=status)


@never_cache
@require_safe
@officer_required
def addresses_table(request: HttpRequest, reference: str) -> HttpResponse:
    """The same as a file for a spreadsheet, with what was found."""
    page = _page_of(request, opened(request, reference))
    # With a byte order mark, so that a spreadsheet takes it for what it is.
    response = HttpResponse("\ufeff" + table(page.addresses), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{reference}-addresses.csv"'
    return response


@never_cache
@require_safe
@officer_required
def address(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    """One address, with all that was found about it."""
    page = _page_of(request, opened(request, reference))
    found = next((each for each in page.addresses if each.endpoint.pk == endpoint), None)
    if found is None:
        raise Http404
    return _show_address(request, page, found)


def _show_address(
    request: HttpRequest, page: CasePage, shown: Address, *, status: int = 200, **extra: Any
) -> HttpResponse:
    context = {
        "page": page,
        "application": page.application,
        "address": shown,
        "checks": page.shown(shown.checks),
        "ways": words.ways_to_find_out(),
        "record_form": RecordForm(),
    }
    return render(request, "decide/address.html", context | extra, status=status)


@officer_required
@posted_from("decide:case", "reference")
def take(request: HttpRequest, reference: str) -> HttpResponse:
    taken = opened(request, reference)
    try:
        assignment.take_case(case=taken, officer=person(request), now=timezone.now())
    except assignment.AlreadyTaken:
        messages.warning(request, _("Another officer took this case a moment ago."))
    except transitions.NotPossibleNow:
        messages.warning(request, moved_on())
    return to_page(request, "case", reference=reference)


@officer_required
@posted_from("decide:case", "reference")
def hand_over(request: HttpRequest, reference: str) -> HttpResponse:
    passed = opened(request, reference)
    page = _page_of(request, passed)
    chosen = request.POST.get("to", "")
    colleague = next((one for one in page.colleagues if str(one.pk) == chosen), None)
    if chosen and colleague is None:
        messages.warning(request, _("Choose a colleague from the list."))
        return to_page(request, "case", reference=reference)
    try:
        assignment.hand_over(case=passed, officer=person(request), to=colleague, now=timezone.now())
    except (transitions.NotYourCase, transitions.NotPossibleNow):
        messages.warning(request, moved_on())
        return to_page(request, "case", reference=reference)
    messages.success(request, _("The case is passed on."))
    return to_page(request, "queue")


@officer_required
@posted_from("decide:case", "reference")
def recuse(request: HttpRequest, reference: str) -> HttpResponse:
    """The officer declares a conflict of interest. The page of the case is no page of theirs any more."""
    left = opened(request, reference)
    form = RecuseForm(request.POST)
    if not form.is_valid():
        return show(request, left, recuse_form=form, status=422)
    try:
        recusing.recuse(case=left, officer=person(request), why=form.cleaned_data["conflict"], now=timezone.now())
    except transitions.NotPossibleNow:
        return _too_late(request, left, form.cleaned_data["conflict"])
    said = _("It is on record that you do not decide %(reference)s. Somebody else does.")
    messages.success(request, said % {"reference": f"\u2066{reference}\u2069"})
    return to_page(request, "queue")


@officer_required
@posted_from("decide:case", "reference")
def decide(request: HttpRequest, reference: str) -> HttpResponse:
    decided = opened(request, reference)
    page = _page_of(request, decided)
    form = page.decide_form(request.POST)
    if not form.is_valid():
        return show(request, decided, form=form, status=422)
    if "preview" in request.POST:
        return show(request, decided, form=form, preview=letter_preview(decided, form.cleaned_data, timezone.now()))
    try:
        _act(request, decided, form)
    except granting.ChecksMissing as error:
        form.add_error("decision", words.missing(error.missing))
    except transitions.CodeNotUsable:
        form.add_error("codes", _("Choose reasons from the list."))
    except evidence.EvidenceMissing as error:
        field = "code" if form.cleaned_data["decision"] == "ask" else "codes"
        form.add_error(field, words.lacking(page.policy, error.missing, page.language))
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        return _too_late(request, decided, form.cleaned_data["text"])
    if form.errors:
        return show(request, decided, form=form, status=422)
    return _next(request, decided) or to_page(request, "queue")


def _too_late(request: HttpRequest, case: Case, typed: str) -> HttpResponse:
    """The case moved on: it is shown as it stands, with what was typed for it, so that no sentence is lost."""
    messages.warning(request, moved_on())
    if not typed.strip():
        return to_page(request, "case", reference=case.application.reference)
    return show(request, queries.cases().get(pk=case.pk), unsent=typed, status=409)


@officer_required
@posted_from("decide:queue")
def take_next(request: HttpRequest) -> HttpResponse:
    """The first case of the queue that is shown which is free, or the officer's own."""
    return _next(request) or _nothing_free(request)


def _nothing_free(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("No case of this view is free."))
    return to_page(request, "queue")


def _next(request: HttpRequest, after: Case | None = None) -> HttpResponse | None:
    """The next case of the same queue. It is the officer's from now on: nobody opens a file that another one reads."""
    officer, filters = person(request), _filters(request)
    for _try in range(3):
        following = desk.next_for(officer=officer, now=timezone.now(), after=after, filters=filters)
        if following is None:
            break
        try:
            assignment.take_case(case=following, officer=officer, now=timezone.now())
        except (assignment.AlreadyTaken, transitions.NotPossibleNow):
            continue  # a colleague was quicker
        return to_page(request, "case", reference=following.application.reference)
    return None


def _act(request: HttpRequest, case: Case, form: DecideForm) -> None:
    given, officer, now = form.cleaned_data, person(request), timezone.now()
    reference = {"reference": f"\u2066{case.application.reference}\u2069"}
    match given["decision"]:
        case "grant":
            granting.grant(case=case, officer=officer, text=given["text"], now=now)
            messages.success(request, _("Application %(reference)s was granted.") % reference)
        case "ask":
            questions.ask_question(case=case, officer=officer, code=given["code"], text=given["text"], now=now)
            messages.success(
                request, _("The question about %(reference)s was sent. The time limit is paused.") % reference
            )
        case "refuse":
            refusals.propose_refusal(
                case=case,
                officer=officer,
                codes=given["codes"],
                text=given["text"],
                named=given["named"],
                now=now,
            )
            messages.success(
                request,
                _("The applicant was told why %(reference)s may be refused. A second officer decides.") % reference,
            )


@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_check(request: HttpRequest, reference: str, check: uuid.UUID) -> HttpResponse:
    shown = opened(request, reference)
    page = _page_of(request, shown)
    address = page.address_of(check)
    back = to_page(request, "case", reference=reference)
    if address is not None:
        back = to_page(request, "address", reference=reference, endpoint=address.endpoint.pk)
    if request.method != "POST":
        return back
    form = RecordForm(request.POST)
    if not form.is_valid():
        wrong: dict[str, Any] = {"record_form": form, "record_for": check, "status": 422}
        return show(request, shown, **wrong) if address is None else _show_address(request, page, address, **wrong)
    try:
        assignment.record_check(
            case=shown,
            officer=person(request),
            check=check,
            outcome=form.cleaned_data["outcome"],
            how=form.cleaned_data["how"],
            now=timezone.now(),
        )
    except queries.CaseNotFound:
        raise Http404 from None
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        return _too_late(request, shown, form.cleaned_data["how"])
    else:
        messages.success(request, _("What you found is recorded."))
    return back


@officer_required
@posted_from("decide:case", "reference")
def record_several(request: HttpRequest, reference: str) -> HttpResponse:
    """Several checks of the page at once."""
    shown = opened(request, reference)
    form = _page_of(request, shown).several_form(request.POST)
    if not form.is_valid():
        return show(request, shown, several_form=form, status=422)
    found = form.found()
    try:
        assignment.record_several(case=shown, officer=person(request), found=found, now=timezone.now())
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        return _too_late(request, shown, "\n".join(how for _check, _outcome, how in found))
    said = ngettext("Recorded for %(count)s check.", "Recorded for %(count)s checks.", len(found))
    messages.success(request, said % {"count": len(found)})
    return to_page(request, "case", reference=reference)


@officer_required
@posted_from("decide:addresses", "reference")
def record_checks(request: HttpRequest, reference: str) -> HttpResponse:
    """One finding for many addresses at once."""
    shown = opened(request, reference)
    page = _page_of(request, shown)
    form = RecordManyForm(request.POST, kinds=[each.kind for each in page.open_kinds])
    if not form.is_valid():
        return _show_addresses(request, page, many_form=form, status=422)
    try:
        count = assignment.record_checks(case=shown, officer=person(request), **form.cleaned_data, now=timezone.now())
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        messages.warning(request, moved_on())
    else:
        said = ngettext("Recorded for %(count)s address.", "Recorded for %(count)s addresses.", count)
        messages.success(request, said % {"count": count})
    return to_page(request, "addresses", reference=reference)


@officer_required
@posted_from("decide:case", "reference")
def second(request: HttpRequest, reference: str) -> HttpResponse:
    shown = opened(request, reference)
    form = SecondForm(request.POST)
    if not form.is_valid():
        return show(request, shown, second_form=form, status=422)
    because, officer = form.cleaned_data["because"], person(request)
    try:
        if form.cleaned_data["decision"] == "refuse":
            refusals.second_refusal(case=shown, officer=officer, because=because, now=timezone.now())
            messages.success(request, _("Refused. The applicant was told why, and how to appeal."))
        else:
            refusals.drop_refusal(case=shown, officer=officer, why=because, now=timezone.now())
            messages.success(request, _("The proposal is dropped, and the case continues."))
    except transitions.MayNotSecond as error:
        messages.warning(request, words.why_not_second(error.why))
        return to_page(request, "case", reference=reference)
    except evidence.EvidenceMissing as error:
        page = _page_of(request, shown)
        form.add_error("decision", words.lacking(page.policy, error.missing, page.language))
        return show(request, shown, second_form=form, status=422)
    except (transitions.NotPossibleNow, transitions.CodeNotUsable):
        return _too_late(request, shown, because)
    return to_page(request, "approvals")


@officer_required
@posted_from("decide:case", "reference")
def drop(request: HttpRequest, reference: str) -> HttpResponse:
    """The proposer takes the proposal back."""
    shown = opened(request, reference)
    form = DropForm(request.POST)
    if not form.is_valid():
        return show(request, shown, drop_form=form, status=422)
    try:
        refusals.drop_refusal(case=shown, officer=person(request), why=form.cleaned_data["because"], now=timezone.now())
    except transitions.NotPossibleNow:
        return _too_late(request, shown, form.cleaned_data["because"])
    else:
        messages.success(request, _("The proposal is dropped, and the case continues."))
    return to_page(request, "case", reference=reference)


@officer_required
@posted_from("decide:case", "reference")
def hearing(request: HttpRequest, reference: str) -> HttpResponse:
    """Set or move the one about a proposal to refuse, or write it down."""
    shown = opened(request, reference)
    found = _page_of(request, shown).hearing_forms(request.POST)
    form = next((each for each in found.values() if each.is_bound), None)
    if form is None:
        messages.warning(request, moved_on())
    elif form.is_valid():
        facts: dict[str, Any] = {"case": shown, "officer": person(request), "now": timezone.now()}
        try:
            acts = partial(hearings.set_hearing, **facts), partial(hearings.record_hearing, **facts)
            hearing_views.act(request, form, *acts)
        except (transitions.NotPossibleNow, hearings.NotSet):
            return _too_late(request, shown, form.cleaned_data.get("hearing_minutes", ""))
    if form is not None and form.errors:
        return show(request, shown, hearing_form=form, hearing_forms=found, status=422)
    return to_page(request, "case", reference=reference)


@never_cache
@officer_required
@posted_from("decide:case", "reference")
def contact(request: HttpRequest, reference: str) -> HttpResponse:
    """Whom to call. Shown on request only, and the applicant sees that it was."""
    shown = opened(request, reference)
    journal.record(
        act="decide.read_contact",
        actor=queries.actor_of(person(request)),
        subject=shown.application.subject,
        now=timezone.now(),
        reason=queries.reason_of(shown, why_of(request, reference)),
        ground=queries.ground_of(shown, why_of(request, reference)),
        detail={"case": str(shown.pk)},
    )
    return show(request, shown, shows_contact=True)
