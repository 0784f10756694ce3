"""What ties an applicant to the number that they give: the contact that the list has for it.

The numbers of companies are public, and those of members known to many. Whoever keeps the list knows how to reach its
members: a code goes there, and comes back from whoever it reaches. Mail from that very address, or from the domain that
the list names, shows the same. Those who are registered under the number already may say yes or no.

Invariants: the contact is read from the list when it is written to, and stands in no check; a code is derived, and
another one with each letter; nobody is written to often, whoever asks, and nobody uses that up alone; what is not shown
in time goes to an officer.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.urls import reverse

from rahdari import optional
from rahdari.control import rules as proving
from rahdari.control.registries import CodeNotTaken, NoCodeNow
from rahdari.db.queues import each_of
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.letters import queries as carried
from rahdari.people.models import User
from rahdari.vault import index, links
from rahdari.web import limits

from . import checking, queries
from .evidence import Evidence, Facts
from .models import Check, Outcome
from .rules import Answer, Result

REPRESENTS = "represents"
CODE = "checks.represents"
LASTS = dt.timedelta(days=1)
A_DAY = 24 * 3600
Channel = Literal["email", "mobile"]


class NothingToShow(RahdariError):
    """The check waits for no code: it is answered, or somebody else is asked. `.check`"""

    says = "{check}"
    check: Check


@dataclass(frozen=True)
class Contact:
    """A way to whoever the list names: `way`, and as much of it as anybody may see."""

    channel: Channel
    masked: str


def waits_for_a_code(check: Check) -> bool:
    return check.outcome == Outcome.WAITING and bool(check.facts.get("channels"))


def open_check(subject: str) -> Check | None:
    """The check of a subject that waits until the contact on the list is shown to be the applicant's."""
    found = queries.checks_of(subject).filter(outcome=Outcome.WAITING)
    return next((check for check in found if waits_for_a_code(check)), None)


def contacts_of(check: Check, *, number: str) -> list[Contact]:
    """Where a code can go now. `number` is the one that was given: checks keep none."""
    listed = _listed(check, number)
    if listed is None or not waits_for_a_code(check):
        return []
    found = [Contact("email", mask_email(listed.email))] if listed.email else []
    if listed.mobile and carried.sms_is_set_up():
        found.append(Contact("mobile", mask_mobile(listed.mobile)))
    return found


def mask_email(address: str) -> str:
    """`o•••@softwarehouse.example`: enough to know which mailbox it is."""
    local, _at, domain = address.partition("@")
    return f"{local[:1]}•••@{domain}"


def mask_mobile(number: str) -> str:
    """`•••• ••• ••82`"""
    return f"•••• ••• ••{number[-2:]}"


def _listed(check: Check, number: str) -> queries.Listed | None:
    listed = queries.look_up(check.facts.get("roster", ""), number)
    return listed if listed is not None and listed.row is not None else None


def _locked(check: Check) -> Check:
    check = Check.objects.select_for_update().get(pk=check.pk)
    if not waits_for_a_code(check):
        raise NothingToShow(check)
    return check


def code_of(check: Check) -> str:
    """The code of the last letter."""
    return proving.code_from(links.token(CODE, f"{check.pk}:{check.facts.get('sent', 0)}"))


def last_sent(check: Check, now: dt.datetime) -> Channel | None:
    """Where the code went that can be typed now, if one can."""
    facts = check.facts
    at = dt.datetime.fromisoformat(facts["sent_at"]) if facts.get("sent_at") else None
    return facts["to"] if at is not None and at + LASTS > now and facts["tries"] < proving.MOST_TRIES else None


@transaction.atomic
def send_code(
    *, check: Check, number: str, channel: str, holder: str, asked_by: User, language: str, actor: str, now: dt.datetime
) -> Check:
    """Write a code to the contact that the list has for this number. It reads for whom (`holder`) and by whom it is
    asked, and hands the code over if that is right. Raises NoCodeNow (unknown, too_many), NothingToShow.
    """
    check = _locked(check)
    listed = _listed(check, number)
    to = {"email": listed.email, "mobile": listed.mobile}.get(channel, "") if listed is not None else ""
    if not to or channel not in {each.channel for each in contacts_of(check, number=number)}:
        raise NoCodeNow("unknown")
    facts = check.facts
    if facts.get("sent", 0) >= proving.MOST_CODES or not _is_allowed(to, asked_by):
        raise NoCodeNow("too_many")
    facts |= {"sent": facts.get("sent", 0) + 1, "tries": 0, "to": channel, "sent_at": now.isoformat()}
    check.save(update_fields=["facts"])
    journal.record(act="checks.sent_code", actor=actor, subject=check.subject, now=now, detail={"to": channel})
    code, until = code_of(check), now + LASTS
    if channel == "mobile":
        written = {"asked_by": asked_by, "number": to, "language": language, "code": code}
        optional.ask(__package__, "write_code_to_number", **written, expires_at=until, now=now)
        return check
    letters.write_to_outsider(
        address=to,
        language=language,
        template="represents_code",
        context={
            "name": holder,
            "email": asked_by.email,
            "code": code,
            "ends_at": until,
            "url": reverse("portal:help"),
        },
        expires_at=until,
        now=now,
    )
    return check


