"""The regulator's rules as values. Frozen: a policy, once read, never changes; a new one has a new digest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .checks import About, kinds_about
from .clock import Allowance, Calendar
from .proof_shapes import Proof
from .retention import Renewal, Retention
from .sorts import SORTS, EvidenceSort

if TYPE_CHECKING:
    from .associations import Attesting
    from .consultation import Consultation
    from .desk_queues import DeskQueue
    from .incidents import Incidents
    from .inviting import Inviting
    from .licensees import Licensees
    from .maintenance import Maintenance
    from .measuring import Measuring
    from .remote_staff import RemoteStaff
    from .representation import Representing
    from .second_looks import SecondLooks
    from .sharing import Sharing
    from .unregistered import Unregistered
    from .urgent import Urgent

STATUSES = ("to_confirm", "confirmed")
# How the text of an instrument was read.
READ = ("original", "copy", "secondary", "not_found")
KINDS = ("question", "provisional", "refusal", "suspension", "striking_out")
ROSTERS = ("companies", "active_taxpayers", "association_members")
# What a kind of evidence is worth: enough by itself; enough for a provisional registration; read by an officer.
WEIGHTS = ("alone", "provisional", "supporting")
# What a connection may be used for, as far as a service may be for some of it alone.
USES = ("clients", "staff", "service", "private")
ADVERSE_KINDS = frozenset({"refusal", "suspension", "striking_out"})


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages of the register."""

    en: str
    ur: str

    def in_language(self, code: str | None) -> str:
        return self.ur if (code or "").split("-")[0] == "ur" else self.en

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Instrument:
    key: str
    title: Text
    short: Text
    gazette: str
    registry: str
    read: str  # original | copy | secondary | not_found
    checked_on: str
    status: str


@dataclass(frozen=True, slots=True)
class Provision:
    """Where a rule stands: an instrument and a place in it, for instance section 6(d)."""

    instrument: Instrument
    place: str

    def name(self, language: str | None) -> str:
        return self.instrument.short.in_language(language)


@dataclass(frozen=True, slots=True)
class Forum:
    key: str
    title: Text
    hears: str  # officer_decision | authority_decision | tribunal_decision | delay
    sits: str  # who decides there; never who decided before
    file_within: Allowance
    runs_from: str
    decides_within: Allowance
    sitting: str  # yes | no | unknown
    fallback: str
    source: str
    # Where it is found, if the policy says.
    address: Text | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    key: str
    text: Text


@dataclass(frozen=True, slots=True)
class DocumentRule:
    key: str
    title: Text
    hint: Text
    group: str | None
    required: bool
    # It names a last day, which is asked for: a registration that rests on it ends with it at the latest.
    expires: bool = False
    # It may come after the application was sent: until then the registration is a provisional one.
    may_follow: bool = False
    # What it says may be another by the next term: a renewal asks for it anew, whatever is kept of others.
    asked_again: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    key: str
    title: Text
    hint: Text
    wants: str  # a sort of evidence
    weight: str = "alone"
    # Of a provisional registration that rests on this kind, when it is shorter than the policy's usual one.
    term: Allowance | None = None
    # Of a declaration: what is declared, in plain words, and what the pages hold it to.
    conditions: tuple[Text, ...] = ()
    most_addresses: int | None = None
    once_in_months: int | None = None
    # A renewal asks for it anew, whatever is kept of others.
    asked_again: bool = False

    @property
    def sort(self) -> EvidenceSort:
        return SORTS[self.wants]


