"""Notices that operators’ own programs send: what is taken, what is refused and why. Nothing breaks the reader."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.maintenance import actions, maintnote, reading, words
from rahdari.maintenance.maintnote import Fault, Note, Sent, Trouble
from rahdari.maintenance.models import Notice, Work
from rahdari.maintenance.reading import Did, Outcome
from rahdari.maintenance.rules import Impact, State, Status
from rahdari.publish.models import Operator
from rahdari.web import values
from tests.builders.planned_work import DAY, HOUR, NOW, a_network, tell
from tests.builders.publishing import entered

AT = NOW + 14 * DAY


def sent(status: Status = Status.CONFIRMED, sequence: int = 0, **more: Any) -> bytes:
    """As an operator's program writes it."""
    facts: dict[str, Any] = {
        "uid": "7@isp.example",
        "maintenance_id": "CHG-0007",
        "sequence": sequence,
        "account": "sample-fibre",
        "provider": "isp.example",
        "organiser": "NOC",
        "email": "noc@isp.example",
        "status": status,
        "starts_at": AT,
        "ends_at": AT + HOUR,
        "stamped_at": NOW,
        "objects": {"203.0.113.7": Impact.OUTAGE, "203.0.113.64/26": Impact.DEGRADED},
        "summary": "New gateway",
    }
    return maintnote.write([Note(**facts | more)])


def read(operator: Operator, content: bytes, now: dt.datetime = NOW) -> Outcome:
    [outcome] = reading.read_in(operator=operator, content=content, by="token:1", now=now)
    return outcome


