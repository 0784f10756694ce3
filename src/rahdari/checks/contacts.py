"""What ties an applicant to the number that they give: the contact that the list has for it.

The numbers of companies are public, and those of members known to many. Whoever keeps the list knows how to reach its
members: a code goes there, and comes back from whoever it reaches. Mail from that very address, or from the domain that
the list names, shows the same. Those who are registered under the number already are asked besides, and say yes or no
as long as it is undecided: their yes passes the check, and without it an officer weighs what else there is. The
applicant sees the same stage, words and times whether anybody is registered.

The contact is told, with a link that needs no account: in the letter with a code; before the first grant to a mailbox
at its domain or by an association's word, which waits for its no; and when an applicant goes on without the code.
Behind the link it reads who applies with the number, whoever of them the letter was about, and says yes or no to each.

Invariants: the contact is read from the list when it is written to, and stands in no check; a code is derived, and
another one with each letter; nobody is written to often, whoever asks, and nobody uses that up alone or sees that
others did; what is not shown in time goes to an officer; only a mailbox at the domain and an association's word go on
without a word of the contact that was told of it.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.urls import reverse

from rahdari import optional
from rahdari.control import rules as proving
from rahdari.control.registries import CodeNotTaken, NoCodeNow
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.letters import queries as carried
from rahdari.people.models import User
from rahdari.vault import index, links
from rahdari.web import limits

from . import answers, checking, queries
from .evidence import Evidence, Facts
from .models import Check, Outcome
from .rules import Answer, Result

REPRESENTS = "represents"
# What a word of an association is called.
NAMED = "association_names"
# What the yes of a contact is called where nothing ties those who own the organisation.
AGREES_FOR_ONE = "contact_agrees_for_one"
CODE = "checks.represents"
TOLD_LINK = "checks.told"
# Of a letter about what is registered: it opens as long as that is, for the address that the list has.
REGISTERED_LINK = "checks.registered"
# Letters to one contact in a day that tell of somebody: at the domain, named by an association, and of those who go on
# without its code. Each has its own part, so that whoever an association names uses up nobody's at the domain.
MOST_TOLD_A_DAY = {"domain": 3, "association": 2, "officer": 2}
# So long after an application the link of a letter about it shows who applies.
LINK_LASTS = dt.timedelta(days=60)
# Answers that the contact's own word does not change: they rest on it, or on an officer, or on those registered.
SETTLED = frozenset(
    "mail_of_contact code_from_contact representative_agrees by_hand listed_and_shown represents_already".split()
)
LASTS = dt.timedelta(days=1)
A_DAY = 24 * 3600
LONGEST_NAME = 80
Channel = Literal["email", "mobile"]
Told = Literal["told", "known", "nobody", "too_many"]
# Whoever has the letter to the contact: no account stands behind it.
BY_LETTER = "contact:letter"


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
    is_begun = not check.facts.get("unproved")
    return check.outcome == Outcome.WAITING and is_begun and bool(check.facts.get("channels"))


def is_member_to_show(check: Check) -> bool:
    """Whether a code may still show that a member's number is the applicant's. It is so of each number that was given,
    one that nobody has too: which numbers the list has is told to whoever has the contact there, and to nobody else."""
    facts = check.facts
    is_open = check.kind == "roster" and check.outcome != Outcome.PASSED and check.finding != "by_hand"
    return is_open and _is_asked_for(facts) and not facts.get("shown") and "by_mail" not in facts


def _is_asked_for(facts: Facts) -> bool:
    return bool(facts.get("by_contact") and facts.get("number_given") and facts.get("imported_on"))


def is_told(check: Check) -> bool:
    """Whether the applicant reads what was found. What a number led to that may be somebody else's, officers read
    alone: of a card always, of a member's number until the contact on the list is shown to be the applicant's, of what
    an association attests until the applicant is shown to be the one attested."""
    if check.kind == "attestation":
        by_hand = check.finding == "by_hand"
        found = check.evidence.get("before", {}).get("evidence", {}) if by_hand else check.evidence
        return "attestation" not in found or "shown_by" in found or (by_hand and check.outcome == Outcome.PASSED)
    if check.kind == REPRESENTS:
        return "roster" in check.facts
    if check.kind == "roster" and _is_asked_for(check.facts):
        return check.outcome == Outcome.PASSED or check.finding == "by_hand" or not is_member_to_show(check)
    return True


def open_check(subject: str) -> Check | None:
    """The check of a subject for which a code to the contact on the list can still show whose number it is."""
    found = queries.checks_of(subject)
    return next((check for check in found if waits_for_a_code(check) or is_member_to_show(check)), None)


def contacts_of(check: Check, *, number: str) -> list[Contact]:
    """Where a code can go now. `number` is the one that was given: checks keep none. Of a member's number the same ways
    are named whatever the list has, and nothing of the contact is shown."""
    if is_member_to_show(check):
        found = [Contact("email", "")]
        return [*found, Contact("mobile", "")] if carried.sms_is_set_up() else found
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
    if not waits_for_a_code(check) and not is_member_to_show(check):
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
    is_member = is_member_to_show(check)
    listed = _listed(check, number)
    to = {"email": listed.email, "mobile": listed.mobile}.get(channel, "") if listed is not None else ""
    if not (to or is_member) or channel not in {each.channel for each in contacts_of(check, number=number)}:
        raise NoCodeNow("unknown")
    facts = check.facts
    # Whoever asks reads of their own tries alone, and nobody sees that somebody else has asked: the contact has its
    # count besides, and beyond it nothing goes out, with the same answer. A member's number is counted as it was given:
    # one which nobody has ends as soon as another.
    own_domain = "by_mail" in facts
    counted = f"{facts['roster']}:{number}" if is_member else to
    own_part = _has_own_part(_key(counted, own_domain=own_domain), asked_by)
    if facts.get("sent", 0) >= proving.MOST_CODES or not own_part:
        raise NoCodeNow("too_many")
    # Whoever said no there is not asked again.
    if to and ("contact" in facts or not _takes_another(to, asked_by, is_counted=not is_member, own_domain=own_domain)):
        to = ""
    facts |= {"sent": facts.get("sent", 0) + 1, "tries": 0, "to": channel, "sent_at": now.isoformat()}
    facts["to_nobody"] = not to
    check.save(update_fields=["facts"])
    detail = {"to": channel if to else "nobody"}
    journal.record(act="checks.sent_code", actor=actor, subject=check.subject, now=now, detail=detail)
    if not to:
        return check
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
            "name": as_given(holder),
            "listed": listed.name if listed is not None else "",
            "email": asked_by.email,
            "code": code,
            "ends_at": until,
            "url": link_of(check),
        },
        expires_at=until,
        now=now,
    )
    return check


def tell_of_number(*, check: Check, number: str, url: str, now: dt.datetime) -> bool:
    """Tell the contact on the list that somebody applies with the member's number, and not who: one letter a day.
    Returns whether one was written."""
    listed = _listed(check, number)
    to = listed.email if listed is not None else ""
    if not to or not limits.allow(f"{CODE}:given:{index.blind(CODE, to)}", rate=1, per=A_DAY):
        return False
    letters.write_to_outsider(
        address=to,
        language="en",
        template="own_number_used",
        context={"is_card": False, "url": url},
        expires_at=now + LASTS,
        now=now,
    )
    return True


def _takes_another(to: str, asked_by: User, *, is_counted: bool, own_domain: bool) -> bool:
    """Counts the letter. The applicant's own part first (unless it `is_counted`): what it lacks is taken from nobody
    else's. Whoever has a mailbox at the contact's domain has a part that strangers cannot use up; all are on the page
    behind each letter."""
    contact = _key(to, own_domain=own_domain)
    own_part = is_counted or _has_own_part(contact, asked_by)
    return own_part and limits.allow(contact, rate=proving.MOST_CODES_A_DAY, per=A_DAY)


def _key(to: str, *, own_domain: bool) -> str:
    return f"{CODE}:{index.blind(CODE, to)}{':domain' if own_domain else ''}"


def _has_own_part(contact: str, asked_by: User) -> bool:
    return limits.allow(f"{contact}:{asked_by.pk}", rate=proving.MOST_CODES_OF_ONE, per=A_DAY)


@transaction.atomic
def _try(check: Check, given: str, owners_are_tied: bool, actor: str, now: dt.datetime) -> str:
    check = _locked(check)
    if not check.facts.get("sent"):
        return "none"
    channel = last_sent(check, now)
    if channel is None:
        return "used_up"
    if check.facts.get("to_nobody") or not proving.same_code(given, code_of(check)):
        check.facts["tries"] += 1
        check.save(update_fields=["facts"])
        return "wrong" if check.facts["tries"] < proving.MOST_TRIES else "used_up"
    if is_member_to_show(check):
        _answer_as_shown(check, actor, now)
    elif not owners_are_tied:
        _answer(check, "failed", _SHOWN[check.kind]["not"], {"channel": channel}, actor, now)
    else:
        _answer(check, "passed", _SHOWN[check.kind]["code"], {"channel": channel}, actor, now)
    return ""


def _answer_as_shown(check: Check, actor: str, now: dt.datetime) -> bool:
    """The member's number is the applicant's: what the list says of it counts, and is told."""
    check.facts["shown"] = True
    check.save(update_fields=["facts"])
    return checking.answer_check(
        subject=check.subject,
        kind=check.kind,
        target=check.target,
        found=answers.answer(check, now=now),
        actor=actor,
        now=now,
        anew=True,
    )


def try_code(*, check: Check, given: str, owners_are_tied: bool = True, actor: str, now: dt.datetime) -> None:
    """Take the code that came back. Where somebody came to own the organisation whom nothing ties, an officer looks.
    Raises CodeNotTaken (wrong, used_up, none), NothingToShow; a wrong one counts."""
    if why := _try(check, given, owners_are_tied, actor, now):
        raise CodeNotTaken(why)


def as_given(name: str) -> str:
    """A name in the applicant's words, as letters to strangers quote it: no longer than a name is."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def named(people: Iterable[User]) -> list[dict[str, str]]:
    """Persons as letters to strangers name them: `name` as they typed it, and `email`, with which they sign in."""
    return [{"name": as_given(each.name), "email": each.email} for each in people]


