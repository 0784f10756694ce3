"""What the public reads of complaints: nothing of one of them."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from rahdari.complaint import actions, figures, queries
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import KINDS, Kind, Outcome
from rahdari.people.models import User

from .test_pages import visitor

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


class TestFigures:
    def test_tell_of_no_single_complaint(self, officer: User) -> None:
        now = timezone.now()
        month = figures.months(now)[1] - 20 * DAY
        assert [each.is_shown for each in figures.figures(now)] == [False, False]
        for number in range(23):
            given = {"kind": "misuse", "about": "sold_on", "target": f"RD-{number}", "words": "x", "language": "en"}
            sent = actions.send(id=Complaint().pk, now=month, **given)
        actions.look_up(now=month)
        for number, each in enumerate(queries.open_complaints()):
            outcome = "malicious" if number < 4 else "not_founded"
            actions.decide(complaint=each, officer=officer, outcome=outcome, why="x", now=month + 3 * DAY)
            if number == figures.FEWEST - 2:
                assert not figures.figures(now)[0].is_shown
        told = figures.figures(now)[0]
        assert (told.kind, told.decided, told.anonymous, told.days) == (Kind.MISUSE, 25, 25, 3)
        assert dict(told.outcomes) == dict.fromkeys(KINDS[Kind.MISUSE].outcomes, 0) | {
            Outcome.MALICIOUS: 5,
            Outcome.NOT_FOUNDED: 20,
        }
        page = visitor().get(reverse("portal:service_status")).text
        assert "Sent in order to harm the holder" in page and "Fewer than 20: too few to say more." in page
        assert not figures.figures(now + 400 * DAY)[0].is_shown and sent.is_anonymous
