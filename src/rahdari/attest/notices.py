"""Letters to the people of an association: something waits for its answer. They name nobody."""

import datetime as dt

from django.urls import reverse

from rahdari.letters import actions as letters
from rahdari.people import queries as people

from . import queries


def notify_association(association: str, *, due_at: dt.datetime, now: dt.datetime) -> None:
    """One letter a day at most to each of them, however much waits."""
    attesting = queries.attesting()
    found = attesting.association(association) if attesting else None
    for person in people.people_of_association(association):
        letters.write_once(
            to=person,
            template="association_asked",
            about=f"association:{association}",
            once=f"asked:{queries.day_of(now):%Y%m%d}",
            context={
                "association": found.title if found else association,
                "due_at": due_at,
                "url": reverse("attest:members"),
            },
            now=now,
        )
