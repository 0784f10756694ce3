"""Applying again for what is registered: to renew it, or to change its addresses. Reached through `actions`.

The registration keeps its number. What the last application said is filled in; the addresses are those that the
register holds now. From here on it is an application like any other: proved, sent, checked, decided by rule when all
passes, or by an officer, with every remedy.
"""

import datetime as dt

from django.db import IntegrityError, transaction

from rahdari.journal import actions as journal
from rahdari.people.models import Mandate, User
from rahdari.policy import Policy
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.vault import files

from . import queries, rules
from .drafts import ServiceNotOpen, free_reference
from .models import Application, Document, Endpoint
from .rules import About

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
    "use",
    "fixed_address",
    "purpose",
    "evidence_kind",
    "evidence_text",
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


def renewal_opens_at(registration: Registration, policy: Policy) -> dt.datetime:
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
    if register.standing(registration, now) != "valid":
        raise RegistrationOver(registration)
    if about == About.RENEWAL and now < renewal_opens_at(registration, policy):
        raise TooEarlyToRenew(renewal_opens_at(registration, policy))
    service = policy.services.get(registration.category)
    if service is None or not service.open:
        raise ServiceNotOpen(registration.category)
    under_way = queries.under_way_for(registration, about)
    if under_way is not None:
        return under_way
    last = queries.last_granted_for(registration)
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
    if mandate is not None:
        draft.mandate, draft.organisation = mandate, mandate.organisation
    try:
        with transaction.atomic():
            draft.reference = free_reference(now)
            draft.save(force_insert=True)
            _take_addresses(draft, registration, last, now)
            if last is not None and (about == About.CHANGE or policy.renewal.documents == "kept"):
                _take_documents(draft, last, now)
            journal.record(
                act="apply.applied_again",
                actor=actor,
                subject=draft.subject,
                now=now,
                detail={"about": about, "registration": registration.reference},
            )
    except IntegrityError:
        under_way = queries.under_way_for(registration, about)  # two tabs at once: the other one was first
        if under_way is None:
            raise
        return under_way
    return draft


def _take_addresses(draft: Application, registration: Registration, last: Application | None, now: dt.datetime) -> None:
    """What the register holds, but for addresses that the holder has left; of a changing one, its connection."""
    rows = [
        (entry.block, entry.protocol, entry.port, "static", entry.origin)
        for entry in register.entries_of(registration)
        if entry.ended_at is None and entry.kind == "static" and _stays(entry)
    ]
    before = list(queries.endpoints_of(last)) if last is not None else []
    rows += [
        (row.network, row.protocol, row.port, "dynamic", row.continues or row.subject)
        for row in before
        if row.is_dynamic
    ]
    known = {row.continues or row.subject: row for row in before}
    for position, (block, protocol, port, kind, continues) in enumerate(rows, start=1):
        origin = queries.origin_of(block)
        Endpoint.objects.create(
            application=draft,
            block=block,
            protocol=protocol,
            port=port,
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


def _stays(entry: Entry) -> bool:
    return entry.valid_until >= entry.registration.stays_until


def _take_documents(draft: Application, last: Application, now: dt.datetime) -> None:
    """A copy of each, encrypted anew under its own row."""
    for document in queries.documents_of(last):
        copy = Document(
            application=draft,
            rule=document.rule,
            name=document.name,
            media_type=document.media_type,
            size=document.size,
            pages=document.pages,
            sha256=document.sha256,
            uploaded_at=now,
        )
        try:
            copy.stored = files.store(files.read(document.stored, aad=document.aad), aad=copy.aad)
        except files.FileMissing:
            continue  # its time of keeping was over: it is asked for again
        copy.save(force_insert=True)
