"""Reads of drafts and of what is said of them. What is not proved, and what is hidden, is in none that is shown."""

import datetime as dt
import uuid
from collections.abc import Iterable
from functools import reduce
from itertools import batched
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    F,
    FilteredRelation,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber
from django.utils.module_loading import import_string

from rahdari import policy
from rahdari.errors import RahdariError

from . import document
from .anchors import Fate
from .models import Anchor, Answer, Comment, Draft, Mark, NameClaim, Speaker, TakenBack, Version
from .rules import Outcome, State

# Of `comments_on`: no id of a clause.
WHOLE, NOWHERE = "*", ""
# So many are counted in one query.
AT_ONCE = 1_000
# In the policy: how long addresses are kept of a draft that nobody decides.
ADDRESSES = "comment_address"


class DraftNotFound(RahdariError):
    """There is no such draft. `.reference`"""

    says = "no draft {reference!r}"
    reference: str


def in_force() -> policy.Policy:
    return policy.current(settings.POLICY_FILE)


def until(clock: str, start: dt.datetime) -> dt.datetime:
    """When a clock of the policy ends that began then, by the calendar with all its corrections: the settings name what
    gives it, since this room does not know the officers who enter them."""
    calendar: policy.Calendar = import_string(settings.CALENDAR_IN_FORCE)()
    return policy.add(start=start, allowance=in_force().clocks[clock], calendar=calendar)


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


def with_counts(found: Iterable[Comment], *, alike: bool = False) -> list[Comment]:
    """These, each with how many signed it (`signed`), since which version it is attached to nothing (`loose_since`),
    and, if asked for, how many more are in its group (`alike`), who signed one of them among them. Counted for all of a
    page at once: asked in the row of each, PostgreSQL may read the table once for each of them, as it expects as many
    signatures under one comment as under another."""
    rows = list(found)
    for some in batched(rows, AT_ONCE):
        for name, told in {"part_of": "signed", **({"like": "alike"} if alike else {})}.items():
            of_these = Comment.objects.filter(**{f"{name}__in": [each.pk for each in some]}).order_by()
            counts = dict(of_these.values_list(name).annotate(count=Count("pk")))
            for each in some:
                setattr(each, told, counts.get(each.pk, 0))
        since = loose_since([each.pk for each in some if getattr(each, "fate", "") == Fate.ORPHANED])
        for each in some:
            each.loose_since = since.get(each.pk)
    return rows


def loose_since(keys: Iterable[object]) -> dict[object, int]:
    """Since which version comments are attached to nothing, by their keys. An orphan stays one."""
    found = Anchor.objects.filter(comment__in=list(keys), fate=Fate.ORPHANED).order_by()
    return dict(found.values_list("comment").annotate(since=Min("version__number")))


def comments(draft: Draft) -> QuerySet[Comment]:
    """What was said, by number; what says the same as an earlier one is counted at that one. Also what is hidden: in
    its place stands why."""
    return (
        Comment.objects.filter(draft=draft, proved_at__isnull=False, part_of__isnull=True)
        .select_related("draft", "version", "body", "like", "claim", "part_of", "answer", "answer__version")
        .order_by("number")
    )


def comment(draft: Draft, number: int) -> Comment | None:
    """The one of this number, also one that signs another."""
    return (
        Comment.objects.select_related("part_of", "part_of__answer", "like", "claim", "version", "speaker")
        .filter(draft=draft, number=number)
        .first()
    )


def comment_by_id(draft: Draft, id: uuid.UUID) -> Comment | None:
    """Also one whose code was not typed yet."""
    return Comment.objects.select_related("claim", "part_of").filter(draft=draft, pk=id).first()


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
    """Of `comments` or `comments_on`: one of each group of those that are nearly the same."""
    one_each: QuerySet[Any] = found.filter(like__isnull=True)
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


