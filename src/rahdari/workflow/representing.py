"""Whose number it is: what ties an applicant to the company, the card or the membership in whose name they apply.

Only the line knows the applicant, the organisations, the list and the associations. At once it passes what is known
already; it asks those who are registered under the number; it tells all who have applied with it; what is left waits
for a code to the contact on the list, and then for an officer. Nothing here refuses.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from rahdari import optional
from rahdari.apply import access, pending, subjects
from rahdari.apply.models import Application
from rahdari.apply.rules import domain_of
from rahdari.calendar import queries as calendars
from rahdari.checks import checking as checks_checking
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.evidence import Evidence, Facts
from rahdari.checks.models import Check, Outcome
from rahdari.checks.rules import Answer
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.policy import CheckRule, Policy, add
from rahdari.register import queries as register

KIND = contacts.REPRESENTS
ACTOR = "system:workflow"
# Of what others have sent with the number.
MOST_LOOKED_AT = 200


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
    until = add(start=now, allowance=rules.show_within, calendar=calendars.in_force()).astimezone(dt.UTC).isoformat()
    shown_by: list[Check] = []
    for check in checks.checks_of(application.subject).filter(outcome=Outcome.WAITING):
        if check.kind == KIND:
            shown_by += _look(check, application, policy, until, now)
        elif contacts.waits_for_a_code(check):
            shown_by.append(contacts.note(check=check, facts={"until": until}))
    if shown_by:
        _say_what_is_missing(application, now)


def _look(check: Check, application: Application, policy: Policy, until: str, now: dt.datetime) -> list[Check]:
    """Answer the check, or have somebody asked. Gives it back when the applicant has to show something."""
    others = _others(application)
    asked = [each for each in others if each.in_force and each.organisation is not None]
    if _is_known(application):
        if application.registration_id is None:  # A renewal or a change brings nobody new to the number.
            _tell(others, application, [], None, now)
        _answer_at_once(check, application, Answer("passed", "represents_already", contacts.about(check)), now)
        return []
    if application.organisation_id is None:
        _tell(others, application, [], None, now)
        in_use = any(each.in_force or each.is_open for each in others)
        found = (
            Answer("failed", "number_used_elsewhere", blames=False) if in_use else Answer("passed", "number_used_once")
        )
        _answer_at_once(check, application, found, now)
        return []
    shown = contacts.by_mail(check)
    if shown is not None and contacts.is_contact(check):
        # The very contact on the list: nobody who is registered already says no to it.
        _tell(others, application, [], None, now)
        _answer_at_once(check, application, shown, now)
        return []
    if asked:
        assert policy.representing is not None  # noqa: S101 (`look` has seen to it)
        due_at = add(start=now, allowance=policy.representing.answer_within, calendar=calendars.in_force())
        facts: Facts = {
            "asked": [str(each.organisation.pk) for each in asked if each.organisation is not None],
            "asked_at": now.isoformat(),
            "until": due_at.astimezone(dt.UTC).isoformat(),
            "channels": [],
        }
        contacts.note(check=check, facts=facts)
        _tell(others, application, asked, due_at, now)
        return []
    _tell(others, application, [], None, now)
    shown = shown or optional.ask(__package__, "names_the_applicant", application, policy, now)
    if shown is not None:
        _answer_at_once(check, application, shown, now)
        return []
    if check.facts.get("channels") or _association_is_asked(application):
        contacts.note(check=check, facts={"until": until})
        return [check] if check.facts.get("channels") else []
    _answer_at_once(check, application, Answer("failed", "not_shown", contacts.about(check), blames=False), now)
    return []


def _answer_at_once(check: Check, application: Application, found: Answer, now: dt.datetime) -> None:
    """What was known when the application came: the clock of the decision does not wait for our looking."""
    came = application.submitted_at or now
    _answer(check, replace(found, evidence={**found.evidence, "came_at": came.isoformat()}), now)


def _answer(check: Check, found: Answer, now: dt.datetime) -> None:
    checks_checking.answer_check(
        subject=check.subject, kind=check.kind, target=check.target, found=found, actor=ACTOR, now=now
    )


def _is_known(application: Application) -> bool:
    """Whether it was shown before, with this very number: by the applicant, or by each owner of the organisation, since
    only owners let others in. That one member did says nothing of the others: whoever made the organisation may have
    asked in somebody of the company.
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
        and (each.status == "granted" or checks.any_passed(KIND, [each.subject]))
    }
    owners = {each.pk for each in people.people_to_notify(organisation.holder_ref, Act.MEMBERS)}
    return application.applicant_id in shown or (bool(owners) and owners <= shown)


