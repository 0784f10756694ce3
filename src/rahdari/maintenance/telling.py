"""Who hears what of announced work: each consumer once of each version, with their own objects alone.

A version is spread first: what each consumer is told is worked out and kept, in one transaction with the note that it
is done. Then each notice is told by itself: a letter with the calendar file, and a row of the journal of which programs
are told. Of one announcer a holder gets so many letters a day, and the rest in one letter with others. Whoever had
nothing to hear of the version before begins at SEQUENCE 0; whom the work does not affect any more hears that it is off
for them. That work has begun is told to calendars and programs, and in no letter at night.
"""

import datetime as dt
import uuid
from collections import defaultdict

from django.urls import reverse
from django.utils import timezone, translation

from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.letters.catalogue import LETTERS
from rahdari.people import queries as people

from . import notes, queries, words
from .models import Notice, Work
from .queries import Hit
from .rules import LETTERS_A_DAY, OPEN, Status, Words

LETTER_OF = {
    Status.TENTATIVE: "planned_work",
    Status.CONFIRMED: "planned_work",
    Status.CANCELLED: "planned_work_cancelled",
    Status.COMPLETED: "planned_work_over",
}


@each_of(queries.to_spread, lock=True)
def spread(work: Work, now: dt.datetime) -> int:
    """Work out what each consumer is told of the version that holds; returns how many hear."""
    by_holder: dict[uuid.UUID, list[Hit]] = defaultdict(list)
    for hit in queries.hits(work):
        by_holder[hit.holder].append(hit)
    last = {each.holder: each for each in queries.last_notices_about(work)}
    made = []
    for holder in sorted({*by_holder, *last}):
        before, found = last.get(holder), by_holder.get(holder, [])
        if _has_to_hear(work, before, is_affected=bool(found)):
            notice = _notice(work, holder, found, before, now)
            if before is None or _said(notice) != _said(before):
                made.append(notice)
    Notice.objects.bulk_create(made)
    work.spread_at, work.spread_version = now, work.version
    work.save(update_fields=["spread_at", "spread_version"])
    return len(made)


def _has_to_hear(work: Work, before: Notice | None, *, is_affected: bool) -> bool:
    """Of what is over nobody hears who had not heard of it; of what was off for a consumer, who is affected anew."""
    goes_on = is_affected and work.state in OPEN
    if before is None:
        return goes_on
    if before.version == work.version or before.status == Status.COMPLETED:
        return False
    return before.status != Status.CANCELLED or goes_on


def _notice(work: Work, holder: uuid.UUID, found: list[Hit], before: Notice | None, now: dt.datetime) -> Notice:
    assert work.version is not None and work.starts_at and work.ends_at  # noqa: S101 - it is no draft
    status = work.status
    if before is not None and (status in {Status.CANCELLED, Status.COMPLETED} or not found):
        # What was said is over, or off for this consumer, as it was said.
        registration, affected = before.registration_id, before.affected
        status = status if found or status in {Status.CANCELLED, Status.COMPLETED} else Status.CANCELLED
    else:
        registration = before.registration_id if before is not None else min(hit.registration for hit in found)
        affected = [[hit.name, str(hit.impact)] for hit in found]
    return Notice(
        work=work,
        holder=holder,
        registration_id=registration,
        version=work.version,
        sequence=0 if before is None else before.sequence + 1,
        status=status,
        starts_at=work.starts_at,
        ends_at=work.expected_end_at or work.ends_at,
        minutes=work.minutes,
        reason=work.reason,
        text_en=work.text_en,
        text_ur=work.text_ur,
        affected=affected,
        announcer=notes.provider(work),
        said_at=now,
    )


def _said(notice: Notice) -> tuple[object, ...]:
    """What a consumer reads of it: where that is the same, there is nothing to hear."""
    when = (notice.starts_at, notice.ends_at, notice.minutes)
    return (str(notice.status), *when, notice.reason, notice.text_en, notice.text_ur, notice.affected)


