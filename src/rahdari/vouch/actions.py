"""The acts of vouch: ask, answer, stop, remind, end, forget.

Invariants: a subject is asked once; a link works once, for some days, and holds no secret of the applicant; the first
answer counts; nobody who asked us to stop is written to again; the journal names neither the address nor its domain.
Opening the page changes nothing: programs that look at links in mail answer no question.
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.urls import reverse

from rahdari.archive.actions import Box
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.policy import Vouching

from . import queries
from . import rules as _rules
from .models import MailOptOut, ReferenceRequest
from .rules import ANSWERS, ReferenceState, WhyNot

CLIENT = "client"


class MayNotAsk(Exception):
    """Nobody is written to. `.why` (free_mail, stopped, too_many) and `.domain`."""

    def __init__(self, why: WhyNot, domain: str) -> None:
        super().__init__(f"{why}: {domain}")
        self.why, self.domain = why, domain


class NoLongerOpen(Exception):
    """The question was answered, or its link has ended. `.question`"""

    def __init__(self, question: ReferenceRequest) -> None:
        super().__init__(f"{question} is {question.state}")
        self.question = question


class TooSoon(Exception):
    """The letter was sent a short time ago, or once more already. `.question`"""

    def __init__(self, question: ReferenceRequest) -> None:
        super().__init__(f"{question} was sent lately")
        self.question = question


class NotAnAnswer(ValueError):
    """An answer is yes, no, or not me."""


@transaction.atomic
def ask(
    *,
    subject: str,
    name: str,
    address: str,
    asked_by: str,
    language: str,
    rules: Vouching,
    now: dt.datetime,
) -> ReferenceRequest:
    """Write to an address and ask whether the person works for them. The same subject twice is asked once.

    Raises MayNotAsk, and then nobody was written to.
    """
    existing = queries.question_of(subject)
    if existing is not None:
        return existing
    address = address.strip().lower()
    for name_of in sorted((asked_by, queries.address_index(address))):
        hold(Lock.CLIENT, name_of)
    domain = _rules.domain_of(address)
    written = queries.written_lately(asked_by=asked_by, address=address, domain=domain, since=now - rules.counted_in)
    stopped = queries.wants_no_mail(address)
    reason = _rules.why_not(address=address, stopped=stopped, written=written, rules=rules)
    if reason is not None:
        raise MayNotAsk(reason, domain)
    question = ReferenceRequest(
        subject=subject,
        name=name,
        address=address,
        address_index=queries.address_index(address),
        domain=domain,
        language=_rules.language_for(address, language),
        asked_by=asked_by,
        asked_at=now,
        ends_at=now + rules.link_valid,
        remind_at=now + rules.remind_after,
        forget_at=now + rules.link_valid + rules.address_kept,
    )
    question.link_index = queries.link_index(queries.token_of(question))
    question.save(force_insert=True)
    journal.record(act="vouch.asked", actor=asked_by, subject=subject, now=now)
    _write(question, "client_question", now)
    return question


def _write(question: ReferenceRequest, template: str, now: dt.datetime) -> None:
    letters.write_to_outsider(
        address=question.address,
        language=question.language,
        template=template,
        about=f"vouch:{question.pk}",
        context={
            "name": question.name,
            "ends_at": question.ends_at,
            "url": reverse("vouch:question", args=[queries.token_of(question)]),
            "stop_url": reverse("vouch:stop", args=[queries.token_of(question)]),
        },
        useless_at=question.ends_at,
        now=now,
    )


@transaction.atomic
def answer(*, question: ReferenceRequest, given: str, now: dt.datetime) -> ReferenceRequest:
    """What the person asked says. The same answer twice changes nothing. Raises NotAnAnswer, NoLongerOpen."""
    if given not in ANSWERS:
        raise NotAnAnswer(given)
    question = _locked(question)
    if question.state == given:
        return question
    if not queries.is_open(question, now):
        raise NoLongerOpen(question)
    return _end(question, ReferenceState(given), now, act="answered", actor=CLIENT)


@transaction.atomic
def stop(*, question: ReferenceRequest, now: dt.datetime) -> ReferenceRequest:
    """The person asked wants no mail from us, now and later. Doing it twice changes nothing."""
    question = _locked(question)
    MailOptOut.objects.get_or_create(address_index=question.address_index, defaults={"at": now})
    if question.state == ReferenceState.WAITING:
        return _end(question, ReferenceState.STOPPED, now, act="stopped", actor=CLIENT)
    return question


@transaction.atomic
def send_again(*, question: ReferenceRequest, actor: str, now: dt.datetime) -> ReferenceRequest:
    """Write once more, because the first letter may have been overlooked. Raises NoLongerOpen, TooSoon."""
    question = _locked(question)
    if not queries.is_open(question, now):
        raise NoLongerOpen(question)
    allowed_from = _rules.may_send_again_from(asked_at=question.asked_at, sent_again_at=question.sent_again_at)
    if allowed_from is None or now < allowed_from or queries.wants_no_mail(question.address):
        raise TooSoon(question)
    question.sent_again_at = now
    question.save(update_fields=["sent_again_at"])
    _write(question, "client_question", now)
    journal.record(act="vouch.sent_again", actor=actor, subject=question.subject, now=now)
    return question


@transaction.atomic
def recall(*, question: ReferenceRequest, actor: str, now: dt.datetime) -> ReferenceRequest:
    """Whoever named the person takes it back: its link asks nothing any more. Raises NoLongerOpen."""
    question = _locked(question)
    if question.state == ReferenceState.RECALLED:
        return question
    if question.state != ReferenceState.WAITING:
        raise NoLongerOpen(question)
    return _end(question, ReferenceState.RECALLED, now, act="recalled", actor=actor)


@each_of(queries.past_their_time, lock=True)
def end_links(question: ReferenceRequest, now: dt.datetime) -> None:
    """Questions whose link has ended without an answer."""
    _end(question, ReferenceState.SILENT, now, act="ended_link", actor="clock")


@each_of(queries.to_remind, lock=True)
def remind(question: ReferenceRequest, now: dt.datetime) -> None:
    """Write once more to whoever has not answered, once."""
    question.reminded_at = now
    question.save(update_fields=["reminded_at"])
    if not queries.wants_no_mail(question.address):
        _write(question, "client_reminder", now)


@each_of(queries.to_forget, lock=True)
def forget(question: ReferenceRequest, now: dt.datetime) -> None:
    """The address and the name go; the domain and the answer stay."""
    question.address, question.name, question.forgotten_at = "", "", now
    question.save(update_fields=["address", "name", "forgotten_at"])
    journal.record(act="vouch.forgot_address", actor="clock", subject=question.subject, now=now)


def erase_about(*, subjects: Collection[str], box: Box, now: dt.datetime) -> list[str]:
    """Of what these subjects asked: the domain goes too. Gives the subjects of the letters that were written for it."""
    found = list(ReferenceRequest.objects.filter(subject__in=subjects))
    box.take(found)
    for question in found:
        question.address, question.name, question.domain = "", "", ""
        question.forgotten_at = question.forgotten_at or now
        question.save(update_fields=["address", "name", "domain", "forgotten_at"])
    return [f"vouch:{question.pk}" for question in found]


def mark_carried(*, question: ReferenceRequest, now: dt.datetime) -> ReferenceRequest:
    """The answer has reached whoever waited for it. Doing it twice changes nothing."""
    if question.carried_at is None:
        question.carried_at = now
        question.save(update_fields=["carried_at"])
    return question


def _end(
    question: ReferenceRequest, state: ReferenceState, now: dt.datetime, *, act: str, actor: str
) -> ReferenceRequest:
    assert _rules.may_move(question.state, state)  # noqa: S101 - the callers look first
    question.state, question.answered_at = state.value, now
    question.forget_at = min(question.forget_at, now + (question.forget_at - question.ends_at))
    question.save(update_fields=["state", "answered_at", "forget_at"])
    detail = {"answer": state.value}
    journal.record(act=f"vouch.{act}", actor=actor, subject=question.subject, now=now, detail=detail)
    wake()
    return question


def _locked(question: ReferenceRequest) -> ReferenceRequest:
    return ReferenceRequest.objects.select_for_update().get(pk=question.pk)
