"""What an application may become, what it still needs, and what may be said of an address. Pure.

Invariants: a move that is not in MOVES does not exist; a rule here never refuses an application, it only says what a
form may not take; an unknown or foreign origin is never a ground to stop an applicant.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.address import Block, Endpoint, SpecialUse, contains, plain_text, special_use
from rahdari.policy import DocumentRule, EvidenceKind, Limits, Service


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_PURSUED = "not_pursued"


# For what an officer keeps a closed file though its time of keeping may be over.
GROUNDS_TO_HOLD = ("appeal", "complaint", "court")


class About(StrEnum):
    """What is applied for: a new registration, or one that is there, which keeps its number."""

    NEW = "new"
    RENEWAL = "renewal"
    CHANGE = "change"


OUTCOMES = frozenset({Status.GRANTED, Status.REFUSED, Status.NOT_PURSUED})


@dataclass(frozen=True)
class Move:
    source: Status
    act: str
    target: Status


MOVES = (
    Move(Status.DRAFT, "submit", Status.SUBMITTED),
    Move(Status.DRAFT, "withdraw", Status.WITHDRAWN),
    Move(Status.SUBMITTED, "withdraw", Status.WITHDRAWN),
    Move(Status.SUBMITTED, "close", Status.GRANTED),
    Move(Status.SUBMITTED, "close", Status.REFUSED),
    Move(Status.SUBMITTED, "close", Status.NOT_PURSUED),
    # A grant that another holder overtook on the way to the register, a refusal that was set aside on appeal, and a
    # file closed because nobody answered.
    Move(Status.GRANTED, "reopen", Status.SUBMITTED),
    Move(Status.REFUSED, "reopen", Status.SUBMITTED),
    Move(Status.NOT_PURSUED, "reopen", Status.SUBMITTED),
)


def may_move(source: str, act: str, target: str) -> bool:
    return any((move.source, move.act, move.target) == (source, act, target) for move in MOVES)


def is_open(status: str) -> bool:
    """Whether something can still come of the application."""
    return status in {Status.DRAFT, Status.SUBMITTED}


class Which(StrEnum):
    """What is registered: the one model of all pages (docs/adr/0017)."""

    LINE = "line"  # the applicant's own line, from which they connect to a VPN elsewhere: everything at its address
    SERVER = "server"  # a VPN server that they run: its address, and what runs there
    MOBILE = "mobile"  # the number of a SIM


# ------------------------------------------------------------------------ steps

# One person has so many files judged in ten minutes, and so many seconds of the judge's time.
FILES, SECONDS_OF_JUDGING, PER_SECONDS = 40, 90, 600
# So many applications somebody has that are not sent, and so many bytes of papers in all that are not decided.
MOST_DRAFTS = 10
MOST_BYTES_OF_PAPERS = 400 * 1024 * 1024
# So many bytes of papers are kept in all of those who do not apply.
MOST_BYTES_FROM_OTHERS = 2 * 1024 * 1024 * 1024
ASSOCIATION = "association"
EVIDENCE_RULE = "evidence"


def goes_with_an_answer(rule: str) -> bool:
    """Whether a paper was sent with an answer: then `rule` is what another room calls the thing that was asked
    (`question:<uuid>`), and no key of the policy, which has no colon."""
    return ":" in rule


class StepKey(StrEnum):
    COMPANY = "company"
    PERSON = "person"
    CONTACT = "contact"
    PURPOSE = "purpose"
    EVIDENCE = "evidence"
    ADDRESSES = "addresses"
    DOCUMENTS = "documents"


# Steps that a service has because it asks for this (`asks` of the policy).
_ASKED_FOR = {StepKey.CONTACT: "contact_number", StepKey.PURPOSE: "purpose"}


class StepState(StrEnum):
    DONE = "done"
    # Nothing is given, and nothing has to be.
    OPTIONAL = "optional"
    STARTED = "started"
    NOT_STARTED = "not_started"


@dataclass(frozen=True)
class Facts:
    """What an application holds, as far as its steps need to know."""

    company_name: str = ""
    company_number: str = ""
    ntn: str = ""
    name: str = ""
    cnic: str = ""
    contact_name: str = ""
    contact_mobile: str = ""
    purpose: str = ""
    evidence_kind: str = ""
    evidence_text: str = ""
    association_number: str = ""
    endpoints: int = 0
    document_rules: frozenset[str] = frozenset()
    mobile: bool = False


def steps_of(service: Service, *, mobile: bool = False) -> tuple[StepKey, ...]:
    """The steps of a service, in the order in which they are shown. A mobile number has pages of its own."""
    steps = [StepKey.COMPANY] if service.holder == "organisation" else []
    if service.holder == "person" and (service.asks_name or asks_card(service)):
        steps.append(StepKey.PERSON)
    steps += [step for step, datum in _ASKED_FOR.items() if datum in service.asks]
    if kinds_of(service):
        steps.append(StepKey.EVIDENCE)
    if not mobile:
        steps.append(StepKey.ADDRESSES)
    if service.documents:
        steps.append(StepKey.DOCUMENTS)
    return tuple(steps)


def takes_association(service: Service) -> bool:
    """Whether membership of an association can stand in for evidence of employment."""
    return any(
        check.kind == "attestation" or (check.kind == "roster" and check.roster == "association_members")
        for check in service.checks
    )


def kinds_of(service: Service) -> tuple[str, ...]:
    """The kinds of proof that the step of evidence offers."""
    association = (ASSOCIATION,) if takes_association(service) and not service.documents else ()
    return (*(each.key for each in service.evidence), *association)


def asks_card(service: Service, kind: str = "") -> bool:
    """Whether the number of a card is asked for: of everybody, or with a proof of this kind, where it is compared."""
    way = service.asks.get("card_number")
    if way == "where_compared":
        proof = service.evidence_kind(kind)
        return kind == ASSOCIATION or (proof is not None and proof.once_in_months is not None)
    return way == "required"


def tax_number_stands_in(service: Service) -> bool:
    """Whether a tax number that is on the list makes the documents unnecessary."""
    return any(
        check.kind == "roster" and check.roster == "active_taxpayers" and check.instead_of == "documents"
        for check in service.checks
    )


def state_of(step: StepKey, facts: Facts, service: Service) -> StepState:
    """How far a step of the form is, for what is given and what the service asks."""
    needed, given = _PARTS[step](facts, service)
    if needed:
        return StepState.DONE
    if not given and service.asks.get(_ASKED_FOR.get(step, "")) == "optional":
        return StepState.OPTIONAL
    return StepState.STARTED if given else StepState.NOT_STARTED


def missing(facts: Facts, service: Service) -> tuple[StepKey, ...]:
    return tuple(
        step for step in steps_of(service, mobile=facts.mobile) if state_of(step, facts, service) not in NOT_AWAITED
    )


NOT_AWAITED = frozenset({StepState.DONE, StepState.OPTIONAL})


def papers_or_association(service: Service) -> bool:
    """Whether an attestation replaces documents: a company's. Where evidence of employment is a step of
    its own, it is one of the kinds there."""
    return bool(service.documents) and not service.evidence and takes_association(service)


def is_vouched_for(facts: Facts, service: Service) -> bool:
    """Whether an association was named in the place of papers."""
    return facts.evidence_kind == ASSOCIATION and bool(facts.association_number) and papers_or_association(service)


def missing_documents(facts: Facts, service: Service) -> tuple[DocumentRule, ...]:
    """The documents still to be given; none where an association vouches or the tax number stands in for them."""
    if is_vouched_for(facts, service):
        return ()
    if facts.ntn and tax_number_stands_in(service):
        return ()
    return service.missing_documents(facts.document_rules)


def _all(*values: str) -> tuple[bool, bool]:
    return all(values), any(values)


def _evidence(facts: Facts, service: Service) -> tuple[bool, bool]:
    if facts.evidence_kind == ASSOCIATION:
        return takes_association(service) and bool(facts.association_number), True
    kind = service.evidence_kind(facts.evidence_kind)
    if kind is None:
        return False, bool(facts.evidence_kind)
    return is_given(kind, facts) and fits(kind, facts) and (bool(facts.cnic) or not asks_card(service, kind.key)), True


def is_given(kind: EvidenceKind, facts: Facts) -> bool:
    return EVIDENCE_RULE in facts.document_rules if kind.sort.is_file else bool(facts.evidence_text)


def domain_of(address: str) -> str:
    """The part of an email address behind the last @."""
    return address.rpartition("@")[2].strip().rstrip(".").lower()


def words_shown(kind: EvidenceKind | None, text: str) -> str:
    """What officers read of a proof: of a client's address its domain only, which is what counts."""
    return domain_of(text) if kind is not None and kind.sort.asks else text


