"""Lines of people who work from home: agreed to from the line itself, moved, withdrawn, ended; no name anywhere."""

import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.address import directory
from rahdari.calendar import queries as calendars
from rahdari.decide import ending
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.people.rules import OrgRole
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import NewEntry
from rahdari.remote import actions, queries, rules
from rahdari.remote.models import HomeConnection
from rahdari.remote.rules import HomeConnectionState, WhyNot
from rahdari.vault import keys
from tests.builders import story
from tests.calendar.said import in_force

pytestmark = pytest.mark.django_db
RULE = policy.RemoteStaff(("vpn_company",), 50, dt.timedelta(days=30), dt.timedelta(hours=1))
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOME, GATEWAY, ELSEWHERE = "203.0.113.200", "203.0.113.10", "192.0.2.77"


@pytest.fixture(autouse=True)
def a_register() -> Iterator[None]:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    known = [ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("2001:db8::/33")]
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", each) for each in known])
    yield
    directory.configure(None)


def a_registration(holder: uuid.UUID | None = None, *, now: dt.datetime = NOW, gateway: str = GATEWAY) -> Registration:
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder or uuid.uuid4(),
        category="vpn_company",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(gateway), "udp", 1194, 64500)],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )


def a_line(registration: Registration | None = None, *, now: dt.datetime = NOW) -> HomeConnection:
    registration = registration or a_registration()
    [line] = actions.make_links(registration=registration, count=1, workers=20, policy=RULE, actor="person:1", now=now)
    return line


def source(address: str) -> actions.From:
    allowed = tuple(str(each) for each in django_settings.ALLOWED_SPECIAL_RANGES)
    return actions.From(ipaddress.ip_address(address), allowed)


def agree(line: HomeConnection, address: str = HOME, *, now: dt.datetime = NOW) -> HomeConnection:
    return actions.agree(line=line, source=source(address), policy=RULE, now=now)


def home_entries(registration: Registration) -> list[Entry]:
    known = {each.pk for each in entries.own_entries_of(registration)}
    return [each for each in entries.entries_of(registration) if each.pk not in known]


class TestAgreeing:
    def test_enters_the_line_that_the_button_was_pressed_from(self) -> None:
        line = agree(a_line())
        assert (line.state, line.agreed_to) == (HomeConnectionState.STANDING, rules.WORDS)
        [entry] = home_entries(line.registration)
        assert (str(entry.block), entry.protocol, entry.port, entry.asn) == (f"{HOME}/32", "udp", None, 64500)
        assert entry.valid_until == line.registration.valid_until
        assert entry.changes.get().snapshot["prefix"] == f"{HOME}/32"

    def test_makes_no_address_that_the_pages_of_the_organisation_open(self) -> None:
        line = agree(a_line())
        assert line.entry is not None
        assert entries.active_entry_of(line.registration, line.entry.pk) is None
        [own] = entries.own_entries_of(line.registration)
        assert entries.active_entry_of(line.registration, own.pk) == own

    def test_of_ipv6_enters_the_network_of_one_subscriber(self) -> None:
        line = agree(a_line(), "2001:db8:1:2::abcd")
        assert str(home_entries(line.registration)[0].block) == "2001:db8:1:2::/64"

    def test_twice_is_once(self) -> None:
        line = agree(a_line())
        agree(line, now=NOW + dt.timedelta(hours=2))
        assert len(home_entries(line.registration)) == 1

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("10.1.2.3", WhyNot.NOT_PUBLIC),
            ("100.64.7.7", WhyNot.NOT_PUBLIC),
            (GATEWAY, WhyNot.AT_THE_OFFICE),
            (ELSEWHERE, WhyNot.UNKNOWN_NETWORK),
        ],
    )
    def test_from_elsewhere_registers_nothing(self, address: str, why: WhyNot) -> None:
        line = a_line()
        with pytest.raises(actions.NotFromHere) as error:
            agree(line, address)
        assert error.value.why is why
        assert home_entries(line.registration) == []
        assert HomeConnection.objects.get(pk=line.pk).state == HomeConnectionState.OFFERED

    def test_on_a_line_that_somebody_has_registers_nothing(self) -> None:
        first = agree(a_line())
        for line in (a_line(first.registration), a_line(a_registration(gateway="203.0.113.11"))):
            with pytest.raises(actions.NotFromHere) as error:
                agree(line)
            assert error.value.why is WhyNot.TAKEN

    def test_is_over_with_the_link_and_with_the_registration(self) -> None:
        line = a_line()
        with pytest.raises(actions.LineOver):
            agree(line, now=line.link_ends_at)
        register.strike_out(registration=line.registration, code="X1", actor="person:1", now=NOW)
        with pytest.raises(actions.LineOver):
            agree(line)


