"""Comments that are nearly the same stand in one group, and an officer takes one out that does not belong there.

Invariants: nothing is dropped: each of a group has its number and its page, and is answered; one stands at the head,
and never in another group; who comes later joins the head that is most like it. What is compared for one comment is
bounded by `likeness.MARKS` times `OF_EACH_MARK`, however many there are.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import actions, likeness, queries
from .models import Comment, Mark

OF_EACH_MARK = 4
# So many of a group are asked whether they are more like the one that is taken out.
MOST_ASKED = 2_000


class NotInAGroup(RahdariError):
    """The comment heads a group, or stands by itself, or signs another one. `.comment`"""

    says = "{comment} is in no group that it could be taken out of"
    comment: Comment


def head_for(comment: Comment) -> Comment | None:
    """The head of the group that it is most like; None where it says something of its own. What a body says stands by
    itself, as it does when it is the same."""
    if comment.body_id is not None:
        return None
    said = likeness.runs(comment.words)
    known = queries.with_marks(comment.draft, comment.clause, likeness.marks(said), OF_EACH_MARK)
    shares = [(likeness.share(said, likeness.runs(each.words)), each) for each in known]
    share, head = max(shares, key=lambda row: row[0], default=(0.0, None))
    return head if share >= likeness.ALIKE else None


def mark(comment: Comment) -> None:
    """Have it found by those that are like it."""
    values = likeness.marks(likeness.runs(comment.words)) if comment.body_id is None else []
    Mark.objects.bulk_create(
        Mark(comment=comment, draft_id=comment.draft_id, clause=comment.clause, value=each) for each in values
    )


@transaction.atomic
def take_out(*, comment: Comment, actor: str, now: dt.datetime) -> Comment:
    """Take a comment out of its group; with it go those that are more like it than like the head, and who signed them.
    It keeps the answer that it has. Raises NotInAGroup."""
    actions.lock(comment.draft)
    comment = Comment.objects.select_related("draft", "like").get(pk=comment.pk)
    if comment.like is None or comment.part_of_id is not None:
        raise NotInAGroup(comment)
    head, said = likeness.runs(comment.like.words), likeness.runs(comment.words)
    others = comment.like.members.filter(part_of__isnull=True).exclude(pk=comment.pk).order_by("number")[:MOST_ASKED]
    nearer = [each.pk for each in others if _is_nearer(likeness.runs(each.words), said, head)]
    comment.like, comment.apart_at, comment.apart_by = None, now, actor
    comment.save(update_fields=["like", "apart_at", "apart_by"])
    comment.signatures.update(like=None)
    Comment.objects.filter(Q(pk__in=nearer) | Q(part_of__in=nearer)).update(like=comment)
    mark(comment)
    detail = {"comment": comment.number}
    journal.record(act="consult.took_out", actor=actor, subject=comment.draft.subject, now=now, detail=detail)
    return comment


def _is_nearer(runs: frozenset[str], one: frozenset[str], other: frozenset[str]) -> bool:
    return likeness.share(runs, one) > likeness.share(runs, other)
