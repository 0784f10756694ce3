"""How two holders come to share one address, as values, and as they are read."""

from dataclasses import dataclass
from datetime import timedelta

from .reading import Section


@dataclass(frozen=True, slots=True)
class Sharing:
    """How whoever has an address is asked to share it, and with how much notice a consent is withdrawn."""

    answer_within: timedelta
    remind_after: timedelta
    again_after: timedelta
    notice: timedelta
    name_kept: timedelta


def sharing_from(section: Section) -> Sharing:
    found = Sharing(
        answer_within=section.span("answer_within"),
        remind_after=section.span("remind_after"),
        again_after=section.span("again_after"),
        notice=section.span("notice"),
        name_kept=section.span("name_kept"),
    )
    if found.remind_after >= found.answer_within:
        section.fault("The reminder must come before the time to answer ends.", "remind_after")
    section.done()
    return found