def _is_allowed(to: str, asked_by: User) -> bool:
    """Counts the letter. The applicant's own part first: what it lacks is taken from nobody else's."""
    contact = f"{CODE}:{index.blind(CODE, to)}"
    return limits.allow(f"{contact}:{asked_by.pk}", rate=proving.MOST_CODES_OF_ONE, per=A_DAY) and limits.allow(
        contact, rate=proving.MOST_CODES_A_DAY, per=A_DAY
    )


@transaction.atomic
def _try(check: Check, given: str, actor: str, now: dt.datetime) -> str:
    check = _locked(check)
    if not check.facts.get("sent"):
        return "none"
    channel = last_sent(check, now)
    if channel is None:
        return "used_up"
    if not proving.same_code(given, code_of(check)):
        check.facts["tries"] += 1
        check.save(update_fields=["facts"])
        return "wrong" if check.facts["tries"] < proving.MOST_TRIES else "used_up"
    _answer(check, "passed", _SHOWN[check.kind]["code"], {"channel": channel}, actor, now)
    return ""


def try_code(*, check: Check, given: str, actor: str, now: dt.datetime) -> None:
    """Take the code that came back. Raises CodeNotTaken (wrong, used_up, none), NothingToShow; a wrong one counts."""
    if why := _try(check, given, actor, now):
        raise CodeNotTaken(why)


@transaction.atomic
def leave_to_officer(*, check: Check, actor: str, now: dt.datetime) -> Check:
    """The applicant cannot reach the contact: an officer looks at once. Raises NothingToShow."""
    check = _locked(check)
    _answer(check, "failed", _SHOWN[check.kind]["not"], {}, actor, now)
    return check


# What each kind of check is called when it was shown, by a code or by mail, and when it was not.
_SHOWN = {
    REPRESENTS: {
        "code": "code_from_contact",
        "contact": "mail_of_contact",
        "domain": "mail_at_domain",
        "not": "not_shown",
    },
    "roster": {
        "code": "listed_and_shown",
        "contact": "listed_and_shown",
        "domain": "listed_and_shown",
        "not": "listed_not_shown",
    },
}


def _answer(check: Check, result: Result, finding: str, more: Evidence, actor: str, now: dt.datetime) -> None:
    found = Answer(result, finding, {**about(check), **more}, blames=False)
    checking.answer_check(
        subject=check.subject, kind=check.kind, target=check.target, found=found, actor=actor, now=now
    )


def about(check: Check) -> Evidence:
    """The list that a check is about: `roster` (its name) and `imported_on` (ISO date), where the check has them."""
    facts = check.facts
    found: Evidence = {}
    if "roster" in facts:
        found["roster"] = facts["roster"]
    if "imported_on" in facts:
        found["imported_on"] = facts["imported_on"]
    return found


# -- for the line --------------------------------------------------------------------------------------------------


def by_mail(check: Check) -> Answer | None:
    """What the address with which the applicant signs in shows, if it shows anything."""
    shown = check.facts.get("by_mail")
    return Answer("passed", _SHOWN[check.kind][shown], about(check)) if shown else None


def is_contact(check: Check) -> bool:
    """Whether the applicant signs in with the very address on the list, not only at its domain."""
    return bool(check.facts.get("by_mail") == "contact")


def note(*, check: Check, facts: Facts) -> Check:
    """What the line knows of a check that waits: until when (`until`), who was asked (`asked`)."""
    check.facts = {**check.facts, **facts}
    check.save(update_fields=["facts"])
    return check


def asked_of(organisations: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, Check]]:
    """What organisations are asked about others who apply with their number, and have not answered; the first to end in
    front. Each with the organisation that is asked."""
    keys = {str(each): each for each in organisations}
    waiting = Check.objects.filter(outcome=Outcome.WAITING, kind=REPRESENTS, facts__asked__has_any_keys=list(keys))
    found = [(keys[key], check) for check in waiting for key in check.facts["asked"] if key in keys]
    return sorted(found, key=lambda pair: str(pair[1].facts.get("until", "")))


def _not_shown_in_time(now: dt.datetime) -> QuerySet[Check]:
    waiting = Check.objects.filter(outcome=Outcome.WAITING, kind__in=list(_SHOWN)).annotate(ends=KT("facts__until"))
    return waiting.filter(ends__lte=now.astimezone(dt.UTC).isoformat()).order_by("opened_at", "id")


@each_of(_not_shown_in_time, lock=True)
def end_waiting(check: Check, now: dt.datetime) -> None:
    """Checks that were not shown, or not answered, in time: an officer looks at them."""
    finding = "representative_silent" if check.facts.get("asked") else _SHOWN[check.kind]["not"]
    _answer(check, "failed", finding, {}, "clock", now)


@transaction.atomic
def answer_as_representative(*, check: Check, agrees: bool, actor: str, now: dt.datetime) -> bool:
    """Somebody who may apply for an organisation that is registered under the number says whether the applicant may.
    Returns whether it was recorded: the first answer counts."""
    check = Check.objects.select_for_update().get(pk=check.pk)
    if check.outcome != Outcome.WAITING or not check.facts.get("asked"):
        return False
    finding = "representative_agrees" if agrees else "representative_denies"
    more: Evidence = {"shown": check.facts["by_mail"]} if check.facts.get("by_mail") else {}
    # Kept beside the outcome, which an officer may change: whoever said no is told then.
    check.facts = {**check.facts, "answer": "yes" if agrees else "no"}
    check.save(update_fields=["facts"])
    _answer(check, "passed" if agrees else "failed", finding, {"at": now.isoformat(), **more}, actor, now)
    return True
