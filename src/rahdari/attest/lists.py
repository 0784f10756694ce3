"""Lists of members: looked at by row, counted when they are sent, the same again changes nothing."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.tables.csv_tables import FileTrouble, write_table

from . import attestations, queries, rules
from .models import Attestation, MemberList
from .rules import Bounds, Effect, Judged, RowTrouble


class ListNotTaken(RahdariError):
    """The file cannot be read at all. `.trouble` says why."""

    says = "{trouble}"
    trouble: FileTrouble


def keep_list(
    *,
    association: str,
    claim: str,
    method: str,
    content: bytes,
    name: str,
    most_rows: int,
    by: str,
    now: dt.datetime,
) -> MemberList:
    """Keep a file to look at it by row. Nothing counts yet. Raises ListNotTaken."""
    found = rules.read_file(content, most_rows=most_rows)
    if isinstance(found, FileTrouble):
        raise ListNotTaken(found)
    return MemberList.objects.create(
        association=association,
        claim=claim,
        method=method,
        content=base64.b64encode(content).decode(),
        name=name[:120],
        uploaded_at=now,
        uploaded_by=by,
    )


def judged(kept: MemberList, *, bounds: Bounds) -> list[Judged]:
    """Each row as it stands now, with what it would do."""
    rows = rules.read_file(base64.b64decode(kept.content), most_rows=1_000_000) if kept.content else ()
    if isinstance(rows, FileTrouble):
        return []
    read = rules.read_rows(rows, bounds)
    hashes, held, holders = _known(kept, read)
    return [_with_effect(each, hashes, held, holders) for each in read]


def _known(
    kept: MemberList, read: list[Judged]
) -> tuple[dict[rules.Member, tuple[str, str]], Mapping[str, Attestation], Mapping[str, set[str]]]:
    """Of the members in a file: their hashes, what is there of them, and who holds their numbers."""
    members = [each.member for each in read if each.member is not None]
    hashes = {
        member: (queries.index_of(member.identifier), queries.member_index(kept.association, member.number))
        for member in members
    }
    held = queries.held_by_identifier(kept.association, kept.claim, (one for one, _ in hashes.values()))
    holders = queries.holders_of_numbers(kept.association, kept.claim, (number for _, number in hashes.values()))
    return hashes, held, holders


def _with_effect(
    row: Judged,
    hashes: Mapping[rules.Member, tuple[str, str]],
    held: Mapping[str, Attestation],
    holders: Mapping[str, set[str]],
) -> Judged:
    if row.member is None:
        return row
    identifier, number = hashes[row.member]
    effect = rules.effect_of(
        row.member,
        held=attestations.held_of(held.get(identifier)),
        number_is_anothers=bool(holders.get(number, set()) - {identifier}),
    )
    return replace(row, trouble=effect) if isinstance(effect, RowTrouble) else replace(row, effect=effect)


@transaction.atomic
def send_list(*, kept: MemberList, bounds: Bounds, by: str, now: dt.datetime) -> MemberList:
    """Attest every row that is right; the others wait to be corrected. Sent twice, it counts once."""
    hold(Lock.ATTESTATIONS, kept.association)
    row = MemberList.objects.select_for_update().get(pk=kept.pk)
    if row.sent_at is not None:
        return row
    found = judged(row, bounds=bounds)
    hashes, held, _holders = _known(row, found)
    new: list[Attestation] = []
    changed: set[str] = set()
    for each in found:
        if each.member is None or each.effect is None or each.effect is Effect.SAME:
            continue
        one = attestations.put(
            association=row.association,
            claim=row.claim,
            method=row.method,
            member=each.member,
            held=held.get(hashes[each.member][0]),
            by=by,
            now=now,
            member_list=row,
        )
        changed |= {one.identifier_index, one.member_index}
        if each.effect is Effect.NEW:
            new.append(one)
        else:
            one.save()
            row.renewed += 1
    Attestation.objects.bulk_create(new, batch_size=500)
    row.made, row.sent_at = len(new), now
    row.save(update_fields=["sent_at", "made", "renewed"])
    attestations.wake_requests(row.association, changed)
    journal.record(
        act="attest.sent_list",
        actor=f"association:{row.association}",
        subject=f"members:{row.pk}",
        now=now,
        detail={"claim": row.claim, "made": row.made, "renewed": row.renewed, "by": by},
    )
    return row


def corrected(kept: MemberList, *, bounds: Bounds, words: Callable[[Judged], str], every: bool = False) -> str:
    """The rows that need a correction, as a file to fill in: with a last column that says what is wrong. With `every`
    all rows, and what each does."""
    found = [each for each in judged(kept, bounds=bounds) if every or each.trouble is not None]
    return write_table(
        (*rules.COLUMNS, "result" if every else "what_is_wrong"),
        ([*(each.row.cell(column) for column in rules.COLUMNS), words(each)] for each in found),
    )


def own_list(association: str, *, on: dt.date) -> str:
    """All that an association attested, the newest first, and how each stands on a day."""
    rows = Attestation.objects.filter(association=association).order_by("-made_at", "id").iterator(2000)
    return write_table(
        ("member_number", "name", "claim", "valid_from", "valid_until", "state", "attestation"),
        (
            [
                each.member_number,
                each.name,
                each.claim,
                each.valid_from.isoformat(),
                each.valid_until.isoformat(),
                str(each.state(on)),
                each.number,
            ]
            for each in rows
        ),
    )


def delete_old_lists(*, now: dt.datetime) -> int:
    """The contents of lists go when their time is over; how many members they attested stays."""
    old = MemberList.objects.filter(uploaded_at__lt=now - rules.FILES_KEPT)
    deleted, _ = old.filter(sent_at__isnull=True).delete()
    emptied = list(old.filter(sent_at__isnull=False, emptied_at__isnull=True)[:200])
    for each in emptied:
        each.content, each.emptied_at = "", now
        each.save(update_fields=["content", "emptied_at"])
    return deleted + len(emptied)
