"""Addresses that went silent, for those who run the register: a page for monitoring, and a line of the doctor."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.dyndns import hosts, metrics, queries
from rahdari.ops import checks
from rahdari.ops.dyndns import check_rows
from tests.builders import connections as story

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def shown(now: dt.datetime) -> dict[str, int]:
    page = metrics.exposition(now=now)
    states = ("reporting", "silent", "off", "paused")
    return {state: int(float(page.split(f'{{state="{state}"}} ')[1].split("\n")[0])) for state in states}


def counted(**given: int) -> dict[str, int]:
    return {"reporting": 0, "silent": 0, "off": 0, "paused": 0} | given


class TestMetrics:
    def test_follow_a_connection_from_reported_to_silent_to_off_and_back(self) -> None:
        connection, now = story.a_connection("203.0.113.140"), timezone.now()
        assert shown(now) == counted(reporting=1)
        silent = now + 27 * dt.timedelta(hours=1)
        workflow.advance(now=silent)
        assert shown(silent) == counted(silent=1)
        age = float(metrics.exposition(now=silent).rsplit("rahdari_dyndns_last_report_seconds ", 1)[1])
        assert 27 * 3600 <= age < 28 * 3600
        off = now + 5 * DAY
        workflow.advance(now=off)
        assert shown(off) == counted(off=1)
        story.report(connection.host, "203.0.113.141", now=off)
        assert shown(off) == counted(reporting=1)

    def test_of_a_paused_connection_say_so(self) -> None:
        connection, now = story.a_connection("203.0.113.142"), timezone.now()
        hosts.pause(host=connection.host, until=now + 30 * DAY, actor="person:1", now=now)
        assert shown(now + 2 * DAY) == counted(paused=1)

    def test_are_told_to_this_machine_alone_and_name_no_address(self) -> None:
        story.a_connection("203.0.113.143")
        page = Client().get(reverse("dyndns:metrics")).content.decode()
        assert 'rahdari_dyndns_connections{state="reporting"} 1' in page and "203.0.113" not in page
        assert Client().get(reverse("dyndns:metrics"), headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404


class TestDoctor:
    def test_says_nothing_where_there_are_none(self) -> None:
        assert list(check_rows()) == []

    def test_notes_one_that_is_silent_and_finds_most_of_many_wrong(self) -> None:
        for last in range(144, 149):
            story.a_connection(f"203.0.113.{last}")
        (found,) = check_rows()
        assert (found.state, found.text) == (checks.OK, "5 of 5 are reported")
        for count, state in ((1, checks.NOTE), (3, checks.WRONG)):
            for reported in [
                reported
                for host in queries.DynamicHost.objects.order_by("pk")[:count]
                for reported in queries.reported_addresses_of(host)
            ]:
                reported.until = timezone.now() - DAY
                reported.save()
            (found,) = check_rows()
            assert found.state == state and f"{count} fell silent" in found.text
        assert "/nic/update" in found.text
