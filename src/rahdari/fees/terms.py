"""How invoices are paid: into which account, on which days a reminder goes out, and what the payer is told."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.module_loading import import_string

from rahdari import policy as policies
from rahdari.policy import FeeTerms, Policy

from . import queries
from .models import Invoice


def policy_in_force() -> Policy:
    return policies.current(settings.POLICY_FILE)


def terms_of(invoices: Iterable[Invoice]) -> dict[str, FeeTerms]:
    """The terms of each of these invoices, by its subject: those in force, since the account may have changed; where
    the policy in force asks for no fees, those under which the application was sent."""
    subjects = [invoice.subject for invoice in invoices]
    in_force = policy_in_force().fee_terms
    if in_force is not None:
        return dict.fromkeys(subjects, in_force)
    sent_under: dict[str, Policy] = import_string(settings.SENT_UNDER)(subjects)
    return {subject: rules.fee_terms for subject, rules in sent_under.items() if rules.fee_terms is not None}


def days_of_reminders() -> set[int]:
    """So many days before the last day to pay a reminder goes out, of any invoice that is open."""
    in_force = policy_in_force().fee_terms
    # Open invoices are not read in each round while one answer holds for all.
    found = [in_force] if in_force is not None else terms_of(queries.open_invoices()).values()
    return {days for terms in found for days in terms.remind_days_before}
