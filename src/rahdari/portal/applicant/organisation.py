"""An organisation's own page: what it has on the register, where that is in force, what ends, and what waits for it.

Everything is read for all its registrations at once, so that a bank with a hundred of them asks no more than a studio
with one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari import optional
from rahdari.address import Part, format_block, vpn
from rahdari.appeal import queries as appeals
from rahdari.applicant.overview import overviews
from rahdari.applicant.proofs import with_unproved
from rahdari.applicant.registration_status import may_go_on, standing_of, stays
from rahdari.applicant.representing import Asked, questions_to
from rahdari.applicant.stages import Stage, StageText
from rahdari.applicant.titles import service_title
from rahdari.apply import access, renewal, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as control_queries
from rahdari.control.models import Reproof
from rahdari.decide import case_clock
from rahdari.decide.models import Revocation
from rahdari.decide.remedies import notices_about
from rahdari.people import queries as people
from rahdari.people.access import person, person_required
from rahdari.people.models import Mandate, Organisation, User
from rahdari.people.rules import Act
from rahdari.publish import queries as publish
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import STANDING, UNDONE_WITHIN, Standing
from rahdari.tables import csv_tables as spreadsheets
from rahdari.web import values

from . import shared

ENDS_SOON = dt.timedelta(days=30)
MOST = 200
IN_WORDS = {
    "valid": lambda: pgettext("registration", "Valid"),
    "paused": lambda: _("Paused by the holder"),
    "suspended": lambda: _("Suspended"),
}
VIEWS = ("all", "soon", "not_in_force", "applications")
UNDER_WAY = ("draft", "submitted")


@dataclass(frozen=True)
class MemberRow:
    """One registration that is valid, or that rests: its addresses, where it is in force, until when, and whose
    branches they are."""

    registration: Registration
    state: str  # valid | paused | suspended
    service: str
    entries: Sequence[Entry]
    standing: publish.OperatorStanding
    branches: Sequence[str]
    ends_soon: bool
    may_renew: bool
    asked_again: int

    @property
    def addresses(self) -> int:
        return len({entry.block for entry in self.entries if not has_left(entry)})

    @property
    def endpoints(self) -> dict[Entry, tuple[Part, ...]]:
        return register.endpoints_among(self.entries)

    @property
    def is_in_force(self) -> bool:
        return self.standing.is_everywhere

    @property
    def days_left(self) -> int:
        return max((self.registration.valid_until - timezone.now()).days, 0)


def has_left(entry: Entry) -> bool:
    """Whether its holder left this address: it is on the list for a while yet, and counted no more."""
    return entry.kind != "dynamic" and not stays(entry)


@dataclass(frozen=True)
class UnderWay:
    """An application that is not decided, in the words of its page."""

    application: Application
    service: str
    text: StageText
    is_your_turn: bool


@dataclass(frozen=True)
class ToDo:
    """Something that waits for whoever reads: where it is done, and how urgent it is."""

    url: str
    text: str
    hint: str
    tone: str
    when: str


def _rows(found: Organisation, now: dt.datetime) -> list[MemberRow]:
    # All of them: the page counts them, and the table leaves none out. What has ended grows with the years.
    live = register.registrations_of(holders=[found.holder_ref]).filter(
        expired_at__isnull=True, struck_out_at__isnull=True
    )
    held = [each for each in live if register.standing(each, now) in STANDING]
    entries: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for entry in register.active_of_registrations(held):
        entries[entry.registration_id].append(entry)
    standings = publish.standings_of({each.pk: entries[each.pk] for each in held})
    known = subjects.endpoints_by_subjects({entry.subject for group in entries.values() for entry in group})
    asked = control_queries.reproofs_of(f"entry:{entry.pk}" for group in entries.values() for entry in group)
    open_ones = {about for about, proofs in asked.items() if proofs[0].state == Reproof.State.OPEN}
    policy = applications.policy_in_force()
    return [
        MemberRow(
            registration=each,
            state=standing_of(each, now),
            service=service_title(each.category, policy),
            entries=entries[each.pk],
            # Operators that have taken a resting one off their networks have nothing of it in force.
            standing=standings[each.pk] if each.suspended_at is None else publish.OperatorStanding(None, None, [], 0),
            branches=_branches(entries[each.pk], known),
            ends_soon=each.valid_until <= now + ENDS_SOON,
            may_renew=each.suspended_at is None and now >= renewal.renewal_opens_at(each, policy),
            asked_again=sum(f"entry:{entry.pk}" in open_ones for entry in entries[each.pk]),
        )
        for each in sorted(held, key=lambda one: one.valid_until)
    ]


def _branches(entries: Iterable[Entry], known: dict[str, Endpoint]) -> list[str]:
    endpoints = [known[entry.subject] for entry in entries if entry.subject in known]
    there = [each.branch for each in endpoints if each.branch is not None and each.branch.ended_at is None]
    return sorted({branch.name for branch in there}, key=str.casefold)


def _under_way(found: Organisation, now: dt.datetime) -> list[UnderWay]:
    rows = overviews(access.applications_for(found).filter(status__in=UNDER_WAY)[:MOST], now=now)
    # Who pays is told by the invoice.
    return [
        UnderWay(
            each.application,
            service_title(each.application.service),
            each.text,
            each.is_your_turn and each.stage is not Stage.FEE,
        )
        for each in rows
    ]


def _to_do(
    user: User, found: Organisation, rows: Sequence[MemberRow], under_way: Sequence[UnderWay], now: dt.datetime
) -> list[ToDo]:
    """What waits for whoever reads, the most urgent in front. Only what this person's role lets them do."""
    may_apply = people.may(user, Act.APPLY, organisation=found)
    sees_papers = people.may(user, Act.PAPERS, organisation=found)
    todo: list[ToDo] = []
    if sees_papers:
        todo += [_noticed(each) for each in notices_about(row.registration for row in rows)]
    taken_back = appeals.taken_back_among(register.registrations_of(holders=[found.holder_ref]))[:MOST]
    todo += [_taken_back(*each) for each in appeals.in_time(taken_back, now)]
    todo += [_answer(each, now) for each in questions_to(user, found)]
    if people.may(user, Act.PROVE, organisation=found):
        theirs = access.applications_to_prove(user).filter(organisation=found)[:MOST]
        todo += [_prove(each, left) for each, left in with_unproved(theirs) if left]
        todo += [_prove_again(row) for row in rows if row.asked_again and row.state == Standing.VALID]
    if may_apply:
        todo += [_renew(row) for row in rows if row.ends_soon and row.may_renew]
        todo += [_undo(each) for each in _just_ended(found, now)]
    if sees_papers:
        todo += [_provisional(row) for row in rows if row.registration.is_provisional and row.state == Standing.VALID]
        todo += [_go_on(each) for each in under_way if each.is_your_turn]
    return todo + [each for more in optional.given(__package__, "to_do") for each in more(user, found, now)]