@dataclass(frozen=True, slots=True)
class Vouching:
    """How a client or employer is asked whether somebody works for them, and how seldom anybody may be written to."""

    link_valid: timedelta
    remind_after: timedelta
    address_kept: timedelta
    counted_in: timedelta
    most_by_applicant: int
    most_to_address: int
    most_to_domain: int
    free_mail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provisionally:
    """A registration may stand while a check waits: from which clock on (none: at once), and by which code."""

    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckRule:
    kind: str
    title: Text
    roster: str | None
    required: bool
    reason: str
    by_operator: bool = False  # of control: the operator may be asked, and its yes is a proof
    instead_of: str | None = None  # a passed check of this rule stands in for the required one of that kind
    provisional: Provisionally | None = None
    read_by_officer: bool = False  # of documents: what is there is not enough, an officer reads it
    by_contact: bool = False  # of a roster: whoever has the number shows that the contact on the list is theirs


@dataclass(frozen=True, slots=True)
class Fee:
    rule: str  # free | from_count
    from_count: int | None
    counts_earlier: bool
    amount: int | None
    currency: str
    text: Text
    charged: str = "each"  # each: for each address of the application; once: for the application

    def is_due(self, *, count: int, earlier: int = 0) -> bool:
        if self.rule == "free" or self.from_count is None:
            return False
        return count + (earlier if self.counts_earlier else 0) >= self.from_count


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """How fees are paid: within which time, into which account, and what the payer is told."""

    pay_within: Allowance
    remind_days_before: tuple[int, ...]
    account_name: str
    account: str
    bank: str
    text: Text


@dataclass(frozen=True, slots=True)
class Service:
    key: str
    title: Text
    short: Text
    hint: Text
    open: bool
    holder: str  # organisation | person
    documents: tuple[DocumentRule, ...]
    fee: Fee
    validity_months: int
    validity_basis: str
    clock: str
    checks: tuple[CheckRule, ...]
    evidence: tuple[EvidenceKind, ...]
    has_company_number: bool = True  # an embassy or a public body stands in no register of companies
    # Who falls under it, as the first question offers it; none: its title.
    who: Text | None = None
    # Of `USES`, what it is for; none: whatever somebody uses it for, and nobody is asked.
    uses: tuple[str, ...] = ()
    # Of `ASKABLE`, what this service asks for, and how; what is not here is not asked (policy.asking).
    asks: Mapping[str, str] = field(default_factory=dict)

    @property
    def asks_name(self) -> bool:
        """Whether the holder has a name here: an organisation is entered by it, a person where it is asked for."""
        return self.holder == "organisation" or "name" in self.asks

    @property
    def asks_operator(self) -> bool:
        """Whether the operator of each address is asked: then the number of the subscriber is asked for as well."""
        return any(check.kind == "operator" for check in self.checks)

    @property
    def asks_tax_number(self) -> bool:
        """Whether a check looks for the tax number of an organisation."""
        return self.has_company_number and any(check.roster == "active_taxpayers" for check in self.checks)

    @property
    def accepts_mobile_numbers(self) -> bool:
        """Whether a mobile number may stand in the place of addresses: its operator is asked then."""
        return any(check.kind == "mobile_line" for check in self.checks)

    def checks_for(self, *, mobile: bool, card: bool = True) -> tuple[CheckRule, ...]:
        """What is checked of an application for a mobile number, or of one for addresses. Without a `card` number of a
        person nobody asks whose it is."""
        left_out = kinds_about(About.ADDRESS if mobile else About.NUMBER)
        if self.holder == "person" and not card:
            left_out = left_out | {"represents"}
        return tuple(check for check in self.checks if check.kind not in left_out)

    @property
    def operator_may_prove(self) -> bool:
        """Whether the operator's yes is a proof of control, for those who cannot give another."""
        return any(check.kind == "control" and check.by_operator for check in self.checks)

    @property
    def stands_on_silence(self) -> bool:
        """Whether an address may be registered for now while its operator, which was asked, is late with its answer."""
        return any(check.kind == "control" and check.provisional is not None for check in self.checks)

    @property
    def represents(self) -> CheckRule | None:
        """The check by which an applicant shows that the number is theirs to apply with."""
        return next((check for check in self.checks if check.kind == "represents"), None)

    def document(self, key: str) -> DocumentRule | None:
        return next((rule for rule in self.documents if rule.key == key), None)

    def evidence_kind(self, key: str) -> EvidenceKind | None:
        return next((kind for kind in self.evidence if kind.key == key), None)

    def missing_documents(self, present: frozenset[str] | set[str]) -> tuple[DocumentRule, ...]:
        """Required rules without a document. Of a group, one document is enough; its rules are then all answered."""
        answered = {rule.group for rule in self.documents if rule.group and rule.key in present}
        return tuple(
            rule
            for rule in self.documents
            if rule.required
            and not rule.may_follow
            and rule.key not in present
            and (rule.group is None or rule.group not in answered)
        )

    def still_to_follow(self, present: frozenset[str] | set[str]) -> tuple[DocumentRule, ...]:
        """Documents that may come after sending and have not come."""
        return tuple(rule for rule in self.documents if rule.may_follow and rule.key not in present)


