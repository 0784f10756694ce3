"""A policy asks for nothing that the installation leaves out (`RAHDARI_WITHOUT`)."""

from collections.abc import Callable, Mapping

from rahdari import optional

from .reading import Section
from .shapes import Policy, Service

# Sections that only an optional room carries out.
SECTIONS = {
    "remote_staff": "remote",
}
# And what of a service it does.
OF_SERVICES: Mapping[str, Callable[[Service], bool]] = {}


def judge_left_out(root: Section, policy: Policy) -> None:
    without = optional.left_out()
    for key, room in SECTIONS.items():
        if room in without and root.has(key):
            root.fault(_said(room), key)
    for room, asks in OF_SERVICES.items():
        for key, service in policy.services.items():
            if room in without and asks(service):
                root.section("services").fault(_said(room), key)


def _said(room: str) -> str:
    return (
        f"This asks for {optional.ROOMS[room]}, which this installation leaves out. Take it out of the file, "
        f"or take `{room}` out of RAHDARI_WITHOUT."
    )
