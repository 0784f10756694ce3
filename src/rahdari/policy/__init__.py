"""The regulator's rules as data: services, documents, fees, clocks, checks, reason codes, calendar. No Django here.

Another regulator changes a file, never this code. What no file may change is enforced by `building` (see there) and
listed in docs/policy.md.
"""

from .clock import (
    Allowance,
    Calendar,
    CalendarNeverOpens,
    Holiday,
    Pause,
    Season,
    Slot,
    add,
    due_at,
    office_time,
    remaining,
    used_share,
)
from .guards import GUARDS
from .loading import BUNDLED, PolicyError, current, freeze, load, read, thaw
from .reading import Problem
from .shapes import (
    CheckRule,
    DocumentRule,
    EvidenceKind,
    Fee,
    FeeTerms,
    Forum,
    Instrument,
    Limits,
    Policy,
    Provision,
    QuietHours,
    Reason,
    Remedy,
    Retention,
    Service,
    SignedItem,
    Text,
)

__all__ = [
    "BUNDLED",
    "GUARDS",
    "Allowance",
    "Calendar",
    "CalendarNeverOpens",
    "CheckRule",
    "DocumentRule",
    "EvidenceKind",
    "Fee",
    "FeeTerms",
    "Forum",
    "Holiday",
    "Instrument",
    "Limits",
    "Pause",
    "Policy",
    "PolicyError",
    "Problem",
    "Provision",
    "QuietHours",
    "Reason",
    "Remedy",
    "Retention",
    "Season",
    "Service",
    "SignedItem",
    "Slot",
    "Text",
    "add",
    "current",
    "due_at",
    "freeze",
    "load",
    "office_time",
    "read",
    "remaining",
    "thaw",
    "used_share",
]
