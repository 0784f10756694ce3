"""Applying again for what is registered: to renew it, or to change its addresses.

The registration keeps its number. What the last application said is filled in; the addresses are those that the
register holds now. From here on it is an application like any other: proved, sent, checked, decided by rule when all
passes, or by an officer, with every remedy.
"""

import datetime as dt
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from rahdari.address import vpn
from rahdari.journal import actions as journal
from rahdari.people.models import Mandate, User
from rahdari.policy import Policy, Service
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import STANDING, URGENT
from rahdari.vault import files

from . import queries, rules, subjects, summary
from .drafts import ServiceNotOpen, free_reference, keep_what_is_asked, take_known_proofs
from .models import Application, Document, Endpoint
from .rules import About, StepKey

COPIED = (
    "organisation",
    "name",
    "cnic",
    "cnic_index",
    "company_name",
    "company_number",
    "ntn",
    "contact_name",
    "contact_mobile",
    "fixed_address",
    "purpose",
    "association",
    "association_number",
)


class TooEarlyToRenew(Exception):
    """The page of renewal opens later. `.opens_at`"""

    def __init__(self, opens_at: dt.datetime) -> None:
        super().__init__(opens_at.isoformat())
        self.opens_at = opens_at


class RegistrationOver(Exception):
    """It is no longer on the register: apply anew. `.registration`"""

    def __init__(self, registration: Registration) -> None:
        super().__init__(registration.reference)
        self.registration = registration


def awaits_new_evidence(registration: Registration, policy: Policy) -> bool:
    """Whether it is suspended because evidence of it has expired: a renewal with new evidence ends that."""
    reason = policy.reasons.get(registration.suspended_code)
    return reason is not None and reason.ends_with_new_evidence


def renewal_opens_at(registration: Registration, policy: Policy) -> dt.datetime:
    """From when it can be renewed: at once where new evidence is what it waits for."""
    if registration.suspended_at is not None and awaits_new_evidence(registration, policy):
        return registration.suspended_at
    return registration.valid_until - dt.timedelta(days=policy.renewal.opens_days_before)


def apply_again(
    *,
    registration: Registration,
    applicant: User,
    about: str,
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    mandate: Mandate | None = None,
) -> Application:
    """The draft, or what was sent and is not decided: there is one at a time. Whether the applicant may act for the
    holder is for the caller to know. Raises TooEarlyToRenew, RegistrationOver, ServiceNotOpen.
    """
    policy = policy or queries.policy_in_force()
    if register.standing(registration, now) not in STANDING:
        raise RegistrationOver(registration)
    if about == About.RENEWAL and now < renewal_opens_at(registration, policy):
        raise TooEarlyToRenew(renewal_opens_at(registration, policy))
    service = policy.services.get(registration.category)
    if service is None or not service.open:
        raise ServiceNotOpen(registration.category)
    under_way = queries.under_way_for(registration, about)
    if under_way is not None:
        return under_way
    last = subjects.last_granted_for(registration)
    # What has expired is no evidence any more: all of it is asked for anew.
    anew = about == About.RENEWAL and awaits_new_evidence(registration, policy)
    taken = taken_over(registration, last, about, policy, now) if last is not None and not anew else None
    draft = Application(
        applicant=applicant,
        service=registration.category,
        language=applicant.language,
        terms=rules.terms_digest(service, policy.limits),
        about=about,
        registration=registration,
        created_at=now,
        updated_at=now,
        **({field: getattr(last, field) for field in COPIED} if last is not None else {}),
    )
    if taken is not None:
        draft.evidence_kind, draft.evidence_text = taken.evidence_kind, taken.evidence_text
    keep_what_is_asked(draft, service)
    if mandate is not None:
        draft.mandate, draft.organisation = mandate, mandate.organisation
    try:
        with transaction.atomic():
            draft.reference = free_reference(now)
            draft.save(force_insert=True)
            _take_addresses(draft, registration, last, now)
            if taken is not None:
                _take_papers(draft, taken, copies=policy.renewal.documents == "kept", now=now)
            journal.record(
                act="apply.applied_again",
                actor=actor,
                subject=draft.subject,
                now=now,
                detail={"about": about, "registration": registration.reference},
            )
            take_known_proofs(draft, actor=actor, now=now)
    except IntegrityError:
        under_way = queries.under_way_for(registration, about)  # two tabs at once: the other one was first
        if under_way is None:
            raise
        return under_way
    return draft


def _take_addresses(draft: Application, registration: Registration, last: Application | None, now: dt.datetime) -> None:
    """What the register holds, but for addresses that the holder has left; of a changing one, its connection."""
    before = queries.rows_of(last) if last is not None else []
    known = {row.continues or row.subject: row for row in before}
    going_on = [entry for entry in register.own_entries_of(registration) if _goes_on(entry)]
    if draft.about == About.CHANGE:
        # Its papers are this change.
        going_on += [entry for entry in register.own_entries_of(registration) if _awaits_papers(entry)]
    going_on.sort(key=lambda entry: (entry.block.version, entry.block.network_address, entry.block.prefixlen))
    rows = []
    for entry, parts in register.endpoints_among(going_on).items():
        row = known.get(entry.subject)
        runs = row.runs if row is not None and row.parts == parts else vpn.service_with(parts)
        rows.append((entry.block, runs, parts, "static", entry.subject))
    rows += [
        (row.network, row.runs, row.parts, "dynamic", row.continues or row.subject) for row in before if row.is_dynamic
    ]
    for position, (block, runs, parts, kind, continues) in enumerate(rows, start=1):
        origin = queries.origin_of(block)
        Endpoint.objects.create(
            application=draft,
            block=block,
            runs=runs,
            parts=parts,
            kind=kind,
            continues=continues,
            remote=known[continues].remote if continues in known else "",
            label=known[continues].label if continues in known else "",
            branch_id=known[continues].branch_id if continues in known else None,
            position=position,
            asn=origin.asn if origin else None,
            operator_name=origin.organisation if origin else "",
            added_at=now,
        )


