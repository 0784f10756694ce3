"""Every notice that the product can send, read by the program that networks read notices with, and by a calendar
library.

All states and impacts, one object and several, IPv4, IPv6 and ranges, in both languages; as a file and as the letter
that carries it. The foreign program is unchanged and has an environment of its own.
"""

import base64
import datetime as dt
import itertools
import json
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import translation
from icalendar import Calendar

from rahdari.letters.models import Letter
from rahdari.letters.sending import _message
from rahdari.maintenance import maintnote, notes
from rahdari.maintenance.models import Notice, Work
from rahdari.maintenance.rules import Impact, Reason, Status, worst
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from tests.needs import missing

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / ".venv-readers" / "bin" / "python"
INSTALL = (
    "with Python 3.12 or later: python3 -m venv .venv-readers && "
    ".venv-readers/bin/pip install --require-hashes -r tests/maintenance/readers.txt"
)
AT = dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC)
OBJECTS = (
    ("203.0.113.40",),
    ("203.0.113.40", "203.0.113.41 udp 51820", "203.0.113.41 tcp 443"),
    ("2001:db8:40:7::24 udp 51820",),
    ("203.0.113.32/27", "2001:db8:40:7::/64", "198.51.100.7 esp"),
)


@dataclass(frozen=True)
class Case:
    notice: Notice
    content: bytes


def cases() -> Iterator[Case]:
    """One of each kind, with every impact beside another one."""
    operator = Operator(slug="sample-fibre", name_en='Sample, Fibre; "NOC"', name_ur="نمونہ فائبر")
    registration = Registration(reference="RD-4F7K-92MQ")
    several = [list(Impact), list(reversed(Impact))]
    for sequence, (status, objects, impacts, language) in enumerate(
        itertools.product(Status, OBJECTS, several + [[each] for each in Impact], ("en", "ur"))
    ):
        notice = Notice(
            id=uuid.UUID(int=sequence),
            work=Work(reference="PW-K7M2-94QX", operator=operator if sequence % 5 else None),
            holder=uuid.UUID(int=1),
            registration=registration,
            version=sequence % 7,
            sequence=sequence % 7,
            status=status,
            starts_at=AT,
            ends_at=AT + dt.timedelta(hours=1),
            minutes=10 if sequence % 2 else None,
            reason=list(Reason)[sequence % len(Reason)],
            text_en="We move lines; then, we test.",
            text_ur="لائنیں نئے گیٹ وے پر منتقل ہوں گی۔",
            affected=[[what, str(impacts[place % len(impacts)])] for place, what in enumerate(objects)],
            said_at=AT - dt.timedelta(days=13),
        )
        with translation.override(language):
            yield Case(notice, notes.calendar_of([notice]))


def letter_of(case: Case) -> bytes:
    """The letter that carries it, as the mail server gets it."""
    facts = {"subject": "طے شدہ کام", "text": "Planned work", "html": "<p>Planned work</p>", "language": "en"}
    letter = Letter(template="planned_work", address="reader@sample.example", calendar=case.content.decode(), **facts)
    content: bytes = _message(letter).message().as_bytes()
    return content


class TestNotices:
    def test_read_back_by_a_calendar_library(self) -> None:
        count = 0
        for case in cases():
            (event,) = Calendar.from_ical(case.content).walk("VEVENT")
            notice = case.notice
            assert (event.start, event.end) == (notice.starts_at, notice.ends_at)
            assert event["SEQUENCE"] == notice.sequence and event["UID"] == "pw-k7m2-94qx.rd-4f7k-92mq@127.0.0.1"
            assert b"\r\nMETHOD" not in case.content and b"\r\nDTSTART:20261123T210000Z\r\n" in case.content
            assert {line for line in case.content.split(b"\r\n") if len(line) > 75} == set()
            (sent,) = maintnote.read(case.content)  # type: ignore[misc]
            assert isinstance(sent, maintnote.Sent), sent
            assert (sent.account, sent.status, sent.sequence) == ("RD-4F7K-92MQ", notice.status, notice.sequence)
            count += 1
        assert count == 5 * 4 * 6 * 2

    def test_read_unchanged_by_the_program_of_networks(self) -> None:
        if not READER.exists():
            missing(f"circuit-maintenance-parser is not there; to run this test: {INSTALL}")
        made = list(cases())
        asked = [{"how": "ical", "content": base64.b64encode(each.content).decode()} for each in made]
        asked += [{"how": "email", "content": base64.b64encode(letter_of(each)).decode()} for each in made]
        run = subprocess.run(
            [READER, "-I", Path(__file__).parent / "read_notices.py"],
            input="\n".join(map(json.dumps, asked)),
            capture_output=True,
            text=True,
            check=True,
        )
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        assert len(answers) == 2 * len(made)
        for case, answer in zip(made * 2, answers, strict=True):
            assert "error" not in answer, answer
            (read,) = answer["read"]
            assert read == wanted(case.notice) | {"summary": read["summary"]}
            assert read["summary"]


def wanted(notice: Notice) -> dict[str, Any]:
    """What a reader has of it. Of one object it takes the impact of the whole."""
    return {
        "account": "RD-4F7K-92MQ",
        "circuits": [{"circuit_id": what, "impact": str(impact)} for what, impact in notice.addresses.items()],
        "start": int(notice.starts_at.timestamp()),
        "end": int(notice.ends_at.timestamp()),
        "stamp": int(notice.said_at.timestamp()),
        "maintenance_id": "PW-K7M2-94QX",
        "organizer": "mailto:no-reply@127.0.0.1",
        "provider": notes.provider(notice.work),
        "sequence": notice.sequence,
        "status": str(notice.status),
        "uid": "pw-k7m2-94qx.rd-4f7k-92mq@127.0.0.1",
    }


def test_the_worst_impact_is_said_of_all() -> None:
    assert worst([]) is Impact.NO_IMPACT
    assert worst(Impact) is Impact.OUTAGE
