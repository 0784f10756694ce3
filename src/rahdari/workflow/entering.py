"""From decide to register: grants are entered, or go back to an officer."""

import datetime as dt

from django.db import transaction

from rahdari import optional
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import queries as checks
from rahdari.checks.names import AGREE, compare_names
from rahdari.db.queues import each_of
from rahdari.decide import granting
from rahdari.decide import queries as decisions
from rahdari.decide.models import Decision
from rahdari.people import actions as people
from rahdari.policy import Policy
from rahdari.register import actions as register
from rahdari.register import address_changes, changes
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import STANDING, NewEntry, new_endpoint

from . import apply_renewal, representing
from .terms import full_term, grace_of, term_from


@each_of(decisions.grants_not_entered)
def enter_grants(decision: Decision, now: dt.datetime) -> None:
    """Grants that are not on the register yet. One that another holder has overtaken goes back to an officer."""
    application = decision.case.application
    policy = applications.frozen_policy(application)
    # Of a mobile number nobody has looked at addresses, so none is entered.
    endpoints = [] if application.is_mobile else list(applications.endpoints_of(application))
    enter = _enter
    if application.registration is not None and _is_standing(application.registration, now):
        enter = _enter_again
    try:
        # A renewal or a change is carried out and noted together, so that no term is given twice.
        with transaction.atomic():
            granting.check_number(application)
            for each in endpoints:
                if not each.is_dynamic:
                    address_changes.make_way(block=each.network, holder=application.holder_ref, now=now)
            is_first = not entries.has_registration(application.holder_ref)
            registration = enter(application, endpoints, policy, decision, now)
            _describe_holder(application, decision, now, is_first=is_first)
            representing.notify_of_grant(application, now)
            granting.mark_entered(decision=decision, registration=registration, now=now)
            if application.organisation is not None:
                people.tell_contact_later(organisation=application.organisation, now=now)
    except changes.BlockAlreadyEntered:
        granting.return_grant(decision=decision, why="already_entered", now=now)
    except granting.NumberIsHeld:
        # Both were sent before either was on the register: the second waits for the word of the first.
        granting.return_grant(decision=decision, why="number_is_held", now=now)
        representing.ask_holders(application, policy, now)
    except changes.NotValid:
        granting.return_grant(decision=decision, why="registration_ended", now=now)


def _enter(
    application: Application, endpoints: list[Endpoint], policy: Policy, decision: Decision, now: dt.datetime
) -> Registration:
    until = decision.provisional_until
    term = until or term_from(decision.at, application)
    registration = register.enter(
        origin=application.subject,
        holder=application.holder_ref,
        category=application.service,
        endpoints=[_as_entry(each) for each in endpoints if not each.is_dynamic],
        valid_from=decision.at,
        valid_until=term,
        grace_until=None if until else grace_of(policy, term),
        provisional_code=decision.provisional_codes[0] if until else "",
        actor=decision.decided_by,
        now=now,
    )
    registration = _as_decided(decision, registration, now)
    optional.ask(__package__, "tie_hosts", endpoints, registration, now=now)
    optional.ask(__package__, "list_line", application, registration, now=now)
    return registration


def _enter_again(
    application: Application, endpoints: list[Endpoint], policy: Policy, decision: Decision, now: dt.datetime
) -> Registration:
    assert application.registration is not None  # noqa: S101 - the caller has looked
    until, actor = decision.provisional_until, decision.decided_by
    apply_renewal.carry_out(application, endpoints, policy, provisional_until=until, actor=actor, now=now)
    return entries.fresh(application.registration)


def _as_decided(decision: Decision, registration: Registration, now: dt.datetime) -> Registration:
    """A registration that stood provisionally while an officer decided anew: the same number goes on."""
    actor = decision.decided_by
    if not registration.is_provisional:
        return registration
    if decision.provisional_until is None:
        until = full_term(decision.case.application, registration)
        return register.confirm_registration(
            registration=registration,
            valid_until=until,
            grace_until=grace_of(applications.frozen_policy(decision.case.application), until),
            actor=actor,
            now=now,
        )
    return register.prolong_provisional(
        registration=registration, until=decision.provisional_until, actor=actor, now=now
    )


def _describe_holder(application: Application, decision: Decision, now: dt.datetime, *, is_first: bool) -> None:
    """An organisation is called what was looked at, whatever it was called in a draft before: as the list of companies
    writes it, where that has its number under this name. What was typed stays in the application.

    By rule an organisation that is registered is given no other name than that, and an agent's word gives it none: an
    officer does.
    """
    ours = application.organisation
    if ours is None or ours.company_number != application.company_number:
        return
    name = _listed_name(application)
    may_describe = is_first or not decision.decided_by.startswith("rule:")
    if name is None and application.mandate_id is None and may_describe:
        name = application.company_name
    if name and ours.name != name:
        people.describe_organisation(
            organisation=ours,
            name=name,
            company_number=ours.company_number,
            ntn=application.ntn or ours.ntn,
            actor=decision.decided_by,
            now=now,
        )


def _listed_name(application: Application) -> str | None:
    listed = checks.look_up("companies", application.company_number) if application.company_number else None
    if listed is None or listed.row is None:
        return None
    return listed.name if compare_names(application.holder_name, listed.name) in AGREE else None


def _is_standing(registration: Registration, now: dt.datetime) -> bool:
    return entries.standing(registration, now) in STANDING


def _as_entry(endpoint: Endpoint) -> NewEntry:
    return new_endpoint(endpoint.subject, endpoint.network, endpoint.parts, endpoint.asn)
