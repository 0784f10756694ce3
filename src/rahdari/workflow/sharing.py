"""From share to verify, and to whoever asked: what became of requests to share an address, and notices that ran out."""

import datetime as dt
from typing import Any

from django.urls import reverse

from rahdari.address import format_block
from rahdari.apply import queries as applications
from rahdari.apply.models import Endpoint
from rahdari.apply.rules import Status
from rahdari.db.batches import in_turn
from rahdari.letters import actions as letters
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.share import actions as share
from rahdari.share import queries as requests
from rahdari.share.models import Request
from rahdari.share.rules import State
from rahdari.verify import actions as verify
from rahdari.verify.rules import Answer, Result

from .step import AT_ONCE, one_item

ACTOR = "system:line"
# What a request came to is to the check: outcome and finding. Nothing of it speaks against the applicant.
_FOUND: dict[State, tuple[Result, str]] = {
    State.DECLINED: ("failed", "share_declined"),
    State.SILENT: ("failed", "share_silent"),
}


def end_requests(now: dt.datetime) -> int:
    """Requests whose time to answer is over, and those for which nobody has the address any more."""
    ended = 0
    for request in in_turn("share: end requests", requests.waiting(), at_most=AT_ONCE):
        with one_item(request.origin):
            ended += share.end_waiting(request=request, now=now)
    return ended


def carry_answers(now: dt.datetime) -> int:
    """What requests came to: to the check that waits, and to whoever asked."""
    moved = 0
    for request in list(requests.to_carry()[:AT_ONCE]):
        with one_item(request.origin):
            endpoint = applications.endpoint_by_subject(request.subject)
            if endpoint is not None:
                for each in applications.endpoints_of(endpoint.application):
                    if each.network == request.block and not each.is_dynamic:
                        _answer(request, each, now)
                _tell(request, endpoint, now)
            share.mark_carried(request=request, now=now)
            if request.state != State.AGREED:
                share.settle(request=request, now=now)
            moved += 1
    return moved


def _answer(request: Request, endpoint: Endpoint, now: dt.datetime) -> None:
    subject, holder = endpoint.application.subject, endpoint.application.holder_ref
    block, evidence = str(request.block), {"block": str(request.block)}
    if request.ended_at is not None:
        # Silence is an answer when the time is over, whenever we see that it is.
        evidence["came_at"] = min(request.ended_at, request.due_at).isoformat()
    others = [f"entry:{entry.pk}" for entry in entries.in_the_way(block=request.block, holder=holder)[:10]]
    if not others:
        sharer = entries.sharer_of(block=request.block, holder=holder)
        since = {"sharer": str(sharer.pk), "since": sharer.since_at.isoformat()} if sharer is not None else {}
        found = Answer("passed", "shared" if sharer is not None else "free", evidence | since)
    elif State(request.state) in _FOUND:
        outcome, finding = _FOUND[State(request.state)]
        found = Answer(outcome, finding, evidence, blames=False)
    else:
        found = Answer("failed", "registered_by_another", {"block": block, "entries": others})
    verify.answer_check(
        subject=subject, kind="not_registered", target=endpoint.subject, found=found, actor=ACTOR, now=now, anew=True
    )


def _tell(request: Request, endpoint: Endpoint, now: dt.datetime) -> None:
    template = {
        State.AGREED: "share_agreed",
        State.DECLINED: "share_not_agreed",
        State.SILENT: "share_not_agreed",
    }.get(State(request.state))
    if template is None:
        return
    application = endpoint.application
    told: dict[str, Any] = {
        "reference": application.reference,
        "address": format_block(request.block),
        "url": reverse("portal:share", args=[application.reference, endpoint.pk]),
    }
    if template == "share_not_agreed":
        told["silent"] = request.state == State.SILENT
    for person in applications.readers_of(application):
        letters.write_once(
            to=person, template=template, about=application.subject, once=f"share:{request.pk}", context=told, now=now
        )


def follow_requests(now: dt.datetime) -> int:
    """Requests whose application is over, or whose address was taken out: nobody is asked for it any more, and a
    consent that was given for it ends. Of one that was granted the consent lives as long as its entry."""
    moved = 0
    for request in in_turn("share: follow requests", requests.unsettled(), at_most=AT_ONCE):
        with one_item(request.origin):
            endpoint = applications.endpoint_by_subject(request.subject)
            status = endpoint.application.status if endpoint is not None else ""
            if status in {Status.DRAFT, Status.SUBMITTED}:
                continue
            sharer = entries.sharer_from(request.origin)
            has_entries = (
                sharer is not None and entries.active_of_shared(sharer.shared_id).filter(holder=sharer.holder).exists()
            )
            if status == Status.GRANTED and sharer is not None and sharer.ended_at is None and not has_entries:
                continue  # its entry is about to come
            if request.state == State.WAITING:
                request = share.take_back(request=request, actor=ACTOR, now=now)
            elif sharer is not None and not has_entries:
                register.end_part(sharer=sharer, actor=ACTOR, now=now)
            share.settle(request=request, now=now)
            moved += 1
    return moved


def end_parts(now: dt.datetime) -> int:
    """Notices that ran out: the part of one holder ends, the address stays for the others."""
    ended = register.end_parts_due(now=now)
    for sharer in ended:
        with one_item(f"sharer:{sharer.pk}"):
            share.tell(sharer, "share_ended", now)
    return len(ended)


def remind(now: dt.datetime) -> int:
    return sum(share.remind(request=request, now=now) for request in list(requests.to_remind(now)[:AT_ONCE]))


def forget_names(now: dt.datetime) -> int:
    terms = requests.terms()
    return share.forget_names(terms=terms, now=now) if terms is not None else 0
