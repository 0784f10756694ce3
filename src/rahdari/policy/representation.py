"""What ties an applicant to the number that they give: within which times it is shown, and answered.

The numbers of companies are public, and those of cards and members are known to many: a number alone is nobody's.
"""

from dataclasses import dataclass

from .clock import Allowance
from .reading import Section


@dataclass(frozen=True, slots=True)
class Representing:
    """`show_within`: how long the applicant has, before an officer looks; `answer_within`: how long those have who are
    registered under the number already and are asked besides, unseen by the applicant; `object_within`: how long the
    contact on the list has to say no, before what comes from a mailbox at its domain goes on without its word."""

    show_within: Allowance
    answer_within: Allowance
    object_within: Allowance


# Where a policy does not say it.
OBJECT_WITHIN = Allowance(length=2, unit="working_days", basis="proposal")


def representing_from(section: Section) -> Representing:
    found = Representing(
        show_within=section.allowance("show_within"),
        answer_within=section.allowance("answer_within"),
        object_within=section.allowance("object_within") if section.has("object_within") else OBJECT_WITHIN,
    )
    section.done()
    return found
