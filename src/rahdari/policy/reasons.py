"""The reason codes: what may be used against somebody, by whom, on what ground, with what remedy."""

from collections.abc import Mapping

from .clock import Allowance
from .reading import Section
from .shapes import KINDS, STATUSES, Instrument, Reason, Remedy, Text

# What may have to stand in the file before a code is used: what somebody said, sent, proved, paid or ordered. Nothing
# here counts users, flows or destinations, and what is not here is no evidence (ADR 0022).
EVIDENCE = frozenset(
    """page_and_fault asked_and_shown masked_answer answer_so_far mandate_on_file proof_and_request missing_paper
    old_and_new attempts roster_query signed_answer statement_and_proof identity_result own_words what_was_offered
    range_and_registry count_and_invoice date_and_reminders answer_and_reproof signed_in_request report_or_proofs
    report_answer_hearing register_extract certified_copy""".split()
)


def reason_from(
    code: str,
    section: Section,
    clocks: Mapping[str, Allowance],
    instruments: Mapping[str, Instrument],
    remedies: Mapping[str, Remedy],
    evidence: Mapping[str, Text],
    guards: tuple[str, ...],
) -> Reason:
    """A reason code with all that rests on it. A name that the file does not define is a fault."""
    decided_by = section.section("decided_by")
    notice = decided_by.string("notice", "")
    if notice and notice not in clocks:
        decided_by.fault(f"There is no clock {notice!r}.", "notice")
    reason = Reason(
        code=code,
        kind=section.choice("kind", KINDS),
        ground=section.choice("ground", ("finding", "request", "term", "order"), "finding"),
        text=section.both("text"),
        advice=section.text("advice", optional=True),
        provisions=section.words("provisions", ()),
        remedies=section.words("remedies", ()),
        evidence=section.words("evidence", ()),
        rank=decided_by.choice("rank", ("officer", "director"), "officer"),
        by_rule=decided_by.yes("rule", False),
        second_officer=decided_by.yes("second_officer", False),
        notice=clocks.get(notice),
        status=section.choice("status", STATUSES),
        before_hearing=decided_by.yes("before_hearing", False),
    )
    for listed, known, noun in (("remedies", remedies, "remedy"), ("evidence", evidence, "kind of evidence")):
        for key in getattr(reason, listed):
            if key not in known:
                section.fault(f"There is no {noun} {key!r}.", listed)
    for reference in reason.provisions:
        key, colon, place = reference.partition(":")
        if key not in instruments or not colon or not place:
            section.fault(
                f"{reference!r} does not point to an instrument and a place in it, like telecom_act:6(d).", "provisions"
            )
    if reason.is_adverse:
        if not reason.provisions:
            section.fault("A code that goes against somebody must name its provision.", "provisions")
        if not reason.remedies:
            section.fault("A code that goes against somebody must name at least one remedy.", "remedies")
        if not reason.evidence:
            section.fault("A code that goes against somebody must say what has to stand in the file.", "evidence")
        if reason.by_rule:
            decided_by.fault(
                "A rule may grant, never refuse: only an officer may use a code that goes against somebody.", "rule"
            )
    _needs_guards(reason, decided_by, guards)
    decided_by.done()
    section.done()
    return reason


def _needs_guards(reason: Reason, section: Section, guards: tuple[str, ...]) -> None:
    needed = {
        "notice_before_refusal": reason.kind == "refusal" and reason.notice is not None,
        "second_officer": reason.kind == "refusal" and reason.second_officer,
        "director_rank": reason.kind == "refusal" and reason.rank == "director",
    }
    for guard, is_needed in needed.items():
        if is_needed and guard not in guards:
            section.fault(f"This code relies on the guard {guard!r}, which the list of guards does not name.")
    if reason.kind == "refusal" and not (reason.second_officer and reason.notice):
        section.fault("A refusal takes a notice with time to answer and a second officer: name both here.")
