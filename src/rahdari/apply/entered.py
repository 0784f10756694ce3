"""An application that an officer enters for somebody who calls or comes, and what that person does with it.

Invariants: until its holder takes it over it is no application: nobody checks, decides or counts it, and after three
days nothing is left of it; it is read by whoever has the code that went to the contact they named, and by nobody else;
five wrong codes end it. Taking it over makes a draft by the acts by which anybody makes one, so that from then on it is
an application like others; whoever entered it decides nothing in it (`decide.conflicts_of_interest`). An officer never
learns whether a contact belongs to an account.
"""

import datetime as dt
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from rahdari import optional
from rahdari.address import EndpointError, Protocol, parse_ports, vpn
from rahdari.db.locks import Lock, hold
from rahdari.db.references import reference
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.access import actor_of
from rahdari.people.models import Role, User
from rahdari.vault import index
from rahdari.web import limits

from . import drafts, parts, queries
from .entered_models import MOST, DeskEntry, DeskEntryCount
from .models import Application

TRIES = 5
# So many of one officer wait at once. So many codes go to one contact, and come from one officer, before others come
# back evenly over a day.
MOST_OPEN, CODES_TO_A_CONTACT, CODES_OF_AN_OFFICER, A_DAY = 20, 3, 60, 24 * 3600

OUTCOMES = ("entered_at_the_desk", "took_over_entry", "disowned_entry", "dropped_entry", "erased_entry")


class NotAnOfficer(RahdariError):
    """Only an officer enters one. `.user`"""

    says = "{user} is no officer"
    user: User


class TooMany(RahdariError):
    """So many of this officer's wait, or so many codes went out. `.why`: open | contact | officer"""

    says = "too many ({why})"
    why: str


class NoSms(Exception):
    """This register sends no SMS: the contact is an email address."""


class Gone(Exception):
    """It was taken over, somebody said that it was not theirs, or its time is over: nothing is left of it."""


class WrongCode(RahdariError):
    """Not the code. `.left`: how often it may still be tried; after the last time nothing is left of the entry."""

    says = "not the code, {left} tries left"
    left: int


class OwnEntry(RahdariError):
    """Whoever entered it does not take it over. `.user`"""

    says = "{user} entered it"
    user: User


@dataclass(frozen=True)
class Said:
    """What is entered: as much as somebody can say without papers. `which`: `rules.Which`; `kind`, `protocol` and
    `port` as the form of an address has them. Empty: it was not said, and is asked on the steps of the application."""

    service: str
    which: str = ""
    name: str = ""
    mobile: str = ""
    purpose: str = ""
    block: str = ""
    kind: str = ""
    protocol: str = ""
    port: str = ""

    @classmethod
    def of(cls, entry: DeskEntry) -> "Said":
        return cls(**json.loads(entry.said))


# -- the officer ---------------------------------------------------------------------------------------------------


def enter(*, officer: User, way: str, language: str, contact: str, said: Said, now: dt.datetime) -> DeskEntry:
    """Keep it, and send the code to the contact. Raises NotAnOfficer, NoSms, TooMany, drafts.ServiceNotOpen."""
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    service = queries.policy_in_force().services.get(said.service)
    if service is None or not service.open:
        raise drafts.ServiceNotOpen(said.service)
    is_mail = "@" in contact
    if not is_mail and not sends_sms():
        raise NoSms
    for key, rate, why in (
        (f"entered.officer:{officer.pk}", CODES_OF_AN_OFFICER, "officer"),
        (f"entered.contact:{contact.casefold()}", CODES_TO_A_CONTACT, "contact"),
    ):
        if not limits.allow(key, rate=rate, per=A_DAY):
            raise TooMany(why)
    with transaction.atomic():
        # Two forms of one officer at once: the second one counts the first one's.
        hold(Lock.DESK_ENTRIES, str(officer.pk))
        if open_of(officer, now).count() >= MOST_OPEN:
            raise TooMany("open")
        kept = queries.policy_in_force().retention["desk_entry"].span
        code = f"{secrets.randbelow(10**8):08}"
        entry = DeskEntry(
            reference=_free_reference(),
            entered_by=officer,
            entered_at=now,
            until=now + min(kept or MOST, MOST),
            way=way,
            language=language,
            contact=contact,
            said=json.dumps(asdict(said), ensure_ascii=False),
        )
        entry.code = _hash(entry, code)
        entry.save(force_insert=True)
        _send(entry, code, now)
        journal.record(
            act="apply.entered_at_the_desk",
            actor=actor_of(officer, Role.OFFICER),
            subject=entry.subject,
            now=now,
            detail={"entry": entry.reference, "way": entry.way},
        )
        _count("entered_at_the_desk", now)
    return entry


