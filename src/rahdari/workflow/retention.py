"""Retention: what was collected is erased when the time that the policy in force gives it is over.

`CLOCKS` names for each class of the policy that a clock erases the step that does it; `workflow.STEPS` runs them. A
file goes whole, in one transaction: all that says who applied and for which address, in every room that knows of it.

What remains: the journal, which only grows, names an application's person and its registration by their ids, and the
register keeps the number of a registration, its dates and how it ended. No name, number or address is left beside them.
"""

import datetime as dt
from collections.abc import Callable, Sequence

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from rahdari import optional
from rahdari.appeal import erasing as appeal_erasing
from rahdari.apply import erasing, pending
from rahdari.apply import queries as applications
from rahdari.apply import subjects as apply_subjects
from rahdari.apply.models import Application
from rahdari.archive import queries as archive
from rahdari.archive.actions import Box
from rahdari.checks import erasing as checks_erasing
from rahdari.checks import queries as checks
from rahdari.complaint import actions as complaint_acts
from rahdari.complaint import erasing as complaint_erasing
from rahdari.complaint import queries as complaints
from rahdari.complaint.models import Complaint
from rahdari.confirm.queries import OPERATOR
from rahdari.control import erasing as control_erasing
from rahdari.db.queues import AT_ONCE, each_of
from rahdari.decide import due as decide_due
from rahdari.decide import erasing as decide_erasing
from rahdari.decide import queries as decisions
from rahdari.demand import erasing as demand_erasing
from rahdari.incident import erasing as incident_erasing
from rahdari.incident import queries as incidents
from rahdari.incident.models import Incident
from rahdari.letters import queries as letters
from rahdari.letters import retention as letters_retention
from rahdari.maintenance import erasing as maintenance_erasing
from rahdari.maintenance import queries as planned
from rahdari.maintenance.models import Work
from rahdari.people import actions as people
from rahdari.people import sign_in
from rahdari.people.models import User
from rahdari.policy.retention import WITH_THE_CASE, Retention
from rahdari.publish import streams
from rahdari.register import queries as entries
from rahdari.register import retention as register_retention
from rahdari.register.models import Entry, Registration
from rahdari.sampling import erasing as sampling_erasing
from rahdari.vouch.queries import REFERENCE
from rahdari.web import limits, replicas

# Each by the name of its step.
CLOCKS = {
    "draft": "apply: delete idle drafts",
    "desk_entry": "apply: erase desk entries",
    "documents": "apply: erase documents",
    "card_number": "apply: erase card numbers",
    "proof_of_control": "control: erase evidence",
    "client_address": "inquiries: erase",
    "came_to_nothing": "erase files",
    "case": "erase files",
    "misuse_report": "complaints: erase",
    "incident": "incidents: erase",
    "planned_work": "maintenance: erase notices",
    "letter_delivery": "letters: forget deliveries",
    "payment": "fees: erase payers",
    "comment_address": "consult: forget",
    "entry": "register: forget holders",
}


def clock_of(row: Retention) -> str:
    """The step that erases this class of data."""
    return CLOCKS["case" if row.after == WITH_THE_CASE else row.key]


def over(key: str, now: dt.datetime) -> dt.datetime | None:
    """Before which moment the time of this class is over; None: it is kept."""
    kept = applications.policy_in_force().retention[key].span
    return None if kept is None or archive.is_kept(key) else now - kept


def _with_numbers_due(now: dt.datetime) -> QuerySet[Application]:
    due = erasing.with_numbers_due(now=now)
    return due.none() if archive.is_kept("card_number") else due


@each_of(_with_numbers_due)
def erase_card_numbers(application: Application, now: dt.datetime) -> int:
    return erasing.erase_card_number(application=application, now=now)


def erase_evidence(now: dt.datetime) -> int:
    before = over("proof_of_control", now)
    return 0 if before is None else control_erasing.erase_evidence(before=before, at_most=5 * AT_ONCE)


def _ended_long_ago(now: dt.datetime) -> QuerySet[Registration]:
    return entries.ended_before(over("entry", now)).exclude(pk__in=decide_due.registrations_on_hold(now))


