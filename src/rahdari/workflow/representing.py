"""Whose number it is: what ties an applicant to the company, the card or the membership in whose name they apply.

Only the line knows the applicant, the organisations, the list and the associations. At once it passes what is known
already; it asks those who are registered under the number, of which the applicant sees nothing; the contact on the
list is told of whoever has a mailbox at its domain, and of whoever goes to an officer without its code. Nothing here
refuses.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case, When
from django.urls import reverse

from rahdari import optional
from rahdari.applicant.representing import is_tied, owners_are_tied, owners_of
from rahdari.apply import access, pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.apply.rules import domain_of
from rahdari.calendar import queries as calendars
from rahdari.checks import checking as checks_checking
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.declared import NUMBER_USED_ELSEWHERE
from rahdari.checks.evidence import Evidence, Facts
from rahdari.checks.models import Check, Outcome
from rahdari.checks.names import AGREE, compare_names
from rahdari.checks.rules import Answer
from rahdari.db.queues import each_of
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.policy import CheckRule, EvidenceKind, Policy, add
from rahdari.register import queries as register

KIND, NAMED = contacts.REPRESENTS, contacts.NAMED
ACTOR = "system:workflow"
# Of what others have sent with the number.
MOST_LOOKED_AT = 200


@dataclass
class Other:
    """Somebody else who has applied with the same number: whether they are registered, or an application is open."""

    organisation: Organisation | None
    person: User
    in_force: bool
    is_open: bool = False
    # With which kinds of evidence of a person, and when, the last of each; of what was not refused or withdrawn.
    evidence: dict[str, dt.datetime] = field(default_factory=dict)
    # Of what was granted with the number.
    subjects: list[str] = field(default_factory=list)

    def has_declared(self, kind: EvidenceKind | None, since: dt.datetime | None) -> bool:
        at = self.evidence.get(kind.key) if kind is not None else None
        return at is not None and since is not None and at >= since

    def to_tell(self) -> list[User]:
        if self.organisation is not None:
            return people.people_to_notify(self.organisation.holder_ref, Act.APPLY)
        return [self.person] if self.person.is_active else []


def request_for(rule: CheckRule, application: Application, policy: Policy) -> CheckRequest:
    roster = rule.roster or ""
    return CheckRequest(
        kind=rule.kind,
        target=roster,
        roster=rule.roster,
        key=application.number_for(roster) if roster else None,
        name=application.holder_name,
        **mail_of(application, policy),
        title={"en": rule.title.en, "ur": rule.title.ur},
        reason=rule.reason,
        required=rule.required,
    )


def mail_of(application: Application, policy: Policy) -> dict[str, Any]:
    """The address that the applicant signs in with, and whether its domain is an organisation's own: anybody has one at
    a free mail service. Without a list of those no domain counts. That of an agent says nothing of the organisation.
    """
    if application.mandate_id is not None:
        return {"mail": "", "own_domain": False}
    mail = application.applicant.email
    free = policy.vouching.free_mail if policy.vouching is not None else None
    return {"mail": mail, "own_domain": free is not None and domain_of(mail) not in free}


def look(application: Application, policy: Policy, now: dt.datetime) -> None:
    """Checks were opened: tell those who know the number too, answer what is known, and say until when the rest waits.
    A second call changes nothing."""
    rules = policy.representing
    if rules is None:
        return
    shown_by: list[Check] = []
    for check in checks.checks_of(application.subject):
        if check.kind == KIND and check.outcome == Outcome.WAITING:
            shown_by += _look(check, application, policy, now)
        elif application.registration_id is None and contacts.is_member_to_show(check):
            # Not of a renewal or a change, which bring nobody new to the number. Whatever the list says of it.
            number = application.number_for(check.facts.get("roster", "")) or ""
            contacts.tell_of_number(check=check, number=number, url=reverse("portal:help"), now=now)
    if shown_by:
        _say_what_is_missing(application, now)


def _look(check: Check, application: Application, policy: Policy, now: dt.datetime) -> list[Check]:
    """Answer the check, or have somebody asked. Gives it back when the applicant has to show something.

    Nothing is asked, told or said of a number while a proof of an address is awaited: who proves nothing learns the
    same of one that is registered, one on the list and one that nobody has. With the proof it goes by the list alone:
    whoever is registered under the number is asked besides."""
    others = _others(application)
    if _is_known(application):
        if application.registration_id is None:  # A renewal or a change brings nobody new to the number.
            _tell(others, application, [], None, now)
        _answer_at_once(check, application, Answer("passed", "represents_already", contacts.about(check)), now)
        return []
    if application.organisation_id is None:
        if checks.any_waits("control", application.subject):
            contacts.note(check=check, facts={"card": True})
        else:
            _compare_card(check, application, others, now)
        return []
    shown = contacts.by_mail(check)
    is_owners = owners_are_tied(application, check)
    if shown is not None and contacts.is_contact(check) and is_owners:
        # The very contact on the list: nobody who is registered already says no to it.
        _tell(others, application, [], None, now)
        _answer_at_once(check, application, shown, now)
        return []
    if checks.any_waits("control", application.subject):
        contacts.note(check=check, facts={"unproved": True})
        return []
    if not is_owners:
        _tell(others, application, [], None, now)
        _told(check, application, None, now)
        _answer_at_once(check, application, Answer("failed", "not_shown", contacts.about(check), blames=False), now)
        return []
    _ask(check, application, policy, others, now)
    named = optional.ask(__package__, "names_the_applicant", application, check, policy, now)
    if (shown := named or shown) is not None:
        _tell_contact(check, application, policy, shown, now)
        return []
    if check.facts.get("channels") or _association_is_asked(application):
        assert policy.representing is not None  # noqa: S101 (`look` has seen to it)
        until = add(start=now, allowance=policy.representing.show_within, calendar=calendars.in_force())
        contacts.note(check=check, facts={"until": until.astimezone(dt.UTC).isoformat()})
        return [check] if check.facts.get("channels") else []
    _answer_at_once(check, application, Answer("failed", "not_shown", contacts.about(check), blames=False), now)
    return []


def _ask(check: Check, application: Application, policy: Policy, others: list[Other], now: dt.datetime) -> bool:
    """Whoever is registered under the number is asked, if anybody is. Nothing that the applicant sees changes."""
    assert policy.representing is not None  # noqa: S101 - without these rules nobody has such a check
    asked = [each for each in others if each.in_force and each.organisation is not None]
    if not asked or check.facts.get("asked"):
        return False
    due_at = add(start=now, allowance=policy.representing.answer_within, calendar=calendars.in_force())
    organisations = [str(each.organisation.pk) for each in asked if each.organisation is not None]
    contacts.note(check=check, facts={"asked": organisations, "answer_until": due_at.astimezone(dt.UTC).isoformat()})
    _tell(others, application, asked, due_at, now)
    return True


def _tell_contact(check: Check, application: Application, policy: Policy, shown: Answer, now: dt.datetime) -> None:
    """The applicant has a mailbox at the domain of the list, or the word of an association, which is enough once the
    contact on the list heard of it and did not say no. Where there is none to write to it is enough at once; where it
    had its letters of today, nothing goes on unseen: an officer looks."""
    assert policy.representing is not None  # noqa: S101 (`look` has seen to it)
    until = add(start=now, allowance=policy.representing.object_within, calendar=calendars.in_force())
    told = _told(check, application, until, now, by_association=shown.finding == NAMED)
    if told == "nobody":
        _answer_at_once(check, application, shown, now)
    elif told == "too_many":
        _answer_at_once(check, application, Answer("failed", "not_shown", contacts.about(check), blames=False), now)
    else:
        at = now.isoformat()
        until_text = until.astimezone(dt.UTC).isoformat()
        facts: Facts = {"told_at": at, "asked_at": at, "until": until_text}
        if shown.finding == NAMED:
            facts["named"] = shown.evidence
        contacts.note(check=check, facts=facts)


def _told(
    check: Check,
    application: Application,
    goes_on_at: dt.datetime | None,
    now: dt.datetime,
    *,
    by_association: bool = False,
) -> contacts.Told:
    return contacts.tell_contact(
        check=check,
        number=application.number_for(check.facts.get("roster", "")) or "",
        holder=application.holder_name,
        asked_by=application.applicant,
        language=application.language,
        owners=owners_of(application),
        goes_on_at=goes_on_at,
        by_association=by_association,
        actor=ACTOR,
        now=now,
    )


@each_of(contacts.not_shown_in_time, lock=True)
def end_not_shown(check: Check, now: dt.datetime) -> None:
    """What was not shown in time. Of whom an officer has to look at, the contact on the list hears."""
    waited_for_code = contacts.waits_for_a_code(check) and not check.facts.get("told_at")
    application = subjects.application_by_subject(check.subject)
    tied = application is None or check.kind != KIND or owners_are_tied(application, check)
    contacts.end_waiting(check, now, owners_are_tied=tied)
    if waited_for_code and application is not None:
        _told(check, application, None, now)


def ask_holders(application: Application, policy: Policy, now: dt.datetime) -> None:
    """An organisation came onto the register under this number after the check was answered: it is asked now. What
    passed needs its yes, as it would have had it come first; until then an officer has it."""
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    is_new = check is not None and _ask(check, application, policy, _others(application), now)
    if check is not None and is_new and check.outcome == Outcome.PASSED:
        _answer(check, Answer("passed", check.finding, check.evidence), now, anew=True)


def _compare_card(check: Check, application: Application, others: list[Other], now: dt.datetime) -> None:
    """Nobody is shown what comes of it but officers, and nothing hangs on it: the number proves nothing, and whoever
    typed the number of somebody else would read in a delay that it is known. An officer looks after the grant
    (`sampling`), and finds out who of them has the card. Whoever an officer found to have the card is told, and not by
    whom it was given. Nobody else is: whoever declared somebody's number first would hear of them by it."""
    kind = applications.evidence_of(application)
    since = applications.declared_since(kind, now) if kind is not None else None
    used = any(each.in_force or each.is_open or each.has_declared(kind, since) for each in others)
    for other in others:
        if other.in_force and checks.any_passed_by_hand(KIND, other.subjects):
            _tell_the_person(other.person, now)
    _answer_at_once(check, application, Answer("passed", NUMBER_USED_ELSEWHERE if used else "number_used_once"), now)


