"""Who can be the second person, for `journal.seconding`, which every act of seconding asks."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from rahdari.journal.seconding import NotSecond as NotSecond
from rahdari.journal.seconding import WhyNot as WhyNot
from rahdari.journal.seconding import check as check
from rahdari.journal.seconding import why_not as why_not

from . import queries
from .models import Role, User

Person = User | uuid.UUID | str


def answer(second: Person, firsts: Iterable[Person], now: dt.datetime) -> WhyNot | None:
    """Named by `settings.SECONDING`: two accounts of one person are one, and who is new in their post waits."""
    user = _user(second)
    if user is None:
        return None
    if not queries.accounts_of(user).isdisjoint({_key(each) for each in firsts}):
        return WhyNot.SAME
    return WhyNot.NEW if is_new(user, now) else None


def _user(person: Person) -> User | None:
    return queries.person_by_actor(str(person)) if isinstance(person, str | uuid.UUID) else person


def _key(person: Person) -> uuid.UUID | None:
    """None for a program."""
    if isinstance(person, User):
        return person.pk
    try:
        return uuid.UUID(str(person).rpartition(":")[2])
    except ValueError:
        return None


def is_new(user: User, now: dt.datetime) -> bool:
    """Whether somebody holds the post by which they would second for so short a time that whoever gave it to them may
    be playing both parts (`settings.SECONDS_AFTER`). An administrator seconds posts alone; nobody without a post is
    new."""
    posts = queries.posts_of(user)
    held = [post for post in posts if post.role in (Role.OFFICER, Role.SUPERVISOR)]
    held = held or [post for post in posts if post.role == Role.ADMINISTRATOR]
    return bool(held) and now < min(post.appointed_at for post in held) + settings.SECONDS_AFTER


def says(why: WhyNot) -> str:
    """For whoever wanted to be the second one."""
    return {
        WhyNot.SAME: _("You have a part in this, with this account or another one of yours. Somebody else decides."),
        WhyNot.NEW: _("You are new in your post. In its first 24 hours you decide nothing as the second person."),
    }[why]
