"""The services: what each asks for, checks, costs, and how long it lasts."""

from collections.abc import Mapping

from rahdari import optional

from .asked_fields import asks_from, judge_readers
from .checks import known_kinds, left_out
from .clock import Allowance
from .left_out import words
from .reading import BASES, Section
from .shapes import (
    ROSTERS,
    USES,
    WEIGHTS,
    CheckRule,
    DocumentRule,
    EvidenceKind,
    Fee,
    Provisionally,
    Reason,
    Service,
    Text,
)
from .sorts import SORTS


def service_from(key: str, section: Section, clocks: Mapping[str, Allowance], reasons: Mapping[str, Reason]) -> Service:
    """A service with its checks, documents, fee and clock. A name that the file does not define is a fault."""
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
        checks=tuple(_check(row, clocks, reasons) for row in section.rows("checks")),
        evidence=tuple(_evidence_kind(row) for row in section.rows("evidence")),
        has_company_number=section.yes("company_number", True),
        asks=asks_from(section),
        who=section.text("who", optional=True),
        uses=section.words("uses", ()),
    )
    for use in set(service.uses) - set(USES):
        section.fault(f"{use!r} is not one of: {', '.join(USES)}.", "uses")
    _fits_together(service, section)
    judge_readers(service, section)
    section.done()
    return service


def _fits_together(service: Service, section: Section) -> None:
    if not any(check.required for check in service.checks):
        section.fault("A service needs at least one required check: otherwise a rule would grant everything.", "checks")
    asks = any(check.kind == "fee" for check in service.checks)
    if asks == (service.fee.rule == "free"):
        section.fault(
            "A service that may cost something has a check of kind fee, and one that is free has none.", "checks"
        )
    if any(check.kind == "documents" for check in service.checks) and not (service.documents or service.evidence):
        section.fault("A check asks for documents, but the service accepts no document and no evidence.", "checks")
    if any(kind.weight == "provisional" for kind in service.evidence) and not any(
        check.kind == "documents" and check.provisional is not None for check in service.checks
    ):
        section.fault(
            "Evidence of provisional weight needs a documents check that says so: provisional = { after, reason }.",
            "evidence",
        )
    if any(rule.may_follow for rule in service.documents) and not any(
        check.kind == "documents" and check.provisional is not None for check in service.checks
    ):
        section.fault(
            "A document that may follow needs a documents check that says so: provisional = { after, reason }.",
            "documents",
        )
    for asked in sorted({kind.sort.asks for kind in service.evidence} - {""}):
        if not any(check.kind == asked and check.instead_of == "documents" for check in service.checks):
            section.fault(
                f'Evidence that wants a client\'s address needs a check "{asked}" in the place of documents.', "checks"
            )
    if any(check.kind == "mobile_line" and not check.required for check in service.checks):
        section.fault("What the operator says of a mobile number is all that proves it: require it.", "checks")
    if any(check.kind == "attestation" and check.instead_of != "documents" for check in service.checks):
        section.fault("The word of an association stands in the place of documents, and of nothing else.", "checks")
    if service.holder == "organisation" and not any(
        check.read_by_officer or (check.kind == "represents" and check.required and check.roster == "companies")
        for check in service.checks
    ):
        section.fault(
            "The names and numbers of organisations are public. What a rule may grant to one needs a required check "
            '"represents" with the roster "companies", which compares number and name, or papers that an officer reads '
            "(read_by_officer).",
            "checks",
        )
    if not service.has_company_number and any(check.roster == "companies" for check in service.checks):
        section.fault("Without a company number nobody can be found in the roster of companies.", "company_number")


def _document(row: Section) -> DocumentRule:
    rule = DocumentRule(
        key=row.string("key", filled=True),
        title=row.both("title"),
        hint=row.both("hint"),
        group=row.string("group", "") or None,
        required=row.yes("required"),
        expires=row.yes("expires", False),
        may_follow=row.yes("may_follow", False),
        asked_again=row.yes("asked_again", False),
    )
    if rule.may_follow and rule.group:
        row.fault("A document of a group has others in its place, so it cannot be one that may follow.", "may_follow")
    row.done()
    return rule