@each_of(lambda: checks.waiting_numbers())
def compare_numbers(check: Check, now: dt.datetime) -> bool:
    """Numbers of applications whose addresses are proved, or will not be by themselves any more."""
    application = subjects.application_by_subject(check.subject)
    if application is None or application.status != "submitted":
        return False
    if application.organisation_id is not None:
        contacts.begin(check)
        if _look(check, application, applications.frozen_policy(application), now):
            _say_what_is_missing(application, now)
        return True
    _compare_card(check, application, _others(application), now)
    return True


def _tell_the_person(person: User, now: dt.datetime) -> None:
    """Whoever else has the card hears of it: one letter a day, however many gave the number."""
    if person.is_active:
        letters.write_once(
            to=person,
            template="own_number_used",
            about=f"holder:{person.holder_ref}",
            once=f"own_number_used:{now.date()}",
            context={"is_card": True, "url": reverse("complaint:correction")},
            now=now,
        )


def _answer_at_once(check: Check, application: Application, found: Answer, now: dt.datetime) -> None:
    """What was known when the application came: the clock of the decision does not wait for our looking."""
    came = application.submitted_at or now
    _answer(check, replace(found, evidence={**found.evidence, "came_at": came.isoformat()}), now)


def _answer(check: Check, found: Answer, now: dt.datetime, *, anew: bool = False) -> None:
    checks_checking.answer_check(
        subject=check.subject, kind=check.kind, target=check.target, found=found, actor=ACTOR, now=now, anew=anew
    )


