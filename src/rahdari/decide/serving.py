"""When what was written to a holder reached them: a question or a notice as much as a decision. One rule: with its
letter, unless every letter came back; then when one was first read here, or when it was handed over in another way.
Until then no time that began with it runs."""

import datetime as dt
from collections.abc import Callable, Collection

from rahdari.letters import queries as letters
from rahdari.people import reading

from .models import Case, CaseQuestion, Hearing, Notice

NOTICES = ("application_notice", "registration_notice")
QUESTIONS = ("application_question",)
HEARINGS = ("hearing_set",)
# When something of a case was handed over in another way, that day or later; of a room above.
HANDED_OVER: list[Callable[[Case, dt.datetime], dt.datetime | None]] = []


def served_at(
    case: Case, at: dt.datetime, about: Collection[str], templates: Collection[str] = NOTICES
) -> dt.datetime | None:
    """When the letters of this moment reached whoever they are about; None: they have not."""
    arrived = letters.arrived_at(about=about, templates=templates, at=at)
    if arrived == at:
        return at
    handed = [each(case, at) for each in HANDED_OVER]
    return min((each for each in (arrived, *handed) if each is not None), default=None)


def came_back(asked: CaseQuestion | Notice) -> bool:
    """Whether the time to answer it has not begun, since nobody got it."""
    if isinstance(asked, CaseQuestion):
        return asked.answered_at is None and asked.lapsed_at is None and question_served_at(asked) is None
    return asked.may_answer and not asked.is_order and notice_served_at(asked) is None


def question_served_at(question: CaseQuestion) -> dt.datetime | None:
    if question.extended:
        # Whoever asked for more time has read it.
        return question.asked_at
    return _asked_once(question, [question.case.application.subject], question.asked_at, QUESTIONS)


def notice_served_at(notice: Notice) -> dt.datetime | None:
    return _asked_once(notice, _about(notice.case), notice.sent_at, NOTICES)


def was_told(hearing: Hearing) -> bool:
    """Whether whoever is heard learnt of its day before it began."""
    served = served_at(hearing.case, hearing.set_at, _about(hearing.case), HEARINGS)
    return served is not None and served <= hearing.starts_at


def _about(case: Case) -> list[str]:
    led_to = [each.registration_id for each in case.decisions.all() if each.registration_id is not None]
    return [case.application.subject, *(f"registration:{each}" for each in led_to)]


def _asked_once(
    asked: CaseQuestion | Notice, about: Collection[str], at: dt.datetime, templates: Collection[str]
) -> dt.datetime | None:
    """Asked once for a page that is only read."""
    known: dict[str, dt.datetime | None] = vars(asked).setdefault("_served", {})
    if "at" not in known or not reading.ONLY.get():
        known["at"] = served_at(asked.case, at, about, templates)
    return known["at"]
