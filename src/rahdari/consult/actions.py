"""The acts of a draft: publish a version, hearings, adopt, withdraw. Each locks the draft.

Invariants: of two versions that are published at once, whoever did not see the other is told; each version gives the
time that the policy says; adopting takes a second person and an answer to each comment; when a draft has ended, or is
not decided for as long as the policy says, each address is written to once more and erased in that transaction.
"""

import datetime as dt
from collections.abc import Set
from functools import cache
from itertools import batched

from django.db import IntegrityError, transaction
from django.db.models import Max

from rahdari import policy
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.journal import seconding

from . import anchors, document, queries, rules, telling
from .models import Anchor, Comment, Draft, Hearing, Speaker, Version, frozen
from .rules import State

OPENS, AGAIN = "consultation", "consultation_again"
# Comments that are placed in a new version at a time.
AT_ONCE = 1_000


class Overtaken(RahdariError):
    """Another version was published meanwhile: read it first. `.latest` is its number."""

    says = "version {latest} was published meanwhile"
    latest: int


class NotNow(RahdariError):
    """The draft does not allow this as it stands. `.why` is a `rules.Stop`."""

    says = "not possible now: {why}"
    why: rules.Stop


class NothingChanged(RahdariError):
    """The version says what the one before it says, word for word. `.number`"""

    says = "version {number} says the same"
    number: int


class CalledOff(RahdariError):
    """The hearing was called off before, which stays as it was published. `.hearing`"""

    says = "{hearing} was called off"
    hearing: Hearing


class HearingBegan(RahdariError):
    """Its time has come: it is not called off any more. `.hearing`"""

    says = "the time of {hearing} has come"
    hearing: Hearing


def lock(draft: Draft) -> Draft:
    return Draft.objects.select_for_update().get(pk=draft.pk)


# -- versions ------------------------------------------------------------------------------------------------------


def publish(*, text: str, policy_text: str, after: int, actor: str, now: dt.datetime) -> Version:
    """Publish a version of a draft: the first one opens it. `after` is the number of the version that its author knows,
    0 for a new draft. Raises document.DraftError, policy.PolicyError, Overtaken, NothingChanged, NotNow.
    """
    found = document.read(text)
    becomes = policy.read(policy_text)
    try:
        with transaction.atomic():
            return _publish(found, policy_text, becomes, after, actor, now)
    except IntegrityError:
        # Two opened the same draft at once: there was nothing to lock yet.
        known = Version.objects.filter(draft__key=found.key).aggregate(number=Max("number"))["number"]
        if after or known is None:
            raise
        raise Overtaken(known) from None


def _publish(
    found: document.Document, policy_text: str, becomes: policy.Policy, after: int, actor: str, now: dt.datetime
) -> Version:
    draft = Draft.objects.select_for_update().filter(key=found.key).first()
    known = list(draft.versions.order_by("number")) if draft is not None else []
    latest = known[-1] if known else None
    if after != (latest.number if latest else 0):
        raise Overtaken(latest.number if latest else 0)
    document.judge_next(found, [each.document for each in known])
    if latest is not None and (latest.digest, latest.policy_digest) == (found.digest, becomes.digest):
        raise NothingChanged(latest.number)
    if draft is not None and draft.ending:
        raise NotNow(rules.Stop.ENDED)
    until = queries.until(OPENS if draft is None else AGAIN, now)
    if draft is None:
        draft = Draft.objects.create(reference=_next_reference(now), key=found.key, opened_at=now, closes_at=until)
    else:
        # Nobody answers for new words in less time than the policy gives; and what was proposed is not this version.
        draft.closes_at = max(draft.closes_at, until)
        draft.proposed_by, draft.proposed_at = "", None
        draft.save(update_fields=["closes_at", "proposed_by", "proposed_at"])
    answered_before = queries.taken_back(draft).keys()
    version = Version.objects.create(
        draft=draft,
        number=after + 1,
        text=found.frozen(),
        digest=found.digest,
        policy_text=policy_text,
        policy_version=becomes.version,
        policy_digest=becomes.digest,
        published_at=now,
        published_by=actor,
    )
    if latest is not None:
        _follow_words(draft, latest, version)
        _tell_of_answers(draft, answered_before)
    detail = {"number": version.number, "digest": version.digest}
    journal.record(act="consult.published", actor=actor, subject=draft.subject, now=now, detail=detail)
    wake()
    return version


def _next_reference(now: dt.datetime) -> str:
    """`DR-2026-01`. Two at once take the same one, and the database lets one of them through."""
    year = f"DR-{now.year}-"
    last = Draft.objects.filter(reference__startswith=year).aggregate(last=Max("reference"))["last"]
    return f"{year}{int(last.rpartition('-')[2]) + 1 if last else 1:02}"