def taken_back(draft: Draft) -> dict[tuple[object, object], TakenBack]:
    """Changes that answers name and that are none any more, by the keys of the answer and of the version that what it
    answers was written on."""
    changed = {each.pk: each for each in Answer.objects.filter(draft=draft, outcome=Outcome.CHANGED)}
    if not changed:
        return {}
    versions = {each.pk: each for each in draft.versions.defer("policy_text").order_by("number")}
    documents = [each.document for each in versions.values()]
    same = {
        (answer.pk, version.pk): Q(answer=answer, version=version)
        for answer in changed.values()
        for version in versions.values()
        if documents[-1].reads_as(version.document, answer.clause)
    }
    found = dict[tuple[object, object], TakenBack]()
    if same:
        said = Comment.objects.filter(reduce(or_, same.values()), draft=draft, part_of__isnull=True).order_by()
        for key in said.values_list("answer", "version").distinct():
            answer, before = changed[key[0]], versions[key[1]].number
            by = document.taken_back_by(documents, answer.clause, before)
            found[key] = TakenBack(answer.number, answer.clause, before, by)
    return found


def with_taken_back(draft: Draft, found: Iterable[Comment]) -> list[Comment]:
    """These, each with what became of the change that its answer names."""
    rows, changes = list(found), taken_back(draft)
    for each in rows:
        each.taken_back = changes.get((each.answer_id, each.version_id))
    return rows


def _waits(draft: Draft, of: str = "") -> Q:
    """What is to be answered: it has no answer, or one whose change was taken back."""
    open_ = Q(**{f"{of}answer__isnull": True})
    for answer, version in taken_back(draft):
        open_ |= Q(**{f"{of}answer": answer, f"{of}version": version})
    return open_ & Q(**{f"{of}hidden": ""})


def unanswered(draft: Draft) -> QuerySet[Comment]:
    return comments(draft).filter(_waits(draft))


def waiting(draft: Draft) -> int:
    """How many comments are to be answered: none, once the draft has ended."""
    return 0 if draft.ending else unanswered(draft).count()


def to_answer(draft: Draft) -> QuerySet[Comment]:
    """One of each group that is to be answered, and those of a group whose head was answered before they came, or is
    hidden."""
    return unanswered(draft).filter(Q(like__isnull=True) | ~_waits(draft, "like__"))


def has_groups(draft: Draft) -> bool:
    return Comment.objects.filter(draft=draft, like__isnull=False).exists()


def to_review(draft: Draft) -> QuerySet[Comment]:
    """Hidden ones whose authors dispute that."""
    return comments(draft).filter(appealed_at__isnull=False, reviewed_at__isnull=True).exclude(hidden="")


def decided_by(asked_at: dt.datetime) -> dt.datetime:
    """Until when an officer decides about a name that is claimed, or about a hiding that is disputed."""
    return until("consultation_name", asked_at)


def is_hidden_lately(draft: Draft, now: dt.datetime) -> bool:
    """Whether a comment was hidden so short ago that its author has time to dispute it before the draft is adopted."""
    undisputed = comments(draft).exclude(hidden="").filter(appealed_at__isnull=True)
    last = undisputed.aggregate(last=Max("hidden_at"))["last"]
    return last is not None and now < until("consultation_hidden", last)


def names_to_decide(draft: Draft) -> QuerySet[Comment]:
    """Of which somebody says that the name is theirs; the earliest first. Also of a draft that has ended."""
    found = Comment.objects.filter(draft=draft, claim__outcome="").select_related(
        "draft", "claim", "part_of", "speaker"
    )
    return found.order_by("claim__claimed_at", "number")


def claims_unanswered(now: dt.datetime) -> QuerySet[NameClaim]:
    """Of which an author was asked, and said nothing until the time for it was over."""
    found = NameClaim.objects.filter(outcome="", contested_at__isnull=True, away_at__isnull=True)
    return found.filter(asked_at__isnull=False, due_at__lt=now).order_by("due_at", "id")


