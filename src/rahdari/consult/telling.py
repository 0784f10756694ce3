"""What is written to those who commented, through the act that the settings name: this room knows no letters.

A letter says which comment it is about and nothing of it: whoever else reads that mail learns no opinion. Whoever
signed a comment is told what its author is told, later: the worker writes at a pace (`PACE`), so that a flood of
comments is no flood of letters, and keeps nobody's letter about a registration waiting.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.vault import links
from rahdari.web import limits

from . import queries
from .models import Comment, Draft, Speaker

# How long a letter is tried that tells of something, and the code, which somebody waits for.
NEWS_LAST, CODE_LASTS = dt.timedelta(days=7), dt.timedelta(minutes=30)
# Letters a minute of what becomes of comments, of all drafts together: fewer than codes go out at most
# (`consultation_speaking.OF_ALL`). A round of the worker begins to write while half of them are left.
PACE, A_MINUTE = 300, 60
# What the link of a letter is derived for by which an author disputes that a comment is hidden, or a name claimed.
DISPUTES = "consult.disputes"


def _write(address: str, language: str, template: str, context: dict[str, Any], until: dt.datetime, now: Any) -> None:
    write: Callable[..., Any] = import_string(settings.COMMENT_LETTER)
    write(address=address, language=language, template=template, context=context, expires_at=until, now=now)


def write_code(comment: Comment, code: str, now: dt.datetime) -> None:
    url = reverse("portal:prove_comment", args=[comment.draft.reference, comment.pk])
    context = {"code": code, "reference": comment.draft.reference, "url": url}
    _write(comment.email, comment.language, "consult_code", context, now + CODE_LASTS, now)


def write_claim_code(comment: Comment, email: str, language: str, code: str, ticket: str, now: dt.datetime) -> None:
    """`ticket` names this code (`claiming.send_code`): the link leads to where it is typed."""
    url = reverse("portal:claim_name", args=[comment.draft.reference, comment.number])
    context = {"code": code, "reference": comment.draft.reference, "claims": comment.number}
    _write(email, language, "consult_code", context | {"url": f"{url}?ticket={ticket}"}, now + CODE_LASTS, now)


def write_news(comment: Comment, what: str, now: dt.datetime, **more: Any) -> bool:
    """`what`: kept | changed | moved | orphaned | answered | taken_back | hidden | shown | upheld | claimed |
    name_erased | name_shown. Whether there was an address to write to."""
    speaker = comment.speaker
    if speaker is None or not comment.can_be_told:
        return False
    url = reverse("portal:consultation_comment", args=[comment.draft.reference, comment.number])
    if what in ("hidden", "claimed"):
        # By which its author, or whoever signed it, disputes that.
        url = reverse("portal:dispute_comment", args=[comment.draft.reference, comment.pk, token_of(comment)])
    context = {"reference": comment.draft.reference, "number": comment.number, "change": what, "url": url} | more
    if comment.part_of is not None:
        context["first"] = comment.part_of.number
    _write(speaker.email, speaker.language, "consult_news", context, now + NEWS_LAST, now)
    limits.spend("consult.news", 1, rate=PACE, per=A_MINUTE)
    return True


def token_of(comment: Comment) -> str:
    return links.token(DISPUTES, str(comment.pk))


def is_author(comment: Comment, token: str) -> bool:
    return links.matches(DISPUTES, str(comment.pk), token)


def at_pace(_waiting: list[Any], _now: dt.datetime) -> Callable[[Any], bool]:
    """For queues of letters: none of it is tried while too many went out in this minute."""
    is_ready = limits.left("consult.news", rate=PACE, per=A_MINUTE) >= PACE / 2
    return lambda _row: is_ready


def tell_who_signed(comment: Comment) -> None:
    """Something became of it: have all who signed it told, those too who are being told something older."""
    if comment.signatures.exists():
        Comment.objects.filter(pk=comment.pk).update(signers_told=0)
        wake()


@each_of(queries.signers_to_tell, lock=True, ready=at_pace)
def tell_signers(comment: Comment, now: dt.datetime) -> int:
    """Tell the next of those who signed it what last became of it, as many as its share of a round is. What they read
    is so when it is written: who was not told yet that it was hidden is not told when it is shown again before."""
    share = max(1, PACE // 2 // queries.signers_to_tell()[:PACE].count())
    batch = list(queries.signers_not_told(comment)[:share])
    for signature in batch:
        write_news(signature, became(comment), now)
    told = batch[-1].number if len(batch) == share else None
    Comment.objects.filter(pk=comment.pk).update(signers_told=told)
    return len(batch)


def became(comment: Comment) -> str:
    """What last became of one that is answered, hidden, or shown again, as `write_news` calls it."""
    if comment.hidden:
        return "hidden" if comment.reviewed_at is None else "upheld"
    if comment.answer is None:
        return "shown"
    answer, last = of_answer(comment), comment.answer.answered_at
    if answer == "taken_back" and (version := queries.version_of(comment.draft)) is not None:
        last = max(last, version.published_at)
    # Passed over while it was hidden, and told after it was shown again.
    last = max(last, comment.answer_told_at or last)
    return answer if comment.reviewed_at is None or last >= comment.reviewed_at else "shown"


def of_answer(comment: Comment) -> str:
    """Whether the answer that it has counts."""
    is_taken_back = (comment.answer_id, comment.version_id) in queries.taken_back(comment.draft)
    return "taken_back" if is_taken_back else "answered"


def write_end(speaker: Speaker, draft: Draft, now: dt.datetime) -> None:
    """The address is erased, since the draft has ended or is not decided for too long: the last letter to it."""
    url = reverse("portal:consultation", args=[draft.reference])
    context = {"reference": draft.reference, "change": draft.ending or "undecided", "url": url}
    _write(speaker.email, speaker.language, "consult_ended", context, now + NEWS_LAST, now)
