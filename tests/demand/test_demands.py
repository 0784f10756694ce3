"""Whoever demands by law what is held is on the ledger: one file a demand, two officers, and the holder reads it."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.applicant.access_log import looks_at_application
from rahdari.apply.models import Application
from rahdari.decide import words
from rahdari.demand import actions, queries
from rahdari.demand.models import Demand
from rahdari.people import seconding
from rahdari.people.models import User
from tests.builders import story

pytestmark = pytest.mark.django_db
today, now = timezone.localdate, timezone.now


@pytest.fixture
def refused(db: None) -> Application:
    return story.a_refusal(story.a_person()).application


def recorded(officer: User, number: str = "12/2026", **more: Any) -> Demand:
    given: dict[str, Any] = {
        "body": "A Tribunal",
        "provision": "s. 34",
        "day": today(),
        "signed_by": "Its registrar",
        "wanted": "Who applied.",
        "is_bulk": False,
        "now": now(),
    }
    return actions.record_demand(officer=officer, number=number, **given | more)


def found(demand: Demand, officer: User, application: Application) -> Demand:
    actions.find_file(demand=demand, officer=officer, asked=application.reference, now=now())
    return queries.demand_for_officer(demand.pk)


def at_the_desk(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


class TestOneFile:
    def test_is_all_that_a_demand_leads_to(self, officer: User, refused: Application) -> None:
        other = story.a_refusal(story.a_person()).application
        demand = found(recorded(officer), officer, refused)
        assert demand.case is not None and demand.case.application == refused
        with pytest.raises(actions.OneFile):
            found(demand, officer, other)
        with pytest.raises(DatabaseError), transaction.atomic():
            Demand.objects.filter(pk=demand.pk).update(case=None)

    def test_in_bulk_is_refused_and_counted(self, officer: User, refused: Application) -> None:
        demand = recorded(officer, is_bulk=True)
        assert demand.outcome == "bulk"
        with pytest.raises(actions.NotPossibleNow):
            found(demand, officer, refused)
        with pytest.raises(actions.NotPossibleNow):
            actions.answer_demand(demand=demand, officer=officer, outcome="given", answer="All.", now=now())
        counted = queries.figures(now())
        assert (counted.demands, counted.bulk, counted.given) == (1, 1, 0)

    @pytest.mark.parametrize("blank", ["number", "body", "provision"])
    def test_is_not_recorded_without_what_names_it(self, officer: User, blank: str) -> None:
        with pytest.raises(DatabaseError, match="number_body_and_provision"), transaction.atomic():
            recorded(officer, **{"number": "12/2026", blank: "  "})

    def test_is_recorded_once(self, officer: User, second: User) -> None:
        assert recorded(officer).pk == recorded(second, wanted="More.").pk

    def test_is_opened_with_the_demand_as_its_ground(self, officer: User, refused: Application) -> None:
        demand = found(recorded(officer), officer, refused)
        desk = at_the_desk(officer)
        answer = desk.post(reverse("demand:open_file", args=[demand.pk]))
        assert answer["Location"] == reverse("decide:case", args=[refused.reference])
        assert desk.get(answer["Location"]).status_code == 200
        told = [each.why for each in looks_at_application(refused, now())]
        assert any("12/2026, A Tribunal, s. 34" in each for each in told)

    def test_is_opened_for_a_body_in_no_other_way(self) -> None:
        assert not {"authority", "demand", "court"} & set(words.WHY_AGAIN)


class TestGiving:
    def test_takes_two_officers(self, officer: User, second: User, refused: Application) -> None:
        demand = found(recorded(officer), officer, refused)
        demand = actions.answer_demand(demand=demand, officer=officer, outcome="given", answer="The name.", now=now())
        assert demand.waits_for_second
        with pytest.raises(seconding.NotSecond):
            actions.agree(demand=demand, officer=officer, now=now())
        with pytest.raises(DatabaseError), transaction.atomic():
            Demand.objects.filter(pk=demand.pk).update(agreed_by=officer, agreed_at=now())
        assert actions.agree(demand=demand, officer=second, now=now()).agreed_by == second
        assert queries.figures(now()).given == 1

    def test_needs_a_file_and_a_refusal_does_not(self, officer: User) -> None:
        demand = recorded(officer)
        with pytest.raises(actions.NotPossibleNow):
            actions.answer_demand(demand=demand, officer=officer, outcome="in_part", answer="A part.", now=now())
        demand = actions.answer_demand(demand=demand, officer=officer, outcome="refused", answer="No law.", now=now())
        assert queries.figures(now()).refused == 1
        for fields in ({"outcome": "given"}, {"number": "13/2026"}, {"answered_at": None}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Demand.objects.filter(pk=demand.pk).update(**fields)


class TestTheHolder:
    def test_reads_it(self, officer: User, refused: Application) -> None:
        demand = found(recorded(officer), officer, refused)
        actions.answer_demand(demand=demand, officer=officer, outcome="refused", answer="No law.", now=now())
        page = at_the_desk(refused.applicant).get(reverse("portal:demands", args=[refused.reference])).content.decode()
        for said in ("A Tribunal", "12/2026", "Who applied.", "No law.", "Its registrar"):
            assert said in page

    def test_reads_what_was_hidden_after_the_day_and_nobody_has_to_run(
        self, officer: User, refused: Application
    ) -> None:
        demand = found(
            recorded(officer, hidden_until=today() + dt.timedelta(days=30), hidden_by="A court"), officer, refused
        )
        at_the_desk(officer).post(reverse("demand:open_file", args=[demand.pk]))
        desk = at_the_desk(officer)
        desk.get(desk.post(reverse("demand:open_file", args=[demand.pk]))["Location"])
        assert queries.demands_of(refused, now()) == []
        assert not any("12/2026" in each.why for each in looks_at_application(refused, now()))
        assert queries.figures(now()).hidden
        assert queries.demands_of(refused, now() + dt.timedelta(days=32)) == [demand]
        for days, told in ((30, False), (31, True)):
            looks = looks_at_application(refused, now() + dt.timedelta(days=days))
            assert any("12/2026" in each.why for each in looks) is told

    def test_is_kept_from_it_for_a_year_at_most(self, officer: User) -> None:
        far = today() + dt.timedelta(days=400)
        with pytest.raises(ValueError):
            recorded(officer, hidden_until=far, hidden_by="An order")
        given = {"number": "1", "body": "A Tribunal", "provision": "s. 34", "day": today().isoformat()}
        given |= {"signed_by": "Its registrar", "wanted": "Who.", "how_many": "one", "hidden_until": far.isoformat()}
        answer = at_the_desk(officer).post(reverse("demand:new"), given)
        assert answer.status_code == 422
        assert (
            "a year away at most" in answer.content.decode() and "Name the law or the court." in answer.content.decode()
        )
        with pytest.raises(DatabaseError), transaction.atomic():
            Demand.objects.create(
                number="2",
                body="B",
                provision="s. 1",
                day=today(),
                recorded_by=officer,
                at=now(),
                hidden_until=far,
                hidden_by="An order",
            )

    def test_is_nobody_else(self, refused: Application) -> None:
        stranger = at_the_desk(story.a_person())
        assert stranger.get(reverse("portal:demands", args=[refused.reference])).status_code == 404


def test_the_public_reads_how_many(officer: User, client: Client) -> None:
    recorded(officer, is_bulk=True)
    page = client.get(reverse("portal:service_status")).content.decode()
    assert "Refused because they asked for more than one file" in page


def test_the_pages_work_from_recording_to_agreeing(officer: User, second: User, refused: Application) -> None:
    desk = at_the_desk(officer)
    given = {"number": "1", "body": "A Tribunal", "provision": "s. 34", "day": today().isoformat()}
    place = desk.post(
        reverse("demand:new"), given | {"signed_by": "Its registrar", "wanted": "Who.", "how_many": "one"}
    )["Location"]
    assert refused.reference in desk.post(f"{place}file/", {"asked": refused.reference}).content.decode()
    assert desk.post(f"{place}answer/", {"outcome": "in_part"}).status_code == 422
    desk.post(f"{place}answer/", {"outcome": "in_part", "answer": "The day."})
    assert "I agree that this is given" not in desk.get(place).content.decode()
    other = at_the_desk(second)
    assert "I agree that this is given" in other.get(place).content.decode()
    other.post(f"{place}agree/")
    assert Demand.objects.get().agreed_by == second
    assert "Given in part" in desk.get(reverse("demand:ledger")).content.decode()
