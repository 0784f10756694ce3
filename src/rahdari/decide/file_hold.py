"""An officer keeps a closed file though its time of keeping is over, for as long as a remedy needs it."""

import datetime as dt

from django.db import transaction

from rahdari.apply import file_hold as apply_file_hold
from rahdari.people.models import User

from .due import last_moment
from .models import Case
from .transitions import apart_from, lock, record, write


@transaction.atomic
def hold_file(*, case: Case, officer: User, until: dt.date, because: str, words: str, now: dt.datetime) -> None:
    """Until the end of that day nothing of it is erased; a hold that stands gets the new day. The journal names the
    ground and the day; the words for it stay in the file. Raises apply.NotToHold."""
    case = lock(case)
    actor = apart_from(case, officer)
    apply_file_hold.hold_file(application=case.application, until=until, because=because, words=words, now=now)
    record(case, "held_file", actor, now, reason=because, detail={"until": until.isoformat()})
    write(case, "file_kept", now, until=last_moment(until), because=because, text=words.strip())


@transaction.atomic
def end_hold(*, case: Case, officer: User, now: dt.datetime) -> None:
    """Raises apply.NotToHold where none stands."""
    case = lock(case)
    actor = apart_from(case, officer)
    apply_file_hold.end_hold(application=case.application, now=now)
    record(case, "ended_hold", actor, now)
    write(case, "file_kept", now)
