"""Many endpoints at once, and the rows of files that wait to be added.

Invariants: the good ones are added together, in one transaction with one row of the journal, and the others are told
apart with the reason; a row of a file is added once; rows that were not added stay in the file.
"""

import contextlib
import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from rahdari.address import Block, Part, vpn
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import branches as people_branches
from rahdari.people import queries as people
from rahdari.people.models import Branch, Organisation
from rahdari.policy import Policy

from . import queries
from .drafts import locked_draft, take_known_proofs, touch
from .models import AddressFile, Application, Endpoint
from .parts import columns_of
from .rows import AddressRow, Table
from .rules import Trouble

FILES_KEPT = dt.timedelta(days=7)
# So many wait at most, of all applications that somebody began; and so large is one with all its corrections.
MOST_FILES = 20
MOST_CONTENT = 16 * 1024 * 1024


class TooManyFiles(RahdariError):
    """As many files wait as may. `.limit`"""

    says = "{limit} files of addresses wait"
    limit: int


class FileTooLarge(Exception):
    """The corrections make the file too large."""


@dataclass(frozen=True)
class NewEndpoint:
    """An endpoint to be added: what `add_endpoint` takes, as one value."""

    block: Block
    runs: str
    parts: tuple[Part, ...] = ()
    remote: str = ""
    kind: str = "static"
    label: str = ""
    subscriber: str = ""
    # The name of a branch of the organisation; one that is not there yet is added with the endpoint.
    branch: str = ""

    def as_address(self) -> AddressEndpoint:
        return AddressEndpoint(self.block, self.parts or vpn.parts_of(self.runs))


@dataclass(frozen=True)
class Added:
    """What became of the endpoints: those that were added, and by their place those that were not, with the reason."""

    endpoints: list[Endpoint]
    troubles: dict[int, Trouble]


def add_endpoints(
    *,
    application: Application,
    wanted: Sequence[NewEndpoint],
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    adds_branches: bool = False,
) -> Added:
    """Add all that can be added, and say of each other why not; branches that are not there yet only for who may add
    them. Raises NotADraft.
    """
    policy = policy or queries.policy_in_force()
    with transaction.atomic():
        draft = locked_draft(application)
        there = queries.rows_of(draft)
        found = queries.assess_endpoints(
            draft, [each.as_address() for each in wanted], policy, beside=[row.as_address() for row in there]
        )
        position = max((row.position for row in there), default=0)
        rows = []
        branches: dict[str, Branch | None] = {}
        for new, trouble in zip(wanted, found, strict=True):
            if trouble is None:
                position += 1
                rows.append(_row(draft, new, position, now))
                if new.branch and draft.organisation is not None:
                    adds = {"actor": actor, "now": now} if adds_branches else None
                    rows[-1].branch = _branch(draft.organisation, new.branch, branches, adds)
        if rows:
            Endpoint.objects.bulk_create(rows)
            touch(draft, now)
            journal.record(
                act="apply.added_endpoints",
                actor=actor,
                subject=draft.subject,
                now=now,
                detail={"count": len(rows), "first": str(rows[0].pk), "last": str(rows[-1].pk)},
            )
            take_known_proofs(draft, actor=actor, now=now)
        return Added(rows, {place: trouble for place, trouble in enumerate(found) if trouble is not None})


def _branch(
    organisation: Organisation, name: str, known: dict[str, Branch | None], adds: dict[str, Any] | None
) -> Branch | None:
    """The branch of this name; added where there is none, for who may and while there is room."""
    key = name.casefold()
    if key not in known:
        known[key] = people.branch_named(organisation, name)
        if known[key] is None and adds is not None:
            with contextlib.suppress(people_branches.TooManyBranches):
                known[key] = people_branches.add_branch(organisation=organisation, name=name, **adds)
    return known[key]


def place_endpoints(
    *, subjects: Sequence[str], branch: Branch | None, organisation: Organisation, actor: str, now: dt.datetime
) -> int:
    """Say to which branch of the organisation these addresses of its belong; None takes them out of any. Returns how
    many were changed.
    """
    ids = [subject.removeprefix("endpoint:") for subject in subjects]
    with transaction.atomic():
        found = Endpoint.objects.filter(pk__in=ids, application__organisation=organisation)
        changed = found.exclude(branch=branch) if branch is not None else found.filter(branch__isnull=False)
        count = changed.update(branch=branch)
        if count:
            journal.record(
                act="apply.placed_endpoints",
                actor=actor,
                subject=f"organisation:{organisation.pk}",
                now=now,
                detail={"count": count, "branch": str(branch.pk) if branch is not None else ""},
            )
        return count


