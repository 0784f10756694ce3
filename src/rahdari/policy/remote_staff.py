"""People who work from home over an organisation's gateway, from the section `remote_staff`.

A file without it has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .reading import Section
from .shapes import Service


@dataclass(frozen=True, slots=True)
class RemoteStaff:
    """People who work from home over an organisation's gateway: of which services, and how many lines of theirs."""

    services: tuple[str, ...]
    most_lines: int
    link_valid: timedelta
    change_every: timedelta


def remote_staff_from(section: Section, services: Mapping[str, Service]) -> RemoteStaff:
    """The rules for lines at home. Only services that an organisation holds, and that are free, may have them."""
    rules = RemoteStaff(
        services=section.words("services"),
        most_lines=section.whole("most_lines", least=1, most=100_000),
        link_valid=section.span("link_valid"),
        change_every=section.span("change_every"),
    )
    for key in rules.services:
        service = services.get(key)
        if service is None:
            section.fault(f"There is no service {key!r}.", "services")
        elif service.holder != "organisation" or service.fee.rule != "free":
            section.fault("Lines at home belong to an organisation, and nobody is charged for them.", "services")
    section.done()
    return rules
