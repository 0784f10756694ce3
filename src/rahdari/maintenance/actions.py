"""The acts of announced work. Each locks it, makes a move of `rules.MOVES` or none, and is one transaction with one row
of the journal. What each consumer is told of it is worked out later (`telling`).

Invariants: an operator touches its own networks alone; what is announced has a window to come, says what it affects,
and why; the window of work that has begun stays as it was announced.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from rahdari.address import Block, directory, format_block
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.inquiry.rules import VOID, Move
from rahdari.journal import actions as journal
from rahdari.people import quoting
from rahdari.publish.models import Operator
from rahdari.register import queries as register

from . import queries, rules
from .models import Affected, DeletedDraft, Wording, Work
from .rules import Component, Plan, WindowFault


class NotPossibleNow(RahdariError):
    """Work in this state does not move so, or not before its window. `.work`, `.act`"""

    says = "{work}: {act} is not possible now"
    work: Work
    act: str


class TooEarly(NotPossibleNow):
    """It is not possible yet: work is said to have begun, or to be over, too long before its window. `.since`"""

    says = "{work}: {act} is possible from {since} on"
    since: dt.datetime


class WindowNotTaken(RahdariError):
    """It cannot be announced with this window, or not end then. `.fault`; the window that was given, `.starts_at` and
    `.ends_at`; of NOT_LONGER `.after`, which the end must be later than."""

    says = "{fault}"
    fault: WindowFault
    after: dt.datetime | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


class SaysNotWhy(Exception):
    """It says in no language what is done."""


class NothingAffected(Exception):
    """It names no address and no entry."""


class TooManyOpen(RahdariError):
    """There are as many drafts and open works as the policy lets anybody have. `.most`"""

    says = "{most}"
    most: int


class EntryNotYours(RahdariError):
    """No entry of these networks has this feed id. `.feed_id`"""

    says = "{feed_id}"
    feed_id: str


class NetworkNotYours(RahdariError):
    """These addresses are announced by other networks. `.block`"""

    says = "{block}"
    block: Block


# -- drafts --------------------------------------------------------------------------------------------------------


@transaction.atomic
def draft(
    *,
    operator: Operator | None,
    plan: Plan,
    by: str,
    now: dt.datetime,
    own_id: str = "",
    own_sequence: int | None = None,
) -> Work:
    """A draft, of which nobody hears: of this operator, of the regulator without one. `by` names the person or token;
    `own_id` is what the operator's own program calls it.

    Raises TooManyOpen, WindowNotTaken, NothingAffected, EntryNotYours, NetworkNotYours, LeadsAway.
    """
    most = queries.terms().most_open
    if queries.open_works(operator).count() >= most:
        raise TooManyOpen(most)
    components = _own(operator, plan.components)
    work = Work(operator=operator, made_at=now, own_id=own_id, own_sequence=own_sequence, reason=plan.reason)
    _write(work, plan, now)
    work.save(force_insert=True)
    _name(work, components)
    _record(work, "drafted", by, now)
    return work


@transaction.atomic
def edit(*, work: Work, plan: Plan, by: str, now: dt.datetime) -> Work:
    """Another plan in the place of the draft's. Raises NotPossibleNow, WindowNotTaken, NothingAffected,
    EntryNotYours, NetworkNotYours, LeadsAway."""
    work = _locked(work, "edit")
    components = _own(work.operator, plan.components)
    _write(work, plan, now)
    work.save()
    _name(work, components)
    _record(work, "edited", by, now)
    return work


@transaction.atomic
def discard(*, work: Work, by: str, now: dt.datetime) -> None:
    """Throw a draft away: nobody has heard of it. What was read of it stays known. Raises NotPossibleNow."""
    work = _locked(work, "edit", as_act="discard")
    if work.operator is not None and work.own_sequence is not None:
        read = {"own_sequence": work.own_sequence}
        DeletedDraft.objects.update_or_create(operator=work.operator, own_id=work.own_id, defaults=read)
    _record(work, "discarded", by, now)
    work.delete()


# -- what is said of it --------------------------------------------------------------------------------------------


@transaction.atomic
def announce(*, work: Work, by: str, now: dt.datetime) -> Work:
    """Let everybody hear whom it affects. Raises NotPossibleNow, WindowNotTaken, SaysNotWhy."""
    work = _locked(work, "announce")
    _hold_window(work, now)
    if not (work.text_en or work.text_ur):
        raise SaysNotWhy
    _have_words_read(work, now)
    work.announced_at = work.told_at = now
    work.expected_end_at = work.ends_at
    _move(work, "announce")
    _record(work, "announced", by, now, version=work.version)
    return work


@transaction.atomic
def change(*, work: Work, plan: Plan, by: str, now: dt.datetime) -> Work:
    """Another plan in the place of what was announced. Where the window is another one, or somebody may be affected
    more, notice is counted anew. Raises NotPossibleNow, WindowNotTaken, SaysNotWhy, NothingAffected, EntryNotYours,
    NetworkNotYours, LeadsAway."""
    work = _locked(work, "change")
    before, window = work.components, (work.starts_at, work.ends_at)
    components = _own(work.operator, plan.components)
    _write(work, plan, now)
    _hold_window(work, now)
    if not (work.text_en or work.text_ur):
        raise SaysNotWhy
    _have_words_read(work, now)
    is_moved = (work.starts_at, work.ends_at) != window
    if is_moved or rules.is_worse(before, components):
        work.told_at = now
    work.expected_end_at = work.ends_at
    _name(work, components)
    _move(work, "change")
    _record(work, "changed", by, now, version=work.version)
    if is_moved:
        _settle(work, Move.ANSWER, rules.MOVED, by, now)
    return work


@transaction.atomic
def cancel(*, work: Work, by: str, now: dt.datetime) -> Work:
    """It does not take place. Raises NotPossibleNow."""
    work = _locked(work, "cancel")
    work.ended_at = now
    _move(work, "cancel")
    _record(work, "cancelled", by, now, version=work.version)
    _settle(work, Move.LAPSE, VOID, by, now)
    return work


@transaction.atomic
def start(*, work: Work, by: str, now: dt.datetime) -> Work:
    """It has begun, also a little before its window: its figures have it. Raises NotPossibleNow, TooEarly."""
    work = _locked(work, "start")
    _hold_time(work, "start", now)
    work.started_at = now
    _move(work, "start")
    _record(work, "started", by, now, version=work.version)
    _settle(work, Move.LAPSE, VOID, by, now)
    return work


@transaction.atomic
def prolong(*, work: Work, expected_end_at: dt.datetime, by: str, now: dt.datetime) -> Work:
    """It will take until then, longer than announced. The announced window stays, and what lies behind it is not
    announced work.

    Raises NotPossibleNow, WindowNotTaken.
    """
    work = _locked(work, "prolong")
    after = max(now, work.ends_at or now)
    if expected_end_at <= after:
        raise WindowNotTaken(WindowFault.NOT_LONGER, after)
    if work.starts_at is not None and expected_end_at - work.starts_at > 2 * queries.terms().longest_window:
        raise WindowNotTaken(WindowFault.TOO_LONG, starts_at=work.starts_at, ends_at=expected_end_at)
    work.expected_end_at = expected_end_at
    _move(work, "prolong")
    _record(work, "prolonged", by, now, version=work.version)
    return work


@transaction.atomic
def complete(*, work: Work, by: str, now: dt.datetime) -> Work:
    """It is over. Raises NotPossibleNow; TooEarly before its window, where nobody has said that it has begun."""
    work = _locked(work, "complete")
    _hold_time(work, "complete", now)
    work.ended_at = now
    _move(work, "complete")
    _record(work, "completed", by, now, version=work.version)
    _settle(work, Move.LAPSE, VOID, by, now)
    return work


# -- what an operator writes ---------------------------------------------------------------------------------------


class WordingNotFound(LookupError):
    """There is none."""


@transaction.atomic
def read_wording(*, id: uuid.UUID, is_shown: bool, by: str, now: dt.datetime) -> Wording:
    """An officer has read what an operator wrote: holders read it from now on, whenever it is written, or never.
    Raises WordingNotFound."""
    wording = Wording.objects.select_for_update().filter(pk=id).first()
    if wording is None:
        raise WordingNotFound
    wording.is_shown, wording.read_at, wording.read_by = is_shown, now, by
    wording.save(update_fields=["is_shown", "read_at", "read_by"])
    act = "maintenance.showed_words" if is_shown else "maintenance.kept_words_back"
    journal.record(act=act, actor=by, subject=str(wording), now=now)
    return wording


def _have_words_read(work: Work, now: dt.datetime) -> None:
    """By an officer, where this operator writes them for the first time. The rest is told meanwhile."""
    if work.operator is None:
        return
    facts = {"text_en": work.text_en, "text_ur": work.text_ur, "written_at": now}
    key = rules.wording_key(work.text_en, work.text_ur)
    work.wording, _is_new = Wording.objects.get_or_create(operator=work.operator, key=key, defaults=facts)


# -- how -----------------------------------------------------------------------------------------------------------


def _locked(work: Work, act: str, *, as_act: str = "") -> Work:
    found = Work.objects.select_for_update(of=("self",)).select_related("operator").filter(pk=work.pk).first()
    if found is None or not rules.allows(found.state, act):
        raise NotPossibleNow(work, as_act or act)
    return found


def _hold_time(work: Work, act: str, now: dt.datetime) -> None:
    since = rules.possible_from(work.state, act, work.starts_at)
    if since is not None and now < since:
        raise TooEarly(work, act, since)


def _move(work: Work, act: str) -> None:
    work.state = rules.target_of(work.state, act)
    work.version = 0 if work.version is None else work.version + 1
    work.save()
    wake()


def _settle(work: Work, move: Move, state: str, by: str, now: dt.datetime) -> None:
    """Whoever asked for another night has it, or there is nothing to ask any more. What is past its time is silence."""
    for each in queries.requests_about(work).filter(due_at__gt=now).select_for_update(of=("self",)):
        queries.ANOTHER_NIGHT.end(each, move, state, actor=by, now=now)


def _record(work: Work, act: str, by: str, now: dt.datetime, **detail: Any) -> None:
    actor = f"operator:{work.operator.slug}" if work.operator is not None else by
    detail = {"work": work.reference, "by": by, **detail}
    journal.record(act=f"maintenance.{act}", actor=actor, subject=work.subject, now=now, detail=detail)


def _hold_window(work: Work, now: dt.datetime) -> None:
    fault = rules.judge_window(
        starts_at=work.starts_at, ends_at=work.ends_at, minutes=work.minutes, terms=queries.terms(), now=now
    )
    if fault is not None:
        raise WindowNotTaken(fault, starts_at=work.starts_at, ends_at=work.ends_at)


def _write(work: Work, plan: Plan, now: dt.datetime) -> None:
    if fault := rules.judge_draft(starts_at=plan.starts_at, ends_at=plan.ends_at, now=now):
        raise WindowNotTaken(fault, starts_at=plan.starts_at, ends_at=plan.ends_at)
    work.reason, work.minutes, work.is_tentative = plan.reason, plan.minutes, plan.is_tentative
    texts = [" ".join(text.split())[:500] for text in (plan.text_en, plan.text_ur)]
    # What the regulator announces is its own word.
    work.text_en, work.text_ur = map(quoting.held, texts) if work.operator_id is not None else texts
    work.starts_at, work.ends_at = plan.starts_at, plan.ends_at


def _name(work: Work, components: Sequence[Component]) -> None:
    work.affected.all().delete()
    Affected.objects.bulk_create(
        Affected(
            work=work,
            block=each.block,
            protocol=each.part.protocol,
            port=each.part.port,
            feed_id=each.feed_id,
            impact=each.impact,
        )
        for each in components
    )


def _own(operator: Operator | None, components: Sequence[Component]) -> list[Component]:
    """Each once, an entry as it stands now. What the public tables of routes give to other networks is refused; whether
    anything is registered there is not said."""
    found: dict[tuple[object, ...], Component] = {}
    for each in components:
        own = _entry(operator, each) if each.feed_id else each
        if own.block is None:
            raise NothingAffected
        announced = () if operator is None or own.feed_id else directory.current().asns(own.block)
        if operator is not None and announced and set(announced).isdisjoint(operator.asns):
            raise NetworkNotYours(own.block)
        key = (format_block(own.block), own.part, own.feed_id)
        known = found.get(key)
        found[key] = own if known is None else replace(own, impact=rules.worst([own.impact, known.impact]))
    if not found:
        raise NothingAffected
    return list(found.values())


def _entry(operator: Operator | None, component: Component) -> Component:
    entry = register.active_by_feed_id(component.feed_id)
    if entry is None or (operator is not None and set(entry.asns).isdisjoint(operator.asns)):
        raise EntryNotYours(component.feed_id)
    return replace(component, block=entry.block, part=entry.part)
