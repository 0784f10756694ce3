"""From where the agent stands to the edition that the signed metadata leads to.

An edition is taken whole or not at all, in order and never past a gap: a delta is taken only from the very sequence it
begins at, a snapshot gives its own sequence and no later one. Each step is held against the digest that was signed. A
delta that does not fit ends the chain; then all of it is loaded from a snapshot, and that is reported.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rahdari.proof import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    DigestMismatch,
    EditionReader,
    FeedEntry,
    FeedFault,
    FeedFile,
    Kind,
    Op,
    SetDigest,
    UnsupportedFormat,
)
from rahdari.proof.entry import parse_time

from .faults import AgentFault, Exit
from .state import EntryConflict, Held, Position, State
from .trust import Signed, Untrusted, UpgradeNeeded, Walker


class WentBack(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, held: int, offered: int) -> None:
        super().__init__(
            f"The feed went back: edition {held} was verified here, and now {offered} is offered as the newest. "
            "Nothing of it was accepted.",
            "Tell the authority: a copy of the past is being served. The edition held stays enforced.",
        )


class OldSession(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, session: str) -> None:
        super().__init__(
            f"The feed returned to session {session[:8]}, which it had left. Nothing of it was accepted.",
            "Tell the authority: two publishers may be running. The edition held stays enforced.",
        )


class TwoEditions(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"Edition {sequence} was signed twice with different contents. The one verified first stays enforced.",
            "Tell the authority at once: this must never happen.",
        )


class NoWay(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, held: int | None, offered: int) -> None:
        start = "nothing" if held is None else f"edition {held}"
        super().__init__(
            f"No signed files lead from {start} to edition {offered}.",
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
            f"A delta did not fit, so all of the feed was loaded from a snapshot and verified. {why.what}",
            "Tell the authority if it happens again.",
        )


@dataclass(frozen=True)
class CaughtUp:
    position: Position
    files: int
    changed: bool
    report: ReloadedFromSnapshot | None = None


def catch_up(*, state: State, walker: Walker, signed: Signed, root_sha256: str, now: dt.datetime) -> CaughtUp:
    """Take the edition that `signed` leads to. Raises AgentFault, and then nothing has changed."""
    held = state.position()
    if held is not None and held.root_sha256 != root_sha256:
        held = None
    # 1) never back: not in sequence, not in session, not to other contents under the same number
    check_floor(held, signed, left=state.was_left(signed.head.session))
    same_session = held is not None and held.session == signed.head.session
    # 2) nothing new: only the term is longer
    if held is not None and same_session and held.sequence == signed.head.sequence:
        position = _position(signed, held.set_digest, root_sha256, now)
        with state.transaction():
            state.set_position(position)
        return CaughtUp(position, files=0, changed=False)
    # 3) by deltas from here, if they reach; a rejected one ends the chain, and is not skipped
    rejected: AgentFault | None = None
    if held is not None and same_session:
        way = deltas_between(signed.files, held.session, held.sequence, signed.head.sequence)
        if way:
            try:
                return _take(state, walker, way, signed, held, root_sha256, now)
            except (EditionRejected, Untrusted) as error:
                rejected = error
    # 4) else from the newest snapshot, and by deltas from it
    way = way_from_snapshot(signed.files, signed.head.session, signed.head.sequence)
    if not way:
        raise rejected or NoWay(held.sequence if held else None, signed.head.sequence)
    taken = _take(state, walker, way, signed, held, root_sha256, now)
    report = ReloadedFromSnapshot(rejected) if rejected else None
    return CaughtUp(taken.position, taken.files, changed=True, report=report)


def check_floor(held: Position | None, signed: Signed, *, left: bool) -> None:
    """Raises OldSession, WentBack, TwoEditions."""
    head = signed.head
    if left:
        raise OldSession(head.session)
    if held is None:
        return
    if head.sequence < held.sequence:
        raise WentBack(held.sequence, head.sequence)
    if head.session == held.session and head.sequence == held.sequence and head.digest != held.digest:
        raise TwoEditions(head.sequence)


def deltas_between(files: Sequence[FeedFile], session: str, start: int, end: int) -> list[FeedFile]:
    """A chain without a gap, the widest step first; empty when there is none."""
    way, at = [], start
    while at < end:
        steps = [
            file
            for file in files
            if file.kind is Kind.DELTA and file.session == session and file.from_sequence == at
            if file.to_sequence <= end
        ]
        if not steps:
            return []
        widest = max(steps, key=lambda file: file.to_sequence)
        way.append(widest)
        at = widest.to_sequence
    return way


def way_from_snapshot(files: Sequence[FeedFile], session: str, end: int) -> list[FeedFile]:
    """The newest snapshot from which deltas reach, and those deltas; empty when there is none."""
    snapshots = [
        file for file in files if file.kind is Kind.SNAPSHOT and file.session == session and file.to_sequence <= end
    ]
    for snapshot in sorted(snapshots, key=lambda file: -file.to_sequence):
        if snapshot.to_sequence == end:
            return [snapshot]
        if deltas := deltas_between(files, session, snapshot.to_sequence, end):
            return [snapshot, *deltas]
    return []


def _take(
    state: State,
    walker: Walker,
    way: Sequence[FeedFile],
    signed: Signed,
    held: Position | None,
    root_sha256: str,
    now: dt.datetime,
) -> CaughtUp:
    # One transaction for the whole way: entries, digest, position and session together.
    with state.transaction():
        digest = held.set_digest if held is not None else SetDigest()
        for file in way:
            if file.kind is Kind.SNAPSHOT:
                state.clear()
                digest = SetDigest()
            _apply_file(state, walker, file, digest)
        found = (digest.hexdigest(), state.count())
        if found != (signed.head.digest, signed.head.entries):
            raise EditionRejected(way[-1].path, f"it leads to {found[1]} entries other than those signed")
        if held is not None and held.session != signed.head.session:
            state.leave_session(held.session, now)
        position = _position(signed, digest, root_sha256, now)
        state.set_position(position)
    return CaughtUp(position, files=len(way), changed=True)


def _apply_file(state: State, walker: Walker, file: FeedFile, digest: SetDigest) -> None:
    limits = SNAPSHOT_LIMITS if file.kind is Kind.SNAPSHOT else DELTA_LIMITS
    if file.length > limits.compressed:
        raise EditionRejected(file.path, f"it has {file.length} bytes, and {limits.compressed} are allowed")
    with walker.fetch(file) as body:
        try:
            reader = EditionReader(body, limits)
            header = reader.header
            said = (header.kind, header.session, header.from_sequence, header.to_sequence, header.digest_after)
            if said != (file.kind, file.session, file.from_sequence, file.to_sequence, file.digest_after):
                raise EditionRejected(file.path, "its head says other things than the signed metadata")
            if header.digest_before != digest.hexdigest():
                raise DigestMismatch("before", header.digest_before, digest.hexdigest())
            for operation, entry, was in reader.with_bytes():
                if operation.op is Op.REMOVE:
                    state.remove(operation.entry.id, entry)
                    digest.remove(entry)
                    continue
                if was is not None:
                    state.remove(operation.entry.id, was)
                    digest.remove(was)
                state.add(_held(operation.entry), entry)
                digest.add(entry)
            if header.digest_after != digest.hexdigest():
                raise DigestMismatch("after", header.digest_after, digest.hexdigest())
        except UnsupportedFormat as error:
            raise UpgradeNeeded(error.found) from error
        except FeedFault as error:
            raise EditionRejected(file.path, str(error)) from error
        except EntryConflict as error:
            raise EditionRejected(file.path, f"entry {error.id} does not fit those that are held") from error


def _held(entry: FeedEntry) -> Held:
    return Held(entry.id, entry.prefix, entry.protocol, entry.port, entry.not_before, entry.not_after)


def _position(signed: Signed, digest: SetDigest, root_sha256: str, now: dt.datetime) -> Position:
    return Position(
        root_sha256=root_sha256,
        session=signed.head.session,
        sequence=signed.head.sequence,
        digest=signed.head.digest,
        digest_state=digest.state,
        entries=signed.head.entries,
        timestamp_version=signed.timestamp_version,
        published_at=parse_time(signed.head.published_at),
        signed_at=signed.signed_at,
        fresh_until=signed.fresh_until,
        verified_at=now,
    )
