"""The gate before removals: what may leave a stream at once, and what waits for a second person.

A mistake in one act, or one stolen account, must not empty the feed. Removals that are many at once are held: what is
added or changed goes on; the entries that were to go stay listed, and nothing more. They go out when a second person
has approved them, with reasons, and the waiting period is over; both are needed. Only those that are held wait: one
entry that ends meanwhile goes at once.

Invariants: nobody approves what they ended themselves; an approval is for as many removals as waited when it was given,
and a few more; when more have come, it is asked for again; each step stands in the journal.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from rahdari.db.wake import Channel, wake
from rahdari.errors import RahdariError
from rahdari.feed import BulkStatement
from rahdari.feed.entry import time_text
from rahdari.feed.repository import bulk_path
from rahdari.journal import actions as journal
from rahdari.journal import queries as journaled
from rahdari.journal import seconding
from rahdari.register import queries as register
from rahdari.register.models import Change

from . import rules
from .models import Leaving, Listing, RemovalHold, Session
from .offline import BulkTarget

log = logging.getLogger("rahdari.publish")

# More than both is held. Agents have the same rule of their own, for whatever reaches them.
SHARE_PERCENT = 5
NUMBER = 20
# Who ended held entries is looked up for so many of their registrations.
LOOKED_AT = 5_000
ENDINGS = ("register.struck_out", "register.suspended", "register.expired")
# So many go out in one edition.
AT_ONCE = rules.CHANGES_IN_AN_EDITION
# A statement that is signed before the removals go out speaks of so many editions to come.
EDITIONS_TO_COME = 100_000


class HoldDecided(RahdariError):
    """A hold in this `.state` cannot be decided in this way."""

    says = "{state}"
    state: str


# -- the rule ------------------------------------------------------------------------------------------------------


def allowance(entries: int) -> int:
    """How many may leave a stream of so many entries at once."""
    return max(NUMBER, entries * SHARE_PERCENT // 100)


def is_mass(*, removals: int, entries: int) -> bool:
    return removals > NUMBER and removals * 100 > entries * SHARE_PERCENT


def waiting_period() -> dt.timedelta:
    return dt.timedelta(hours=settings.HOLD_HOURS)


# -- while an edition is cut: the caller holds the scissors ----------------------------------------------------------


def hold_back(*, session: Session, removals: int, now: dt.datetime) -> bool:
    """Whether so many removals, that are to leave a stream now, are held. Then they are counted into its hold."""
    if not session.stream.followed or not is_mass(removals=removals, entries=session.entries):
        return False
    hold, new = (
        RemovalHold.objects.select_for_update()
        .exclude(state=RemovalHold.State.ENDED)
        .get_or_create(
            stream_id=session.stream_id,
            defaults={
                "opened_at": now,
                "due_at": now + waiting_period(),
                "removals": removals,
                "entries": session.entries,
            },
        )
    )
    if not new:
        hold.removals += removals
        hold.save(update_fields=["removals"])
    log.warning("%s of %s entries are to leave %s at once; they are held", removals, session.entries, session.stream)
    _record("publish.removals_held", hold, "clock", now)
    if hold.state == RemovalHold.State.APPROVED and hold.removals > hold.approved_removals + allowance(session.entries):
        _ask_again(hold, now)
        _record("publish.hold_outgrown", hold, "clock", now)
    return True


def to_release(*, now: dt.datetime) -> QuerySet[RemovalHold]:
    """Holds whose removals may go out: approved, and the waiting period is over."""
    return RemovalHold.objects.filter(state=RemovalHold.State.APPROVED, due_at__lte=now)


def released_listings(released: Iterable[RemovalHold], *, now: dt.datetime) -> list[int]:
    """The rows that go out of these holds, as many as one edition takes; and those whose entry's own term is over
    anyway, which agents count no more."""
    held = Listing.objects.filter(until_sequence=None, leaving=Leaving.ENDED, stream__retired_at=None)
    streams = [hold.stream_id for hold in released]
    rows = (
        list(held.filter(stream__in=streams).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]) if streams else []
    )
    cancelled = list(RemovalHold.objects.filter(state=RemovalHold.State.CANCELLED).values_list("stream", flat=True))
    if cancelled:
        over = held.filter(stream__in=cancelled, change__snapshot__not_after__lte=time_text(now))
        rows += over.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    return rows


def is_over(change: Change, *, now: dt.datetime) -> bool:
    """Whether what was said of an entry has run out by itself."""
    return str(change.snapshot.get("not_after", "")) <= time_text(now)


def has_release(*, now: dt.datetime) -> bool:
    return bool(released_listings(to_release(now=now), now=now))


def note_release(*, hold: RemovalHold, session: Session, now: dt.datetime) -> None:
    """Note that removals of a hold go out with the edition that is being cut; they may need several."""
    if hold.released_from is None:
        hold.session, hold.released_from = session.pk, session.sequence + 1
        _record("publish.removals_released", hold, "clock", now)
    hold.released_in = session.sequence + 1
    hold.save(update_fields=["session", "released_from", "released_in"])


def recount(*, streams: Iterable[int], now: dt.datetime) -> None:
    """Bring holds into line with what they hold after a cut: one that holds nothing any more has ended."""
    for hold in (
        RemovalHold.objects.select_for_update().filter(stream__in=list(streams)).exclude(state=RemovalHold.State.ENDED)
    ):
        held = held_listings(hold).count()
        if held == 0:
            hold.state, hold.ended_at = RemovalHold.State.ENDED, now
            hold.save(update_fields=["state", "ended_at"])
            _record("publish.hold_ended", hold, "clock", now)
        elif hold.released_from is None and held != hold.removals:
            hold.removals = held
            hold.save(update_fields=["removals"])


def held_listings(hold: RemovalHold) -> QuerySet[Listing]:
    return Listing.objects.filter(stream=hold.stream_id, until_sequence=None, leaving=Leaving.ENDED)


# -- what people decide ----------------------------------------------------------------------------------------------


def open_holds() -> QuerySet[RemovalHold]:
    return (
        RemovalHold.objects.exclude(state=RemovalHold.State.ENDED).select_related("stream").order_by("opened_at", "pk")
    )


def hold_by_start(text: str) -> RemovalHold | None:
    """The hold whose id begins so, if it is one: those that wait first, then those that went out."""
    if len(text) < 8 or not set(text) <= set("0123456789abcdef-"):
        return None
    found = [each for each in RemovalHold.objects.select_related("stream") if str(each.pk).startswith(text)]
    return found[0] if len(found) == 1 else None


def who_ended(hold: RemovalHold) -> list[tuple[str, int]]:
    """Who ended the registrations of held entries, and how many; for the first few thousand of them."""
    held = held_listings(hold).order_by("pk")[:LOOKED_AT]
    lines = set(held.values_list("entry", flat=True))
    registrations = register.registrations_on(lines)
    return journaled.actors_of(acts=ENDINGS, subjects=[f"registration:{each}" for each in registrations])


def approve_hold(*, hold: RemovalHold, actor: str, reason: str, now: dt.datetime) -> RemovalHold:
    """Let the removals go out once the waiting period is over. Raises HoldDecided, seconding.NotSecond."""
    with transaction.atomic():
        row = _locked(hold)
        if row.state != RemovalHold.State.WAITING:
            raise HoldDecided(row.state)
        seconding.check(actor, [row.asked_by, *(who for who, _ in who_ended(row))], now)
        row.state, row.approved_at, row.approved_by, row.reason = RemovalHold.State.APPROVED, now, actor, reason
        row.approved_removals = row.removals
        row.save(update_fields=["state", "approved_at", "approved_by", "reason", "approved_removals"])
        _record("publish.hold_approved", row, actor, now, reason)
        wake(Channel.PUBLISH)
    return row


def cancel_hold(*, hold: RemovalHold, actor: str, reason: str, now: dt.datetime) -> RemovalHold:
    """Let the removals not go out; an approval ends with it. Raises HoldDecided."""
    with transaction.atomic():
        row = _locked(hold)
        if row.state not in (RemovalHold.State.WAITING, RemovalHold.State.APPROVED):
            raise HoldDecided(row.state)
        row.state, row.reason = RemovalHold.State.CANCELLED, reason
        row.approved_at, row.approved_by, row.approved_removals = None, "", 0
        row.save(update_fields=["state", "reason", "approved_at", "approved_by", "approved_removals"])
        _record("publish.hold_cancelled", row, actor, now, reason)
    return row


def reopen_hold(*, hold: RemovalHold, actor: str, reason: str, now: dt.datetime) -> RemovalHold:
    """Ask again about removals that were cancelled; whoever asks does not approve. Raises HoldDecided."""
    with transaction.atomic():
        row = _locked(hold)
        if row.state != RemovalHold.State.CANCELLED:
            raise HoldDecided(row.state)
        _ask_again(row, now, by=actor)
        _record("publish.hold_reopened", row, actor, now, reason)
    return row


def statements_of(holds: Sequence[RemovalHold], *, now: dt.datetime) -> list[BulkTarget]:
    """What the offline keys are to say, so that agents let the removals of these holds go."""
    said = []
    for hold in holds:
        session = Session.objects.get(stream=hold.stream_id, closed_at=None)
        start, end = session.sequence, session.sequence + EDITIONS_TO_COME
        if hold.released_from is not None:
            start, end = hold.released_from - 1, max(hold.released_in or 0, hold.released_from)
        said.append(
            BulkTarget(
                bulk_path(secrets.token_hex(16)),
                BulkStatement(
                    role=hold.stream.role,
                    session=hold.session or session.pk,
                    from_sequence=start,
                    to_sequence=end,
                    removals=hold.removals,
                    stated_at=time_text(now),
                ),
            )
        )
    return said


def _locked(hold: RemovalHold) -> RemovalHold:
    return RemovalHold.objects.select_for_update().get(pk=hold.pk)


def _ask_again(hold: RemovalHold, now: dt.datetime, *, by: str = "") -> None:
    hold.state, hold.due_at, hold.asked_by = RemovalHold.State.WAITING, now + waiting_period(), by
    hold.approved_at, hold.approved_by, hold.approved_removals = None, "", 0
    hold.save(update_fields=["state", "due_at", "asked_by", "approved_at", "approved_by", "approved_removals"])


def _record(act: str, hold: RemovalHold, actor: str, now: dt.datetime, reason: str = "") -> None:
    journal.record(
        act=act,
        actor=actor,
        subject=f"hold:{hold.pk}",
        now=now,
        reason=reason,
        detail={"stream": hold.stream_id, "removals": hold.removals, "entries": hold.entries},
    )
