"""Who is told of an incident: letters to its holders, to people of its operator, and to supervisors; events to the
operator's own system. They name nobody, and no address: the page has it.
"""

import datetime as dt
from typing import Any

from django.urls import reverse

from rahdari.confirm import callbacks
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import Role
from rahdari.web.language import in_both

from . import queries, words
from .models import Incident, Report
from .rules import Channel

OPENED, DISPUTED = "incident.opened", "incident.disputed"


def reported(incident: Incident, report: Report, now: dt.datetime) -> None:
    """To the holder, also of what they did not report themselves: measured, or by somebody who called."""
    how: dict[str, Any] = {"measured": report.channel == Channel.MEASURED, "called": report.channel == Channel.DESK}
    if incident.is_muted(now):
        how["muted_until"] = incident.muted_until
    _to_holder(incident, report, "incident_reported", now, mend_by=incident.mend_due_at, **how)


def answered(incident: Incident, said: str, now: dt.datetime, *, mended: bool = False) -> None:
    """Why it is cut, or that it is mended; and until when they can dispute that it is over."""
    claimed_at = incident.claimed_at
    until = {"until": claimed_at + queries.times().dispute} if claimed_at is not None else {}
    context = {"disputes": claimed_at is not None and not mended, "mended": mended, **until}
    reason = in_both(lambda: words.reason(incident.reason))
    _to_holders(incident, "incident_answered", now, reason=reason, text=said, **context)


def closed(incident: Incident, now: dt.datetime) -> None:
    outcome = in_both(lambda: words.state(incident.state))
    _to_holders(incident, "incident_closed", now, outcome=outcome, until=now + queries.times().open_again)


def told_what_happened(incident: Incident, now: dt.datetime) -> None:
    _to_holders(incident, "incident_report", now)


def asked(incident: Incident, now: dt.datetime) -> None:
    """Its operator; in a window of announced work nobody is alarmed."""
    if not incident.is_muted(now):
        _to_operator(incident, "incident_asked", OPENED, now)


def disputed(incident: Incident, now: dt.datetime) -> None:
    _to_operator(incident, "incident_disputed", DISPUTED, now)


def escalated(incident: Incident, due_at: dt.datetime, now: dt.datetime) -> None:
    """Each supervisor: somebody did not do in time what they have to."""
    operator = incident.operator
    for user in {post.user for post in people.all_posts().filter(role=Role.SUPERVISOR, user__is_active=True)}:
        letters.write_letter(
            to=user,
            template="incident_late",
            about=incident.subject,
            context={
                "reference": incident.reference,
                "operator": operator.name_en if operator is not None else "–",
                "due_at": due_at,
                "url": reverse("incident:incident", args=[incident.reference]),
            },
            now=now,
        )


def _to_operator(incident: Incident, template: str, event: str, now: dt.datetime) -> None:
    operator = incident.operator
    if operator is None:
        return
    due = {"answer_until": incident.answer_due_at.isoformat(), "mend_until": incident.mend_due_at.isoformat()}
    callbacks.put_event(operator=operator.slug, event=event, data={"incident": incident.reference, **due}, now=now)
    for post in people.posts_at_operator(operator.slug):
        letters.write_letter(
            to=post.user,
            template=template,
            about=incident.subject,
            context={
                "reference": incident.reference,
                "due_at": incident.answer_due_at,
                "mend_by": incident.mend_due_at,
                "url": reverse("incident:one_of_operator", args=[incident.reference]),
            },
            now=now,
        )


def _to_holders(incident: Incident, template: str, now: dt.datetime, **context: Any) -> None:
    """One letter for each registration, however many of its connections are cut."""
    told: dict[Any, Report] = {each.registration_id: each for each in queries.standing_reports(incident)}
    for report in told.values():
        _to_holder(incident, report, template, now, **context)


def _to_holder(incident: Incident, report: Report, template: str, now: dt.datetime, **context: Any) -> None:
    registration = report.registration
    if registration is None:
        return
    operator = {"operator": incident.operator.name_en} if incident.operator is not None else {}
    for user in people.people_to_notify(registration.holder):
        letters.write_letter(
            to=user,
            template=template,
            about=f"registration:{registration.pk}",
            context={
                "reference": incident.reference,
                "registration": registration.reference,
                "url": reverse("portal:incident", args=[registration.reference, incident.reference]),
                **operator,
                **context,
            },
            now=now,
        )