def _is_known(application: Application) -> bool:
    """Whether it was shown before, with this very number and name: by the applicant, or by each owner of the
    organisation, since only owners let others in. That one member did says nothing of the others: whoever made the
    organisation may have asked in somebody of the company.
    """
    organisation = application.organisation
    if organisation is None:
        registration = application.registration
        before = subjects.last_granted_for(registration) if registration is not None else None
        return before is not None and _numbers(before) == _numbers(application)
    shown = {
        each.applicant_id
        for each in pending.sent_for(organisation).exclude(pk=application.pk)
        if _numbers(each) == _numbers(application)
        and compare_names(each.holder_name, application.holder_name) in AGREE
        and (each.status == "granted" or checks.any_passed(KIND, [each.subject]))
    }
    owners = {each.pk for each in people.people_to_notify(organisation.holder_ref, Act.MEMBERS)}
    return application.applicant_id in shown or (bool(owners) and owners <= shown)


def _numbers(application: Application) -> tuple[str, str]:
    return application.company_number, application.cnic_index


def _others(application: Application) -> list[Other]:
    """Other holders who have sent something with this company number or card number, each once."""
    found: dict[object, Other] = {}
    # Those who may be registered first: nobody hides them by applying very often.
    sent = pending.sent_with_the_number_of(application).order_by(
        Case(When(status="granted", then=0), default=1), "-submitted_at", "id"
    )
    for each in sent[:MOST_LOOKED_AT]:
        known = found.get(each.holder_ref)
        if known is None:
            known = Other(each.organisation, each.applicant, in_force=register.has_registration(each.holder_ref))
            found[each.holder_ref] = known
        if each.status == "granted":
            known.subjects.append(each.subject)
        known.is_open = known.is_open or each.status == "submitted"
        if each.evidence_kind and each.submitted_at is not None and each.status not in {"refused", "withdrawn"}:
            last = known.evidence.get(each.evidence_kind, each.submitted_at)
            known.evidence[each.evidence_kind] = max(last, each.submitted_at)
    return list(found.values())