def _evidence_kind(row: Section) -> EvidenceKind:
    kind = EvidenceKind(
        key=row.string("key", filled=True),
        title=row.both("title"),
        hint=row.both("hint"),
        wants=row.choice("wants", tuple(SORTS)),
        weight=row.choice("weight", WEIGHTS, "alone"),
        term=row.allowance("term") if row.has("term") else None,
        conditions=tuple(_condition(inner) for inner in row.rows("conditions")),
        most_addresses=row.whole("most_addresses", least=1) if row.has("most_addresses") else None,
        once_in_months=row.whole("once_in_months", least=1, most=120) if row.has("once_in_months") else None,
        asked_again=row.yes("asked_again", False),
    )
    if kind.sort.declares != bool(kind.conditions):
        row.fault("A declaration, and nothing else, says what is declared: [{ en, ur }].", "conditions")
    if kind.term is not None and kind.weight != "provisional":
        row.fault("Only a kind that leads to a provisional registration has a term of its own.", "term")
    row.done()
    return kind


def _condition(row: Section) -> Text:
    text = Text(row.string("en", filled=True), row.string("ur", filled=True))
    row.done()
    return text


def _check(row: Section, clocks: Mapping[str, Allowance], reasons: Mapping[str, Reason]) -> CheckRule:
    check = CheckRule(
        kind=row.choice("kind", (*known_kinds(), *left_out())) if known_kinds() else row.string("kind", filled=True),
        title=row.both("title"),
        roster=row.string("roster", "") or None,
        required=row.yes("required"),
        reason=row.string("reason", filled=True),
        by_operator=row.yes("by_operator", False),
        instead_of=row.string("instead_of", "") or None,
        provisional=_provisionally(row.section("provisional"), clocks, reasons) if row.has("provisional") else None,
        read_by_officer=row.yes("read_by_officer", False),
        by_contact=row.yes("by_contact", False),
    )
    if check.roster == "association_members" and "attest" in optional.left_out():
        row.fault(words("attest"), "roster")
    if check.kind in left_out():
        row.fault(words(left_out()[check.kind]), "kind")
    if check.by_contact and check.kind != "roster":
        row.fault("Only a roster has contacts: only a roster check says so.", "by_contact")
    if check.read_by_officer and check.kind != "documents":
        row.fault("An officer reads documents: only a documents check says so.", "read_by_officer")
    if check.reason not in reasons:
        row.fault(f"There is no reason code {check.reason!r}.", "reason")
    if (check.kind == "roster" or check.roster) and check.roster not in ROSTERS:
        row.fault(f"A roster check names one of: {', '.join(ROSTERS)}.", "roster")
    if check.kind not in {"roster", "represents"} and check.roster:
        row.fault("Only a check of kind roster or represents names a roster.", "roster")
    if check.kind != "control" and check.by_operator:
        row.fault("Only control is proved by an operator's yes.", "by_operator")
    if (
        check.kind == "control"
        and check.provisional is not None
        and not (check.by_operator and check.provisional.after)
    ):
        row.fault(
            "Control stands for now only while the operator that was asked is silent: by_operator, and a clock.",
            "provisional",
        )
    if check.instead_of and (check.required or (known_kinds() and check.instead_of not in known_kinds())):
        row.fault("A check that stands in for another is not required itself, and names a kind of check.", "instead_of")
    row.done()
    return check


def _provisionally(section: Section, clocks: Mapping[str, Allowance], reasons: Mapping[str, Reason]) -> Provisionally:
    rule = Provisionally(after=section.string("after"), reason=section.string("reason", filled=True))
    if rule.after and rule.after not in clocks:
        section.fault(f"There is no clock {rule.after!r}. Leave it empty for: at once.", "after")
    reason = reasons.get(rule.reason)
    if reason is None or reason.kind != "provisional" or not reason.by_rule:
        section.fault("This must be the code of a provisional registration that a rule may give.", "reason")
    section.done()
    return rule


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
