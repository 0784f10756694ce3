"""Reads of incidents. `for_operator` and `for_officer` are the gatekeepers; a holder reaches one by a registration.

An operator sees addresses of its own networks and never who holds them. Officers see that there is an incident, and
what was measured only where the holder opened it.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When

from rahdari import policy
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Incidents
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration

from . import announced, measured, rules
from .models import Happening, Incident, Pack, Report
from .rules import CUT, ENDED, LIVE, Cause, Facts, Look, Reason, State

# An operator's list has the last of those that are over.
ENDED_SHOWN = 20


class IncidentNotFound(RahdariError):
    """There is no such incident, or it is not for you: nobody learns which. `.reference` is what was asked for."""

    says = "no incident {reference!r} for this reader"
    reference: str


def times() -> Incidents:
    return policy.current(settings.POLICY_FILE).incidents


def incidents() -> QuerySet[Incident]:
    return Incident.objects.select_related("operator", "merged_into")


def live() -> QuerySet[Incident]:
    return incidents().filter(state__in=sorted(LIVE)).order_by("opened_at", "id")


def standing_reports(incident: Incident) -> list[Report]:
    """Those that nobody took back."""
    found = incident.reports.filter(withdrawn_at__isnull=True).select_related("registration")
    return list(found.order_by("reported_at", "id"))


def subject_of(entry: Entry) -> str:
    """How the room `watch` knows a connection."""
    return f"entry:{entry.line.feed_id}"


def operator_for(entry: Entry) -> Operator | None:
    """Whose it is to mend: the active operator that has a network of the address."""
    for asn in (*sorted(entry.asns), entry.asn):
        if (found := publish.operator_of_network(asn)) is not None:
            return found
    return None


def cause_of(incident: Incident) -> Cause:
    """What new reports are compared with."""
    blocks = tuple(each.block for each in standing_reports(incident) if each.block is not None)
    operator = str(incident.operator_id or "")
    said = incident.measured if incident.measured not in ("", "not_enough", "in_order") else ""
    return Cause(operator, blocks, incident.began_at, said)


def looked_at(incident: Incident, now: dt.datetime) -> list[tuple[Report, list[Look]]]:
    """Each report that stands, with all looks at its connection since it began."""
    reports = standing_reports(incident)
    looks = measured.looks_of([each.subject for each in reports], incident.began_at, now=now)
    return [(each, looks[each.subject]) for each in reports]


def facts_of(incident: Incident, now: dt.datetime) -> Facts:
    """What the guards of the moves look at, as it is now."""
    looked, allowed = looked_at(incident, now), times()
    reports, waits = [each for each, _ in looked], rules.awaited(looked)
    since = incident.claimed_at or incident.began_at
    is_measured = any(looks for _, looks in looked)
    answered = [
        rules.answers_again(looks, needed=allowed.looks, holder_says_so=each.works_at is not None)
        if looks
        else each.works_at is not None
        for each, looks in waits
    ]
    # A row that has begun is no lateness: what is looked at once an hour needs hours to be shown.
    is_answering = is_measured and all(rules.answered_in_a_row(looks) > 0 for _, looks in waits)
    cut = [rules.failed_in_a_row([look for look in looks if look.at > since]) for _, looks in waits]
    return Facts(
        has_operator=incident.operator_id is not None,
        reason=Reason(incident.reason) if incident.reason else None,
        is_measured=is_measured,
        answers_again=is_measured and rules.all_answer(answered),
        is_cut_again=any(count >= allowed.looks for count in cut),
        all_work=rules.all_answer(each.works_at is not None for each in reports),
        is_only_report=len(reports) <= 1,
        answer_is_late=_is_late(incident.answer_due_at, incident.late_answer_at, now) and not incident.is_muted(now),
        mend_is_late=_is_late(incident.mend_due_at, incident.late_mend_at, now)
        and not incident.is_muted(now)
        and not is_answering,
        report_is_late=incident.reported_at is None and _is_late(incident.report_due_at, incident.late_report_at, now),
        is_muted=incident.muted_until is not None,
        window_is_over=not incident.is_muted(now),
        is_undisputed=incident.claimed_at is not None and incident.claimed_at + allowed.dispute <= now,
        is_work_alone=not reports and incident.work != "" and announced.is_over(incident.work, now),
        may_open_again=incident.ended_at is not None
        and incident.state in ENDED
        and now < incident.ended_at + allowed.open_again,
    )


def _is_late(due: dt.datetime | None, told: dt.datetime | None, now: dt.datetime) -> bool:
    """Also once more where the clock began anew since."""
    return due is not None and due <= now and (told is None or told < due)


# -- the holder ----------------------------------------------------------------------------------------------------


def reports_of(registration: Registration) -> QuerySet[Report]:
    """What was reported of it, the newest first. The caller has made sure that the registration is theirs."""
    found = Report.objects.filter(registration=registration).select_related("incident__operator")
    return found.order_by("-reported_at", "id")


def incidents_of(registration: Registration) -> list[Incident]:
    """Each once, the newest first."""
    return list(dict.fromkeys(each.incident for each in reports_of(registration)))


def open_among(registrations: QuerySet[Registration]) -> QuerySet[Report, tuple[str, str, str]]:
    """What is open of all of these: its number, that of the registration, and how it stands. Each once."""
    found = Report.objects.filter(registration__in=registrations.values("pk"), withdrawn_at__isnull=True)
    found = found.filter(incident__state__in=sorted(LIVE)).order_by("incident__reference", "registration__reference")
    return found.values_list("incident__reference", "registration__reference", "incident__state").distinct()


def incident_for_holder(*, registration: Registration, reference: str) -> tuple[Incident, list[Report]]:
    """One incident, and what was reported of this registration in it. Raises IncidentNotFound."""
    found = incidents().filter(reference=reference.replace("\0", "").upper()).first()
    reports = list(reports_of(registration).filter(incident=found)) if found is not None else []
    if found is None or not reports:
        raise IncidentNotFound(reference)
    return found, reports


def open_report_of(registration: Registration, subject: str) -> Report | None:
    """The report of this connection that is not over, if there is one."""
    found = reports_of(registration).filter(subject=subject, withdrawn_at__isnull=True)
    return found.filter(incident__state__in=sorted(LIVE)).first()


def said_to(incident: Incident, reports: Iterable[Report]) -> QuerySet[Happening]:
    """What happened, as the holder of these reports sees it: nothing that concerns another one alone."""
    mine = Q(report__isnull=True) | Q(report__in=[each.pk for each in reports])
    return happenings_of(incident).filter(mine)


def happenings_of(incident: Incident) -> QuerySet[Happening]:
    """What happened, the first first. One act opens an incident and joins more to it: the opening comes before."""
    begins = Case(When(act="open", then=0), default=1)
    return incident.happenings.order_by("at", begins, "id")


def pack_of(incident: Incident, registration: Registration) -> Pack | None:
    """The last one that was asked for."""
    found = incident.packs.filter(registration=registration, erased_at__isnull=True)
    return found.order_by("-asked_at", "-id").first()


def others_at(incident: Incident, reports: Iterable[Report]) -> int:
    """How many connections of others the same cause cut."""
    mine = {each.registration_id for each in reports}
    others = incident.reports.filter(withdrawn_at__isnull=True).exclude(registration__in=mine)
    return others.values("subject").distinct().count()


def holders_of(id: str | uuid.UUID) -> set[uuid.UUID]:
    """Whose connections an incident is about."""
    found = Report.objects.filter(incident__pk=id, holder__isnull=False, withdrawn_at__isnull=True)
    return {holder for holder in found.values_list("holder", flat=True) if holder is not None}


# -- the operator --------------------------------------------------------------------------------------------------


def of_operator(operator: Operator) -> QuerySet[Incident]:
    """Those of its own, merged ones aside; what announced work covers is not shown before the work is over."""
    return counted(incidents().filter(operator=operator).exclude(state=State.MERGED))


def live_of_operator(operator: Operator) -> list[Incident]:
    """Due first in front."""
    return list(of_operator(operator).filter(state__in=sorted(LIVE)))


def ended_of_operator(operator: Operator) -> list[Incident]:
    return list(of_operator(operator).filter(state__in=sorted(ENDED)).order_by("-ended_at", "id")[:ENDED_SHOWN])


def open_of_slug(slug: str) -> list[Incident]:
    """The same, by the operator's short name."""
    return list(counted(live().filter(operator__slug=slug)))


