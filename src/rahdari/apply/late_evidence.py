"""Proofs that come after the application was sent, and papers that go with an answer.

What was sent stays as it was sent: a later proof is a row of its own, with its files. It is judged by the rules that
the application was sent under, and carried to the checks by the line.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.policy import DocumentRule, EvidenceKind
from rahdari.policy.sorts import SORTS, EvidenceSort

from . import queries, rules
from .models import Application, Document, LateEvidence
from .parts import TooManyDocuments, judge_file, keep_document, only_if_kept, take_out
from .rules import Status


class NothingAwaited(RahdariError):
    """The application is a draft, or it is over: no proof is awaited. `.application`"""

    says = "{application} is {application.status}"
    application: Application


class ProofNotAccepted(RahdariError):
    """No such kind counts here, or what it wants was not given. `.kind`"""

    says = "no proof of the kind {kind!r}"
    kind: str


@dataclass(frozen=True)
class File:
    """A file as it was sent."""

    name: str
    content: bytes


def offer_proof(
    *,
    application: Application,
    kind: str,
    text: str = "",
    sent: Sequence[File] = (),
    valid_until: dt.date | None = None,
    actor: str,
    now: dt.datetime,
) -> LateEvidence:
    """Take one more proof: a kind of evidence, or a document that was to follow. All of it is kept, or nothing.

    Raises NothingAwaited, ProofNotAccepted, screening.FileRefused, TooManyDocuments.
    """
    policy = queries.frozen_policy(application)
    service = queries.service_of(application, policy)
    sort = _wanted(service.evidence_kind(kind), service.document(kind))
    limits = policy.limits
    if not (sent if sort.is_file else text.strip()):
        raise ProofNotAccepted(kind)
    kept = [judge_file(file.content, name=file.name, policy=policy, owner=application.applicant_id) for file in sent]
    rule = kind if service.document(kind) is not None else rules.EVIDENCE_RULE
    with only_if_kept() as stored, transaction.atomic():
        row = Application.objects.select_for_update().get(pk=application.pk)
        if row.status not in {Status.SUBMITTED, Status.GRANTED}:
            raise NothingAwaited(row)
        if queries.documents_of(row).count() + len(kept) > limits.documents_per_application:
            raise TooManyDocuments(limits.documents_per_application)
        proof = LateEvidence.objects.create(application=row, kind=kind, text=text.strip(), given_at=now)
        for file in kept:
            keep_document(row, rule, file, stored, valid_until=valid_until, now=now)
        journal.record(
            act="apply.offered_proof",
            actor=actor,
            subject=row.subject,
            now=now,
            detail={"kind": kind, "files": len(kept)},
        )
        wake()
    return proof


def attach_to_answer(*, application: Application, asked: str, sent: File, actor: str, now: dt.datetime) -> Document:
    """Keep a paper that goes with the answer to what was `asked`, as its room calls it (`question:<uuid>`). The same
    file again gives the same document. The caller has made sure that the answer is still awaited.

    Raises NothingAwaited, screening.FileRefused, TooManyDocuments: for each answer as many as for an application.
    """
    policy = queries.frozen_policy(application)
    limits = policy.limits
    kept = judge_file(sent.content, name=sent.name, policy=policy, owner=application.applicant_id)
    with only_if_kept() as stored, transaction.atomic():
        row = Application.objects.select_for_update().get(pk=application.pk)
        if row.status not in {Status.SUBMITTED, Status.GRANTED, Status.REFUSED, Status.NOT_PURSUED}:
            raise NothingAwaited(row)
        present = queries.documents_of_answer(row, asked)
        if (same := present.filter(sha256=kept.sha256).first()) is not None:
            return same
        if present.count() >= limits.documents_per_application:
            raise TooManyDocuments(limits.documents_per_application)
        document = keep_document(row, asked, kept, stored, now=now)
        _journal("attached_to_answer", row, document, actor, now)
    return document


def remove_from_answer(*, document: Document, actor: str, now: dt.datetime) -> None:
    """Take a paper out of an answer that was not sent yet, and erase its file. Doing it twice changes nothing."""
    with transaction.atomic():
        row = Application.objects.select_for_update(of=("self",)).get(documents=document)
        if take_out(document, now):
            _journal("removed_from_answer", row, document, actor, now)


def _journal(act: str, row: Application, document: Document, actor: str, now: dt.datetime) -> None:
    detail = {"document": str(document.pk), "asked": document.rule}
    journal.record(act=f"apply.{act}", actor=actor, subject=row.subject, now=now, detail=detail)


def _wanted(kind: EvidenceKind | None, document: DocumentRule | None) -> EvidenceSort:
    if document is not None and document.may_follow:
        return SORTS["document"]
    if kind is None or kind.weight == "provisional":
        raise ProofNotAccepted(kind.key if kind else "")
    return kind.sort


def forget_client(*, application: Application, proof: LateEvidence | None, now: dt.datetime) -> None:
    """Of the address of a client who was asked, only the domain stays. Doing it twice changes nothing."""
    with transaction.atomic():
        row = Application.objects.select_for_update().get(pk=application.pk)
        if proof is not None:
            held = LateEvidence.objects.select_for_update().get(pk=proof.pk)
            held.text = rules.domain_of(held.text)
            held.save(update_fields=["text"])
        else:
            row.evidence_text = rules.domain_of(row.evidence_text)
            row.save(update_fields=["evidence_text"])
        journal.record(act="apply.forgot_client", actor="clock", subject=row.subject, now=now)


def mark_taken_in(*, proof: LateEvidence, now: dt.datetime) -> LateEvidence:
    """The checks know of it. Doing it twice changes nothing."""
    if proof.taken_in_at is None:
        proof.taken_in_at = now
        proof.save(update_fields=["taken_in_at"])
    return proof
