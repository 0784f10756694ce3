"""The run of `bench/consult`."""

import base64
import datetime as dt
import ipaddress
import itertools
import json
import logging
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import measure, place
from bench.desk_run import database, seconds

SIZES = (0, 300_000, 1_000_000)
A_MILLION, AN_HOUR = 1_000_000, 3600
# Networks for performance measurements (RFC 2544): each sender is in one of its own.
SENDERS = ipaddress.ip_network("198.18.0.0/15")
CODE = "48213907"
WORDS = "Do not make a register of those who use a tunnel. It will be a list, and lists are read by others. {}"
FILL = """
INSERT INTO consult_comment (id, draft_id, version_id, number, clause, language, exact, prefix, suffix, words, name,
    sent_at, proved_at, speaker_id, email, code, tries, sameness, part_of_id, hidden, was_hidden, hidden_by,
    reviewed_by, apart_by)
SELECT gen_random_uuid(), draft_id, version_id, number + g, clause, language, exact, prefix, suffix, words, name,
    sent_at, proved_at, speaker_id, email, code, tries, sameness, id, '', '', '', '', ''
FROM consult_comment, generate_series(1, %s) AS g WHERE id = %s
"""


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", metavar="LIST", help=f"signatures in the draft ({','.join(map(str, SIZES))})")
    parser.add_argument("--seconds", type=int, help="for each measurement (10)")
    given = parser.parse_args()
    sizes = [int(each) for each in given.sizes.split(",")] if given.sizes else ([0] if given.quick else [*SIZES])
    lasts = given.seconds or (3 if given.quick else 10)
    place.end_cleanly_on_signals()
    conditions = measure.conditions()
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder, database(Path(folder)):
        rows = [row for size in sizes for row in Flood(size, lasts).rows()]
    measure.report(rows, given=given, about=conditions, experiment="consult")


