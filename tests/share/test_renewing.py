"""An address that two holders share, when one renews and the other one ends: one line of the feed, never a gap, and
nobody's term is moved by somebody else.
"""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.decide import queries as cases
from rahdari.people.models import User
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register import sharing
from rahdari.register.models import Change, CoHolder, Registration
from rahdari.register.rules import published_end
from tests.builders import story
from tests.portal.test_again import ends_in

from .test_sharing import DAY, House, text
from .test_sharing import built as built
from .test_sharing import house as house

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(house: House) -> Registration:
    """Both have the address, and the terms of both end soon."""
    house.ask()
    house.answer("yes")
    found = story.registration_of(house.sent())
    ends_in(house.registration, 20)
    return ends_in(found, 25)


def at_the_address(house: House, person: User) -> Client:
    browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR=house.address)
    browser.force_login(person)
    return browser


def renew(house: House, person: User, registration: Registration, *, there: bool = True) -> Application:
    """By the one button of the page; from the address itself, or from elsewhere, which proves nothing yet."""
    browser = at_the_address(house, person) if there else Client()
    browser.force_login(person)
    page = reverse("portal:renew", args=[registration.reference])
    assert "Everything is still correct: renew" in text(browser, page)
    browser.post(page, {"act": "as_it_is"})
    story.advance()
    return Application.objects.get(about="renewal", applicant=person)


def said() -> list[dict[str, object]]:
    """What the feed says now: the last of each line that is there."""
    last = {change.entry_id: change.snapshot for change in Change.objects.order_by("id")}
    return [snapshot for snapshot in last.values() if snapshot]


def until(registration: Registration) -> dt.datetime:
    """Until when it stays on the register, as the feed tells it."""
    return published_end(entries.fresh(registration).stays_until, "static")


def ends_at(house: House) -> dt.datetime:
    """The one line of the feed. It has been there under the same id from the beginning."""
    [found] = said()
    assert found["id"] == house.registration.entries.get().feed_id
    assert found["prefix"] == f"{house.address}/32"
    return dt.datetime.fromisoformat(str(found["not_after"]))


def own(registration: Registration) -> list[bool]:
    return [entry.ended_at is None for entry in entries.own_entries_of(registration)]


class TestOneRenewsAndTheOtherEnds:
    def test_the_second_renews_in_two_clicks_and_the_first_ends(self, house: House, second: Registration) -> None:
        before = until(house.registration)
        renewal = renew(house, house.second, second)
        assert renewal.status == "granted", "the consent that was given for the first term is enough"
        check = checks.checks_of(renewal.subject).get(kind="not_registered")
        assert (str(check.outcome), check.finding) == ("passed", "shared")
        assert ends_at(house) == until(second) > timezone.now() + 300 * DAY
        assert until(house.registration) == before, "nobody renews for somebody else"

        register.strike_out(registration=house.registration, code="X1", actor="person:1", now=timezone.now())
        story.advance()
        assert ends_at(house) == until(second), "nothing is seen of it in the feed"
        assert (own(house.registration), own(second)) == ([False], [True])

    def test_the_first_renews_and_the_second_ends(self, house: House, second: Registration) -> None:
        assert renew(house, house.first, house.registration).status == "granted"
        assert ends_at(house) == until(house.registration) > timezone.now() + 300 * DAY
        register.strike_out(registration=second, code="X1", actor="person:2", now=timezone.now())
        story.advance()
        assert ends_at(house) == until(house.registration)
        assert house.registration.entries.get().shared is None, "it has the address alone again"
        assert not CoHolder.objects.filter(ended_at=None).exists()

    @pytest.mark.parametrize("first_ends", [True, False])
    def test_the_other_one_s_term_and_grace_run_out(self, house: House, second: Registration, first_ends: bool) -> None:
        """After the longest of both there is one left, and what is said of the line is the end of that one alone."""
        person, stays, goes = house.second, second, house.registration
        if not first_ends:
            person, stays, goes = house.first, house.registration, second
        renew(house, person, stays)
        workflow.advance(now=until(goes) + DAY)
        assert (own(goes), own(stays)) == ([False], [True])
        assert ends_at(house) == until(stays)

    def test_of_two_renewals_the_line_has_the_later_end(self, house: House, second: Registration) -> None:
        renew(house, house.second, second)
        renew(house, house.first, house.registration)
        ends = [until(house.registration), until(second)]
        assert ends_at(house) == max(ends) and ends[0] != ends[1]


class TestARenewalUnderWay:
    """Sent from elsewhere: it waits for the link to be opened at the address."""

    def test_goes_on_when_the_other_one_ends_meanwhile(self, house: House, second: Registration) -> None:
        renewal = renew(house, house.second, second, there=False)
        assert renewal.status == "submitted"
        register.strike_out(registration=house.registration, code="X1", actor="person:1", now=timezone.now())
        story.advance()
        story.prove(applications.endpoints_of(renewal).get())
        story.advance()
        assert story.fresh(renewal).status == "granted"
        assert ends_at(house) == until(second) > timezone.now() + 300 * DAY

    def test_goes_to_an_officer_when_notice_ran_out_meanwhile(self, house: House, second: Registration) -> None:
        """Its part in the address is over, so nothing can be entered again: nobody is told yes and then has
        nothing."""
        renewal = renew(house, house.second, second, there=False)
        sharer = CoHolder.objects.get(holder=house.second.holder_ref)
        sharing.leave(
            sharer=sharer,
            at=timezone.now(),
            withdrawn_by=house.first.holder_ref,
            actor="person:1",
            now=timezone.now(),
        )
        story.advance()
        assert own(second) == [False]
        story.prove(applications.endpoints_of(renewal).get())
        for _ in range(2):
            story.advance()
        assert story.fresh(renewal).status == "submitted"
        case = cases.case_of(renewal)
        assert case is not None and cases.decision_of(case) is None
        assert ends_at(house) == until(house.registration), "the first one is not touched"

    def test_within_notice_is_renewed_and_leaves_on_the_day_of_the_notice(
        self, house: House, second: Registration
    ) -> None:
        sharer = CoHolder.objects.get(holder=house.second.holder_ref)
        leaves = timezone.now() + 10 * DAY
        sharing.leave(
            sharer=sharer, at=leaves, withdrawn_by=house.first.holder_ref, actor="person:1", now=timezone.now()
        )
        assert renew(house, house.second, second).status == "granted"
        workflow.advance(now=leaves)
        assert (own(house.registration), own(second)) == ([True], [False])
        assert ends_at(house) == until(house.registration)
