"""The words of the short notes. No link, no name."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

NUMBER_CODE = "number_code"
CONTACT_CODE = "contact_code"
# By which a holder who is cut off is known: typed on a page, or read out to an officer on the telephone.
URGENT_CODE, SPOKEN_CODE = "urgent_code", "spoken_code"
# With which somebody reads what an officer entered for them.
ENTRY_CODE = "entry_code"
# Their text is forgotten once it is sent.
SHORT_CODES = frozenset({NUMBER_CODE, URGENT_CODE, SPOKEN_CODE, ENTRY_CODE})
# Of a registered connection that is cut: for whoever wants it alone, and it says nothing but a number.
DISRUPTION = "disruption"

# What each must be told. `reference` is the number of the file.
NOTES: dict[str, frozenset[str]] = {
    CONTACT_CODE: frozenset({"code"}),
    **dict.fromkeys(SHORT_CODES, frozenset({"code"})),
    ENTRY_CODE: frozenset({"code", "reference"}),
    "news": frozenset({"reference"}),
    DISRUPTION: frozenset({"reference"}),
    "answer_by": frozenset({"reference", "due_at"}),
    "ends_on": frozenset({"reference", "valid_until"}),
}


class NoteIncomplete(Exception):
    """The note was not told all it must say. `.note` and `.missing`"""

    def __init__(self, note: str, missing: list[str]) -> None:
        super().__init__(f"note {note!r} needs {', '.join(missing)}")
        self.note, self.missing = note, missing


def compose(*, note: str, language: str, context: Mapping[str, Any]) -> str:
    """Raises NoteIncomplete, and KeyError for a note that is not there."""
    facts = dict(context)
    facts.setdefault("reference", facts.get("registration"))
    if missing := sorted(key for key in NOTES[note] if facts.get(key) in (None, "")):
        raise NoteIncomplete(note, missing)
    # The name of this site, as people write it: they know the way.
    facts["host"] = urlsplit(settings.SITE_URL).netloc
    with translation.override(language):
        return render_to_string(f"sms/{note}.{language}.txt", facts).strip()
