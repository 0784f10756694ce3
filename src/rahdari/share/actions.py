"""The acts of sharing: ask, answer, lapse, give notice. What every inquiry has beside them: `inquiry.kinds`.

Invariants: only who has proved control asks (the caller has looked); everybody who has the address is asked, and one
no is a no; the consents of all are recorded before the register lets anybody in, in one transaction with it; nobody
who is asked learns more of the asker than the name chosen, and the asker learns nothing of them.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable

from django.db import transaction
from django.urls import reverse

from rahdari.address import format_block
from rahdari.archive.actions import Box
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import NoLongerOpen, NotAnAnswer, is_open
from rahdari.inquiry.rules import VOID, Move, Terms
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import names, quoting
from rahdari.people import queries as people
from rahdari.policy import Sharing
from rahdari.register import queries as entries
from rahdari.register import sharing
from rahdari.register.models import CoHolder
from rahdari.register.rules import Block

from . import queries, rules
from .models import ConsentQuestion, SharingRequest
from .queries import A_DAY, CO_HOLDER
from .rules import AGREED, DECLINED, LONGEST_NAME, REPLIES, Reply

# So many questions that wait for one holder go out by letter, and so many a day; the page has them all. Whoever sits
# behind a gateway with many accounts, or asks and takes back again and again, cannot fill a mailbox by it.
LETTERS_AT_ONCE = 5


class CannotBeShared(Exception):
    """Nobody has exactly this address, or what stands there is a range around it or a changing one."""


class TooSoon(RahdariError):
    """It was declined or not answered lately. `.again_at`"""

    says = "{again_at}"
    again_at: dt.datetime


class NoName(ValueError):
    """The name that those who are asked read is missing or too long."""


@transaction.atomic
def ask(
    *, subject: str, block: Block, holder: uuid.UUID, name: str, asked_by: str, terms: Sharing, now: dt.datetime
) -> SharingRequest:
    """Ask everybody who has this block. While a request of the holder for it waits, it is that one.

    Raises NoName, LeadsAway, CannotBeShared, TooSoon.
    """
    name = quoting.held(names.tidy(name))
    if not name or len(name) > LONGEST_NAME:
        raise NoName(name)
    hold(Lock.SHARE, f"{holder} {block}")
    last = queries.request_of(holder=holder, block=block)
    if last is not None and last.is_waiting:
        return last
    if last is not None:
        again_at = rules.asks_again_at(state=last.state, ended_at=last.ended_at, again_after=terms.again_after)
        if again_at is not None and now < again_at:
            raise TooSoon(again_at)
    there = entries.holders_to_ask(block=block, newcomer=holder)
    if not there or not entries.may_be_shared(block=block):
        raise CannotBeShared(str(block))
    request = SharingRequest(subject=subject, holder=holder, block=block, name=name, asked_by=asked_by)
    clocks = Terms.spans(now, answer=terms.answer_within, remind=terms.remind_after, kept=terms.name_kept)
    CO_HOLDER.begin(request, clocks, actor=asked_by, now=now, request=str(request.pk))
    for each in sorted(there):
        _put(request, each, asked_by, now)
    return request


def _put(request: SharingRequest, holder: uuid.UUID, actor: str, now: dt.datetime) -> None:
    question = ConsentQuestion.objects.create(request=request, holder=holder, asked_at=now)
    journal.record(act="share.put_question", actor=actor, subject=str(question), now=now)
    if queries.put_since(holder, now - A_DAY) <= LETTERS_AT_ONCE:
        _write(question, now)


def _write(question: ConsentQuestion, now: dt.datetime) -> None:
    if not queries.is_among_first(question, at_most=LETTERS_AT_ONCE):
        return
    request = question.request
    for person in people.people_to_notify(question.holder, queries.MAY_AGREE):
        letters.write_letter(
            to=person,
            template="share_asked",
            about=f"sharing:{request.pk}",
            context={
                "name": request.name,
                "address": format_block(request.block),
                "due_at": request.due_at,
                "url": reverse("share:question", args=[question.pk]),
            },
            now=now,
        )


@transaction.atomic
def answer(*, question: ConsentQuestion, given: str, actor: str, now: dt.datetime) -> SharingRequest:
    """What a holder says. With the last yes the register lets the asker in, in the same transaction.

    The same answer twice changes nothing. Raises NotAnAnswer, NoLongerOpen.
    """
    if given not in REPLIES:
        raise NotAnAnswer(given)
    request = CO_HOLDER.locked(question.request)
    question = ConsentQuestion.objects.get(pk=question.pk)
    if question.reply == given:
        return request
    if not is_open(request, now) or question.reply != Reply.WAITING:
        raise NoLongerOpen(request)
    question.reply, question.answered_at, question.answered_by = given, now, actor
    question.save(update_fields=["reply", "answered_at", "answered_by"])
    detail = {"answer": given, "question": str(question.pk)}
    journal.record(act="share.replied", actor=actor, subject=request.origin, now=now, detail=detail)
    said = rules.outcome(request.questions.values_list("reply", flat=True))
    if said == DECLINED:
        return CO_HOLDER.end(request, Move.ANSWER, said, actor=actor, now=now)
    return _let_in(request, actor, now) if said == AGREED else request


def _let_in(request: SharingRequest, actor: str, now: dt.datetime) -> SharingRequest:
    """Everybody who was asked has agreed. Whoever came meanwhile is asked too."""
    agreed = set(request.questions.filter(reply=Reply.YES).values_list("holder", flat=True))
    try:
        sharing.let_in(
            block=request.block, newcomer=request.holder, agreed=agreed, origin=request.origin, actor=actor, now=now
        )
    except sharing.NotShareable:
        return CO_HOLDER.end(request, Move.LAPSE, VOID, actor=actor, now=now)
    except sharing.NotAllAgreed as error:
        asked = set(request.questions.values_list("holder", flat=True))
        for each in sorted(error.missing - asked):
            _put(request, each, request.asked_by, now)
        return request
    return CO_HOLDER.end(request, Move.ANSWER, AGREED, actor=actor, now=now)


@each_of(CO_HOLDER.waiting, lock=True)
def lapse(request: SharingRequest, now: dt.datetime) -> bool:
    """Requests for an address that nobody has any more."""
    if entries.in_the_way(block=request.block, holder=request.holder).exists():
        return False
    CO_HOLDER.end(request, Move.LAPSE, VOID, actor="clock", now=now)
    return True


@CO_HOLDER.reminding
def remind(request: SharingRequest, now: dt.datetime) -> None:
    """Of very many questions not of each, as at first."""
    for question in request.questions.filter(reply=Reply.WAITING):
        _write(question, now)


erase_names = CO_HOLDER.erasing(needed_until=queries.needed_until)


@transaction.atomic
def give_notice(
    *, sharer: CoHolder, question: ConsentQuestion, terms: Sharing, actor: str, now: dt.datetime
) -> CoHolder:
    """Withdraw a consent: the other one is told, and leaves when the notice is over. Doing it twice changes nothing."""
    before = sharer.leaves_at
    sharer = sharing.leave(sharer=sharer, at=now + terms.notice, withdrawn_by=question.holder, actor=actor, now=now)
    if before is None and sharer.leaves_at is not None:
        write_to_holder(sharer, "share_notice", now, until=sharer.leaves_at)
    return sharer


@transaction.atomic
def take_notice_back(*, sharer: CoHolder, question: ConsentQuestion, actor: str, now: dt.datetime) -> CoHolder:
    """Only whoever gave it takes it back."""
    if sharer.leaves_at is None or sharer.withdrawn_by != question.holder:
        return sharer
    sharer = sharing.stay(sharer=sharer, actor=actor, now=now)
    write_to_holder(sharer, "share_goes_on", now)
    return sharer


def write_to_holder(sharer: CoHolder, template: str, now: dt.datetime, **more: object) -> None:
    """A letter to the holder of a part."""
    for person in people.people_to_notify(sharer.holder, queries.MAY_AGREE):
        letters.write_letter(
            to=person,
            template=template,
            about=f"sharer:{sharer.pk}",
            context={"address": format_block(sharer.shared.block), "url": reverse("share:sharing"), **more},
            now=now,
        )


def note_read(*, subjects: Iterable[str], actor: str, now: dt.datetime) -> None:
    """The names under which these were asked for were read by somebody who has the address."""
    journal.record_list(act="share.read_question", actor=actor, where=actor, shown=subjects, now=now)


def close(*, request: SharingRequest, now: dt.datetime) -> None:
    SharingRequest.objects.filter(pk=request.pk, closed_at__isnull=True).update(closed_at=now)


def erase_requests(*, subjects: Collection[str], box: Box) -> list[str]:
    """Requests that these subjects waited for, with their questions: for which address somebody asked whom. Gives the
    subjects of the letters about them."""
    over = SharingRequest.objects.filter(subject__in=subjects, ended_at__isnull=False, closed_at__isnull=False)
    letters = [f"sharing:{request.pk}" for request in over]
    box.take(over)
    box.take(ConsentQuestion.objects.filter(request__in=over))
    ConsentQuestion.objects.filter(request__in=over).delete()
    over.delete()
    return letters
