"""Renewing, and changing addresses: the number stays, nothing leaves the feed, and only what is new is asked."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import parts, renewal
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.control import queries as proofs
from rahdari.decide import ending
from rahdari.decide.models import Decision
from rahdari.dyndns.models import ReportedAddress
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import queries as register
from rahdari.register.models import Change, Entry, Registration
from tests.builders import story
from tests.builders.connections import a_connection, report
from tests.dyndns.conftest import networks as networks  # every test of this file is on these networks

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def browser_of(person: User) -> Client:
    browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR="203.0.113.9")
    browser.force_login(person)
    return browser


def a_registration(person: User) -> Registration:
    return story.registration_of(story.a_granted_application(person))


def ends_in(registration: Registration, days: float) -> Registration:
    """As if so much of the term were over."""
    until = timezone.now() + days * DAY
    stays = until + 30 * DAY
    Registration.objects.filter(pk=registration.pk).update(
        valid_from=until - 365 * DAY, valid_until=until, grace_until=stays
    )
    Entry.objects.filter(registration=registration).update(valid_from=until - 365 * DAY, valid_until=stays)
    return register.fresh(registration)


def begin(browser: Client, registration: Registration, name: str) -> Application:
    answer = browser.post(reverse(name, args=[registration.reference]))
    assert answer.status_code == 302 and "/my/applications/" in answer["Location"], answer["Location"]
    return Application.objects.exclude(registration=None).get(status="draft")


def active(registration: Registration) -> dict[str, dt.datetime]:
    return {str(entry.block): entry.valid_until for entry in register.entries_of(registration) if not entry.ended_at}


class TestRenewal:
    def test_is_there_for_a_paused_one_too(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 30)
        browser = browser_of(person)
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        page = browser.get(reverse("portal:renew", args=[registration.reference])).text
        assert "the registration stays paused" in page and "stay on the list" not in page
        assert begin(browser, registration, "portal:renew").about == "renewal"

    def test_opens_sixty_days_before_the_end(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 61)
        page = browser_of(person).get(reverse("portal:renew", args=[registration.reference])).content.decode()
        assert "You can renew it from" in page and "Everything is still correct: renew" not in page
        browser_of(person).post(reverse("portal:renew", args=[registration.reference]))
        assert not Application.objects.filter(about="renewal").exists()
        ends_in(registration, 59)
        assert "Everything is still correct: renew" in (
            browser_of(person).get(reverse("portal:renew", args=[registration.reference])).content.decode()
        )

    @pytest.mark.parametrize("days", [40, -10])
    def test_keeps_the_number_and_leaves_no_gap_before_the_end_and_in_the_grace(self, days: int) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), days)
        before = active(registration)
        changes = Change.objects.count()
        draft = begin(browser_of(person), registration, "portal:renew")
        assert applications.missing_steps(draft, applications.policy_in_force()) == [], "all is filled in"
        for endpoint in applications.endpoints_of(draft):
            story.prove(endpoint)
        story.send(story.fresh(draft))
        story.advance()
        renewed = register.fresh(registration)
        assert renewed.reference == registration.reference and Registration.objects.count() == 1
        assert renewed.valid_until > registration.valid_until + 360 * DAY
        assert active(renewed).keys() == before.keys()
        assert all(until == renewed.stays_until for until in active(renewed).values())
        acts = [change.act for change in Change.objects.order_by("id")][changes:]
        assert acts == ["renew"] * len(before), "nothing left the feed"
        assert Decision.objects.filter(decided_by__startswith="rule:", registration=renewed).count() == 2
        page = browser_of(person).get(reverse("portal:status", args=[draft.reference]))
        assert registration.reference in page.content.decode()

    def test_asks_for_the_proof_of_a_fixed_address_again(self) -> None:
        person = story.a_person()
        draft = begin(browser_of(person), ends_in(a_registration(person), 30), "portal:renew")
        page = browser_of(person).get(reverse("portal:tasks", args=[draft.reference])).content.decode()
        assert "This renews" in page
        assert browser_of(person).get(reverse("portal:prove_first", args=[draft.reference]), follow=True)
        story.send(story.fresh(draft))
        story.advance()
        assert Application.objects.get(pk=draft.pk).status == "submitted", "it waits for the proof"

    def test_is_begun_once_and_by_its_holder_alone(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 30)
        first = begin(browser_of(person), registration, "portal:renew")
        assert begin(browser_of(person), registration, "portal:renew") == first
        stranger = browser_of(story.a_person())
        assert stranger.post(reverse("portal:renew", args=[registration.reference])).status_code == 404

    def test_of_a_changing_address_asks_for_nothing(self) -> None:
        connection = a_connection("203.0.113.120")
        Registration.objects.update(valid_until=timezone.now() + 30 * DAY, grace_until=timezone.now() + 60 * DAY)
        browser = browser_of(connection.person)
        draft = begin(browser, connection.registration, "portal:renew")
        browser.get(reverse("portal:tasks", args=[draft.reference]))
        story.send(story.fresh(draft))
        story.advance()
        renewed = register.fresh(connection.registration)
        assert renewed.valid_until > timezone.now() + 300 * DAY
        assert report(connection.host, "203.0.113.121").is_taken
        assert "203.0.113.121/32" in active(renewed)

    def test_of_a_changing_address_that_was_silent_is_proved_by_the_next_report(self) -> None:
        connection = a_connection("203.0.113.122")
        Registration.objects.update(valid_until=timezone.now() + 30 * DAY, grace_until=timezone.now() + 60 * DAY)
        ReportedAddress.objects.update(until=timezone.now() - DAY, reported_at=timezone.now() - 2 * DAY)
        browser = browser_of(connection.person)
        row = begin(browser, connection.registration, "portal:renew").endpoints.get()
        assert not proofs.is_proved(row.subject, row.network)
        report(connection.host, "203.0.113.122")
        assert proofs.is_proved(row.subject, row.network)

    def test_letters_lead_to_it_before_the_end_and_in_the_grace(self) -> None:
        registration = ends_in(a_registration(story.a_person()), 29.5)
        story.advance()
        soon = Letter.objects.get(template="registration_expires_soon")
        assert reverse("portal:renew", args=[registration.reference]) in soon.text
        ends_in(registration, -1)
        story.advance()
        story.advance()
        late = Letter.objects.get(template="registration_in_grace")
        assert reverse("portal:renew", args=[registration.reference]) in late.text
        assert not Letter.objects.filter(template="registration_expired").exists()

    def test_letters_about_a_paused_one_say_nothing_of_a_list(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 29.5)
        ending.pause(registration=registration, days=30, actor=story.actor_of(person), now=timezone.now())
        story.advance()
        soon = " ".join(Letter.objects.get(template="registration_expires_soon").text.split())
        assert "it stays out of force until it continues" in soon and "stay on the list" not in soon
        ends_in(registration, -1)
        Registration.objects.update(suspended_until=timezone.now() + 5 * DAY)
        story.advance()
        late = " ".join(Letter.objects.get(template="registration_in_grace").text.split())
        assert "It is out of force for now." in late and "Nothing is cut" not in late

    def test_after_the_grace_there_is_nothing_to_renew(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), -31)
        story.advance()
        answer = browser_of(person).post(reverse("portal:renew", args=[registration.reference]))
        assert answer["Location"] == reverse("portal:registration", args=[registration.reference])
        with pytest.raises(renewal.RegistrationOver):
            renewal.apply_again(
                registration=registration, applicant=person, about="renewal", actor="person:1", now=timezone.now()
            )


class TestChange:
    def test_a_new_address_is_proved_before_the_old_one_goes(self) -> None:
        person = story.a_person()
        registration = a_registration(person)
        (old,) = active(registration)
        browser = browser_of(person)
        draft = begin(browser, registration, "portal:change_addresses")
        browser.get(reverse("portal:tasks", args=[draft.reference]))
        (endpoint,) = applications.endpoints_of(draft)
        parts.change_endpoint(
            endpoint=endpoint,
            block="203.0.113.122",
            runs="wireguard",
            actor=story.actor_of(person),
            now=timezone.now(),
        )
        (endpoint,) = applications.endpoints_of(draft)
        browser.get(reverse("portal:prove", args=[draft.reference, endpoint.pk]))  # shows the link that waits
        story.send(story.fresh(draft))
        story.advance()
        assert active(registration).keys() == {old}, "nothing changes before the proof"
        story.prove(endpoint)
        story.advance()
        now = active(registration)
        assert now.keys() == {old, "203.0.113.122/32"}
        assert now[old] < timezone.now() + 8 * DAY and now["203.0.113.122/32"] > timezone.now() + 300 * DAY
        assert register.fresh(registration).valid_until == registration.valid_until
        story.workflow.advance(now=timezone.now() + 8 * DAY)
        assert active(registration).keys() == {"203.0.113.122/32"}
        page = browser.get(reverse("portal:registration", args=[registration.reference])).content.decode()
        assert registration.reference in page and "203.0.113.122" in page
        letter = Letter.objects.filter(template="application_granted").latest("written_at")
        assert "Your addresses are changed" in letter.text and "You are registered" not in letter.text
        assert (
            "203.0.113.122" in letter.text and old.partition("/")[0] in letter.text and "Leaves the list" in letter.text
        )

    def test_of_a_paused_one_is_listed_when_it_goes_on(self) -> None:
        person = story.a_person()
        registration = a_registration(person)
        browser = browser_of(person)
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        page = browser.get(reverse("portal:registration", args=[registration.reference])).text
        place = reverse("portal:change_addresses", args=[registration.reference])
        assert place in page and "The registration stays paused" in browser.get(place).text
        draft = begin(browser, registration, "portal:change_addresses")
        story.prove(story.add(draft, "203.0.113.123"))
        browser.get(reverse("portal:tasks", args=[draft.reference]))
        story.send(story.fresh(draft))
        story.advance()
        assert len(active(registration)) == 2
        letter = Letter.objects.filter(template="application_granted").latest("written_at")
        assert (
            "operators get your addresses when it continues" in letter.text
            and "get your addresses now" not in letter.text
        )
        assert [change.snapshot for change in Change.objects.filter(entry__block="203.0.113.123")] == [{}]
        browser.post(reverse("portal:go_on", args=[registration.reference]))
        assert Change.objects.filter(entry__block="203.0.113.123").latest("id").snapshot["prefix"] == "203.0.113.123/32"

    def test_what_stays_need_not_be_proved_again(self) -> None:
        person = story.a_person()
        registration = a_registration(person)
        browser = browser_of(person)
        draft = begin(browser, registration, "portal:change_addresses")
        story.prove(story.add(draft, "203.0.113.123"))
        browser.get(reverse("portal:tasks", args=[draft.reference]))
        story.send(story.fresh(draft))
        story.advance()
        assert Application.objects.get(pk=draft.pk).status == "granted"
        assert len(active(registration)) == 2
        assert len(set(active(registration).values())) == 1, "both end with the registration"

    def test_another_holders_address_does_not_come_over_without_their_consent(self) -> None:
        person, other = story.a_person(), story.a_person()
        (theirs,) = active(a_registration(other))
        registration = a_registration(person)
        draft = begin(browser_of(person), registration, "portal:change_addresses")
        story.prove(story.add(draft, theirs.removesuffix("/32")))
        story.send(story.fresh(draft))
        story.advance()
        assert Application.objects.get(pk=draft.pk).status == "submitted", "an officer looks at it"
        assert theirs not in active(registration)
