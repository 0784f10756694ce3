"""An organisation's own page: what it has, where that is in force, what ends, what waits for whom."""

import csv
import datetime as dt
import io
import ipaddress
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone

from rahdari.applicant.registration_status import addresses_of
from rahdari.decide import ending
from rahdari.publish import queries as publish
from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import NewEntry
from tests import urdu
from tests.builders import story

from .test_branches import NORTH, north
from .test_roles import ADDRESSES, PAPERS, SEE, World

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


def page(world: World, view: str = "") -> str:
    return reverse("portal:organisation", args=[world.company.pk]) + (f"?view={view}" if view else "")


def one_more(world: World, host: int, until: dt.datetime, addresses: int = 1) -> Registration:
    now = timezone.now()
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=world.company.holder_ref,
        category="vpn_company",
        endpoints=[
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(f"203.0.113.{host + each}"), "udp", 51820, 64500)
            for each in range(addresses)
        ],
        valid_from=now - 300 * DAY,
        valid_until=until,
        actor="system:test",
        now=now,
    )


class TestThePage:
    def test_is_seen_by_role_and_each_role_sees_what_it_may(self, world: World) -> None:
        assert world.who_reaches(page(world)) == SEE
        assert world.who_reaches(reverse("portal:organisation_list", args=[world.company.pk])) == SEE
        for role in SEE:
            shown = world.browser(role).get(page(world)).text
            assert (reverse("fees:invoices") in shown) == (role in PAPERS)
            assert ("?view=applications" in shown) == (role in PAPERS)
            assert world.draft.reference not in shown or role in ADDRESSES
        drafts = world.browser("owner").get(page(world, "applications")).text
        assert world.draft.reference in drafts and "Not sent yet" in drafts
        assert "Agents" in world.browser("owner").get(page(world)).text

    def test_says_what_is_in_force_and_what_is_not(self, world: World, tmp_path: Path) -> None:
        ends = timezone.now() + 20 * DAY
        first, second = world.registration.reference, one_more(world, 10, ends, addresses=2)
        browser = world.browser("owner")
        before = browser.get(page(world)).text
        assert "0 of 3 addresses are in force at every operator" in before and "Goes to operators now" in before
        story.an_operator("sample-fibre", "Sample Fibre")
        story.published(tmp_path)
        story.in_force_at("sample-fibre")
        after = browser.get(page(world)).text
        assert "In force at 1 of 1 operator" in after
        groups = {each: list(each.entries.all()) for each in Registration.objects.all()} | {"none": []}
        assert publish.standings_of(groups) == {key: publish.standing_of(group) for key, group in groups.items()}
        row = {each: f'<a href="{reverse("portal:registration", args=[each])}">' for each in (first, second.reference)}
        soon, waits = (browser.get(page(world, view)).text for view in ("soon", "not_in_force"))
        assert row[second.reference] in soon and row[first] not in soon
        assert row[second.reference] not in waits
        renew = reverse("portal:renew", args=[second.reference])
        assert renew in after and renew not in world.browser("viewer").get(page(world)).text

    def test_of_one_that_has_nothing_says_how_to_begin(self, world: World) -> None:
        register.strike_out(registration=world.registration, code="S4", actor="person:1", now=timezone.now())
        shown = world.browser("owner").get(page(world, "nonsense")).text
        assert "You have nothing registered now" in shown and world.registration.reference not in shown
        assert reverse("apply:start") in shown
        assert "Add your branches" in shown
        assert reverse("apply:start") not in world.browser("viewer").get(page(world)).text.split("<main")[1]

    def test_counts_an_address_with_two_services_once_and_one_that_was_left_not_at_all(self, world: World) -> None:
        now = timezone.now()
        registration = one_more(world, 10, now + 90 * DAY, addresses=2)
        both = [
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network("203.0.113.50"), protocol, 1194, 64500)
            for protocol in ("udp", "tcp")
        ]
        two = register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=world.company.holder_ref,
            category="vpn_company",
            endpoints=both,
            valid_from=now,
            valid_until=now + 90 * DAY,
            actor="system:test",
            now=now,
        )
        assert addresses_of(two) == 1
        left = registration.entries.order_by("block").first()
        left.valid_until = now + DAY
        left.save()
        browser = world.browser("owner")
        # One of the world, one that stays of the two, and one with two services.
        assert "0 of 3 addresses are in force" in browser.get(page(world)).text
        table = browser.get(reverse("portal:organisation_list", args=[world.company.pk])).text
        assert [row.rsplit(",", 1)[1] for row in table.splitlines() if "203.0.113.10," in row] == ["Left by the holder"]

    def test_of_one_whose_registration_has_just_ended_says_how_to_undo_it(self, world: World) -> None:
        ending.end(registration=world.registration, actor="person:1", now=timezone.now())
        shown = world.browser("owner").get(page(world)).text
        assert "You have nothing registered now" in shown and "nothing registered yet" not in shown
        assert "It has ended. You can undo that" in shown
        assert reverse("portal:registration", args=[world.registration.reference]) in shown

    def test_counts_all_that_is_valid_however_much_has_ended_since(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = one_more(world, 10, timezone.now() + 20 * DAY)
        register.strike_out(registration=ended, code="X1", actor="person:1", now=timezone.now())
        one_more(world, 12, timezone.now() + 20 * DAY)
        monkeypatch.setattr("rahdari.portal.applicant.organisation.MOST", 1)
        assert "0 of 2 addresses are in force" in world.browser("owner").get(page(world)).text
        table = world.browser("owner").get(reverse("portal:organisation_list", args=[world.company.pk])).text
        assert len(table.strip().splitlines()) == 3

    def test_shows_what_rests_and_counts_it_as_in_force_nowhere(self, world: World, tmp_path: Path) -> None:
        second = one_more(world, 10, timezone.now() + 20 * DAY)
        story.an_operator("sample-fibre", "Sample Fibre")
        story.published(tmp_path)
        story.in_force_at("sample-fibre")
        now = timezone.now()
        ending.pause(registration=world.registration, days=7, actor="person:1", now=now)
        pausing.suspend(registration=second, code="S4", actor="officer:1", now=now)
        story.published(tmp_path)
        story.in_force_at("sample-fibre")
        browser = world.browser("owner")
        shown = browser.get(page(world)).text
        assert "Paused by the holder" in shown and "Suspended" in shown and "In force at" not in shown
        assert "0 of 2 addresses are in force at every operator" in shown
        assert reverse("portal:renew", args=[second.reference]) not in shown
        table = browser.get(reverse("portal:organisation_list", args=[world.company.pk])).content.decode("utf-8-sig")
        assert sorted(row.rsplit(",", 2)[1:] for row in table.split("\r\n")[1:] if row) == [
            ["0/0", "Paused by the holder"],
            ["0/0", "Suspended"],
        ]

    def test_in_urdu(self, world: World) -> None:
        one_more(world, 10, timezone.now() + 20 * DAY)
        browser = world.browser("owner")
        browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        for view in ("all", "applications", "soon"):
            assert urdu.page_problems(browser.get(page(world, view)).text) == []

    def test_asks_no_more_for_many_registrations(self, world: World, django_assert_max_num_queries: Any) -> None:
        browser = world.browser("owner")
        browser.get(page(world))
        for host in range(20, 40):
            one_more(world, host, timezone.now() + 90 * DAY)
        with django_assert_max_num_queries(42):
            assert browser.get(page(world)).status_code == 200


class TestTheList:
    def test_has_every_address_with_its_branch(self, world: World) -> None:
        assert NORTH and north(world)
        one_more(world, 10, timezone.now() + 20 * DAY, addresses=3)
        Entry.objects.update(valid_until=timezone.now() + 500 * DAY)  # with the grace
        answer = world.browser("viewer").get(reverse("portal:organisation_list", args=[world.company.pk]))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = answer.content.decode("utf-8-sig").split("\r\n")
        assert rows[0].startswith("Registration,Address,Protocol,Port")
        assert len([row for row in rows[1:] if row]) == 4
        assert any("203.0.113.11,udp,51820" in row for row in rows)
        # The term, as on every page, and not the end of the grace.
        ends = {timezone.localtime(each.valid_until).date().isoformat() for each in Registration.objects.all()}
        assert {row["Valid until"] for row in csv.DictReader(io.StringIO("\n".join(rows)))} == ends