class TestALineThatStands:
    def test_follows_its_address_but_not_at_every_moment(self) -> None:
        line = agree(a_line())
        line = agree(line, "203.0.113.201", now=NOW + dt.timedelta(days=1))
        with pytest.raises(actions.NotFromHere) as error:
            agree(line, "203.0.113.202", now=NOW + dt.timedelta(days=1, minutes=1))
        assert error.value.why is WhyNot.TOO_SOON
        later = NOW + dt.timedelta(days=1, minutes=71)
        address_changes.end_entries_due(now=later)
        standing = [each for each in home_entries(line.registration) if each.ended_at is None]
        assert [str(each.block) for each in standing] == ["203.0.113.201/32"]

    def test_leaves_room_for_whoever_has_its_old_address_now(self) -> None:
        moved = agree(agree(a_line()), "203.0.113.201", now=NOW + dt.timedelta(days=1))
        colleague = agree(a_line(moved.registration), now=NOW + dt.timedelta(days=1, minutes=1))
        standing = [each for each in home_entries(moved.registration) if each.ended_at is None]
        assert sorted(str(each.block) for each in standing) == [f"{HOME}/32", "203.0.113.201/32"]
        assert colleague.entry is not None and colleague.entry.block == ipaddress.ip_network(f"{HOME}/32")

    def test_ends_at_once_when_it_is_withdrawn_with_the_address_before_it(self) -> None:
        registration = a_registration(story.a_person().holder_ref)
        line = agree(a_line(registration))
        line = agree(line, "203.0.113.201", now=NOW + dt.timedelta(days=1))
        at = NOW + dt.timedelta(days=1, minutes=1)
        for _ in range(2):
            line = actions.withdraw(line=line, now=at)
        assert line.state == HomeConnectionState.WITHDRAWN and not line.stands
        assert all(each.ended_at == at for each in home_entries(registration))
        assert all(each.ended_at is None for each in entries.own_entries_of(registration))
        letter = Letter.objects.get(template="home_line_withdrawn")
        assert registration.reference in letter.text and "203.0.113" not in letter.text
        with pytest.raises(actions.LineOver):
            agree(line, now=at)

    def test_ends_when_the_organisation_ends_it(self) -> None:
        line = agree(a_line())
        ended = actions.end_line(line=line, actor="person:1", now=NOW)
        assert ended.state == HomeConnectionState.ENDED and home_entries(line.registration)[0].ended_at == NOW

    def test_goes_on_with_its_registration_and_ends_with_it(self) -> None:
        line = agree(a_line())
        until = line.registration.valid_until + dt.timedelta(days=365)
        register.renew(registration=line.registration, valid_until=until, actor="person:1", now=NOW)
        assert home_entries(line.registration)[0].valid_until == until
        register.strike_out(registration=line.registration, code="X1", actor="person:1", now=NOW)
        found = queries.line_of(line.registration, line.number)
        assert found is not None and not found.stands


