"""What time alone brings about: unanswered questions, terms, idle drafts, reminders."""

import datetime as dt

from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.archive import queries as archive
from rahdari.archive.actions import Box
from rahdari.db.batches import in_turn
from rahdari.decide import actions as decide
from rahdari.decide import queries as decisions
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.verify import actions as verify
from rahdari.verify import queries as checks

from .keeping import erase_about
from .step import AT_ONCE, one_item


def run_clocks(now: dt.datetime) -> int:
    """Questions and notices whose time to answer is over."""
    return decide.close_unanswered(now=now)


def follow_calendar(now: dt.datetime) -> int:
    """When a holiday was declared or taken back: what the officers' queue goes by is computed anew."""
    return decide.keep_again(now=now, at_most=AT_ONCE)


def follow_directory(now: dt.datetime) -> int:
    """When the directory is another: note which networks announce what is registered, a part of it at a time."""
    return register.follow_directory(now=now, at_most=20 * AT_ONCE)


def resume_suspended(now: dt.datetime) -> int:
    """Registrations that their holders paused until a day that has come."""
    return decide.go_on_due(now=now)


def expire(now: dt.datetime) -> int:
    """Registrations past their term."""
    return register.expire_due(now=now)


REMOVED_WITHIN = dt.timedelta(days=1)


def end_proofs_of_removed_addresses(now: dt.datetime) -> int:
    """Addresses taken out of a draft: their links end, and nobody looks there for a token any more."""
    removed = applications.removed_endpoint_subjects(since=now - REMOVED_WITHIN)
    ended = 0
    for subject in checks.subjects_with_a_pending_challenge(removed)[:AT_ONCE]:
        with one_item(subject):
            ended += verify.withdraw_challenges(subject=subject, now=now, actor="system:line")
    return ended


def delete_idle_drafts(now: dt.datetime) -> int:
    """Drafts that nobody has touched for as long as the policy keeps them, with the links that would prove them."""
    deleted = 0
    if archive.is_kept("draft"):
        return deleted
    for draft in list(applications.idle_drafts(now=now)[:AT_ONCE]):
        with one_item(draft.subject):
            subjects = apply.delete_idle_draft(application=draft, now=now)
            for subject in subjects:
                verify.withdraw_challenges(subject=subject, now=now, actor="clock")
            erase_about(subjects, draft.applicant, Box("draft", now=now), now)
            deleted += bool(subjects)
    return deleted


def erase_documents(now: dt.datetime) -> int:
    """Papers whose time of keeping is over. What stands provisionally may still be looked at, and keeps its own."""
    if archive.is_kept("documents"):
        return 0
    awaited = {decision.case.application_id for decision in decisions.provisional_grants()}
    erased = 0
    for application in apply.with_papers_due(now=now, awaited=awaited, at_most=5 * AT_ONCE):
        with one_item(application.subject):
            erased += apply.erase_documents(application=application, now=now)
    return erased


TOLD_WITHIN = dt.timedelta(days=14)


def tell_of_expiry(now: dt.datetime) -> int:
    """Tell holders that their registration has expired, once. Looks back far enough to catch up after a long stop."""
    sent = 0
    expired = entries.expired_since(start=now - TOLD_WITHIN)
    for registration in in_turn("tell of expiry", expired, at_most=AT_ONCE):
        with one_item(f"registration:{registration.pk}"):
            for person in people.people_to_tell(registration.holder):
                sent += letters.write_once(
                    to=person,
                    template="registration_expired",
                    about=f"registration:{registration.pk}",
                    once="expired",
                    context={"registration": registration.reference, "valid_until": registration.valid_until},
                    now=now,
                )
    return sent
