"""How endpoints are measured whose holders agree to it, from the section `watch`. A file without it measures nobody."""

from dataclasses import dataclass
from datetime import timedelta

from .reading import Section

# Two looks in a row are at least so far apart: what the verdicts make of "twice in a row" rests on it.
LEAST = timedelta(minutes=5)
# Of a file that does not say.
ASKED_EVERY = timedelta(minutes=10)
PERSONS_LEAST = timedelta(hours=1)
PERSONS_KEPT_AT_MOST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Measuring:
    """How often an endpoint is looked at, of an organisation and of a person, and how often its holder may ask for one
    look besides; how many looks a minute in all; and how long what was seen is kept."""

    every: timedelta
    persons_every: timedelta
    most_a_minute: int
    kept: timedelta
    persons_kept: timedelta
    asked_every: timedelta = ASKED_EVERY


def measuring_from(section: Section) -> Measuring:
    rules = Measuring(
        every=section.span("every"),
        persons_every=section.span("persons_every"),
        most_a_minute=section.whole("most_a_minute", least=1, most=1_000_000),
        kept=section.span("kept"),
        persons_kept=section.span("persons_kept"),
        asked_every=section.span("asked_every") if section.has("asked_every") else ASKED_EVERY,
    )
    if rules.every < LEAST:
        section.fault("An endpoint is looked at every 5 minutes at most.", "every")
    if rules.asked_every < LEAST:
        section.fault("A holder may ask for a look every 5 minutes at most.", "asked_every")
    if rules.persons_every < PERSONS_LEAST:
        section.fault("The endpoint of a person is looked at once an hour at most.", "persons_every")
    if rules.persons_kept > PERSONS_KEPT_AT_MOST:
        section.fault("What was seen of a person's endpoint is kept for 30 days at most.", "persons_kept")
    section.done()
    return rules
