"""Reminders: what runs out or is missing, when, who is told, and by which letter. A table; a new kind is one more row.

How many days before (for a missing proof: after sending) stands in the policy in force (`reminders`, by the name of the
row). Each reminder goes out once: the letters remember by `once`. Nobody is reminded on the day something was written
to them.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from rahdari import optional
from rahdari import policy as policies
from rahdari.apply import access
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.checks.models import Outcome
from rahdari.control import queries as proofs
from rahdari.db.queues import Queue, each_of
from rahdari.decide import case_clock
from rahdari.decide import due as decide_due
from rahdari.decide import queries as decisions
from rahdari.decide.models import CaseQuestion, Notice
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Registration

from .branch_letters import notify_branches

DAY = dt.timedelta(days=1)
GRACE_TOLD_WITHIN = 14 * DAY


@dataclass(frozen=True)
class Due:
    """Something of somebody's that runs out. `key` tells it from another of its kind about the same subject."""

    about: str
    key: str
    people: list[User]
    context: Mapping[str, Any]
    # The addresses of a registration, whose branches hear of it too.
    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reminder:
    """`of` is the row's name in the policy; `found` gives what runs out (or began) from `start` on and before `end`,
    `due` what there is to say of one on that day.
    """

    of: str
    template: str
    found: Callable[..., QuerySet[Any]]
    due: Callable[[Any, dt.datetime], Due | None]

    def start(self, number: int, now: dt.datetime) -> dt.datetime:
        """When the day begins that is looked at: so many days ahead; or back, for what is counted from its start."""
        return now - DAY * (number + 1) if self.of in policies.AFTER else now + DAY * (number - 1)


def _of_registration(registration: Registration, _day: dt.datetime) -> Due:
    return Due(
        about=f"registration:{registration.pk}",
        # Each term has reminders of its own.
        key=f":{registration.valid_until:%Y-%m-%d}",
        people=people.people_to_notify(registration.holder),
        context={
            "registration": registration.reference,
            "valid_until": registration.valid_until,
            "rests": registration.suspended_at is not None,
            "url": reverse("portal:renew", args=[registration.reference]),
        },
        origins=tuple({entry.subject for entry in entries.entries_of(registration) if entry.ended_at is None}),
    )


def _to_answer(row: CaseQuestion | Notice, day: dt.datetime) -> Due | None:
    """Nothing while the time has not begun, nor on a day that is not near its end: it was served later."""
    due_at = case_clock.answer_until(row)
    if due_at is None or due_at >= day + DAY:
        return None
    application = row.case.application
    page = "portal:notice" if isinstance(row, Notice) else "portal:question"
    return Due(
        about=application.subject,
        key=f":{row.pk}",
        people=access.readers_of(application),
        context={
            "reference": application.reference,
            "due_at": due_at,
            "url": reverse(page, kwargs={"reference": application.reference}),
            **access.on_behalf(application),
        },
    )


def _of_missing_proof(application: Application, _day: dt.datetime) -> Due | None:
    """Nothing of one that an officer has: their page asks the applicant for nothing."""
    waiting = {
        check.target
        for check in checks.checks_of(application.subject)
        if check.kind == "control" and check.outcome == Outcome.WAITING
    }
    waiting -= proofs.subjects_with_their_operators(waiting)
    if not waiting or decisions.case_of(application) is not None:
        return None
    missing = [row for row in applications.endpoints_of(application) if row.subject in waiting]
    return Due(
        about=application.subject,
        key="",
        people=access.readers_of(application),
        context={
            "reference": application.reference,
            "to_prove": [row.address_text for row in missing],
            "url": reverse("portal:prove_first", kwargs={"reference": application.reference}),
            **access.on_behalf(application),
        },
    )


TABLE: tuple[Reminder, ...] = (
    Reminder("registration", "registration_expires_soon", entries.expiring_between, _of_registration),
    Reminder("proof", "proof_missing", applications.sent_between, _of_missing_proof),
    Reminder("question", "reminder_to_answer", decide_due.questions_due_between, _to_answer),
    Reminder("notice", "reminder_to_answer", decide_due.notices_due_between, _to_answer),
)


def table() -> tuple[Reminder, ...]:
    return (*TABLE, *optional.given(__package__, "REMINDER"))


def remind(now: dt.datetime) -> int:
    """Tell people some days before something of theirs runs out, once each."""
    wanted = policies.current(settings.POLICY_FILE).reminders
    return sum(_remind(row, days, now) for row in table() for days in wanted.get(row.of, ()))


def _remind(row: Reminder, days: int, now: dt.datetime) -> int:
    start = row.start(days, now)

    def tell(each: Any, now: dt.datetime) -> int:
        due = row.due(each, start)
        return _tell(row, due, days, now) if due is not None else 0

    # On the day before a deadline very many end at once, and of each it is asked whether it was told.
    queue = Queue(f"workflow.reminding.remind {row.of} {days}", lambda _: row.found(start=start, end=start + DAY), tell)
    return queue(now)


@each_of(lambda now: entries.grace_begun_between(start=now - GRACE_TOLD_WITHIN, end=now))
def notify_of_grace(registration: Registration, now: dt.datetime) -> int:
    """The term is over and nobody has renewed: holders are told once that there is time still, and how much."""
    return sum(
        letters.write_once(
            to=person,
            template="registration_in_grace",
            about=f"registration:{registration.pk}",
            once=f"grace:{registration.valid_until:%Y-%m-%d}",
            context={
                "registration": registration.reference,
                "valid_until": registration.valid_until,
                "stays_until": registration.stays_until,
                "rests": registration.suspended_at is not None,
                "url": reverse("portal:renew", args=[registration.reference]),
            },
            now=now,
        )
        for person in people.people_to_notify(registration.holder)
    )


def _tell(row: Reminder, due: Due, days: int, now: dt.datetime) -> int:
    # The name that reminders of a term have had from the first release on: what was sent is not sent again.
    name = "expires" if row.of == "registration" else row.of
    sent = sum(
        letters.write_once(
            to=person,
            template=row.template,
            about=due.about,
            once=f"{name}:{days}{due.key}",
            context=due.context,
            now=now,
        )
        for person in due.people
    )
    if sent and due.origins:
        told = {name: due.context[name] for name in ("registration", "valid_until")}
        notify_branches(due.origins, "branch_expires_soon", told, now=now)
    return sent
