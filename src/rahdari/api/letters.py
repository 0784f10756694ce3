"""Letters as they were written."""

import uuid

from rahdari.apply import access
from rahdari.letters import actions as letter_actions
from rahdari.letters import queries as inbox
from rahdari.letters.models import Letter
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.schema import MOMENT, Json, choice, closed, named, or_null, text

from .applications import after_cursor
from .interface import API, PAGE, Call
from .rules import Scope
from .serializers import page_of, stamp, stamp_or_none

read_letters = API.part("letters", Scope.LETTERS_READ)

IN_SHORT = closed(
    {
        "id": text(36),
        "kind": text(60),
        "subject": text(1000),
        "language": choice("en", "ur"),
        "written_at": MOMENT,
        "read_at": or_null(MOMENT),
        "about": or_null(text(20)),
    }
)
LETTER = named("Letter", closed(IN_SHORT["properties"] | {"text": text(200_000)}))


def _letter(row: Letter, references: dict[str, str]) -> Json:
    return {
        "id": str(row.pk),
        "kind": row.template,
        "subject": row.subject,
        "language": row.language,
        "written_at": stamp(row.written_at),
        "read_at": stamp_or_none(row.read_at),
        "about": references.get(row.about),
    }


def _references(call: Call) -> dict[str, str]:
    """The person's applications, as letters name them."""
    return {row.subject: row.reference for row in access.applications_of(call.person)}


@read_letters("GET", "/letters", Ok("A page, the newest first.", page_of(named("LetterInShort", IN_SHORT))), query=PAGE)
def list_letters(call: Call) -> Answer:
    """List your letters."""
    rows, following = after_cursor(inbox.letters_of(call.person), call, "written_at")
    references = _references(call)
    return Answer({"items": [_letter(each, references) for each in rows], "next": following})


@read_letters("GET", "/letters/{id}", Ok("It.", LETTER))
def get_letter(call: Call, id: uuid.UUID) -> Answer:
    """Read a letter.

    As it was written, in its own language. Reading it here does not mark it as read.
    """
    row = inbox.letter_for(call.person, id)
    return Answer({**_letter(row, _references(call)), "text": row.text})


@read_letters("POST", "/letters/read", Ok("They are marked.", status=204))
def mark_letters_read(call: Call) -> Answer:
    """Mark all letters as read."""
    letter_actions.mark_all_read(reader=call.person, now=call.now)
    return Answer(status=204)


@read_letters("POST", "/letters/{id}/read", Ok("The letter.", LETTER))
def mark_letter_read(call: Call, id: uuid.UUID) -> Answer:
    """Mark a letter as read."""
    letter_actions.mark_read(letter=inbox.letter_for(call.person, id), now=call.now)
    return get_letter(call, id)