def _of_nobody_who_needs_it(_batch: list[Registration], now: dt.datetime) -> Callable[[Registration], bool]:
    def ready(registration: Registration) -> bool:
        application = apply_subjects.application_by_subject(registration.origin)
        if application is not None and _may_be_changed(application, now):
            return False
        return not letters.on_its_way(f"registration:{registration.pk}")

    return ready


@each_of(_ended_long_ago, ready=_of_nobody_who_needs_it)
def forget_holders(registration: Registration, now: dt.datetime) -> bool:
    """Whose a registration was that has ended, and what other rooms hold of its connections and lines."""
    _forget_holder(registration, now)
    return True


def _may_be_changed(application: Application, now: dt.datetime) -> bool:
    until = decide_due.may_be_changed_until(application)
    return until is not None and until >= now


def _is_needed(application: Application, now: dt.datetime) -> bool:
    """Also while a letter about it is on its way: one that was passed over would stay for ever."""
    return letters.on_its_way(application.subject) or _may_be_changed(application, now)


def _erase_checks(subjects: Sequence[str], box: Box) -> None:
    """What was found of them, and which address was proved."""
    checks_erasing.erase_findings(subjects=subjects, box=box)
    control_erasing.erase_proofs(subjects=subjects, box=box)


def _forget_holder(registration: Registration, now: dt.datetime) -> None:
    box = Box("entry", now=now)
    about = [f"registration:{registration.pk}"]
    for forget in optional.given(__package__, "forget_holder"):
        about += forget(registration=registration, box=box)
    about += control_erasing.forget_reproofs(abouts=[f"entry:{entry.pk}" for entry in entries.entries_of(registration)])
    _erase_checks(about, box)
    letters_retention.erase_letters(subjects=about, box=box)
    maintenance_erasing.forget(registration=registration, box=box)
    register_retention.forget_holder(registration=registration, box=box, now=now)
    box.seal(about=registration.reference)


# Of an address that changes by itself: so long after the overlap in which it stands beside the next one.
CHANGING_KEPT = dt.timedelta(days=7)


def _entries_to_forget(now: dt.datetime) -> QuerySet[Entry]:
    changing = now - applications.policy_in_force().dyndns.overlap - CHANGING_KEPT
    due = entries.entries_to_forget(before=over("entry", now), changing_before=changing)
    for needed in optional.given(__package__, "entries_needed"):
        due = due.exclude(pk__in=needed())
    return due.exclude(registration__in=decide_due.registrations_on_hold(now))


def _in_no_file(batch: list[Entry], now: dt.datetime) -> Callable[[Entry], bool]:
    needed = streams.needed([entry.pk for entry in batch], now=now)
    return lambda entry: entry.pk not in needed


@each_of(_entries_to_forget, ready=_in_no_file)
def forget_entries(entry: Entry, now: dt.datetime) -> None:
    """Entries that have ended, as soon as no file of the feed can speak of them any more: which addresses one holder
    had is told by no row. Of an address that changes by itself that is a matter of days."""
    box = Box("entry", now=now)
    _erase_checks(control_erasing.forget_reproofs(abouts=[f"entry:{entry.pk}"]), box)
    for let_go in optional.given(__package__, "let_go"):
        let_go(entry=entry)
    register_retention.mark_forgotten(entries=[entry], box=box)
    box.seal(about=entry.registration.reference)
    streams.forget_listings([entry.pk])
    register_retention.forget_entries(entries=[entry])


# Applications that came to nothing, and those whose registration has ended, longer ago than a file is kept; and never
# while an appeal or a late answer may still change what came of it, or an officer holds it.
def _unneeded(_batch: list[Application], now: dt.datetime) -> Callable[[Application], bool]:
    return lambda application: not _is_needed(application, now)


@each_of(
    lambda now: erasing.with_files_due(before=over("came_to_nothing", now), granted=False, now=now), ready=_unneeded
)
def erase_files_of_nothing(application: Application, now: dt.datetime) -> bool:
    return _erase(application, Box("came_to_nothing", now=now), now)


def _granted_and_over(now: dt.datetime) -> QuerySet[Application]:
    """Of most the registration stands: they are left here, so that those whose time is over are not far between."""
    origin = Concat(Value("application:"), Cast(OuterRef("pk"), CharField()))
    due = erasing.with_files_due(before=over("case", now), granted=True, now=now)
    return due.exclude(Exists(entries.not_ended().filter(origin=origin).order_by()))