def listed_name(check: Check, number: str) -> str:
    """The name that the list has for this number, for whoever it names as the contact; "" where it has none."""
    listed = _listed(check, number)
    return listed.name if listed is not None else ""


def link_of(check: Check) -> str:
    """Where whoever the list names reads who applies with its number, without an account."""
    return reverse("portal:number_contact", args=[check.pk, links.token(TOLD_LINK, str(check.pk))])


def check_of_link(*, id: uuid.UUID, token: str, now: dt.datetime) -> Check | None:
    """The check that a link opens; None for a wrong link, and for one whose time is over."""
    if not token.isascii() or not links.matches(TOLD_LINK, str(id), token):
        return None
    found = Check.objects.filter(pk=id, opened_at__gt=now - LINK_LASTS).first()
    return found if found is not None and not found.facts.get("erased") else None


def listed_email(check: Check, number: str) -> str:
    """Where the list reaches the contact of this number; "" where it has no address of email."""
    listed = _listed(check, number)
    return listed.email if listed is not None else ""


def link_while_registered(check: Check, email: str) -> str:
    """Where the contact at this address reads what is registered under its number, without an account. It ends with
    the address on the list."""
    return reverse("portal:number_contact", args=[check.pk, links.token(REGISTERED_LINK, _bound(check, email))])


