"""Listing an address before its papers: asked for, the holder known, listed by the rule, and what becomes of it.

Each act is one transaction and one row of the journal. Whatever may have changed since it was asked for is looked at
again as it is listed: a code that comes after a suspension lists nothing.
"""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from rahdari import policy
from rahdari.address import Block, directory, format_block
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.access import actor_of
from rahdari.people.acting import Acting
from rahdari.people.models import Role, User
from rahdari.register import address_changes, changes
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import new_endpoint
from rahdari.sms import codes
from rahdari.sms import queries as sms
from rahdari.sms.writing import SPOKEN_CODE, URGENT_CODE
from rahdari.web import limits

from . import queries, rules
from .models import UrgentEntry
from .rules import A_YEAR, Cannot, State, Way, Why

CLOCK = "clock"


class CannotNow(RahdariError):
    """The holder cannot do it now. `.why`, a `rules.Cannot`"""

    says = "{why}"
    why: Cannot


class NotThisWay(Exception):
    """The address cannot be listed before its papers. It is not said why: that would tell what is registered."""


class AlreadyYours(RahdariError):
    """The holder has this address on the register. `.block`"""

    says = "{block}"
    block: Block


class NothingWaits(Exception):
    """Nothing waits for this: it was done, or its minutes are over."""


class NotYou(Exception):
    """Not this officer: the one who opened it, the same person with another account, the holder, or too new."""


# -- asked for --------------------------------------------------------------------------------------------------------


def ask(
    *,
    registration: Registration,
    by: Acting,
    cut_off: Entry,
    block: Block,
    network: str,
    language: str,
    now: dt.datetime,
) -> UrgentEntry:
    """Send the code to the number of whoever asks. What was begun before and not finished is dropped.

    Raises CannotNow, AlreadyYours, sms.codes.TooManyCodes, SmsNotSetUp.
    """
    if by.mandate is not None:
        raise CannotNow(Cannot.NO_NUMBER)  # an agent is not the holder
    return _ask(
        registration=registration,
        person=by.person,
        way=Way.PAGE,
        cut_off=cut_off,
        block=block,
        network=network,
        language=language,
        actor=by.actor,
        now=now,
    )


def open_call(
    *, registration: Registration, officer: User, person: User, cut_off: Entry, block: Block, now: dt.datetime
) -> UrgentEntry:
    """Somebody is on the telephone: a code goes to the number on file, or where no SMS goes out, an officer calls it.

    Raises NotYou, and as `ask` does.
    """
    if not people.is_officer(officer) or queries.is_theirs(officer, holder=registration.holder, person=person):
        raise NotYou
    return _ask(
        registration=registration,
        person=person,
        way=Way.CODE if sms.is_set_up() else Way.CALL,
        cut_off=cut_off,
        block=block,
        network=f"desk:{officer.pk}",
        language=person.language,
        actor=actor_of(officer, Role.OFFICER),
        now=now,
        officer=officer,
    )


def _ask(
    *,
    registration: Registration,
    person: User,
    way: Way,
    cut_off: Entry,
    block: Block,
    network: str,
    language: str,
    actor: str,
    now: dt.datetime,
    officer: User | None = None,
) -> UrgentEntry:
    _may(registration, person, now)
    on_file, terms = queries.number_of(person, registration), queries.terms()
    assert on_file is not None and terms is not None  # noqa: S101 - as `_may` says
    if register.overlapping_active(block=block).filter(holder=registration.holder).exists():
        raise AlreadyYours(block)
    allowance = limits.take(f"urgent:{registration.holder}", rate=rules.ASKED, per=rules.PER_SECONDS)
    if not allowance.allowed:
        raise codes.TooManyCodes(allowance.wait)
    if way != Way.CALL:
        codes.allow_code(user=person, number=on_file.number, network=network)
    with transaction.atomic():
        hold(Lock.URGENT, str(registration.holder))
        _may(registration, person, now)
        begun = queries.open_of(registration.holder)
        if begun is not None:
            _drop(begun, Why.LATE, now)
        row = UrgentEntry(
            registration=registration,
            holder=registration.holder,
            person=person,
            way=way,
            cut_off=cut_off,
            block=block,
            reason=terms.reason,
            rule_version=policy.current(settings.POLICY_FILE).version,
            opened_by=officer,
            asked_at=now,
        )
        if way == Way.CALL:
            row.asked, row.code_until = on_file.number, now + terms.second_within
        else:
            note = URGENT_CODE if way == Way.PAGE else SPOKEN_CODE
            codes.send_code(kept=row, user=person, number=on_file.number, language=language, now=now, note=note)
        row.save(force_insert=True)
        _record("asked", row, actor, now, way=str(way))
    return row


