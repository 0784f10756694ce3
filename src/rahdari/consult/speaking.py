"""Saying something about a draft: words, a passage, a code by mail, and there it stands.

Invariants: nobody reads a comment before the code that went to its address was typed; a code works once, a few times
tried, for half an hour; the same said twice is one comment with one signature more, of an address one alone, and nearly
the same is one of a group; no name, number or account of the register is asked for or looked up. The address is kept
until the draft ends, for letters about what became of the words.
"""

import datetime as dt
import secrets
import uuid

from django.db import transaction
from django.db.models import Max, Q
from django.utils.crypto import constant_time_compare

from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.vault import index
from rahdari.web import limits
from rahdari.web.visitor import Place

from . import anchors, document, grouping, queries, rules, telling
from .models import Body, Comment, Draft, Speaker, Version
from .rules import State

MOST_TRIES = 5
LONGEST = 4_000
CODES, AN_HOUR = 5, 3600
CODES_TO_AN_ADDRESS = limits.Letters(of_household=CODES, of_neighbourhood=10, of_all=20, per=AN_HOUR)
# What nobody proved is deleted after its code is dead; so much of a queue in one round.
AT_ONCE = 1_000


class NotOpen(RahdariError):
    """No comments are taken on this draft now. `.state`"""

    says = "the draft is {state}"
    state: State


class NotInTheText(RahdariError):
    """The words that were quoted do not stand in the clause, or in several places of it. `.clause`, `.count`"""

    says = "the words stand in {clause} {count} times"
    clause: str
    count: int


class TooManyCodes(RahdariError):
    """As many codes were asked for of this address, from there, as may go now. `.wait`: until the next may."""

    says = "too many codes to one address, the next in {wait}"
    wait: dt.timedelta


class TooManyOfAddress(RahdariError):
    """This address has said as much of the draft as one may. `.most`"""

    says = "more than {most} of one address"
    most: int


class WrongCode(RahdariError):
    """Another code, one too old, or one tried too often. `.left`: how often it may still be tried."""

    says = "not the code, {left} tries left"
    left: int


def quote_of(version: Version, language: str, clause: str, words: str) -> anchors.Quote:
    """The quote of these words of a clause, which must stand in it once. Raises NotInTheText."""
    texts = version.document.texts(language)
    words = document.plain(words)
    places = anchors.places_of({clause: texts.get(clause, "")}, words)
    if len(places) != 1:
        raise NotInTheText(clause, len(places))
    return anchors.quote_at(texts, places[0], len(words))


def new_code(email: str, place: Place) -> str:
    """Eight digits to be mailed there. Raises TooManyCodes: nobody's mailbox is filled, and nobody elsewhere in the
    network keeps its owner from a code."""
    allowance = limits.take_letter("consult.code", email, place, CODES_TO_AN_ADDRESS)
    if not allowance.allowed:
        raise TooManyCodes(allowance.wait)
    return f"{secrets.randbelow(10**8):08}"


def digits(given: str) -> str:
    """Those of a code as somebody typed it."""
    return "".join(sign for sign in given if sign.isdigit())


@transaction.atomic
def say(
    *,
    id: uuid.UUID,
    draft: Draft,
    version: int,
    language: str,
    words: str,
    clause: str = "",
    quoted: str = "",
    name: str = "",
    email: str,
    place: Place,
    body: Body | None = None,
    now: dt.datetime,
) -> Comment:
    """Take a comment, and send a code to the address; `place` is where it is asked for. `version` is the one that its
    author reads, `quoted` the words of `clause` that are meant; without them it is about the clause, without both about
    the whole. The same form (`id`) sent twice is one. Raises NotOpen, NotInTheText, TooManyCodes.
    """
    if (sent := Comment.objects.filter(pk=id).first()) is not None:
        return sent
    if (state := draft.state(now)) != State.OPEN:
        raise NotOpen(state)
    found = queries.version_of(draft, version)
    if found is None or (clause and found.document.clause(clause) is None):
        raise NotInTheText(clause, 0)
    quote = quote_of(found, language, clause, quoted) if clause and quoted else None
    code = new_code(email, place)
    comment = Comment(
        id=id,
        draft=draft,
        version=found,
        clause=clause,
        language=language,
        exact=quote.exact if quote else "",
        prefix=quote.prefix if quote else "",
        suffix=quote.suffix if quote else "",
        words=words.strip()[:LONGEST],
        name=document.plain(name)[:60],
        body=body,
        sent_at=now,
        email=email,
        code=_hash(id, code),
        code_until=now + telling.CODE_LASTS,
        sameness=rules.sameness(words, (quote.prefix, quote.exact, quote.suffix) if quote else ()),
    )
    comment.save(force_insert=True)
    telling.write_code(comment, code, now)
    return comment


