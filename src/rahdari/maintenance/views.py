"""Pages of whoever announces work: an operator at its own pages, the regulator at the desk. They are the same pages;
whose works they show, and whose networks can be named, is said by the side.

Invariants: an operator sees its own works alone; nothing here says who holds an entry, or how many hold one.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people import queries as people
from rahdari.people import quoting
from rahdari.people.access import officer_required, operator_required, person
from rahdari.publish import queries as networks
from rahdari.publish.models import Operator
from rahdari.web import errors, limits
from rahdari.web.posting import posted_from

from . import actions, calendars, figures, maintnote, moving, queries, reading, rules, words
from .forms import CalendarFileForm, ProlongForm, StaysForm, WorkForm
from .models import Work
from .rules import State, Stays

SHOWN = 50
# Of those who ask for another night so many are shown, and so many nights that can be taken at once; all are counted.
MOST_REQUESTS, MOST_NIGHTS = 50, 5
# The acts of which the page of a work asks whether they are possible now.
OFFERED = ("announce", "change", "cancel", "start", "prolong", "complete")
# A calendar program asks every hour, or every few minutes at most.
FEED_RATE, FEED_PER = 60, 3600


@dataclass(frozen=True)
class Side:
    """Who announces: an operator, or the regulator without one. `by` is the person, for the journal."""

    name: str
    operator: Operator | None
    by: str

    def path(self, page: str, *args: Any) -> str:
        return reverse(f"maintenance:{self.name}_{page}", args=args)


type SideView = Callable[..., HttpResponse]


def at_operator(view: SideView) -> Callable[..., HttpResponse]:
    @operator_required
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        operator = networks.operator_by_slug(people.operator_of(person(request)) or "")
        if operator is None or not operator.active:
            # The post names an operator that is not, or no longer, in the list.
            return errors.no_access(request)
        return view(request, Side("operator", operator, f"person:{person(request).pk}"), **given)

    return guarded


def at_desk(view: SideView) -> Callable[..., HttpResponse]:
    @officer_required
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        return view(request, Side("desk", None, f"officer:{person(request).pk}"), **given)

    return guarded


def _page(request: HttpRequest, side: Side, page: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    places = {"list_path": side.path("works"), "new_path": side.path("new")}
    return render(request, f"maintenance/{page}.html", {"side": side, **places, **context}, status=status)


def _work(side: Side, reference: str) -> Work:
    try:
        return queries.work_of(side.operator, reference)
    except queries.WorkNotFound:
        raise Http404 from None


@never_cache
@require_safe
def works(request: HttpRequest, side: Side) -> HttpResponse:
    return _works(request, side)


def _works(request: HttpRequest, side: Side, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    found = list(queries.works_of(side.operator)[:SHOWN])
    asked = queries.waiting_by_work(found)
    context = {
        "rows": [
            (
                each,
                words.state(each.state),
                each.is_overrun(now),
                side.path("work", each.reference),
                asked.get(each.pk, 0),
            )
            for each in found
        ],
        "figures": figures.figures_of(side.operator, now=now),
        "terms": queries.terms(),
        "account": reading.accounts_of(side.operator)[0] if side.operator is not None else "",
        "file_form": CalendarFileForm() if side.operator is not None else None,
        "read_path": side.path("read") if side.operator is not None else "",
        "wordings": queries.wordings_to_read()[:SHOWN] if side.operator is None else (),
    }
    return _page(request, side, "works", context | more, status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, side: Side) -> HttpResponse:
    form = WorkForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = actions.draft(operator=side.operator, plan=form.plan, by=side.by, now=timezone.now())
        except reading.REFUSALS as error:
            _tell(form, error)
        else:
            messages.success(request, _("The draft is saved. We have told nobody yet."))
            return redirect(side.path("work", made.reference))
    return _page(request, side, "form", {"form": form, "terms": queries.terms()}, 422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, side: Side, reference: str) -> HttpResponse:
    """A draft is edited, and announced work changed: then everybody hears whom it affects."""
    work, now = _work(side, reference), timezone.now()
    here = side.path("work", reference)
    act = "edit" if work.state == State.DRAFT else "change"
    if not rules.allows(work.state, act):
        messages.warning(request, words.refused(actions.NotPossibleNow(work, act)))
        return redirect(here)
    form = WorkForm(request.POST if request.method == "POST" else None, work=work)
    if form.is_bound and form.is_valid():
        try:
            (actions.edit if act == "edit" else actions.change)(work=work, plan=form.plan, by=side.by, now=now)
        except reading.REFUSALS as error:
            _tell(form, error)
        else:
            if act == "edit":
                messages.success(request, _("The draft is saved. We have told nobody yet."))
            else:
                messages.success(request, _("It is changed. The holders are told."))
            return redirect(here)
    context = {"form": form, "work": work, "terms": queries.terms(), "back_path": here}
    return _page(request, side, "form", context, 422 if form.is_bound else 200)


def _tell(form: WorkForm, error: Exception) -> None:
    """Beside the field that mends it."""
    match error:
        case actions.WindowNotTaken(fault=rules.WindowFault.INTERRUPTED_LONGER):
            field = "minutes"
        case actions.WindowNotTaken(fault=rules.WindowFault.PAST | rules.WindowFault.TOO_FAR):
            field = "day"
        case actions.WindowNotTaken():
            field = "ends"
        case quoting.LeadsAway(text=text):
            field = "text_ur" if text == " ".join(form.cleaned_data["text_ur"].split()) else "text_en"
        case actions.SaysNotWhy():
            field = "text_en"
        case actions.EntryNotYours() | actions.NetworkNotYours() | actions.NothingAffected():
            field = "affected"
        case _:
            form.add_error(None, words.refused(error))
            return
    form.add_error(field, words.refused(error))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def work(request: HttpRequest, side: Side, reference: str) -> HttpResponse:
    """One work; what may be done with it now is done here."""
    found, now = _work(side, reference), timezone.now()
    act = request.POST.get("act")
    form = ProlongForm(request.POST) if act == "prolong" else StaysForm(request.POST) if act == "stays" else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            gone = _act(request, side, found, form)
        except reading.REFUSALS as error:
            gone = False
            if isinstance(form, ProlongForm) and isinstance(error, actions.WindowNotTaken):
                form.add_error("ends", words.refused(error))
            elif isinstance(form, StaysForm) and isinstance(error, quoting.LeadsAway):
                form.add_error("said", words.refused(error))
            else:
                messages.warning(request, words.refused(error))
        if form is None or form.is_valid():
            return redirect(side.path("works") if gone else side.path("work", reference))
    hits = queries.hits(found) if found.state in {State.DRAFT, *rules.OPEN} else []
    affected = [hit for hit in hits if hit.impact is not rules.Impact.NO_IMPACT]
    terms = queries.terms()
    is_past = found.state == State.DRAFT and _is_past(found, now)
    context = {
        "work": found,
        "state": words.state(found.state),
        "reason": words.reason(found.reason),
        "interrupted": words.interrupted(found.minutes) if found.minutes else "",
        "components": [(rules.place_of(each), each.feed_id, words.impact(each.impact)) for each in found.components],
        "entries": len(hits),
        "affected_entries": len(affected),
        "is_draft": found.state == State.DRAFT,
        "is_overrun": found.is_overrun(now),
        "may": {act: _may(found, act, now) for act in OFFERED},
        "is_past": is_past,
        "notice": found.starts_at - (found.told_at or now) if found.starts_at and not is_past else None,
        "in_time": bool(found.starts_at)
        and rules.is_in_time(told_at=found.told_at or now, starts_at=found.starts_at or now, terms=terms),
        "terms": terms,
        "prolong_form": form
        if isinstance(form, ProlongForm)
        else ProlongForm(initial={"day": timezone.localdate(now)}),
        **_requests(found, form, now),
        "change_path": side.path("change", reference),
    }
    return _page(request, side, "work", context, 422 if form is not None else 200)


def _may(work: Work, act: str, now: dt.datetime) -> bool:
    """Whether the page offers it: there is such a move, and it is time for it."""
    since = rules.possible_from(work.state, act, work.starts_at)
    has_its_window = act != "announce" or (
        work.starts_at is not None and work.ends_at is not None and not _is_past(work, now)
    )
    return rules.allows(work.state, act) and has_its_window and (since is None or now >= since)


def _is_past(work: Work, now: dt.datetime) -> bool:
    """Of a draft: it cannot be announced any more with its window."""
    return rules.judge_draft(starts_at=work.starts_at, ends_at=work.ends_at, now=now) is rules.WindowFault.PAST


def _requests(work: Work, form: Form | None, now: dt.datetime) -> dict[str, Any]:
    """Who asks for another night: counted first, then what each says, with the addresses that stand in the notice."""
    waiting = list(queries.requests_about(work).filter(due_at__gt=now))
    today = timezone.localdate(now)
    return {
        "asked": len(waiting),
        "answer_by": waiting[0].due_at if waiting else None,
        "requests": queries.told_to(waiting[:MOST_REQUESTS]),
        "nights": sorted({each.night for each in waiting if each.night and each.night > today})[:MOST_NIGHTS],
        "stays_form": form if isinstance(form, StaysForm) else StaysForm(),
    }


def _night(given: str) -> dt.date:
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise Http404 from None


def _act(request: HttpRequest, side: Side, work: Work, form: Form | None) -> bool:
    """Do what was pressed; returns whether the work is gone. What is not offered is a 404."""
    facts: dict[str, Any] = {"work": work, "by": side.by, "now": timezone.now()}
    match request.POST.get("act"):
        case "announce":
            actions.announce(**facts)
            messages.success(request, _("It is announced. The holders are told now."))
        case "cancel":
            actions.cancel(**facts)
            messages.success(request, _("It is cancelled. The holders are told now."))
        case "start":
            actions.start(**facts)
            messages.success(request, _("It is noted that the work has begun."))
        case "complete":
            actions.complete(**facts)
            messages.success(request, _("It is noted that the work is over. The holders are told now."))
        case "move":
            moving.move(night=_night(request.POST.get("night", "")), **facts)
            messages.success(request, _("It is moved. The holders are told, and those who asked have the answer."))
        case "stays" if isinstance(form, StaysForm):
            given = form.cleaned_data
            moving.keep(code=Stays(given["code"]), said=given["said"], **facts)
            messages.success(request, _("Those who asked have your answer."))
        case "prolong" if isinstance(form, ProlongForm):
            actions.prolong(expected_end_at=form.expected_end_at, **facts)
            messages.success(request, _("The expected end is changed."))
        case "discard":
            actions.discard(**facts)
            messages.success(request, _("The draft is deleted. We had told nobody."))
            return True
        case _:
            raise Http404
    return False


@never_cache
def read(request: HttpRequest, side: Side) -> HttpResponse:
    """Notices of the operator's own program, read in from a file."""
    assert side.operator is not None  # noqa: S101 - at_operator
    form = CalendarFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _works(request, side, 422, file_form=form)
    try:
        outcomes = reading.read_in(operator=side.operator, content=form.content(), by=side.by, now=timezone.now())
    except reading.FileNotTaken as error:
        form.add_error("file", words.file_trouble(error.trouble))
        return _works(request, side, 422, file_form=form)
    shown = [(each, words.did(each.did), each.reference and side.path("work", each.reference)) for each in outcomes]
    return _works(request, side, outcomes=shown)