class TestAnEndThatIsUndone:
    def ended(self, *lines: HomeConnection) -> Registration:
        return ending.end(registration=lines[0].registration, actor="person:1", now=NOW)

    def go_on(self, registration: Registration) -> int:
        _found, lost = ending.undo_end(registration=registration, actor="person:1", now=NOW + dt.timedelta(days=1))
        return lost

    def test_brings_the_lines_at_home_back(self) -> None:
        line = agree(a_line())
        assert self.go_on(self.ended(line)) == 0
        found = queries.line_of(line.registration, line.number)
        assert found is not None and found.stands
        assert [each.ended_at for each in home_entries(line.registration)] == [None]

    def test_leaves_out_whoever_withdrew_meanwhile(self) -> None:
        stays = agree(a_line())
        leaves = agree(a_line(stays.registration), "203.0.113.201")
        registration = self.ended(stays, leaves)
        actions.withdraw(line=leaves, now=NOW)
        assert self.go_on(registration) == 0, "nobody else has got anything"
        assert [str(each.block) for each in home_entries(registration) if each.ended_at is None] == [f"{HOME}/32"]

    @pytest.mark.parametrize("act", ["pause", "end"])
    def test_is_what_the_page_of_the_line_speaks_of(self, act: str) -> None:
        line = agree(a_line(now=timezone.now()), now=timezone.now())
        days = {"days": 7} if act == "pause" else {}
        getattr(ending, act)(registration=line.registration, actor="person:1", now=timezone.now(), **days)
        place = reverse("remote:line", args=[queries.token_of(line)])
        page = Client().get(place)
        assert "Your line is off the lists for now" in page.text and "Your line is registered" not in page.text
        Client().post(place, {"act": "withdraw"})
        assert "You have withdrawn" in Client().get(place).text

    def test_rests_as_long_as_the_end_can_be_undone(self, director: User, second: User) -> None:
        """A closure of the last day gives another day to the organisation, and to the line."""
        line = agree(a_line())
        registration = self.ended(line)
        told = entries.undone_until(registration, NOW, calendars.in_force())
        late = told + dt.timedelta(hours=10)
        line.refresh_from_db()
        assert queries.rests(line, NOW) and not queries.rests(line, late)
        in_force(director, second, told.date(), now=NOW)
        assert queries.rests(line, late)


class TestLinks:
    def test_are_one_for_each_person_and_no_more_than_policy_allows(self) -> None:
        registration = a_registration()

        def make(count: int, *, workers: int, most: int = 50) -> list[HomeConnection]:
            rule = policy.RemoteStaff(RULE.services, most, RULE.link_valid, RULE.change_every)
            return actions.make_links(
                registration=registration, count=count, workers=workers, policy=rule, actor="person:1", now=NOW
            )

        made = make(3, workers=4)
        assert [line.number for line in made] == [1, 2, 3]
        for count, workers, most in ((2, 4, 50), (1, 50, 3), (0, 50, 50), (1, 0, 50)):
            with pytest.raises(actions.TooManyLines):
                make(count, workers=workers, most=most)
        actions.end_line(line=made[0], actor="person:1", now=NOW)
        assert [line.number for line in make(2, workers=4)] == [4, 5]

    def test_open_their_own_line_and_no_other(self) -> None:
        first, second = a_line(), a_line(a_registration(gateway="203.0.113.11"))
        assert queries.line_by_token(queries.token_of(first)) == first
        assert queries.line_by_token(queries.token_of(second)) == second
        for token in ("", "a" * 26, "é" * 26, queries.token_of(first)[:-1]):
            assert queries.line_by_token(token) is None

    @given(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(0, 10**6))
    def test_have_room_for_those_who_were_told_of(self, workers: int, most: int, live: int) -> None:
        room = rules.room_for(workers=workers, most=most, live=live)
        assert room >= 0 and (room == 0 or live + room <= min(workers, most))


class TestNobodyIsNamed:
    def test_in_the_journal_and_in_the_table(self) -> None:
        line = agree(a_line())
        actions.set_workers(registration=line.registration, workers=40, actor="person:1", now=NOW)
        actions.withdraw(line=line, now=NOW)
        kept = json.dumps([[row.act, row.detail] for row in Row.objects.filter(act__startswith="remote.")])
        assert HOME not in kept and '"number": 1' in kept and '"workers": 40' in kept
        columns = {field.name for field in HomeConnection._meta.fields}
        assert not columns & {"name", "email", "mobile", "address", "block"}


