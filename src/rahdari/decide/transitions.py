"""What every act does: lock the case, find the move, name the officer, write the journal's row and the letter.

Errors that several acts raise stand here; the others stand beside their act.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Reason

from . import case_clock, queries, queue_columns, rules
from .models import Case, CaseQuestion, Notice
from .rules import CaseStanding, Move, Status


class NotPossibleNow(Exception):
    """The case does not allow this act as it stands. `.act` and `.standing`."""

    def __init__(self, act: str, standing: CaseStanding) -> None:
        super().__init__(f"{act} is not possible while the case is {standing}")
        self.act, self.standing = act, standing


class NotAnOfficer(Exception):
    """The person holds no post that lets them decide. `.user`."""

    def __init__(self, user: User) -> None:
        super().__init__(f"{user} is no officer")
        self.user = user


class OwnApplication(Exception):
    """The officer applied, or belongs to the company that did: somebody else decides. `.case`."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"{case} is this officer's own application")
        self.case = case


class NotYourCase(Exception):
    """The case is in nobody's or in another officer's hands: take it first. `.case`."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"{case} is not in this officer's hands")
        self.case = case


class CodeNotUsable(Exception):
    """This code cannot be used for this act, here and now. `.code`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"code {code!r} cannot be used here")
        self.code = code


class ReasonNeeded(Exception):
    """The act needs a code or a sentence that was not given. `.what`: codes | text."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} must be given")
        self.what = what


class AlreadyAnswered(Exception):
    """The answer was given before and stands. `.answered` is the question or the notice."""

    def __init__(self, answered: CaseQuestion | Notice) -> None:
        super().__init__(f"{answered} was answered already")
        self.answered = answered


def lock(case: Case) -> Case:
    Case.objects.select_for_update().values_list("pk").get(pk=case.pk)
    return queries.cases().get(pk=case.pk)


def move_of(case: Case, act: str) -> Move:
    move = rules.move_for(case.standing, act)
    if move is None or (case.application.status == "withdrawn" and act != "close_withdrawn"):
        raise NotPossibleNow(act, case.standing)
    return move


def officer_of(officer: User) -> str:
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    return queries.actor_of(officer)


def apart_from(case: Case, officer: User) -> str:
    """An officer who has no part in the application. How the journal names them."""
    actor = officer_of(officer)
    if queries.is_own(case.application, officer):
        raise OwnApplication(case)
    return actor


def in_own_hands(case: Case, officer: User) -> str:
    actor = apart_from(case, officer)
    if case.assigned_to_id != officer.pk:
        raise NotYourCase(case)
    return actor


def record(
    case: Case, act: str, actor: str, now: dt.datetime, *, reason: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """The last thing that an act does: the journal's row, and what the queue goes by, as it is after the act."""
    journal.record(
        act=f"decide.{act}",
        actor=actor,
        subject=case.application.subject,
        now=now,
        reason=reason,
        detail={"case": str(case.pk), **(detail or {})},
    )
    if case.status == Status.OPEN:
        queue_columns.keep(case)


def write(case: Case, template: str, now: dt.datetime, **context: Any) -> None:
    application = case.application
    for reader in applications.readers_of(application):
        letters.write_letter(
            to=reader,
            template=template,
            about=application.subject,
            context={
                "reference": application.reference,
                "url": page_of(application),
                **applications.on_behalf(application),
                **context,
            },
            now=now,
        )


def page_of(application: Application) -> str:
    return reverse("portal:status", args=[application.reference])


def sentence(text: str) -> str:
    if not text.strip():
        raise ReasonNeeded("text")
    return text.strip()


def answer_of(case: Case, asked: CaseQuestion | Notice, text: str) -> str:
    """The words of an answer; papers alone are one too. Raises ReasonNeeded when there is neither."""
    if not text.strip() and applications.documents_of_answer(case.application, asked.subject).exists():
        return ""
    return sentence(text)


def usable(case: Case, code: str, kind: str) -> Reason:
    reason = case_clock.policy_of(case.application).reasons.get(code)
    if reason is None or reason.kind != kind or not reason.usable(settings.REASONS_TO_CONFIRM_ALLOWED):
        raise CodeNotUsable(code)
    return reason


def close(case: Case, status: Status, now: dt.datetime) -> None:
    case.status = status
    case.decided_at = now if status == Status.DECIDED else None
    case.closed_at = None if status == Status.DECIDED else now
    case.save(update_fields=["status", "decided_at", "closed_at", *queue_columns.forget(case)])