class Flood:
    """One draft with so many signatures under one comment, and senders that each are elsewhere."""

    def __init__(self, size: int, lasts: float) -> None:
        from django.db import connection
        from django.test import Client

        from rahdari.db.connections import backend_of
        from tests.builders import consultations as rules
        from tests.builders import story

        # Each refusal would be a line.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        self.size, self.lasts = size, lasts
        self.client, self.officer = Client(), Client()
        self.officer.force_login(story.an_officer())
        self.version = rules.a_draft()
        self.draft = self.version.draft
        self.head = rules.a_comment(self.draft, words=WORDS.format("Sample"))
        self.elsewhere = itertools.count(random.Random(size).randrange(1000))
        with connection.cursor() as cursor:
            if size:
                cursor.execute(FILL, [size, self.head.pk])
                cursor.execute("VACUUM ANALYZE consult_comment")
        self.postgres = Path(f"/proc/{backend_of(connection)}/schedstat")

    def rows(self) -> list[dict[str, Any]]:
        found = [
            self._measured("taken and proved: the same words", lambda: self._whole(WORDS.format("Sample"))),
            self._measured("taken and proved: nearly the same", lambda: self._whole(WORDS.format(uuid.uuid4()))),
            self._measured("taken and proved: words of its own", lambda: self._whole(self._own())),
        ]
        self._use_up()
        found.append(self._measured("refused: the flood beyond its bound", self._refused))
        found.append(self._measured("a person's, with work, in the flood", self._of_a_person))
        for name, ask in self._pages().items():
            found.append(self._measured(name, ask, scaled=False))
        return found

    # -- what is sent ----------------------------------------------------------------------------------------------

    def _own(self) -> str:
        """As long as a comment may be, of words that no other has: all its runs are compared with none."""
        luck = random.Random(next(self.elsewhere))
        return " ".join(f"word{luck.randrange(10**6)}" for _ in range(350))

    def _post(self, words: str, **more: str) -> Any:
        sender = SENDERS[next(self.elsewhere) * 257 % SENDERS.num_addresses]
        given = {
            "words": words,
            "email": f"{uuid.uuid4().hex}@reader.example",
            "version": "1",
            "key": str(uuid.uuid4()),
        }
        return self.client.post(f"/consultations/{self.draft.reference}/say/", given | more, REMOTE_ADDR=str(sender))

    def _whole(self, words: str) -> None:
        """Said, the code typed, and there it is. No bound: what it costs is measured."""
        from rahdari.consult import speaking
        from tests.builders import consultations as rules

        said = rules.said(self.draft, words=words)
        # Its reader has it from the letter; to look for that among a million is no work of the register's.
        said.code = speaking._hash(said.pk, CODE)
        said.save(update_fields=["code"])
        speaking.prove(comment=said, code=CODE, now=dt.datetime.now(dt.UTC))

    def _use_up(self) -> None:
        from rahdari.portal.public import consultation_speaking as pages
        from rahdari.web import limits

        limits.spend("consult.say:all:False", 2 * pages.OF_ALL[False], rate=pages.OF_ALL[False], per=AN_HOUR)

    def _refused(self) -> None:
        answer = self._post(WORDS.format("Sample"))
        assert answer.status_code == 429, answer.status_code

    def _of_a_person(self) -> None:
        answer = self._post(self._own(), effort=self._work())
        assert answer.status_code == 302, answer.status_code

    def _work(self) -> str:
        """What a browser finds. That search is put aside: `self.aside` is its processor time."""
        from altcha.v1 import solve_challenge

        from rahdari.portal.public import consultation_effort

        asked = json.loads(consultation_effort.asked(dt.datetime.now(dt.UTC)))
        began = time.process_time(), time.perf_counter()
        found = solve_challenge(asked["challenge"], asked["salt"], "SHA-256", asked["maxNumber"])
        self.aside = time.process_time() - began[0], time.perf_counter() - began[1]
        assert found is not None
        names = ("algorithm", "challenge", "salt", "signature")
        done = {name: asked[name] for name in names} | {"number": found.number}
        return base64.b64encode(json.dumps(done).encode()).decode()

    def _pages(self) -> dict[str, Callable[[], Any]]:
        at = f"/consultations/{self.draft.reference}/"
        return {
            "page: the draft": lambda: self.client.get(at),
            "page: one comment": lambda: self.client.get(f"{at}comments/{self.head.number}/"),
            "page: the answers": lambda: self.client.get(f"{at}answers/"),
            "page: all comments": lambda: self.client.get(f"{at}comments/"),
            "page: all drafts": lambda: self.client.get("/consultations/"),
            "page: the desk's": lambda: self.officer.get(f"/desk/consultations/{self.draft.reference}/"),
        }

    # -- what it costs ---------------------------------------------------------------------------------------------

    def _measured(self, what: str, act: Callable[[], Any], *, scaled: bool = True) -> dict[str, Any]:
        cpu, whole = list[float](), list[float]()
        act()
        until = time.perf_counter() + self.lasts
        while time.perf_counter() < until or len(cpu) < 5:
            self.aside = 0.0, 0.0
            began = time.process_time(), seconds(self.postgres), time.perf_counter()
            act()
            ended = time.process_time(), seconds(self.postgres), time.perf_counter()
            cpu.append(ended[0] - began[0] + ended[1] - began[1] - self.aside[0])
            whole.append(ended[2] - began[2] - self.aside[1])
        row: dict[str, Any] = {
            "what": what,
            "signatures": self.size,
            "tried": len(cpu),
            "cpu p50 ms": measure.percentile(cpu, 0.50) * 1e3,
            "cpu p95 ms": measure.percentile(cpu, 0.95) * 1e3,
            "p50 ms": measure.percentile(whole, 0.50) * 1e3,
            "p95 ms": measure.percentile(whole, 0.95) * 1e3,
        }
        if scaled:
            row["a million an hour, cores"] = sum(cpu) / len(cpu) * A_MILLION / AN_HOUR
        return row
