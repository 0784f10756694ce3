"""Somebody who is signed in and loads a page all the time, while the database changes hands."""

import http.client
import threading
import time
from collections import Counter
from contextlib import closing

from .cluster import HERE

# Between two pages, in seconds; and so long one may take: a machine that stands still says nothing meanwhile.
APART, PATIENCE = 0.5, 120.0
# Whoever shows one has a session that is looked up in the database.
COOKIE = "sessionid=" + "a" * 32
AWAY = 503


class Visitor(threading.Thread):
    """`answers` counts pages by their status; `faults` are neither a page nor the word that we are away."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port, self._ended = port, threading.Event()
        self.answers: Counter[int] = Counter()
        self.faults: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(APART):
            try:
                self.look()
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def look(self) -> int:
        with closing(http.client.HTTPConnection(HERE, self._port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/", headers={"Cookie": COOKIE, "Accept": "text/html"})
            answer = connection.getresponse()
            answer.read()
        self.answers[answer.status] += 1
        if answer.status not in {200, AWAY} or (answer.status == AWAY and not answer.headers["Retry-After"]):
            self.faults.append(f"a page with the status {answer.status}")
        return answer.status

    def wait(self, patience: float) -> bool:
        """Whether a page comes within so many seconds."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            try:
                if self.look() == 200:
                    return True
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(APART)
        return False

    def end(self) -> str:
        """What was seen."""
        self._ended.set()
        self.join(PATIENCE)
        return f"{self.answers[200]} pages, and {self.answers[AWAY]} times the word that we are back in a moment"
