"""Keeping in step: whom the access file lets in, which sessions each sees, and the editions of each session.

A session is loaded once, for all operators that see it. An operator sees the sessions that its own timestamp names and
the access file grants it. What cannot be read is logged, without any address, and tried again; what is held stays.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from rahdari.feed import ROLES, Access, FeedFault
from rahdari.feed.access import FILE_NAME, parse_access
from rahdari.feed.repository import METADATA, TARGETS

from .index import Index
from .metadata import Stamped, read_role, read_timestamp
from .sessions import Session
from .views import View
from .watching import Wait

log = logging.getLogger("rahdari.lookup")

# 350 operators need 300 KB; a file past this is not ours.
ACCESS_BYTES = 32 * 1024 * 1024
# After a session could not be followed, it is tried again so much later, and twice so late the next time.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0

type Seen = tuple[int, int, int, int] | None


class Sight:
    """What one set of rights sees. `view` and `editions` (sequences by role) are replaced while nobody reads."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = tuple(sessions)
        self.view = View()
        self.editions: dict[str, int] = {}
        self.renew()

    def renew(self) -> None:
        self.view = View.of([session.held.index for session in self.sessions])
        held = ((session.role, session.held.sequence) for session in self.sessions)
        self.editions = {role: sequence for role, sequence in held if sequence is not None}

    @property
    def is_whole(self) -> bool:
        """Whether all of it is held."""
        return len(self.editions) == len(ROLES)

    def is_granted(self, access: Access) -> bool:
        return all(session.session in access.sessions for session in self.sessions)


@dataclass(frozen=True)
class FollowerStanding:
    """What an operator sees, and how fresh that is."""

    access: Access
    sight: Sight
    signed_at: dt.datetime | None = None
    fresh_until: dt.datetime | None = None


@dataclass(slots=True)
class _Operator:
    access: Access
    seen: Seen = None
    stamped: Stamped | None = None
    sight: Sight | None = None


@dataclass(slots=True)
class _Trouble:
    text: str
    pause: float
    until: float


