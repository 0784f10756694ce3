"""From share to checks, and to whoever asked: what became of requests to share an address, and notices that ran out."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, QuerySet
from django.urls import reverse

from rahdari.address import format_block
from rahdari.apply import access
from rahdari.apply import queries as applications
from rahdari.apply import subjects as apply_subjects
from rahdari.apply.models import Endpoint
from rahdari.apply.rules import Status
from rahdari.archive.actions import Box
from rahdari.checks import checking as checks_checking
from rahdari.checks.evidence import Evidence
from rahdari.checks.rules import Answer, Result
from rahdari.db.queues import each_of
from rahdari.inquiry.rules import SILENT
from rahdari.letters import actions as letters
from rahdari.register import queries as entries
from rahdari.register import sharing
from rahdari.register.models import CoHolder
from rahdari.share import actions as share
from rahdari.share import queries as requests
from rahdari.share import rules
from rahdari.share.models import SharingRequest
from rahdari.share.queries import CO_HOLDER

from .inquiries import Asked, came_at
from .step import Place, Step

ACTOR = "system:workflow"
# What a request came to is to the check: outcome and finding. Nothing of it speaks against the applicant.
_FOUND: dict[str, tuple[Result, str]] = {
    rules.DECLINED: ("failed", "share_declined"),
    SILENT: ("failed", "share_silent"),
}


@CO_HOLDER.delivering
def deliver_consents(request: SharingRequest, now: dt.datetime) -> None:
    """What requests came to: to the check that waits, and to whoever asked."""
    endpoint = apply_subjects.endpoint_by_subject(request.subject)
    if endpoint is not None:
        for each in applications.endpoints_of(endpoint.application):
            if each.network == request.block and not each.is_dynamic:
                _answer(request, each, now)
        _tell(request, endpoint, now)
    if request.state != rules.AGREED:
        share.close(request=request, now=now)


def _answer(request: SharingRequest, endpoint: Endpoint, now: dt.datetime) -> None:
    subject, holder = endpoint.application.subject, endpoint.application.holder_ref
    block = str(request.block)
    evidence: Evidence = {"block": block}
    if request.ended_at is not None:
        evidence["came_at"] = came_at(request)
    others = [f"entry:{entry.pk}" for entry in entries.in_the_way(block=request.block, holder=holder)[:10]]
    if not others:
        sharer = entries.sharer_of(block=request.block, holder=holder)
        if sharer is not None:
            evidence |= {"sharer": str(sharer.pk), "since": sharer.since_at.isoformat()}
        found = Answer("passed", "shared" if sharer is not None else "free", evidence)
    elif request.state in _FOUND:
        outcome, finding = _FOUND[request.state]
        found = Answer(outcome, finding, evidence, blames=False)
    else:
        found = Answer("failed", "registered_by_another", {"block": block, "entries": others})
    checks_checking.answer_check(
        subject=subject, kind="not_registered", target=endpoint.subject, found=found, actor=ACTOR, now=now, anew=True
    )


def _tell(request: SharingRequest, endpoint: Endpoint, now: dt.datetime) -> None:
    template = {
        rules.AGREED: "share_agreed",
        rules.DECLINED: "share_not_agreed",
        SILENT: "share_not_agreed",
    }.get(request.state)
    if template is None:
        return
    application = endpoint.application
    told: dict[str, Any] = {
        "reference": application.reference,
        "address": format_block(request.block),
        "url": reverse("portal:share", args=[application.reference, endpoint.pk]),
    }
    if template == "share_not_agreed":
        told["silent"] = request.state == SILENT
    for person in access.readers_of(application):
        letters.write_once(
            to=person, template=template, about=application.subject, once=f"share:{request.pk}", context=told, now=now
        )


def _of_what_is_decided(now: dt.datetime) -> QuerySet[SharingRequest]:
    undecided = applications.endpoints_there().filter(application__status__in=[Status.DRAFT, Status.SUBMITTED])
    return requests.unsettled().filter(~Exists(apply_subjects.endpoint_named_in("subject", undecided)))


@each_of(_of_what_is_decided)
def follow_requests(request: SharingRequest, now: dt.datetime) -> bool:
    """Requests whose application is over, or whose address was taken out: nobody is asked for it any more, and a
    consent that was given for it ends. Of one that was granted the consent lives as long as its entry."""
    endpoint = apply_subjects.endpoint_by_subject(request.subject)
    status = endpoint.application.status if endpoint is not None else ""
    if status in {Status.DRAFT, Status.SUBMITTED}:
        return False
    sharer = entries.sharer_from(request.origin)
    has_entries = (
        sharer is not None and entries.active_of_shared(sharer.shared_id).filter(holder=sharer.holder).exists()
    )
    if status == Status.GRANTED and sharer is not None and sharer.ended_at is None and not has_entries:
        return False  # its entry is about to come
    if request.is_waiting:
        request = CO_HOLDER.withdraw(request, actor=ACTOR, now=now)
    elif sharer is not None and not has_entries:
        sharing.end_part(sharer=sharer, actor=ACTOR, now=now)
    share.close(request=request, now=now)
    return True


@each_of(entries.sharers_due_to_leave)
def end_parts(sharer: CoHolder, now: dt.datetime) -> bool:
    """Notices that ran out: the part of one holder ends, the address stays for the others."""
    ended = bool(sharing.end_parts_due.move(sharer, now))
    if ended:
        share.write_to_holder(sharer, "share_ended", now)
    return ended


PARTY = Asked(
    CO_HOLDER,
    withdraw=share.lapse,
    deliver=deliver_consents,
    remind=share.remind,
    erase=share.erase_names,
)
STEPS = {
    Place.ENTRIES: (
        Step("share: follow requests", follow_requests),
        Step("share: end parts", end_parts),
    )
}
is_waiting = requests.is_waiting


def erase_about(*, subjects: Sequence[str], box: Box, now: dt.datetime) -> list[str]:
    return share.erase_requests(subjects=subjects, box=box)
