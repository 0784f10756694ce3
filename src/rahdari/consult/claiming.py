"""Somebody says that the name of a comment is theirs, and that they did not write it.

Invariants: a claim takes the name off at once, and never the words: they stay, count and are answered. Nobody proves
who they are, on either side. The author is told, and may say that the name is theirs; an officer decides, once: the
name is erased, or shown again for good. The clock running out decides nothing. Each claim stands in the public log.
docs/adr/0045 says why.
"""

import datetime as dt

from django.db import transaction

from rahdari.db.wake import wake
from rahdari.journal import actions as journal

from . import queries, telling
from .models import Comment, NameClaim
from .moderating import NotPossible


def _locked(comment: Comment) -> Comment:
    found = Comment.objects.select_for_update(of=("self",)).select_related("draft", "speaker", "claim")
    return found.get(pk=comment.pk)


def _record(act: str, actor: str, comment: Comment, now: dt.datetime) -> None:
    detail = {"comment": comment.number}
    journal.record(act=act, actor=actor, subject=comment.draft.subject, now=now, detail=detail)


@transaction.atomic
def claim(*, comment: Comment, now: dt.datetime) -> NameClaim:
    """Take the name off until an officer has looked; its author is told. Done twice it is done once. Raises NotPossible
    where no name stands, or an officer has decided about it."""
    comment = _locked(comment)
    if (known := comment.claimed) is not None and not known.outcome:
        return known
    if known is not None or not comment.is_named:
        raise NotPossible(comment)
    made = NameClaim.objects.create(comment=comment, claimed_at=now, due_at=queries.decided_by(now))
    _record("consult.claimed", "public", comment, now)
    telling.write_news(comment, "claimed", now)
    wake()
    return made


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
    telling.write_news(comment, "name_erased" if erase else "name_shown", now)
    return known