def _may(registration: Registration, person: User, now: dt.datetime) -> None:
    why = queries.cannot(registration, person, now)
    if why is None and person not in people.people_to_notify(registration.holder, queries.MAY):
        why = Cannot.NO_NUMBER
    if why is not None:
        raise CannotNow(why)


# -- known ------------------------------------------------------------------------------------------------------------


def enter_code(*, row: UrgentEntry, code: str, now: dt.datetime) -> UrgentEntry:
    """The code came back on the page: it is listed.

    Raises NothingWaits, CannotNow, NotThisWay, sms.codes.CodeWrong, CodeEnded; each wrong try is counted.
    """
    with transaction.atomic():
        row, wrong = _take_code(row, Way.PAGE, code, now)
        gone = None
        if wrong is None:
            row.known_at = now
            gone = _give(row, now)
    # After what was counted is committed.
    if wrong is not None:
        raise wrong
    if gone is not None:
        raise gone
    return row


def hear_code(*, row: UrgentEntry, officer: User, code: str, now: dt.datetime) -> UrgentEntry:
    """The caller read the code out to the officer who has the call. Raises NotYou, and as `enter_code` does."""
    if row.opened_by_id != officer.pk:
        raise NotYou
    with transaction.atomic():
        row, wrong = _take_code(row, Way.CODE, code, now)
        if wrong is None:
            _known_on_telephone(row, officer, now)
    if wrong is not None:
        raise wrong
    return row


@transaction.atomic
def called_back(*, row: UrgentEntry, officer: User, now: dt.datetime) -> UrgentEntry:
    """The officer called the number on file, and the holder asked. Raises NotYou, NothingWaits."""
    if row.opened_by_id != officer.pk:
        raise NotYou
    row = _waiting(row, now)
    if row.way != Way.CALL or row.state != State.ASKED:
        raise NothingWaits
    _known_on_telephone(row, officer, now)
    return row


def _take_code(
    row: UrgentEntry, way: Way, code: str, now: dt.datetime
) -> tuple[UrgentEntry, codes.CodeWrong | codes.CodeEnded | None]:
    row = _waiting(row, now)
    if row.way != way or row.state != State.ASKED or row.person is None:
        raise NothingWaits
    try:
        wrong = codes.take_code(kept=row, user=row.person, code=code, now=now)
    except codes.NoCodeWaiting:
        raise NothingWaits from None
    if wrong is not None:
        row.save(update_fields=["tries"])
    return row, wrong


def _known_on_telephone(row: UrgentEntry, officer: User, now: dt.datetime) -> None:
    terms = queries.terms()
    if terms is None:
        raise NothingWaits
    row.state, row.known_at, row.second_by = State.SPOKEN, now, now + terms.second_within
    row.asked, row.code, row.code_until = "", "", None
    row.save()
    _record("was_known", row, actor_of(officer, Role.OFFICER), now)


def second(*, row: UrgentEntry, officer: User, now: dt.datetime) -> UrgentEntry:
    """A second officer agrees, in time: it is listed. Raises NotYou, NothingWaits, CannotNow, NotThisWay."""
    if (why := may_second(row, officer, now)) is not None:
        raise why
    with transaction.atomic():
        row = _waiting(row, now)
        if row.state != State.SPOKEN:
            raise NothingWaits
        row.seconded_by = officer
        gone = _give(row, now)
    if gone is not None:
        raise gone
    return row