def waiting_for(slug: str, now: dt.datetime) -> QuerySet[Incident]:
    """What this operator has to answer, to mend, or to say of what happened. Not while announced work covers it."""
    is_cut = Q(state__in=sorted(CUT)) & (Q(muted_until__isnull=True) | Q(muted_until__lte=now))
    is_to_report = Q(state__in=sorted(ENDED), report_due_at__isnull=False, reported_at__isnull=True)
    return Incident.objects.filter(is_cut | is_to_report, operator__slug=slug)


def incident_for_operator(*, slug: str, reference: str) -> Incident:
    """Raises IncidentNotFound."""
    found = incidents().filter(operator__slug=slug, reference=reference.replace("\0", "").upper()).first()
    if found is None or found.state == State.MERGED:
        raise IncidentNotFound(reference)
    return found


def entries_of(reports: Iterable[Report]) -> dict[uuid.UUID, Entry]:
    """By report, the entry of the register that it is about, while that is there."""
    wanted = {each.pk: each.subject.partition(":")[2] for each in reports}
    found = register.entries_by_feed_id(set(wanted.values()))
    return {key: found[feed_id] for key, feed_id in wanted.items() if feed_id in found}


def entry_named(subject: str, holder: uuid.UUID) -> Entry | None:
    """The entry of this holder that the room `watch` calls so: or, of a shared address, that it is the line of."""
    line = register.entries_by_feed_id([subject.partition(":")[2]]).get(subject.partition(":")[2])
    if line is None or line.holder == holder:
        return line if line is not None and line.ended_at is None else None
    return next((each for each in line.carried.filter(holder=holder, ended_at__isnull=True)), None)


