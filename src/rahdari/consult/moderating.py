"""Hiding a comment, and looking at that again.

Invariants: a comment is hidden for a reason of a closed list, and never for what it says of the draft; its author and
all who signed it are told, and each of them may dispute it; another officer decides that, once. After the draft's end
a comment is hidden for personal data alone, and nobody is left to be told. The log of it is public, forgets nothing,
and names nobody.
"""

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.journal import seconding

from . import actions, queries, rules, telling
from .models import Comment, Draft
from .rules import Hidden


class NotPossible(RahdariError):
    """The comment does not allow this as it stands: hidden already, not hidden, or looked at already. `.comment`"""

    says = "not possible for {comment} now"
    comment: Comment


def _locked(comment: Comment) -> Comment:
    """The comment that stands for it."""
    # Answering and adopting lock the draft first.
    actions.lock(comment.draft)
    found = Comment.objects.select_for_update(of=("self",)).select_related("draft", "speaker", "part_of")
    return found.get(pk=comment.part_of_id or comment.pk)


def _record(act: str, actor: str, comment: Comment, now: dt.datetime, reason: str = "") -> None:
    detail = {"comment": comment.number}
    journal.record(act=act, actor=actor, subject=comment.draft.subject, now=now, reason=reason, detail=detail)


@transaction.atomic
def hide(*, comment: Comment, why: Hidden, actor: str, now: dt.datetime) -> Comment:
    """Hide it with all who signed it, whichever of them is named, and tell them why, with the way to dispute it. Raises
    NotPossible, and NotNow for another reason than personal data after the draft's end."""
    comment = _locked(comment)
    has_ended = bool(comment.draft.ending)
    if has_ended and why != Hidden.PERSONAL_DATA:
        raise actions.NotNow(rules.Stop.ENDED)
    if comment.number is None or comment.hidden:
        raise NotPossible(comment)
    # Shown again by a second officer, it is not hidden by the next one.
    if comment.reviewed_at is not None:
        raise NotPossible(comment)
    comment.hidden, comment.hidden_at, comment.hidden_by = why, now, actor
    comment.save(update_fields=["hidden", "hidden_at", "hidden_by"])
    _record("consult.hid", actor, comment, now, reason=why)
    if not has_ended:
        telling.write_news(comment, "hidden", now)
        telling.tell_who_signed(comment)
    return comment


@transaction.atomic
def dispute(*, comment: Comment, now: dt.datetime) -> Comment:
    """Its author, or whoever signed it, says that this is wrong. Done twice it is done once. Raises NotPossible."""
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
    """Another officer decides: it is shown again, or stays hidden. Raises NotPossible, seconding.NotSecond."""
    comment = _locked(comment)
    if not comment.hidden or comment.appealed_at is None or comment.reviewed_at is not None:
        raise NotPossible(comment)
    seconding.check(actor, [comment.hidden_by], now)
    comment.reviewed_at, comment.reviewed_by = now, actor
    if show:
        comment.hidden, comment.was_hidden = "", comment.hidden
        # What became of its answer while it was hidden was passed over, and told to nobody.
        told, since = comment.answer_told_at, comment.hidden_at
        if told is not None and since is not None and told >= since:
            comment.answer_told_at = None
            wake()
    comment.save(update_fields=["reviewed_at", "reviewed_by", "hidden", "was_hidden", "answer_told_at"])
    _record("consult.showed" if show else "consult.upheld", actor, comment, now)
    telling.write_news(comment, "shown" if show else "upheld", now)
    telling.tell_who_signed(comment)
    return comment


# -- the public log --------------------------------------------------------------------------------------------------

LOG = "draft comment hidden reason disputed decided_again decision taken_out_of_group name".split()


def log(draft: Draft) -> Iterator[list[str]]:
    """The rows of the log, for programs: nobody's name and nobody's words."""
    for each in queries.moderated(draft):
        acts = (each.hidden_at, each.appealed_at, each.reviewed_at, each.apart_at)
        hidden, disputed, again, apart = (timezone.localdate(day).isoformat() if day else "" for day in acts)
        decision = "" if each.reviewed_at is None else "upheld" if each.hidden else "shown"
        name = (each.claimed.outcome or ("withdrawn" if each.claimed.is_away else "claimed")) if each.claimed else ""
        yield [draft.reference, str(each.number), hidden, each.hidden_for, disputed, again, decision, apart, name]