def sends_sms() -> bool:
    return bool(optional.ask(__package__, "is_set_up"))


def _send(entry: DeskEntry, code: str, now: dt.datetime) -> None:
    if "@" not in entry.contact:
        optional.ask(
            __package__,
            "write_entry_code",
            asked_by=entry,
            number=entry.contact,
            language=entry.language,
            code=code,
            reference=entry.reference,
            expires_at=entry.until,
            now=now,
        )
        return
    url = f"{reverse('portal:entered')}?number={entry.reference}"
    letters.write_to_outsider(
        address=entry.contact,
        language=entry.language,
        template="desk_entry_code",
        context={"code": code, "reference": entry.reference, "until": entry.until, "url": url},
        expires_at=entry.until,
        about=entry.subject,
        now=now,
    )


@transaction.atomic
def drop(*, entry: DeskEntry, officer: User, now: dt.datetime) -> None:
    """The officer who entered it takes it away, such as for a wrong contact. Raises NotAnOfficer, Gone."""
    if entry.entered_by_id != officer.pk or not people.is_officer(officer):
        raise NotAnOfficer(officer)
    _end(_locked(entry, now), "dropped_entry", actor_of(officer, Role.OFFICER), now)


def open_of(officer: User, now: dt.datetime) -> QuerySet[DeskEntry]:
    """Those of this officer that wait for their holders. No other officer sees them."""
    return DeskEntry.objects.filter(entered_by=officer, until__gt=now)


def counts(since: dt.date) -> dict[str, int]:
    """What became of entries in the months since then, by `OUTCOMES`: nothing else is left of them."""
    found = DeskEntryCount.objects.filter(month__gte=since.replace(day=1)).values("outcome").annotate(n=Sum("number"))
    return dict.fromkeys(OUTCOMES, 0) | {row["outcome"]: row["n"] for row in found.order_by()}


def _count(outcome: str, now: dt.datetime) -> None:
    month = timezone.localdate(now).replace(day=1)
    row, _new = DeskEntryCount.objects.get_or_create(month=month, outcome=outcome)
    DeskEntryCount.objects.filter(pk=row.pk).update(number=F("number") + 1)


# -- whoever it is about -------------------------------------------------------------------------------------------


def by_key(key: str, now: dt.datetime) -> DeskEntry | None:
    return DeskEntry.objects.filter(pk=key, until__gt=now).first()


def find(number: str, now: dt.datetime) -> DeskEntry | None:
    return DeskEntry.objects.filter(reference=number.strip().upper(), until__gt=now).first()


def open_with_code(*, number: str, code: str, now: dt.datetime) -> DeskEntry:
    """Whoever has the code reads the entry. Raises WrongCode; Gone after the last try, and of a number that there is
    not: both look alike."""
    with transaction.atomic():
        found = find(number, now)
        if found is None:
            raise Gone
        entry = _locked(found, now)
        if constant_time_compare(entry.code, _hash(entry, "".join(sign for sign in code if sign.isdigit()))):
            return entry
        entry.tries += 1
        left = TRIES - entry.tries
        if left > 0:
            entry.save(update_fields=["tries"])
        else:
            _end(entry, "erased_entry", "clock", now, reason="tries")
    # After what was counted is committed.
    if left > 0:
        raise WrongCode(left)
    raise Gone


