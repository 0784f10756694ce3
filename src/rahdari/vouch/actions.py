"""The acts of vouch: ask, answer, stop, send again. What every inquiry has beside them stands in `inquiry.kinds`.

Invariants: a subject is asked once; a link works once, for some days, and holds no secret of the applicant; the first
answer counts; nobody who asked us to stop is written to again; an applicant learns of what they asked themselves alone,
and of nobody else's questions to the same address; the journal names neither the address nor its domain.
Opening the page changes nothing: programs that look at links in mail answer no question.
"""

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils.translation import override

from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import NoLongerOpen, NotAnAnswer, is_open
from rahdari.inquiry.rules import Move, Terms
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.policy import Vouching

from . import queries
from . import rules as _rules
from .models import MailOptOut, ReferenceRequest
from .parties import CLIENT, PARTIES, Party
from .queries import LINKS, REFERENCE
from .rules import BUTTONS, STOPPED, WhyNot

ADDRESSEE = "client"


class MayNotAsk(RahdariError):
    """Nobody is written to. `.why` (free_mail, stopped, too_many) and `.domain`."""

    says = "{why}: {domain}"
    why: WhyNot
    domain: str


class TooSoon(RahdariError):
    """The letter was sent a short time ago, or once more already. `.question`"""

    says = "{question} was sent lately"
    question: ReferenceRequest


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
    party: Party = CLIENT,
) -> ReferenceRequest:
    """Write to an address and ask, of a client whether the person works for them. The same subject twice is asked once.

    Beyond the address's own count, and to one that wants no mail, nothing goes out, and the applicant reads the same:
    else they would learn that somebody else had named it. Raises MayNotAsk, and then nobody was written to.
    """
    existing = REFERENCE.about(subject)
    if existing is not None:
        return existing
    address = address.strip().lower()
    for name_of in sorted((asked_by, queries.address_index(address))):
        hold(Lock.CLIENT, name_of)
    domain = _rules.domain_of(address)
    written = queries.written_lately(asked_by=asked_by, address=address, domain=domain, since=now - rules.counted_in)
    reason = _rules.why_not(address=address, written=written, rules=rules)
    if reason is not None:
        raise MayNotAsk(reason, domain)
    question = ReferenceRequest(
        subject=subject,
        party=party.key,
        name=name,
        address=address,
        address_index=queries.address_index(address),
        domain=domain,
        language=_rules.language_for(address, language),
        asked_by=asked_by,
        goes_out=_rules.goes_out(written=written, rules=rules),
    )
    question.link_index = LINKS.index_of(question)
    terms = Terms.spans(now, answer=rules.link_valid, remind=rules.remind_after, kept=rules.address_kept)
    REFERENCE.begin(question, terms, actor=asked_by, now=now)
    _write(question, "client_question", now)
    return question


def _write(question: ReferenceRequest, template: str, now: dt.datetime) -> None:
    if not question.goes_out or queries.wants_no_mail(question.address):
        return
    token, party = LINKS.token(question), PARTIES[question.party]
    with override(question.language):
        words = {"question": party.asks(question.name), "lead": str(party.lead), "not_asked": str(party.nothing_else)}
        words["about"] = str(party.subject if template == "client_question" else party.reminder)
    letters.write_to_outsider(
        address=question.address,
        language=question.language,
        template=template,
        about=f"vouch:{question.pk}",
        context={
            **words,
            "ends_at": question.due_at,
            "url": reverse("vouch:question", args=[token]),
            "stop_url": reverse("vouch:stop", args=[token]),
        },
        expires_at=question.due_at,
        now=now,
    )


def answer(*, question: ReferenceRequest, given: str, now: dt.datetime) -> ReferenceRequest:
    """What the person asked says. The same answer twice changes nothing. Raises NotAnAnswer, NoLongerOpen."""
    if given not in BUTTONS:
        raise NotAnAnswer(given)
    return REFERENCE.answer(question, given, actor=ADDRESSEE, now=now)


@transaction.atomic
def stop(*, question: ReferenceRequest, now: dt.datetime) -> ReferenceRequest:
    """The person asked wants no mail from us, now and later. Doing it twice changes nothing."""
    question = REFERENCE.locked(question)
    MailOptOut.objects.get_or_create(address_index=question.address_index, defaults={"at": now})
    if question.is_waiting:
        return REFERENCE.end(question, Move.ANSWER, STOPPED, actor=ADDRESSEE, now=now)
    return question


@transaction.atomic
def resend(*, question: ReferenceRequest, actor: str, now: dt.datetime) -> ReferenceRequest:
    """Ask once more, because the first letter may have been overlooked. Raises NoLongerOpen, TooSoon."""
    question = REFERENCE.locked(question)
    if not is_open(question, now):
        raise NoLongerOpen(question)
    allowed_from = _rules.may_send_again_from(asked_at=question.asked_at, resent_at=question.resent_at)
    if allowed_from is None or now < allowed_from:
        raise TooSoon(question)
    question.resent_at = now
    question.save(update_fields=["resent_at"])
    _write(question, "client_question", now)
    journal.record(act="vouch.sent_again", actor=actor, subject=question.subject, now=now)
    return question


@REFERENCE.reminding
def remind(question: ReferenceRequest, now: dt.datetime) -> None:
    _write(question, "client_reminder", now)
