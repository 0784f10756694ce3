"""The way back: a registration that its holder ended or paused goes on, and what agents have agrees."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from rahdari import policy
from rahdari.applicant.registration_status import may_go_on
from rahdari.apply.models import Application
from rahdari.calendar import queries as calendars
from rahdari.control import queries as proofs
from rahdari.decide import ending
from rahdari.feed import Op
from rahdari.letters import queries as letters
from rahdari.people.models import Organisation, User
from rahdari.policy.corrections import Kind
from rahdari.register import actions as register
from rahdari.register import changes, pausing, queries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import UNDONE_WITHIN
from rahdari.web import values
from tests.builders import story
from tests.builders.people import let_it_be_long_ago, the_newest_code
from tests.calendar.said import in_force

from . import test_holding
from .test_holding import end, entered, last_delta, of_a_company, page_of, signed_in

pytestmark = pytest.mark.django_db
CALENDAR = policy.current(None).calendar
browser, granted, holder = test_holding.browser, test_holding.granted, test_holding.holder
built, registration, the_house = test_holding.built, test_holding.registration, test_holding.the_house


class TestWayBack:
    """An end is undone for 30 days, and a pause ends at a press: the same number, and what agents have agrees."""

    def go_on(self, browser: Client, registration: Registration) -> str:
        return browser.post(reverse("portal:go_on", args=[registration.reference]), follow=True).text

    def letters_to(self, user: User) -> list[str]:
        return list(letters.letters_of(user).order_by("written_at", "id").values_list("template", flat=True))

    def test_of_an_end_brings_number_and_addresses_back(
        self, browser: Client, holder: User, registration: Registration, tmp_path: Path
    ) -> None:
        story.published(tmp_path / "offline")
        feed_id = registration.entries.get().feed_id
        end(browser, registration)
        assert [(each.op, each.entry.id) for each in last_delta(tmp_path / "offline")] == [(Op.REMOVE, feed_id)]
        page = browser.get(page_of(registration)).text
        assert "You can undo that" in page and "Undo the end" in page
        assert "Your registration is valid" in self.go_on(browser, registration)
        assert [(each.op, each.entry.id) for each in last_delta(tmp_path / "offline")] == [(Op.ADD, feed_id)]
        public = Client().get(reverse("portal:check_number"), {"number": registration.reference}).text
        assert "Ended" not in public and "Valid" in public
        assert self.letters_to(holder)[-2:] == ["registration_ended", "registration_goes_on"]
        verified = proofs.proof_of(registration.entries.get().subject, registration.entries.get().block)
        assert verified is not None, "the proof stands, and none is asked for again"

    def test_of_an_end_leaves_out_an_address_that_somebody_else_has_got(
        self, browser: Client, registration: Registration
    ) -> None:
        entry = registration.entries.get()
        end(browser, registration)
        entered(uuid.uuid4(), ("udp", 51820), address=str(entry.block.network_address))
        assert "not everything came back" in self.go_on(browser, registration)
        registration.refresh_from_db()
        entry.refresh_from_db()
        assert registration.struck_out_at is None and entry.ended_at is not None

    def test_of_an_end_is_over_after_thirty_days(self, browser: Client, registration: Registration) -> None:
        end(browser, registration)
        Registration.objects.filter(pk=registration.pk).update(struck_out_at=timezone.now() - timedelta(days=45))
        assert "Undo the end" not in browser.get(page_of(registration)).text
        assert "cannot be undone any more" in self.go_on(browser, registration)
        assert "30 days" in policy.current(None).remedies["undo"].text.en

    def test_is_not_there_for_what_the_authority_struck_out(self, browser: Client, registration: Registration) -> None:
        register.strike_out(registration=registration, code="X5", actor="officer:1", now=timezone.now())
        assert "cannot be undone any more" in self.go_on(browser, registration)
        registration.refresh_from_db()
        assert registration.struck_out_code == "X5"

    def test_of_a_pause_is_at_a_press_or_by_itself(
        self, browser: Client, holder: User, registration: Registration, tmp_path: Path
    ) -> None:
        story.published(tmp_path / "offline")
        entry = registration.entries.get()
        place = reverse("portal:pause_registration", args=[registration.reference])
        assert "Choose for how long" in browser.post(place).text
        for by_itself in (False, True):
            assert browser.post(place, {"days": "7"})["Location"] == page_of(registration)
            assert [each.op for each in last_delta(tmp_path / "offline")] == [Op.REMOVE]
            page = browser.get(page_of(registration)).text
            assert "Paused at your request" in page and "Continue it now" in page and "In force at" not in page
            assert "to remove it from their lists; an operator that we cannot reach does so later" in page
            public = Client().get(reverse("portal:check_number"), {"number": registration.reference}).text
            assert "Paused by its holder" in public
            told = Client().get(reverse("portal:check_number"), {"number": registration.reference}).text
            assert "In force" not in told and "Until" in told
            with pytest.raises(changes.BlockAlreadyEntered):
                entered(uuid.uuid4(), ("udp", 51820), address=str(entry.block.network_address))
            if by_itself:
                assert ending.resume_due(timezone.now() + timedelta(days=6)) == 0
                assert ending.resume_due(timezone.now() + timedelta(days=7)) == 1
            else:
                self.go_on(browser, registration)
            assert [each.entry.id for each in last_delta(tmp_path / "offline")] == [entry.feed_id]
            assert "Your registration is valid" in browser.get(page_of(registration)).text
        assert self.letters_to(holder)[-4:] == ["registration_paused", "registration_goes_on"] * 2

    def test_of_the_end_of_a_paused_one_ends_the_pause_too(self, browser: Client, registration: Registration) -> None:
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        assert test_holding.to_end(registration) in browser.get(page_of(registration)).text
        asked = browser.get(test_holding.to_end(registration)).text
        assert "It is paused: we tell operators that have its addresses" in asked and "Pause it instead" not in asked
        end(browser, registration)
        assert "Your registration has ended" in browser.get(page_of(registration)).text
        assert "Your registration is valid" in self.go_on(browser, registration)

    def test_is_not_there_for_what_the_authority_suspended_by_ending_it(
        self, browser: Client, registration: Registration
    ) -> None:
        """Undone, that end would put it back in force without the officers."""
        pausing.suspend(registration=registration, code="S4", actor="officer:1", now=timezone.now())
        assert test_holding.to_end(registration) not in browser.get(page_of(registration)).text
        assert end(browser, registration)["Location"] == page_of(registration)
        with pytest.raises(ending.NotYours):
            ending.end(registration=registration, actor="person:1", now=timezone.now())
        registration.refresh_from_db()
        assert registration.struck_out_at is None and registration.suspended_code == "S4"

    def test_needs_a_fresh_proof_when_the_sign_in_is_long_ago(
        self, browser: Client, registration: Registration
    ) -> None:
        """Whoever finds a phone open can read the number: it is not typed by them alone."""
        let_it_be_long_ago(browser)
        asked = end(browser, registration)
        assert asked["Location"].startswith("/account/confirm/code/")
        registration.refresh_from_db()
        assert registration.struck_out_at is None
        done = browser.post(asked["Location"], {"code": the_newest_code()})
        assert done["Location"] == page_of(registration)
        registration.refresh_from_db()
        assert registration.struck_out_at is not None, "the number was not typed twice"

    def test_tells_every_owner(self, holder: User) -> None:
        member = story.a_person()
        registration = of_a_company(holder, member)
        end(signed_in(holder), registration)
        assert "registration_ended" in self.letters_to(holder)
        assert "registration_ended" in self.letters_to(member)


class TestDatabase:
    def test_lets_no_rule_strike_out_or_suspend(self, registration: Registration) -> None:
        for act in (
            lambda: register.strike_out(registration=registration, code="X5", actor="rule:1", now=timezone.now()),
            lambda: pausing.suspend(registration=registration, code="S4", actor="rule:1", now=timezone.now()),
        ):
            with pytest.raises(IntegrityError, match="rule_never_suspends_or_strikes_out"), transaction.atomic():
                act()

    def test_lets_no_entry_that_ended_begin_again_by_itself(self, registration: Registration) -> None:
        register.strike_out(registration=registration, code="X5", actor="officer:1", now=timezone.now())
        with pytest.raises(IntegrityError), transaction.atomic():
            Entry.objects.filter(registration=registration).update(ended_at=None, end_reason="")


class TestWhatIsNotInForce:
    def sheet(self, browser: Client, registration: Registration) -> str:
        page = browser.get(reverse("portal:certificate", args=[registration.reference])).text
        assert browser.get(reverse("portal:certificate_pdf", args=[registration.reference])).status_code == 200
        return page[page.index('class="a4"') :]

    def test_says_so_inside_the_certificate(self, browser: Client, registration: Registration) -> None:
        sheet = self.sheet(browser, registration)
        assert "Valid until" in sheet and "tells the operators concerned to spare them" in sheet
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        paused = self.sheet(browser, registration)
        browser.post(reverse("portal:go_on", args=[registration.reference]))
        end(browser, registration)
        for sheet, said in ((paused, "Paused until "), (self.sheet(browser, registration), "Ended on ")):
            assert said in sheet and "Valid until" not in sheet and 'class="tag ok' not in sheet
            assert "tells the operators concerned to spare them" not in sheet and "was not in force" in sheet

    def test_is_said_of_each_address_and_a_pause_is_no_reason_to_apply_again(
        self, browser: Client, granted: Application, registration: Registration
    ) -> None:
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        assert "On no list for now" in browser.get(page_of(registration)).text
        status = browser.get(reverse("portal:status", args=[granted.reference])).text
        assert "This registration is paused" in status and "Apply again" not in status


class TestTheDayThatTheLetterNames:
    """It ends with that day, and with the next one on which the office is open."""

    ENDED = datetime(2026, 11, 26, 4, tzinfo=UTC)  # 30 days on it is Saturday, 26 December

    def test_is_good_until_its_end(self) -> None:
        found = Registration(valid_until=self.ENDED + timedelta(days=300), struck_out_at=self.ENDED)
        until = queries.undone_until(found, self.ENDED, CALENDAR)
        assert timezone.localtime(until).isoformat()[:16] == "2026-12-28T23:59"
        assert queries.may_be_undone(found, until - timedelta(seconds=1), CALENDAR)
        assert not queries.may_be_undone(found, until + timedelta(seconds=1), CALENDAR)

    def test_is_no_later_than_the_term(self) -> None:
        found = Registration(valid_until=self.ENDED + timedelta(days=3), struck_out_at=self.ENDED)
        assert queries.undone_until(found, self.ENDED, CALENDAR) == found.valid_until

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_named_with_the_time_where_a_term_without_grace_ends_within_it(
        self, holder: User, language: str
    ) -> None:
        User.objects.filter(pk=holder.pk).update(language=language)
        holder.refresh_from_db()
        member, until = story.a_person(), timezone.now().replace(hour=9, minute=32) + timedelta(days=3)  # 14:32 here
        registration, browser = of_a_company(holder, member), signed_in(holder)
        Registration.objects.filter(pk=registration.pk).update(valid_until=until, grace_until=None)
        with translation.override(language):
            told = values.moment(until)
        asked = browser.get(test_holding.to_end(registration)).text
        end(browser, registration)
        company = Organisation.objects.get(holder_ref=registration.holder)
        to_do = browser.get(reverse("portal:organisation", args=[company.pk])).text
        for text in (asked, browser.get(page_of(registration)).text, to_do):
            assert told in text
        assert told in letters.letters_of(holder).get(template="registration_ended").text


class TestAClosureThatTwoOfficersEnter:
    """Of the day that the letter names: the end moves to the next open day, and never back."""

    def last_day(self, ended_at: datetime) -> datetime:
        return policy.add(start=ended_at, allowance=UNDONE_WITHIN, calendar=calendars.in_force())

    def test_before_the_end_is_in_the_letter_and_on_the_pages(self, holder: User, director: User, second: User) -> None:
        member, now = story.a_person(), timezone.now()
        registration, browser = of_a_company(holder, member), signed_in(holder)
        usual = self.last_day(now)
        in_force(director, second, usual.date(), now=now)
        moved = self.last_day(now)
        assert moved > usual
        assert f"undo this until {values.day(moved)}" in browser.get(test_holding.to_end(registration)).text
        end(browser, registration)
        letter = letters.letters_of(holder).get(template="registration_ended")
        company = Organisation.objects.get(holder_ref=registration.holder)
        to_do = browser.get(reverse("portal:organisation", args=[company.pk])).text
        for text in (letter.text, browser.get(page_of(registration)).text, to_do):
            assert values.day(moved) in text and values.day(usual) not in text

    def test_after_the_end_gives_more_time_and_takes_none_back(
        self, browser: Client, registration: Registration, director: User, second: User
    ) -> None:
        end(browser, registration)
        registration.refresh_from_db()
        now = timezone.now()
        told = self.last_day(now)
        closed = in_force(director, second, told.date(), now=now)
        moved = self.last_day(now)
        assert moved > told
        assert f"undo that until {values.day(moved)}" in browser.get(page_of(registration)).text
        withdrawn = {"kind": Kind.WORKED, "replaces": closed, "why": "The order was withdrawn."}
        in_force(director, second, closed.first, now=timezone.now(), **withdrawn)
        assert f"undo that until {values.day(moved)}" in browser.get(page_of(registration)).text
        with time_machine.travel(told + timedelta(hours=10), tick=False):
            assert may_go_on(registration, timezone.now())
            ending.undo_end(registration=registration, actor="person:1", now=timezone.now())
        registration.refresh_from_db()
        assert registration.struck_out_at is None

    def test_that_opens_a_day_leaves_an_end_as_it_was_told(self, director: User, second: User) -> None:
        ended, hour = TestTheDayThatTheLetterNames.ENDED, timedelta(hours=1)
        told = self.last_day(ended)
        hours = {"kind": Kind.WORKED, "begins": time(9), "ends": time(13)}
        in_force(director, second, date(2026, 12, 26), now=ended + hour, **hours)
        assert self.last_day(ended + 2 * hour).date() == date(2026, 12, 26)
        found = Registration(valid_until=ended + timedelta(days=300), struck_out_at=ended)
        assert queries.undone_until(found, ended, calendars.in_force()) == told
        assert queries.may_be_undone(found, told - hour, calendars.in_force())