def _over(_batch: list[Application], now: dt.datetime) -> Callable[[Application], bool]:
    before = over("case", now)
    return lambda application: (
        before is not None and not _is_needed(application, now) and not _lasts(application, before)
    )


@each_of(_granted_and_over, ready=_over)
def erase_files_of_cases(application: Application, now: dt.datetime) -> bool:
    """Erase the file of a case whose time under `[retention] case` is over. Returns whether something was erased."""
    return _erase(application, Box("case", now=now), now)


def _lasts(application: Application, before: dt.datetime) -> bool:
    """Whether what it led to, or the registration that it renewed or changed, stands or ended after then."""
    case = decisions.case_of(application)
    decision = decisions.decision_of(case) if case is not None else None
    found = (application.registration, decision.registration if decision is not None else None)
    origins = [application.subject, *(each.origin for each in found if each is not None)]
    return entries.is_held_since(origins, before)


def _erase(application: Application, box: Box, now: dt.datetime) -> bool:
    subjects = erasing.erase_application(application=application, box=box, now=now)
    if not subjects:
        return False
    decide_erasing.erase_words(application=application, box=box)
    appeal_erasing.erase_words(application=application, box=box)
    demand_erasing.erase_words(application=application, box=box)
    sampling_erasing.erase_words(application=application, box=box)
    complaint_erasing.erase_words(application=application, box=box, now=now)
    erase_about(subjects, application.applicant, box, now)
    box.seal(about=application.reference)
    return True


def erase_about(subjects: Sequence[str], applicant: User, box: Box, now: dt.datetime) -> None:
    """All that the other rooms hold of an application and its endpoints, of which nothing stands; with the last one of
    a person their name. In the caller's transaction."""
    if not pending.any_kept_of(applicant) and not entries.has_registration(applicant.holder_ref):
        people.forget_name(user=applicant, now=now)
    asked = [f"check:{check.pk}" for subject in subjects for check in checks.checks_of(subject)]
    about = [*subjects, *asked]
    for erase_asked in optional.given(__package__, "erase_asked"):
        about += erase_asked(subjects=subjects, box=box)
    _erase_checks(about, box)
    OPERATOR.erase_about(subjects=about, box=box, now=now)
    others = optional.given(__package__, "erase_about")
    letters_retention.erase_letters(
        subjects=[
            *about,
            *REFERENCE.erase_about(subjects=about, box=box, now=now),
            *(each for erase in others for each in erase(subjects=about, box=box, now=now) or ()),
        ],
        box=box,
    )


@each_of(lambda now: complaints.not_upheld_before(over("misuse_report", now)))
def erase_complaints(complaint: Complaint, now: dt.datetime) -> bool:
    """Complaints that were not upheld, a while after their sender was told. Those that were go with the file."""
    box = Box("misuse_report", now=now)
    letters_retention.erase_letters(subjects=[complaint.subject], box=box)
    complaint_acts.erase(complaint, box, now)
    box.seal(about=complaint.reference)
    return True


@each_of(lambda now: incidents.to_erase(over("incident", now)))
def erase_incidents(incident: Incident, now: dt.datetime) -> bool:
    """What was said when a connection was cut, whose it was, and the evidence of it."""
    box = Box("incident", now=now)
    letters_retention.erase_letters(subjects=[incident.subject], box=box)
    incident_erasing.erase(incident, box, now)
    box.seal(about=incident.reference)
    return True


@each_of(lambda now: planned.works_with_notices_before(over("planned_work", now)))
def erase_notices(work: Work, now: dt.datetime) -> bool:
    """What each holder was told of work that was over so long ago."""
    box = Box("planned_work", now=now)
    maintenance_erasing.erase(work=work, box=box, now=now)
    box.seal(about=work.reference)
    return True


def forget_deliveries(now: dt.datetime) -> int:
    return letters_retention.forget_deliveries(before=letters.deliveries_kept_since(now))


def forget_ended_sessions(now: dt.datetime) -> int:
    sign_in.forget_ended_sessions()
    return 0


def forget_allowances(now: dt.datetime) -> int:
    return limits.forget_untouched() + replicas.forget_old_positions()
