"""Many attestations taken back with one file: looked at by row first, and undone one by one.

No registration ends because of it, as with one: officers look at whatever rested on them.
"""

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.journal import actions as journal
from rahdari.people import quoting
from rahdari.tables.csv_tables import CsvRow, FileTrouble, read_table, write_table

from . import attestations, queries, rules
from .lists import ListNotTaken
from .models import Attestation, MemberList
from .rules import RowTrouble


@dataclass(frozen=True)
class ToRevoke:
    """A row with what would be taken back, or with what is wrong."""

    row: CsvRow
    found: tuple[Attestation, ...] = ()
    trouble: RowTrouble | None = None


def _read(content: bytes, most_rows: int) -> tuple[CsvRow, ...] | FileTrouble:
    return read_table(content, needed=rules.NEEDED_TO_REVOKE, most_rows=most_rows, most_bytes=rules.MOST_FILE_BYTES)


def keep_revocations(
    *,
    association: str,
    revocation: str,
    explanation: str,
    content: bytes,
    name: str,
    most_rows: int,
    by: str,
    now: dt.datetime,
) -> MemberList:
    """Keep a file to look at it by row. Nothing is taken back yet. Raises ListNotTaken, LeadsAway."""
    found = _read(content, most_rows)
    if isinstance(found, FileTrouble):
        raise ListNotTaken(found)
    return MemberList.objects.create(
        association=association,
        revocation=revocation,
        explanation=quoting.held(explanation),
        content=base64.b64encode(content).decode(),
        name=name[:120],
        uploaded_at=now,
        uploaded_by=by,
    )


def to_revoke(kept: MemberList) -> list[ToRevoke]:
    """Each row as it stands now: all that is attested of a member goes, whatever is claimed."""
    rows = _read(base64.b64decode(kept.content), 1_000_000) if kept.content else ()
    if isinstance(rows, FileTrouble):
        return []
    read = rules.read_numbers(rows)
    indexes = {
        number: queries.member_index(kept.association, number)
        for _row, number in read
        if not isinstance(number, RowTrouble)
    }
    known = queries.attested_under(kept.association, indexes.values())
    judged = []
    for row, number in read:
        if isinstance(number, RowTrouble):
            judged.append(ToRevoke(row, trouble=number))
        else:
            found = tuple(known.get(indexes[number], ()))
            judged.append(ToRevoke(row, found, None if found else RowTrouble.NOT_ATTESTED))
    return judged


def not_revoked(kept: MemberList) -> list[ToRevoke]:
    """The rows that need a correction; of a file that was sent, those by which nothing was taken back."""
    wrong = [each for each in to_revoke(kept) if each.trouble is not None]
    if kept.sent_at is None:
        return wrong
    done = Attestation.objects.filter(association=kept.association, revoked_at=kept.sent_at)
    gone = set(done.values_list("member_index", flat=True))
    return [each for each in wrong if _index_of(kept, each.row) not in gone]


def _index_of(kept: MemberList, row: CsvRow) -> str:
    [(_row, number)] = rules.read_numbers([row])
    return "" if isinstance(number, RowTrouble) else queries.member_index(kept.association, number)


def corrected_revocations(kept: MemberList, *, words: Mapping[RowTrouble, str]) -> str:
    """The rows that need a correction, as a file to fill in: with a last column that says what is wrong."""
    return write_table(
        (*rules.NEEDED_TO_REVOKE, "what_is_wrong"),
        (
            [*(each.row.cell(column) for column in rules.NEEDED_TO_REVOKE), words[each.trouble] if each.trouble else ""]
            for each in not_revoked(kept)
        ),
    )


@transaction.atomic
def send_revocations(*, kept: MemberList, by: str, now: dt.datetime) -> MemberList:
    """Take back what the good rows name. Sent twice, it is done once."""
    hold(Lock.ATTESTATIONS, kept.association)
    row = MemberList.objects.select_for_update().get(pk=kept.pk)
    if row.sent_at is not None:
        return row
    for each in to_revoke(row):
        for found in each.found:
            attestations.revoke(
                attestation=found, revocation=row.revocation, explanation=row.explanation, by=by, now=now
            )
            row.made += 1
    row.sent_at = now
    row.save(update_fields=["sent_at", "made"])
    journal.record(
        act="attest.sent_revocations",
        actor=f"association:{row.association}",
        subject=f"members:{row.pk}",
        now=now,
        reason=row.revocation,
        detail={"revoked": row.made, "by": by},
    )
    return row
