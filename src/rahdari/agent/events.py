"""Word of a new edition: what a stream of server-sent events (WHATWG HTML, 9.2) or the answer to a long poll says.

An event is only a reason to look: it carries a signed timestamp, and small files that it leads to, which are verified
like ones that were fetched. A forged or repeated one costs a look, and looks have a least distance (see `following`).
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

MOST_DATA = 64 * 1024
# The feed is asked each minute in any case: nobody can make an agent wait for longer than that.
LONGEST_SPREAD_MS = 60_000


@dataclass(frozen=True)
class Event:
    id: str | None
    kind: str
    data: str


@dataclass(frozen=True)
class News:
    """A signed timestamp that came by push, or None: only look. Agents spread their looks over `spread` seconds.

    `beside` are files it leads to that came with it, by their place in the feed: unverified like the timestamp.
    """

    timestamp: bytes | None
    spread: float = 0.0
    beside: Mapping[str, bytes] = field(default_factory=dict)


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """Comments (heartbeats) and fields that are not known give nothing."""
    id, kind, data = None, "message", list[str]()
    for raw in lines:
        line = raw.rstrip(b"\r").decode("utf-8", "replace")
        if not line:
            if data:
                yield Event(id, kind, "\n".join(data))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and sum(map(len, data)) + len(value) <= MOST_DATA:
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            id = value


def event_of(body: bytes) -> Event:
    """The answer to a long poll: the same data as an event's, and its id."""
    data = body.decode("utf-8", "replace")
    id = _fields(data).get("id")
    # It goes into a header of the next question.
    fitting = isinstance(id, str) and len(id) <= 100 and id.isascii() and id.isprintable()
    return Event(id if fitting else None, "edition", data)


def news_of(event: Event) -> News:
    """What cannot be read is still a reason to look."""
    said = _fields(event.data)
    spread = said.get("spread_ms")
    seconds = min(max(spread, 0), LONGEST_SPREAD_MS) / 1000 if type(spread) is int else 0.0
    try:
        return News(base64.b64decode(said["timestamp"], validate=True), seconds, _beside(said.get("files")))
    except (ValueError, KeyError, TypeError):
        return News(None, seconds)


def _beside(files: object) -> dict[str, bytes]:
    """What cannot be read is fetched."""
    found = {}
    for name, body in files.items() if isinstance(files, dict) else ():
        with suppress(ValueError, TypeError):
            found[name] = base64.b64decode(body, validate=True)
    return found


def _fields(data: str) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
