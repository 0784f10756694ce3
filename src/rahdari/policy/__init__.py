"""The regulator's rules as data: services, documents, fees, clocks, checks, reason codes, calendar. No Django here.

Another regulator changes a file, never this code. What no file may change is enforced by `building` (see there) and
listed in docs/policy.md.
"""

from .associations import Association, Attesting, Choice, Claim
from .beyond import asked_by, asked_of
from .clock import (
    Allowance,
    Calendar,
    CalendarNeverOpens,
    Holiday,
    Pause,
    Season,
    Slot,
    Week,
    add,
    due_at,
    office_time,
    remaining,
    used_at,
    used_share,
)
from .desk_queues import DeskQueue
from .guards import GUARDS
from .incidents import Incidents
from .inviting import Inviting
from .licensees import Licence, Licensee, Licensees, Term
from .loading import BUNDLED, SHIPPED, PolicyError, current, freeze, load, read, read_licensees, thaw
from .maintenance import Maintenance
from .measuring import Measuring
from .proof_shapes import Proof, ProofMethod
from .quiet_hours import AFTER
from .reading import Problem
from .remote_staff import RemoteStaff
from .retention import Retention
from .second_looks import SecondLooks
from .shapes import (
    READ,
    CheckRule,
    DocumentRule,
    DyndnsRules,
    EvidenceKind,
    Fee,
    FeeTerms,
    Forum,
    Instrument,
    Limits,
    Policy,
    Provision,
    Provisionally,
    ProvisionalTerm,
    QuietHours,
    Reason,
    Remedy,
    Service,
    SignedItem,
    Text,
    Vouching,
)
from .sharing import Sharing
from .still_right import StillRight, still_right_of
from .unregistered import Unregistered
from .urgent import Urgent

__all__ = [
    "AFTER",
    "BUNDLED",
    "GUARDS",
    "READ",
    "SHIPPED",
    "Allowance",
    "Association",
    "Attesting",
    "Calendar",
    "CalendarNeverOpens",
    "CheckRule",
    "Choice",
    "Claim",
    "DeskQueue",
    "DocumentRule",
    "DyndnsRules",
    "EvidenceKind",
    "Fee",
    "FeeTerms",
    "Forum",
    "Holiday",
    "Incidents",
    "Instrument",
    "Inviting",
    "Licence",
    "Licensee",
    "Licensees",
    "Limits",
    "Maintenance",
    "Measuring",
    "Pause",
    "Policy",
    "PolicyError",
    "Problem",
    "Proof",
    "ProofMethod",
    "Provision",
    "ProvisionalTerm",
    "Provisionally",
    "QuietHours",
    "Reason",
    "Remedy",
    "RemoteStaff",
    "Retention",
    "Season",
    "SecondLooks",
    "Service",
    "Sharing",
    "SignedItem",
    "Slot",
    "StillRight",
    "Term",
    "Text",
    "Unregistered",
    "Urgent",
    "Vouching",
    "Week",
    "add",
    "asked_by",
    "asked_of",
    "current",
    "due_at",
    "freeze",
    "load",
    "office_time",
    "read",
    "read_licensees",
    "remaining",
    "still_right_of",
    "thaw",
    "used_at",
    "used_share",
]
