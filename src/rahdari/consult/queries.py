"""Reads of drafts and of what is said of them. What is not proved, and what is hidden, is in none that is shown."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber

from rahdari import policy
from rahdari.errors import RahdariError

from .models import Anchor, Answer, Comment, Draft, Mark, Speaker, Version
from .rules import State

# Of `comments_on`: no id of a clause.
WHOLE, NOWHERE = "*", ""
# In the policy: how long addresses are kept of a draft that nobody decides.
ADDRESSES = "comment_address"


class DraftNotFound(RahdariError):
    """There is no such draft. `.reference`"""

    says = "no draft {reference!r}"
    reference: str


def in_force() -> policy.Policy:
    return policy.current(settings.POLICY_FILE)


# -- drafts --------------------------------------------------------------------------------------------------------


def drafts() -> QuerySet[Draft]:
    """The newest first."""
    return Draft.objects.all()


def draft_by_reference(reference: str) -> Draft:
    """Raises DraftNotFound."""
    found = drafts().filter(reference=reference).first()
    if found is None:
        raise DraftNotFound(reference)
    return found


def latest_versions(found: Iterable[Draft]) -> dict[object, Version]:
    """The latest of each, by the key of its draft."""
    versions = Version.objects.filter(draft__in=list(found)).order_by("draft_id", "-number").distinct("draft_id")
    return {each.draft_id: each for each in versions}


def version_of(draft: Draft, number: int | None = None) -> Version | None:
    """That one, or the latest."""
    found = draft.versions.all()
    return found.order_by("-number").first() if number is None else found.filter(number=number).first()


# -- comments ------------------------------------------------------------------------------------------------------


def _how_many(name: str) -> Coalesce:
    """How many comments name the one of the row as theirs."""
    of_this = Comment.objects.filter(**{name: OuterRef("pk")}).order_by().values(name)
    # Where one comment has most of all signatures, PostgreSQL expects as many of each, and may read the table once for
    # each of a page: the pages of such a draft then take seconds (docs/benchmarks.md).
    return Coalesce(Subquery(of_this.annotate(count=Count("pk")).values("count")), 0)


def comments(draft: Draft) -> QuerySet[Comment]:
    """What was said, by number; what says the same as an earlier one is counted at that one (`signed`). Also what is
    hidden: in its place stands why."""
    return (
        Comment.objects.filter(draft=draft, proved_at__isnull=False, part_of__isnull=True)
        .select_related("draft", "version", "body", "like", "claim", "answer", "answer__version")
        .annotate(signed=_how_many("part_of"))
        .order_by("number")
    )


def comment(draft: Draft, number: int) -> Comment | None:
    """The one of this number, also one that signs another."""
    return (
        Comment.objects.select_related("part_of", "like", "claim", "version").filter(draft=draft, number=number).first()
    )


def comment_by_id(draft: Draft, id: uuid.UUID) -> Comment | None:
    """Also one whose code was not typed yet."""
    return Comment.objects.select_related("claim").filter(draft=draft, pk=id).first()


def comments_on(version: Version) -> QuerySet[Comment]:
    """The same, each with where its words stand in this version: `on`, the id of a clause, WHOLE for what is about all
    of it, and NOWHERE for words that are in it no more; `fate` is empty for what was said of this version itself."""
    here = FilteredRelation("anchors", condition=Q(anchors__version=version))
    return (
        comments(version.draft)
        .alias(here=here)
        .annotate(
            fate=Coalesce("here__fate", Value("")),
            on=Case(
                When(clause="", then=Value(WHOLE)),
                When(here__isnull=False, then=Coalesce("here__clause", Value(NOWHERE))),
                default=F("clause"),
            ),
        )
    )


def heads(found: QuerySet[Any]) -> QuerySet[Any]:
    """Of `comments` or `comments_on`: one of each group of those that are nearly the same, with how many more are in it
    (`alike`), those who signed one of them among them."""
    one_each: QuerySet[Any] = found.filter(like__isnull=True).annotate(alike=_how_many("like"))
    return one_each


def group(found: QuerySet[Any], head: Comment) -> QuerySet[Any]:
    """Of `comments_on`: all of a group, its head first."""
    all_of_it: QuerySet[Any] = found.filter(Q(pk=head.pk) | Q(like=head)).order_by("number")
    return all_of_it


def sent(head: Comment) -> int:
    """How often the texts of a group were sent."""
    return Comment.objects.filter(Q(pk=head.pk) | Q(part_of=head) | Q(like=head)).count()


def counted(found: QuerySet[Any]) -> dict[str, int]:
    """How many comments there are on each passage, of `comments_on`."""
    return dict(found.order_by().values_list("on").annotate(count=Count("pk", distinct=True)))


def latest_of_each(found: QuerySet[Comment], most: int) -> list[Comment]:
    """The latest few on each passage, of `comments_on`, the earliest of them first."""
    place = Window(RowNumber(), partition_by=F("on"), order_by=F("number").desc())
    return list(found.annotate(place=place).filter(place__lte=most).order_by("number"))


def unanswered(draft: Draft) -> QuerySet[Comment]:
    return comments(draft).filter(answer__isnull=True, hidden="")


def to_answer(draft: Draft) -> QuerySet[Comment]:
    """One of each group that is to be answered, and those of a group whose head was answered before they came, or is
    hidden."""
    stands_alone = Q(like__isnull=True) | Q(like__answer__isnull=False) | ~Q(like__hidden="")
    return unanswered(draft).filter(stands_alone).annotate(alike=_how_many("like"))


def has_groups(draft: Draft) -> bool:
    return Comment.objects.filter(draft=draft, like__isnull=False).exists()


def to_review(draft: Draft) -> QuerySet[Comment]:
    """Hidden ones whose authors dispute that."""
    return comments(draft).filter(appealed_at__isnull=False, reviewed_at__isnull=True).exclude(hidden="")


def names_to_decide(draft: Draft) -> QuerySet[Comment]:
    """Of which somebody says that the name is theirs; the earliest first. Also of a draft that has ended."""
    found = Comment.objects.filter(draft=draft, claim__outcome="").select_related("draft", "claim")
    return found.order_by("claim__claimed_at", "number")


def moderated(draft: Draft) -> QuerySet[Comment]:
    """What is hidden, or was until a second officer looked at it, what was taken out of a group, and whose name
    somebody said is theirs: for the public log of it."""
    found = Comment.objects.filter(draft=draft, number__isnull=False).select_related("claim")
    acts = Q(hidden_at__isnull=False) | Q(reviewed_at__isnull=False) | Q(apart_at__isnull=False)
    acts |= Q(claim__isnull=False)
    return found.filter(acts).order_by("number")


def with_marks(draft: Draft, clause: str, marks: Iterable[int], most: int) -> QuerySet[Comment]:
    """Heads of groups on this clause that have one of these marks, at most so many for each of them, the earliest."""
    found = Mark.objects.filter(draft=draft, clause=clause)
    of_each = [found.filter(value=mark).order_by("id").values("comment")[:most] for mark in marks]
    keys = of_each[0].union(*of_each[1:], all=True) if of_each else ()
    return Comment.objects.filter(pk__in=[row["comment"] for row in keys], hidden="").order_by("number")


def places(version: Version) -> dict[object, Anchor]:
    """Where the words of earlier comments stand in this version, by the key of the comment."""
    return {each.comment_id: each for each in Anchor.objects.filter(version=version)}


def answers(draft: Draft) -> QuerySet[Answer]:
    """Each with how many comments it answers, and how many signed them or sent nearly the same."""
    return (
        Answer.objects.filter(draft=draft)
        .select_related("version")
        .annotate(
            of_comments=Count("comments", filter=Q(comments__like__isnull=True), distinct=True),
            near=Count("comments", filter=Q(comments__like__isnull=False), distinct=True),
            signed=F("near")
            + Count("comments__signatures", filter=Q(comments__signatures__proved_at__isnull=False), distinct=True),
        )
        .filter(comments__isnull=False)
        .order_by("number")
        .distinct()
    )


# -- the worker ----------------------------------------------------------------------------------------------------


def anchors_to_tell() -> QuerySet[Anchor]:
    """Where words stand in a later version, of which their authors were not told yet."""
    return Anchor.objects.filter(told_at__isnull=True).select_related("version").order_by("id")


def answers_to_tell() -> QuerySet[Comment]:
    """Comments whose authors were not told yet that they are answered."""
    found = Comment.objects.filter(answer__isnull=False, answer_told_at__isnull=True)
    return found.select_related("speaker", "draft").order_by("id")


def versions_to_replay() -> QuerySet[Version]:
    """Of which nobody has asked yet what they would have changed; none of a draft that has ended."""
    return Version.objects.filter(replayed_at__isnull=True, draft__ending="").order_by("published_at", "id")


def speakers_to_let_go(now: dt.datetime) -> QuerySet[Speaker]:
    """Who is told that a draft has ended, or that it is not decided so long after the last day for comments, and whose
    address goes with it."""
    kept = in_force().retention[ADDRESSES].span
    over = ~Q(draft__ending="")
    if kept is not None:
        over |= Q(draft__closes_at__lt=now - kept)
    return Speaker.objects.exclude(email_index="").filter(over).order_by("id")


def never_proved(now: dt.datetime) -> QuerySet[Comment]:
    """Comments whose code was not typed in time: nobody has read them."""
    return Comment.objects.filter(proved_at__isnull=True, code_until__lt=now).order_by("sent_at", "id")


def answers_due(draft: Draft) -> dt.datetime:
    """Until when the office says that it answers."""
    rules = in_force()
    return policy.add(start=draft.closes_at, allowance=rules.clocks["consultation_answered"], calendar=rules.calendar)


def is_open(draft: Draft, now: dt.datetime) -> bool:
    return draft.state(now) == State.OPEN