def wording(request: HttpRequest, side: Side, id: uuid.UUID) -> HttpResponse:
    """An officer has read what an operator wrote."""
    is_shown = {"show": True, "keep": False}.get(request.POST.get("act", ""))
    if is_shown is None:
        raise Http404
    try:
        actions.read_wording(id=id, is_shown=is_shown, by=side.by, now=timezone.now())
    except actions.WordingNotFound:
        raise Http404 from None
    if is_shown:
        messages.success(request, _("Holders read these words from now on."))
    else:
        messages.success(request, _("Holders do not read these words. The operator sees that."))
    return redirect(side.path("works"))


# -- calendars -----------------------------------------------------------------------------------------------------


@require_safe
def calendar(request: HttpRequest, id: uuid.UUID, token: str) -> HttpResponse:
    """A holder's calendar, for whoever has its address. One that has ended, and one that never was, look alike."""
    found = queries.calendar_at(id, token)
    if found is None or not limits.allow(f"maintenance.calendar:{id}", rate=FEED_RATE, per=FEED_PER):
        if found is not None:
            return errors.too_many(request)
        raise Http404
    content, tag = calendars.read(found, now=timezone.now())
    tag = f'"{tag}"'
    if tag in {each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")}:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type=maintnote.MEDIA)
        response["Content-Disposition"] = 'inline; filename="planned-work.ics"'
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


DESK_WORDING = at_desk(posted_from("maintenance:desk_works")(wording))
OPERATOR_READ = at_operator(posted_from("maintenance:operator_works")(read))
