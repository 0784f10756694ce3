"""The office answers: one answer for a comment, or for several that make the same point.

Invariants: an answer is never rewritten; a better one takes its place, and the first stays on record. A change names
the clause of a later version that it made; where the latest one reads as before, it answers nothing
(`queries.taken_back`).
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import Max, Q

from rahdari import policy
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries, rules, telling
from .actions import NotNow, lock
from .models import Answer, Comment, Draft, Version, frozen
from .rules import Outcome


class NoSuchClause(RahdariError):
    """A change needs a clause of the latest version that differs from the version commented on. `.clause`"""

    says = "no clause {clause!r} whose words differ from the version that was commented on"
    clause: str


class NothingToAnswer(RahdariError):
    """None of these comments is there to be answered. `.numbers`"""

    says = "no comments {numbers}"
    numbers: Collection[int]


@transaction.atomic
def answer(
    *,
    draft: Draft,
    numbers: Collection[int],
    point: policy.Text,
    outcome: Outcome,
    text: policy.Text,
    clause: str = "",
    actor: str,
    now: dt.datetime,
) -> Answer:
    """Answer the comments of these numbers, which make one `point`, and all of their groups that are not answered yet;
    the worker tells who wrote and who signed them. With `Outcome.CHANGED` the `clause` of the latest version says what
    is different now from each version that they were written on. Raises NotNow, NoSuchClause, NothingToAnswer.
    """
    draft = lock(draft)
    if draft.ending:
        raise NotNow(rules.Stop.ENDED)
    found = list(
        Comment.objects.filter(draft=draft, number__in=numbers, part_of__isnull=True, hidden="")
        .select_related("version")
        .order_by("number")
    )
    if not found:
        raise NothingToAnswer(numbers)
    version = queries.version_of(draft) if outcome == Outcome.CHANGED else None
    same: list[Version] = []
    if version is not None:
        same = [each for each in draft.versions.all() if clause not in version.document.differing(each.document)]
    if any(each.version in same for each in found):
        raise NoSuchClause(clause)
    last = Answer.objects.filter(draft=draft).aggregate(last=Max("number"))["last"] or 0
    given = Answer.objects.create(
        draft=draft,
        number=last + 1,
        point=frozen(point),
        outcome=outcome,
        text=frozen(text),
        version=version,
        clause=clause if version is not None else "",
        answered_at=now,
        answered_by=actor,
    )
    Comment.objects.filter(pk__in=[each.pk for each in found]).update(answer=given, answer_told_at=None)
    # What is nearly the same has the same answer: none yet, or the one that is replaced.
    heads, before = {each.like_id or each.pk for each in found}, {each.answer_id for each in found}
    group = Comment.objects.filter(Q(pk__in=heads) | Q(like__in=heads), part_of__isnull=True, hidden="")
    group = group.filter(Q(answer__isnull=True) | Q(answer__in=before - {None}))
    # What was said of a version that has the change already, or again, is not answered by it.
    group.exclude(version__in=same).update(answer=given, answer_told_at=None)
    journal.record(act="consult.answered", actor=actor, subject=draft.subject, now=now, detail={"answer": given.number})
    wake()
    return given


@each_of(queries.answers_to_tell, ready=telling.at_pace)
def tell(comment: Comment, now: dt.datetime) -> bool:
    """Tell an author that the comment is answered, or that its answer does not count any more, and have those told who
    signed it; what is hidden meanwhile is passed over, and after the draft's end nobody is there to be told."""
    # Whoever hides it locks it before the letters are counted: in the same order nobody waits for the other.
    Comment.objects.filter(pk=comment.pk).update(answer_told_at=now)
    if not comment.is_hidden:
        telling.tell_who_signed(comment)
        telling.write_news(comment, telling.of_answer(comment), now)
    return True
