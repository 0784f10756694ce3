"""Whose number it is: a code to the contact that the list has for it, and the word of those registered under it."""

import datetime as dt
import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.apply import pending, subjects
from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.apply.rules import domain_of
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks.models import Check
from rahdari.complaint import actions as complaining
from rahdari.complaint import queries as complaints
from rahdari.complaint.models import Complaint
from rahdari.control import registries
from rahdari.people import holders
from rahdari.people import queries as people
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.register.rules import STANDING

# Of those who apply with a number, on the page of its contact.
MOST_SHOWN = 50


def waiting(application: Application) -> Check | None:
    """The check that waits for the applicant to show whose number it is; none where nothing can be shown."""
    return contacts.open_check(application.subject) if application.status == "submitted" else None


def number_for(application: Application, check: Check) -> str:
    return application.number_for(check.facts.get("roster", "")) or ""


def send(application: Application, check: Check, channel: str, *, by: User, actor: str, now: dt.datetime) -> None:
    """Send a code there; where nothing is to be shown any more, nothing is sent. Raises control.actions.NoCodeNow."""
    with suppress(contacts.NothingToShow):
        contacts.send_code(
            check=check,
            number=number_for(application, check),
            channel=channel,
            holder=application.holder_name,
            asked_by=by,
            language=apply.language_now(),
            actor=actor,
            now=now,
        )


@transaction.atomic
def leave(application: Application, check: Check, *, actor: str, now: dt.datetime) -> None:
    """An officer looks, without a code. The contact hears who applies, unless it was told already."""
    with suppress(contacts.NothingToShow):
        check = contacts.leave_to_officer(check=check, actor=actor, now=now)
        if check.facts.get("told_at"):
            return
        contacts.tell_contact(
            check=check,
            number=number_for(application, check),
            holder=application.holder_name,
            asked_by=application.applicant,
            language=application.language,
            owners=owners_of(application),
            goes_on_at=None,
            actor=actor,
            now=now,
        )


@dataclass(frozen=True)
class Applying:
    """One who applies with a number, as the contact on the list reads it. `said`: its answer, "yes", "no" or ""."""

    application: Application
    check: Check
    said: str
    may_agree: bool
    may_object: bool

    @property
    def name(self) -> str:
        return contacts.as_given(self.application.holder_name)

    @property
    def owners(self) -> list[dict[str, str]]:
        """Others who own the organisation."""
        return contacts.named(each for each in owners_of(self.application) if each != self.application.applicant)

    @property
    def owners_are_tied(self) -> bool:
        return owners_are_tied(self.application, self.check)

    @property
    def goes_on_at(self) -> dt.datetime | None:
        """When it goes on without an answer."""
        waits = self.check.outcome == "waiting" and self.check.facts.get("told_at")
        return dt.datetime.fromisoformat(self.check.facts["until"]) if waits else None


def applying_with_the_number(opened: Check) -> list[Applying]:
    """Everybody whose application with that number is undecided; the one that the link was about in front."""
    first = subjects.application_by_subject(opened.subject)
    if first is None or first.erased_at is not None:
        return []
    others = pending.open_with_the_number_of(first).exclude(pk=first.pk)[:MOST_SHOWN]
    found = []
    for each in (first, *others):
        check = (
            opened
            if each == first
            else checks.check_about(subject=each.subject, kind=opened.kind, target=opened.target)
        )
        if check is None:
            continue
        is_open = each.status == "submitted"
        found.append(
            Applying(
                each,
                check,
                check.facts.get("contact", ""),
                may_agree=is_open and contacts.may_answer(check, agrees=True),
                may_object=is_open and contacts.may_answer(check, agrees=False),
            )
        )
    return found


@dataclass(frozen=True)
class Registered:
    """What is registered under a number, as the contact on the list reads it. `said`: its open no, if it said one."""

    registration: Registration
    name: str
    owners: list[dict[str, str]]
    said: Complaint | None

    @property
    def is_contested(self) -> bool:
        return self.said is not None and self.said.taken_back_at is None


def lasting(id: uuid.UUID, token: str, now: dt.datetime) -> tuple[Check, str] | None:
    """The check that a link about what is registered opens, and the contact's address; None for a wrong link, one for
    whom the list does not name any more, and one whose time is over: 60 days after the last registration ended."""
    check = checks.check_with_id(str(id))
    about = subjects.application_by_subject(check.subject) if check is not None else None
    if check is None or about is None or about.erased_at is not None:
        return None
    email = contacts.listed_email(check, number_for(about, check))
    if not contacts.opens_what_is_registered(check, token=token, email=email):
        return None
    until = [each.struck_out_at or each.expired_at or now for each in _registrations_under(about.company_number)]
    return (check, email) if any(each > now - contacts.LINK_LASTS for each in until) else None


def _registrations_under(number: str) -> list[Registration]:
    return list(register.registrations_of(holders=holders.holders_numbered(number))) if number else []


def registered_with_the_number(opened: Check, email: str, now: dt.datetime) -> list[Registered]:
    """All that is in force under the number of this check, for its contact (`email`)."""
    about = subjects.application_by_subject(opened.subject)
    found = _registrations_under(about.company_number) if about is not None else []
    standing = [each for each in found if register.standing(each, now) in STANDING][:MOST_SHOWN]
    names = subjects.holder_names_of(standing)
    owners = {each.holder: people.people_to_notify(each.holder, Act.MEMBERS) for each in standing}
    said = complaints.said_by(email, standing)
    return [
        Registered(each, names[each.pk], contacts.named(owners[each.holder]), said.get(each.pk)) for each in standing
    ]


