"""What the public reads of complaints: the figures of a month, and nothing of one of them."""

import datetime as dt

import pytest
from django.urls import reverse

from rahdari.complaint import actions, queries
from rahdari.complaint.models import Complaint
from rahdari.figures import counting
from rahdari.people.models import User

from .test_pages import visitor

pytestmark = pytest.mark.django_db
OURS = ("complaints", "complaints_misuse", "complaints_in_time")


def test_figures_count_each_complaint_once_by_what_came_of_it(officer: User) -> None:
    month = dt.date(2026, 9, 1)
    at = dt.datetime(2026, 9, 10, 12, tzinfo=dt.UTC)
    before = counting.count(month, OURS).numbers
    for number in range(5):
        given = {"kind": "misuse", "about": "sold_on", "target": f"RD-{number}", "words": "x", "language": "en"}
        actions.send(id=Complaint().pk, now=at, **given)
    actions.look_up(now=at)
    for number, each in enumerate(queries.open_complaints()):
        outcome = "malicious" if number < 2 else "not_founded"
        actions.decide(complaint=each, officer=officer, outcome=outcome, why="x", now=at + dt.timedelta(days=3))
    found = counting.count(month, OURS).numbers
    grown = {id: {part: found[id][part] - before[id][part] for part in found[id]} for id in OURS}
    assert grown["complaints"] == {"misuse": 5, "correction": 0}
    assert grown["complaints_misuse"] == {"founded": 0, "not_founded": 3, "nothing_registered": 0, "malicious": 2}
    assert grown["complaints_in_time"] == {"in_time": 5, "late": 0}


def test_the_page_of_the_service_leads_to_them() -> None:
    page = visitor().get(reverse("portal:service_status")).text
    assert f'href="{reverse("figures:figures")}"' in page and "The time to decide one is" in page
