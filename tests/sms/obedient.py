"""A provider that does as a test tells it."""

import datetime as dt
import threading
from collections import deque

from rahdari.sms import segments
from rahdari.sms.providers import Accepted, Outcome, Report, Text, Told


class ObedientProvider:
    """Answers as it was told to, in turn, then takes everything. `sent` is what it took."""

    def __init__(self, *, name: str, told: Told) -> None:
        self.name, self.told = name, told
        self.answers: deque[Outcome] = deque()
        self.sent: list[Text] = []
        self.asked = 0
        self._one = threading.Lock()

    def send(self, text: Text, *, now: dt.datetime) -> Outcome:
        with self._one:
            self.asked += 1
            answer = self.answers.popleft() if self.answers else None
            if answer is not None and not isinstance(answer, Accepted):
                return answer
            self.sent.append(text)
            parts = segments.count(text.body)
            return Accepted(tuple(f"{text.id}-{number}" for number in range(1, parts + 1)), parts)

    def listen(self, *, now: dt.datetime) -> None:
        """It reports when a test says so."""

    def report(self, text: Text, outcome: str, reason: str = "", *, now: dt.datetime) -> None:
        for number in range(1, segments.count(text.body) + 1):
            self.told(self.name, Report(f"{text.id}-{number}", outcome, reason), now)

    def close(self) -> None:
        """Nothing is open."""