def _follow_words(draft: Draft, before: Version, after: Version) -> None:
    """Where the words of each comment stand in the new version. In its transaction: no version is seen without."""
    placed = queries.places(before)
    texts = {
        language: (before.document.texts(language), after.document.texts(language)) for language in document.LANGUAGES
    }
    # What each version said of which somebody commented on a clause as such.
    read = {
        (each.pk, language): each.document.texts(language)
        for each in draft.versions.defer("policy_text")
        for language in document.LANGUAGES
    }

    # Those who sign a text mostly mean the same words: these are looked for once.
    @cache
    def fate(language: str, quote: anchors.Quote) -> tuple[anchors.Fate, str, anchors.Quote | None]:
        found = anchors.follow(quote, *texts[language])
        return found.fate, found.place.clause if found.place else "", found.quote

    def of_clause(comment: Comment) -> tuple[anchors.Fate, str, None]:
        """On a clause as such: its id is what it is about, and its words are those that the author read, or others."""
        said = texts[comment.language][1].get(comment.clause)
        if said is None:
            return anchors.Fate.ORPHANED, "", None
        was = read[comment.version_id, comment.language][comment.clause]
        return anchors.Fate.KEPT if said == was else anchors.Fate.CHANGED, comment.clause, None

    def anchor(comment: Comment) -> Anchor:
        last = placed.get(comment.pk)
        if last is not None and last.fate == anchors.Fate.ORPHANED:
            return Anchor(comment=comment, version=after, fate=anchors.Fate.ORPHANED)
        at: Comment | Anchor = last or comment
        if comment.exact:
            came, clause, quote = fate(comment.language, anchors.Quote(at.clause, comment.exact, at.prefix, at.suffix))
        else:
            came, clause, quote = of_clause(comment)
        prefix, suffix = (quote.prefix, quote.suffix) if quote else ("", "")
        return Anchor(comment=comment, version=after, fate=came, clause=clause, prefix=prefix, suffix=suffix)

    for some in batched(Comment.objects.filter(draft=draft).exclude(clause="").iterator(), AT_ONCE):
        Anchor.objects.bulk_create(map(anchor, some))


def _tell_of_answers(draft: Draft, before: Set[tuple[object, object]]) -> None:
    """A version took changes back that answers name, or made them again: have those told whom that concerns."""
    for key in before ^ queries.taken_back(draft).keys():
        Comment.objects.filter(**dict(zip(("answer", "version"), key, strict=True))).update(answer_told_at=None)


@each_of(queries.anchors_to_tell, ready=telling.at_pace)
def tell_of_words(anchor: Anchor, now: dt.datetime) -> bool:
    """Tell an author where their words stand in the new version; what is hidden or was never proved is passed over, and
    what was attached to nothing before, or had these other words already: that is told once."""
    comment = Comment.objects.select_related("speaker", "draft", "part_of", "version").get(pk=anchor.comment_id)
    number, more = anchor.version.number, {}
    if anchor.fate == anchors.Fate.ORPHANED:
        more = {"since": queries.loose_since([comment.pk])[comment.pk]}
    elif anchor.fate == anchors.Fate.CHANGED:
        more = {"before": comment.version.number}
    is_known = more.get("since", number) != number or _had_these_words(comment, anchor)
    if comment.proved_at is not None and not comment.is_hidden and not is_known:
        telling.write_news(comment, anchor.fate, now, version=number, **more)
    Anchor.objects.filter(pk=anchor.pk).update(told_at=now)
    return True


def _had_these_words(comment: Comment, anchor: Anchor) -> bool:
    """Whether the passage had other words in the version before already, and the same ones."""
    if anchor.fate != anchors.Fate.CHANGED:
        return False
    last = comment.anchors.filter(version__number=anchor.version.number - 1, fate=anchor.fate).first()
    if last is None:
        return False
    before, now = (each.version.document.texts(comment.language).get(each.clause) for each in (last, anchor))
    return before == now


# -- hearings ------------------------------------------------------------------------------------------------------


@transaction.atomic
def announce_hearing(
    *, draft: Draft, held_at: dt.datetime, place: policy.Text, actor: str, now: dt.datetime
) -> Hearing:
    """Say when and where the draft can be spoken about. Sent twice in the same words, it is one. Raises NotNow."""
    draft = _not_ended(draft)
    known = draft.hearings.filter(held_at=held_at, place=frozen(place), called_off_at__isnull=True).first()
    if known is not None:
        return known
    hearing = Hearing.objects.create(draft=draft, held_at=held_at, place=frozen(place), announced_at=now)
    journal.record(act="consult.announced_hearing", actor=actor, subject=draft.subject, now=now)
    return hearing