def take_over(*, entry: DeskEntry, holder: User, now: dt.datetime) -> Application:
    """Its holder makes it an application of their own: a draft, by the acts of everybody's. What cannot be taken along,
    such as an address that is not accepted, is asked for on its step.
    Raises Gone, OwnEntry, drafts.ServiceNotOpen, drafts.TooManyDrafts."""
    with transaction.atomic():
        entry = _locked(entry, now)
        if entry.entered_by_id in people.accounts_of(holder):
            raise OwnEntry(holder)
        said, actor = Said.of(entry), actor_of(holder)
        application = drafts.start_application(
            applicant=holder,
            service=said.service,
            fixed_address=said.which,
            language=entry.language,
            # Taken over twice it is one.
            send_token=entry.pk,
            entered_by=entry.entered_by,
            actor=actor,
            now=now,
        )
        _fill(application, said, actor, now)
        officer = actor_of(entry.entered_by, Role.OFFICER)
        _end(entry, "took_over_entry", actor, now, subject=application.subject, entered_by=officer)
    return application


def _fill(application: Application, said: Said, actor: str, now: dt.datetime) -> None:
    service = queries.policy_in_force().services[said.service]
    facts: dict[str, Any] = {"application": application, "actor": actor, "now": now}
    name = said.name if service.asks_name else ""
    mobile = said.mobile if "contact_number" in service.asks else ""
    purpose = said.purpose if "purpose" in service.asks else ""
    if service.holder == "person" and (name or mobile or purpose):
        drafts.save_about(name=name or application.name, mobile=mobile, purpose=purpose, **facts)
    elif service.holder != "person":
        if mobile:
            drafts.save_contact(name=said.name, mobile=mobile, **facts)
        if purpose:
            drafts.save_purpose(purpose=purpose, **facts)
    if said.block:
        try:
            with transaction.atomic():
                parts.add_endpoint(block=said.block, runs=said.kind, parts=parts_of(said), **facts)
        except (parts.EndpointNotTaken, EndpointError):
            return


def parts_of(said: Said) -> tuple[Any, ...]:
    """What runs at the address. Raises EndpointError."""
    ports = parse_ports(said.port) if said.port else ()
    return vpn.parts_of(said.kind, protocol=Protocol(said.protocol) if said.protocol else None, ports=ports)


@transaction.atomic
def disown(*, entry: DeskEntry, now: dt.datetime) -> None:
    """Whoever has the code says that it was not them. Raises Gone."""
    _end(_locked(entry, now), "disowned_entry", "public", now)


# -- the clock -----------------------------------------------------------------------------------------------------


def due(*, now: dt.datetime) -> QuerySet[DeskEntry]:
    return DeskEntry.objects.filter(until__lte=now).order_by("until", "id")


def erase(entry: DeskEntry, now: dt.datetime) -> None:
    """Its time is over. The caller has locked it."""
    _end(entry, "erased_entry", "clock", now, reason="time")


# -- common to them ------------------------------------------------------------------------------------------------


def _locked(entry: DeskEntry, now: dt.datetime) -> DeskEntry:
    """Raises Gone. Of two acts at once the second finds nothing, whichever they are."""
    found = DeskEntry.objects.select_for_update(of=("self",)).select_related("entered_by")
    row = found.filter(pk=entry.pk, until__gt=now).first()
    if row is None:
        raise Gone
    return row


def _end(
    entry: DeskEntry, act: str, actor: str, now: dt.datetime, *, subject: str = "", reason: str = "", **detail: str
) -> None:
    """Nothing is left of it but what the journal says: who entered it, when, and what became of it."""
    about, detail = subject or entry.subject, {"entry": entry.reference, **detail}
    entry.delete()
    _count(act, now)
    journal.record(act=f"apply.{act}", actor=actor, subject=about, now=now, reason=reason, detail=detail)


def _hash(entry: DeskEntry, code: str) -> str:
    return index.blind("apply.entry_code", f"{entry.pk} {code}")


def _free_reference() -> str:
    while True:
        number = reference("E")
        if not DeskEntry.objects.filter(reference=number).exists():
            return number
