"""What is written to those who commented, through the act that the settings name: this room knows no letters.

A letter says which comment it is about and nothing of it: whoever else reads that mail learns no opinion.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from .models import Comment, Draft, Speaker

# How long a letter is tried that tells of something, and the code, which somebody waits for.
NEWS_LAST, CODE_LASTS = dt.timedelta(days=7), dt.timedelta(minutes=30)


def _write(address: str, language: str, template: str, context: dict[str, Any], until: dt.datetime, now: Any) -> None:
    write: Callable[..., Any] = import_string(settings.COMMENT_LETTER)
    write(address=address, language=language, template=template, context=context, expires_at=until, now=now)


def write_code(comment: Comment, code: str, now: dt.datetime) -> None:
    url = reverse("portal:prove_comment", args=[comment.draft.reference, comment.pk])
    context = {"code": code, "reference": comment.draft.reference, "url": url}
    _write(comment.email, comment.language, "consult_code", context, now + CODE_LASTS, now)


def write_news(comment: Comment, what: str, now: dt.datetime, **more: Any) -> bool:
    """`what`: kept | moved | orphaned | answered | hidden | shown | upheld | claimed | name_erased | name_shown.
    Whether there was an address to write to."""
    speaker = comment.speaker
    if speaker is None or not speaker.email:
        return False
    url = reverse("portal:consultation_comment", args=[comment.draft.reference, comment.number])
    context = {"reference": comment.draft.reference, "number": comment.number, "change": what, "url": url} | more
    _write(speaker.email, speaker.language, "consult_news", context, now + NEWS_LAST, now)
    return True


def write_hidden(comment: Comment, token: str, now: dt.datetime) -> bool:
    """With the link by which its author disputes that."""
    url = reverse("portal:dispute_comment", args=[comment.draft.reference, comment.pk, token])
    return write_news(comment, "hidden", now, url=url)


def write_claimed(comment: Comment, token: str, now: dt.datetime) -> bool:
    """With the link by which its author says that the name is theirs."""
    url = reverse("portal:dispute_comment", args=[comment.draft.reference, comment.pk, token])
    return write_news(comment, "claimed", now, url=url)


def write_end(speaker: Speaker, draft: Draft, now: dt.datetime) -> None:
    """The address is erased, since the draft has ended or is not decided for too long: the last letter to it."""
    url = reverse("portal:consultation", args=[draft.reference])
    context = {"reference": draft.reference, "change": draft.ending or "undecided", "url": url}
    _write(speaker.email, speaker.language, "consult_ended", context, now + NEWS_LAST, now)
