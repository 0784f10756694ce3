"""What an operator answered, as evidence: which question, who, what, why in both languages, when."""

import datetime as dt
from typing import Any

from django.utils import translation

from rahdari.confirm import words
from rahdari.publish import queries as networks

LANGUAGES = ("en", "ur")


def answer_from(
    *,
    operator: str,
    number: str,
    said: str,
    reason: str,
    asked_at: dt.datetime | None,
    answered_at: dt.datetime | None,
) -> dict[str, Any]:
    found = networks.operator_by_slug(operator)
    evidence: dict[str, Any] = {
        "question": number,
        "operator": found.name_en if found else operator,
        "said": said,
        "at": answered_at.isoformat() if answered_at else None,
        "asked_at": asked_at.isoformat() if asked_at else None,
    }
    if reason:
        why = {}
        for language in LANGUAGES:
            with translation.override(language):
                why[language] = words.reason(reason)
        evidence |= {"reason": reason, "why": why}
    return evidence