# -- the desk ------------------------------------------------------------------------------------------------------


def without_operator() -> QuerySet[Incident]:
    """The desk has these."""
    return live().filter(operator__isnull=True)


_LATE = Q(late_answer_at__isnull=False) | Q(late_mend_at__isnull=False) | Q(unproved_at__isnull=False)


def late_ones() -> QuerySet[Incident]:
    """Of an operator that is late, or said that it is mended and it is not."""
    return live().filter(_LATE, operator__isnull=False)


def in_time() -> QuerySet[Incident]:
    return live().filter(operator__isnull=False).exclude(_LATE)


def at_desk() -> QuerySet[Incident]:
    """What waits for the desk, or a supervisor has to know of."""
    return live().filter(Q(operator__isnull=True) | _LATE)


def counted(found: QuerySet[Incident]) -> QuerySet[Incident]:
    """Due first in front, each with how many connections are cut."""
    standing = Q(reports__withdrawn_at__isnull=True)
    found = found.annotate(connections=Count("reports__subject", standing, distinct=True))
    return found.order_by("mend_due_at", "id")


def incident_for_officer(*, officer: User, reference: str, now: dt.datetime) -> Incident:
    """The incident, with the read on record. Raises IncidentNotFound."""
    found = incidents().filter(reference=reference.replace("\0", "").upper()).first()
    if found is None or not people.is_officer(officer):
        raise IncidentNotFound(reference)
    shown = [f"registration:{each.registration_id}" for each in found.reports.all() if each.registration_id]
    journal.record_list(
        act="incident.read",
        actor=f"officer:{officer.pk}",
        where="desk:incidents",
        reason="incident",
        shown=shown,
        detail={"incident": found.reference},
        now=now,
    )
    return found


def lets_see(subject: str, officer: str, now: dt.datetime) -> bool:
    """For `watch.queries.LETS_SEE`: whether an officer may see what was measured of it, because its holder opened an
    incident about it."""
    return Report.objects.filter(subject=subject, said_at__isnull=False, withdrawn_at__isnull=True).exists()


def reported_since(subject: str, holder: uuid.UUID, since: dt.datetime) -> bool:
    """Whether it is reported in an incident that is open, or was so since then: no measurement reports it again."""
    found = Report.objects.filter(subject=subject, holder=holder)
    return found.filter(Q(incident__state__in=sorted(LIVE)) | Q(reported_at__gte=since)).exists()


def may_see_series(report: Report) -> bool:
    """Whether officers may see what was measured of this connection: its holder opened the incident."""
    return report.is_of_the_holder


def is_known(work: str) -> bool:
    """Whether there is an incident about this announced work."""
    return Incident.objects.filter(work=work).exists()


# -- for the workflow ----------------------------------------------------------------------------------------------


def to_look_at(now: dt.datetime) -> QuerySet[Incident]:
    """Every live incident: what was measured since, and whether a time is over."""
    return live()


def reports_due(now: dt.datetime) -> QuerySet[Incident]:
    """Ended, and the operator has not said in time what happened."""
    found = incidents().filter(report_due_at__lte=now, reported_at__isnull=True, late_report_at__isnull=True)
    return found.filter(state__in=sorted(ENDED)).order_by("report_due_at", "id")


def to_erase(before: dt.datetime | None) -> QuerySet[Incident]:
    """Ended before then. None: they are kept."""
    if before is None:
        return Incident.objects.none()
    waiting = Incident.objects.filter(merged_into=OuterRef("pk"), erased_at__isnull=True, ended_at__gte=before)
    found = Incident.objects.filter(ended_at__lt=before, erased_at__isnull=True).exclude(Exists(waiting))
    return found.order_by("ended_at", "id")


def packs_to_make(now: dt.datetime) -> QuerySet[Pack]:
    return Pack.objects.filter(made_at__isnull=True, erased_at__isnull=True).order_by("asked_at", "id")
