"""What an operator answered, as evidence: which question, who, what, why in both languages, when."""

import datetime as dt

from django.utils import translation

from rahdari.checks.evidence import Evidence
from rahdari.confirm import words
from rahdari.publish import queries as networks


def answer_from(
    *,
    operator: str,
    number: str,
    answer: str,
    reason: str,
    asked_at: dt.datetime | None,
    answered_at: dt.datetime | None,
) -> Evidence:
    """What an operator answered, as evidence of a check; times in ISO 8601, the reason in both languages."""
    found = networks.operator_by_slug(operator)
    evidence: Evidence = {
        "question": number,
        "operator": found.name_en if found else operator,
        "answer": answer,
        "at": answered_at.isoformat() if answered_at else None,
        "asked_at": asked_at.isoformat() if asked_at else None,
    }
    if reason:
        evidence |= {"reason": reason, "why": {"en": _reason(reason, "en"), "ur": _reason(reason, "ur")}}
    return evidence


def _reason(reason: str, language: str) -> str:
    with translation.override(language):
        return words.reason(reason)
