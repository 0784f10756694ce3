"""Mirrors: which is asked for a file, which is passed by for a while, and what was wrong with it.

A mirror needs no trust, so none of this decides what is accepted. What one mirror fails at is asked from the next, and
from the server. One that does not answer would cost each file its time: it rests for a minute.
"""

import time
from collections.abc import Iterator

from .configuration import Configuration, Mirror
from .faults import AgentFault, Exit
from .network_errors import TlsRefused, TooMuch, TooSlow, UnexpectedAnswer

REST_SECONDS = 60.0
# What a mirror lacks for so long is told: a copy may be a moment behind.
LAG_SECONDS = 60.0
MOST_REMEMBERED = 500
# No such file. A store that lists nothing to the public says 403.
LACKS = frozenset({403, 404})


class MirrorPassedBy(AgentFault):
    """A note: what it fails at comes from elsewhere. `.mirror` is its name."""

    exit = Exit.OK
    mirror = ""

    def __init__(self, name: str, why: str) -> None:
        self.mirror = name
        super().__init__(
            f"The mirror {name} is passed by: {why}.",
            "The agent asks the server and the other mirrors, and comes back to this one by itself. If it goes on, "
            "tell whoever runs the mirror.",
        )


class ServerAway(AgentFault):
    """A note: what is new comes all the same."""

    exit = Exit.OK

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"The server does not give the feed ({why}); the mirror {name} is read instead.",
            "Editions come when the agent asks, once a minute, and receipts wait. Check the network; if it is well, "
            "tell the authority.",
        )


class Mirrors:
    def __init__(self, configuration: Configuration) -> None:
        self._server = configuration.server
        self.all = configuration.mirrored
        # By file, how many were asked for it, oldest first. Asked for again, it comes from the next, or the server.
        self._asked: dict[str, int] = {}
        self._rests: dict[Mirror, float] = {}
        self._lacks_since: dict[Mirror, float] = {}
        self._wrong: dict[Mirror, str] = {}

    def asked_for(self, url: str, *, anew: bool = False) -> Iterator[tuple[Mirror, str]]:
        """Those that were not asked for this file yet, and where it is there; `anew`, all of them."""
        if anew:
            self._asked.pop(url, None)
        for number, mirror in enumerate(self.all):
            place = self.place_of(mirror, url)
            resting = not anew and self._rests.get(mirror, 0.0) > time.monotonic()
            if place is None or resting or number < self._asked.get(url, 0):
                continue
            self._asked[url] = number + 1
            if len(self._asked) > MOST_REMEMBERED:
                self._asked.pop(next(iter(self._asked)))
            yield mirror, place

    def place_of(self, mirror: Mirror, url: str) -> str | None:
        for name, base in (("metadata", mirror.metadata_url), ("targets", mirror.targets_url)):
            place = f"{self._server}/feed/{name}/"
            if base and url.startswith(place):
                return f"{base}/{url.removeprefix(place)}"
        return None

    def well(self, mirror: Mirror) -> None:
        for known in (self._rests, self._lacks_since, self._wrong):
            known.pop(mirror, None)

    def failed(self, mirror: Mirror, fault: AgentFault, *, others_have_it: bool = False) -> None:
        """A file that nobody has is no fault of the mirror's: so the next root is looked for."""
        if isinstance(fault, UnexpectedAnswer) and fault.status in LACKS:
            since = self._lacks_since.setdefault(mirror, time.monotonic()) if others_have_it else None
            if since is not None and time.monotonic() - since >= LAG_SECONDS:
                self._wrong[mirror] = f"it lacks what others have (HTTP {fault.status}), so it is behind or keeps a 404"
            return
        self.pass_by(mirror, why_of(fault))

    def pass_by(self, mirror: Mirror, why: str) -> None:
        self._wrong[mirror] = why
        self._rests[mirror] = time.monotonic() + REST_SECONDS

    def notes(self) -> list[AgentFault]:
        return [MirrorPassedBy(mirror.name, self._wrong[mirror]) for mirror in self.all if mirror in self._wrong]


def why_of(fault: AgentFault) -> str:
    if isinstance(fault, UnexpectedAnswer):
        return f"it answers with HTTP {fault.status}"
    if isinstance(fault, TooSlow | TooMuch | TlsRefused):
        return {TooSlow: "it is too slow", TooMuch: "it sends too much"}.get(type(fault), "no secure connection to it")
    return str(getattr(fault, "why", fault.what.rstrip(".")))
