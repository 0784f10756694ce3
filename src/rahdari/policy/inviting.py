"""How bodies invite their people to register. From the section `inviting`; a file without it lets nobody invite.

No file may let a campaign grow beyond `MOST_LINKS` or last beyond `LONGEST`: a list that was stolen reaches so many.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .reading import Section
from .shapes import Service

MOST_LINKS = 20_000
LONGEST = timedelta(days=180)
WHOM = ("members", "customers", "students", "staff")


@dataclass(frozen=True, slots=True)
class Inviting:
    """`most_links`: of one campaign. `most_running`, `most_in_year`: campaigns of one body. `whom`: by service, whom a
    body that is registered under it may invite; an association invites its members."""

    most_links: int
    longest: timedelta
    most_running: int
    most_in_year: int
    whom: Mapping[str, tuple[str, ...]]


def inviting_from(section: Section, services: Mapping[str, Service]) -> Inviting:
    whom = section.section("whom")
    found = Inviting(
        most_links=section.whole("most_links", least=1, most=MOST_LINKS),
        longest=section.span("longest"),
        most_running=section.whole("most_running", least=1, most=20),
        most_in_year=section.whole("most_in_year", least=1, most=100),
        whom={key: whom.words(key) for key in services if whom.has(key)},
    )
    for key, invited in found.whom.items():
        for word in set(invited) - set(WHOM):
            whom.fault(f"{word!r} is not one of: {', '.join(WHOM)}.", key)
        if services[key].holder != "organisation":
            whom.fault("A person invites nobody: only a service for organisations stands here.", key)
    if not timedelta(days=1) <= found.longest <= LONGEST:
        section.fault("A campaign lasts a day at least and 180 days at most.", "longest")
    whom.done()
    section.done()
    return found