def counts_again(
    asked: DocumentRule | EvidenceKind | None, *, last_day: dt.date | None, beyond: dt.date, renewal: bool
) -> bool:
    """Whether what was seen in a paper is worth something in a renewal or a change: the service still asks for such a
    paper, it lasts beyond that day, and it is not one of which the next term asks for a new one."""
    if asked is None or (last_day is not None and last_day <= beyond):
        return False
    return not (renewal and asked.asked_again)


def words_count_again(kind: EvidenceKind | None, text: str, *, renewal: bool) -> bool:
    """The same for what was written: of a client's address only the domain is kept, so that nobody can be asked with
    it; a declaration works once for a term."""
    if kind is None or (renewal and (kind.asked_again or kind.once_in_months is not None)):
        return False
    return "@" in text if kind.sort.asks else bool(text)


def fits(kind: EvidenceKind, facts: Facts) -> bool:
    """Whether a declaration holds for what was asked for: it may be for one address only."""
    return kind.most_addresses is None or facts.endpoints <= kind.most_addresses


def _documents(facts: Facts, service: Service) -> tuple[bool, bool]:
    own = {rule.key for rule in service.documents}
    return not missing_documents(facts, service), bool(own & facts.document_rules)


_PARTS = {
    StepKey.COMPANY: lambda facts, service: _all(
        facts.company_name, *([facts.company_number] if service.has_company_number else [])
    ),
    StepKey.PERSON: lambda facts, service: _all(
        *([facts.name] if service.asks_name else []), *([facts.cnic] if asks_card(service) else [])
    ),
    StepKey.CONTACT: lambda facts, service: _all(facts.contact_name, facts.contact_mobile),
    StepKey.PURPOSE: lambda facts, service: _all(facts.purpose),
    StepKey.EVIDENCE: _evidence,
    StepKey.ADDRESSES: lambda facts, service: (facts.endpoints > 0, False),
    StepKey.DOCUMENTS: _documents,
}


