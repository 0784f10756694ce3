"""Server-sent events: the lines of a stream into events (WHATWG HTML, 9.2), and the thread that listens.

An event is only a reason to look: it carries a signed timestamp, which is verified like one that was fetched. A forged
or repeated one costs a look, and looks have a least distance (see `following`).
"""

import base64
import json
import logging
import queue
import random
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .faults import AgentFault
from .transport import Server

log = logging.getLogger("rahdari.agent")

MOST_DATA = 64 * 1024
BACKOFF_SECONDS = (1.0, 60.0)


@dataclass(frozen=True)
class Event:
    id: str | None
    kind: str
    data: str


@dataclass(frozen=True)
class News:
    """A signed timestamp that came by push, or None: only look."""

    timestamp: bytes | None


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


def news_of(event: Event) -> News:
    """What cannot be read is still a reason to look."""
    try:
        return News(base64.b64decode(json.loads(event.data)["timestamp"], validate=True))
    except (ValueError, KeyError, TypeError, RecursionError):
        return News(None)


class Listener(threading.Thread):
    """Keeps one stream open and puts what comes into a queue. Ends with the process."""

    def __init__(self, server: Server, url: str, news: "queue.SimpleQueue[News | None]") -> None:
        super().__init__(name="listener", daemon=True)
        self._server, self._url, self._news = server, url, news
        self._stopped = threading.Event()
        self._last_id: str | None = None
        self._said = ""

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        least, most = BACKOFF_SECONDS
        pause = least
        while not self._stopped.is_set():
            try:
                with self._server.events(self._url, last_event_id=self._last_id) as lines:
                    log.info("listening to %s", self._url)
                    self._said, pause = "", least
                    for event in events_of(lines):
                        self._last_id = event.id or self._last_id
                        self._news.put(news_of(event))
                        if self._stopped.is_set():
                            return
            except AgentFault as fault:
                if fault.what != self._said:
                    self._said = fault.what
                    log.warning("%s Until it is back, the feed is asked each minute.", fault.what)
            # Many agents lose one server together: each comes back at its own moment.
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
            pause = min(pause * 2, most)
