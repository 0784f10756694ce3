"""Writing letters. `sending` has them go out.

Invariant: a letter is written in the caller's transaction: an act that is rolled back writes to nobody.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from rahdari import optional, policy
from rahdari.db.wake import Channel, wake
from rahdari.delivery.rules import CODE_LASTS, goes_out_at
from rahdari.people import queries as people
from rahdari.people.models import Mandate, User
from rahdari.people.rules import Act

from . import queries
from .bounces import NotAReturn, record_return
from .catalogue import LETTERS, SIGN_IN_CODE
from .models import Letter, LetterState, ReminderOptOut
from .retention import erase_letters, forget_deliveries
from .writing import LetterIncomplete, UnknownLetter, compose

__all__ = [
    "LetterIncomplete",
    "NotAReturn",
    "UnknownLetter",
    "compose",
    "erase_letters",
    "forget_deliveries",
    "mark_all_read",
    "mark_read",
    "record_return",
    "want_reminders",
    "write_invitation",
    "write_letter",
    "write_mandate",
    "write_once",
    "write_post_changed",
    "write_sign_in_code",
    "write_to_outsider",
]


@transaction.atomic(savepoint=False)
def write_letter(
    *, to: User, template: str, about: str, context: Mapping[str, Any], now: dt.datetime, calendar: str = ""
) -> Letter:
    """Write to a person, in their language, and queue the sending. `calendar`: a calendar file that goes along by
    mail. No journal row: the act that writes has its own."""
    return _write(to=to, template=template, about=about, once="", context=context, now=now, calendar=calendar)


def write_once(*, to: User, template: str, about: str, once: str, context: Mapping[str, Any], now: dt.datetime) -> bool:
    """Write the letter unless the one of this kind (`once`) about this subject was written already. True if it is new.

    Safe against two processes that do it at the same moment: the database lets one of them through.
    """
    if Letter.objects.filter(to=to, about=about, once=once).exists():
        return False
    try:
        with transaction.atomic():
            _write(to=to, template=template, about=about, once=once, context=context, now=now)
    except IntegrityError:
        if not Letter.objects.filter(to=to, about=about, once=once).exists():
            raise
        return False
    return True


def _write(
    *,
    to: User,
    template: str,
    about: str,
    once: str,
    context: Mapping[str, Any],
    now: dt.datetime,
    calendar: str = "",
) -> Letter:
    written = compose(template=template, language=to.language, context=context)
    kept = LETTERS[template].reminder and queries.wants_no_reminders(to)
    quiet = policy.current(settings.POLICY_FILE).quiet_hours
    at = goes_out_at(now, quiet=quiet, channel="email", urgent=LETTERS[template].urgent)
    letter = Letter.objects.create(
        to=to,
        language=to.language,
        template=template,
        about=about,
        once=once,
        subject=written.subject,
        text=written.text,
        html=written.html,
        calendar=calendar,
        written_at=now,
        state=LetterState.KEPT if kept else LetterState.QUEUED,
        next_try_at=None if kept else at,
    )
    optional.ask(__package__, "write_note", letter, context, now=now)
    if not kept and at <= now:
        wake(Channel.LETTERS)
    return letter


@transaction.atomic(savepoint=False)
def write_sign_in_code(*, email: str, language: str, code: str, confirms: bool = False, now: dt.datetime) -> Letter:
    """Write the code to an address, whether it has an account or not: both look the same from outside. `confirms`: it
    is for somebody who is signed in, before an act that needs a fresh proof.

    Named in `settings.SIGN_IN_LETTER`: the sign-in pages stand on a floor below and call it through that.
    """
    context = {"code": code, "confirms": confirms, "url": f"{reverse('people:account')}#sessions"}
    written = compose(template=SIGN_IN_CODE, language=language, context=context)
    letter = Letter.objects.create(
        address=email,
        language=language,
        template=SIGN_IN_CODE,
        subject=written.subject,
        text=written.text,
        html=written.html,
        written_at=now,
        next_try_at=now,
        expires_at=now + CODE_LASTS,
    )
    wake(Channel.LETTERS)
    return letter


@transaction.atomic(savepoint=False)
def write_to_outsider(
    *,
    address: str,
    language: str,
    template: str,
    context: Mapping[str, Any],
    expires_at: dt.datetime,
    now: dt.datetime,
    about: str = "",
) -> Letter:
    """Write to somebody who has no account. It belongs to no person's file; words and address are forgotten once it is
    settled, as with a code to sign in. What it is `about` stays, so that it can be said whether it arrived."""
    written = compose(template=template, language=language, context=context)
    letter = Letter.objects.create(
        address=address,
        language=language,
        template=template,
        about=about,
        subject=written.subject,
        text=written.text,
        html=written.html,
        written_at=now,
        next_try_at=now,
        expires_at=expires_at,
        stop_url=urljoin(f"{settings.SITE_URL}/", str(context.get("stop_url", ""))) if "stop_url" in context else "",
    )
    wake(Channel.LETTERS)
    return letter


def write_invitation(
    *,
    email: str,
    language: str,
    organisation: str,
    by: str,
    is_registered: bool,
    until: dt.datetime,
    url: str,
    now: dt.datetime,
) -> Letter:
    """Tell an address of an invitation. Named in `settings.INVITATION_LETTER`, as the sign-in code's act is."""
    context = {"organisation": organisation, "by": by, "is_registered": is_registered, "until": until, "url": url}
    return write_to_outsider(
        address=email,
        language=language,
        template="organisation_invitation",
        context=context,
        expires_at=until,
        now=now,
    )