@pytest.fixture
def owner() -> User:
    return story.a_person()


@pytest.fixture
def company(owner: User) -> Organisation:
    return people.register_organisation(
        owner=owner, name="Sample House", company_number="0000482", actor=story.actor_of(owner), now=NOW
    )


class TestThePages:
    @pytest.fixture
    def registration(self, company: Organisation) -> Registration:
        return a_registration(company.holder_ref, now=timezone.now())

    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def page(self, registration: Registration) -> str:
        return reverse("portal:remote_staff", args=[registration.reference])

    def test_walk_from_the_number_to_a_line_that_is_withdrawn(self, owner: User, registration: Registration) -> None:
        browser, place = self.browser(owner), self.page(registration)
        assert place in browser.get(reverse("portal:registration", args=[registration.reference])).text
        assert "First say how many people it is" in browser.get(place).text
        assert browser.post(place, {"act": "workers", "workers": "some"}).status_code == 422
        browser.post(place, {"act": "workers", "workers": "3"})
        assert browser.post(place, {"act": "links", "count": "4"}).status_code == 422
        browser.post(place, {"act": "links", "count": "2"})
        first, second = queries.lines_of(registration)
        assert queries.link_url(first) in browser.get(place).text

        at_home = Client(REMOTE_ADDR=HOME)
        link = reverse("remote:line", args=[queries.token_of(first)])
        offered = at_home.get(link).text
        assert HOME in offered and "I agree" in offered and "What is kept" in offered
        assert home_entries(registration) == []
        at_home.post(link, {"act": "agree"})
        assert HOME in at_home.get(link).text
        # Whoever else was given the link is not shown where the person lives, nor is the organisation.
        assert HOME not in Client(REMOTE_ADDR="203.0.113.77").get(link).text
        assert HOME not in browser.get(place).text and "1 of 3 lines" in browser.get(place).text
        assert HOME not in browser.get(reverse("portal:registration", args=[registration.reference])).text

        at_home.post(link, {"act": "withdraw"})
        assert "off the register" in at_home.get(link).text
        browser.post(place, {"act": f"end:{second.number}"})
        assert "0 of 3 lines" in browser.get(place).text
        assert browser.post(place, {"act": "end:99"}).status_code == 404

    def test_say_why_nothing_was_registered(self, registration: Registration) -> None:
        line = a_line(registration, now=timezone.now())
        link = reverse("remote:line", args=[queries.token_of(line)])
        for address, words in (
            (GATEWAY, "network of the organisation itself"),
            (ELSEWHERE, "not in a network that we know"),
        ):
            answer = Client(REMOTE_ADDR=address).post(link, {"act": "agree"})
            assert answer.status_code == 422 and words in answer.text
        assert Client().get(reverse("remote:line", args=["a" * 26])).status_code == 404

    def test_are_for_those_who_may_change_addresses(
        self, owner: User, company: Organisation, registration: Registration
    ) -> None:
        viewer, stranger = story.a_person(), story.a_person()
        people.add_member(organisation=company, user=viewer, role=OrgRole.VIEWER, actor=story.actor_of(owner), now=NOW)
        for user in (viewer, stranger):
            assert self.browser(user).get(self.page(registration)).status_code == 404
        other = a_registration(company.holder_ref, now=timezone.now(), gateway="203.0.113.12")
        Registration.objects.filter(pk=other.pk).update(category="whitelist_video")
        assert self.browser(owner).get(self.page(other)).status_code == 302

    def test_answer_a_household_that_tries_links_with_too_many(self) -> None:
        answers = {Client(REMOTE_ADDR=HOME).get(reverse("remote:line", args=["a" * 26])).status_code for _ in range(40)}
        assert answers == {404, 429}
