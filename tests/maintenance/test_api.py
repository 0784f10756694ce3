"""`/op/v1/planned-work` as an operator's system uses it, and its contract held against what it answers."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rahdari.confirm import tokens
from rahdari.maintenance import moving, queries
from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import State
from rahdari.publish import queries as publish
from rahdari.register.models import Entry
from rahdari.register.rules import stamp
from tests.builders import story
from tests.builders.planned_work import DAY, HOUR, a_network, announced
from tests.builders.publishing import entered
from tests.confirm.test_api import System, problem

from .test_reading import sent

pytestmark = pytest.mark.django_db


def wanted(**more: Any) -> dict[str, Any]:
    starts_at = (timezone.now() + 9 * DAY).replace(microsecond=0)
    facts = {"reason": "upgrade", "text_en": "New software.", "starts_at": stamp(starts_at)}
    facts |= {"ends_at": stamp(starts_at + HOUR), "affected": [{"object": "203.0.113.0/24", "impact": "OUTAGE"}]}
    return facts | more


@pytest.fixture
def system() -> System:
    a_network(now=timezone.now())
    return System("sample-fibre")


class TestPlannedWork:
    def test_goes_from_the_draft_to_its_end(self, system: System) -> None:
        entered("203.0.113.7", now=timezone.now())
        made = system.ask("post", "/planned-work", wanted())
        assert made.status_code == 201 and (made.said["state"], made.said["entries"]) == ("draft", 1)
        place = f"/planned-work/{made.said['number']}"
        entry = {"object": Entry.objects.get().feed_id, "impact": "DEGRADED"}
        changed = system.ask("put", place, wanted(affected=[entry], tentative=True))
        assert changed.said["affected"] == [entry] and changed.said["tentative"]
        assert system.ask("post", f"{place}/start").status_code == 409
        said = system.ask("post", f"{place}/announce").said
        assert said["in_time"] and said["words"] == "wait"
        assert problem(system.ask("delete", place), 409, "not-possible")
        early = problem(system.ask("post", f"{place}/start"), 409, "not-possible")
        assert early["code"] == "too_early" and "from" in early["detail"]
        starts_at = (timezone.now() + HOUR / 2).replace(microsecond=0)
        soon = wanted(starts_at=stamp(starts_at), ends_at=stamp(starts_at + HOUR))
        assert not system.ask("put", place, soon).said["in_time"]
        assert system.ask("post", f"{place}/start").said["started_at"]
        refused = system.ask("post", f"{place}/prolong", {"expected_end_at": soon["ends_at"]})
        assert problem(refused, 422, "work-not-taken")["code"] == "not_longer"
        until = {"expected_end_at": stamp(starts_at + 2 * HOUR)}
        assert system.ask("post", f"{place}/prolong", until).said["expected_end_at"] == until["expected_end_at"]
        assert system.ask("post", f"{place}/complete").said["state"] == "completed"
        assert [each["number"] for each in system.ask("get", "/planned-work").said["planned_work"]] == [
            made.said["number"]
        ]

    def test_is_another_operators_alone(self, system: System) -> None:
        a_network("sample-mobile", asns=(64501,), now=timezone.now())
        number = system.ask("post", "/planned-work", wanted()).said["number"]
        other = System("sample-mobile")
        assert other.ask("get", "/planned-work").said == {"planned_work": []}
        problem(other.ask("get", f"/planned-work/{number}"), 404, "no-such-work")
        problem(other.ask("post", f"/planned-work/{number}/announce"), 404, "no-such-work")
        refused = problem(other.ask("post", "/planned-work", wanted()), 422, "work-not-taken")
        assert "203.0.113.0/24" in refused["detail"]
        assert Work.objects.get().state == State.DRAFT
        assert system.ask("delete", f"/planned-work/{number}").status_code == 204

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"affected": [{"object": "203.0.113.7/24", "impact": "OUTAGE"}]}, "address"),
            ({"affected": [{"object": "203.0.113.7 udp 0", "impact": "OUTAGE"}]}, "port"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_first"),
            ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-01T01:00:00Z"}, "past"),
            ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": None}, "past"),
            ({"text_en": "Sign in at rahdari-gov.example"}, "holds_address"),
            ({"text_ur": "کال کریں: 0300 1234567"}, "holds_telephone"),
        ],
    )
    def test_says_what_cannot_be_taken(self, system: System, more: dict[str, Any], code: str) -> None:
        assert problem(system.ask("post", "/planned-work", wanted(**more)), 422, "work-not-taken")["code"] == code

    def test_reads_notices_of_the_operators_own_program(self, system: System) -> None:
        starts_at = timezone.now().replace(microsecond=0) + dt.timedelta(days=9)
        content = sent(starts_at=starts_at, ends_at=starts_at + HOUR).decode()
        [event] = system.ask("post", "/planned-work/calendar", {"calendar": content}).said["events"]
        assert (event["outcome"], event["maintenance_id"]) == ("drafted", "CHG-0007")
        [event] = system.ask("post", "/planned-work/calendar", {"calendar": content}).said["events"]
        assert event["outcome"] == "known"
        refused = system.ask("post", "/planned-work/calendar", {"calendar": "no calendar"})
        assert problem(refused, 422, "work-not-taken")["code"] == "no_calendar"


class TestAKeySentAgain:
    def test_gives_the_same_draft(self, system: System) -> None:
        body, key = wanted(), {"HTTP_IDEMPOTENCY_KEY": "change-7"}
        first, again = (system.ask("post", "/planned-work", body, **key) for _twice in range(2))
        assert (first.status_code, again.status_code, again.said) == (201, 201, first.said)
        assert again.headers["Idempotent-Replayed"] == "true" and Work.objects.count() == 1
        problem(system.ask("post", "/planned-work", wanted(reason="cable"), **key), 422, "key-reused")
        assert system.ask("post", "/planned-work", body).said["number"] != first.said["number"]
        # Of another key of the operator's it is another one.
        assert System("sample-fibre").ask("post", "/planned-work", body, **key).said["number"] != first.said["number"]
        assert tokens.forget_requests(now=timezone.now() + DAY - HOUR) == 0
        assert tokens.forget_requests(now=timezone.now() + DAY + HOUR) == 2

    def test_moves_work_once_and_is_free_after_a_refusal(self, system: System) -> None:
        place = f"/planned-work/{system.ask('post', '/planned-work', wanted(text_en='')).said['number']}"
        key = {"HTTP_IDEMPOTENCY_KEY": "announce-7"}
        problem(system.ask("post", f"{place}/announce", **key), 422, "work-not-taken")
        system.ask("put", place, wanted())
        said = [system.ask("post", f"{place}/announce", **key).said for _twice in range(2)]
        assert said[0] == said[1] and said[0]["state"] == "announced" and Work.objects.get().version == 0
        problem(system.ask("post", f"{place}/announce"), 409, "not-possible")

    def test_that_broke_has_done_nothing(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks(*args: object) -> None:
            raise RuntimeError

        body, key = wanted(), {"HTTP_IDEMPOTENCY_KEY": "one"}
        with monkeypatch.context() as broken:
            broken.setattr("rahdari.maintenance.operations._said", breaks)
            problem(system.ask("post", "/planned-work", body, **key), 500, "broke")
        assert Work.objects.count() == 0
        assert system.ask("post", "/planned-work", body, **key).status_code == 201


def test_requests_for_another_night_are_read_and_answered(system: System) -> None:
    now, person = timezone.now(), story.a_person()
    network = publish.operator_by_slug("sample-fibre")
    entered("203.0.113.7", holder=person.holder_ref, now=now)
    work = announced(network, "203.0.113.0/24", now=now, starts_at=now + 14 * DAY)
    notice = queries.notice_for([person.holder_ref], work.reference)
    night = timezone.localdate(now + 16 * DAY)
    moving.ask(notice=notice, why="We take calls at night.", night=night, by="person:1", now=now)
    place = f"/planned-work/{work.reference}/another-night"
    (one,) = system.ask("get", place).said["requests"]
    assert (one["why"], one["night"]) == ("We take calls at night.", night.isoformat())
    assert one["affected"] == ["203.0.113.7"] and person.name not in str(one)
    answer = system.ask("post", f"{place}/stays", {"reason": "urgent", "words": "It cannot wait."})
    assert answer.said == {"answer_by": None, "requests": []}
    problem(system.ask("post", f"{place}/stays", {"reason": "urgent"}), 409, "not-possible")
    moved = system.ask("post", f"{place}/move", {"night": night.isoformat()})
    assert moved.said["starts_at"][:10] == stamp(work.starts_at + 2 * DAY)[:10]
    past = {"night": timezone.localdate(now - DAY).isoformat()}
    assert problem(system.ask("post", f"{place}/move", past), 422, "work-not-taken")
    assert system.ask("get", "/planned-work/P-AAAA-AAAA/another-night").status_code == 404
