"""Many addresses from one file: judged row by row, corrected, added; and one link that proves whichever opens it."""

import uuid

from django.utils.translation import gettext as _

from rahdari.applicant import links
from rahdari.applicant.proofs import proofs_of, provable_by_link
from rahdari.apply import bulk, form_errors, judging, rows
from rahdari.apply import queries as apply
from rahdari.apply.judging import Judged
from rahdari.apply.models import AddressFile, Application
from rahdari.people.acting import Reached
from rahdari.people.rules import Act
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, error, impossible, not_taken, plain, too_many
from rahdari.programs.schema import MOMENT, TRUTH, Json, closed, listed, named, or_null, text, whole

from . import serializers
from .applications import ONE, draft, own, read, write
from .interface import API, Call
from .rules import Scope
from .serializers import ENDPOINT, bare, stamp

prove = API.part("proofs", Scope.ENDPOINTS_PROVE)

FILES = f"{ONE}/address-files"
FILE = f"{FILES}/{{file}}"
CELL = text(rows.LONGEST_CELL)
COLUMNS = (*rows.COLUMNS, rows.SUBSCRIBER, rows.OPERATOR, rows.CHANGES)
ROW = named(
    "AddressRow",
    closed(
        {
            "line": whole(1, 10**6),
            "good": TRUTH,
            "cells": {"type": "object", "additionalProperties": text()},
            "notes": listed(text(2000)),
            "faults": listed(closed({"column": text(60), "detail": text(2000), "suggestion": text(300)})),
        }
    ),
)
ADDRESS_FILE = named(
    "AddressFile",
    closed(
        {
            "id": text(36),
            "name": text(120),
            "uploaded_at": MOMENT,
            "kept_until": MOMENT,
            "added": whole(0, 10**6),
            "waiting": whole(0, 10**6),
            "good": whole(0, 10**6),
            "mendable": whole(0, 10**6),
            "unknown_columns": listed(text()),
            "rows": listed(ROW),
        }
    ),
)
IN_SHORT = closed(
    {"id": text(36), "name": text(120), "uploaded_at": MOMENT, "kept_until": MOMENT, "added": whole(0, 10**6)}
)


def _in_short(file: AddressFile) -> Json:
    return {
        "id": str(file.pk),
        "name": file.name,
        "uploaded_at": stamp(file.uploaded_at),
        "kept_until": stamp(judging.kept_until(file)),
        "added": file.added,
    }


def _row(each: Judged) -> Json:
    return {
        "line": each.row.line,
        "good": each.is_good,
        "cells": dict(each.row.cells),
        "notes": [plain(note) for note in each.notes],
        "faults": [
            {"column": fault.column, "detail": bare(fault.words), "suggestion": fault.suggestion}
            for fault in each.faults
        ],
    }


def _file(call: Call, application: Application, file: AddressFile) -> Json:
    table, judged = judging.judge_file(application, file, apply.policy_in_force(), by=call.person)
    return {
        **_in_short(file),
        "waiting": len(judged),
        "good": sum(each.is_good for each in judged),
        "mendable": sum(each.mended is not None for each in judged),
        "unknown_columns": [column for column in table.unknown if column != "more"],
        "rows": [_row(each) for each in judged],
    }


def _draft(call: Call, reference: str) -> Reached[Application]:
    """A draft that takes files: an organisation's, about addresses."""
    row, by, _service = draft(call, reference, Act.ADDRESSES)
    if not judging.most_rows(row, apply.policy_in_force()):
        raise impossible("no_files", _("Files of addresses are for organisations. Add the addresses one by one."))
    return Reached(row, by)


@read(
    "GET", FILES, Ok("The files, the newest first.", closed({"items": listed(named("AddressFileInShort", IN_SHORT))}))
)
def list_address_files(call: Call, reference: str) -> Answer:
    """List the files of addresses with rows that wait."""
    row = own(call, reference, Act.ADDRESSES).row
    return Answer({"items": [_in_short(each) for each in apply.address_files_of(row)]})


@write(
    "POST",
    FILES,
    Ok("What is said of each row. Nothing is added yet.", ADDRESS_FILE, 201),
    body=closed({"file": {"type": "string", "format": "binary", "minLength": 1}}),
    multipart=True,
    problems=REFUSED,
)
def send_address_file(call: Call, reference: str) -> Answer:
    """Send a file of addresses.

    A CSV with the columns `address`, `protocol`, `port`, `remote`, `label`, `branch`, `changes` (`yes` where the
    address changes by itself), and `subscriber` where the service asks for it. Columns that are not known are carried
    along. It waits for 7 days.
    """
    row = _draft(call, reference).row
    most = judging.most_rows(row, apply.policy_in_force())
    if seconds := programs.wait_for(f"apply.files:{call.person.pk}", rate=judging.FILES, per=judging.PER_SECONDS):
        raise too_many(seconds)
    sent = call.files["file"]
    found = rows.read(sent.read(rows.MOST_BYTES + 1), most_rows=most)
    if isinstance(found, rows.FileFault):
        raise not_taken([error("/file", str(found), form_errors.rows_file(found, most_rows=most))])
    file = bulk.keep_file(application=row, table=found, name=sent.name or "", now=call.now)
    return Answer(_file(call, row, file), 201)


@read(
    "GET",
    FILE,
    Ok("The rows that wait: good ones, and what is wrong with the others.", ADDRESS_FILE),
    problems=IMPOSSIBLE,
)
def get_address_file(call: Call, reference: str, file: uuid.UUID) -> Answer:
    """Read a file of addresses, row by row."""
    row = _draft(call, reference).row
    return Answer(_file(call, row, apply.address_file_of(application=row, id=file)))


