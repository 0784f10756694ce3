"""Sending an application, and how it ends.

What was sent keeps the rules it was sent under. Sending twice sends once; an end that is given twice is given once.
"""

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import transaction
from django.urls import reverse
from django.utils import translation

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import actions as people_acts
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.policy import Policy, freeze, pricing
from rahdari.web.allowances import in_words
from rahdari.web.language import in_both

from . import access, form_errors, queries, rules
from .drafts import (
    ChangedMeanwhile,
    NotADraft,
    ServiceNotOpen,
    is_described,
    keep_what_is_asked,
    locked,
    organisation_for,
)
from .models import Application, Endpoint, FrozenPolicy
from .rules import Status, StepKey, Trouble


class MoveNotAllowed(RahdariError):
    """The application cannot become that. `.application` and `.target`"""

    says = "{application} cannot go from {application.status} to {target}"
    application: Application
    target: str


class StepsMissing(Exception):
    """The application is not complete. `.steps` are the steps that are not done."""

    def __init__(self, steps: list[StepKey]) -> None:
        super().__init__(", ".join(steps))
        self.steps = steps


class EndpointsInTrouble(Exception):
    """Addresses that were fine when added are not now. `.troubles` are pairs of endpoint and trouble."""

    def __init__(self, troubles: list[tuple[Endpoint, Trouble]]) -> None:
        super().__init__(", ".join(trouble.kind for _, trouble in troubles))
        self.troubles = troubles


class TermsChanged(Exception):
    """What the service asks for has changed since the applicant last saw it; now it counts as seen.

    `.steps` are the steps that are missing under the new rules, maybe none.
    """

    def __init__(self, steps: list[StepKey]) -> None:
        super().__init__(", ".join(steps))
        self.steps = steps


def submit_application(
    *,
    application: Application,
    policy: Policy,
    actor: str,
    now: dt.datetime,
    seen_version: int | None = None,
    to_prove: Sequence[Endpoint] = (),
    besides: Callable[[], object] | None = None,
) -> Application:
    """Send the application under these rules. Sending twice gives the same application, sent once. `to_prove` are the
    addresses that the applicant has still to prove: the letter says so. `besides` is called once, in the transaction in
    which it is sent.

    1) sent already  2) is the service still open  3) did what is asked change  4) is it what the page showed
    5) is it complete  6) are its addresses still free  7) freeze the rules and send
    Raises ServiceNotOpen, TermsChanged, ChangedMeanwhile, StepsMissing, EndpointsInTrouble, NotADraft.
    """
    told: TermsChanged | None = None
    with transaction.atomic():
        draft = locked(application)
        # 1)
        if draft.submitted_at is not None:
            return draft
        if draft.status != Status.DRAFT:
            raise NotADraft(draft)
        # 2)
        service = policy.services.get(draft.service)
        if service is None or not service.open:
            raise ServiceNotOpen(draft.service)
        # 3) kept as seen in this transaction, raised after it
        endpoints = queries.rows_of(draft)
        documents = queries.papers_asked(draft, service)
        missing = queries.missing_steps(draft, policy, endpoints=endpoints, documents=documents)
        if queries.terms_changed(draft, policy):
            draft.terms = rules.terms_digest(service, policy.limits)
            draft.save(update_fields=["terms"])
            told = TermsChanged(missing)
        else:
            _send(draft, policy, missing, endpoints, seen_version, to_prove, actor=actor, now=now)
            if besides is not None:
                besides()
    if told is not None:
        raise told
    return draft