@dataclass(frozen=True, slots=True)
class ProvisionalTerm:
    """How long a provisional registration stands, when its holder is reminded, and when it goes to an officer.

    An officer has it `officer_days_before` its end; while the officer has not decided, it is prolonged by `extension`.
    """

    term: Allowance
    remind_days_before: tuple[int, ...]
    officer_days_before: int
    extension: Allowance


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    kind: str  # question | provisional | refusal | suspension | striking_out
    ground: str  # finding | request | term | order
    text: Text
    advice: Text | None
    provisions: tuple[str, ...]
    remedies: tuple[str, ...]
    evidence: tuple[str, ...]
    rank: str  # officer | director
    by_rule: bool
    second_officer: bool
    notice: Allowance | None
    status: str  # confirmed | to_confirm
    # A suspension by it may begin before its holder is heard, where the policy allows that at all.
    before_hearing: bool = False

    @property
    def is_adverse(self) -> bool:
        """Taken against somebody's will. An end at request or by its own term is not."""
        return self.kind in ADVERSE_KINDS and self.ground not in {"request", "term"}

    @property
    def ends_with_new_evidence(self) -> bool:
        """A suspension because evidence has expired: it is over when new evidence is accepted."""
        return self.kind == "suspension" and self.ground == "finding" and "date_and_reminders" in self.evidence

    def usable(self, confirm_allowed: bool) -> bool:
        return self.status == "confirmed" or confirm_allowed


@dataclass(frozen=True, slots=True)
class Limits:
    shortest_prefix_v4: int
    shortest_prefix_v6: int
    endpoints_per_application: int
    endpoints_per_organisation: int
    document_bytes: int
    documents_per_application: int
    document_types: tuple[str, ...]
    challenge_valid: timedelta
    draft_kept: timedelta
    answer_characters: int

    def most_endpoints(self, holder: str) -> int:
        """How many addresses one application of a person, or of an organisation, takes."""
        return self.endpoints_per_organisation if holder == "organisation" else self.endpoints_per_application


@dataclass(frozen=True, slots=True)
class Views:
    """From how many places control of an endpoint is proved: the register's own and vantages elsewhere."""

    needed: int = 1
    may_fail: int = 0
    networks: int = 1


@dataclass(frozen=True, slots=True)
class DyndnsRules:
    """Addresses that change: how long a report of one counts, and what follows when none comes."""

    length: timedelta
    grace: timedelta
    overlap: timedelta
    rival_wait: timedelta
    updates_kept: timedelta
    change_every: timedelta
    change_burst: int


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """How long an address that the holder has left stays listed beside the new one."""

    overlap: timedelta


