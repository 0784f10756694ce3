"""The public page of connections: what is shown of days, disruptions and work, and what is in none of its forms."""

import csv
import datetime as dt
import io
import json
import uuid
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Reason, State
from rahdari.maintenance.models import Wording, Work
from rahdari.maintenance.rules import Reason as WorkReason
from rahdari.maintenance.rules import State as WorkState
from rahdari.maintenance.rules import wording_key
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.publish.models import Operator
from rahdari.watch.models import Day
from rahdari.web import values
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator, entered
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db

HERE = "/status/connections/"
FORMS = ("", "rss.xml", "days.csv", "operators.csv", "difference.json", "api/v2/summary.json")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def operator() -> Operator:
    return an_operator(name="Sample Fibre")


def asked(form: str = "", **headers: Any) -> str:
    answer = Client().get(HERE + form, **headers)
    assert answer.status_code == 200, form
    return str(answer.content.decode())


def disruption(holders: int, *, began: dt.timedelta, **now: Any) -> Incident:
    """One in which this many holders reported the same block, and what it is now."""
    at = timezone.now() - began
    with known_networks():
        found = [entered(f"203.0.113.{10 * holders + n}/32", now=at - DAY, holder=uuid.uuid4()) for n in range(holders)]
        first = a_report(found[0], at)
    for each in found[1:]:
        copy = Report.objects.get(pk=first.pk)
        copy.pk, copy.holder, copy.registration, copy.subject = uuid.uuid4(), each.holder, each, f"entry:{each.pk}"
        copy.save(force_insert=True)
    Incident.objects.filter(pk=first.incident_id).update(**now)
    return Incident.objects.get(pk=first.incident_id)


def work(operator: Operator | None, *, starts: dt.timedelta, state: WorkState = WorkState.ANNOUNCED) -> Work:
    now = timezone.now()
    text = "New gateway for 203.0.113.44"
    wording = None
    if operator is not None:
        facts = {"text_en": text, "written_at": now}
        wording, _ = Wording.objects.get_or_create(operator=operator, key=wording_key(text, ""), defaults=facts)
    return Work.objects.create(
        operator=operator,
        wording=wording,
        state=state,
        starts_at=now + starts,
        ends_at=now + starts + 2 * HOUR,
        reason=WorkReason.UPGRADE,
        text_en=text,
        made_at=now,
        version=0,
        announced_at=now - DAY,
        told_at=now - DAY,
        ended_at=now + HOUR if state in {WorkState.COMPLETED, WorkState.CANCELLED} else None,
    )


def summary() -> Any:
    return json.loads(asked("api/v2/summary.json"))


def test_without_anything_says_so_and_promises_nothing(operator: Operator) -> None:
    page = asked()
    assert "No disruption of 3 or more holders is known" in page and "Too few to say" in page
    assert "None of 3 or more holders in this time." in page and "None in this time." in page
    assert summary()["status"]["indicator"] == "none"
    # Of whom nothing was counted nobody says that all is well.
    assert summary()["components"] == []
    assert "Times are those of" in page and "Asia/Karachi, UTC+5" in page
    assert list(csv.reader(io.StringIO(asked("days.csv")))) == [
        ["date", "operator", "endpoints_rounded_to_5", "reached_percent"]
    ]
    assert ElementTree.fromstring(asked("rss.xml")).findall("channel/item") == []


def test_shows_each_day_that_was_counted_of_enough(operator: Operator) -> None:
    today = timezone.localdate()
    for back, reached in ((3, 1000), (2, 860), (1, None)):
        endpoints = 0 if reached is None else 25
        Day.objects.create(date=today - back * DAY, group="sample-fibre", endpoints=endpoints, reached=reached)
    page = asked()
    assert page.count('class="b-bad"') == 1 and "93.0 percent of the time" in page and ", 86.0 percent" in page
    assert [each["status"] for each in summary()["components"]] == ["operational"]
    rows = list(csv.DictReader(io.StringIO(asked("days.csv"))))
    assert [(row["operator"], row["endpoints_rounded_to_5"], row["reached_percent"]) for row in rows] == [
        ("sample-fibre", "25", "100.0"), ("sample-fibre", "25", "86.0"),
    ]  # fmt: skip