def _send(
    draft: Application,
    policy: Policy,
    missing: list[StepKey],
    endpoints: Sequence[Endpoint],
    seen_version: int | None,
    to_prove: Sequence[Endpoint],
    *,
    actor: str,
    now: dt.datetime,
) -> None:
    # 4)
    if seen_version is not None and seen_version != draft.version:
        raise ChangedMeanwhile(draft)
    # 5)
    if missing:
        raise StepsMissing(missing)
    kind = queries.service_of(draft, policy).evidence_kind(draft.evidence_kind)
    if kind is not None and queries.declared_before(draft, kind, now=now):
        raise StepsMissing([StepKey.EVIDENCE])
    # 6)
    troubles = queries.endpoint_troubles(draft, policy, endpoints=endpoints)
    if troubles:
        raise EndpointsInTrouble(troubles)
    # 7) nobody is entered for an organisation that let them go while the draft lay there
    let_go = draft.organisation is not None and not people.may(
        draft.applicant, Act.APPLY, organisation=draft.organisation
    )
    if draft.organisation is not None:
        # Nobody describes it anew while this is sent.
        draft.organisation = people_acts.lock_organisation(draft.organisation)
    if draft.mandate is None and (let_go or not is_described(draft)):
        draft.organisation = organisation_for(draft, actor=actor, now=now)
    if not is_described(draft):
        raise ChangedMeanwhile(draft)
    # The same rules lie there already but for the first time: their text is long, and is not read for nothing.
    if not FrozenPolicy.objects.filter(digest=policy.digest).exists():
        FrozenPolicy.objects.get_or_create(
            digest=policy.digest, defaults={"version": policy.version, "text": freeze(policy)}
        )
    keep_what_is_asked(draft, policy.services[draft.service])
    draft.policy_id = policy.digest
    draft.status, draft.submitted_at, draft.updated_at = Status.SUBMITTED.value, now, now
    draft.save()
    journal.record(
        act="apply.submitted", actor=actor, subject=draft.subject, now=now, detail={"policy": policy.version}
    )
    service = policy.services[draft.service]
    told = {
        "reference": draft.reference,
        "service": service.title,
        "url": reverse("portal:status", args=[draft.reference]),
    }
    if to_prove:
        told["to_prove"] = [each.address_text for each in to_prove]
        told["url"] = reverse("portal:prove_first", args=[draft.reference])
    # No date: whether anybody has to be asked is known only when the checks are open, and the time begins with the last
    # answer. The page knows, and shows it.
    told["decided_within"] = in_both(lambda: in_words(policy.clocks[service.clock]))
    due = queries.what_is_due(draft, policy, endpoints)
    if isinstance(due, pricing.Due):
        told["fee"] = in_both(lambda: form_errors.fee(due, service, translation.get_language() or "en")[0])
    told |= access.on_behalf(draft)
    for reader in access.readers_of(draft):
        letters.write_letter(to=reader, template="application_received", about=draft.subject, context=told, now=now)
    wake()


def mark_checks_opened(*, application: Application, now: dt.datetime, actor: str = "system:workflow") -> Application:
    """Note that the checks were asked for. Doing it twice changes nothing."""
    with transaction.atomic():
        row = locked(application)
        if row.status == Status.SUBMITTED and row.checks_opened_at is None:
            row.checks_opened_at, row.awaits_rule = now, True
            row.save(update_fields=["checks_opened_at", "awaits_rule"])
            journal.record(act="apply.opened_checks", actor=actor, subject=row.subject, now=now)
        return row


def mark_looked_at(*, application: Application) -> None:
    """The rule has looked: it has decided, or an officer does."""
    Application.objects.filter(pk=application.pk).update(awaits_rule=False)


def withdraw_application(*, application: Application, actor: str, now: dt.datetime) -> Application:
    """The applicant takes it back, sent or not. Doing it twice changes nothing. Raises MoveNotAllowed once decided."""
    return _close(application, Status.WITHDRAWN, move="withdraw", act="apply.withdrew", actor=actor, now=now)


def close_application(*, application: Application, outcome: str, actor: str, now: dt.datetime) -> Application:
    """Note how it was decided: granted, refused or not_pursued. The same outcome twice changes nothing.
    Raises MoveNotAllowed; ValueError for a word that is no status.
    """
    target = Status(outcome)
    if target not in rules.OUTCOMES:
        raise MoveNotAllowed(application, outcome)
    return _close(application, target, move="close", act=f"apply.closed_{target.value}", actor=actor, now=now)


def _close(
    application: Application, target: Status, *, move: str, act: str, actor: str, now: dt.datetime
) -> Application:
    with transaction.atomic():
        row = locked(application)
        if row.status == target:
            return row
        if not rules.may_move(row.status, move, target):
            raise MoveNotAllowed(row, target)
        row.status, row.closed_at, row.updated_at = target.value, now, now
        row.save(update_fields=["status", "closed_at", "updated_at"])
        journal.record(act=act, actor=actor, subject=row.subject, now=now)
        wake()
        return row


def reopen_application(*, application: Application, actor: str, now: dt.datetime, reason: str = "") -> Application:
    """Undo a grant that could not be entered, a refusal that was set aside, or a file closed as not pursued: it is
    undecided again.
    Raises MoveNotAllowed from any other state.
    """
    with transaction.atomic():
        row = locked(application)
        if row.status == Status.SUBMITTED:
            return row
        if not rules.may_move(row.status, "reopen", Status.SUBMITTED):
            raise MoveNotAllowed(row, Status.SUBMITTED)
        row.status, row.closed_at, row.updated_at = Status.SUBMITTED.value, None, now
        row.save(update_fields=["status", "closed_at", "updated_at"])
        journal.record(act="apply.reopened", actor=actor, subject=row.subject, now=now, reason=reason)
        wake()
        return row
