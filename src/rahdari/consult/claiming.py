"""Somebody says that the name of a comment is theirs, and that they did not write it.

Invariants: a claim needs a code that went to an address of email, and takes no name off by itself, and never the words:
they stay, count and are answered. Nobody proves who they are, on either side, and no address of whoever claims is kept.
The author is asked: who answers that the name is theirs keeps it until an officer
decides, and who says nothing until `due_at` loses it until then. An officer decides, once, and at any time: the name is
erased, or stays for good. Where nobody could be asked, the officer alone takes it off. Each claim stands in the public
log. docs/adr/0045 says why.
"""

import datetime as dt
import secrets

from django.db import transaction

from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.journal import actions as journal
from rahdari.vault import links
from rahdari.web import limits
from rahdari.web.visitor import Place

from . import queries, speaking, telling
from .models import Comment, NameClaim
from .moderating import NotPossible

# What the tickets of codes are derived for.
CODE = "consult.claim"


def _locked(comment: Comment) -> Comment:
    found = Comment.objects.select_for_update(of=("self",)).select_related("draft", "speaker", "claim", "part_of")
    return found.get(pk=comment.pk)


def _record(act: str, actor: str, comment: Comment, now: dt.datetime) -> None:
    detail = {"comment": comment.number}
    journal.record(act=act, actor=actor, subject=comment.draft.subject, now=now, detail=detail)


@transaction.atomic
def send_code(*, comment: Comment, email: str, place: Place, language: str, now: dt.datetime) -> str:
    """Mail a code to whoever says that its name is theirs. Returns its ticket, which goes with the code: what they have
    in common is derived from both, so that nothing is kept until it is typed. Raises NotPossible where no name is to be
    claimed, speaking.TooManyCodes."""
    if comment.claimed is not None or not comment.is_named:
        raise NotPossible(comment)
    code = speaking.new_code(email, place)
    until = int((now + telling.CODE_LASTS).timestamp())
    lot = f"{secrets.token_hex(8)}-{until}"
    ticket = f"{lot}-{links.token(CODE, f'{comment.pk} {lot} {code}')}"
    telling.write_claim_code(comment, email, language, code, ticket, now)
    return ticket


def _check(comment: Comment, ticket: str, code: str, now: dt.datetime) -> None:
    """Raises speaking.WrongCode. A try that fails counts."""
    lot, _, token = ticket.rpartition("-")
    until = lot.rpartition("-")[2]
    if not until.isdecimal() or now.timestamp() >= int(until):
        raise speaking.WrongCode(0)
    # A bucket that fills so slowly gives no further try while the code works.
    tries, rate, per = f"{CODE}:{lot}", speaking.MOST_TRIES, 24 * speaking.AN_HOUR
    if not limits.allow(tries, rate=rate, per=per):
        raise speaking.WrongCode(0)
    if not links.matches(CODE, f"{comment.pk} {lot} {speaking.digits(code)}", token):
        raise speaking.WrongCode(int(limits.left(tries, rate=rate, per=per)))


def claim(*, comment: Comment, ticket: str, code: str, now: dt.datetime) -> NameClaim:
    """Whoever claims it typed the code of that ticket: ask its author, and have an officer look; the name stays. Done
    twice it is done once. Raises speaking.WrongCode, and NotPossible where no name stands, or an officer has decided
    about it."""
    _check(comment, ticket, code, now)
    return _claim(comment, now)


@transaction.atomic
def _claim(comment: Comment, now: dt.datetime) -> NameClaim:
    comment = _locked(comment)
    if (known := comment.claimed) is not None and not known.outcome:
        return known
    if known is not None or not comment.is_named:
        raise NotPossible(comment)
    due_at = queries.decided_by(now)
    is_asked = telling.write_news(comment, "claimed", now, due_at=due_at)
    made = NameClaim.objects.create(comment=comment, claimed_at=now, due_at=due_at, asked_at=now if is_asked else None)
    _record("consult.claimed", "public", comment, now)
    wake()
    return made


@each_of(queries.claims_unanswered)
def take_off(claim: NameClaim, now: dt.datetime) -> bool:
    """Its author was asked and said nothing in time: the name is away until an officer decides."""
    found = queries.claims_unanswered(now).filter(pk=claim.pk)
    return bool(found.update(away_at=now))


@transaction.atomic
def contest(*, comment: Comment, now: dt.datetime) -> NameClaim:
    """Its author says that the name is theirs. Done twice it is done once. Raises NotPossible."""
    comment = _locked(comment)
    known = comment.claimed
    if known is None or known.outcome:
        raise NotPossible(comment)
    if known.contested_at is None:
        known.contested_at = now
        known.save(update_fields=["contested_at"])
        _record("consult.contested", "public", comment, now)
    return known


@transaction.atomic
def decide(*, comment: Comment, erase: bool, actor: str, now: dt.datetime) -> NameClaim:
    """An officer decides: the name is erased, or shown again. Raises NotPossible."""
    comment = _locked(comment)
    known = comment.claimed
    if known is None or known.outcome:
        raise NotPossible(comment)
    known.outcome = NameClaim.Outcome.ERASED if erase else NameClaim.Outcome.SHOWN
    known.decided_at, known.decided_by = now, actor
    known.save(update_fields=["outcome", "decided_at", "decided_by"])
    if erase:
        Comment.objects.filter(pk=comment.pk).update(name="")
    _record("consult.erased_name" if erase else "consult.showed_name", actor, comment, now)
    telling.write_news(comment, "name_erased" if erase else "name_shown", now, hidden=comment.is_hidden)
    return known