@each_of(queries.to_tell, lock=True)
def tell(notice: Notice, now: dt.datetime) -> None:
    """Write the letter, and let programs know. Beyond the letters of a day it is gathered with others."""
    template = LETTER_OF.get(Status(notice.status))
    before = Notice.objects.filter(work=notice.work_id, holder=notice.holder, sequence=notice.sequence - 1).first()
    if template and not _has_letter(notice, now):
        notice.is_gathered, template = True, None
    for person in people.people_to_notify(notice.holder) if template else ():
        with translation.override(person.language):
            taken = LETTERS[template or ""].takes | {"url"}
            told = {name: fact for name, fact in _told(notice, before).items() if name in taken}
            calendar = notes.calendar_of([notice]).decode()
        letters.write_letter(
            to=person,
            template=template or "",
            about=f"registration:{notice.registration_id}",
            context=told,
            calendar=calendar,
            now=now,
        )
    detail = {"work": notice.work.reference, "sequence": notice.sequence, "status": notice.status}
    journal.record(act="maintenance.told", actor="clock", subject=notice.subject, now=now, detail=detail)
    notice.told_at = now
    notice.save(update_fields=["told_at", "letter_on", "letter_number", "is_gathered"])


def _has_letter(notice: Notice, now: dt.datetime) -> bool:
    """Take one of the letters that this announcer has today for this holder, as long as there are any."""
    hold(Lock.LETTERS_OF_WORK, str(notice.holder))
    today = timezone.localdate(now)
    taken = Notice.objects.filter(holder=notice.holder, announcer=notice.announcer, letter_on=today).count()
    if taken >= LETTERS_A_DAY:
        return False
    notice.letter_on, notice.letter_number = today, taken + 1
    return True


@each_of(queries.to_gather, lock=True)
def gather(notice: Notice, now: dt.datetime) -> int:
    """One letter of all that was said to a holder about a registration beyond the letters of a day; of each work the
    last word. Returns how many notices it tells."""
    waiting = queries.gathered_for(notice.registration_id)
    last = list({each.work_id: each for each in waiting.order_by("sequence")}.values())
    last.sort(key=lambda each: (each.starts_at, each.work.reference))
    for person in people.people_to_notify(notice.holder):
        with translation.override(person.language):
            works = [_in_short(each) for each in last[: notes.MOST_LISTED]]
            calendar = notes.calendar_of(last).decode()
        letters.write_letter(
            to=person,
            template="planned_work_several",
            about=f"registration:{notice.registration_id}",
            context={
                "registration": notice.account,
                "works": works,
                "more": max(0, len(last) - notes.MOST_LISTED),
                "url": reverse("portal:planned_works"),
            },
            now=now,
            calendar=calendar,
        )
    return Notice.objects.filter(pk__in=[each.pk for each in waiting]).update(gathered_at=now)


def _in_short(notice: Notice) -> tuple[object, ...]:
    """The number, by whom, from when, until when, and how it stands."""
    work = notice.work
    return work.reference, notes.announcer(work), notice.starts_at, notice.ends_at, words.status(notice.status)


def _told(notice: Notice, before: Notice | None) -> dict[str, object]:
    """What the letter says, in the language of its reader."""
    affected = [(what, words.impact(impact)) for what, impact in notice.affected]
    changes = words.changes(before, notice) if before is not None else []
    if len(changes) > notes.MOST_LISTED:
        changes = [*changes[: notes.MOST_LISTED], words.and_more(len(changes) - notes.MOST_LISTED)]
    return {
        "registration": notice.account,
        "work": notice.work.reference,
        "who": notes.announcer(notice.work),
        "starts_at": notice.starts_at,
        "ends_at": notice.ends_at,
        "affected": affected[: notes.MOST_LISTED],
        "more": max(0, len(affected) - notes.MOST_LISTED),
        "minutes": notice.minutes,
        "why": words.reason(notice.reason),
        "text": notice.text,
        "text_waits": notice.words is Words.WAIT,
        "changed": notice.sequence > 0,
        "changes": changes,
        "tentative": notice.status == Status.TENTATIVE,
        "url": reverse("portal:planned_work", args=[notice.work.reference]),
    }
