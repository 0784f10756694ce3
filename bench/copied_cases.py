"""Files of the desk in any number, copied by SQL from a few that the product's own acts have made.

A copy has rows and times of its own: every id, and every text that names one, is another; every time is moved by the
same span. What a page of the desk decrypts is sealed anew for its row, and the marks that the queue sorts, finds and
filters by are computed by the product's own code. What no page of the desk reads (the text of a letter, an address of
email) is left as it was sealed, and cannot be read.
"""

import datetime as dt
import hashlib
import pickle
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench import filling, place

# A copy came in at one of so many moments of the last days.
MOMENTS, DAYS = 200, 4
# So many of them have a holder of whom something else is at the desk, or was.
FILES_OF_A_HOLDER = 3
# In these columns stands what is unique, or made of the copy's number.
OWN = {
    ("User", "email_index"): "md5('email ' || g.n) || md5('mail ' || g.n)",
    ("Application", "reference"): "g.reference",
    ("Application", "cnic_index"): f"md5('card ' || g.n / {FILES_OF_A_HOLDER}) || md5('card')",
    ("Endpoint", "block"): "set_masklen(inet '2001:db8::' + g.n * 8 + m.position, 128)::cidr",
    ("Challenge", "link_index"): "md5('link ' || m.id || g.n) || md5(m.id::text || g.n)",
    ("SubscriberQuestion", "number"): "'B' || lpad(g.n::text, 11, '0')",
    ("Case", "assigned_to_id"): "g.assigned_to",
    ("Case", "words"): "g.words",
    ("Case", "waits_for"): "g.waits_for",
    ("Case", "due_at"): "g.due_at",
    ("Case", "near_at"): "g.near_at",
    ("Case", "late_at"): "g.late_at",
    ("Decision", "registration_id"): "md5('registration ' || g.place)::uuid",
    ("Letter", "text"): "''::bytea",
    ("Letter", "html"): "''::bytea",
}
# The rows that are moved are found by these ids of theirs.
IDS = {"pk", "holder_ref", "send_token"}
GIVEN = (
    "n bigint, place bigint, shift interval, reference text, assigned_to uuid, words text[], waits_for text, "
    "due_at timestamptz, near_at timestamptz, late_at timestamptz"
)


@dataclass(frozen=True)
class Model:
    """A file to copy: its case, of so many in a hundred, and to whom the copies are assigned, one after the other."""

    case: Any
    share: int
    officers: Sequence[Any] = (None,)


def rows_of(case: Any) -> list[Any]:
    """All rows of a file, those first that others point at."""
    from rahdari.checks.models import Check
    from rahdari.confirm.models import SubscriberAnswer, SubscriberQuestion
    from rahdari.control.models import Challenge
    from rahdari.decide.models import Case
    from rahdari.journal.models import JournalEntry
    from rahdari.letters.models import Letter

    application = case.application
    endpoints = list(application.endpoints.all())
    subjects = [application.subject, case.subject, *(each.subject for each in endpoints)]
    return [
        application.applicant, application, *endpoints, *Check.objects.filter(subject=application.subject),
        *Challenge.objects.filter(subject__in=subjects), Case.objects.get(pk=case.pk), *case.questions.all(),
        *case.notices.all(), *case.decisions.all(), *SubscriberQuestion.objects.filter(subject=application.subject),
        *SubscriberAnswer.objects.filter(question__subject=application.subject),
        *Letter.objects.filter(about=application.subject), *JournalEntry.objects.filter(subject__in=subjects),
    ]  # fmt: skip


def copy(models: Sequence[Model], *, count: int, start: int, luck: random.Random, readable: bool = True) -> None:
    """Copies number `start` to `start + count`, of each model as many as its share. All in one transaction, with the
    indexes built at the end. `readable`: what a page of the desk decrypts is sealed anew."""
    from django.db import connection, transaction

    place.say(f"copying {count} files")
    whole = sum(model.share for model in models)
    rows = [rows_of(model.case) for model in models]
    numbers = list(range(start, start + count))
    luck.shuffle(numbers)
    tables = {type(row)._meta.db_table for each in rows for row in each}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        # The moves of the product are made by its acts: here whole files come at once.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        again = filling.take_indexes(cursor, *sorted(tables)) if count >= filling.LARGE // 10 else []
        # They look at other rows, each of which would be searched for without an index; a copy has what they set.
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        at = 0
        for number, model in enumerate(models):
            upto = count * sum(each.share for each in models[: number + 1]) // whole
            if upto > at:
                _copy_one(cursor, model, rows[number], numbers[at:upto], luck, readable)
            at = upto
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for statement in again:
            cursor.execute(statement)