def write_mandate(
    *,
    email: str,
    language: str,
    organisation: str,
    by: str,
    is_registered: bool,
    until: dt.datetime,
    now: dt.datetime,
) -> Letter:
    """Tell an address of a mandate that is offered. Named in `settings.MANDATE_LETTER`."""
    url = reverse("portal:mandates_held")
    context = {"organisation": organisation, "by": by, "is_registered": is_registered, "until": until, "url": url}
    return write_to_outsider(
        address=email, language=language, template="mandate_offered", context=context, expires_at=until, now=now
    )


def write_former_agent(*, mandate: Mandate, now: dt.datetime) -> bool:
    """Tell the owners that somebody tried to act by a mandate that has ended, once. Named in
    `settings.FORMER_AGENT_LETTER`. Whether any letter is new."""
    ours = mandate.organisation
    context = {
        "organisation": ours.name,
        "agent": mandate.agent_name,
        "url": reverse("portal:mandates", args=[ours.pk]),
    }
    about, once = f"holder:{ours.holder_ref}", f"former_agent:{mandate.pk}"
    owners = people.people_to_notify(ours.holder_ref, Act.MEMBERS)
    told: dict[str, Any] = {"template": "former_agent", "about": about, "once": once, "context": context, "now": now}
    return sum(write_once(to=owner, **told) for owner in owners) > 0


def write_member_removed(*, user: User, organisation: str, by: str, now: dt.datetime) -> Letter | None:
    """Tell somebody that they were removed from an organisation. Named in `settings.REMOVED_LETTER`."""
    context = {"organisation": organisation, "by": by, "url": reverse("people:organisations")}
    return write_letter(to=user, template="member_removed", about=f"person:{user.pk}", context=context, now=now)


def write_post_changed(*, user: User, title: str, change: str, actor: str, now: dt.datetime) -> int:
    """Tell all who watch over posts, and the person. Named in `settings.POST_LETTER`. Gives how many letters."""
    by, watchers = people.person_by_actor(actor), people.who_watches_posts()
    for reader in {each.pk: each for each in (*watchers, user)}.values():
        agrees = change == "proposed" and reader in watchers and reader not in (by, user)
        context = {
            "email": user.email,
            "post": title,
            "change": change,
            "by": by.email if by is not None else "command line",
            "agrees": agrees,
            "url": reverse("people:posts" if agrees else "people:account"),
        }
        write_letter(to=reader, template="post_changed", about=f"person:{user.pk}", context=context, now=now)
    return len({user, *watchers})


def mark_read(*, letter: Letter, now: dt.datetime) -> Letter:
    if letter.read_at is None:
        letter.read_at = now
        letter.save(update_fields=["read_at"])
    return letter


def mark_all_read(*, reader: User, now: dt.datetime) -> int:
    """Every letter of a person; returns how many were unread."""
    return queries.letters_of(reader).filter(read_at__isnull=True).order_by().update(read_at=now)


@transaction.atomic
def want_reminders(*, person: User, wanted: bool, now: dt.datetime) -> bool:
    """Whether reminders go out by mail to this person, from now on. Done twice it is done once."""
    known = ReminderOptOut.objects.filter(person=person)
    if wanted:
        known.delete()
    else:
        ReminderOptOut.objects.get_or_create(person=person, defaults={"since": now})
    return wanted