def _row(draft: Application, new: NewEndpoint, position: int, now: dt.datetime) -> Endpoint:
    return Endpoint(
        application=draft,
        position=position,
        added_at=now,
        remote=new.remote,
        kind=new.kind,
        label=new.label,
        subscriber=new.subscriber,
        has_subscriber=bool(new.subscriber),
        **columns_of(new.as_address(), new.runs),
    )


# -- files ---------------------------------------------------------------------------------------------------------


def keep_file(*, application: Application, table: Table, name: str, now: dt.datetime) -> AddressFile:
    """Keep the rows of a file, to look at them. Nothing is added yet. Raises NotADraft, TooManyFiles."""
    with transaction.atomic():
        draft = locked_draft(application)
        hold(Lock.FILES_OF_ADDRESSES, str(draft.applicant_id))
        waiting = AddressFile.objects.filter(application__applicant=draft.applicant_id)
        waiting.filter(uploaded_at__lt=now - FILES_KEPT).delete()
        if waiting.count() >= MOST_FILES:
            raise TooManyFiles(MOST_FILES)
        return AddressFile.objects.create(
            application=draft,
            content=_packed(table),
            name=name[:120],
            rows=len(table.rows),
            uploaded_at=now,
        )


def table_of(file: AddressFile) -> Table:
    """The rows that wait in the file."""
    found = json.loads(file.content)
    kept = tuple(AddressRow(line, cells) for line, cells in found["rows"])
    return Table(tuple(found["columns"]), kept, found.get("separator", ","))


def _packed(table: Table) -> str:
    kept = [[row.line, dict(row.cells)] for row in table.rows]
    return json.dumps({"columns": table.columns, "rows": kept, "separator": table.separator})


def replace_rows(*, file: AddressFile, rows: Mapping[int, AddressRow], without: Collection[int] = ()) -> AddressFile:
    """Put corrected rows in the place of those with these line numbers, and drop those that are not wanted; a row that
    is gone already stays gone. With its last row the file is deleted. Raises FileTooLarge.
    """
    with transaction.atomic():
        file = AddressFile.objects.select_for_update().get(pk=file.pk)
        table = table_of(file)
        columns = list(table.columns)
        for row in rows.values():
            columns += [column for column in row.cells if column not in columns]
        changed = tuple(rows.get(row.line, row) for row in table.rows if row.line not in without)
        if not changed:
            AddressFile.objects.filter(pk=file.pk).delete()
            return file
        file.content = _packed(replace(table, columns=tuple(columns), rows=changed))
        if len(file.content) > MOST_CONTENT:
            raise FileTooLarge
        file.save(update_fields=["content"])
        return file


def add_from_file(
    *,
    file: AddressFile,
    good: Mapping[int, NewEndpoint],
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    adds_branches: bool = False,
) -> Added:
    """Add the endpoints of these lines, and take the lines out of the file; the others stay. A line that is not there
    any more was added before. Raises NotADraft, and queries.AddressFileNotFound when the file is gone.
    """
    with transaction.atomic():
        application = locked_draft(file.application)
        kept = AddressFile.objects.select_for_update().filter(pk=file.pk).first()
        if kept is None:
            raise queries.AddressFileNotFound(file.pk)
        table = table_of(kept)
        lines = [row.line for row in table.rows if row.line in good]
        added = add_endpoints(
            application=application,
            wanted=[good[line] for line in lines],
            actor=actor,
            now=now,
            policy=policy,
            adds_branches=adds_branches,
        )
        gone = {line for place, line in enumerate(lines) if place not in added.troubles}
        left = tuple(row for row in table.rows if row.line not in gone)
        if not left:
            kept.delete()
        elif gone:
            kept.content, kept.added = _packed(replace(table, rows=left)), kept.added + len(gone)
            kept.save(update_fields=["content", "added"])
        return added


def forget_file(*, application: Application, id: uuid.UUID) -> None:
    """Delete a file whose rows are not wanted. Doing it twice changes nothing."""
    AddressFile.objects.filter(application=application, pk=id).delete()


def delete_old_address_files(*, now: dt.datetime) -> int:
    """Delete the files whose time is over. Returns how many."""
    deleted, _ = AddressFile.objects.filter(uploaded_at__lt=now - FILES_KEPT).delete()
    return deleted