def terms_digest(service: Service, limits: Limits) -> str:
    """What a service asks of an applicant, as one value: it changes when they must be told."""
    asked = (
        service.key,
        service.open,
        service.holder,
        tuple((rule.key, rule.group, rule.required, rule.expires, rule.may_follow) for rule in service.documents),
        tuple((kind.key, kind.wants, kind.weight, kind.term, kind.conditions) for kind in service.evidence),
        tuple(sorted(service.asks.items())),
        tuple((check.kind, check.roster, check.required, check.instead_of) for check in service.checks),
        (service.fee.rule, service.fee.from_count, service.fee.counts_earlier, service.fee.amount),
        service.validity_months,
        (limits.shortest_prefix_v4, limits.shortest_prefix_v6, limits.most_endpoints(service.holder)),
    )
    return hashlib.sha256(repr(asked).encode()).hexdigest()


# -------------------------------------------------------------------- addresses


class AddressTrouble(StrEnum):
    SPECIAL_USE = "special_use"
    TOO_WIDE = "too_wide"
    TOO_MANY = "too_many"
    DUPLICATE = "duplicate"
    HELD_BY_YOU = "held_by_you"
    FOR_A_MOBILE_NUMBER = "for_a_mobile_number"


@dataclass(frozen=True)
class Held:
    """An active entry of the register, and whether it is the applicant's own."""

    endpoint: Endpoint
    own: bool


