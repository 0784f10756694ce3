"""The officer's page of the feed: removals that are held and wait for a second person, and how each operator
stands."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.access import actor_of, officer_required, person
from rahdari.people.models import Role, User
from rahdari.publish import holds, operator_lag
from rahdari.publish import queries as publish
from rahdari.publish.models import RemovalHold
from rahdari.publish.operator_lag import OperatorLag
from rahdari.web import values
from rahdari.web.posting import posted_from

from .forms import HoldForm

TONES = {"in_sync": "ok", "behind": "warn", "drift": "bad", "incomplete": "bad", "never": "wait"}
_STATES: dict[str, Callable[[], str]] = {
    "in_sync": lambda: pgettext("an operator", "Up to date"),
    "behind": lambda: pgettext("an operator", "Behind"),
    "drift": lambda: pgettext("an operator", "Another list"),
    "incomplete": lambda: pgettext("an operator", "Not loaded everywhere"),
    "never": lambda: pgettext("an operator", "Not heard from yet"),
}
OPEN = [("approve", gettext_lazy("Let them be removed")), ("cancel", gettext_lazy("Let them stay"))]
APPROVED = [("cancel", gettext_lazy("Let them stay"))]
CANCELLED = [("reopen", gettext_lazy("Ask again"))]


@dataclass(frozen=True)
class HeldRow:
    """A hold as this officer sees it. `why_not` says why it is not theirs to approve."""

    hold: RemovalHold
    heading: str
    text: str
    tone: str
    whose: list[str]
    why_not: str
    form: HoldForm


@dataclass(frozen=True)
class OperatorRow:
    seen: OperatorLag
    state: str
    tone: str = field(default="wait")


@never_cache
@require_safe
@officer_required
def feed(request: HttpRequest) -> HttpResponse:
    return _page(request, timezone.now())


@never_cache
@officer_required
@posted_from("portal:feed")
def decide_hold(request: HttpRequest, hold: uuid.UUID) -> HttpResponse:
    now = timezone.now()
    found = next((each for each in holds.open_holds() if each.pk == hold), None)
    if found is None:
        raise Http404
    form = HoldForm(request.POST, decisions=[*OPEN, *CANCELLED])
    if not form.is_valid():
        return _page(request, now, wrong={hold: form}, status=422)
    decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
    act = {"approve": holds.approve_hold, "cancel": holds.cancel_hold, "reopen": holds.reopen_hold}[decision]
    try:
        act(hold=found, actor=actor_of(person(request), Role.OFFICER), reason=reason, now=now)
    except seconding.NotSecond as error:
        messages.error(request, seconding.says(error.why))
    except holds.HoldDecided:
        messages.error(request, _("Another officer has decided this a moment ago."))
    else:
        messages.success(request, _DONE[decision]())
    return redirect("portal:feed")


_DONE: dict[str, Callable[[], str]] = {
    "approve": lambda: _("The entries are removed when the waiting period ends."),
    "cancel": lambda: _("The entries stay in the feed until their own term ends."),
    "reopen": lambda: _("The removals now wait for another officer."),
}


def _page(
    request: HttpRequest, now: dt.datetime, *, wrong: dict[uuid.UUID, HoldForm] | None = None, status: int = 200
) -> HttpResponse:
    officer = person(request)
    held = [_held(hold, officer, now, (wrong or {}).get(hold.pk)) for hold in holds.open_holds()]
    rows = [
        OperatorRow(seen, _STATES[str(seen.state)](), TONES[str(seen.state)])
        for seen in operator_lag.operators_with_lag(now)
    ]
    behind = sum(row.seen.state != "in_sync" for row in rows)
    context: dict[str, Any] = {
        "wide": True,
        "held": held,
        "is_wrong": bool(wrong),
        "operators": rows,
        "heading": _heading(waiting=publish.holds_waiting(), behind=behind, operators=len(rows)),
        "edition": publish.latest_edition(),
        "waiting": publish.changes_waiting(),
    }
    return render(request, "portal/staff/feed.html", context, status=status)


def _heading(*, waiting: int, behind: int, operators: int) -> str:
    if waiting:
        return ngettext(
            "%(count)s removal of many entries waits for a second officer",
            "%(count)s removals of many entries wait for a second officer",
            waiting,
        ) % {"count": values.figure(waiting)}
    if behind:
        return ngettext("%(count)s operator is not up to date", "%(count)s operators are not up to date", behind) % {
            "count": values.figure(behind)
        }
    return _("All operators are up to date") if operators else _("No operator follows the feed yet")


def _held(hold: RemovalHold, officer: User, now: dt.datetime, wrong: HoldForm | None) -> HeldRow:
    enders = holds.who_ended(hold)
    own = seconding.why_not(actor_of(officer, Role.OFFICER), [hold.asked_by, *(actor for actor, _ in enders)], now)
    yours = own == seconding.WhyNot.SAME
    decisions = {
        RemovalHold.State.WAITING: OPEN,
        RemovalHold.State.APPROVED: APPROVED,
        RemovalHold.State.CANCELLED: CANCELLED,
    }
    offered = decisions[RemovalHold.State(hold.state)]
    if yours and hold.state == RemovalHold.State.WAITING:
        offered = APPROVED
    text, tone = _described(hold, now)
    return HeldRow(
        hold=hold,
        heading=ngettext(
            "%(count)s of %(all)s entries was to be removed at once",
            "%(count)s of %(all)s entries were to be removed at once",
            hold.removals,
        )
        % {"count": values.figure(hold.removals), "all": values.figure(hold.entries)},
        text=text,
        tone=tone,
        whose=[_whose(actor, number) for actor, number in enders],
        why_not=_("You ended some of these yourself, so a second officer decides.") if yours else "",
        form=wrong or HoldForm(decisions=offered, auto_id=f"id_{hold.pk.hex[:8]}_%s"),
    )


def _described(hold: RemovalHold, now: dt.datetime) -> tuple[str, str]:
    if hold.state == RemovalHold.State.CANCELLED:
        return _("They stay in the feed until their own term ends."), "off"
    if hold.state == RemovalHold.State.APPROVED:
        if hold.due_at > now:
            return _("Approved. The entries are removed when the waiting period ends."), "wait"
        return _("Approved. The entries are removed with the next edition."), "ok"
    return _("They stay in the feed until a second officer has decided."), "warn"


def _whose(actor: str, number: int) -> str:
    kind, _colon, name = actor.partition(":")
    count = values.figure(number)
    if actor == "clock":
        return ngettext(
            "%(count)s registration reached the end of its term.",
            "%(count)s registrations reached the end of their term.",
            number,
        ) % {"count": count}
    if kind == Role.OFFICER:
        return ngettext(
            "%(count)s registration was struck out by %(officer)s.",
            "%(count)s registrations were struck out by %(officer)s.",
            number,
        ) % {"count": count, "officer": people.name_of_staff(name) or _("an officer")}
    return ngettext(
        "%(count)s registration was ended by its holder.",
        "%(count)s registrations were ended by their holders.",
        number,
    ) % {"count": count}