def moderated(draft: Draft) -> QuerySet[Comment]:
    """What is hidden, or was until a second officer looked at it, what was taken out of a group, and whose name
    somebody said is theirs: for the public log of it."""
    acts = Q(hidden_at__isnull=False) | Q(reviewed_at__isnull=False) | Q(apart_at__isnull=False)
    # In two: an index has the few of the first, and the second are few.
    keys = Comment.objects.filter(acts, draft=draft).order_by().values("pk")
    keys = keys.union(NameClaim.objects.filter(comment__draft=draft).order_by().values("comment"))
    return Comment.objects.filter(pk__in=keys).select_related("claim", "draft", "part_of").order_by("number")


def with_marks(draft: Draft, clause: str, marks: Iterable[int], most: int) -> QuerySet[Comment]:
    """Heads of groups on this clause that have one of these marks, at most so many for each of them, the earliest."""
    found = Mark.objects.filter(draft=draft, clause=clause)
    of_each = [found.filter(value=mark).order_by("id").values("comment")[:most] for mark in marks]
    keys = of_each[0].union(*of_each[1:], all=True) if of_each else ()
    return Comment.objects.filter(pk__in=[row["comment"] for row in keys], hidden="").order_by("number")


def places(version: Version) -> dict[object, Anchor]:
    """Where the words of earlier comments stand in this version, by the key of the comment."""
    return {each.comment_id: each for each in Anchor.objects.filter(version=version)}


def answers(draft: Draft) -> list[Answer]:
    """Those that stand, each with how many comments it answers (`of_comments`), how many signed them or sent nearly
    the same (`signed`), the earliest version that these were written on (`since`), and where its change was taken back
    (`taken_back`)."""
    said = Comment.objects.filter(answer__draft=draft).order_by().values_list("answer")
    counts = said.annotate(of=_of_groups(True), near=_of_groups(False), since=Min("version__number"))
    answered = {key: facts for key, *facts in counts}
    signatures = Comment.objects.filter(part_of__answer__draft=draft).order_by().values_list("part_of__answer")
    signed = dict(signatures.annotate(count=Count("pk")))
    found = list(Answer.objects.filter(pk__in=answered).select_related("version").order_by("number"))
    versions, changes = {each.number: each for each in draft.versions.defer("policy_text")}, taken_back(draft)
    for each in found:
        each.of_comments, near, since = answered[each.pk]
        each.signed, each.since = near + signed.get(each.pk, 0), versions[since]
        each.taken_back = [change for (answer, _), change in changes.items() if answer == each.pk]
    return found


def _of_groups(heads: bool) -> Count:
    return Count("pk", filter=Q(like__isnull=heads))


# -- the worker ----------------------------------------------------------------------------------------------------


def anchors_to_tell() -> QuerySet[Anchor]:
    """Where words stand in a later version, of which their authors were not told yet."""
    return Anchor.objects.filter(told_at__isnull=True).select_related("version").order_by("id")


def answers_to_tell() -> QuerySet[Comment]:
    """Comments whose authors were not told yet that they are answered, or that an answer does not count any more."""
    found = Comment.objects.filter(answer__isnull=False, answer_told_at__isnull=True)
    return found.select_related("speaker", "draft", "answer").order_by("id")


def signers_to_tell() -> QuerySet[Comment]:
    """Comments of which something became that not all who signed them were told."""
    return Comment.objects.filter(signers_told__isnull=False).select_related("answer", "draft").order_by("id")


def signers_not_told(comment: Comment) -> QuerySet[Comment]:
    """Those of them who are to be told, by number."""
    found = comment.signatures.filter(number__gt=comment.signers_told)
    return found.select_related("speaker", "draft", "part_of").order_by("number")


def versions_to_replay(now: dt.datetime) -> QuerySet[Version]:
    """Of which nobody has asked yet what they would have changed; none of a draft that has ended. A demonstration tells
    what happened before it began after it has published its draft: nothing is asked of one that is not there yet."""
    found = Version.objects.filter(replayed_at__isnull=True, draft__ending="", published_at__lte=now)
    return found.order_by("published_at", "id")


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
    return until("consultation_answered", draft.closes_at)


def is_open(draft: Draft, now: dt.datetime) -> bool:
    return draft.state(now) == State.OPEN
