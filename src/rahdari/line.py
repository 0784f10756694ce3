"""The line: the only module that knows the order of the rooms.

    apply -> verify -> decide -> register -> publish

Stations never push. Each step asks a query what waits, calls one idempotent act for each item in a transaction of its
own, and can be run again after any crash: what was done is found done, what was not is done now. One item that fails is
logged, left where it is, and holds nobody else up. PostgreSQL is the queue; `NOTIFY rahdari_line` only saves waiting.

The publisher's step (`publish`) runs in a process of its own, since it holds keys; operators follow by themselves.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from rahdari import policy as policies
from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.decide import actions as decide
from rahdari.decide import queries as decisions
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.policy import CheckRule, Policy
from rahdari.publish import actions as publishing
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.rules import NewEntry
from rahdari.verify import actions as verify
from rahdari.verify import queries as checks
from rahdari.verify.answers import CheckRequest

log = logging.getLogger("rahdari.line")

# At most so many items of one step in one go: a long queue of one step does not hold up the next.
AT_ONCE = 200


@dataclass(frozen=True)
class Step:
    """One arrow of the line. `run` does what waits and returns how many items it moved."""

    name: str
    run: Callable[[dt.datetime], int]


def advance(*, now: dt.datetime) -> dict[str, int]:
    """Run every step once, in order; return how many items each moved. Raises only when the database is away."""
    return {step.name: step.run(now) for step in STEPS}


def look(*, now: dt.datetime) -> int:
    """Look for the tokens that are due. Returns how many were looked for.

    No step of `advance`: it waits for servers of strangers, and a slow one of them must not hold the line up.
    """
    return verify.look_at_tokens_due(now=now)


def publish(*, now: dt.datetime) -> int:
    """The publisher's step: every committed change into an edition, once and in order. Returns the editions made."""
    return publishing.publish_editions(now=now)