class Follower:
    """`reading` is held by whoever uses a view. `tell` is given what each operator sees, whenever that changed."""

    def __init__(
        self, data: Path, tell: Callable[[Mapping[str, FollowerStanding]], None], reading: threading.Lock
    ) -> None:
        self._data, self._tell, self._reading = data, tell, reading
        self._wait = Wait()
        self._ending = False
        self._access_seen: Seen = None
        self._arrived = False
        self._operators: dict[str, _Operator] = {}
        self._sessions: dict[str, Session] = {}
        self._sights: dict[tuple[str, ...], Sight] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._clock = time.monotonic

    def run(self) -> None:
        """Until it is ended, from another thread."""
        while not self._ending:
            try:
                self.look(self._wait.for_something())
            except Exception:
                log.exception("The editions could not be followed; they are looked at again.")
        self._wait.close()

    def end(self) -> None:
        self._ending = True
        self._wait.end()

    @property
    def sessions(self) -> Mapping[str, Session]:
        return self._sessions

    @property
    def troubles(self) -> int:
        return len(self._troubles)

    def look(self, folders: Set[Path] | None = None) -> None:
        """Once: come to whatever is there. With `folders`, only what is new in these."""
        if folders is not None and not folders:
            return
        changed = self._look_at_access()
        for operator in self._operators.values():
            if folders is None or operator.seen is None or self._metadata(operator) in folders:
                changed |= self._look_at_timestamp(operator)
        wanted = self._wanted()
        if changed:
            self._take_up(wanted)
        self._follow(wanted)

    def _take_up(self, wanted: Mapping[str, tuple[str, _Operator]]) -> None:
        """Begin what somebody sees now, leave what nobody does, and tell."""
        self._sessions = {
            session: self._sessions.get(session) or Session(session, role, self._reading, self._renew)
            for session, (role, _) in wanted.items()
        }
        sights: dict[tuple[str, ...], Sight] = {}
        told = {}
        for slug, operator in self._operators.items():
            rights = tuple(session for _, session, _ in _heads(operator))
            if rights not in sights:
                before = self._sights.get(rights)
                held = tuple(self._sessions[session] for session in rights)
                sights[rights] = before if before and before.sessions == held else Sight(held)
            # While a new session is being loaded, what was seen before is seen on, unless that was taken away.
            seen = operator.sight
            if seen is None or sights[rights].is_whole or not (seen.is_whole and seen.is_granted(operator.access)):
                operator.sight = sights[rights]
            stamped = operator.stamped
            told[slug] = FollowerStanding(
                operator.access,
                operator.sight or sights[rights],
                stamped.stamp.signed if stamped else None,
                stamped.fresh_until if stamped else None,
            )
        self._sights = sights
        self._tell(told)

    def _renew(self, session: Session) -> None:
        for sight in self._sights.values():
            if session in sight.sessions:
                sight.renew()
        self._arrived = True

    def _look_at_access(self) -> bool:
        path = self._data / FILE_NAME
        try:
            seen = _seen(path)
        except OSError:
            # Nobody is let in, as where there is none.
            seen = None
        if seen == self._access_seen:
            return False
        self._access_seen = seen
        try:
            if seen is None:
                accesses = []
            else:
                accesses = parse_access(path.read_bytes() if seen[1] <= ACCESS_BYTES else b"")
        except (OSError, FeedFault) as error:
            log.error("%s cannot be read (%s); the last good one stays in force", path, error)
            return False
        before = self._operators
        self._operators = {}
        for access in accesses:
            known = before.get(access.slug)
            if known is not None and known.access.repository == access.repository:
                self._operators[access.slug] = _Operator(access, known.seen, known.stamped, known.sight)
            else:
                self._operators[access.slug] = _Operator(access)
        self._wait.watch([(self._data / FILE_NAME).parent, *map(self._metadata, self._operators.values())])
        return True

    def _look_at_timestamp(self, operator: _Operator) -> bool:
        folder = self._metadata(operator)
        about = f"timestamp of {operator.access.slug}"
        try:
            seen = _seen(folder / "timestamp.json")
        except OSError as error:
            self._note(about, error)
            return False
        if seen == operator.seen:
            return False
        if operator.seen is None:
            # It may have come after the folders were watched.
            self._wait.watch([(self._data / FILE_NAME).parent, *map(self._metadata, self._operators.values())])
        operator.seen = seen
        try:
            operator.stamped = read_timestamp(folder) if seen is not None else None
        except (OSError, FeedFault) as error:
            self._note(about, error)
            return False
        self._well(about)
        return True

    def _wanted(self) -> dict[str, tuple[str, _Operator]]:
        """The sessions that somebody sees, with their role and whoever has the newest word of them."""
        wanted: dict[str, tuple[str, _Operator]] = {}
        newest: dict[str, int] = {}
        for operator in self._operators.values():
            for role, session, sequence in _heads(operator):
                if sequence > newest.get(session, -1):
                    newest[session] = sequence
                    wanted[session] = (role, operator)
        return wanted

    def _follow(self, wanted: Mapping[str, tuple[str, _Operator]]) -> None:
        behind = []
        for session, (role, operator) in wanted.items():
            stamped, trouble = operator.stamped, self._troubles.get(session)
            if stamped is None or not self._sessions[session].is_behind(stamped.stamp.heads[role].sequence):
                continue
            if trouble and self._clock() < trouble.until:
                continue
            try:
                behind.append((read_role(self._metadata(operator), stamped, role), self._sessions[session]))
            except (OSError, FeedFault) as error:
                self._note(session, error, f"{role} of {operator.access.slug}")
        # The largest first: the others use its memory.
        for described, following in sorted(behind, key=lambda pair: -pair[0].head.entries):
            try:
                following.follow(described, self._data / "feed" / TARGETS, self._twin(following))
            except (OSError, FeedFault) as error:
                self._note(following.session, error, f"{following.role} of {wanted[following.session][1].access.slug}")
            else:
                self._well(following.session)
        if self._arrived and any(operator.sight not in self._sights.values() for operator in self._operators.values()):
            self._take_up(wanted)
        self._arrived = False

    def _twin(self, session: Session) -> Index | None:
        """The largest index that may hold the same entries."""
        others = (each.held.index for each in self._sessions.values() if each.role == session.role)
        return max(others, key=lambda index: index.entries, default=None)

    def _metadata(self, operator: _Operator) -> Path:
        return self._data / "feed" / "repositories" / operator.access.repository / METADATA

    def _note(self, about: str, error: Exception, name: str = "") -> None:
        before = self._troubles.get(about)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        said = f"{type(error).__name__}: {error}"
        if before is None or before.text != said:
            log.error("%s cannot be followed (%s); what is held stays, and it is tried again", name or about, said)
        self._troubles[about] = _Trouble(said, pause, self._clock() + pause)

    def _well(self, about: str) -> None:
        if self._troubles.pop(about, None) is not None:
            log.warning("What could not be followed is followed again.")


def _heads(operator: _Operator) -> list[tuple[str, str, int]]:
    """(role, session, sequence) of what the operator sees: named by its timestamp, and granted."""
    if operator.stamped is None:
        return []
    heads = operator.stamped.stamp.heads
    return [
        (role, head.session, head.sequence) for role, head in heads.items() if head.session in operator.access.sessions
    ]


def _seen(path: Path) -> Seen:
    """None while it is not there. Raises OSError when that cannot be known."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
