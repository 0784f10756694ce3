"""A stopped `rahdari watch run` slows nothing else: nothing that waits for it stands in anybody's way."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rahdari import workflow
from rahdari.watch import consents
from rahdari.watch.models import Consent

from .places import agreed

pytestmark = pytest.mark.django_db


def test_a_round_of_the_workflow_costs_the_same_however_many_wait_to_be_measured() -> None:
    now = timezone.now()
    agreed(now=now)
    rounds = workflow.Rounds()

    def cost(at: dt.datetime) -> int:
        with CaptureQueriesContext(connection) as asked:
            workflow.advance(now=at, rounds=rounds)
        return len(asked)

    cost(now)
    one = cost(now + dt.timedelta(seconds=1))
    for n in range(30, 40):
        agreed(f"203.0.113.{n}", now=now)
    # Entered anew, they are the workflow's own business for one round.
    cost(now + dt.timedelta(seconds=2))
    assert cost(now + dt.timedelta(seconds=3)) == one


def test_consent_is_given_and_taken_back_without_it() -> None:
    consent = agreed()
    assert consents.withdraw(feed_id=consent.feed_id, actor="user:sample", now=timezone.now())
    assert not Consent.objects.filter(withdrawn_at=None).exists()