def _copy_one(
    cursor: Any, model: Model, rows: Sequence[Any], numbers: Sequence[int], luck: random.Random, readable: bool
) -> None:
    ids = {str(getattr(row, name)) for row in rows for name in IDS if isinstance(getattr(row, name, None), uuid.UUID)}
    sealed = list(_to_seal(rows)) if readable else []
    columns = "".join(f", s{at} bytea" for at in range(len(sealed)))
    cursor.execute(f"CREATE TEMPORARY TABLE given ({GIVEN}{columns}) ON COMMIT DROP")
    moments = _at_other_moments(model.case, luck, min(MOMENTS, len(numbers)))
    with cursor.copy("COPY given FROM STDIN") as out:
        for at, number in enumerate(numbers):
            officer = model.officers[at % len(model.officers)]
            reference = f"A-2611-{number // 10_000:04}-{number % 10_000:04}"
            words, (shift, *marks) = _words(model.case, number, reference), moments[at % len(moments)]
            out.write_row((number, number, shift, reference, officer and officer.pk, words, *marks,
                           *(_seal(row, field, number) for row, field in sealed)))  # fmt: skip
    for row in rows:
        into, values = [], []
        for field in row._meta.concrete_fields:
            if field.get_internal_type() == "BigAutoField":
                continue
            into.append(f'"{field.column}"')
            if (row, field) in sealed:
                values.append(f"g.s{sealed.index((row, field))}")
            else:
                values.append(_expression(row, field, ids))
        table, key = row._meta.db_table, row._meta.pk.column
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(into)}) SELECT {', '.join(values)} FROM given g, {table} m "
            f"WHERE m.{key} = %s ORDER BY g.n",
            [row.pk],
        )
    cursor.execute("DROP TABLE given")


def _expression(row: Any, field: Any, ids: set[str]) -> str:
    """What stands in this column of a copy; `m` is the row that is copied, `g` what was given for the copy."""
    column, value, kind = f'm."{field.column}"', getattr(row, field.attname), field.get_internal_type()
    if value is not None and (own := OWN.get((type(row).__name__, field.attname))) is not None:
        return own
    if field.primary_key or isinstance(value, uuid.UUID):
        return _moved(str(value)) if str(value) in ids else column
    if isinstance(value, dt.datetime):
        return f"{column} + g.shift"
    named = [each for each in ids if each in str(value)] if kind in ("CharField", "TextField", "JSONField") else []
    text = f"{column}::text"
    for each in named:
        text = f"replace({text}, '{each}', {_moved(each)}::text)"
    return f"({text})::jsonb" if named and kind == "JSONField" else text if named else column


def _moved(id: str) -> str:
    return f"md5('{id}:' || g.n)::uuid"


def id_of(row: Any, number: int) -> uuid.UUID:
    """Of the copy with this number of a row."""
    return uuid.UUID(hashlib.md5(f"{row.pk}:{number}".encode(), usedforsecurity=False).hexdigest())


def _to_seal(rows: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    from rahdari.vault.fields import EncryptedTextField

    for row in rows:
        if type(row).__name__ in ("Application", "CaseQuestion", "Notice", "Decision", "Check"):
            for field in row._meta.concrete_fields:
                if isinstance(field, EncryptedTextField) and getattr(row, field.attname):
                    yield row, field


def _seal(row: Any, field: Any, number: int) -> bytes:
    from rahdari.vault import cipher

    text = name_of(number) if field.attname == "name" else getattr(row, field.attname)
    where = f"{row._meta.label}.{field.attname}:{id_of(row, number)}"
    return cipher.seal("fields", text.encode(), where=where)


def name_of(number: int) -> str:
    return f"Sample Person {number}"


def _words(case: Any, number: int, reference: str) -> list[str]:
    from rahdari.decide import queue_columns

    if case.status != "open":
        return queue_columns.whole_name(name_of(number))
    return queue_columns.words_of([name_of(number), reference])


def _at_other_moments(case: Any, luck: random.Random, count: int) -> list[tuple[Any, ...]]:
    """The spans by which copies are moved, and what the queue keeps of each then."""
    from rahdari.decide import queries, queue_columns

    # With all that was read along, so that nothing is asked again.
    packed, moments = pickle.dumps(queries.cases().get(pk=case.pk)), []
    for _ in range(count):
        shift = -dt.timedelta(minutes=luck.randrange(60 * 24 * DAYS))
        moved = pickle.loads(packed)
        for row in (moved, *moved.questions.all(), *moved.notices.all(), *moved.decisions.all()):
            for field in row._meta.concrete_fields:
                if isinstance(at := getattr(row, field.attname), dt.datetime):
                    setattr(row, field.attname, at + shift)
        if moved.status == "open":
            queue_columns.compute(moved)
        moments.append((shift, moved.waits_for, moved.due_at, moved.near_at, moved.late_at))
    return moments
