"""The endpoints and documents of a draft.

An endpoint whose address changes is a new endpoint: a proof given for the old address does not count for it.
A document is judged and cleaned before anything is locked, and its file is erased when its row is not kept.
"""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q

from rahdari.address import Block, Part, parse_block, vpn
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.policy import Policy
from rahdari.vault import files
from rahdari.web import limits as allowances

from . import queries, rules, screening
from .drafts import locked, locked_draft, take_known_proofs, touch
from .models import Application, Document, Endpoint
from .rules import Trouble


class EndpointNotTaken(Exception):
    """The endpoint cannot be part of the application. `.trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.kind.value)
        self.trouble = trouble


class UnknownDocumentRule(RahdariError):
    """The service asks for no such document. `.rule`"""

    says = "no document rule {rule!r}"
    rule: str


class TooManyDocuments(RahdariError):
    """The application has as many documents as the policy allows. `.limit`"""

    says = "{limit}"
    limit: int


def add_endpoint(
    *,
    application: Application,
    block: Block | str,
    runs: str,
    parts: Sequence[Part] = (),
    remote: str = "",
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    id: uuid.UUID | None = None,
    kind: str = "static",
    label: str = "",
) -> Endpoint:
    """Add an address. `parts` where they are not the usual ones of what runs there. Sent twice with the same `id`, it
    is added once. Raises EndpointNotTaken, NotADraft.
    """
    policy = policy or queries.policy_in_force()
    wanted = _wanted(block, runs, parts)
    with transaction.atomic():
        draft = locked_draft(application)
        # With those that were taken out, which keep their place.
        all_rows = list(Endpoint.objects.filter(Q(application=draft) | Q(pk=id)).order_by("position", "id"))
        rows = [each for each in all_rows if each.application_id == draft.pk and each.removed_at is None]
        known = next((each for each in all_rows if each.pk == id), None)
        if known in rows and known.as_address() == wanted:
            return known
        trouble = queries.trouble_with(draft, wanted, policy, rows=rows)
        if trouble is not None:
            raise EndpointNotTaken(trouble)
        last = max((each.position for each in all_rows if each.application_id == draft.pk), default=0)
        row = Endpoint(
            id=id if id is not None and known is None else uuid.uuid4(),
            application=draft,
            position=last + 1,
            added_at=now,
            remote=remote,
            kind=kind,
            label=label,
            **columns_of(wanted, runs),
        )
        row.save(force_insert=True)
        touch(draft, now)
        journal.record(
            act="apply.added_endpoint",
            actor=actor,
            subject=draft.subject,
            now=now,
            detail={"endpoint": str(row.pk)},
        )
        take_known_proofs(draft, actor=actor, now=now, rows=[*rows, row])
        return row


@transaction.atomic
def note_subscriber(*, endpoint: Endpoint, number: str, actor: str, now: dt.datetime) -> Endpoint:
    """Keep the number by which the operator of an address knows the applicant. What it is stands in no journal."""
    row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    if row.subscriber != number:
        row.subscriber, row.has_subscriber = number, bool(number)
        row.save(update_fields=["subscriber", "has_subscriber"])
        subject = f"application:{row.application_id}"
        detail = {"endpoint": str(row.pk)}
        journal.record(act="apply.noted_subscriber", actor=actor, subject=subject, now=now, detail=detail)
    return row


@transaction.atomic
def name_network(*, endpoint: Endpoint, asn: int, operator_name: str, actor: str, now: dt.datetime) -> Endpoint:
    """An officer says to which network an address belongs that the directory does not know. Doing it twice changes
    nothing."""
    row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    if (row.asn, row.operator_name) != (asn, operator_name):
        row.asn, row.operator_name = asn, operator_name
        row.save(update_fields=["asn", "operator_name"])
        subject, detail = f"application:{row.application_id}", {"endpoint": str(row.pk), "asn": asn}
        journal.record(act="apply.named_network", actor=actor, subject=subject, now=now, detail=detail)
    return row


# An operator may correct its answer this long; nobody needs the number afterwards.
SUBSCRIBER_KEPT = dt.timedelta(days=30)


def forget_subscribers(*, now: dt.datetime, at_most: int = 500) -> int:
    """Delete the subscriber numbers of applications that have been closed for long enough. Returns how many."""
    due = Endpoint.objects.filter(has_subscriber=True, application__closed_at__lt=now - SUBSCRIBER_KEPT)
    rows = list(due.order_by("pk")[:at_most])
    for row in rows:
        row.subscriber, row.has_subscriber = "", False
        row.save(update_fields=["subscriber", "has_subscriber"])
    return len(rows)


def change_endpoint(
    *,
    endpoint: Endpoint,
    block: Block | str,
    runs: str,
    parts: Sequence[Part] = (),
    remote: str = "",
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    kind: str = "",
    label: str | None = None,
) -> Endpoint:
    """Put an address right. Another block is another endpoint.
    Raises EndpointNotFound for one that was removed, EndpointNotTaken, NotADraft.
    """
    policy = policy or queries.policy_in_force()
    wanted = _wanted(block, runs, parts)
    with transaction.atomic():
        draft = locked_draft(endpoint.application)
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        if row.removed_at is not None:
            raise queries.EndpointNotFound(row.pk)
        kind = kind or row.kind
        label = row.label if label is None else label
        if row.as_address() == wanted and (row.runs, row.kind, row.remote, row.label) == (
            runs,
            kind,
            remote,
            label,
        ):
            return row
        trouble = queries.trouble_with(draft, wanted, policy, other_than=row.pk)
        if trouble is not None:
            raise EndpointNotTaken(trouble)
        if (row.network == wanted.block or row.is_dynamic) and row.kind == kind:
            # Where an address changes by itself, the endpoint is its connection, which a token of its own proves.
            for name, value in columns_of(wanted, runs).items():
                setattr(row, name, value)
            row.remote, row.label = remote, label
            row.save(update_fields=["block", "runs", "parts", "asn", "operator_name", "remote", "label"])
        else:
            row.removed_at = now
            row.save(update_fields=["removed_at"])
            row = Endpoint(
                application=draft,
                position=row.position,
                added_at=now,
                kind=kind,
                remote=remote,
                label=label,
                branch=Endpoint.objects.select_related("branch").get(pk=endpoint.pk).branch,
                **columns_of(wanted, runs),
            )
            row.save(force_insert=True)
        touch(draft, now)
        journal.record(
            act="apply.changed_endpoint",
            actor=actor,
            subject=draft.subject,
            now=now,
            detail={"endpoint": str(row.pk), "was": str(endpoint.pk)},
        )
        take_known_proofs(draft, actor=actor, now=now)
        return row


def hear_address(*, endpoint: Endpoint, block: Block, first: bool, now: dt.datetime) -> Endpoint:
    """A connection whose address changes has reported it: the draft shows what it is now. Of one that was sent the
    address stays as it was checked; what is entered is the one reported last. After the first report the family stays.
    """
    with transaction.atomic():
        draft = locked(endpoint.application)
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        if draft.status != rules.Status.DRAFT or row.removed_at is not None or row.network == block:
            return row
        if not first and row.network.version != block.version:
            return row
        same = Endpoint.objects.filter(application=draft, block=block, parts=row.parts)
        if same.filter(removed_at__isnull=True).exists():
            return row
        for name, value in columns_of(AddressEndpoint(block, row.parts), row.runs).items():
            setattr(row, name, value)
        row.save(update_fields=["block", "asn", "operator_name"])
        journal.record(
            act="apply.heard_address",
            actor="system:dyndns",
            subject=draft.subject,
            now=now,
            detail={"endpoint": str(row.pk)},
        )
    return row


def remove_endpoint(*, endpoint: Endpoint, actor: str, now: dt.datetime) -> None:
    """Take an address out of a draft. Doing it twice changes nothing."""
    with transaction.atomic():
        draft = locked_draft(endpoint.application)
        changed = Endpoint.objects.filter(pk=endpoint.pk, removed_at__isnull=True).update(removed_at=now)
        if changed:
            touch(draft, now)
            journal.record(
                act="apply.removed_endpoint",
                actor=actor,
                subject=draft.subject,
                now=now,
                detail={"endpoint": str(endpoint.pk)},
            )


def _wanted(block: Block | str, runs: str, parts: Sequence[Part]) -> AddressEndpoint:
    block = parse_block(block) if isinstance(block, str) else block
    return AddressEndpoint(block, tuple(parts) or vpn.parts_of(runs))


def columns_of(wanted: AddressEndpoint, runs: str) -> dict[str, Any]:
    origin = queries.origin_of(wanted.block)
    return {
        "block": wanted.block,
        "runs": runs,
        "parts": wanted.parts,
        "asn": origin.asn if origin else None,
        "operator_name": origin.organisation if origin else "",
    }


def attach_document(
    *,
    application: Application,
    rule: str,
    name: str,
    content: bytes,
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    valid_until: dt.date | None = None,
) -> Document:
    """Judge, clean, encrypt and keep a file. The same file again gives the same document, with the newer last day.

    Raises screening.FileRefused, UnknownDocumentRule, TooManyDocuments, NotADraft.
    """
    policy = policy or queries.policy_in_force()
    service = queries.service_of(application, policy)
    if service.document(rule) is None and not (rule == rules.EVIDENCE_RULE and service.evidence):
        raise UnknownDocumentRule(rule)
    limits = policy.limits
    kept = judge_file(content, name=name, policy=policy, owner=application.applicant_id)
    with only_if_kept() as stored, transaction.atomic():
        draft = locked_draft(application)
        present = queries.documents_of(draft)
        existing = present.filter(rule=rule, sha256=kept.sha256).first()
        if existing is not None and existing.noted_from_id is not None:
            # Here is the paper of which only a note was there.
            existing.removed_at = now
            existing.save(update_fields=["removed_at"])
        elif existing is not None:
            if valid_until is not None and existing.valid_until != valid_until:
                existing.valid_until = valid_until
                existing.save(update_fields=["valid_until"])
            return existing
        if present.count() >= limits.documents_per_application:
            raise TooManyDocuments(limits.documents_per_application)
        document = keep_document(draft, rule, kept, stored, valid_until=valid_until, now=now)
        touch(draft, now)
        journal.record(
            act="apply.attached_document",
            actor=actor,
            subject=draft.subject,
            now=now,
            detail={"document": str(document.pk), "rule": rule},
        )
        return document


# One file is judged at a time in each process that serves: two would take turns and be ready no sooner.
_place = threading.BoundedSemaphore()


def judge_file(content: bytes, *, name: str, policy: Policy, owner: uuid.UUID | str) -> screening.Screened:
    """Judge and clean one file of this person's, whose seconds of judging are counted. The only way to the judge.
    `owner`: whose it is; of somebody who does not apply, where it comes from.

    Waits for its turn. Raises screening.FileRefused.
    """
    shown, key = screening.shown_name(name), f"apply.judging:{owner}"
    if len(content) > policy.limits.document_bytes:  # not worth a turn
        raise screening.FileRefused(screening.FileFault.TOO_BIG, shown, limit=policy.limits.document_bytes)
    applies = owner if isinstance(owner, uuid.UUID) else None
    if applies is None and queries.bytes_of_papers(None) >= rules.MOST_BYTES_FROM_OTHERS:
        raise screening.FileRefused(screening.FileFault.NO_ROOM, shown)
    if applies is not None and queries.bytes_of_papers(applies) >= rules.MOST_BYTES_OF_PAPERS:
        raise screening.FileRefused(screening.FileFault.NO_ROOM, shown, limit=rules.MOST_BYTES_OF_PAPERS)
    with _place:
        # Asked within the turn: many sent at once are counted one after the other.
        allowance = allowances.take(key, rate=rules.SECONDS_OF_JUDGING, per=rules.PER_SECONDS)
        if not allowance.allowed:
            seconds = int(allowance.wait.total_seconds()) + 1
            raise screening.FileRefused(screening.FileFault.TOO_OFTEN, shown, limit=seconds)
        began = time.monotonic()
        try:
            return screening.in_a_process(
                content, name=name, most_bytes=policy.limits.document_bytes, types=policy.limits.document_types
            )
        finally:
            spent = time.monotonic() - began - 1  # the first is taken
            allowances.spend(key, spent, rate=rules.SECONDS_OF_JUDGING, per=rules.PER_SECONDS)


@contextmanager
def only_if_kept() -> Iterator[list[Document]]:
    """Erase the files of documents whose rows were not kept, whatever went wrong after they were stored."""
    stored: list[Document] = []
    try:
        yield stored
    except BaseException:
        for document in stored:
            files.erase(document.stored)
        raise


def keep_document(
    row: Application | None,
    rule: str,
    kept: screening.Screened,
    stored: list[Document],
    *,
    valid_until: dt.date | None = None,
    now: dt.datetime,
) -> Document:
    """Store a cleaned file, and its row; see `only_if_kept`."""
    document = Document(
        application=row,
        rule=rule,
        name=kept.name,
        media_type=kept.media_type,
        size=len(kept.content),
        pages=kept.pages,
        sha256=kept.sha256,
        uploaded_at=now,
        valid_until=valid_until,
    )
    document.stored = files.store(kept.content, aad=document.aad)
    stored.append(document)
    document.save(force_insert=True)
    return document


def date_documents(*, application: Application, rule: str, valid_until: dt.date, actor: str, now: dt.datetime) -> None:
    """Put the last day of a certificate right that is there already. Doing it twice changes nothing."""
    with transaction.atomic():
        draft = locked_draft(application)
        wrong = queries.documents_of(draft).filter(rule=rule).exclude(valid_until=valid_until)
        if wrong.update(valid_until=valid_until):
            touch(draft, now)
            journal.record(
                act="apply.dated_document", actor=actor, subject=draft.subject, now=now, detail={"rule": rule}
            )


def take_out(document: Document, now: dt.datetime) -> bool:
    """Erase its file; its row says when it was taken out. False: it was before. In the caller's transaction."""
    if not Document.objects.filter(pk=document.pk, removed_at__isnull=True).update(removed_at=now):
        return False
    if document.stored:
        transaction.on_commit(lambda: files.erase(document.stored))
    return True


def remove_document(*, application: Application, document: Document, actor: str, now: dt.datetime) -> None:
    """Take a document out of a draft and erase its file. Doing it twice changes nothing."""
    with transaction.atomic():
        draft = locked_draft(application)
        if take_out(document, now):
            touch(draft, now)
            journal.record(
                act="apply.removed_document",
                actor=actor,
                subject=draft.subject,
                now=now,
                detail={"document": str(document.pk), "rule": document.rule},
            )
