"""The services: what each asks for, checks, costs, and how long it lasts."""

from collections.abc import Mapping

from .clock import Allowance
from .reading import BASES, Section
from .shapes import CHECK_KINDS, ROSTERS, CheckRule, DocumentRule, EvidenceKind, Fee, Reason, Service


def service_from(key: str, section: Section, clocks: Mapping[str, Allowance], reasons: Mapping[str, Reason]) -> Service:
    clock = section.string("clock", filled=True)
    if clock not in clocks:
        section.fault(f"There is no clock {clock!r}.", "clock")
    service = Service(
        key=key,
        title=section.both("title"),
        short=section.both("short"),
        hint=section.both("hint"),
        open=section.yes("open"),
        holder=section.choice("holder", ("organisation", "person")),
        documents=tuple(_document(row) for row in section.rows("documents")),
        fee=_fee(section.section("fee")),
        validity_months=section.whole("validity_months", least=1, most=240),
        validity_basis=section.choice("validity_basis", BASES),
        clock=clock,
        checks=tuple(_check(row, reasons) for row in section.rows("checks")),
        evidence=tuple(_evidence_kind(row) for row in section.rows("evidence")),
    )
    if not any(check.required for check in service.checks):
        section.fault("A service needs at least one required check: otherwise a rule would grant everything.", "checks")
    asks = any(check.kind == "fee" for check in service.checks)
    if asks == (service.fee.rule == "free"):
        section.fault(
            "A service that may cost something has a check of kind fee, and one that is free has none.", "checks"
        )
    if any(check.kind == "documents" for check in service.checks) and not (service.documents or service.evidence):
        section.fault("A check asks for documents, but the service accepts no document and no evidence.", "checks")
    section.done()
    return service


def _document(row: Section) -> DocumentRule:
    rule = DocumentRule(
        key=row.string("key", filled=True),
        title=row.both("title"),
        hint=row.both("hint"),
        group=row.string("group", "") or None,
        required=row.yes("required"),
    )
    row.done()
    return rule


def _evidence_kind(row: Section) -> EvidenceKind:
    kind = EvidenceKind(
        key=row.string("key", filled=True),
        title=row.both("title"),
        hint=row.both("hint"),
        wants=row.choice("wants", ("document", "text")),
    )
    row.done()
    return kind


def _check(row: Section, reasons: Mapping[str, Reason]) -> CheckRule:
    check = CheckRule(
        kind=row.choice("kind", CHECK_KINDS),
        title=row.both("title"),
        roster=row.string("roster", "") or None,
        required=row.yes("required"),
        reason=row.string("reason", filled=True),
        by_operator=row.yes("by_operator", False),
        instead_of=row.string("instead_of", "") or None,
    )
    if check.reason not in reasons:
        row.fault(f"There is no reason code {check.reason!r}.", "reason")
    if check.kind == "roster" and check.roster not in ROSTERS:
        row.fault(f"A roster check names one of: {', '.join(ROSTERS)}.", "roster")
    if check.kind != "roster" and check.roster:
        row.fault("Only a roster check names a roster.", "roster")
    if check.kind != "control" and check.by_operator:
        row.fault("Only control is proved by an operator's yes.", "by_operator")
    if check.instead_of and (check.required or check.instead_of not in CHECK_KINDS):
        row.fault("A check that stands in for another is not required itself, and names a kind of check.", "instead_of")
    row.done()
    return check


def _fee(section: Section) -> Fee:
    rule = section.choice("rule", ("free", "from_count"))
    fee = Fee(
        rule=rule,
        from_count=section.whole("from_count", least=1) if rule == "from_count" else None,
        counts_earlier=section.yes("counts_earlier", False),
        amount=section.whole("amount", least=0) if section.has("amount") else None,
        currency=section.string("currency", "PKR"),
        text=section.both("text"),
        charged=section.choice("charged", ("each", "once"), "each"),
    )
    section.done()
    return fee