class TestAFile:
    @pytest.mark.parametrize(
        ("old", "new", "fault", "name"),
        [
            (b"X-MAINTNOTE-ACCOUNT:sample-fibre\r\n", b"", Fault.MISSING, "X-MAINTNOTE-ACCOUNT"),
            (b"SEQUENCE:0\r\n", b"", Fault.MISSING, "SEQUENCE"),
            (b"SEQUENCE:0", b"SEQUENCE:-1", Fault.SEQUENCE, "SEQUENCE"),
            (b"X-MAINTNOTE-STATUS:CONFIRMED", b"X-MAINTNOTE-STATUS:RE-SCHEDULED", Fault.STATUS, "X-MAINTNOTE-STATUS"),
            (b"IMPACT=OUTAGE", b"IMPACT=BAD", Fault.IMPACT, "X-MAINTNOTE-IMPACT"),
            (b":203.0.113.7\r\n", b":Circuit 7\r\n", Fault.OBJECT, "X-MAINTNOTE-OBJECT-ID"),
            (b"DTSTART:20261124T090000Z", b"DTSTART:20261124T090000", Fault.NO_ZONE, "DTSTART"),
            (b"DTSTART:20261124T090000Z", b"DTSTART;VALUE=DATE:20261124", Fault.TIME, "DTSTART"),
            (b"DTSTART:20261124T090000Z", b"DTSTART:soon", Fault.TIME, "DTSTART"),
            (b"ID:CHG-0007", b"ID:" + b"7" * 121, Fault.LONG_ID, "X-MAINTNOTE-MAINTENANCE-ID"),
        ],
    )
    def test_says_what_is_wrong_with_it(self, old: bytes, new: bytes, fault: Fault, name: str) -> None:
        good = sent()
        assert good.count(old) == 1
        [trouble] = maintnote.read(good.replace(old, new))  # type: ignore[misc]
        assert isinstance(trouble, Trouble) and (trouble.fault, trouble.event, trouble.name) == (fault, 1, name)
        assert isinstance(maintnote.read(good)[0], Sent)  # type: ignore[index]

    @pytest.mark.parametrize(
        "line",
        [
            "RRULE:FREQ=DAILY;COUNT=5",
            "RDATE:20261125T090000Z",
            "EXDATE:20261124T090000Z",
            "RECURRENCE-ID:20261124T090000Z",
        ],
    )
    def test_that_recurs_is_not_read_as_its_first_time(self, line: str) -> None:
        recurs = sent().replace(b"SEQUENCE:0\r\n", b"SEQUENCE:0\r\n" + line.encode() + b"\r\n")
        assert maintnote.read(recurs) == [Trouble(Fault.RECURS, 1, line.partition(":")[0])]

    def test_says_nothing_else_under_the_same_sequence(self) -> None:
        def both(other: bytes) -> list[Sent | Trouble]:
            event = b"BEGIN:VEVENT" + other.split(b"BEGIN:VEVENT")[1]
            found = maintnote.read(sent().replace(b"END:VCALENDAR\r\n", event))
            assert isinstance(found, list) and isinstance(found[0], Sent)
            return found

        night = {"starts_at": AT + DAY, "ends_at": AT + DAY + HOUR}
        assert both(sent(**night))[1] == Trouble(Fault.TWO_WORDS, 2, "SEQUENCE", "CHG-0007")
        assert all(isinstance(each, Sent) for each in both(sent()))
        assert all(isinstance(each, Sent) for each in both(sent(sequence=1, **night)))
        assert all(isinstance(each, Sent) for each in both(sent(maintenance_id="CHG-0008", **night)))

    def test_names_each_object_that_cannot_be_read_as_it_was_written(self) -> None:
        objects = {"Circuit 7": Impact.OUTAGE, "203.0.113.7": Impact.OUTAGE, "۲۰۳.0.113.7/24": Impact.OUTAGE}
        [trouble] = maintnote.read(sent(objects=objects))  # type: ignore[misc]
        assert isinstance(trouble, Trouble) and (trouble.given, trouble.count) == ("Circuit 7, ۲۰۳.0.113.7/24", 2)
        assert "2 objects cannot be read" in words.file_trouble(trouble)
        [trouble] = maintnote.read(sent(objects={"203.0.113.7/24": Impact.OUTAGE}))  # type: ignore[misc]
        assert isinstance(trouble, Trouble) and trouble.given == "203.0.113.7/24"
        assert "Did you mean" in words.file_trouble(trouble) and "203.0.113.0/24" in words.file_trouble(trouble)

    def test_is_bounded(self) -> None:
        assert maintnote.read(b"x" * (maintnote.LARGEST + 1)) == Trouble(Fault.TOO_LARGE)
        one = sent().split(b"BEGIN:VEVENT", 1)[1].split(b"END:VEVENT")[0]
        many = (b"BEGIN:VEVENT" + one + b"END:VEVENT\r\n") * (maintnote.MOST_EVENTS + 1)
        calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + many + b"END:VCALENDAR\r\n"
        assert maintnote.read(calendar) == Trouble(Fault.TOO_MANY)
        assert maintnote.read(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n") == Trouble(Fault.NO_EVENT)

    @given(st.data())
    def test_never_breaks_the_reader(self, data: st.DataObject) -> None:
        good = sent()
        start = data.draw(st.integers(0, len(good)))
        end = data.draw(st.integers(start, min(len(good), start + 40)))
        maintnote.read(good[:start] + data.draw(st.binary(max_size=40)) + good[end:])


@pytest.mark.django_db
class TestReading:
    def test_carries_work_from_the_draft_to_its_end(self) -> None:
        operator, holder = a_network(), entered("203.0.113.7").holder
        made = read(operator, sent(Status.TENTATIVE))
        work = Work.objects.get(reference=made.reference)
        assert (made.did, work.state, work.own_id, work.is_tentative) == (Did.DRAFTED, State.DRAFT, "CHG-0007", True)
        assert Notice.objects.count() == 0
        assert read(operator, sent(Status.TENTATIVE)).did == Did.KNOWN
        assert read(operator, sent(sequence=1)).did == Did.EDITED
        assert read(operator, sent(Status.IN_PROCESS, 2)).did == Did.REFUSED  # it is not announced
        actions.announce(work=work, by="person:1", now=NOW)
        tell()
        assert read(operator, sent(sequence=2, ends_at=AT + 2 * HOUR)).did == Did.CHANGED
        tell()
        assert read(operator, sent(Status.IN_PROCESS, 3), now=AT).did == Did.STARTED
        assert read(operator, sent(Status.IN_PROCESS, 4, ends_at=AT + 3 * HOUR), now=AT).did == Did.PROLONGED
        assert read(operator, sent(Status.IN_PROCESS, 5, ends_at=AT + 3 * HOUR), now=AT).did == Did.KNOWN
        assert read(operator, sent(Status.CONFIRMED, 6), now=AT).did == Did.REFUSED  # its window stays
        assert read(operator, sent(Status.COMPLETED, 6), now=AT + HOUR).did == Did.COMPLETED
        tell(AT + HOUR)
        told = Notice.objects.filter(holder=holder).order_by("sequence").values_list("sequence", "status")
        assert list(told) == [(0, "CONFIRMED"), (1, "CONFIRMED"), (2, "COMPLETED")]

    def test_refuses_what_is_not_theirs_and_says_how_to_mend_it(self) -> None:
        operator, other = a_network(), a_network("sample-mobile", asns=(64501,))
        account = read(operator, sent(account="RD-4F7K-92MQ"))
        assert account.did == Did.REFUSED and "sample-fibre" in account.text
        assert "If your program did not make this notice, write to us" in account.text
        unannounced = read(operator, sent(Status.IN_PROCESS, maintenance_id="CHG-0010"))
        assert unannounced.did == Did.REFUSED and "you answer under “Disruptions”" in unannounced.text
        assert read(operator, sent(account="as64500")).did == Did.DRAFTED
        network = read(other, sent(account="sample-mobile"))
        assert network.did == Did.REFUSED and "203.0.113.7" in network.text
        entry = read(operator, sent(objects={"0" * 32: Impact.OUTAGE}, maintenance_id="CHG-0008"))
        assert entry.did == Did.REFUSED and "0" * 32 in entry.text
        leads = read(operator, sent(summary="Sign in at rahdari-gov.example", maintenance_id="CHG-0009"))
        assert leads.did == Did.REFUSED and "rahdari-gov.example" in leads.text
        assert Work.objects.count() == 1

    def test_knows_what_it_read_of_a_draft_that_was_deleted(self) -> None:
        operator, other = a_network(), a_network("sample-mobile", asns=(64501,))
        read(operator, sent(sequence=1))
        assert read(operator, sent(Status.CANCELLED, 2)).did == Did.DISCARDED
        for late in (sent(sequence=1), sent(sequence=2), sent(Status.CANCELLED, 2)):
            outcome = read(operator, late)
            assert (outcome.did, outcome.reference) == (Did.KNOWN, "")
        assert Work.objects.count() == 0
        assert read(operator, sent(sequence=3)).did == Did.DRAFTED
        actions.discard(work=Work.objects.get(), by="person:1", now=NOW)
        assert read(operator, sent(sequence=3)).did == Did.KNOWN
        assert read(operator, sent(sequence=4)).did == Did.DRAFTED
        # The id of another operator's program is another one.
        theirs = sent(sequence=1, account="sample-mobile", objects={"198.51.100.7": Impact.OUTAGE})
        assert read(other, theirs).did == Did.DRAFTED

    def test_refuses_a_time_that_is_over(self) -> None:
        operator = a_network()
        late = read(operator, sent(), now=AT)
        assert late.did == Did.REFUSED and "This time is over" in late.text
        given = f"Given: {values.moment(AT)} to {values.moment(AT + HOUR)} ("
        assert given in late.text and values.zone() in late.text
        read(operator, sent())
        assert read(operator, sent(sequence=1), now=AT).did == Did.REFUSED
        assert Work.objects.get().own_sequence == 0

    def test_takes_each_event_by_itself(self) -> None:
        operator = a_network()
        bad = sent(maintenance_id="CHG-0009", account="another")
        both = sent().replace(b"END:VCALENDAR", b"BEGIN:VEVENT" + bad.split(b"BEGIN:VEVENT")[1])
        found = reading.read_in(operator=operator, content=both, by="token:1", now=NOW)
        assert [(each.event, each.did) for each in found] == [(1, Did.DRAFTED), (2, Did.REFUSED)]
        with pytest.raises(reading.FileNotTaken):
            reading.read_in(operator=operator, content=b"no calendar", by="token:1", now=NOW)