def opens_what_is_registered(check: Check, *, token: str, email: str) -> bool:
    """Whether the link was made for who is the contact now (`email`)."""
    return bool(email) and token.isascii() and links.matches(REGISTERED_LINK, _bound(check, email), token)


def _bound(check: Check, email: str) -> str:
    return f"{check.pk}:{index.blind(CODE, email)}"


def mailbox_of(email: str) -> str:
    """How letters about what is registered name the mailbox, whichever numbers have it: a keyed hash."""
    return f"contact:{index.blind(REGISTERED_LINK, email)}"


@transaction.atomic
def tell_contact(
    *,
    check: Check,
    number: str,
    holder: str,
    asked_by: User,
    language: str,
    owners: Iterable[User] = (),
    goes_on_at: dt.datetime | None,
    by_association: bool = False,
    actor: str,
    now: dt.datetime,
) -> Told:
    """Tell the contact that the list has for the number who applies, by email and with a link to say no. `owners`: of
    the organisation, whom it reads besides.

    `goes_on_at`: without an answer until then the application continues; without it an officer looks.
    `by_association`: an association's word is what the contact hears of.

    Gives "nobody" where the list has no address of email to write to, or it is the applicant's own; "known" where it
    heard of this applicant a day ago at most; "too_many" where it had its letters of today.
    """
    listed = _listed(check, number)
    if listed is None or not listed.email or listed.email == asked_by.email:
        return "nobody"
    why = "officer" if goes_on_at is None else "association" if by_association else "domain"
    contact = f"{TOLD_LINK}:{why}:{index.blind(CODE, listed.email)}"
    if not limits.allow(f"{contact}:{asked_by.pk}", rate=1, per=A_DAY):
        return "known"
    if not limits.allow(contact, rate=MOST_TOLD_A_DAY[why], per=A_DAY):
        return "too_many"
    letters.write_to_outsider(
        address=listed.email,
        language=language,
        template="contact_told",
        context={
            "name": as_given(holder),
            "listed": listed.name,
            "email": asked_by.email,
            "owners": named(each for each in owners if each != asked_by),
            "goes_on_at": goes_on_at,
            "url": link_of(check),
        },
        expires_at=goes_on_at or now + 2 * LASTS,
        now=now,
    )
    journal.record(act="checks.told_contact", actor=actor, subject=check.subject, now=now, detail={"to": "email"})
    return "told"


