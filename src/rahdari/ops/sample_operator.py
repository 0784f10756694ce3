"""A made-up operator of mobile numbers that answers by itself: for demonstrations and tests, and never a real one.

It is what an operator's own system would do, over the same API and with a key of its own: it answers the checks of kind
`mobile`, follows its own list of lines, and says how far it has applied it. The last figure of a number shows what an
operator may say: 9 is silent, 8 is another operator's number, 7 is in somebody else's name; all others are yes.
`python -m rahdari.ops.sample_operator` is started by the demonstration alone.
"""

import argparse
import hashlib
import hmac
import json
import logging
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from . import sample_server

log = logging.getLogger("rahdari.sample_operator")
EVERY = 3.0
SILENT, NOT_OURS, ANOTHERS = "9", "8", "7"
# (method, path after /op/v1, body) -> (status, what the answer says)
type Ask = Callable[[str, str, dict[str, Any] | None], tuple[int, dict[str, Any]]]


def over_http(base: str, key: str) -> Ask:
    """Ask the register at this address, with this key."""

    def ask(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(  # noqa: S310 (the address of our own demonstration)
            f"{base}/op/v1/{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    return ask


@dataclass
class SampleOperator:
    """`secret` makes its words for lines: the same number has the same word, and nobody else can tell which."""

    ask: Ask
    secret: bytes
    sequence: int | None = None
    # What it would spare, by its own word or by the number of a check that it has not answered.
    applied: dict[str, str] = field(default_factory=dict)

    def word_for(self, number: str) -> str:
        return "sample-" + hmac.new(self.secret, number.encode(), hashlib.sha256).hexdigest()[:20].translate(
            str.maketrans("0123456789", "ghijklmnop")
        )

    def round(self) -> int:
        """Answer what waits, then get in step with the list. Returns how many checks were answered."""
        answered = self.answer_checks()
        self.follow_list()
        return answered

    def answer_checks(self) -> int:
        answered, cursor = 0, ""
        while True:
            status, page = self.ask("GET", f"checks?limit=100{f'&after={cursor}' if cursor else ''}", None)
            if status != 200:
                return answered
            for check in page["checks"]:
                given = self.say(check)
                if given is not None:
                    answered += self.ask("POST", f"checks/{check['check']}", given)[0] == 200
            cursor = page["next"] or ""
            if not cursor:
                return answered

    def say(self, check: dict[str, Any]) -> dict[str, Any] | None:
        """What it says of a check; None leaves it open, for whoever sits at the operator's page."""
        number = check.get("subscriber", "")
        if check["kind"] != "mobile" or number.endswith(SILENT):
            return None
        if number.endswith(NOT_OURS):
            return {"answer": "no", "reason": "not_our_number"}
        if number.endswith(ANOTHERS):
            return {"answer": "no", "reason": "another_subscriber"}
        return {"answer": "yes", "reference": self.word_for(number)}

    def follow_list(self) -> None:
        if self.sequence is None:
            self._take_whole_list()
        while self.sequence is not None:
            status, found = self.ask("GET", f"lines/changes?after={self.sequence}", None)
            if status in {409, 410}:
                self._take_whole_list()
                break
            if status != 200:
                return
            for change in found["changes"]:
                self._apply(change)
            moved, self.sequence = self.sequence != found["sequence"], found["sequence"]
            if not found["more"]:
                if moved:
                    self._say_how_far()
                return

    def _take_whole_list(self) -> None:
        applied: dict[str, str] = {}
        sequence, cursor = None, ""
        while True:
            status, page = self.ask("GET", f"lines{f'?after={cursor}' if cursor else ''}", None)
            if status != 200:
                return
            sequence = page["sequence"] if sequence is None else sequence
            applied |= {line.get("reference") or line["check"]: line["not_after"] for line in page["lines"]}
            cursor = page["next"] or ""
            if not cursor:
                break
        self.applied, self.sequence = applied, sequence
        self._say_how_far()

    def _apply(self, change: dict[str, Any]) -> None:
        word, check = change.get("reference", ""), change.get("check", "")
        if change["act"] == "end":
            self.applied.pop(word or check, None)
            return
        if change["act"] == "name":
            self.applied.pop(check, None)
        self.applied[word or check] = change["not_after"]

    def _say_how_far(self) -> None:
        if self.sequence:
            self.ask("POST", "lines/receipt", {"sequence": self.sequence})


def run(*, base: str, key: str, secret: bytes, stop: threading.Event, every: float = EVERY) -> None:
    """Round after round until `stop` is set; a register that is away is asked again."""
    operator = SampleOperator(over_http(base, key), secret)
    log.info("A made-up operator answers about mobile numbers by itself.")
    while not stop.wait(every):
        try:
            operator.round()
        except (OSError, ValueError) as error:
            log.info("The register does not answer (%s); asked again soon.", error)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sample-operator", description="A made-up operator, for demonstrations.")
    parser.add_argument("--base", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="with the certificate of the sample server, which is run here, too")
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    key = given.key_file.read_text().strip()
    if given.data:
        sample_server.start(given.data)
    run(base=given.base, key=key, secret=key.encode(), stop=stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
