"""One sync: walk, catch up, apply, tell. The whole of the agent's work stands in `Agent.sync`."""

import datetime as dt
import random
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from rahdari.feed import ROLES

from .applying import Applied, Targets
from .catching_up import catch_up
from .complement import ComplementFound, look_at_rules
from .configuration import Configuration
from .devices import RemovedLocally
from .disk import DiskFull, disk_faults
from .faults import AgentFault, Exit, gravest
from .folder import reopen_shared
from .local import LocalFile
from .receipts import send_receipts
from .removal_hold import held_faults
from .rules import is_stale
from .state import AgentState, Position
from .status_file import bounded, remember, remembered_lead, remembered_terms
from .transport import Server
from .trust import Expired, Signed, Untrusted, Walker, remove_leftovers

# The publisher signs anew every 5 minutes: three were missed.
SIGNATURE_OLD = dt.timedelta(minutes=15)
CLOCK_SLACK = dt.timedelta(minutes=5)
# A server that hangs on a receipt must not hold up the next edition more than once in this time.
RECEIPT_PAUSE_SECONDS = 60.0
# A receipt takes the register's server that many times as long as a fetch takes the one that pushes, by which the
# spread is counted: spread no further, receipts would hold up those who have not got the edition yet.
RECEIPT_WEIGHT = 10.0
RECEIPTS_WITHIN = 60.0
# What somebody took out is put back at once; whoever looks each minute shall see that it was gone.
REMOVED_SECONDS = 300.0
MOST_REMOVED = 20
# Rules are read so often at most; more often while they are told of, so that it is not told long after they are gone.
RULES_SECONDS = 3600.0
FOUND_RULES_SECONDS = 300.0


class Stale(AgentFault):
    exit = Exit.ALARM

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(
            f"The feed was vouched for until {until:%Y-%m-%d %H:%M} UTC, and nothing newer came. The last verified "
            "edition stays enforced; entries that have ended since are kept for the time of grace.",
            "Bring back the connection to the server, or tell the authority that its feed stands still.",
        )


class SignatureOld(AgentFault):
    exit = Exit.ALARM

    def __init__(self, signed_at: dt.datetime) -> None:
        super().__init__(
            f"The newest signature is of {signed_at:%Y-%m-%d %H:%M} UTC; there should be one every 5 minutes.",
            "Check the connection to the server; if others have this too, the publisher has stopped.",
        )


class ClockWrong(AgentFault):
    exit = Exit.ALARM

    def __init__(self, how: str) -> None:
        super().__init__(
            f"The clock of this machine is wrong: it {how}.",
            "Set it, by NTP for example: terms of entries and signatures depend on it.",
        )


@dataclass(frozen=True)
class SyncOutcome:
    positions: Mapping[str, Position]
    files: int
    applied: Applied
    seconds: float
    apply_seconds: float = 0.0
    # Why what was pushed was not taken, though the server itself had nothing wrong; or empty.
    refused_push: str = ""
    faults: tuple[AgentFault, ...] = field(default=())

    @property
    def position(self) -> Position | None:
        """Where it stands with static entries, whose edition is the one that people speak of."""
        return self.positions.get(ROLES[0])

    @property
    def exit(self) -> Exit:
        return gravest([fault.exit for fault in self.faults])

    @property
    def refused(self) -> bool:
        """Whether something that came was not accepted."""
        return any(fault.exit is Exit.UNTRUSTED for fault in self.faults)


@dataclass(frozen=True)
class Learned:
    files: int = 0
    refused_push: str = ""
    faults: tuple[AgentFault, ...] = ()


