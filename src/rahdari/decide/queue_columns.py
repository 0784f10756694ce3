"""What the queue sorts, filters and counts by, kept on the case, so that a page of it costs the same however many wait.

It says nothing that is not in the events of the case and in the calendar. Every act that changes those writes it anew
(`transitions.record`), and a step of the line does when the calendar is another one. It is kept of open cases only. Of
a case that is closed there is one keyed hash of its holder's whole name, by which a search with a ground finds it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.db import transaction
from django.db.models import QuerySet

from rahdari import policy
from rahdari.apply import queries as applications
from rahdari.checks.names import fold_name
from rahdari.people.models import DIRECTOR
from rahdari.policy import Calendar
from rahdari.vault.index import blinder

from . import case_clock, queries, remedies
from .models import Case
from .rules import Status

FIELDS = (
    *("waits_for", "due_at", "late_at", "words", "service", "marks", "addresses", "proposed_by", "second_rank"),
    "kept_under",
)
# A word is found by its first letters: by no fewer than so many, and what comes behind so many is not looked at.
LEAST, MOST = 3, 10
# Raised when what is kept changes: then the open cases are kept anew.
EDITION = 4


def keep(case: Case) -> None:
    """Write it anew, from the rows as they are now. The caller has locked the case."""
    fresh = queries.cases().get(pk=case.pk)
    compute(fresh)
    fresh.save(update_fields=FIELDS)
    for name in FIELDS:
        setattr(case, name, getattr(fresh, name))


def forget(case: Case) -> tuple[str, ...]:
    """A case that closes is on no queue any more. The caller saves the fields that are returned."""
    case.waits_for, case.due_at, case.late_at, case.kept_under = "", None, None, ""
    case.service, case.proposed_by, case.second_rank, case.marks, case.addresses = "", None, "", "", 0
    case.words = whole_name(case.application.holder_name)
    return FIELDS


def stale() -> QuerySet[Case]:
    """Open cases that were kept under another calendar, or never."""
    mark = mark_of(case_clock.calendar())
    return Case.objects.filter(status=Status.OPEN).exclude(kept_under=mark).order_by("id")


def refresh_stale(*, now: dt.datetime, at_most: int) -> int:
    """A step of the line: keep them anew. Returns how many."""
    with transaction.atomic():
        # Whatever act has a case in its hands writes it itself.
        keys = list(stale().select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:at_most])
        found = list(queries.cases().filter(pk__in=keys))
        for case in found:
            compute(case)
        Case.objects.bulk_update(found, FIELDS)
    return len(found)


def compute(case: Case) -> None:
    """Set the columns from its rows and the calendar; nothing is saved."""
    events = case_clock.events_of(case)
    case.waits_for = case_clock.waits_for(case.standing)
    case.due_at = policy.due_at(**events)
    rules_of_case = case_clock.policy_of(case.application)
    case.late_at = policy.used_at(share=rules_of_case.escalate_at[-1] / 100, **events)
    case.service = case.application.service
    # The database adds those of its checks.
    case.marks, case.addresses = " ".join(_marks_of(case)), applications.endpoints_of(case.application).count()
    notice = queries.open_notice(case)
    case.proposed_by = notice.proposed_by if notice else None
    ranks = {rules_of_case.reasons[code].rank for code in notice.codes} if notice else set()
    case.second_rank = DIRECTOR if DIRECTOR in ranks else ""
    named = (case.application.holder_name, case.application.reference, case.application.company_number)
    case.words = words_of(named)
    case.kept_under = mark_of(events["calendar"])


def _marks_of(case: Case) -> Iterator[str]:
    """What became of it before, of `policy.desk_queues.HAS`."""
    answers = [*(each.answered_at for each in case.questions.all()), *(each.answered_at for each in case.notices.all())]
    if any(at is not None for at in answers):
        yield "answered"
    before = [each for each in case.decisions.all() if each.voided_at is not None]
    if any(each.provisional_codes for each in before):
        yield "provisional"
    if any(each.voided_why in {remedies.ALLOWED, remedies.SENT_BACK} for each in before):
        yield "appealed"
    elif before and not before[-1].provisional_codes:
        yield "returned"


@lru_cache(maxsize=8)
def mark_of(calendar: Calendar) -> str:
    """Differs between calendars of different days or hours."""
    days = (
        EDITION,
        calendar.zone,
        calendar.week,
        calendar.seasons,
        [(day.date, day.status) for day in calendar.holidays],
    )
    return hashlib.sha256(repr(days).encode()).hexdigest()


def words_of(texts: Iterable[str]) -> list[str]:
    """By what a case is found: of each word its first three to ten letters; a shorter word whole."""
    words = [word for text in texts for word in fold_name(text)]
    lengths = ((word, range(min(LEAST, len(word)), min(MOST, len(word)) + 1)) for word in words)
    return sorted(hashes(word[:length] for word, each in lengths for length in each))


def words_asked(text: str) -> set[str]:
    """What a name must have to be found by this text: each of its words, or the beginning of one."""
    return hashes(word[:MOST] for word in fold_name(text))


def whole_name(text: str) -> list[str]:
    """All words of a name in one hash, so that no part of it is found; nothing of no name."""
    words = " ".join(fold_name(text))
    return [blinder().blind("desk:name", words).hex()[:16]] if words else []


def hashes(words: Iterable[str]) -> set[str]:
    """16 hex digits for each word, under the key of the installation."""
    key = blinder()
    return {key.blind("desk:word", word).hex()[:16] for word in words}
