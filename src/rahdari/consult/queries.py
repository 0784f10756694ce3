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

from .models import Anchor, Answer, Comment, Draft, Speaker, Version
from .rules import State

# Of `comments_on`: no id of a clause.
WHOLE, NOWHERE = "*", ""


class DraftNotFound(RahdariError):
    """There is no such draft. `.reference`"""

    says = "no draft {reference!r}"
    reference: str


def in_force() -> policy.Policy:
    return policy.current(settings.POLICY_FILE)


# -- drafts --------------------------------------------------------------------------------------------------------


def drafts() -> QuerySet[Draft]:
    """The newest first, each with how many comments, signatures and speakers it has, and its latest version."""
    latest = Version.objects.filter(draft=OuterRef("pk")).order_by("-number")
    said = Q(comments__proved_at__isnull=False)
    return Draft.objects.annotate(
        said=Count("comments", filter=said & Q(comments__part_of__isnull=True)),
        signed=Count("comments", filter=said & Q(comments__part_of__isnull=False)),
        speaking=Count("comments__speaker", filter=said, distinct=True),
        latest=Subquery(latest.values("number")[:1]),
    )


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


def comments(draft: Draft) -> QuerySet[Comment]:
    """What was said, by number; what says the same as an earlier one is counted at that one (`signed`). Also what is
    hidden: in its place stands why."""
    of_this = Comment.objects.filter(part_of=OuterRef("pk")).order_by().values("part_of")
    signatures = of_this.annotate(count=Count("pk")).values("count")
    return (
        Comment.objects.filter(draft=draft, proved_at__isnull=False, part_of__isnull=True)
        .select_related("draft", "version", "body", "answer", "answer__version")
        .annotate(signed=Coalesce(Subquery(signatures), 0))
        .order_by("number")
    )


def comment(draft: Draft, number: int) -> Comment | None:
    """The one of this number, also one that signs another."""
    return Comment.objects.select_related("part_of", "version").filter(draft=draft, number=number).first()


def comment_by_id(draft: Draft, id: uuid.UUID) -> Comment | None:
    """Also one whose code was not typed yet."""
    return Comment.objects.filter(draft=draft, pk=id).first()


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


def counted(found: QuerySet[Any]) -> dict[str, int]:
    """How many comments there are on each passage, of `comments_on`."""
    return dict(found.order_by().values_list("on").annotate(count=Count("pk", distinct=True)))


def latest_of_each(found: QuerySet[Comment], most: int) -> list[Comment]:
    """The latest few on each passage, of `comments_on`, the earliest of them first."""
    place = Window(RowNumber(), partition_by=F("on"), order_by=F("number").desc())
    return list(found.annotate(place=place).filter(place__lte=most).order_by("number"))


def unanswered(draft: Draft) -> QuerySet[Comment]:
    return comments(draft).filter(answer__isnull=True, hidden="")


def to_review(draft: Draft) -> QuerySet[Comment]:
    """Hidden ones whose authors dispute that."""
    return comments(draft).filter(appealed_at__isnull=False, reviewed_at__isnull=True).exclude(hidden="")


def moderated(draft: Draft) -> QuerySet[Comment]:
    """What is hidden, or was until a second officer looked at it: for the public log of it."""
    found = Comment.objects.filter(draft=draft, number__isnull=False)
    return found.filter(Q(hidden_at__isnull=False) | Q(reviewed_at__isnull=False)).order_by("number")


def places(version: Version) -> dict[object, Anchor]:
    """Where the words of earlier comments stand in this version, by the key of the comment."""
    return {each.comment_id: each for each in Anchor.objects.filter(version=version)}


def answers(draft: Draft) -> QuerySet[Answer]:
    """Each with how many comments it answers, and how many signed them."""
    return (
        Answer.objects.filter(draft=draft)
        .select_related("version")
        .annotate(
            of_comments=Count("comments", filter=Q(comments__part_of__isnull=True), distinct=True),
            signed=Count(
                "comments__signatures", filter=Q(comments__signatures__proved_at__isnull=False), distinct=True
            ),
        )
        .filter(comments__isnull=False)
        .order_by("number")
        .distinct()
    )


# -- the worker ----------------------------------------------------------------------------------------------------


def anchors_to_tell() -> QuerySet[Anchor]:
    """Where words stand in a later version, of which their authors were not told yet."""
    return Anchor.objects.filter(told_at__isnull=True).select_related("version").order_by("id")


def versions_to_replay() -> QuerySet[Version]:
    """Of which nobody has asked yet what they would have changed; none of a draft that has ended."""
    return Version.objects.filter(replayed_at__isnull=True, draft__ending="").order_by("published_at", "id")


def speakers_to_let_go() -> QuerySet[Speaker]:
    """Who is told that a draft has ended, and whose address goes with it."""
    return Speaker.objects.exclude(email_index="").exclude(draft__ending="").order_by("id")


def never_proved(now: dt.datetime) -> QuerySet[Comment]:
    """Comments whose code was not typed in time: nobody has read them."""
    return Comment.objects.filter(proved_at__isnull=True, code_until__lt=now).order_by("sent_at", "id")


def answers_due(draft: Draft) -> dt.datetime:
    """Until when the office says that it answers."""
    rules = in_force()
    return policy.add(start=draft.closes_at, allowance=rules.clocks["consultation_answered"], calendar=rules.calendar)


def is_open(draft: Draft, now: dt.datetime) -> bool:
    return draft.state(now) == State.OPEN
