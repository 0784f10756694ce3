"""Whether the name of a company is contested, as whoever checks a registration reads it.

Anybody may complain, so a complaint contests nothing by itself, unless its sender is tied to the company: the email
address that was confirmed is the one that a list has for the number, or is at the domain there, or the sender acts for
a holder who is registered under the number. Any other contests once somebody who decides complaints has read it with
the registration that it is about.

Which of several registrations is the false one nobody knows before it is decided. So it is said of every registration
under the number and of every one in the name, never of the one alone that was complained of.
"""

from collections.abc import Iterator

from rahdari.apply import subjects
from rahdari.apply.rules import domain_of
from rahdari.checks import queries as checks
from rahdari.checks.names import is_same_name
from rahdari.decide import case_clock
from rahdari.journal import queries as journal
from rahdari.people import queries as people
from rahdari.people.models import User, normalise_email
from rahdari.people.rules import Act
from rahdari.policy import Policy
from rahdari.register import queries as register
from rahdari.register.models import Registration

from .models import Complaint
from .rules import About


def name_is_contested(registration: Registration) -> bool:
    """Whether somebody says that the name or number of this company is theirs, and it is undecided."""
    open_ones = Complaint.objects.filter(looked_up_at__isnull=False, decided_at__isnull=True)
    open_ones = open_ones.filter(about__in=[About.COMPANY, About.NAME])
    said = list(open_ones.select_related("sender", "copy_of"))
    if not said:
        return False
    policy, name = case_clock.policy_in_force(), subjects.holder_name_of(registration)
    granted = subjects.last_granted_for(registration)
    number = granted.company_number if granted is not None else ""
    about_it = [each for each in said if _is_about(each, policy, name, number)]
    # One that was joined to another was read with it.
    whole = Complaint.objects.filter(pk__in=[each.part_of_id or each.pk for each in about_it], case__isnull=False)
    whole = whole.select_related("case__application").order_by()
    was_read = any(
        journal.was_done("complaint.read", each.case.application.subject, {"complaint": each.reference})
        for each in whole
        if each.case is not None
    )
    return was_read or any(_is_tied(each, policy) for each in about_it)


def _is_about(complaint: Complaint, policy: Policy, name: str, number: str) -> bool:
    if complaint.about == About.NAME:
        return is_same_name(complaint.target, name)
    listed = (each.name for each in _listed(policy, complaint.target))
    return complaint.target == number or any(is_same_name(each, name) for each in listed)


def _is_tied(complaint: Complaint, policy: Policy) -> bool:
    """Whether its sender has shown to have something to do with the company."""
    numbers = [complaint.target] if complaint.about == About.COMPANY else []
    sender = complaint.sender
    for number in _numbers_of(sender) if sender is not None else ():
        if number in numbers:
            return True
        # Of a name: it is the one that the list has for a number of theirs.
        if not numbers and any(is_same_name(each.name, complaint.target) for each in _listed(policy, number)):
            return True
    email = normalise_email((complaint.copy_of or complaint).email)
    free = policy.vouching.free_mail if policy.vouching is not None else None
    own_domain = free is not None and domain_of(email) not in free
    return any(
        email == each.email or (own_domain and checks.is_domain_of(each, domain_of(email)))
        for number in numbers
        for each in _listed(policy, number)
    )


def _numbers_of(sender: User) -> Iterator[str]:
    """Of the companies for which they act and that are registered."""
    for each in people.organisations_for(sender, Act.APPLY):
        if each.company_number and register.has_registration(each.holder_ref):
            yield each.company_number


def _listed(policy: Policy, number: str) -> Iterator[checks.Listed]:
    """What the lists of companies say of a number."""
    rules = (rule for service in policy.services.values() for rule in service.checks if rule.kind == "represents")
    for roster in sorted({rule.roster for rule in rules if rule.roster}):
        if (found := checks.look_up(roster, number)) is not None and found.row is not None:
            yield found
