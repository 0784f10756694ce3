"""Associations that attest their members: which ones count, for what, with which weight, and within which times.

What was frozen before this part of the file existed has no associations.
"""

from dataclasses import dataclass

from .clock import Allowance
from .reading import Section
from .shapes import WEIGHTS, Service, Text

# Why an association takes its word back: for the membership alone. It knows nothing of a registration and its use, so
# nothing else is taken from it (ADR 0022).
REVOCATIONS = ("left", "trade", "mistake")


@dataclass(frozen=True, slots=True)
class Claim:
    """What an association says of a member, and for which services that counts."""

    key: str
    title: Text
    services: tuple[str, ...]
    weight: str


@dataclass(frozen=True, slots=True)
class Association:
    """One that may attest. `weights` differ from those of the claims; a claim of the weight "none" is not taken."""

    key: str
    title: Text
    weights: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A word of a list that the policy offers: how a member was checked, why an attestation is revoked."""

    key: str
    title: Text


@dataclass(frozen=True, slots=True)
class Attesting:
    claims: tuple[Claim, ...]
    associations: tuple[Association, ...]
    methods: tuple[Choice, ...]
    revocations: tuple[Choice, ...]
    longest_months: int
    most_rows: int
    ends_soon_days: int
    # How long the association has to answer an applicant, before nobody waits for it any more.
    answer_within: Allowance
    dispute_within: Allowance
    another_proof_within: Allowance

    def claim(self, key: str) -> Claim | None:
        return next((each for each in self.claims if each.key == key), None)

    def association(self, key: str) -> Association | None:
        return next((each for each in self.associations if each.key == key), None)

    def weight(self, association: str, claim: str, service: str) -> str | None:
        """What the word of this association is worth here; None where it is not taken."""
        found, about = self.claim(claim), self.association(association)
        if found is None or about is None or service not in found.services:
            return None
        weight = about.weights.get(claim, found.weight)
        return None if weight == "none" else weight

    def claims_of(self, association: str) -> tuple[Claim, ...]:
        """The claims that this association may make."""
        return tuple(each for each in self.claims if any(self.weight(association, each.key, s) for s in each.services))

    def asked_for(self, service: str) -> tuple[Association, ...]:
        """The associations whose word counts for a service."""
        return tuple(
            each
            for each in self.associations
            if any(self.weight(each.key, claim.key, service) is not None for claim in self.claims)
        )


def attesting_from(section: Section, services: dict[str, Service]) -> Attesting:
    """What associations may attest, from the section `attesting`. Faults are collected in the section."""
    claims = tuple(_claim(row, services) for row in section.rows("claims"))
    found = Attesting(
        claims=claims,
        associations=tuple(_association(row, claims) for row in section.rows("associations")),
        methods=tuple(_choice(row) for row in section.rows("methods")),
        revocations=tuple(_revocation(row) for row in section.rows("revocations")),
        longest_months=section.whole("longest_months", least=1, most=60),
        most_rows=section.whole("most_rows", least=1, most=20_000),
        ends_soon_days=section.whole("ends_soon_days", least=1, most=120),
        answer_within=section.allowance("answer_within"),
        dispute_within=section.allowance("dispute_within"),
        another_proof_within=section.allowance("another_proof_within"),
    )
    for key, rows in (("claims", claims), ("methods", found.methods), ("revocations", found.revocations)):
        if not rows:
            section.fault("At least one row is needed.", key)
    for key, named in (("claims", claims), ("associations", found.associations)):
        if len({each.key for each in named}) != len(named):
            section.fault("A key stands twice.", key)
    section.done()
    return found


def _claim(row: Section, services: dict[str, Service]) -> Claim:
    claim = Claim(
        key=row.string("key", filled=True),
        title=row.both("title"),
        services=row.words("services"),
        weight=row.choice("weight", WEIGHTS),
    )
    for service in claim.services:
        if service not in services:
            row.fault(f"There is no service {service!r}.", "services")
        elif not any(check.kind == "attestation" for check in services[service].checks):
            row.fault(f'The service {service!r} has no check of kind "attestation", so nobody would ask.', "services")
    row.done()
    return claim


def _association(row: Section, claims: tuple[Claim, ...]) -> Association:
    inner = row.section("weights") if row.has("weights") else None
    weights = {key: inner.choice(key, (*WEIGHTS, "none")) for key in inner.data} if inner else {}
    association = Association(key=row.string("key", filled=True), title=row.both("title"), weights=weights)
    if not association.key.replace("-", "").isalnum() or association.key != association.key.lower():
        row.fault("A key has small letters, digits and hyphens only.", "key")
    for key in weights:
        if key not in {claim.key for claim in claims}:
            row.fault(f"There is no claim {key!r}.", "weights")
    row.done()
    return association


def _revocation(row: Section) -> Choice:
    choice = _choice(row)
    if choice.key not in REVOCATIONS:
        row.fault(f"An association revokes for the membership alone: {', '.join(REVOCATIONS)}.", "key")
    return choice


def _choice(row: Section) -> Choice:
    choice = Choice(key=row.string("key", filled=True), title=row.both("title"))
    row.done()
    return choice