def contest_as_contact(opened: Check, email: str, reference: str, *, contested: bool, now: dt.datetime) -> bool:
    """The contact says that a registration is not from it, or withdraws that. Whether there is one to say it of."""
    found = registered_with_the_number(opened, email, now)
    one = next((each for each in found if each.registration.reference == reference), None)
    if one is None or one.is_contested is contested:
        return False
    if contested:
        language = (get_language() or "en")[:2]
        complaining.contest_by_contact(registration=one.registration, email=email, language=language, now=now)
    elif one.said is not None:
        complaining.take_back(complaint=one.said, now=now)
    return True


def listed_name(opened: Check) -> str:
    """The name that the list has for the number, as its own contact reads it beside the names of those who apply."""
    about = subjects.application_by_subject(opened.subject)
    return contacts.listed_name(opened, number_for(about, opened)) if about is not None else ""


def answer_as_contact(opened: Check, chosen: str, *, agrees: bool, now: dt.datetime) -> bool:
    """Whether the answer about one of them was recorded."""
    found = next((each for each in applying_with_the_number(opened) if str(each.check.pk) == chosen), None)
    if found is None or not (found.may_agree if agrees else found.may_object):
        return False
    tied = found.check.kind != contacts.REPRESENTS or owners_are_tied(found.application, found.check)
    return contacts.answer_as_contact(check=found.check, agrees=agrees, owners_are_tied=tied, now=now)


def no_code(trouble: registries.NoCodeNow) -> str:
    if trouble.why == "unknown":
        return _("Choose where the code goes")
    return _(
        "The limit of codes is reached for now. If the contact had a letter from us today, its link lets them say "
        "yes to your application too. Or try again tomorrow, or ask an officer to look at it."
    )


def not_taken(trouble: registries.CodeNotTaken) -> str:
    if trouble.why == "wrong":
        return _("This is not the code from the latest message. Copy it from there.")
    return _("This code no longer works. Ask for a new one.")


class NotAsked(Exception):
    """This person is asked no such thing."""


def is_tied(user: User, application: Application, check: Check) -> bool:
    """Whether this person is tied to the number themselves, and not only to an organisation that gives it: by the
    address that the list has, by its domain, or because they have shown it of an application of theirs before."""
    number = number_for(application, check)
    listed = checks.look_up(check.facts.get("roster", ""), number)
    vouching, domain = apply.policy_in_force().vouching, domain_of(user.email)
    if listed is not None and listed.row is not None:
        own_domain = vouching is not None and domain not in vouching.free_mail
        if user.email == listed.email or (own_domain and checks.is_domain_of(listed, domain)):
            return True
    before = pending.own_with_the_number_of(application, user).exclude(pk=application.pk)
    return any(checks.any_passed(contacts.REPRESENTS, [each.subject]) for each in before)


def owners_of(application: Application) -> list[User]:
    """Those who own the organisation that it is for; none of a person's."""
    ours = application.organisation
    return people.people_to_notify(ours.holder_ref, Act.MEMBERS) if ours is not None else []


def owners_are_tied(application: Application, check: Check) -> bool:
    """Whether what ties the applicant to the company ties those who own the organisation: the registration is theirs.
    Whoever made it may have asked in somebody of the company, so that their word is not enough for others. An agent is
    let in by the organisation."""
    if application.mandate_id is not None:
        return True
    owners = owners_of(application)
    return all(each == application.applicant or is_tied(each, application, check) for each in owners)


def take_code(application: Application, check: Check, given: str, *, actor: str, now: dt.datetime) -> None:
    """Take the code that came back. Raises contacts.CodeNotTaken, NothingToShow."""
    tied = owners_are_tied(application, check)
    contacts.try_code(check=check, given=given, owners_are_tied=tied, actor=actor, now=now)


def asked_of(user: User, organisation: uuid.UUID, check: uuid.UUID) -> tuple[Organisation, Check, Application]:
    """What this person may answer for this organisation. The gatekeeper: raises NotAsked for anything else, and for
    whoever is not tied to the number: to belong to an organisation, it is enough that its owner asked."""
    try:
        ours = people.organisation_within(user=user, id=organisation, act=Act.APPLY)
    except people.OrganisationNotFound:
        raise NotAsked from None
    found = checks.check_with_id(str(check))
    about = subjects.application_by_subject(found.subject) if found is not None else None
    if found is None or about is None or str(ours.pk) not in found.facts.get("asked", []):
        raise NotAsked
    if not is_tied(user, about, found):
        raise NotAsked
    return ours, found, about


@dataclass(frozen=True)
class Asked:
    """A question whether somebody applies for an organisation, that this person may answer."""

    organisation: Organisation
    application: Application
    check: Check
    until: dt.datetime


def questions_to(user: User, organisation: Organisation | None = None) -> list[Asked]:
    """Everything of the kind that is not answered yet, of all organisations of this person or of one."""
    ours = {each.pk: each for each in people.organisations_for(user, Act.APPLY)}
    if organisation is not None:
        ours = {pk: each for pk, each in ours.items() if pk == organisation.pk}
    asked = contacts.asked_of(ours, pending.open_with_the_numbers_of(ours)) if ours else []
    about_which = subjects.applications_by_subjects(check.subject for _pk, check in asked)
    found, tied = list[Asked](), dict[str, bool]()
    for pk, check in asked:
        about = about_which.get(check.subject)
        if about is not None:
            number = number_for(about, check)
            if number not in tied:
                tied[number] = is_tied(user, about, check)
            if not tied[number]:
                continue
            found.append(Asked(ours[pk], about, check, dt.datetime.fromisoformat(check.facts["answer_until"])))
    return found
