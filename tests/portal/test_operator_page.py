"""The operator's home: which edition its network has, and what to do when it is not the register's."""

import ipaddress
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.address import directory
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.vault import keys
from tests import urdu
from tests.builders import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(settings: Any, tmp_path: Path) -> Path:
    keys.make_missing(Path(settings.DATA) / "keys")
    shutil.copytree(settings.DATA / "keys", tmp_path / "data" / "keys")
    settings.DATA = tmp_path / "data"
    return tmp_path / "offline"


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def desk(feed: Path) -> User:
    return story.an_operator("sample-fibre", "Sample Fibre")


def page_of(user: User, language: str = "en") -> str:
    people.set_language(user=user, language=language)
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("portal:operator"))
    assert answer.status_code == 200
    return answer.text


class TestOperatorHome:
    def test_of_a_network_that_never_reported(self, desk: User, feed: Path) -> None:
        story.published(feed)
        page = page_of(desk)
        assert "We have not heard from your network yet" in page
        assert "Your agent has not told us yet" in page

    def test_of_a_network_in_step(self, desk: User, feed: Path) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre")
        page = page_of(desk)
        assert "Your network is up to date" in page
        assert "<bdi>North gateway</bdi>" in page
        assert "The last editions" in page

    @pytest.mark.parametrize(("loaded", "said"), [(0, "0 of 0"), (20, "0 of the editions, 20 beside them")])
    def test_tells_what_a_point_has_beside_the_editions(self, desk: User, feed: Path, loaded: int, said: str) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre", loaded=loaded)
        page = page_of(desk)
        assert said in page
        assert ("your agent holds them back" in page) == (loaded > 0)

    def test_says_once_what_was_published_at_one_moment(self, desk: User, feed: Path) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre")
        assert "changing addresses" not in page_of(desk)
        story.in_force_at("sample-fibre", role="feed-dynamic")
        page = page_of(desk)
        assert "Fixed addresses 0, changing addresses 0</th>" in page
        assert page.count("ixed addresses 0") == 1

    def test_of_a_network_with_a_point_that_did_not_load(self, desk: User, feed: Path) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre", ok=False)
        page = page_of(desk)
        assert "One point of your network is not complete" in page
        assert "Not loaded" in page

    def test_of_a_network_with_another_list(self, desk: User, feed: Path) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre", digest="0" * 64)
        assert "has a different list from the register" in page_of(desk)

    def test_counts_the_editions_that_are_missing(self, desk: User, feed: Path) -> None:
        story.published(feed)
        story.in_force_at("sample-fibre")
        story.a_granted_application(story.a_person())
        story.published(feed)
        assert "The network is behind by 1 edition." in page_of(desk)

    def test_names_no_holder(self, desk: User, feed: Path) -> None:
        holder = story.a_person()
        registration = story.registration_of(story.a_granted_application(holder))
        story.published(feed)
        story.in_force_at("sample-fibre")
        page = page_of(desk)
        assert registration.reference not in page
        assert holder.name not in page

    def test_is_for_operators_only(self, desk: User) -> None:
        client = Client()
        assert client.get(reverse("portal:operator"))["Location"].startswith(reverse("account_login"))
        client.force_login(story.a_person())
        assert client.get(reverse("portal:operator")).status_code == 403

    def test_is_the_home_of_its_people(self, desk: User) -> None:
        client = Client()
        client.force_login(desk)
        assert client.get(reverse("portal:home"))["Location"] == reverse("portal:operator")

    @pytest.mark.parametrize("state", ["never", "in_sync", "incomplete", "drift"])
    def test_is_sound_in_urdu(self, desk: User, feed: Path, state: str) -> None:
        story.published(feed)
        if state != "never":
            story.in_force_at("sample-fibre", ok=state != "incomplete", digest="0" * 64 if state == "drift" else None)
        page = page_of(desk, "ur")
        assert urdu.page_problems(page) == []
        assert page.count("<h1") == 1