def may_second(row: UrgentEntry, officer: User, now: dt.datetime) -> NotYou | None:
    """None: they may. The database holds it too, but for who is new in office (`people.seconding`)."""
    opened_by = row.opened_by
    fit = people.is_officer(officer) and opened_by is not None
    if not fit or seconding.why_not(officer, [opened_by], now) is not None:
        return NotYou()
    return NotYou() if queries.is_theirs(officer, holder=row.holder, person=row.person) else None


@transaction.atomic
def decline(*, row: UrgentEntry, officer: User, now: dt.datetime) -> None:
    """An officer does not list it: the second one, or whoever has the call. Raises NotYou, NothingWaits."""
    if row.opened_by_id != officer.pk and may_second(row, officer, now) is not None:
        raise NotYou
    row = _waiting(row, now)
    if row.way == Way.PAGE or row.state not in {State.ASKED, State.SPOKEN}:
        raise NothingWaits
    _drop(row, Why.DECLINED, now, actor=actor_of(officer, Role.OFFICER))


def _waiting(row: UrgentEntry, now: dt.datetime) -> UrgentEntry:
    """Locked, and not closed. Of a code that has ended `codes` says why."""
    hold(Lock.URGENT, str(row.holder))
    found = UrgentEntry.objects.select_for_update(of=("self",)).select_related("registration", "person").get(pk=row.pk)
    if found.closed_at is not None or (found.state == State.SPOKEN and not queries.is_running(found, now)):
        raise NothingWaits
    if found.way == Way.CALL and not queries.is_running(found, now):
        raise NothingWaits
    return found


# -- listed -----------------------------------------------------------------------------------------------------------


def _give(row: UrgentEntry, now: dt.datetime) -> CannotNow | NotThisWay | None:
    """List it, by the rule; or close it, and give back why."""
    registration, terms, person = register.fresh(row.registration), queries.terms(), row.person
    why = queries.cannot(registration, person, now, besides=row) if person is not None else Cannot.NO_NUMBER
    if why is not None or terms is None:
        return _refused(row, Why.NOT_NOW, CannotNow(why or Cannot.NOT_OFFERED), now)
    until = rules.listed_until(now=now, terms=terms, stays_until=registration.stays_until)
    if until is None:
        return _refused(row, Why.NOT_NOW, CannotNow(Cannot.NOT_VALID), now)
    block, cut_off = row.block, row.cut_off
    origin = directory.current().origin(block) if block is not None else None
    # Of a network that nobody knows no operator would get it; of an address that another has the same is said, and of
    # one that another had in the last year, so that it does not tell that it is registered.
    if block is None or cut_off is None or origin is None or register.was_of_another(block, row.holder, now - A_YEAR):
        return _refused(row, Why.NOT_THIS_WAY, NotThisWay(), now)
    actor = f"rule:{policy.current(settings.POLICY_FILE).version}"
    new = new_endpoint(row.origin, block, register.parts_at(cut_off), origin.asn, until=until)
    try:
        with transaction.atomic():
            entry = address_changes.add_entry(registration=registration, new=new, actor=actor, now=now)
    except (changes.BlockAlreadyEntered, changes.NotValid):
        return _refused(row, Why.NOT_THIS_WAY, NotThisWay(), now)
    row.entry, row.state, row.given_at, row.until, row.block = entry, State.GIVEN, now, until, None
    row.asked = row.code = ""
    row.code_until = None
    row.save()
    _record("gave", row, actor, now, reason=row.reason, way=row.way)
    _tell(row, "urgent_given", now, by_telephone=row.way != Way.PAGE)
    wake()
    return None


def _refused(row: UrgentEntry, why: Why, error: CannotNow | NotThisWay, now: dt.datetime) -> CannotNow | NotThisWay:
    row.seconded_by = None
    _close(row, State.CLOSED, why, now)
    _record("refused", row, CLOCK, now, reason=why)
    return error