class Agent:
    """The parts that live as long as the process: connections, what was seen at the targets."""

    def __init__(self, configuration: Configuration, state: AgentState) -> None:
        self.configuration = configuration
        self.state = state
        self.server = Server(configuration)
        self.walker = Walker(configuration, self.server)
        self.targets = Targets(configuration)
        self._local = LocalFile(configuration.local) if configuration.local is not None else None
        # The digest of the terms that the feed names, or empty.
        self.terms_named = remembered_terms(state.folder)
        # What rules were found beside the sets, and when they are read again.
        self._rules: AgentFault | None = None
        self._rules_after = float("-inf")
        self._receipts_after = 0.0
        self._untaken: AgentFault | None = None
        self._learned: tuple[AgentFault, ...] = ()
        # By its words: what was found taken out a short while ago, and until when that is told.
        self._removed: dict[str, tuple[AgentFault, float]] = {}
        remove_leftovers(configuration)
        with suppress(DiskFull), disk_faults(state.folder):
            state.drop_unfinished_lists()

    def sync(
        self,
        *,
        now: dt.datetime,
        timestamp: bytes | None = None,
        beside: Mapping[str, bytes] | None = None,
        look: bool = True,
        ask: bool = True,
        spread: float = 0.0,
    ) -> SyncOutcome:
        """Come up to date and apply. Never raises AgentFault: what failed stands in the outcome, and the rest was done.

        `timestamp` is a signed timestamp that came by push, with files `beside` it; `look` reads what really stands at
        the targets. Without `ask` the server is not asked for anything new: terms go on, what waits is told, and what
        was wrong when it was asked last is still wrong.
        Receipts are kept for up to ten times `spread` seconds, at most a minute, so that many agents do not come with
        them at once (`tell`).
        """
        started = time.monotonic()
        reopen_shared(self.state)
        # 1) walk the signed metadata  2) catch up, in one transaction
        learned = self.learn(now=now, timestamp=timestamp, beside=beside, audit=look) if ask else Learned()
        self._learned = learned.faults if ask else self._learned
        faults = list(self._learned)
        # 3) apply what is held now, whether or not something new came: terms go on
        applying = time.monotonic()
        applied = Applied((), 0, 0, ())
        try:
            applied = self.targets.apply(state=self.state, now=now, look=look, lead=self.clock_lead)
            faults += [*applied.faults, *self._removed_lately(applied.removed)]
        except AgentFault as fault:
            faults.append(fault)
        ended = time.monotonic()
        # 4) look for rules that drop what is not listed, and say what is wrong with time
        positions = self.state.positions()
        faults += self._found_in_rules() if positions else []
        faults += self.standing_faults(now=now, known=faults)
        # 5) tell the server  6) remember what is wrong, for `status`
        try:
            if spread:
                most = min(spread * RECEIPT_WEIGHT, RECEIPTS_WITHIN)
                drawn = time.monotonic() + random.uniform(0.0, most)  # noqa: S311 - spreads load, guards nothing
                self._receipts_after = max(self._receipts_after, drawn)
            if time.monotonic() >= self._receipts_after:
                self.tell()
            faults += [self._untaken] if self._untaken is not None else []
            remember(self.state.folder, faults, now, self.clock_lead, self.terms_named)
        except AgentFault as fault:
            faults.append(fault)
        return SyncOutcome(
            positions,
            learned.files,
            applied,
            ended - started,
            ended - applying,
            learned.refused_push,
            each_once(faults),
        )

    def learn(
        self,
        *,
        now: dt.datetime,
        timestamp: bytes | None = None,
        beside: Mapping[str, bytes] | None = None,
        audit: bool,
    ) -> "Learned":
        """Come up to date with the feed, and with the operator's own file."""
        faults: list[AgentFault] = []
        files, refused_push = 0, ""
        try:
            signed, refused_push = self._walk(timestamp, beside)
            self.terms_named = signed.terms
            caught_up = catch_up(
                state=self.state,
                walker=self.walker,
                signed=signed,
                root_sha256=self.configuration.root_sha256,
                now=now,
                audit=audit,
            )
            files = caught_up.files
            faults += caught_up.faults
        except AgentFault as fault:
            faults.append(fault)
        faults += self.server.notes()
        try:
            self._take_local(now)
        except AgentFault as fault:
            faults.append(fault)
        return Learned(files, refused_push, tuple(faults))

    def standing_faults(self, *, now: dt.datetime, known: list[AgentFault]) -> list[AgentFault]:
        """What is held back, and what is wrong with time."""
        names = {fault.name for fault in known}
        late = time_faults(self.state.positions(), now=now, clock_hint=self.server.clock_hint(), known=names)
        return [*held_faults(self.state, now), *late]

    def _removed_lately(self, found: list[RemovedLocally]) -> list[AgentFault]:
        at = time.monotonic()
        kept = self._removed | {fault.what: (fault, at + REMOVED_SECONDS) for fault in found}
        newest = sorted(kept.items(), key=lambda item: item[1][1])[-MOST_REMOVED:]
        self._removed = {what: (fault, until) for what, (fault, until) in newest if until > at}
        return [fault for fault, _ in self._removed.values()]

    def _found_in_rules(self) -> list[AgentFault]:
        if time.monotonic() >= self._rules_after:
            self._rules = look_at_rules(self.configuration.targets)
            wait = FOUND_RULES_SECONDS if self._rules is not None else RULES_SECONDS
            self._rules_after = time.monotonic() + wait
        return [self._rules] if self._rules is not None else []

    @property
    def clock_lead(self) -> dt.timedelta:
        """How far this machine's clock is ahead, by the server's word: the last one, until there is another."""
        heard = self.server.clock_lead
        return remembered_lead(self.state.folder) if heard is None else bounded(heard)

    def close(self) -> None:
        self.server.close()

    def _walk(self, timestamp: bytes | None, beside: Mapping[str, bytes] | None) -> tuple[Signed, str]:
        """What was pushed proves nothing: where it is refused, the server itself is asked before anybody is alarmed."""
        refused = ""
        if timestamp is not None:
            try:
                return self.walker.walk(timestamp=timestamp, beside=beside), refused
            except (Untrusted, Expired) as fault:
                refused = fault.what
        return self.walker.walk(), refused

    def _take_local(self, now: dt.datetime) -> None:
        """The operator's own additions, when their file is another one. Raises LocalUnreadable."""
        rows = self._local.changed() if self._local is not None else []
        if rows is not None and (rows or self.state.count_local()):
            with self.state.transaction():
                self.state.set_local(rows, now)

    @property
    def tells_in(self) -> float | None:
        """Seconds until receipts that wait may be sent; None when none waits."""
        return max(0.0, self._receipts_after - time.monotonic()) if self.state.receipts() else None

    def tell(self) -> None:
        """Send the receipts that wait. What keeps the server from taking them stands in the next outcome."""
        # A server that names no terms is of an older release, and takes receipts with the fields that it knows alone.
        says = {"terms": self.configuration.terms, "complement": isinstance(self._rules, ComplementFound)}
        beside = says if self.terms_named else {}
        self._untaken = send_receipts(
            state=self.state, server=self.server, configuration=self.configuration, beside=beside
        )
        if self._untaken is not None:
            self._receipts_after = time.monotonic() + RECEIPT_PAUSE_SECONDS


