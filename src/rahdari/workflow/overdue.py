"""What should have been erased and was not: counted once a month, for the figure of it (`figures`)."""

import datetime as dt
from collections.abc import Callable, Mapping

from rahdari import optional
from rahdari.consult import actions as drafts
from rahdari.consult import speaking
from rahdari.control import erasing as control_erasing
from rahdari.figures import actions as figures

from .clocks import delete_idle_drafts, erase_desk_entries, erase_documents
from .employment_proofs import erase_clients
from .retention import (
    erase_card_numbers,
    erase_complaints,
    erase_files_of_cases,
    erase_files_of_nothing,
    erase_incidents,
    erase_notices,
    forget_holders,
    over,
)
from .step import A_DAY

Count = Callable[[dt.datetime], int]


def _evidence(now: dt.datetime) -> int:
    before = over("proof_of_control", now)
    return 0 if before is None else control_erasing.evidence_due(before=before).count()


# Of each class of the policy that a clock erases, by the queue of its step. How letters travelled is forgotten each day
# in one go, so that nothing of it waits.
COUNTED: Mapping[str, tuple[Count, ...]] = {
    "draft": (delete_idle_drafts.count,),
    "desk_entry": (erase_desk_entries.count,),
    "documents": (erase_documents.count,),
    "card_number": (erase_card_numbers.count,),
    "proof_of_control": (_evidence,),
    "client_address": (erase_clients.count,),
    "came_to_nothing": (erase_files_of_nothing.count,),
    "case": (erase_files_of_cases.count,),
    "misuse_report": (erase_complaints.count,),
    "incident": (erase_incidents.count,),
    "planned_work": (erase_notices.count,),
    "comment_address": (drafts.let_go.count, speaking.forget.count),
    "entry": (forget_holders.count,),
    **optional.joined_tables(__package__, "COUNTED"),
}


def overdue(now: dt.datetime) -> dict[str, int]:
    """By class: what was due a day ago and is still there. A step that rests for an hour is not late by that."""
    return {key: sum(count(now - A_DAY) for count in counts) for key, counts in COUNTED.items()}


def count_overdue(now: dt.datetime) -> int:
    """Once for each month that is over, as soon as it is. Nobody waits for it, so it moves nothing."""
    if months := figures.months_to_count(now):
        figures.count_overdue(months=months, numbers=overdue(now), now=now)
    return 0
