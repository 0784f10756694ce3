"""Files of answers: looked at by row, counted when they are sent."""

import base64
import datetime as dt

from django.db import transaction

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries, questions, rules
from .models import AnswerFile, Channel, SubscriberQuestion
from .rules import FileTrouble, Judged


class FileNotTaken(RahdariError):
    """The file cannot be read at all. `.trouble` says why."""

    says = "{trouble}"
    trouble: FileTrouble


def keep_file(*, operator: str, content: bytes, name: str, by: str, now: dt.datetime) -> AnswerFile:
    """Keep a file to look at it by row. Nothing is answered yet. Raises FileNotTaken."""
    found = rules.read_file(content)
    if isinstance(found, FileTrouble):
        raise FileNotTaken(found)
    return AnswerFile.objects.create(
        operator=operator,
        content=base64.b64encode(content).decode(),
        name=name[:120],
        uploaded_at=now,
        uploaded_by=by,
    )


def judged(file: AnswerFile, *, now: dt.datetime, by: str = "") -> list[Judged]:
    """Each row as it stands now, sent by this person, else by who uploaded it: a question may be closed by now."""
    rows = rules.read_file(base64.b64decode(file.content)) if file.content else ()
    if isinstance(rows, FileTrouble):
        return []
    numbers = (row.cell("check") for row in rows)
    asked = queries.asked_of(operator=file.operator, numbers=numbers, by=by or file.uploaded_by, now=now)
    return rules.judge(rows, asked)


@transaction.atomic
def send_file(*, file: AnswerFile, by: str, now: dt.datetime) -> int:
    """Take the answers of all rows that are right; the others stay open. Sent twice, it counts once."""
    file = AnswerFile.objects.select_for_update().get(pk=file.pk)
    if file.sent_at is not None:
        return file.taken
    good = {each.number: each for each in judged(file, now=now, by=by) if each.given is not None}
    for question in SubscriberQuestion.objects.filter(operator=file.operator, number__in=good).order_by("id"):
        given = good[question.number].given
        if given is not None:
            questions.answer(question=question, given=given, channel=Channel.FILE, by=by, now=now)
    file.sent_at, file.taken = now, len(good)
    file.save(update_fields=["sent_at", "taken"])
    journal.record(
        act="confirm.sent_file",
        actor=f"operator:{file.operator}",
        subject=f"answers:{file.pk}",
        now=now,
        detail={"answers": len(good), "by": by},
    )
    return len(good)


def corrected(file: AnswerFile, *, now: dt.datetime, words: dict[rules.AnswerTrouble, str]) -> str:
    """The rows that need correction, as a file to fill in: with a last column that says what is wrong."""
    rows = [each for each in judged(file, now=now) if each.trouble is not None]
    heading = (*rules.COLUMNS, "what_is_wrong")
    return rules.write_table(
        heading,
        (
            [*(each.row.cell(column) for column in rules.COLUMNS), words[each.trouble] if each.trouble else ""]
            for each in rows
        ),
    )


def delete_old_files(*, now: dt.datetime) -> int:
    """Delete the files whose time is over. Returns how many."""
    deleted, _ = AnswerFile.objects.filter(uploaded_at__lt=now - rules.FILES_KEPT).delete()
    return deleted