def each_once(faults: list[AgentFault]) -> tuple[AgentFault, ...]:
    """One disk that is full is one fault, however many steps met it."""
    return tuple({(fault.name, fault.what): fault for fault in faults}.values())


def time_faults(
    positions: Mapping[str, Position], *, now: dt.datetime, clock_hint: str, known: Collection[str]
) -> list[AgentFault]:
    """`known`: the names of what is told already. Metadata that have run out (`Expired`) say all that `Stale` would."""
    faults: list[AgentFault] = []
    held = positions.values()
    verified_at = max((position.verified_at for position in held), default=None)
    newest = max((position.signed_at for position in held), default=None)
    if verified_at is not None and now < verified_at - CLOCK_SLACK:
        faults.append(ClockWrong(f"stands before {verified_at:%Y-%m-%d %H:%M} UTC, when it verified last"))
    elif newest is not None and now < newest - CLOCK_SLACK:
        faults.append(ClockWrong(f"stands before {newest:%Y-%m-%d %H:%M} UTC, when the feed was signed last"))
    elif clock_hint:
        faults.append(ClockWrong(f"is {clock_hint}"))
    if not held or Expired.__name__ in known:
        return faults
    fresh_until = min(position.fresh_until for position in held)
    signed_at = min(position.signed_at for position in held)
    if is_stale(now=now, fresh_until=fresh_until):
        faults.append(Stale(fresh_until))
    elif now - signed_at > SIGNATURE_OLD:
        faults.append(SignatureOld(signed_at))
    return faults