def _noticed(notice: Any) -> ToDo:
    """`notice`: of `notices_about`."""
    place = reverse("portal:notice", args=[notice.case.application.reference])
    due = case_clock.answer_until(notice)
    if not notice.may_answer or notice.is_order:
        when = _("Being decided")
    else:
        when = _("Answer by %(date)s") % {"date": values.day(due)} if due is not None else _("You can answer")
    return ToDo(place, _("An officer proposes to revoke this registration"), notice.registration_number, "warn", when)


def _taken_back(taken: Revocation, until: dt.datetime | None) -> ToDo:
    reference = taken.registration.reference
    text = _("Suspended. You can appeal") if taken.kind == "suspension" else _("Struck out. You can appeal")
    when = _("until %(date)s") % {"date": values.day(until)} if until is not None else ""
    return ToDo(reverse("portal:registration", args=[reference]), text, reference, "bad", when)


def _answer(asked: Asked, now: dt.datetime) -> ToDo:
    url = reverse("portal:representative", args=[asked.organisation.pk, asked.check.pk])
    left = values.span_words(max(asked.until - now, dt.timedelta()))
    return ToDo(url, _("Does this person apply for you?"), asked.application.applicant.email, "warn", left)


def _prove(application: Application, left: int) -> ToDo:
    place = reverse("portal:prove_many", args=[application.reference])
    return ToDo(place, _("Addresses to prove"), application.reference, "warn", values.figure(left))


def _prove_again(row: MemberRow) -> ToDo:
    reference = row.registration.reference
    place = reverse("portal:registration", args=[reference])
    return ToDo(place, _("Give a proof again"), reference, "warn", values.figure(row.asked_again))


def _renew(row: MemberRow) -> ToDo:
    reference = row.registration.reference
    left = values.span_words(dt.timedelta(days=row.days_left)) if row.days_left else _("today")
    return ToDo(
        reverse("portal:renew", args=[reference]),
        _("Renew %(service)s") % {"service": row.service},
        reference,
        "warn",
        left,
    )