# -- and after --------------------------------------------------------------------------------------------------------


@transaction.atomic
def stop(*, row: UrgentEntry, actor: str, now: dt.datetime) -> None:
    """The holder takes it back: what was listed is off the list. Doing it twice changes nothing."""
    hold(Lock.URGENT, str(row.holder))
    row = UrgentEntry.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if row.closed_at is not None:
        return
    if row.state == State.GIVEN and row.entry is not None:
        address_changes.end_entry(entry=row.entry, why="lapse", now=now)
        _close(row, State.ENDED, Why.STOPPED, now)
        _record("ended", row, actor, now, reason=row.why)
        _tell(row, "urgent_ended", now, stopped=True)
    else:
        _drop(row, Why.STOPPED, now, actor=actor)


@each_of(queries.ran_out, lock=True)
def let_lapse(row: UrgentEntry, now: dt.datetime) -> None:
    """Those that were not finished in their minutes."""
    _drop(row, Why.LATE, now)


@each_of(queries.to_settle)
def settle(found: UrgentEntry, now: dt.datetime) -> bool:
    """Those whose papers came, and those that ended: their holders are told."""
    with transaction.atomic():
        row = (
            UrgentEntry.objects.select_for_update(of=("self",)).select_related("entry", "registration").get(pk=found.pk)
        )
        entry = row.entry
        if row.closed_at is not None or entry is None or row.until is None:
            return False
        if entry.valid_until > row.until:
            _close(row, State.CONFIRMED, "", now)
            _record("confirmed", row, CLOCK, now, reason=row.reason)
            _tell(row, "urgent_confirmed", now)
            return True
        by_itself = entry.end_reason == "lapse"
        _close(row, State.ENDED, Why.TIME if by_itself else Why.WITH_IT, now)
        _record("ended", row, CLOCK, now, reason=row.why)
        if by_itself:  # of the end of the registration another letter tells
            # It is so early when somebody else proved the address.
            _tell(row, "urgent_ended", now, until=min(row.until, entry.ended_at or row.until))
    return True


def remind(row: UrgentEntry, now: dt.datetime, days: int) -> int:
    return _tell(row, "urgent_ends_soon", now, once=f"urgent:{row.pk}:{days}")


def forget(*, registration: Registration) -> None:
    """Whose these were, when the register forgets that."""
    UrgentEntry.objects.filter(registration=registration, closed_at__isnull=False).update(
        holder=uuid.uuid4(), person=None
    )


def _close(row: UrgentEntry, state: State, why: str, now: dt.datetime) -> None:
    row.state, row.why, row.closed_at = state, why, now
    row.asked = row.code = ""
    row.block = row.code_until = None
    row.save()


def _drop(row: UrgentEntry, why: Why, now: dt.datetime, *, actor: str = CLOCK) -> None:
    """Nothing was listed."""
    _close(row, State.CLOSED, why, now)
    _record("closed", row, actor, now, reason=why)


def _record(act: str, row: UrgentEntry, actor: str, now: dt.datetime, *, reason: str = "", **detail: Any) -> None:
    journal.record(
        act=f"urgent.{act}",
        actor=actor,
        subject=row.subject,
        now=now,
        reason=reason,
        detail={"urgent": str(row.pk), **detail},
    )


def _tell(row: UrgentEntry, template: str, now: dt.datetime, *, once: str = "", **more: Any) -> int:
    registration, entry = row.registration, row.entry
    assert entry is not None  # noqa: S101 - only of what was given
    context = {
        "registration": registration.reference,
        "address": format_block(entry.block),
        "url": reverse("portal:urgent", args=[registration.reference]),
        **({} if template == "urgent_confirmed" else {"until": row.until}),
        **{name: value for name, value in more.items() if value},
    }
    return sum(
        letters.write_once(
            to=person, template=template, about=row.subject, once=once or f"{row}:{template}", context=context, now=now
        )
        for person in people.people_to_notify(registration.holder)
    )