@dataclass(frozen=True, slots=True)
class SignedItem:
    key: str
    about: str
    name: str
    office: str
    on: str

    @property
    def is_signed(self) -> bool:
        return bool(self.name and self.office and self.on)

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.on) if self.on else None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Nothing goes out by `channels` from `start` on until `end`, of the register's zone; what is urgent does."""

    start: time
    end: time
    channels: tuple[str, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Contact:
    """Where the authority is written to: an appeal, and whatever has no page. `phone` is empty where nobody answers."""

    post: Text
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Policy:
    version: str
    digest: str
    name: Text
    authority: Text
    demonstration: bool
    nature: str
    silence: str
    escalate_at: tuple[int, ...]
    reopen_within: Allowance
    extensions_of_a_question: int
    remind_days_before: tuple[int, ...]
    renewal_grace: Allowance
    quiet_hours: QuietHours | None
    reminders: Mapping[str, tuple[int, ...]]
    renewal: Renewal
    dyndns: DyndnsRules
    change: ChangeRules
    instruments: Mapping[str, Instrument]
    forums: Mapping[str, Forum]
    remedies: Mapping[str, Remedy]
    evidence: Mapping[str, Text]
    services: Mapping[str, Service]
    reasons: Mapping[str, Reason]
    clocks: Mapping[str, Allowance]
    calendar: Calendar
    limits: Limits
    vantage: Views
    fee_terms: FeeTerms | None
    proof: Proof
    guards: tuple[str, ...]
    retention: Mapping[str, Retention]
    signed: Mapping[str, SignedItem]
    provisional: ProvisionalTerm | None
    licensees: "Licensees | None"
    vouching: Vouching | None
    sharing: "Sharing | None"
    attesting: "Attesting | None"
    remote_staff: "RemoteStaff | None"
    contact: Contact | None
    representing: "Representing | None"
    second_looks: "SecondLooks | None"
    incidents: "Incidents"
    urgent: "Urgent | None"
    watch: "Measuring | None"
    maintenance: "Maintenance"
    consultation: "Consultation"
    inviting: "Inviting | None"
    # Of the desk, beside those that it has anyway.
    queues: "tuple[DeskQueue, ...]"
    # None only of rules that were frozen before it existed.
    unregistered: "Unregistered | None"
    # Who may demand by law what is held, for those of whom it is.
    demands: Text | None
    # That no profession, sector or association has a better lane. None of rules that were frozen before it was asked.
    no_better_lane: Text | None
    source: Mapping[str, Any] = field(repr=False, compare=False, hash=False)

    def provision(self, reference: str) -> Provision:
        """Where a rule stands. A place without a number (`portal:documents`) is a keyword and is not shown."""
        key, _, place = reference.partition(":")
        return Provision(self.instruments[key], place if any(letter.isdigit() for letter in place) else "")

    def provisions(self, references: Iterable[str]) -> tuple[Provision, ...]:
        """Several places, gathered by instrument: Telecom Act 1996, 6(b), 6(c)."""
        places: dict[str, list[str]] = {}
        for reference in references:
            provision = self.provision(reference)
            found = places.setdefault(provision.instrument.key, [])
            if provision.place and provision.place not in found:
                found.append(provision.place)
        return tuple(Provision(self.instruments[key], ", ".join(found)) for key, found in places.items())

    def reasons_of_kind(self, kind: str, *, confirm_allowed: bool) -> tuple[Reason, ...]:
        return tuple(
            reason for reason in self.reasons.values() if reason.kind == kind and reason.usable(confirm_allowed)
        )

    def forum_for(self, decision: str) -> Forum | None:
        """Who hears an appeal against it; of several, the one that is not there in another's place."""
        return next(iter(self.forums_for(decision)), None)

    def forums_for(self, decision: str) -> list[Forum]:
        """All who may hear it, and behind one of which it is not known that it sits who does so in its place."""
        found = [forum for forum in self.forums.values() if forum.hears == decision]
        in_place = {forum.fallback for forum in found if forum.fallback}
        return sorted(found, key=lambda forum: forum.key in in_place)

    @property
    def before_hearing(self) -> Allowance | None:
        """How long a suspension lasts at most that begins before its holder is heard; None: there is none."""
        found = self.clocks.get("suspension_before_hearing")
        return found if found is not None and found.enabled else None

    def open_items(self) -> tuple[SignedItem, ...]:
        return tuple(item for item in self.signed.values() if not item.is_signed)