def _just_ended(found: Organisation, now: dt.datetime) -> list[Registration]:
    """Those that were ended at the holder's request, and stand again at a press."""
    since = now - dt.timedelta(days=2 * UNDONE_WITHIN.length)  # the last day is moved, if it is no working day
    ended = register.registrations_of(holders=[found.holder_ref]).filter(struck_out_at__gt=since)
    return [each for each in ended if may_go_on(each, now)]


def _undo(each: Registration) -> ToDo:
    place = reverse("portal:registration", args=[each.reference])
    until = register.undone_until(each, each.struck_out_at or each.stays_until, case_clock.calendar())
    when = _("until %(date)s") % {"date": values.last_day(until)}
    return ToDo(place, _("It has ended. You can undo that"), each.reference, "off", when)


def _provisional(row: MemberRow) -> ToDo:
    reference = row.registration.reference
    until = row.registration.provisional_until or row.registration.valid_until
    when = _("By %(date)s") % {"date": values.day(until)}
    return ToDo(
        reverse("portal:provisional", args=[reference]), _("Something is still missing"), reference, "wait", when
    )


def _go_on(each: UnderWay) -> ToDo:
    reference = each.application.reference
    place = reverse("portal:application", args=[reference])
    return ToDo(place, each.service, reference, each.text.tone, each.text.short)


@person_required
@never_cache
@require_safe
def organisation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    found, user, now = shared.organisation(request, id, Act.SEE), person(request), timezone.now()
    rows = _rows(found, now)
    sees_papers = people.may(user, Act.PAPERS, organisation=found)
    under_way = _under_way(found, now) if sees_papers else []
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    chosen = {
        "soon": [row for row in rows if row.ends_soon],
        "not_in_force": [row for row in rows if not row.is_in_force],
        "applications": [],
    }
    owns = people.owns(user=user, organisation=found)
    context = {
        "organisation": found,
        "owns": owns,
        "sees_papers": sees_papers,
        "may_apply": people.may(user, Act.APPLY, organisation=found),
        "rows": chosen.get(view, rows),
        "under_way": under_way,
        "view": view,
        "total": len(rows),
        "soon": len(chosen["soon"]),
        "not_in_force": len(chosen["not_in_force"]),
        "addresses": sum(row.addresses for row in rows),
        "in_force": sum(row.addresses for row in rows if row.is_in_force),
        "had_some": bool(rows) or people.was_registered(found),
        "to_do": _to_do(user, found, rows, under_way, now),
        "members": people.members_of(found).count(),
        "branches": people.branches_of(found).count(),
        "agents": _agents(found, now).count() if owns else 0,
    }
    return render(request, "portal/applicant/organisation.html", context)


def _agents(found: Organisation, now: dt.datetime) -> QuerySet[Mandate]:
    return people.mandates_of(found).filter(accepted_at__isnull=False, ended_at__isnull=True, valid_until__gt=now)


@person_required
@never_cache
@require_safe
def address_list(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Every address that the organisation has on the register, for a spreadsheet."""
    found, now = shared.organisation(request, id, Act.SEE), timezone.now()
    rows = _rows(found, now)
    known = subjects.endpoints_by_subjects({entry.subject for row in rows for entry in row.entries})
    heading = [
        _("Registration"),
        _("Address"),
        _("Protocol"),
        _("Port"),
        _("Name of the place"),
        _("Branch"),
        _("Valid until"),
        _("In force at"),
        _("Now"),
    ]
    text = spreadsheets.write_table(
        heading, (_cells(row, *each, known) for row in rows for each in row.endpoints.items())
    )
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="addresses.csv"'
    return response


def _cells(row: MemberRow, entry: Entry, parts: tuple[Part, ...], known: dict[str, Endpoint]) -> list[str]:
    endpoint = known.get(entry.subject)
    branch = endpoint.branch if endpoint is not None else None
    # An address that is being left ends by itself; of the others the term counts, as on every page, and not the grace.
    ends = min(entry.valid_until, row.registration.valid_until)
    return [
        row.registration.reference,
        format_block(entry.block),
        *vpn.in_columns(parts),
        endpoint.label if endpoint is not None else "",
        branch.name if branch is not None and branch.ended_at is None else "",
        timezone.localtime(ends).date().isoformat(),
        f"{len(row.standing.in_force)}/{row.standing.operators_total}",
        _("Left by the holder") if has_left(entry) else IN_WORDS[row.state](),
    ]