@read(
    "GET",
    f"{FILE}/corrected",
    Ok("A CSV of the rows that wait: our corrections, and a last column that says what is wrong.", media="text/csv"),
    problems=IMPOSSIBLE,
)
def get_corrected_addresses(call: Call, reference: str, file: uuid.UUID) -> Answer:
    """The corrected file."""
    row = _draft(call, reference).row
    found = apply.address_file_of(application=row, id=file)
    table, judged = judging.judge_file(row, found, apply.policy_in_force(), by=call.person)
    headers = {"Content-Disposition": 'attachment; filename="addresses-to-correct.csv"'}
    content = judging.corrected(judged, table).encode()
    return Answer(content=content, media="text/csv", headers=headers)


@write(
    "POST",
    f"{FILE}/rows",
    Ok("The file as it is now.", ADDRESS_FILE),
    body=closed(
        {"rows": listed(closed({"line": whole(1, 10**6), "cells": closed({}, dict.fromkeys(COLUMNS, CELL))}), 2000)}
    ),
    problems=REFUSED,
)
def correct_address_rows(call: Call, reference: str, file: uuid.UUID) -> Answer:
    """Correct rows of a file of addresses.

    The cells that are given take the place of those of the row with this `line`; the others stay. A row that was
    added meanwhile stays added.
    """
    row = _draft(call, reference).row
    found = apply.address_file_of(application=row, id=file)
    _table, judged = judging.judge_file(row, found, apply.policy_in_force(), by=call.person)
    there = {each.row.line: each.row for each in judged}
    given = {each["line"]: each["cells"] for each in call.body["rows"]}
    changed = {line: there[line].with_cells(**cells) for line, cells in given.items() if line in there}
    return Answer(_file(call, row, bulk.replace_rows(file=found, rows=changed)))


@write("DELETE", f"{FILE}/rows/{{line}}", Ok("It no longer waits.", status=204), problems=IMPOSSIBLE)
def drop_address_row(call: Call, reference: str, file: uuid.UUID, line: str) -> Answer:
    """Leave a row of a file out.

    The others stay. One that is not there any more was added or left out before; with its last row the file is
    deleted.
    """
    row = _draft(call, reference).row
    found = apply.address_file_of(application=row, id=file)
    bulk.replace_rows(file=found, rows={}, without={int(line)})
    return Answer(status=204)


@write(
    "POST",
    f"{FILE}/add",
    Ok(
        "The addresses that were added, and the file with the rows that are left.",
        closed({"added": listed(ENDPOINT), "file": or_null(ADDRESS_FILE)}),
    ),
    body=closed({}, {"mend": TRUTH}),
    problems=REFUSED,
)
def add_address_rows(call: Call, reference: str, file: uuid.UUID) -> Answer:
    """Add the good rows of a file.

    With `mend` what was probably meant is taken first, where that is known. A row is added once.
    """
    row, by = _draft(call, reference)
    policy = apply.policy_in_force()
    found = apply.address_file_of(application=row, id=file)
    _table, judged = judging.judge_file(row, found, policy, by=call.person)
    if call.body.get("mend"):
        mended = {each.row.line: each.mended for each in judged if each.mended is not None}
        found = bulk.replace_rows(file=found, rows=mended)
        _table, judged = judging.judge_file(row, found, policy, by=call.person)
    added = bulk.add_from_file(
        file=found,
        good={each.row.line: each.wanted for each in judged if each.is_good and each.wanted is not None},
        actor=by.actor,
        now=call.now,
        policy=policy,
        adds_branches=judging.adds_branches(call.person, row.organisation),
    )
    left = apply.address_files_of(row).filter(pk=found.pk).first()
    endpoints = [serializers.endpoint(each) for each in added.endpoints]
    return Answer({"added": endpoints, "file": _file(call, row, left) if left is not None else None})


@write("DELETE", FILE, Ok("It is deleted.", status=204))
def delete_address_file(call: Call, reference: str, file: uuid.UUID) -> Answer:
    """Delete a file of addresses.

    What was added from it stays.
    """
    row = own(call, reference, Act.ADDRESSES).row
    apply.address_file_of(application=row, id=file)
    bulk.forget_file(application=row, id=file)
    return Answer(status=204)


# -- one link for all --------------------------------------------------------------------------------------------------


@prove(
    "GET",
    f"{ONE}/link",
    Ok(
        "The link, while it is of use, and how far the addresses are.",
        closed(
            {
                "link": or_null(text(500)),
                "total": whole(0, 10**6),
                "proved": listed(text(36)),
                "unproved": listed(text(36)),
            }
        ),
    ),
    problems=IMPOSSIBLE,
)
def get_link(call: Call, reference: str) -> Answer:
    """One link that proves whichever address it is opened from.

    Open it once from each address, with curl or Wget, by a POST of any program, or in a browser, whose button is
    pressed: it proves that one address. Whoever has it can do no more than that. `unproved` and `proved` are ids of
    addresses.
    """
    row = own(call, reference, Act.PROVE).row
    if row.status not in {"draft", "submitted"}:
        raise impossible("decided", _("It is already decided: no proof of it is needed."))
    known = proofs_of(row)
    return Answer(
        {
            "link": links.absolute(links.proves(row)) if provable_by_link(row, known, call.now) else None,
            "total": len(known),
            "proved": [str(each.endpoint.pk) for each in known if each.is_proved],
            "unproved": [str(each.endpoint.pk) for each in known if not each.is_proved],
        }
    )
