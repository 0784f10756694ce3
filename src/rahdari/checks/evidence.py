"""The shape of what is kept of a check: the facts that it is answered from, and what its answer rests on.

Both are kept as JSON. Times are in ISO 8601, as are days; what is said to people is there in both languages. None of it
holds a name, a number of a person, or an address of email.
"""

from typing import Any, Literal, TypedDict


class Both(TypedDict):
    """Words in both languages."""

    en: str
    ur: str


class Facts(TypedDict, total=False):
    """What is needed to answer a check again, and how far somebody has come who is asked."""

    # Of an address: the block, whose control is shown when it is not the target's, and whose entries are no obstacle.
    block: str
    control_subject: str
    holder: str
    asked_to_share: bool
    # Of a roster: the row that was found, what it says, and how the contact there can be reached.
    roster: str
    number_given: bool
    imported_on: str
    row: str
    active: bool
    valid_until: str | None
    name_agrees: str
    by_contact: bool
    channels: list[str]
    by_mail: str  # contact | domain
    shown: bool  # the code of the contact came back
    # Of a card: its number is compared when the address is proved.
    card: bool
    unproved: bool  # of a company, the same
    # Of a code to that contact.
    sent: int
    sent_at: str
    to: Literal["email", "mobile"]
    tries: int
    to_nobody: bool  # nothing went out, and the applicant is not told so
    # Of what that contact was told without being asked for a code, and what it said.
    told_at: str
    contact: Literal["yes", "no"]
    named: "Evidence"  # what an association said, which counts if the contact does not say no
    asked_at: str  # when
    until: str  # until when the applicant, or that contact, has time
    # Of those who are registered under the number, for them and for officers: which organisations were asked, until
    # when they should answer, and what they said.
    asked: list[str]
    answer_until: str
    answer: str  # yes | no
    # Of documents.
    given: int
    needed: int
    awaits_stronger: bool
    to_be_read: bool
    seen_with: str
    # What is known is enough for a while.
    provisional: bool
    # The time of the file was over.
    erased: bool


class Evidence(TypedDict, total=False):
    """What an answer rests on, as far as its kind of check has it."""

    # When the answer came to us, where that is not when it was given.
    came_at: str | None
    before: "Before"
    # control
    proved_at: str
    method: str
    attempts: int
    # not_registered
    block: str
    entries: list[str]
    sharer: str
    since: str
    # origin
    asn: int
    prefix: str
    rpki: dict[str, Any]
    # roster, represents
    roster: str
    imported_on: str | None
    name: str
    valid_until: str
    channel: str
    told_at: str
    tie: str  # the finding that ties the applicant to the number, where that is not enough
    # documents
    given: int
    needed: int
    seen_with: str
    kind: str
    # employer
    domain: str
    answered_at: str
    # operator, mobile_line, and control by an operator's word
    operator: str
    question: str
    answer: str
    reason: str
    why: Both | str
    at: str | None
    asked_at: str | None
    # attestation
    association: Both
    claim: Both
    attestation: str
    valid_from: str
    weight: str
    shown_by: str  # what shows that the applicant is the one attested; not there: officers alone read of it
    # fee
    addresses: int
    invoice: str
    amount: str
    currency: str
    paid_at: str


class Before(TypedDict):
    """An answer that another one took the place of."""

    outcome: str
    finding: str
    evidence: Evidence
    answered_at: str | None
    answered_by: str