@transaction.atomic
def call_off_hearing(*, hearing: Hearing, why: policy.Text, actor: str, now: dt.datetime) -> Hearing:
    """Say before its time that it is not held, also of a draft that was withdrawn. Sent twice with the same reason,
    it is done once. Raises CalledOff for another reason, HearingBegan."""
    hearing = _locked(hearing)
    if hearing.called_off_at is not None:
        if hearing.called_off_text == why:
            return hearing
        raise CalledOff(hearing)
    if now >= hearing.held_at:
        raise HearingBegan(hearing)
    hearing.called_off_at, hearing.called_off_why = now, frozen(why)
    hearing.save(update_fields=["called_off_at", "called_off_why"])
    journal.record(act="consult.called_off_hearing", actor=actor, subject=hearing.draft.subject, now=now)
    return hearing


def _locked(hearing: Hearing) -> Hearing:
    """With its draft."""
    return Hearing.objects.select_for_update().select_related("draft").get(pk=hearing.pk)


@transaction.atomic
def add_minutes(*, hearing: Hearing, minutes: policy.Text, actor: str, now: dt.datetime) -> Hearing:
    """What was said at it, once. Raises NotNow before it was held, or when there are minutes; CalledOff."""
    hearing = _locked(hearing)
    if hearing.called_off_at is not None:
        raise CalledOff(hearing)
    if hearing.minutes is not None:
        raise NotNow(rules.Stop.ENDED)
    if now < hearing.held_at:
        raise NotNow(rules.Stop.STILL_OPEN)
    hearing.minutes, hearing.minutes_at = frozen(minutes), now
    hearing.save(update_fields=["minutes", "minutes_at"])
    journal.record(act="consult.added_minutes", actor=actor, subject=hearing.draft.subject, now=now)
    return hearing


def _not_ended(draft: Draft) -> Draft:
    draft = lock(draft)
    if draft.ending:
        raise NotNow(rules.Stop.ENDED)
    return draft


# -- the end -------------------------------------------------------------------------------------------------------


def why_not(draft: Draft, now: dt.datetime) -> rules.Stop | None:
    """Why the draft cannot be adopted now, whoever asks."""
    return rules.why_not_adopted(
        draft.state(now),
        unanswered=queries.unanswered(draft).count(),
        appealed=queries.to_review(draft).count(),
        hidden_lately=queries.is_hidden_lately(draft, now),
        hearing_to_come=draft.hearings.filter(held_at__gt=now, called_off_at__isnull=True).exists(),
    )


@transaction.atomic
def propose(*, draft: Draft, actor: str, now: dt.datetime) -> Draft:
    """Propose that the latest version is adopted, to a second officer. Raises NotNow."""
    draft = lock(draft)
    if (stop := why_not(draft, now)) is not None:
        raise NotNow(stop)
    draft.proposed_by, draft.proposed_at = actor, now
    draft.save(update_fields=["proposed_by", "proposed_at"])
    journal.record(act="consult.proposed", actor=actor, subject=draft.subject, now=now)
    return draft


@transaction.atomic
def adopt(*, draft: Draft, actor: str, now: dt.datetime) -> Draft:
    """Agree as a second officer. The policy comes into force by `rahdari policy use`, and the page says whether it is.
    Raises NotNow, seconding.NotSecond."""
    draft = lock(draft)
    stop = why_not(draft, now) or (rules.Stop.NOT_PROPOSED if not draft.proposed_by else None)
    if stop is None:
        seconding.check(actor, [draft.proposed_by], now)
    if stop is not None:
        raise NotNow(stop)
    return _end(draft, State.ADOPTED, actor, now)


@transaction.atomic
def withdraw(*, draft: Draft, why: policy.Text, actor: str, now: dt.datetime) -> Draft:
    """Give the draft up, and say why. Raises NotNow."""
    draft = _not_ended(draft)
    draft.why = frozen(why)
    return _end(draft, State.WITHDRAWN, actor, now)


def _end(draft: Draft, ending: State, actor: str, now: dt.datetime) -> Draft:
    draft.ending, draft.ended_at, draft.ended_by = ending, now, actor
    draft.save(update_fields=["ending", "ended_at", "ended_by", "why"])
    version = queries.version_of(draft)
    detail = {"version": version.number, "policy": version.policy_digest} if version else {}
    act = {State.ADOPTED: "consult.adopted", State.WITHDRAWN: "consult.withdrawn"}[ending]
    journal.record(act=act, actor=actor, subject=draft.subject, now=now, detail=detail)
    wake()
    return draft


@each_of(queries.speakers_to_let_go)
def let_go(speaker: Speaker, now: dt.datetime) -> bool:
    """The draft has ended, or is not decided for too long: write to the address once more, and erase it. What it said
    stays, and how many spoke."""
    speaker = Speaker.objects.select_for_update().select_related("draft").get(pk=speaker.pk)
    if not speaker.email:
        return False
    telling.write_end(speaker, speaker.draft, now)
    speaker.email = ""
    speaker.save(update_fields=["email", "email_index"])
    return True