def test_names_the_operator_of_a_disruption_that_hit_three_holders_and_of_no_smaller_one(operator: Operator) -> None:
    small = disruption(2, began=5 * HOUR)
    assert "No disruption of 3 or more holders is known" in asked()
    assert all(small.reference not in asked(form) and "Fibre were cut" not in asked(form) for form in FORMS)
    Incident.objects.filter(pk=small.pk).update(state=State.FALSE_ALARM, ended_at=timezone.now())
    large = disruption(3, began=HOUR, reason=Reason.FILTER_TOO_WIDE)
    page = asked()
    assert "<h1>Registered connections are cut</h1>" in page and "A filter is too wide" in page
    (item,) = ElementTree.fromstring(asked("rss.xml")).findall("channel/item")
    said = item.findtext("description") or ""
    assert large.reference in (item.findtext("link") or "")
    assert values.moment(large.began_at) in said and "UTC+5" in said and "today" not in said
    told = summary()
    assert told["status"]["indicator"] == "major" and told["components"][0]["status"] == "partial_outage"
    (incident,) = told["incidents"]
    assert (incident["status"], incident["cause"], incident["resolved_at"]) == ("identified", "filter_too_wide", None)
    over = {"state": State.CLOSED_BY_ITSELF, "back_at": timezone.now() - HOUR / 2, "ended_at": timezone.now()}
    Incident.objects.filter(pk=large.pk).update(**over)
    page = asked()
    assert "No disruption of 3 or more holders is known" in page and "30 min" in page
    assert summary()["incidents"][0]["status"] == "resolved"


def test_leads_to_no_endpoint_and_no_holder(operator: Operator) -> None:
    disruption(3, began=HOUR)
    work(operator, starts=DAY)
    for form in FORMS:
        said = asked(form)
        assert not [word for word in ("203.0.113", "Freelancer", "RD-", "gateway for") if word in said], form


def test_marks_announced_work(operator: Operator) -> None:
    running = work(operator, starts=-HOUR, state=WorkState.STARTED)
    work(None, starts=2 * DAY)
    Work.objects.create(operator=operator, made_at=timezone.now(), reason=WorkReason.UPGRADE)
    told = summary()
    assert [each["status"] for each in told["scheduled_maintenances"]] == ["scheduled", "in_progress"]
    assert told["components"][0]["status"] == "under_maintenance" and running.reference in asked()
    items = ElementTree.fromstring(asked("rss.xml")).findall("channel/item")
    assert len(items) == 2
    # Whoever reads it tomorrow reads the same.
    assert all(
        "today" not in each.findtext("description", "") and "UTC+5" in each.findtext("description", "")
        for each in items
    )


@pytest.mark.parametrize("state", [state for state in WorkState if state != WorkState.DRAFT])
def test_says_of_work_how_it_stands_in_every_form(operator: Operator, state: WorkState) -> None:
    one = work(operator, starts=DAY, state=state)
    (told,) = summary()["scheduled_maintenances"]
    words = {"announced": "scheduled", "started": "in_progress", "completed": "completed", "cancelled": "cancelled"}
    assert told["status"] == words[state]
    (item,) = ElementTree.fromstring(asked("rss.xml")).findall("channel/item")
    shown = {"announced": "Announced", "started": "In progress", "completed": "Completed", "cancelled": "Cancelled"}
    assert item.findtext("title") == f"Planned work of Sample Fibre: {shown[state]}" and shown[state] in asked()
    # A reader that has the first word has this one as another.
    at = one.ended_at or one.told_at
    assert at is not None and item.findtext("guid") == f"{one.reference}-{at:%Y%m%d%H%M}"


def kept(operator: Operator) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(asked("operators.csv")))
    assert row["operator"] == operator.slug
    return row


def test_counts_disruptions_that_no_window_announced(operator: Operator) -> None:
    over = {"state": State.CLOSED_BY_ITSELF, "back_at": timezone.now(), "ended_at": timezone.now()}
    announced = disruption(3, began=3 * HOUR, reason=Reason.PLANNED_WORK, work="PW-2222-2222", **over)
    for number, more in enumerate(
        (
            {"reason": Reason.UPSTREAM},  # at another network
            {"reason": Reason.HOLDER_SERVER},
            {"state": State.FALSE_ALARM},
            {"reason": Reason.FAULT},
        )
    ):
        disruption(4 + number, began=2 * HOUR, **(over | more))
    disruption(2, began=HOUR, reason=Reason.FAULT, **over)  # of too few holders
    assert kept(operator)["disruptions"] == "" and "Disruptions outside any window" in asked()
    disruption(8, began=HOUR, work="PW-2222-2222", overran_at=timezone.now(), **over)
    row = kept(operator)
    assert (row["disruptions"], row["disruptions_outside_windows"], row["windows"]) == ("3", "2", "")
    assert "2 of 3" in asked()
    Incident.objects.filter(pk=announced.pk).update(began_at=timezone.now() - 366 * DAY)
    assert kept(operator)["disruptions"] == ""
    user = people_at(operator)
    client = Client()
    client.force_login(user)
    assert "is said from 3 disruptions on" in client.get("/operator/incidents/").text


def people_at(operator: Operator) -> User:
    user = people.register_person(email="desk@sample-fibre.example", now=timezone.now())
    people.appoint(user=user, role=Role.OPERATOR, operator=operator.slug, actor="system:test", now=timezone.now())
    return user


def test_reads_in_urdu(operator: Operator) -> None:
    disruption(3, began=HOUR)
    page = asked(headers={"Accept-Language": "ur"})
    assert 'lang="ur"' in page and "رجسٹرڈ کنکشن کٹے ہوئے ہیں" in page
