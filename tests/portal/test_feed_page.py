"""The officer's page of the feed: what is held, who may let it go, and how operators stand."""

import ipaddress
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.address import directory
from rahdari.journal import queries as journal
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.publish import holds
from rahdari.publish.models import RemovalHold
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.vault import keys
from tests import urdu
from tests.builders import story
from tests.builders.publishing import entered

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def feed(settings: Any, tmp_path: Path) -> Iterator[Path]:
    keys.make_missing(Path(settings.DATA) / "keys")
    shutil.copytree(settings.DATA / "keys", tmp_path / "data" / "keys")
    settings.DATA = tmp_path / "data"
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield tmp_path / "offline"
    directory.configure(None)


@pytest.fixture
def officers() -> tuple[User, User]:
    return story.an_officer(), story.an_officer()


@pytest.fixture
def hold(feed: Path, officers: tuple[User, User]) -> RemovalHold:
    """The first officer struck out most of what one operator gets."""
    now = timezone.now()
    story.an_operator("sample-fibre", "Sample Fibre")
    found: list[Registration] = [entered(f"203.0.113.{number}/32", now=now) for number in range(25)]
    story.published(feed)
    for each in found[:22]:
        register.strike_out(registration=each, code="S1", actor=f"officer:{officers[0].pk}", now=now)
    story.published(feed)
    return holds.open_holds().get()


def client_of(user: User, language: str = "en") -> Client:
    people.set_language(user=user, language=language)
    client = Client()
    client.force_login(user)
    return client


def decide(user: User, hold: RemovalHold, decision: str, reason: str = "The company has closed.") -> Any:
    place = reverse("portal:hold", kwargs={"hold": hold.pk})
    return client_of(user).post(place, {"decision": decision, "reason": reason}, follow=True)


class TestFeedPage:
    def test_without_operators(self, officers: tuple[User, User]) -> None:
        page = client_of(officers[0]).get(reverse("portal:feed")).text
        assert "No operator follows the feed yet" in page

    def test_shows_each_operator_and_how_it_stands(self, feed: Path, officers: tuple[User, User]) -> None:
        story.an_operator("sample-fibre", "Sample Fibre")
        story.published(feed)
        page = client_of(officers[0]).get(reverse("portal:feed")).text
        assert "1 operator is not up to date" in page and "Not heard from yet" in page
        story.in_force_at("sample-fibre")
        page = client_of(officers[0]).get(reverse("portal:feed")).text
        assert "All operators are up to date" in page

    def test_asks_a_second_officer_and_not_the_first(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        first, second = (client_of(officer).get(reverse("portal:feed")).text for officer in officers)
        for page in (first, second):
            assert "1 removal of many entries waits for a second officer" in page
            assert "22 of 25 entries were to be removed at once" in page
            assert "22 registrations were struck out by" in page
        assert "so a second officer decides" in first and 'value="approve"' not in first
        assert 'value="approve"' in second and 'value="cancel"' in second

    @pytest.mark.parametrize("state", ["waiting", "approved", "cancelled"])
    def test_is_sound_in_urdu(self, hold: RemovalHold, officers: tuple[User, User], state: str) -> None:
        now = timezone.now()
        if state == "approved":
            holds.approve_hold(hold=hold, actor="officer:2", reason="درست ہے", now=now)
        if state == "cancelled":
            holds.cancel_hold(hold=hold, actor="officer:2", reason="غلط فہرست", now=now)
        for officer in officers:
            page = client_of(officer, "ur").get(reverse("portal:feed")).text
            assert urdu.page_problems(page) == []


class TestDecideHold:
    def test_lets_them_go_for_a_second_officer(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        answer = decide(officers[1], hold, "approve")
        assert "The entries are removed when the waiting period ends." in answer.text
        row = journal.about(f"hold:{hold.pk}")[0]
        assert (row.act, row.actor, row.reason) == (
            "publish.hold_approved",
            f"officer:{officers[1].pk}",
            "The company has closed.",
        )

    def test_does_not_for_who_ended_them_whatever_is_sent(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        assert "You ended some of these yourself" in decide(officers[0], hold, "approve").text
        assert holds.open_holds().get().state == "waiting"

    def test_keeps_them_and_asks_again(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        assert "stay in the feed until their own term ends" in decide(officers[0], hold, "cancel").text
        assert "now wait for another officer" in decide(officers[1], hold, "reopen").text
        assert "You ended some of these" in decide(officers[1], hold, "approve").text

    def test_needs_a_decision_and_a_reason(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        for given in ({}, {"decision": "approve"}, {"reason": "Yes."}, {"decision": "burn", "reason": "Yes."}):
            place = reverse("portal:hold", kwargs={"hold": hold.pk})
            answer = client_of(officers[1]).post(place, given)
            assert answer.status_code == 422 and 'class="err"' in answer.text
        assert holds.open_holds().get().state == "waiting"

    def test_says_when_another_was_quicker(self, hold: RemovalHold, officers: tuple[User, User]) -> None:
        decide(officers[1], hold, "cancel")
        assert "Another officer has decided this" in decide(officers[1], hold, "cancel").text

    def test_of_no_hold_is_no_page(self, officers: tuple[User, User]) -> None:
        place = reverse("portal:hold", kwargs={"hold": uuid.uuid4()})
        assert client_of(officers[0]).post(place, {"decision": "approve", "reason": "x"}).status_code == 404
