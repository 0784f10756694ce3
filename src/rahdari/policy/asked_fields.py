"""What a service asks of an applicant beside addresses, their proof, and name and numbers of a company: `asks` of the
policy.

Nothing is asked that nobody reads: each datum names its reader by how it is asked, and a policy in which that reader is
missing does not load.
"""

from collections.abc import Callable, Mapping

from .reading import Section
from .shapes import Service
from .sorts import BY_LETTER

REQUIRED, OPTIONAL, WHERE_COMPARED = "required", "optional", "where_compared"


def _card_is_compared(service: Service) -> bool:
    return service.holder == "person" and any(
        check.kind == "represents" or check.roster == "active_taxpayers" for check in service.checks
    )


def _a_proof_compares_cards(service: Service) -> bool:
    by_association = any(check.kind == "attestation" for check in service.checks)
    return service.holder == "person" and (by_association or any(kind.once_in_months for kind in service.evidence))


# Checks that tell or compare the name of whoever applies: without one they have nothing to ask.
_ABOUT_A_NAME = BY_LETTER | {"operator", "mobile_line", "attestation", "roster"}


def _needs_name(service: Service) -> bool:
    return service.operator_may_prove or any(check.kind in _ABOUT_A_NAME for check in service.checks)


def _name_is_read(service: Service) -> bool:
    return _needs_name(service) or any(check.kind in {"documents", "represents"} for check in service.checks)


def _officer_reads(service: Service) -> bool:
    return any(check.read_by_officer for check in service.checks)


# By datum and by how it is asked: who reads it, and what the loader says when that is missing.
ASKABLE: Mapping[str, Mapping[str, tuple[Callable[[Service], bool] | None, str]]] = {
    "name": {
        REQUIRED: (_name_is_read, "a check that compares it, or papers"),
    },
    "card_number": {
        REQUIRED: (_card_is_compared, 'a check "represents" or a roster "active_taxpayers", of a person'),
        WHERE_COMPARED: (_a_proof_compares_cards, 'a check "attestation" or evidence with once_in_months, of a person'),
    },
    "purpose": {
        REQUIRED: (_officer_reads, "papers that an officer reads (read_by_officer)"),
        OPTIONAL: (_officer_reads, "papers that an officer reads (read_by_officer)"),
    },
    "contact_number": {
        # An officer calls it, of any service.
        REQUIRED: (None, ""),
        OPTIONAL: (None, ""),
    },
}


def asks_from(section: Section) -> Mapping[str, str]:
    """The table `asks` of a service. One that is not there asks for none of these."""
    if not section.has("asks"):
        return {}
    inner = section.section("asks")
    asked = {datum: inner.choice(datum, tuple(ways)) for datum, ways in ASKABLE.items() if inner.has(datum)}
    inner.done()
    return asked


def judge_readers(service: Service, section: Section) -> None:
    """What is asked has a reader: a check, or somebody."""
    for datum, way in service.asks.items():
        is_read, reader = ASKABLE[datum].get(way, (None, ""))
        if is_read is not None and not is_read(service):
            section.fault(
                f"Nobody reads {datum} when it is asked so: {reader} would. Take it out of `asks`, or add its reader. "
                "What is not read is not collected.",
                "asks",
            )
    if _needs_name(service) and not service.asks_name:
        section.fault("A check tells or compares the name of whoever applies, and none is asked for.", "asks")
    asks_number = service.holder == "organisation" and service.has_company_number
    if asks_number and not any(check.roster == "companies" for check in service.checks):
        section.fault(
            "The company number is asked for, and no check reads it: a roster or represents check with "
            'roster = "companies" would. Else say company_number = false.',
            "company_number",
        )
    reads_papers = any(check.kind == "documents" for check in service.checks)
    if (service.documents or service.evidence) and not reads_papers:
        section.fault("Papers are asked for, and no check of kind documents reads them.", "documents")
