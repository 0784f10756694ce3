"""The office answers: one answer for a comment, or for several that make the same point.

Invariants: an answer is never rewritten; a better one takes its place, and the first stays on record. A change names
the clause of a later version that it made.
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import Max

from rahdari import policy
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries, rules, telling
from .actions import NotNow, lock
from .models import Answer, Comment, Draft, frozen
from .rules import Outcome


class NoSuchClause(RahdariError):
    """A change needs a clause of the latest version, which is not the first one. `.clause`"""

    says = "no clause {clause!r} of a later version"
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
    """Answer the comments of these numbers, which make one `point`; who wrote them is told. With `Outcome.CHANGED` the
    `clause` of the latest version says what is different now. Raises NotNow, NoSuchClause, NothingToAnswer.
    """
    draft = lock(draft)
    if draft.ending:
        raise NotNow(rules.Stop.ENDED)
    found = list(
        Comment.objects.filter(draft=draft, number__in=numbers, part_of__isnull=True, hidden="").order_by("number")
    )
    if not found:
        raise NothingToAnswer(numbers)
    version = queries.version_of(draft) if outcome == Outcome.CHANGED else None
    if outcome == Outcome.CHANGED and (
        version is None or version.number == 1 or version.document.clause(clause) is None
    ):
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
    Comment.objects.filter(pk__in=[each.pk for each in found]).update(answer=given)
    journal.record(act="consult.answered", actor=actor, subject=draft.subject, now=now, detail={"answer": given.number})
    for comment in Comment.objects.select_related("speaker", "draft").filter(pk__in=[each.pk for each in found]):
        telling.write_news(comment, "answered", now)
    return given