@contextmanager
def _one_item(what: str) -> Iterator[None]:
    """Let one item fail alone: said in the log, tried again at the next run."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise  # the database is away: the caller waits for it, nothing else can be done
    except Exception:
        log.exception("%s could not be moved on; it stays where it is and is tried again", what)


# -- 1. apply -> verify ------------------------------------------------------------------------------------------


def open_checks(now: dt.datetime) -> int:
    """Submitted applications: ask for the checks that the policy frozen onto each of them wants."""
    moved = 0
    for application in list(applications.submitted_without_checks()[:AT_ONCE]):
        with _one_item(application.subject):
            policy = applications.frozen_policy(application)
            verify.open_checks(subject=application.subject, requests=_requests(application, policy), now=now)
            apply.mark_checks_opened(application=application, now=now)
            moved += 1
    return moved


def _requests(application: Application, policy: Policy) -> list[CheckRequest]:
    endpoints = list(applications.endpoints_of(application))
    rules = policy.services[application.service].checks
    return [request for rule in rules for request in _requests_of_rule(rule, application, endpoints, policy)]


def _requests_of_rule(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> list[CheckRequest]:
    title = {"en": rule.title.en, "ur": rule.title.ur}
    if rule.kind in {"control", "not_registered", "origin"}:
        return [
            CheckRequest(
                kind=rule.kind,
                target=endpoint.subject,
                block=endpoint.block,
                holder=str(application.holder_ref),
                title=title,
                reason=rule.reason,
                required=rule.required,
            )
            for endpoint in endpoints
        ]
    if rule.kind == "roster":
        roster = rule.roster or ""
        return [
            CheckRequest(
                kind="roster",
                target=roster,
                roster=roster,
                key=application.number_for(roster),
                name=application.holder_name,
                title=title,
                reason=rule.reason,
                required=rule.required,
            )
        ]
    missing = applications.missing_evidence(application, policy)
    return [
        CheckRequest(
            kind=rule.kind,
            target="",
            given=0 if missing else 1,
            needed=1,
            title=title,
            reason=rule.reason,
            required=rule.required,
        )
    ]


# -- 2. verify ---------------------------------------------------------------------------------------------------


def answer_checks(now: dt.datetime) -> int:
    """End the challenges that ran out, answer the checks that waited for them."""
    verify.expire_challenges(now=now)
    return verify.answer_waiting(now=now)


# -- 3. verify -> decide -----------------------------------------------------------------------------------------


def decide_what_is_answered(now: dt.datetime) -> int:
    """Applications whose checks are all answered: a grant by rule, or a case for an officer. Never a refusal."""
    moved = 0
    for application in list(decisions.undecided_applications()[:AT_ONCE]):
        if not checks.all_answered(application.subject):
            continue
        with _one_item(application.subject):
            decide.decide_by_rule(application=application, checks=list(checks.checks_of(application.subject)), now=now)
            moved += 1
    return moved


# -- 4. decide -> register ---------------------------------------------------------------------------------------


def enter_grants(now: dt.datetime) -> int:
    """Grants that are not on the register yet. One that another holder has overtaken goes back to an officer."""
    moved = 0
    for decision in list(decisions.grants_not_entered()[:AT_ONCE]):
        application = decision.case.application
        with _one_item(application.subject):
            policy = applications.frozen_policy(application)
            try:
                registration = register.enter(
                    origin=application.subject,
                    holder=application.holder_ref,
                    category=application.service,
                    endpoints=[
                        NewEntry(
                            origin=endpoint.subject,
                            block=endpoint.network,
                            protocol=endpoint.protocol,
                            port=endpoint.port,
                            asn=endpoint.asn,
                        )
                        for endpoint in applications.endpoints_of(application)
                    ],
                    valid_from=decision.at,
                    valid_until=months_later(decision.at, policy.services[application.service].validity_months),
                    actor=decision.decided_by,
                    now=now,
                )
            except register.BlockAlreadyEntered:
                decide.return_grant(decision=decision, why="already_entered", now=now)
            else:
                decide.mark_entered(decision=decision, registration=registration, now=now)
            moved += 1
    return moved


def months_later(start: dt.datetime, months: int) -> dt.datetime:
    """The same day and time some months on; the last day of the month when it has no such day."""
    index = start.month - 1 + months
    year, month = start.year + index // 12, index % 12 + 1
    first_of_next = dt.date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_of_next - dt.timedelta(days=1)).day
    return start.replace(year=year, month=month, day=min(start.day, last_day))


# -- 5. the clocks -----------------------------------------------------------------------------------------------


def run_clocks(now: dt.datetime) -> int:
    """Questions and notices whose time to answer is over."""
    return decide.close_unanswered(now=now)


def follow_directory(now: dt.datetime) -> int:
    """When the directory is another: note which networks announce what is registered, a part of it at a time."""
    return register.follow_directory(now=now, at_most=20 * AT_ONCE)


def expire(now: dt.datetime) -> int:
    """Registrations past their term."""
    return register.expire_due(now=now)


REMOVED_WITHIN = dt.timedelta(days=1)


def end_proofs_of_removed_addresses(now: dt.datetime) -> int:
    """Addresses taken out of a draft: their links end, and nobody looks there for a token any more."""
    removed = applications.removed_endpoint_subjects(since=now - REMOVED_WITHIN)
    ended = 0
    for subject in checks.subjects_with_a_pending_challenge(removed)[:AT_ONCE]:
        with _one_item(subject):
            ended += verify.withdraw_challenges(subject=subject, now=now, actor="system:line")
    return ended


def delete_idle_drafts(now: dt.datetime) -> int:
    """Drafts that nobody has touched for as long as the policy keeps them, with the links that would prove them."""
    deleted = 0
    for draft in list(applications.idle_drafts(now=now)[:AT_ONCE]):
        with _one_item(draft.subject):
            subjects = apply.delete_idle_draft(application=draft, now=now)
            for subject in subjects:
                verify.withdraw_challenges(subject=subject, now=now, actor="clock")
            deleted += bool(subjects)
    return deleted


TOLD_WITHIN = dt.timedelta(days=14)


def remind(now: dt.datetime) -> int:
    """Tell holders some days before the end of their term, once each; the policy in force says which days."""
    sent = 0
    for days in policies.current(settings.POLICY_FILE).remind_days_before:
        start = now + dt.timedelta(days=days - 1)
        for registration in entries.expiring_between(start=start, end=start + dt.timedelta(days=1))[:AT_ONCE]:
            with _one_item(f"registration:{registration.pk}"):
                for person in people.people_to_tell(registration.holder):
                    sent += letters.write_once(
                        to=person,
                        template="registration_expires_soon",
                        about=f"registration:{registration.pk}",
                        once=f"expires:{days}",
                        context={"registration": registration.reference, "valid_until": registration.valid_until},
                        now=now,
                    )
    return sent


def tell_of_expiry(now: dt.datetime) -> int:
    """Tell holders that their registration has expired, once. Looks back far enough to catch up after a long stop."""
    sent = 0
    for registration in entries.expired_since(start=now - TOLD_WITHIN)[:AT_ONCE]:
        with _one_item(f"registration:{registration.pk}"):
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


STEPS: tuple[Step, ...] = (
    Step("apply -> verify", open_checks),
    Step("apply: addresses removed", end_proofs_of_removed_addresses),
    Step("verify", answer_checks),
    Step("verify -> decide", decide_what_is_answered),
    Step("decide -> register", enter_grants),
    Step("clocks", run_clocks),
    Step("apply: delete idle drafts", delete_idle_drafts),
    Step("register: expire", expire),
    Step("register: follow the directory", follow_directory),
    Step("register: remind", remind),
    Step("register: tell of expiry", tell_of_expiry),
)


def wake() -> None:
    """Wake the worker when the present transaction is committed."""
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_line")