def _numbers(application: Application) -> tuple[str, str]:
    return application.company_number, application.cnic_index


@dataclass
class Other:
    """Somebody else who has applied with the same number: whether they are registered, or an application is open."""

    organisation: Organisation | None
    person: User
    in_force: bool
    is_open: bool = False

    def to_tell(self) -> list[User]:
        if self.organisation is not None:
            return people.people_to_notify(self.organisation.holder_ref, Act.APPLY)
        return [self.person] if self.person.is_active else []


def _others(application: Application) -> list[Other]:
    """Other holders who have sent something with this company number or card number, each once."""
    found: dict[object, Other] = {}
    for each in pending.sent_with_the_number_of(application)[:MOST_LOOKED_AT]:
        known = found.get(each.holder_ref)
        if known is None:
            known = Other(each.organisation, each.applicant, in_force=register.has_registration(each.holder_ref))
            found[each.holder_ref] = known
        known.is_open = known.is_open or each.status == "submitted"
    return list(found.values())


def _tell(
    others: Iterable[Other],
    application: Application,
    asked: Iterable[Other],
    due_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """Everybody who has applied with the number hears of it; whoever is registered under it is asked, and reads by
    whom it was."""
    asks = list(asked)
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    for other in others:
        for person in other.to_tell():
            if person.pk == application.applicant_id:
                continue
            if other in asks and other.organisation is not None and check is not None:
                template = "representative_asked"
                told: dict[str, object] = {
                    "organisation": application.holder_name,
                    "name": application.applicant.name or application.contact_name,
                    "email": application.applicant.email,
                    "due_at": due_at,
                    "url": reverse("portal:representative", args=[other.organisation.pk, check.pk]),
                }
            else:
                template = "number_used_again"
                told = {"organisation": other.organisation.name} if other.organisation is not None else {}
                told["url"] = reverse("portal:help")
            letters.write_once(
                to=person,
                template=template,
                about=f"holder:{other.organisation.holder_ref if other.organisation else person.holder_ref}",
                # One letter a day and applicant: whoever applies again and again fills no mailbox.
                once=f"{template}:{application.applicant_id}:{now.date()}",
                context=told,
                now=now,
            )


def _association_is_asked(application: Application) -> bool:
    """Whether the association that the applicant named is still to answer: it sees who applies."""
    check = checks.check_about(subject=application.subject, kind="attestation", target="")
    return bool(application.association) and check is not None and check.outcome == Outcome.WAITING


def take_word_of_association(application: Application, policy: Policy, *, confirmed: bool, now: dt.datetime) -> None:
    """An association has answered about this application: it saw who applies, so its yes names the applicant."""
    check = checks.checks_of(application.subject).filter(kind=KIND, outcome=Outcome.WAITING).first()
    association = policy.attesting.association(application.association) if policy.attesting else None
    if check is None or association is None or check.facts.get("asked"):
        return
    if confirmed:
        evidence: Evidence = {"association": {"en": association.title.en, "ur": association.title.ur}}
        _answer(check, Answer("passed", "association_names", evidence), now)
    elif not check.facts.get("channels"):
        _answer(check, Answer("failed", "not_shown", contacts.about(check), blames=False), now)


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
    """Whoever was asked and did not say yes reads that an officer registered it all the same."""
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
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
