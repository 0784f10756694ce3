"""Reminders: what runs out, when, who is told, and by which letter. A table; a new kind is one more row.

How many days before stands in the policy in force (`reminders`, by the name of the row). Each reminder goes out once:
the letters remember by `once`. Nobody is reminded on the day something was written to them.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from rahdari import policy as policies
from rahdari.apply import queries as applications
from rahdari.attest import queries as attested
from rahdari.decide import queries as decisions
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.rules import Standing

from .branching import tell_branches
from .step import AT_ONCE, one_item

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
    """`of` is the row's name in the policy; `due` gives what runs out from `start` on and before `end`."""

    of: str
    template: str
    due: Callable[[dt.datetime, dt.datetime], Iterable[Due]]


def registrations(start: dt.datetime, end: dt.datetime) -> Iterable[Due]:
    for registration in entries.expiring_between(start=start, end=end)[:AT_ONCE]:
        yield Due(
            about=f"registration:{registration.pk}",
            # Each term has reminders of its own.
            key=f":{registration.valid_until:%Y-%m-%d}",
            people=people.people_to_tell(registration.holder),
            context={
                "registration": registration.reference,
                "valid_until": registration.valid_until,
                "url": reverse("portal:renew", args=[registration.reference]),
            },
            origins=tuple(entry.origin for entry in entries.entries_of(registration) if entry.ended_at is None),
        )


def questions(start: dt.datetime, end: dt.datetime) -> Iterable[Due]:
    for question in decisions.questions_due_between(start, end)[:AT_ONCE]:
        application = question.case.application
        yield Due(
            about=application.subject,
            key=f":{question.pk}",
            people=applications.readers_of(application),
            context={
                "reference": application.reference,
                "due_at": decisions.question_due_at(question),
                "url": reverse("portal:question", kwargs={"reference": application.reference}),
                **applications.on_behalf(application),
            },
        )


def notices(start: dt.datetime, end: dt.datetime) -> Iterable[Due]:
    for notice in decisions.notices_due_between(start, end)[:AT_ONCE]:
        application = notice.case.application
        yield Due(
            about=application.subject,
            key=f":{notice.pk}",
            people=applications.readers_of(application),
            context={
                "reference": application.reference,
                "due_at": decisions.notice_due_at(notice),
                "url": reverse("portal:notice", kwargs={"reference": application.reference}),
                **applications.on_behalf(application),
            },
        )


def attestations(start: dt.datetime, end: dt.datetime) -> Iterable[Due]:
    """What an association said ends: the registration stands, and its renewal will rest on something else."""
    attesting = applications.policy_in_force().attesting
    for use in attested.uses_ending_between(start=start, end=end)[:AT_ONCE]:
        application = applications.application_by_subject(use.subject)
        if application is None or attesting is None:
            continue
        registration = application.registration or entries.registration_from(application.subject)
        if registration is None or entries.standing(registration, start) is not Standing.VALID:
            continue
        last = applications.last_granted_for(registration)
        if last is None or last.pk != application.pk:
            continue  # it rests on a later application, maybe on another attestation
        association = attesting.association(use.attestation.association)
        yield Due(
            about=application.subject,
            key=f":{use.attestation.number}:{use.attestation.valid_until:%Y-%m-%d}",
            people=people.people_to_tell(application.holder_ref),
            context={
                "registration": registration.reference,
                "valid_until": registration.valid_until,
                "association": association.title if association else use.attestation.association,
                "until": use.attestation.valid_until,
                "url": reverse("attest:theirs", args=[use.attestation.number]),
            },
        )


TABLE: tuple[Reminder, ...] = (
    Reminder("registration", "registration_expires_soon", registrations),
    Reminder("question", "reminder_to_answer", questions),
    Reminder("notice", "reminder_to_answer", notices),
    Reminder("attestation", "attestation_ends_soon", attestations),
)


def remind(now: dt.datetime) -> int:
    """Tell people some days before something of theirs runs out, once each."""
    sent = 0
    wanted = policies.current(settings.POLICY_FILE).reminders
    for row in TABLE:
        for days in wanted.get(row.of, ()):
            start = now + DAY * (days - 1)
            for due in row.due(start, start + DAY):
                with one_item(due.about):
                    sent += _tell(row, due, days, now)
    return sent


def tell_of_grace(now: dt.datetime) -> int:
    """The term is over and nobody has renewed: holders are told once that there is time still, and how much."""
    sent = 0
    for registration in entries.grace_begun_between(start=now - GRACE_TOLD_WITHIN, end=now)[:AT_ONCE]:
        with one_item(f"registration:{registration.pk}"):
            for person in people.people_to_tell(registration.holder):
                sent += letters.write_once(
                    to=person,
                    template="registration_in_grace",
                    about=f"registration:{registration.pk}",
                    once=f"grace:{registration.valid_until:%Y-%m-%d}",
                    context={
                        "registration": registration.reference,
                        "valid_until": registration.valid_until,
                        "stays_until": registration.stays_until,
                        "url": reverse("portal:renew", args=[registration.reference]),
                    },
                    now=now,
                )
    return sent


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
        tell_branches(due.origins, "branch_expires_soon", told, now=now)
    return sent