def may_answer(check: Check, *, agrees: bool) -> bool:
    """Whether the contact may still say yes, or no; a yes can be taken back. A yes counts where a code would: not in
    the place of the word of those who are registered under the number."""
    said = check.facts.get("contact")
    if said == "yes":  # it can be taken back
        return not agrees and check.finding != "by_hand" and not check.facts.get("erased")
    if said or check.finding in SETTLED or check.facts.get("erased"):
        return False
    return not agrees or not check.facts.get("asked")


@transaction.atomic
def answer_as_contact(*, check: Check, agrees: bool, owners_are_tied: bool = True, now: dt.datetime) -> bool:
    """Whoever the list names says whether an application is from them, and means this application: what was sent does
    not change, and another one asks again. Returns whether it was recorded: of a yes only the no after it counts, of a
    no nothing. A no undoes what was found before, and an officer looks. A yes is for the applicant: where others own
    the organisation (`owners_are_tied` is false), an officer looks all the same."""
    check = Check.objects.select_for_update().get(pk=check.pk)
    if not may_answer(check, agrees=agrees):
        return False
    check = note(check=check, facts={"contact": "yes" if agrees else "no"})
    if agrees and is_member_to_show(check):
        return _answer_as_shown(check, BY_LETTER, now)
    finding = _SHOWN[check.kind]["agrees" if agrees else "denies"] if owners_are_tied or not agrees else AGREES_FOR_ONE
    found = Answer(
        "passed" if agrees and owners_are_tied else "failed",
        finding,
        {**about(check), "at": now.isoformat()},
        blames=False,
    )
    return checking.answer_check(
        subject=check.subject, kind=check.kind, target=check.target, found=found, actor=BY_LETTER, now=now, anew=True
    )


@transaction.atomic
def leave_to_officer(*, check: Check, actor: str, now: dt.datetime) -> Check:
    """The applicant cannot reach the contact: an officer looks at once. Raises NothingToShow, of a member's number too:
    nothing waits for its code."""
    check = _locked(check)
    if is_member_to_show(check):
        raise NothingToShow(check)
    _answer(check, "failed", _SHOWN[check.kind]["not"], {}, actor, now)
    return check