def _goes_on(entry: Entry) -> bool:
    """An address that stays, and that the holder has not left."""
    return entry.ended_at is None and entry.kind == "static" and entry.valid_until >= entry.registration.stays_until


def _awaits_papers(entry: Entry) -> bool:
    """An address that was listed before its papers came, and ends by itself without them."""
    return entry.ended_at is None and entry.origin.startswith(URGENT) and not _goes_on(entry)


@dataclass(frozen=True)
class Taken:
    """What a renewal or a change takes of the papers and the evidence of employment of the last application."""

    papers: tuple[Document, ...]
    evidence_kind: str
    evidence_text: str


def taken_over(registration: Registration, last: Application, about: str, policy: Policy, now: dt.datetime) -> Taken:
    """What counts again. A change asks for nothing anew but what has expired; a renewal does as the policy says."""
    service = policy.services[last.service]
    # With less than this the next renewal would be open as soon as this one is granted.
    ahead = dt.timedelta(days=policy.renewal.opens_days_before) if about == About.RENEWAL else dt.timedelta()
    must_last = (max(registration.valid_until, now) if ahead else now) + ahead
    zone = policy.calendar.zone_info
    papers_again = about == About.RENEWAL and policy.renewal.documents == "again"
    later = queries.proofs_of(last).filter(kind__in=[kind.key for kind in service.evidence]).last()
    kind_key, text = (later.kind, later.text) if later is not None else (last.evidence_kind, last.evidence_text)
    kind = service.evidence_kind(kind_key)
    kept = tuple(
        document
        for document in queries.documents_of(last)
        if not papers_again
        and rules.counts_again(
            kind if document.rule == rules.EVIDENCE_RULE else service.document(document.rule),
            last_day=document.valid_until,
            beyond=must_last.astimezone(zone).date(),
            renewal=about == About.RENEWAL,
        )
    )
    if not rules.words_count_again(kind, text, renewal=about == About.RENEWAL):
        text = ""
    return Taken(kept, kind_key, text)


@dataclass(frozen=True)
class Foreseen:
    """What a renewal would say if nothing has changed, and the steps that it would ask for anew."""

    last: Application
    asked: tuple[StepKey, ...]
    groups: tuple[summary.SummaryGroup, ...]
    stays: tuple[Entry, ...]


def foresee_renewal(registration: Registration, policy: Policy, now: dt.datetime) -> Foreseen | None:
    """Nothing is written. None when it is not known how it was applied for, or the service is no more."""
    last = subjects.last_granted_for(registration)
    service = policy.services.get(registration.category)
    if last is None or service is None:
        return None
    taken = taken_over(registration, last, About.RENEWAL, policy, now)
    last.evidence_kind, last.evidence_text = taken.evidence_kind, taken.evidence_text
    stays = tuple(register.endpoints_among(row for row in register.entries_of(registration) if _goes_on(row)))
    facts = replace(queries.facts_of(last), document_rules=frozenset(paper.rule for paper in taken.papers))
    copies = policy.renewal.documents == "kept"
    papers = [paper if copies else _note_of(paper, last, now) for paper in taken.papers]
    groups = summary.summary_groups(last, service, [], papers, language=queries.language_now())
    return Foreseen(
        last=last,
        asked=tuple(steps_to_answer(facts, service)),
        groups=tuple(
            replace(group, rows=tuple(row for row in group.rows if row.key != "addresses")) for group in groups
        ),
        stays=stays,
    )


def steps_to_answer(facts: rules.Facts, service: Service) -> list[StepKey]:
    """The steps of a renewal that must be answered again: those with something missing, and what was enough for a
    while.
    """
    missing = list(rules.missing(facts, service))
    if service.still_to_follow(facts.document_rules) and StepKey.DOCUMENTS not in missing:
        missing.append(StepKey.DOCUMENTS)
    kind = service.evidence_kind(facts.evidence_kind)
    if kind is not None and kind.weight == "provisional" and StepKey.EVIDENCE not in missing:
        missing.append(StepKey.EVIDENCE)  # it was enough for a while, and would be again: somebody may have better now
    return missing


def _take_papers(draft: Application, taken: Taken, *, copies: bool, now: dt.datetime) -> None:
    """A note of each, or a copy, encrypted anew under its own row, where the papers themselves are kept."""
    for document in taken.papers:
        paper = _note_of(document, draft, now)
        if copies and document.noted_from is None:
            paper.noted_from = paper.erased_at = None
            paper.name = document.name
            try:
                paper.stored = files.store(files.read(document.stored, aad=document.aad), aad=paper.aad)
            except files.FileMissing:
                continue  # its time of keeping was over: it is asked for again
        paper.save(force_insert=True)


def _note_of(document: Document, draft: Application, now: dt.datetime) -> Document:
    return Document(
        application=draft,
        rule=document.rule,
        media_type=document.media_type,
        size=document.size,
        pages=document.pages,
        valid_until=document.valid_until,
        sha256=document.sha256,
        uploaded_at=document.uploaded_at,
        noted_from=document.noted_from or document,
        erased_at=now,
    )