def _tell(
    others: Iterable[Other],
    application: Application,
    asked: Iterable[Other],
    due_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """Whoever is registered under a company's number is asked, or hears of it; who only applied with it is told
    nothing, since that may be an impostor, and the next one the company itself. Of cards `_compare_card` tells.

    A mailbox gets few letters a day about a company's number, however many apply with it: all of them are on the page.
    """
    asks = list(asked)
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    for other in others:
        ours = other.organisation
        if ours is None or not other.in_force:
            continue
        for person in other.to_tell():
            if person.pk == application.applicant_id:
                continue
            if other in asks and check is not None and is_tied(person, application, check):
                _ask_person(person, ours, check, application, due_at, now)
            else:
                told = {"organisation": ours.name, "url": reverse("portal:help")}
                _write(person, "number_used_again", f"holder:{ours.holder_ref}", "number_used_again", told, now)


def _ask_person(
    person: User,
    ours: Organisation,
    check: Check,
    application: Application,
    due_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """The first of a day by itself, all others of that day in one letter more."""
    about, more = f"holder:{ours.holder_ref}", "representative_asked_more"
    question = {
        "organisation": application.holder_name,
        "name": application.applicant.name or application.contact_name,
        "email": application.applicant.email,
        "due_at": due_at,
        "url": reverse("portal:representative", args=[ours.pk, check.pk]),
    }
    if not _write(person, "representative_asked", about, "representative_asked", question, now):
        all_of_them = {"organisation": ours.name, "url": reverse("portal:organisation", args=[ours.pk])}
        _write(person, more, about, more, all_of_them, now)


def _write(person: User, template: str, about: str, once: str, told: dict[str, Any], now: dt.datetime) -> bool:
    """Unless this (`once`) was written today."""
    return letters.write_once(
        to=person, template=template, about=about, once=f"{once}:{now.date()}", context=told, now=now
    )


def _association_is_asked(application: Application) -> bool:
    """Whether the association that the applicant named is still to answer: it sees who applies."""
    check = checks.check_about(subject=application.subject, kind="attestation", target="")
    return bool(application.association) and check is not None and check.outcome == Outcome.WAITING


def take_word_of_association(
    application: Application, policy: Policy, *, claim: str | None, confirmed: bool, now: dt.datetime
) -> None:
    """An association has answered about this application: it saw who applies, so its yes (to this `claim`) names the
    applicant, for the company that the list has under the number. It never saw the number."""
    check = checks.checks_of(application.subject).filter(kind=KIND, outcome=Outcome.WAITING).first()
    association = policy.attesting.association(application.association) if policy.attesting else None
    if check is None or association is None:
        return
    if confirmed and ties(application, policy, association.key, claim) and is_of_the_list(check):
        evidence: Evidence = {"association": {"en": association.title.en, "ur": association.title.ur}}
        _tell_contact(check, application, policy, Answer("passed", NAMED, evidence), now)
    elif not check.facts.get("channels"):
        _answer(check, Answer("failed", "not_shown", contacts.about(check), blames=False), now)


def ties(application: Application, policy: Policy, association: str, claim: str | None) -> bool:
    """Whether what an association claims of a member can tie the applicant to the company: no supporting word does."""
    weight = policy.attesting.weight(association, claim, application.service) if policy.attesting and claim else None
    return weight in {"alone", "provisional"}


def is_of_the_list(check: Check) -> bool:
    """Whether the name that is applied for is the one that the list has for the number, not only one like it."""
    return check.facts.get("name_agrees") in {"same", "same_but_form"}


def _say_what_is_missing(application: Application, now: dt.datetime) -> None:
    for reader in access.readers_of(application):
        letters.write_once(
            to=reader,
            template="represents_missing",
            about=application.subject,
            once="represents_missing",
            context={
                "reference": application.reference,
                "organisation": application.holder_name,
                "url": reverse("portal:represent", args=[application.reference]),
                **access.on_behalf(application),
            },
            now=now,
        )


def notify_of_grant(application: Application, now: dt.datetime) -> None:
    """Whoever was asked and did not say yes reads that an officer registered it all the same. Whose card number another
    account gave hears of it when an officer has found the card to be theirs, and never by a rule."""
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    before = check.evidence.get("before", {}) if check is not None else {}
    if check is not None and check.finding == "by_hand" and before.get("finding") == NUMBER_USED_ELSEWHERE:
        _tell_the_person(application.applicant, now)
        return
    if check is None or not check.facts.get("asked") or check.facts.get("answer") == "yes":
        return
    for each in _others(application):
        if each.organisation is None or str(each.organisation.pk) not in check.facts["asked"]:
            continue
        for person in each.to_tell():
            letters.write_once(
                to=person,
                template="representative_overruled",
                about=f"holder:{each.organisation.holder_ref}",
                once=f"representative_overruled:{check.pk}",
                context={
                    "organisation": application.holder_name,
                    "name": application.applicant.name or application.contact_name,
                    "email": application.applicant.email,
                    "denied": check.facts.get("answer") == "no",
                    "url": reverse("portal:help"),
                },
                now=now,
            )
