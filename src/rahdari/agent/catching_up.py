"""From where the agent stands to the edition that the signed metadata leads to, role by role.

An edition is taken whole or not at all, in order and never past a gap. A delta that begins where the agent stands is
followed strictly. One that begins earlier and leads further tells how each entry that changed meanwhile stands at its
end, and is taken so. A snapshot gives its own sequence and no later one. Each step is held against the digest that was
signed. A delta that does not fit ends the chain; then all of it is loaded from a snapshot, and that is reported.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO

from rahdari.feed import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    EditionReader,
    FeedFault,
    FeedFile,
    Kind,
    Limits,
    SetDigest,
    UnsupportedFormat,
    kind_of,
)
from rahdari.feed.entry import parse_time

from .entries import EntryConflict
from .faults import AgentFault, Exit
from .loading import load
from .removal_hold import Statement, release_stated, update_hold
from .state import AgentState, Position
from .transport import UnexpectedAnswer
from .trust import Listing, Signed, Untrusted, UpgradeNeeded, Walker
from .update_paths import is_heavy, way_by_deltas, way_from_snapshot
from .updating import Update

# How many files that are not there are gone around.
OTHER_WAYS = 4
# Longer than any time of grace.
HELD_KEPT = dt.timedelta(days=60)


class WentBack(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, role: str, held: int, offered: int) -> None:
        super().__init__(
            f"The feed of {kind_of(role)} entries went back: edition {held} was verified here, and now {offered} is "
            "offered as the newest. Nothing of it was accepted.",
            "Tell the authority: a copy of the past is being served. The edition held stays enforced.",
        )


class OldSession(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, role: str, session: str) -> None:
        super().__init__(
            f"The feed of {kind_of(role)} entries returned to session {session[:8]}, which it had left. "
            "Nothing of it was accepted.",
            "Tell the authority: two publishers may be running. The edition held stays enforced.",
        )


class TwoEditions(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, role: str, sequence: int) -> None:
        super().__init__(
            f"Edition {sequence} of {kind_of(role)} entries was signed twice with different contents. "
            "The one verified first stays enforced.",
            "Tell the authority at once: this must never happen.",
        )


class NoWay(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, role: str, held: int | None, offered: int) -> None:
        start = "nothing" if held is None else f"edition {held}"
        super().__init__(
            f"No signed files lead from {start} to edition {offered} of {kind_of(role)} entries.",
            "Tell the authority: a snapshot is missing. The edition held stays enforced.",
        )


class EditionRejected(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"The signed file {path} does not hold what it must: {why}. Nothing of it was accepted.",
            "Tell the authority. The edition held stays enforced.",
        )
        self.path = path


class ReloadedFromSnapshot(AgentFault):
    """Not a refusal: the agent is up to date, and says by which way."""

    exit = Exit.ALARM

    def __init__(self, why: AgentFault) -> None:
        super().__init__(
            f"What was held did not lead on, so all of it was loaded from a snapshot and verified. {why.what}",
            "Tell the authority if it happens again.",
        )


class FileNotThere(Exception):
    """The metadata name it, and the server does not have it."""

    def __init__(self, file: FeedFile, fault: UnexpectedAnswer) -> None:
        super().__init__(file.path)
        self.file, self.fault = file, fault


class StateDrifted(AgentFault):
    exit = Exit.ALARM

    def __init__(self, role: str, found: int, entries: int) -> None:
        super().__init__(
            f"The state held {found} {kind_of(role)} entries, and {entries} were verified: something else wrote to it.",
            "Check the disk and who may write to the state folder.",
        )


@dataclass(frozen=True)
class CaughtUp:
    """`changed` are the roles in which something new was taken."""

    changed: tuple[str, ...]
    files: int
    faults: tuple[AgentFault, ...]


def catch_up(
    *, state: AgentState, walker: Walker, signed: Signed, root_sha256: str, now: dt.datetime, audit: bool = False
) -> CaughtUp:
    """Take the editions that `signed` leads to. A role that cannot be brought further does not hold up the others:
    nothing of it has changed, and its fault is in the answer. `audit` counts what is held first."""
    changed: list[str] = []
    faults: list[AgentFault] = []
    files = 0
    same: list[Position] = []
    positions = state.positions()
    try:
        statements = walker.statements(signed)
    except AgentFault as fault:
        # Without them the agent is only more careful.
        statements, faults = [], [fault]
    steps: list[_Step] = []
    for role, listing in signed.listings.items():
        held = positions.get(role)
        if held is not None and held.root_sha256 != root_sha256:
            held = None
        step = _Step(state, walker, signed, listing, held, root_sha256, now, statements)
        try:
            # 1) never back: not in sequence, not in session, not to other contents under the same number
            check_floor(held, listing, left=state.was_left(listing.head.session))
        except AgentFault as fault:
            faults.append(fault)
            continue
        if held is not None and audit and (found := state.count(role)) != held.entries:
            step.drifted = StateDrifted(role, found, held.entries)
        elif held is not None and (held.session, held.sequence) == (listing.head.session, listing.head.sequence):
            same.append(step.position(held.set_digest))
            continue
        steps.append(step)
    # 2) where nothing is new, only the term is longer: that is written along with what is new elsewhere
    for step in steps:
        step.beside = same
        try:
            files += step.take()
        except AgentFault as fault:
            faults.append(fault)
        else:
            changed.append(step.listing.role)
            faults += step.reports
            same = []
    if same or statements or audit or not steps:
        # Were it lost with the power, the feed would be asked once more.
        with state.transaction(durable=False):
            for position in same:
                state.set_position(position)
            release_stated(state=state, statements=statements, now=now)
            state.prune_held(now - HELD_KEPT)
    return CaughtUp(tuple(changed), files, tuple(faults))


def check_floor(held: Position | None, listing: Listing, *, left: bool) -> None:
    """Raises OldSession, WentBack, TwoEditions."""
    head, role = listing.head, listing.role
    if left:
        raise OldSession(role, head.session)
    if held is None:
        return
    same = head.session == held.session
    if head.sequence < held.sequence or (head.sequence == held.sequence and not same):
        raise WentBack(role, held.sequence, head.sequence)
    if same and head.sequence == held.sequence and head.digest != held.digest:
        raise TwoEditions(role, head.sequence)


@dataclass
class _Step:
    """One role, from the edition held to the newest."""

    state: AgentState
    walker: Walker
    signed: Signed
    listing: Listing
    held: Position | None
    root_sha256: str
    now: dt.datetime
    statements: Sequence[Statement]
    drifted: StateDrifted | None = None
    # Where other roles stand as before, for a longer time: written with this step.
    beside: Sequence[Position] = ()
    reports: list[AgentFault] = field(default_factory=list)

    def take(self) -> int:
        """Returns how many files it took. Raises AgentFault, and then nothing has changed."""
        files = self.listing.files
        for _ in range(OTHER_WAYS):
            try:
                return self._take(files)
            except FileNotThere as error:
                gone = error
            # A cache may insist that it is not there: another way among the signed files may be open.
            files = [file for file in files if file != gone.file]
            if not self._leads(files):
                break
        raise gone.fault

    def _leads(self, files: Sequence[FeedFile]) -> bool:
        head, held = self.listing.head, self.held
        if way_from_snapshot(files, session=head.session, end=head.sequence):
            return True
        if held is None or held.session != head.session:
            return False
        return bool(way_by_deltas(files, session=head.session, start=held.sequence, end=head.sequence))

    def _take(self, files: Sequence[FeedFile]) -> int:
        head = self.listing.head
        held = self.held if self.held is not None and self.held.session == head.session else None
        rejected: AgentFault | None = self.drifted
        # 1) by deltas from here, if they reach; a rejected one ends the chain, and is not skipped
        if held is not None and rejected is None:
            way = way_by_deltas(files, session=head.session, start=held.sequence, end=head.sequence)
            if way and not is_heavy(way, files, session=head.session, end=head.sequence):
                try:
                    self._follow(way, held)
                except (EditionRejected, Untrusted) as error:
                    rejected = error
                else:
                    return len(way)
        # 2) else from a snapshot, and by deltas from it
        anew = way_from_snapshot(files, session=head.session, end=head.sequence)
        if not anew:
            raise rejected or NoWay(self.listing.role, self.held.sequence if self.held else None, head.sequence)
        self._reload(anew)
        self.reports += [ReloadedFromSnapshot(rejected)] if rejected else []
        return len(anew)

    def _follow(self, way: Sequence[FeedFile], held: Position) -> None:
        table, _ = self.state.list_names(self.listing.role)
        # Fetched first: nobody waits for the network while the state is being written.
        with ExitStack() as stack:
            bodies = [stack.enter_context(_fetched(self.walker, file)) for file in way]
            # One transaction for the whole way: entries, digest, position and what is held back together.
            with self.state.transaction():
                update = Update(self.state, held.role, table, held.set_digest, held.entries, self.now, stands=True)
                _apply(update, way, bodies, held.sequence)
                self._check(way[-1], update)
                self.state.note_changes(update.changed)
                self._settle(update, table, held)

    def _reload(self, way: Sequence[FeedFile]) -> None:
        role, first = self.listing.role, way[0]
        with ExitStack() as stack:
            bodies = [stack.enter_context(_fetched(self.walker, file)) for file in way]
            with _explained(first):
                loaded = load(self.state, role, _opened(first, bodies[0]), bodies[0], self.now)
            before, after = self.state.list_names(role)
            with self.state.transaction():
                update = Update(self.state, role, after, loaded.digest, loaded.entries, self.now, stands=False)
                _apply(update, way[1:], bodies[1:], first.to_sequence)
                self._check(way[-1], update)
                if self.held is not None:
                    self.state.compare_lists(before, after)
                    self.state.forget_held_in(role, after)
                else:
                    # The first of this root: nothing that stood before was verified under it.
                    self.state.release_held(role=role)
                    self.state.begin_log_anew()
                self._settle(update, after, self.held)
                self.state.change_over(role)

    def _settle(self, update: Update, table: str, before: Position | None) -> None:
        position = self.position(update.digest)
        if before is not None:
            update_hold(
                state=self.state, before=before, after=position, table=table, statements=self.statements, now=self.now
            )
            if before.session != position.session:
                self.state.leave_session(before.session, self.now)
        for each in (position, *self.beside):
            self.state.set_position(each)

    def _check(self, file: FeedFile, update: Update) -> None:
        if (update.digest.hexdigest(), update.entries) != (self.listing.head.digest, self.listing.head.entries):
            raise EditionRejected(file.path, f"it leads to {update.entries} entries other than those signed")

    def position(self, digest: SetDigest) -> Position:
        head = self.listing.head
        return Position(
            role=self.listing.role,
            root_sha256=self.root_sha256,
            session=head.session,
            sequence=head.sequence,
            digest=head.digest,
            digest_state=digest.state,
            entries=head.entries,
            timestamp_version=self.signed.timestamp_version,
            published_at=parse_time(head.published_at),
            signed_at=self.signed.signed_at,
            fresh_until=self.listing.fresh_until,
            verified_at=self.now,
        )


def _apply(update: Update, way: Sequence[FeedFile], bodies: Sequence[BinaryIO], at: int) -> None:
    for file, body in zip(way, bodies, strict=True):
        with _explained(file):
            reader = _opened(file, body)
            # From where we stand it must fit; from before, it says how things stand at its end.
            if file.from_sequence == at:
                update.follow(reader)
            else:
                update.cover(reader)
        at = file.to_sequence


@contextmanager
def _fetched(walker: Walker, file: FeedFile) -> Iterator[BinaryIO]:
    most = _limits(file).compressed
    if file.length > most:
        raise EditionRejected(file.path, f"it has {file.length} bytes, and {most} are allowed")
    with ExitStack() as stack:
        try:
            body = stack.enter_context(walker.fetch(file))
        except UnexpectedAnswer as fault:
            if fault.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                raise
            raise FileNotThere(file, fault) from None
        yield body


def _opened(file: FeedFile, body: BinaryIO) -> EditionReader:
    reader = EditionReader(body, _limits(file))
    header = reader.header
    said = (header.kind, header.session, header.from_sequence, header.to_sequence, header.digest_after)
    if said != (file.kind, file.session, file.from_sequence, file.to_sequence, file.digest_after):
        raise EditionRejected(file.path, "its head says other things than the signed metadata")
    return reader


def _limits(file: FeedFile) -> Limits:
    return SNAPSHOT_LIMITS if file.kind is Kind.SNAPSHOT else DELTA_LIMITS


@contextmanager
def _explained(file: FeedFile) -> Iterator[None]:
    try:
        yield
    except UnsupportedFormat as error:
        raise UpgradeNeeded(error.found) from error
    except FeedFault as error:
        raise EditionRejected(file.path, str(error)) from error
    except EntryConflict as error:
        raise EditionRejected(file.path, f"entry {error.id} does not fit those that are held") from error