@dataclass(frozen=True)
class Trouble:
    """Why an endpoint cannot be added. `.special` or `.limit` or `.other` says more.

    That another holder has the address is no trouble here: nobody learns it before they have proved control of it.
    """

    kind: AddressTrouble
    special: SpecialUse | None = None
    limit: int | None = None
    other: Endpoint | None = None


def assess_block(block: Block, *, limits: Limits, allowed: Sequence[str] = ()) -> Trouble | None:
    """Why nobody could register this range, or None."""
    shortest = limits.shortest_prefix_v4 if block.version == 4 else limits.shortest_prefix_v6
    wide = block.prefixlen < shortest
    special = special_use(block, allowed=allowed)
    # A range so wide that a special one lies somewhere in it is too wide before anything else.
    if special is not None and (contains(special.block, block) or not wide):
        return Trouble(AddressTrouble.SPECIAL_USE, special=special)
    return Trouble(AddressTrouble.TOO_WIDE, limit=shortest) if wide else None


class Neighbours[Item]:
    """Many blocks with what belongs to them, so that those near another one are found quickly."""

    def __init__(self, limits: Limits, items: Iterable[tuple[Block, Item]] = ()) -> None:
        self._shortest = {4: limits.shortest_prefix_v4, 6: limits.shortest_prefix_v6}
        self._parts: dict[tuple[int, int], list[Item]] = {}
        self._wide: list[Item] = []
        self._count = 0
        for block, item in items:
            self.add(block, item)

    def _part(self, block: Block) -> tuple[int, int]:
        return block.version, int(block.network_address) >> (block.max_prefixlen - self._shortest[block.version])

    def add(self, block: Block, item: Item) -> None:
        if block.prefixlen < self._shortest[block.version]:
            self._wide.append(item)
        else:
            self._parts.setdefault(self._part(block), []).append(item)
        self._count += 1

    def near(self, block: Block) -> list[Item]:
        """All that can share an address with a block that is not too wide to be registered."""
        return [*self._wide, *self._parts.get(self._part(block), ())]

    def __len__(self) -> int:
        return self._count


def assess_endpoint(
    endpoint: Endpoint,
    *,
    beside: Sequence[Endpoint] | Neighbours[Endpoint],
    held: Iterable[Held],
    limits: Limits,
    allowed: Sequence[str] = (),
    holder: str = "person",
) -> Trouble | None:
    """The first reason not to take an endpoint, or None. `beside` are the other endpoints of the application."""
    block: Block = endpoint.block
    trouble = assess_block(block, limits=limits, allowed=allowed)
    if trouble is not None:
        return trouble
    near = beside.near(block) if isinstance(beside, Neighbours) else beside
    duplicate = next((other for other in near if other.overlaps(endpoint)), None)
    if duplicate is not None:
        return Trouble(AddressTrouble.DUPLICATE, other=duplicate)
    most = limits.most_endpoints(holder)
    if len(beside) >= most:
        return Trouble(AddressTrouble.TOO_MANY, limit=most)
    entries = list(held)
    own = next((entry.endpoint for entry in entries if entry.own and entry.endpoint.overlaps(endpoint)), None)
    if own is not None:
        return Trouble(AddressTrouble.HELD_BY_YOU, other=own)
    return None


# -- the number of a subscriber ------------------------------------------------------------------------------------

# It goes into files that operators open in a spreadsheet: none of these signs begins a formula.
SUBSCRIBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./_-]{0,39}")


def subscriber_number(text: str) -> str | None:
    """A subscriber number in one form, or None when it is none."""
    bare = " ".join(plain_text(text).split())
    return bare if SUBSCRIBER.fullmatch(bare) else None
