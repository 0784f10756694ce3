"""A suspension that begins before its holder is heard: off, unless a law officer turns it on.

Invariants: it lasts 72 hours at most; each code by which it may begin is confirmed, names what an officer finds, and
needs no evidence that is there only after the hearing; and a law officer has signed that there is a power for it. What
is off has no code.
"""

from .reading import Section
from .shapes import Policy, Reason

# The clock, and the question that whoever signs has answered with it.
CLOCK, SIGNED_BY = "suspension_before_hearing", "item_5"
# The database holds it too.
MOST_HOURS = 72
# Evidence that is only there once the holder was heard.
AFTER_HEARING = "report_answer_hearing"


def judge_before_hearing(root: Section, policy: Policy) -> None:
    lasts = policy.before_hearing
    codes = [reason for reason in policy.reasons.values() if reason.before_hearing]

    def fault(message: str, *path: str) -> None:
        root.faults.add(path, message)

    if lasts is None:
        for reason in codes:
            fault(f"This is off: turn the clock {CLOCK} on first.", "reasons", reason.code, "decided_by")
        return
    if lasts.unit != "hours" or lasts.length > MOST_HOURS:
        fault(f"A suspension before a hearing is counted in hours, {MOST_HOURS} at most.", "clocks", CLOCK)
    if not codes:
        fault("Say by which codes: before_hearing = true in decided_by.", "clocks", CLOCK)
    for reason in codes:
        if not _may_begin_before_hearing(reason):
            fault(
                "Only a confirmed code of a suspension for what an officer finds, with a notice and a second officer, "
                "may begin before a hearing.",
                *("reasons", reason.code, "decided_by"),
            )
        if AFTER_HEARING in reason.evidence:
            fault(
                f"This code needs {AFTER_HEARING} in the file, which is there only after the hearing: it cannot be "
                "used before one.",
                *("reasons", reason.code, "decided_by"),
            )
    signed = policy.signed.get(SIGNED_BY)
    if signed is None or not signed.is_signed:
        fault(
            f"No law officer has signed that there is a power for this: name, office, on, in {SIGNED_BY}.",
            *("clocks", CLOCK),
        )


def _may_begin_before_hearing(reason: Reason) -> bool:
    is_suspension = reason.kind == "suspension" and reason.ground == "finding" and reason.status == "confirmed"
    return is_suspension and reason.second_officer and reason.notice is not None
