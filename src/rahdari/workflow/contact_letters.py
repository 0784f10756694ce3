"""The contact that a list has for a company's number hears of what is done in the company's name, by a letter to the
address on the list and to no account.

Told of: a registration, a change of who owns the organisation, the contact's own membership, another name, an agent.
Not of what the contact did itself. One letter a day at most to a mailbox, with what was done since the last one; what
comes after it is told with the next. Nothing here suspends or ends anything: a no behind the link is decided by a
person.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from rahdari.applicant import representing
from rahdari.apply import queries as applications
from rahdari.apply import subjects
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks.models import Check
from rahdari.db.queues import each_of
from rahdari.journal import queries as journal
from rahdari.journal.models import JournalEntry
from rahdari.letters import actions as letters
from rahdari.letters import queries as carried
from rahdari.people import actions as people
from rahdari.people import queries as persons
from rahdari.people.models import Membership, Organisation, User
from rahdari.people.rules import Act
from rahdari.people.told_contacts import AGAIN, contacts_to_tell
from rahdari.register import queries as register
from rahdari.register.models import Registration

OWNER = Membership.Role.OWNER
# Of what was done one letter has so much; the page behind its link shows how it is now.
MOST_TOLD = 20
# After this the letter is no use any more; the next one has its own.
USELESS_AFTER = dt.timedelta(days=7)


@each_of(contacts_to_tell, lock=True)
def tell_contacts(organisation: Organisation, now: dt.datetime) -> int:
    """Write to the contact of one organisation. Returns how many letters."""
    found = list(register.registrations_of(holders=[organisation.holder_ref]))
    check = _check_of(found)
    about = subjects.application_by_subject(check.subject) if check is not None else None
    number = representing.number_for(about, check) if about is not None and check is not None else ""
    email = contacts.listed_email(check, number) if check is not None else ""
    told = _told(organisation, found, persons.person_by_email(email), now) if email else []
    if not told or check is None:
        people.contact_was_told(organisation=organisation, written=False, now=now)
        return 0
    mailbox = contacts.mailbox_of(email)
    last = carried.letters_about(mailbox).filter(written_at__gt=now - AGAIN).first()
    if last is not None:
        people.tell_contact_next(organisation=organisation, at=last.written_at + AGAIN)
        return 0
    letters.write_to_outsider(
        address=email,
        language=applications.language_of(organisation),
        template="contact_acts",
        about=mailbox,
        context={
            "organisation": contacts.as_given(organisation.name),
            "listed": contacts.listed_name(check, number),
            "acts": told[-MOST_TOLD:],
            "owners": contacts.named(persons.people_to_notify(organisation.holder_ref, Act.MEMBERS)),
            "url": contacts.link_while_registered(check, email),
        },
        expires_at=now + USELESS_AFTER,
        now=now,
    )
    people.contact_was_told(organisation=organisation, written=True, now=now)
    return 1


def _check_of(found: list[Registration]) -> Check | None:
    """Which asked whose number it is, of the first that stands: its link shows all of them. None: nobody is told."""
    for each in reversed(found):
        check = checks.checks_of(each.origin).filter(kind=contacts.REPRESENTS).first()
        if each.struck_out_at is None and each.expired_at is None and check is not None and check.facts.get("roster"):
            return check
    return None


def _told(
    organisation: Organisation, found: list[Registration], contact: User | None, now: dt.datetime
) -> list[dict[str, Any]]:
    """What was done since the last letter, or since the first registration: `what`, `on` (a time) and `reference`."""
    since = organisation.contact_told_at
    begun = min(each.created_at for each in found)
    told: list[dict[str, Any]] = []
    applied = {each.pk: subjects.application_by_subject(each.origin) for each in found}
    for each in found:
        application = applied[each.pk]
        is_own = application is not None and application.applicant == contact
        if not is_own and (since is None or each.created_at > since):
            told.append({"what": "registered", "on": each.created_at, "reference": each.reference})
    rows = journal.about(f"organisation:{organisation.pk}").filter(at__gt=since or begun, at__lte=now)
    for row in rows:
        if contact is None or row.actor != f"person:{contact.pk}":
            told += [{"what": what, "on": row.at, "reference": ""} for what in _weighs(row, contact)]
    return sorted(told, key=lambda each: (each["on"], each["what"]))


def _weighs(row: JournalEntry, contact: User | None) -> Iterator[str]:
    """What the letter calls it; nothing of what weighs little."""
    act, detail = row.act.removeprefix("people."), row.detail
    if act in {"removed_member", "changed_role"} and contact is not None and detail["member"] == f"person:{contact.pk}":
        yield "you_removed" if act == "removed_member" else "your_role"
    elif (act in {"added_member", "changed_role"} and detail["role"] == OWNER) or detail.get("was") == OWNER:
        yield "owner_added" if detail.get("role") == OWNER else "owner_removed"
    elif act == "described_organisation":
        yield "renamed"
    elif act == "accepted_mandate":
        yield "agent"
