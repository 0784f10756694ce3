"""For whom the acts of the journal are news, and what an event says of them. Never who somebody is: an event names
the application, registration, invoice or connection, and a program comes for the rest with its token.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rahdari import optional
from rahdari.apply import subjects
from rahdari.apply.models import Application
from rahdari.incident import queries as incidents
from rahdari.journal import registry
from rahdari.journal.models import JournalEntry as Row
from rahdari.maintenance import queries as planned
from rahdari.maintenance.rules import Status
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.programs.schema import ID, TRUTH, Json, choice, closed, text, whole
from rahdari.register import queries as register
from rahdari.register.models import Registration


@dataclass(frozen=True)
class News:
    """What happened, to be told to these people."""

    event: str
    to: list[User]
    data: dict[str, Any] = field(default_factory=dict)


TEST = "test"
# By the act that raises it, as its room declares it.
ACTS = registry.events()
EVENTS = tuple(sorted({event.name for event in ACTS.values()}))

_MEMBERS: dict[str, Json] = {
    "application": text(40),
    "registration": text(40),
    "invoice": text(40),
    "attestation": text(40),
    "incident": text(40),
    "endpoint": ID,
    "connection": ID,
    "question": ID,
    "part": ID,
    "line": whole(1, 1_000_000),
    "notice": text(12),
    "sequence": whole(0, 1_000_000),
    "status": choice(*Status),
    "awaiting": choice("answer", "comment"),
    "outcome": choice("granted", "refused"),
    "provisionally": TRUTH,
    "answer": choice("yes"),
    "reason": text(60),
    "came_to": text(40),
}
# What events say, by the first word of their name or by all of it; `?` behind what may be missing.
_SAID = {
    "application": "application",
    "application.awaiting": "application awaiting",
    "application.decided": "application outcome provisionally?",
    "endpoint": "application endpoint",
    "invoice": "application invoice",
    "registration": "registration",
    "dyndns": "registration connection",
    "mobile": "application? registration? answer? reason?",
    "planned_work": "registration notice sequence status",
    "remote": "registration line",
    "sharing": "part",
    "sharing.asked": "question",
    "sharing.ended": "application endpoint came_to",
    "appeal": "application",
    "attestation": "attestation",
    "attestation.revoked": "attestation reason",
    "incident": "incident",
    "incident.answered": "incident reason",
    TEST: "",
}


def members_of(event: str) -> tuple[list[str], list[str]]:
    """The members of `data` that are always there, and those that may be."""
    names = _SAID.get(event, _SAID.get(event.partition(".")[0], "")).split()
    return [name for name in names if name[-1] != "?"], [name[:-1] for name in names if name[-1] == "?"]


def shape_of(event: str) -> Json:
    """`data` of this event, as a schema."""
    needed, maybe = members_of(event)
    return closed({name: _MEMBERS[name] for name in needed}, {name: _MEMBERS[name] for name in maybe})


def news_of(row: Row) -> News | None:
    """None for what is about nobody's, or no longer there."""
    event = ACTS[row.act]
    if event.name == "invoice.paid" and not row.detail.get("paid"):
        return None
    kind = "matter" if "matter" in row.detail else row.subject.partition(":")[0]
    about = next((each[kind] for each in (ABOUT, *optional.given(__package__, "ABOUT")) if kind in each), None)
    found = about(row) if about is not None else None
    if found is None:
        return None
    to, data = found
    why = {"reason": row.reason} if event.tells_reason else {}
    return News(event.name, to, data | dict(event.says) | why) if to else None


type About = tuple[list[User], dict[str, Any]] | None


def _application(row: Row) -> About:
    found = subjects.application_by_subject(row.subject)
    if found is None:
        return None
    number = row.detail.get("invoice") if row.act.startswith("fees.") else None
    act = Act.INVOICES if number else Act.PAPERS
    return _working_on(found, act), {"application": found.reference} | ({"invoice": number} if number else {})


def _working_on(found: Application, act: Act) -> list[User]:
    """Whoever may do this with it: of an organisation by their role there."""
    if found.organisation is not None:
        return people.people_to_notify(found.organisation.holder_ref, act)
    return [found.applicant] if found.applicant.is_active else []


def _endpoint(row: Row) -> About:
    found = subjects.endpoint_by_subject(row.subject)
    if found is None:
        return None
    data = {"application": found.application.reference, "endpoint": str(found.pk)}
    # Of whoever asked to share it: what that came to.
    came_to = {"came_to": row.detail["answer"]} if row.act.startswith("share.") else {}
    return _working_on(found.application, Act.PROVE), data | came_to


def _registration(row: Row) -> About:
    found = register.registration_by_id(row.subject.partition(":")[2])
    if found is None:
        return None
    if row.act.startswith("remote."):  # of a line at home its number, and nothing else
        to = people.people_to_notify(found.holder, Act.ADDRESSES)
        return to, {"registration": found.reference, "line": row.detail["number"]}
    return about_registration(found)


def _notice(row: Row) -> About:
    """What a consumer was told of planned work: its own registration, and no other's."""
    found = planned.notice_by_id(row.subject.partition(":")[2])
    if found is None:
        return None
    to, data = about_registration(found.registration)
    said = {"notice": row.detail["work"], "sequence": row.detail["sequence"], "status": row.detail["status"]}
    return to, data | said


def about_registration(found: Registration) -> tuple[list[User], dict[str, Any]]:
    return people.people_to_notify(found.holder), {"registration": found.reference}


def _incident(row: Row) -> About:
    """Everybody whose connection it is about. Who else that is, no event says."""
    holders = incidents.holders_of(row.subject.partition(":")[2])
    to = {user.pk: user for holder in holders for user in people.people_to_notify(holder)}
    return list(to.values()), {"incident": row.detail["incident"]}


ABOUT: dict[str, Callable[[Row], About]] = {
    "application": _application,
    "endpoint": _endpoint,
    "registration": _registration,
    "incident": _incident,
    "notice": _notice,
}
