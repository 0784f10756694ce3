"""Campaigns through PostgreSQL: what begins, what ends, what is counted, and what the database lets nobody write."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from rahdari.apply import sending
from rahdari.invite import actions, queries
from rahdari.invite.models import Campaign
from rahdari.invite.rules import Cannot, End, Inviter, Whom, Why
from rahdari.journal.models import JournalEntry
from tests.builders import story

pytestmark = pytest.mark.django_db
BODY = Inviter("association:sample-software-houses", "Sample Association", (Whom.MEMBERS, Whom.STAFF))


def a_campaign(whom: Whom = Whom.MEMBERS, **more: Any) -> Campaign:
    facts: dict[str, Any] = {"inviter": BODY, "whom": whom, "links": 30, "days": 14, "terms": queries.terms()}
    return actions.begin(**facts | {"actor": "person:test", "now": timezone.now()} | more)


def at_its_end(campaign: Campaign) -> Campaign:
    actions.end(now=campaign.ends_at)
    campaign.refresh_from_db()
    return campaign


def acts_of(campaign: Campaign) -> list[tuple[str, Any]]:
    rows = JournalEntry.objects.filter(subject=str(campaign)).order_by("id")
    return [(row.act, row.detail) for row in rows]


class TestBegin:
    def test_is_bounded_for_a_body_and_not_for_another(self) -> None:
        for _ in range(3):
            a_campaign()
        with pytest.raises(actions.MayNotInvite) as refused:
            a_campaign()
        assert refused.value.why == Cannot.TOO_MANY_OPEN
        a_campaign(inviter=Inviter("association:other", "Other", (Whom.MEMBERS,)))

    def test_gives_links_that_are_stored_nowhere_and_open_this_campaign_alone(self) -> None:
        one, other = a_campaign(), a_campaign()
        tokens = dict(queries.tokens_of(one))
        assert len(set(tokens.values())) == 30
        assert queries.opened_by(one.pk, 7, tokens[7]) == one
        assert queries.opened_by(one.pk, 8, tokens[7]) is None
        assert queries.opened_by(other.pk, 7, tokens[7]) is None
        assert queries.opened_by(one.pk, 31, queries.token_of(one.pk, 31)) is None
        kept = [str(value) for row in Campaign.objects.values() for value in row.values()]
        assert not any(token in value for token in tokens.values() for value in kept)


class TestCount:
    def test_tells_one_number_at_the_end_and_keeps_none(self) -> None:
        campaign = a_campaign()
        now = timezone.now()
        assert all(actions.count(campaign.pk, now) for _ in range(23))
        ended = at_its_end(campaign)
        assert (ended.end, ended.told, ended.finished) == (End.OVER, 25, None)
        assert actions.count(campaign.pk, campaign.ends_at) is False
        assert actions.end(now=campaign.ends_at) == 0

    def test_tells_nothing_below_twenty(self) -> None:
        campaign = a_campaign()
        for _ in range(19):
            actions.count(campaign.pk, timezone.now())
        assert at_its_end(campaign).told is None

    def test_counts_nobody_of_staff(self) -> None:
        campaign = a_campaign(Whom.STAFF)
        assert not any(actions.count(campaign.pk, timezone.now()) for _ in range(30))
        assert at_its_end(campaign).told is None

    def test_of_nothing_that_is_there_counts_nothing(self) -> None:
        assert actions.count(uuid.uuid4(), timezone.now()) is False


class TestAStolenList:
    def test_ends_at_once_with_a_reason_and_tells_no_number(self) -> None:
        campaign = a_campaign()
        for _ in range(25):
            actions.count(campaign.pk, timezone.now())
        actions.withdraw(campaign=campaign, why=Why.LIST, actor="officer:1", now=timezone.now())
        campaign.refresh_from_db()
        assert (campaign.end, campaign.why, campaign.told, campaign.finished) == ("withdrawn", "list", None, None)
        assert not queries.runs(campaign, timezone.now())
        assert actions.count(campaign.pk, timezone.now()) is False
        assert acts_of(campaign) == [("invite.began", {"links": 30}), ("invite.withdrawn", {"why": "list"})]
        with pytest.raises(actions.HasEnded):
            actions.stop(campaign=campaign, actor="person:test", now=timezone.now())

    def test_has_nobody_to_write_to(self) -> None:
        """No column of this room holds an address, and no act of it writes a letter."""
        columns = {field.name for model in apps.get_app_config("invite").get_models() for field in model._meta.fields}
        assert columns == {
            *("id", "inviter", "name", "whom", "links", "begun_at", "ends_at"),
            *("end", "ended_at", "why", "finished", "told"),
        }


def test_a_campaign_that_was_stopped_tells_no_number() -> None:
    campaign = a_campaign()
    for _ in range(25):
        actions.count(campaign.pk, timezone.now())
    assert actions.stop(campaign=campaign, actor="person:test", now=timezone.now()).told is None


def test_nothing_in_the_database_leads_from_or_to_an_invitation() -> None:
    """Neither a key to a campaign nor one from it: what was sent by a link cannot be found by it."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            related = getattr(field, "related_model", None)
            if related is not None and "invite" in {
                model._meta.app_label,
                getattr(related, "_meta", model._meta).app_label,
            }:
                pytest.fail(f"{model.__name__}.{field.name} leads to {related.__name__}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"told": 20},
        {"end": End.OVER, "ended_at": timezone.now(), "finished": None, "told": 15},
        {"end": End.OVER, "ended_at": timezone.now(), "finished": None, "told": 22},
        {"end": End.STOPPED, "ended_at": timezone.now(), "finished": None, "told": 25},
        {"end": End.OVER, "ended_at": timezone.now(), "finished": None, "told": 25, "whom": Whom.STAFF},
        {"end": End.OVER, "ended_at": timezone.now(), "finished": 3},
        {"end": End.WITHDRAWN, "ended_at": timezone.now(), "finished": None},
        {"whom": Whom.STAFF, "finished": 1},
        {"links": 20_001},
        {"ends_at": timezone.now() - dt.timedelta(days=1)},
    ],
)
def test_the_database_refuses(wrong: dict[str, Any]) -> None:
    campaign = a_campaign()
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**wrong)


def test_an_application_that_is_not_sent_is_not_counted() -> None:
    """The count is of the transaction that sends: what fails in it leaves no trace, and the other way round."""
    campaign, draft = a_campaign(), story.a_full_draft(story.a_person())

    def count_and_fail() -> None:
        assert actions.count(campaign.pk, timezone.now())
        raise RuntimeError

    facts: dict[str, Any] = {"application": draft, "policy": story.policy.current(None), "actor": "person:test"}
    with pytest.raises(RuntimeError):
        sending.submit_application(**facts, now=timezone.now(), besides=count_and_fail)
    campaign.refresh_from_db()
    draft.refresh_from_db()
    assert (campaign.finished, draft.submitted_at) == (0, None)
