"""Hiding a comment, and looking at that again.

Invariants: a comment is hidden for a reason of a closed list, and never for what it says of the draft; its author is
told, and may dispute it; another officer decides that, once. The log of it is public, and names nobody.
"""

import datetime as dt

from django.db import transaction

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.vault import links

from . import actions, telling
from .models import Comment
from .rules import Hidden

# What the link of a letter is derived for by which an author disputes that a comment is hidden.
DISPUTES = "consult.disputes"


class NotPossible(RahdariError):
    """The comment does not allow this as it stands: hidden already, not hidden, or looked at already. `.comment`"""

    says = "not possible for {comment} now"
    comment: Comment


class SameOfficer(RahdariError):
    """Who hid a comment does not decide whether that was right. `.comment`"""

    says = "{comment} was hidden by this officer"
    comment: Comment


def token_of(comment: Comment) -> str:
    return links.token(DISPUTES, str(comment.pk))


def is_author(comment: Comment, token: str) -> bool:
    return links.matches(DISPUTES, str(comment.pk), token)


def _locked(comment: Comment) -> Comment:
    # Answering and adopting lock the draft first.
    actions.lock(comment.draft)
    return Comment.objects.select_for_update(of=("self",)).select_related("draft", "speaker").get(pk=comment.pk)


def _record(act: str, actor: str, comment: Comment, now: dt.datetime, reason: str = "") -> None:
    detail = {"comment": comment.number}
    journal.record(act=act, actor=actor, subject=comment.draft.subject, now=now, reason=reason, detail=detail)


@transaction.atomic
def hide(*, comment: Comment, why: Hidden, actor: str, now: dt.datetime) -> Comment:
    """Hide it, and tell its author why, with the way to dispute it. Raises NotPossible."""
    comment = _locked(comment)
    if comment.number is None or comment.hidden or comment.draft.ending:
        raise NotPossible(comment)
    # Shown again by a second officer, it is not hidden by the next one.
    if comment.reviewed_at is not None:
        raise NotPossible(comment)
    comment.hidden, comment.hidden_at, comment.hidden_by = why, now, actor
    comment.save(update_fields=["hidden", "hidden_at", "hidden_by"])
    _record("consult.hid", actor, comment, now, reason=why)
    telling.write_hidden(comment, token_of(comment), now)
    return comment


@transaction.atomic
def dispute(*, comment: Comment, now: dt.datetime) -> Comment:
    """Its author says that this is wrong. Done twice it is done once. Raises NotPossible."""
    comment = _locked(comment)
    if not comment.hidden or comment.draft.ending:
        raise NotPossible(comment)
    if comment.appealed_at is None:
        comment.appealed_at = now
        comment.save(update_fields=["appealed_at"])
        _record("consult.disputed", "public", comment, now)
        wake()
    return comment


@transaction.atomic
def review(*, comment: Comment, show: bool, actor: str, now: dt.datetime) -> Comment:
    """Another officer decides: it is shown again, or stays hidden. Raises NotPossible, SameOfficer."""
    comment = _locked(comment)
    if not comment.hidden or comment.appealed_at is None or comment.reviewed_at is not None:
        raise NotPossible(comment)
    if comment.hidden_by == actor:
        raise SameOfficer(comment)
    comment.reviewed_at, comment.reviewed_by = now, actor
    if show:
        comment.hidden, comment.hidden_at, comment.hidden_by = "", None, ""
    comment.save(update_fields=["reviewed_at", "reviewed_by", "hidden", "hidden_at", "hidden_by"])
    _record("consult.showed" if show else "consult.upheld", actor, comment, now)
    telling.write_news(comment, "shown" if show else "upheld", now)
    return comment
