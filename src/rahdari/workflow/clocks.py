"""What time alone brings about: addresses removed, idle drafts, papers, terms."""

import datetime as dt
from functools import partial

from django.db.models import QuerySet

from rahdari.apply import entered, erasing, idle_drafts, pending
from rahdari.apply import queries as applications
from rahdari.apply.entered_models import DeskEntry
from rahdari.apply.models import Application
from rahdari.archive import queries as archive
from rahdari.archive.actions import Box
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge
from rahdari.db.gate import Batch
from rahdari.db.queues import AT_ONCE, each_of
from rahdari.decide import calendar_changes
from rahdari.decide import due as decide_due
from rahdari.figures import actions as figures
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.sampling import drawing

from .figures import came_to_rest_at
from .retention import erase_about

REMOVED_WITHIN = dt.timedelta(days=1)
TOLD_WITHIN = dt.timedelta(days=14)


# When a holiday was declared or taken back: what the officers' queue goes by, and the times that letters told.
follow_calendar = Batch(lambda _now: calendar_changes.stale(), partial(calendar_changes.follow, at_most=AT_ONCE))


def follow_directory(now: dt.datetime) -> int:
    """When the directory is another: note which networks announce what is registered, a part of it at a time."""
    return register.follow_directory(now=now, at_most=20 * AT_ONCE)


def _of_removed_addresses(now: dt.datetime) -> QuerySet[Challenge]:
    return proofs.pending_challenges(pending.removed_endpoint_subjects(since=now - REMOVED_WITHIN))


@each_of(_of_removed_addresses)
def end_proofs_of_removed_addresses(challenge: Challenge, now: dt.datetime) -> int:
    """Addresses taken out of a draft: their links end, and nobody looks there for a token any more."""
    return challenges.withdraw_challenges(subject=challenge.subject, now=now, actor="system:workflow")


def _idle_drafts(now: dt.datetime) -> QuerySet[Application]:
    drafts = applications.idle_drafts(now=now)
    return drafts.none() if archive.is_kept("draft") else drafts


@each_of(_idle_drafts)
def delete_idle_drafts(draft: Application, now: dt.datetime) -> bool:
    """Drafts that nobody has touched for as long as the policy keeps them, with the links that would prove them."""
    step = came_to_rest_at(draft)
    subjects = idle_drafts.delete_idle_draft(application=draft, now=now)
    if subjects:
        figures.count_given_up(service=draft.service, step=step, now=now)
    for subject in subjects:
        challenges.withdraw_challenges(subject=subject, now=now, actor="clock")
    erase_about(subjects, draft.applicant, Box("draft", now=now), now)
    return bool(subjects)


@each_of(entered.due, lock=True)
def erase_desk_entries(entry: DeskEntry, now: dt.datetime) -> None:
    """What officers entered for somebody who did not take it over in time."""
    entered.erase(entry, now)


def _with_papers_due(now: dt.datetime) -> QuerySet[Application]:
    due = erasing.with_papers_due(now=now)
    if archive.is_kept("documents"):
        return due.none()
    # What stands provisionally may still be looked at, and keeps its own.
    return due.exclude(pk__in=decide_due.provisional_grants().order_by().values("case__application"))


@each_of(_with_papers_due)
def erase_documents(application: Application, now: dt.datetime) -> int:
    """Papers whose time of keeping is over."""
    return erasing.erase_documents(application=application, now=now)


@each_of(lambda now: entries.expired_since(start=now - TOLD_WITHIN))
def notify_of_expiry(registration: Registration, now: dt.datetime) -> int:
    """Tell holders that their registration has expired, once. Looks back far enough to catch up after a long stop."""
    return sum(
        letters.write_once(
            to=person,
            template="registration_expired",
            about=f"registration:{registration.pk}",
            once="expired",
            context={"registration": registration.reference, "valid_until": registration.valid_until},
            now=now,
        )
        for person in people.people_to_notify(registration.holder)
    )


def draw_second_looks(now: dt.datetime) -> int:
    """Which decisions are looked at again. It moves nothing on: somebody takes what was drawn when there is time."""
    drawing.draw(now)
    return 0
