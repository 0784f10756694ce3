"""Whether the name of a company is contested, as whoever checks a registration reads it.

Anybody may complain, so a complaint contests nothing by itself, unless its sender is tied to the company: the email
address that was confirmed is the one that a list has for the number, or is at the domain there, or the sender acts for
a holder who is registered under the number. Any other contests once whoever decides complaints says so
(`actions.contest`); to read it changes nothing. One about a registration is about the number and the name in it.

Which of several registrations is the false one nobody knows before it is decided. So it is said of every registration
under the number and of every one in the name, never of the one alone that was complained of.

Private persons share their names with others. So a claim to a name is said of theirs where an officer says so, and
otherwise where that very registration is complained of, and then of no other.
"""

from collections.abc import Iterator

from rahdari.apply import subjects
from rahdari.apply.rules import domain_of
from rahdari.checks import queries as checks
from rahdari.checks.names import is_same_name
from rahdari.decide import case_clock
from rahdari.people import queries as people
from rahdari.people.models import User, normalise_email
from rahdari.people.rules import Act
from rahdari.policy import Policy
from rahdari.register import queries as register
from rahdari.register.models import Registration

from .models import Complaint
from .rules import CONTESTS, About


def name_is_contested(registration: Registration) -> bool:
    """Whether somebody says that the name or number of this company is theirs, and it is undecided."""
    open_ones = Complaint.objects.filter(looked_up_at__isnull=False, decided_at__isnull=True, about__in=CONTESTS)
    said = list(open_ones.select_related("sender", "copy_of", "part_of"))
    if not said:
        return False
    policy, number, name = case_clock.policy_in_force(), _number_of(registration), subjects.holder_name_of(registration)
    for each in said:
        if not _is_about(each, policy, registration, name, number):
            continue
        # What was joined to another is contested with it.
        if (each.part_of or each).contested_at is not None:
            return True
        if (number or each.about == About.ENTRY) and _is_tied(each, policy):
            return True
    return False


def is_contested_by_sender(complaint: Complaint) -> bool:
    """Whether it, or the same said again, contests by who sent it. Asked at the desk."""
    policy = case_clock.policy_in_force()
    said = [complaint, *complaint.others.select_related("sender", "copy_of")]
    return complaint.about in CONTESTS and any(_is_tied(each, policy) for each in said)


def _number_of(registration: Registration) -> str:
    granted = subjects.last_granted_for(registration)
    return granted.company_number if granted is not None and granted.organisation_id is not None else ""


def _claimed(complaint: Complaint) -> tuple[str, str]:
    """The number and the name that it is about, each "" where it names none."""
    if complaint.about == About.ENTRY:
        entry = register.registration_by_reference(complaint.target)
        return ("", "") if entry is None else (_number_of(entry), subjects.holder_name_of(entry))
    return ("", complaint.target) if complaint.about == About.NAME else (complaint.target, "")


def _is_about(complaint: Complaint, policy: Policy, registration: Registration, name: str, number: str) -> bool:
    its_number, its_name = _claimed(complaint)
    if complaint.about == About.ENTRY and not its_number:
        return complaint.target == registration.reference
    names = [its_name, *(each.name for each in _listed(policy, its_number))] if its_number else [its_name]
    return (its_number != "" and its_number == number) or any(is_same_name(each, name) for each in names if each)


def _is_tied(complaint: Complaint, policy: Policy) -> bool:
    """Whether its sender has shown to have something to do with the company, and has not taken it back."""
    if complaint.taken_back_at is not None:
        return False
    its_number, its_name = _claimed(complaint)
    sender = complaint.sender
    for number in _numbers_of(sender) if sender is not None else ():
        if number == its_number:
            return True
        # Of a name: it is the one that the list has for a number of theirs.
        if not its_number and any(is_same_name(each.name, its_name) for each in _listed(policy, number)):
            return True
    email = normalise_email((complaint.copy_of or complaint).email)
    free = policy.vouching.free_mail if policy.vouching is not None else None
    own_domain = free is not None and domain_of(email) not in free
    listed = _listed(policy, its_number) if its_number else checks.listed_as(its_name)
    return any(email == each.email or (own_domain and checks.is_domain_of(each, domain_of(email))) for each in listed)


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
