"""Letters to the people of an operator: something waits for its answer. They name nobody."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from rahdari.letters import actions as letters
from rahdari.people import queries as people


def notify_operator(operator: str, *, due_at: dt.datetime, now: dt.datetime) -> None:
    """One letter a day at most to each of them, however much waits."""
    for post in people.posts_at_operator(operator):
        letters.write_once(
            to=post.user,
            template="operator_asked",
            about=f"operator:{operator}",
            once=f"asked:{timezone.localtime(now):%Y%m%d}",
            context={"due_at": due_at, "url": reverse("confirm:checks")},
            now=now,
        )


def notify_stopped(operator: str, *, place: str, since: dt.datetime, now: dt.datetime) -> None:
    """The operator's own system takes no events any more: its people are told, and that the page has all of it."""
    for post in people.posts_at_operator(operator):
        letters.write_letter(
            to=post.user,
            template="callback_stopped",
            about=f"operator:{operator}",
            context={"place": place, "since": since, "url": reverse("confirm:system")},
            now=now,
        )
