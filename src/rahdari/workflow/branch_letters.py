"""Who looks after the line of a branch hears of it, too: by a letter to the address that the organisation gave."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from rahdari.apply import queries as applications
from rahdari.apply import subjects
from rahdari.letters import actions as letters
from rahdari.people.models import Branch

# After this a letter is no use any more.
USELESS_AFTER = dt.timedelta(days=7)


def notify_branches(origins: Iterable[str], template: str, context: dict[str, Any], *, now: dt.datetime) -> int:
    """Write to the contacts of the branches that these addresses belong to, once for each branch. Returns how many."""
    found: dict[object, Branch] = {}
    for endpoint in subjects.endpoints_by_subjects(origins).values():
        branch = endpoint.branch
        if branch is not None and branch.ended_at is None and branch.contact_email:
            found[branch.pk] = branch
    for branch in found.values():
        letters.write_to_outsider(
            address=branch.contact_email,
            language=applications.language_of(branch.organisation),
            template=template,
            context={
                "organisation": branch.organisation.name,
                "branch": branch.name,
                "url": reverse("portal:check_number"),
                **context,
            },
            expires_at=now + USELESS_AFTER,
            now=now,
        )
    return len(found)