# What each kind of check is called when it was shown, by a code or by mail, and when it was not.
_SHOWN = {
    REPRESENTS: {
        "code": "code_from_contact",
        "contact": "mail_of_contact",
        "domain": "mail_at_domain",
        "not": "not_shown",
        "agrees": "contact_agrees",
        "denies": "contact_denies",
    },
    "roster": {
        "code": "listed_and_shown",
        "contact": "listed_and_shown",
        "domain": "listed_and_shown",
        "not": "listed_not_shown",
        "agrees": "listed_and_shown",
        "denies": "listed_denied",
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
    """What the line knows of a check: until when it waits (`until`), who is asked besides (`asked`, `answer_until`)."""
    check.facts = {**check.facts, **facts}
    check.save(update_fields=["facts"])
    return check


def begin(check: Check) -> Check:
    """The address is proved, or its proof is awaited no longer: what the check waited for begins."""
    check.facts.pop("unproved", None)
    check.save(update_fields=["facts"])
    return check


def is_asked(check: Check) -> bool:
    """Whether those who are registered under the number may still answer: until they have, an officer has found out, or
    the contact on the list said no. An applicant who goes to an officer at once does not end it."""
    facts = check.facts
    is_over = "answer" in facts or facts.get("contact") == "no" or check.finding == "by_hand"
    return bool(facts.get("asked")) and not is_over


def asked_of(organisations: Iterable[uuid.UUID], subjects: QuerySet[Any, str]) -> list[tuple[uuid.UUID, Check]]:
    """What organisations are asked about these subjects, which others sent with their number, and have not answered;
    the first to end in front. Each with the organisation that is asked."""
    keys = {str(each): each for each in organisations}
    found = Check.objects.filter(kind=REPRESENTS, subject__in=subjects, facts__asked__has_any_keys=list(keys))
    pairs = [(keys[key], check) for check in found if is_asked(check) for key in check.facts["asked"] if key in keys]
    return sorted(pairs, key=lambda pair: pair[1].facts["answer_until"])


def not_shown_in_time(now: dt.datetime) -> QuerySet[Check]:
    waiting = Check.objects.filter(outcome=Outcome.WAITING, kind__in=list(_SHOWN)).annotate(ends=KT("facts__until"))
    return waiting.filter(ends__lte=now.astimezone(dt.UTC).isoformat()).order_by("opened_at", "id")


def end_waiting(check: Check, now: dt.datetime, *, owners_are_tied: bool = True) -> None:
    """A check that was not shown in time: an officer looks at it. Where the contact was told of a mailbox at its
    domain, or of an association's word, and said nothing, that counts, unless somebody whom it was not told of owns the
    organisation by now."""
    if check.facts.get("told_at") and owners_are_tied:
        named = check.facts.get("named")
        finding = _SHOWN[check.kind]["domain"] if named is None else NAMED
        _answer(check, "passed", finding, {**(named or {}), "told_at": check.facts["told_at"]}, "clock", now)
    else:
        _answer(check, "failed", _SHOWN[check.kind]["not"], {}, "clock", now)


@transaction.atomic
def answer_as_representative(*, check: Check, agrees: bool, actor: str, now: dt.datetime) -> bool:
    """Somebody who may apply for an organisation that is registered under the number says whether the applicant may.
    Returns whether it was recorded: the first answer counts. A yes passes the check, whatever was found before. A no is
    kept for officers, and the check goes on as if nobody had been asked: the applicant learns of no holder by it."""
    check = Check.objects.select_for_update().get(pk=check.pk)
    if not is_asked(check):
        return False
    note(check=check, facts={"answer": "yes" if agrees else "no"})
    if not agrees:
        detail = {"check": str(check.pk)}
        journal.record(act="checks.holder_denied", actor=actor, subject=check.subject, now=now, detail=detail)
        return True
    checking.answer_check(
        subject=check.subject,
        kind=check.kind,
        target=check.target,
        found=Answer("passed", "representative_agrees", {**about(check), "at": now.isoformat()}),
        actor=actor,
        now=now,
        anew=True,
    )
    return True
