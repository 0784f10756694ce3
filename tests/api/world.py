"""Everything a person can have, for tests that walk the whole API: applications in every state, what is registered,
letters, invoices.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from rahdari.apply import actions as apply
from rahdari.apply.models import Application, Document, Endpoint
from rahdari.people.models import User
from tests.apply.sample import a_photo
from tests.portal import story


@dataclass
class World:
    """`places` are the values that vary in addresses, by name: those of this person that are there."""

    person: User
    places: dict[str, list[str]] = field(default_factory=dict)


def the_world(person: User | None = None) -> World:
    person = person or story.a_person()
    found = World(person)
    drafts = [story.a_draft(person), with_document(story.a_full_draft(person))]
    sent = [
        story.a_case(person).application,
        story.a_question(person).application,
        story.a_notice(person).application,
        story.a_refusal(person).application,
    ]
    granted = story.a_granted_application(person)
    applications = [*drafts, *sent, granted]
    found.places = {
        "reference": [each.reference for each in applications],
        "endpoint": ids(Endpoint, applications),
        "document": ids(Document, applications),
        "key": ["vpn_freelancer", "vpn_company", "no_such"],
    }
    return found


def ids(model: Any, applications: list[Application]) -> list[str]:
    return [str(pk) for pk in model.objects.filter(application__in=applications).values_list("pk", flat=True)]


def with_document(application: Application) -> Application:
    apply.attach_document(
        application=application,
        rule="evidence",
        name="contract.jpg",
        content=a_photo(),
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return story.fresh(application)


def nothing(name: str) -> str:
    """A value of this kind that names nothing."""
    return "A-2611-AAAA-AAAA" if name in {"reference", "number", "key"} else str(uuid.uuid4())
