"""A policy asks for nothing that the installation leaves out (`RAHDARI_WITHOUT`)."""

from rahdari import optional

from .reading import Section
from .shapes import Policy

# Sections that only an optional room carries out.
SECTIONS = {
    "remote_staff": "remote",
    "fees": "fees",
    "sharing": "share",
    "attesting": "attest",
    "dyndns": "dyndns",
    "urgent": "urgent",
}


def judge_left_out(root: Section, policy: Policy) -> None:
    """Fault each section and setting that needs a room which this installation leaves out."""
    without = optional.left_out()
    for key, room in SECTIONS.items():
        if room in without and root.has(key):
            root.fault(words(room), key)
    if "sms" in without and policy.quiet_hours is not None and "sms" in policy.quiet_hours.channels:
        root.fault(words("sms"), "quiet_hours")
    # One view is the own.
    if "vantage" in without and policy.vantage.needed > 1:
        root.fault(words("vantage"), "vantage")


def words(room: str) -> str:
    """What a file is told that asks for this room."""
    return (
        f"This asks for {optional.ROOMS[room]}, which this installation leaves out. Take it out of the file, "
        f"or take `{room}` out of RAHDARI_WITHOUT."
    )
