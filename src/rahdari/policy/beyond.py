"""What a policy asks of whoever applies beyond an address, a proof of control and a way to write back.

One list: `rahdari policy check` says it, and pages leave out what nothing asks for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .shapes import Policy, Service


@dataclass(frozen=True, slots=True)
class More:
    """Something that a service may ask. `text` ends "It ..."."""

    asks: Callable[[Service], bool]
    text: str


def _checks(*kinds: str) -> Callable[[Service], bool]:
    return lambda service: any(check.kind in kinds for check in service.checks)


def _compares_with(*rosters: str) -> Callable[[Service], bool]:
    return lambda service: any(check.roster in rosters for check in service.checks)


def _datum(key: str) -> Callable[[Service], bool]:
    return lambda service: key in service.asks


MORE: Mapping[str, More] = {
    "category": More(lambda service: service.who is not None, "is for one group of applicants, and asks who applies."),
    "uses": More(lambda service: bool(service.uses), "is for some uses alone, and asks for the use."),
    "organisation": More(lambda service: service.holder == "organisation", "asks for an organisation and its name."),
    "company_number": More(
        lambda service: service.holder == "organisation" and service.has_company_number, "asks for a company number."
    ),
    "tax_number": More(lambda service: service.asks_tax_number, "takes a tax number."),
    "name": More(_datum("name"), "asks for the name of a person."),
    "card_number": More(_datum("card_number"), "asks for the number of an identity card."),
    "contact_number": More(_datum("contact_number"), "asks for a telephone number."),
    "purpose": More(_datum("purpose"), "asks for the purpose."),
    "profession": More(lambda service: bool(service.evidence), "asks for evidence of a profession."),
    "documents": More(lambda service: bool(service.documents), "asks for documents."),
    "fee": More(lambda service: service.fee.rule != "free", "may cost a fee."),
    "officer": More(
        lambda service: (
            any(check.read_by_officer for check in service.checks)
            or any(kind.weight == "supporting" for kind in service.evidence)
        ),
        "has papers that an officer reads before anything is granted.",
    ),
    "network": More(_checks("origin"), "has an officer look at an address whose network is not on the list."),
    "rosters": More(
        _compares_with("companies", "active_taxpayers", "association_members"), "looks the applicant up in lists."
    ),
    "represents": More(_checks("represents"), "asks whose number it is."),
    "association": More(_checks("attestation"), "has an association say who the applicant is."),
    "client": More(_checks("employer"), "has a client or employer say that the applicant works for them."),
    "operator": More(
        lambda service: service.asks_operator or service.operator_may_prove,
        "has an operator say whether the applicant is its subscriber.",
    ),
    "mobile_line": More(_checks("mobile_line"), "has a mobile operator say whose a number is."),
}
# Kinds of check that look at the address, its proof and the register alone.
OF_THE_ADDRESS = frozenset({"control", "not_registered"})


def asked_of(service: Service) -> tuple[str, ...]:
    """The keys of `MORE` that the service asks."""
    return tuple(key for key, more in MORE.items() if more.asks(service))


_last: tuple[Policy | None, frozenset[str]] = (None, frozenset())


def asked_by(policy: Policy) -> frozenset[str]:
    """The keys of `MORE` that any service asks. Each page wants to know it of the rules in force."""
    global _last
    last, asked = _last
    if last is not policy:
        asked = frozenset(key for service in policy.services.values() for key in asked_of(service))
        _last = policy, asked
    return asked


def in_sentences(policy: Policy) -> list[str]:
    """A line for each thing that each service asks beyond a declaration."""
    return [f"{key} {MORE[asked].text}" for key, service in policy.services.items() for asked in asked_of(service)]
