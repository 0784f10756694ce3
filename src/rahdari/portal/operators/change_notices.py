"""From what a planned change would cut to the draft of a notice, in one press.

The page sends back the numbers of the entries alone: of the change itself nothing is kept, and nothing could be sent.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from rahdari.maintenance import actions, queries, reading
from rahdari.maintenance import words as maintenance_words
from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import FEED_ID, Component, Impact, Plan, Reason
from rahdari.people import queries as people
from rahdari.people.access import operator_required, person
from rahdari.preflight import MOST_ENTRIES, Action, Answer, State
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator
from rahdari.web import errors
from rahdari.web.posting import posted_from

# What each state is called in a notice.
IMPACTS = {State.CUT: Impact.OUTAGE, State.AFFECTED: Impact.DEGRADED}


def offered(found: Answer) -> dict[str, Any] | None:
    """What the button sends: the numbers of the entries by their state, and why there is work. None where a notice
    cannot name them all."""
    if not found.found or found.cut + found.affected > most():
        return None
    ids = {state: " ".join(each.entry.id for each in found.found if each.verdict.state is state) for state in IMPACTS}
    done = {action for each in found.found for action in each.verdict.actions}
    reason = Reason.RENUMBER if Action.RENUMBER in done else Reason.MOVE if Action.REROUTE in done else Reason.OTHER
    return {"cut": ids[State.CUT], "affected": ids[State.AFFECTED], "reason": reason}


def most() -> int:
    """How many entries a notice names."""
    return min(queries.terms().most_components, MOST_ENTRIES)


def draft(*, operator: Operator, ids: Mapping[State, Iterable[str]], reason: Reason, by: str) -> Work:
    """The draft of planned work that does to these entries what the change does. Raises `reading.REFUSALS`."""
    components = [Component(None, IMPACTS[state], feed_id=id) for state, each in ids.items() for id in each]
    said = {}
    for language in ("en", "ur"):
        with translation.override(language):
            said[language] = _("We change our network. Connections to your address may be interrupted.")
    plan = Plan(components=components, reason=reason, text_en=said["en"], text_ur=said["ur"])
    return actions.draft(operator=operator, plan=plan, by=by, now=timezone.now())


@operator_required
@never_cache
@posted_from("portal:planned_changes")
def draft_notice(request: HttpRequest) -> HttpResponse:
    operator = publish.operator_by_slug(people.operator_of(person(request)) or "")
    if operator is None or not operator.active:
        return errors.no_access(request)
    ids = {state: list(filter(FEED_ID.fullmatch, request.POST.get(state, "").split())) for state in IMPACTS}
    given = request.POST.get("reason", "")
    reason = Reason(given) if given in {Reason.RENUMBER, Reason.MOVE} else Reason.OTHER
    try:
        work = draft(operator=operator, ids=ids, reason=reason, by=f"person:{person(request).pk}")
    except reading.REFUSALS as error:
        messages.warning(request, maintenance_words.refused(error))
        return redirect("portal:planned_changes")
    if request.POST.get("unread"):
        messages.warning(request, _("This draft may leave entries out: lines of the change were not understood."))
    messages.success(request, _("The draft is saved. We have told nobody yet. Enter the day and the time."))
    return redirect("maintenance:operator_change", reference=work.reference)