def _hash(id: uuid.UUID, code: str) -> str:
    return index.blind("consult.code", f"{id} {code}")


def prove(*, comment: Comment, code: str, now: dt.datetime) -> Comment:
    """Its author typed the code: from now on everybody reads it. Done twice it is done once; what this address has said
    in the same words before is that comment. A try that fails counts: it is committed. Raises WrongCode, NotOpen,
    TooManyOfAddress."""
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(pk=comment.draft_id)
        comment = Comment.objects.select_for_update().get(pk=comment.pk)
        if comment.proved_at is not None:
            return comment
        # A link that has ended meanwhile speaks for nobody.
        if comment.body_id and not Body.objects.filter(pk=comment.body_id, ended_at__isnull=True).exists():
            raise WrongCode(0)
        # Sent in time, and proved while its code works.
        if draft.ending or comment.sent_at >= draft.closes_at:
            raise NotOpen(draft.state(now))
        in_time = comment.code_until is not None and now < comment.code_until and comment.tries < MOST_TRIES
        if in_time and constant_time_compare(comment.code, _hash(comment.pk, digits(code))):
            return _publish(draft, comment, now)
        Comment.objects.filter(pk=comment.pk).update(tries=comment.tries + 1)
        left = max(0, MOST_TRIES - comment.tries - 1) if in_time else 0
    raise WrongCode(left)


def _publish(draft: Draft, comment: Comment, now: dt.datetime) -> Comment:
    known = Speaker.objects.filter(draft=draft, email=comment.email).first()
    comment.speaker = known or Speaker.objects.create(draft=draft, email=comment.email, language=comment.language)
    said = Comment.objects.filter(draft=draft, number__isnull=False)
    same = said.filter(
        clause=comment.clause, sameness=comment.sameness, part_of__isnull=True, body__isnull=True
    ).first()
    comment.part_of = same if comment.body_id is None else None
    if comment.part_of and (before := _said_by(comment.speaker, comment.part_of)) is not None:
        return before
    # Nobody fills a draft. Asked here, since how much an address has said is told to nobody but whoever reads its mail.
    most = queries.in_force().consultation.most_by_address
    if comment.speaker.comments.count() >= most:
        raise TooManyOfAddress(most)
    comment.like = comment.part_of.like if comment.part_of else grouping.head_for(comment)
    comment.number = (said.aggregate(last=Max("number"))["last"] or 0) + 1
    comment.proved_at, comment.code, comment.email = now, "", ""
    comment.save()
    if comment.part_of is None and comment.like is None:
        grouping.mark(comment)
    if comment.part_of is not None and comment.part_of.hidden and comment.part_of.signers_told is None:
        # Who signed it before was told.
        telling.write_news(comment, telling.became(comment.part_of), now)
    wake()
    return comment


def _said_by(speaker: Speaker, same: Comment) -> Comment | None:
    """What this address has said in the same words before: that comment, or its signature of it."""
    return speaker.comments.filter(Q(pk=same.pk) | Q(part_of=same)).first()


@each_of(queries.never_proved, at_most=AT_ONCE)
def forget(comment: Comment, now: dt.datetime) -> bool:
    """Its code was not typed in time: nothing is left of it, and of the address."""
    return bool(Comment.objects.filter(pk=comment.pk, proved_at__isnull=True).delete()[0])
