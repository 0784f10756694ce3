"""What the queue sorts, filters and counts by, kept on the case, so that a page of it costs the same however many wait.

It says nothing that is not in the events of the case and in the calendar. Every act that changes those writes it anew
(`transitions.record`), and a step of the line does when the calendar is another one (`calendar_changes`). It is kept of
open cases only. Of a case that is closed there is one keyed hash of its holder's whole name, by which a search with a
ground finds it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.db.models import QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat

from rahdari import policy
from rahdari.apply import queries as applications
from rahdari.calendar import seen
from rahdari.checks.names import fold_name
from rahdari.people.models import DIRECTOR
from rahdari.policy import Calendar
from rahdari.vault.index import blinder

from . import case_clock, queries, remedies
from .models import Case
from .rules import Status

FIELDS = (
    *("waits_for", "due_at", "near_at", "late_at", "words", "service", "marks", "addresses"),
    *("proposed_by", "second_rank", "kept_under"),
)
# A word is found by its first letters: by no fewer than so many, and what comes behind so many is not looked at.
LEAST, MOST = 3, 10
# Raised when what is kept changes: then the open cases are kept anew.
EDITION = 5


def keep(case: Case) -> None:
    """Write it anew, from the rows as they are now. The caller has locked the case."""
    fresh = queries.cases().get(pk=case.pk)
    compute(fresh)
    fresh.save(update_fields=FIELDS)
    for name in FIELDS:
        setattr(case, name, getattr(fresh, name))


def forget(case: Case) -> tuple[str, ...]:
    """A case that closes is on no queue any more. The caller saves the fields that are returned."""
    case.waits_for, case.due_at, case.near_at, case.late_at, case.kept_under = "", None, None, None, ""
    case.service, case.proposed_by, case.second_rank, case.marks, case.addresses = "", None, "", "", 0
    case.words = whole_name(case.application.holder_name)
    return FIELDS


def stale() -> QuerySet[Case]:
    """Open cases that were kept under another calendar, or never."""
    return Case.objects.filter(status=Status.OPEN).exclude(kept_under=under_now()).order_by("id")


def under_now() -> Combinable:
    """The mark of the calendar in force, for a query: what of it the database has is read with the query."""
    return Concat(Value(_mark_of_file(case_clock.policy_in_force().calendar)), seen.MARK)


def compute(case: Case, *, addresses: int | None = None) -> None:
    """Set the columns from its rows and the calendar; nothing is saved. Of one that is decided there is nothing but
    under which calendar it was seen. `addresses`: how many it has, where that was counted for many cases at once."""
    events = case_clock.events_of(case)
    case.kept_under = mark_of(events["calendar"])
    if case.status != Status.OPEN:
        return
    case.waits_for = case_clock.waits_for(case.standing)
    case.due_at = policy.due_at(**events)
    rules_of_case = case_clock.policy_of(case.application)
    case.near_at = policy.used_at(share=rules_of_case.escalate_at[0] / 100, **events)
    case.late_at = policy.used_at(share=rules_of_case.escalate_at[-1] / 100, **events)
    case.service = case.application.service
    # The database adds those of its checks.
    case.marks = " ".join(_marks_of(case))
    case.addresses = applications.endpoints_of(case.application).count() if addresses is None else addresses
    notice = queries.open_notice(case)
    case.proposed_by = notice.proposed_by if notice else None
    ranks = {rules_of_case.reasons[code].rank for code in notice.codes} if notice else set()
    case.second_rank = DIRECTOR if DIRECTOR in ranks else ""
    named = (case.application.holder_name, case.application.reference, case.application.company_number)
    case.words = words_of(named)


def mark_of(calendar: Calendar) -> str:
    """Differs between calendars of different days or hours, and of other corrections."""
    return _mark_of_file(calendar) + calendar.mark


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
def _mark_of_file(calendar: Calendar) -> str:
    days = [(day.date, day.status) for day in calendar.holidays]
    written = repr((EDITION, calendar.zone, calendar.week, calendar.seasons, days))
    return hashlib.sha256(written.encode()).hexdigest()[:32]


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
