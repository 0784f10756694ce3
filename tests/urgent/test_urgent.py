"""Listing an address before its papers: by whom, how it ends, and every way in which it could be misused."""

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import renewal
from rahdari.apply.rules import About
from rahdari.decide import ending
from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.acting import Acting
from rahdari.people.models import Membership, Organisation, User
from rahdari.register import actions as register
from rahdari.register import queries as register_queries
from rahdari.register.models import Change, Registration
from rahdari.sms import codes
from rahdari.sms.models import ContactNumber, Message
from rahdari.urgent import actions, queries
from rahdari.urgent.models import UrgentEntry
from rahdari.urgent.rules import Cannot
from tests.builders import cut_off, story
from tests.builders.cut_off import ELSEWHERE, NEW, NUMBER, OTHER_NUMBER

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def why(act: Callable[[], object]) -> Cannot:
    with pytest.raises(actions.CannotNow) as caught:
        act()
    return caught.value.why


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    with pytest.raises(IntegrityError), transaction.atomic():
        yield


def letters_to(user: User) -> list[str]:
    found = Letter.objects.filter(to=user, template__startswith="urgent_").order_by("written_at", "id")
    return list(found.values_list("template", flat=True))


class TestOnThePage:
    def test_the_code_lists_it_by_the_rule_for_thirty_days(self) -> None:
        user, found = cut_off.a_holder()
        changes, now = Change.objects.count(), timezone.now()
        row = cut_off.given(user, found, now=now)
        entry = row.entry
        assert entry is not None and row.until == entry.valid_until == now + 30 * DAY
        assert (str(entry.block), entry.asn, entry.protocol, entry.port) == (f"{NEW}/32", 64500, "udp", 51820)
        # One change for the feed; the holder's own entry stays as it is.
        assert Change.objects.count() == changes + 1
        assert found.entries.filter(ended_at__isnull=True).count() == 2
        said = JournalEntry.objects.get(act="urgent.gave")
        assert (said.reason, said.detail["way"]) == ("P4", "page") and said.actor.startswith("rule:")
        assert letters_to(user) == ["urgent_given"]
        assert row.block is None and row.asked == row.code == ""

    def test_a_wrong_code_lists_nothing_and_three_end_it(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found)
        code = cut_off.code_to(user)
        for _ in range(2):
            with pytest.raises(codes.CodeWrong):
                actions.enter_code(row=row, code=cut_off.wrong(code), now=timezone.now())
        for each in (cut_off.wrong(code), code):
            with pytest.raises(codes.CodeEnded):
                actions.enter_code(row=row, code=each, now=timezone.now())
        assert found.entries.count() == 1

    def test_the_code_counts_ten_minutes_and_once(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found)
        with pytest.raises(codes.CodeEnded):
            actions.enter_code(row=row, code=cut_off.code_to(user), now=timezone.now() + dt.timedelta(minutes=10))
        row = cut_off.given(user, found)
        with pytest.raises(actions.NothingWaits):
            actions.enter_code(row=row, code="000000", now=timezone.now())

    def test_the_code_goes_to_the_number_on_file_and_is_kept_as_a_hash(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found)
        message = Message.objects.latest("written_at")
        code = cut_off.code_to(user)
        assert (message.number, message.person, message.note) == (NUMBER, user.pk, "urgent_code")
        assert code not in row.code and len(row.code) == 64

    def test_codes_are_bounded_for_a_holder(self) -> None:
        user, found = cut_off.a_holder()
        for _ in range(3):  # one of four to a number in an hour confirmed it
            cut_off.ask(user, found)
        with pytest.raises(codes.TooManyCodes):
            cut_off.ask(user, found)
        assert UrgentEntry.objects.filter(closed_at__isnull=True).count() == 1

    def test_an_address_of_ones_own_is_told_at_once(self) -> None:
        user, found = cut_off.a_holder()
        own = str(found.entries.get().block)
        with pytest.raises(actions.AlreadyYours):
            cut_off.ask(user, found, own)


class TestAnAddressThatSomebodyElseProves:
    def test_gives_way_and_its_lister_is_asked_nothing_and_hears_nothing_of_them(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.given(user, found)
        other, block = story.a_person(), ipaddress.ip_network(NEW)
        endpoint = story.add(story.fill(story.a_draft(other)), NEW)
        story.prove(endpoint)
        assert not register_queries.is_in_the_way(block=block, holder=other.holder_ref)
        assert register_queries.holders_to_ask(block=block, newcomer=other.holder_ref) == set()
        assert not register_queries.may_be_shared(block=block)
        story.send(story.fresh(endpoint.application))
        story.advance()
        assert story.fresh(endpoint.application).status == "granted"
        assert story.registration_of(endpoint.application).entries.get().ended_at is None
        row.refresh_from_db()
        assert row.entry is not None and row.entry.ended_at is not None and row.state == "ended"
        assert found.entries.filter(ended_at__isnull=True).count() == 1
        written = list(Letter.objects.filter(to=user).order_by("written_at", "id").values_list("template", flat=True))
        assert written == ["urgent_given", "urgent_ended"]
        # It stays on the list, for the other one.
        told = Letter.objects.get(to=user, template="urgent_ended").text
        assert not re.search("by that day|automatically|off their lists|not on the list", told)

    def test_bars_nobody_in_the_question_of_the_database_either(self) -> None:
        user, found = cut_off.a_holder()
        proved = ipaddress.ip_network(str(found.entries.get().block))
        cut_off.given(user, found)
        asker = story.a_person().holder_ref
        for block, in_the_way in ((proved, True), (ipaddress.ip_network(NEW), False)):
            assert register_queries.is_in_the_way(block=block, holder=asker) is in_the_way
            assert register_queries.in_the_way(block=block, holder=asker).exists() is in_the_way


class TestWhoMay:
    def test_a_number_that_changed_lately_does_not_do(self) -> None:
        """Whoever swapped a SIM, or came to a session, confirms a number of their own: it waits a week."""
        user, found = cut_off.a_holder()
        cut_off.with_number(user, OTHER_NUMBER, since=timezone.now() - 6 * DAY)
        assert why(lambda: cut_off.ask(user, found)) is Cannot.NEW_NUMBER
        assert cut_off.ask(user, found, now=timezone.now() + DAY).asked == OTHER_NUMBER

    def test_without_a_number_nobody(self) -> None:
        user, found = cut_off.a_holder()
        ContactNumber.objects.all().delete()
        assert why(lambda: cut_off.ask(user, found)) is Cannot.NO_NUMBER

    def test_nobody_else_and_no_agent(self) -> None:
        _user, found = cut_off.a_holder()
        stranger = cut_off.with_number(story.a_person(), OTHER_NUMBER)
        assert why(lambda: cut_off.ask(stranger, found)) is Cannot.NO_NUMBER

    def test_a_member_who_just_joined_does_not(self) -> None:
        user, found = cut_off.a_holder()
        organisation = Organisation.objects.create(name="Sample House", holder_ref=found.holder)
        User.objects.filter(pk=user.pk).update(holder_ref=story.a_person().pk)
        user.refresh_from_db()
        member = Membership.objects.create(user=user, organisation=organisation, role="owner", joined_at=timezone.now())
        assert why(lambda: cut_off.ask(user, found)) is Cannot.NEW_MEMBER
        Membership.objects.filter(pk=member.pk).update(joined_at=timezone.now() - 8 * DAY)
        assert cut_off.ask(user, found).person == user

    def test_only_a_registration_that_stands_with_nothing_against_it(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found)
        code = cut_off.code_to(user)
        register.suspend(registration=found, code="S1", actor="officer:sample", now=timezone.now())
        # Also after the code went out.
        assert why(lambda: actions.enter_code(row=row, code=code, now=timezone.now())) is Cannot.NOT_VALID
        found.refresh_from_db()
        assert why(lambda: cut_off.ask(user, found)) is Cannot.NOT_VALID

    def test_one_at_a_time_and_so_many_in_a_year(self) -> None:
        user, found = cut_off.a_holder()
        for number in range(3):
            row = cut_off.given(user, found, f"203.0.113.{240 + number}")
            assert why(lambda: cut_off.ask(user, found)) is Cannot.ONE_OPEN
            with refused_by_the_database():
                UrgentEntry.objects.create(
                    registration=found,
                    holder=found.holder,
                    way="page",
                    cut_off=row.cut_off,
                    reason="P4",
                    rule_version="1",
                    asked_at=timezone.now(),
                )
            actions.stop(row=row, actor=story.actor_of(user), now=timezone.now())
            cut_off.another_hour()
        assert why(lambda: cut_off.ask(user, found)) is Cannot.USED_UP
        assert letters_to(user) == ["urgent_given", "urgent_ended"] * 3


class TestTheAddress:
    @pytest.mark.parametrize("held", ["203.0.113.251/32", "203.0.113.248/29"], ids=["an address", "inside a block"])
    def test_of_somebody_else_gets_the_same_answer_as_one_of_a_network_that_nobody_knows(self, held: str) -> None:
        other = story.a_person()
        register.enter(
            origin="application:other",
            holder=other.holder_ref,
            category="vpn_company",
            endpoints=[register.NewEntry("endpoint:other", ipaddress.ip_network(held), "any", None, 64500)],
            valid_from=timezone.now(),
            valid_until=timezone.now() + 300 * DAY,
            actor="system:test",
            now=timezone.now(),
        )
        user, found = cut_off.a_holder()
        for address in (NEW, ELSEWHERE):
            row = cut_off.ask(user, found, address)  # asking tells nothing
            with pytest.raises(actions.NotThisWay) as caught:
                actions.enter_code(row=row, code=cut_off.code_to(user), now=timezone.now())
            row.refresh_from_db()
            assert (str(caught.value), row.state, row.why, row.block) == ("", "closed", "not_this_way", None)
        assert found.entries.count() == 1
        # They take no listing away, and are bounded for themselves: nobody tries out what is registered.
        cut_off.another_hour()
        row = cut_off.given(user, found, address="203.0.113.240")
        actions.stop(row=row, actor=story.actor_of(user), now=timezone.now())
        row = cut_off.ask(user, found, NEW)
        with pytest.raises(actions.NotThisWay):
            actions.enter_code(row=row, code=cut_off.code_to(user), now=timezone.now())
        assert why(lambda: cut_off.ask(user, found)) is Cannot.USED_UP

    def test_that_another_had_in_the_last_year_gets_that_answer_too(self) -> None:
        other, now = story.a_person(), timezone.now()
        entered = register.enter(
            origin="application:other",
            holder=other.holder_ref,
            category="vpn_company",
            endpoints=[register.NewEntry("endpoint:other", ipaddress.ip_network(f"{NEW}/32"), "any", None, 64500)],
            valid_from=now - 40 * DAY,
            valid_until=now + 300 * DAY,
            actor="system:test",
            now=now - 40 * DAY,
        )
        ending.end(registration=entered, actor="person:x", now=now - DAY)
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found, NEW)
        with pytest.raises(actions.NotThisWay):
            actions.enter_code(row=row, code=cut_off.code_to(user), now=now)


class TestItsEnd:
    def test_comes_by_itself_though_nothing_ran_meanwhile(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.given(user, found)
        entry = row.entry
        assert entry is not None and row.until is not None
        register.end_entries_due(now=row.until - dt.timedelta(seconds=1))
        entry.refresh_from_db()
        assert entry.ended_at is None
        # The register alone: no step of this room has run since.
        register.end_entries_due(now=row.until + 9 * DAY)
        entry.refresh_from_db()
        assert entry.end_reason == "lapse" and entry.changes.latest("id").snapshot == {}
        workflow.advance(now=row.until + 9 * DAY)
        row.refresh_from_db()
        assert (row.state, row.why, letters_to(user)[-1]) == ("ended", "time", "urgent_ended")

    def test_is_reminded_of(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.given(user, found)
        assert row.until is not None
        for days in (14, 3):
            for _ in range(2):
                workflow.advance(now=row.until - days * DAY + dt.timedelta(minutes=1))
        assert letters_to(user) == ["urgent_given", "urgent_ends_soon", "urgent_ends_soon"]

    def test_is_that_of_its_registration_where_that_comes_first_and_no_renewal_takes_it_along(self) -> None:
        user, found = cut_off.a_holder()
        now = found.valid_until - 5 * DAY
        Registration.objects.filter(pk=found.pk).update(grace_until=None)
        found.refresh_from_db()
        row = cut_off.given(user, found, now=now)
        assert row.until == found.valid_until - dt.timedelta(seconds=1)
        register.renew(
            registration=found, valid_until=found.valid_until + 365 * DAY, actor=story.actor_of(user), now=now
        )
        assert row.entry is not None
        row.entry.refresh_from_db()
        assert row.entry.valid_until == row.until

    def test_comes_with_a_suspension_that_strikes_out(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.given(user, found)
        register.strike_out(registration=found, code="ended_at_request", actor=story.actor_of(user), now=timezone.now())
        story.advance()
        row.refresh_from_db()
        assert (row.state, row.why) == ("ended", "with_it")

    def test_cannot_be_undone_in_the_database(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.given(user, found)
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(until=timezone.now() + 31 * DAY)
        actions.stop(row=row, actor=story.actor_of(user), now=timezone.now())
        for change in ({"state": "given", "closed_at": None}, {"given_at": timezone.now()}):
            with refused_by_the_database():
                UrgentEntry.objects.filter(pk=row.pk).update(**change)
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).delete()
        with pytest.raises(actions.NothingWaits):
            actions.enter_code(row=row, code="000000", now=timezone.now())


class TestPapers:
    def test_make_it_an_entry_like_the_others(self) -> None:
        user, found = cut_off.a_granted_holder()
        row = cut_off.given(user, found)
        change = renewal.apply_again(
            registration=found, applicant=user, about=About.CHANGE, actor=story.actor_of(user), now=timezone.now()
        )
        # The change begins with it.
        (endpoint,) = [each for each in change.endpoints.all() if str(each.network) == f"{NEW}/32"]
        story.prove(endpoint)
        story.send(story.fresh(change))
        story.decide()
        story.advance()
        row.refresh_from_db()
        found.refresh_from_db()
        assert row.entry is not None and row.until is not None
        assert (row.state, row.entry.valid_until) == ("confirmed", found.stays_until)
        assert found.entries.filter(ended_at__isnull=True).count() == 2
        register.end_entries_due(now=row.until + DAY)
        row.entry.refresh_from_db()
        assert row.entry.ended_at is None and letters_to(user) == ["urgent_given", "urgent_confirmed"]

    def test_of_another_change_leave_it_alone(self) -> None:
        user, found = cut_off.a_granted_holder()
        change = renewal.apply_again(
            registration=found, applicant=user, about=About.CHANGE, actor=story.actor_of(user), now=timezone.now()
        )
        row = cut_off.given(user, found)
        story.prove(story.add(change))
        story.send(story.fresh(change))
        story.decide()
        assert row.entry is not None
        row.entry.refresh_from_db()
        assert row.entry.ended_at is None and row.entry.valid_until == row.until


class TestOnTheTelephone:
    def test_needs_the_code_and_a_second_officer(self) -> None:
        user, found = cut_off.a_holder()
        first, second = cut_off.an_officer(), cut_off.an_officer()
        for number in range(3):
            row = cut_off.heard(user, found, first, f"203.0.113.{240 + number}")
            assert Message.objects.latest("written_at").note == "spoken_code"
            assert row.state == "spoken" and found.entries.count() == 1 + number
            row = actions.second(row=row, officer=second, now=timezone.now())
            assert (row.state, row.opened_by, row.seconded_by) == ("given", first, second)
            assert found.entries.count() == 2 + number
            actions.stop(row=row, actor=story.actor_of(user), now=timezone.now())
            cut_off.another_hour()
        assert letters_to(user) == ["urgent_given", "urgent_ended"] * 3
        assert why(lambda: cut_off.a_call(user, found, first)) is Cannot.USED_UP

    def test_is_not_for_an_officer_alone(self) -> None:
        user, found = cut_off.a_holder()
        officer = cut_off.an_officer()
        row = cut_off.heard(user, found, officer)
        with pytest.raises(actions.NotYou):
            actions.second(row=row, officer=officer, now=timezone.now())
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(seconded_by=officer)

    def test_is_not_for_two_accounts_of_one_person(self) -> None:
        user, found = cut_off.a_holder()
        first, second = cut_off.an_officer(), cut_off.an_officer()
        for each in (first, second):
            cut_off.with_number(each, OTHER_NUMBER)
        row = cut_off.heard(user, found, first)
        with pytest.raises(actions.NotYou):
            actions.second(row=row, officer=second, now=timezone.now())
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(seconded_by=second)

    def test_is_not_for_the_holder_as_an_officer(self) -> None:
        user, found = cut_off.a_holder()
        officer = cut_off.an_officer()
        people.appoint(user=user, role="officer", actor="system:test", now=timezone.now() - 40 * DAY)
        with pytest.raises(actions.NotYou):
            cut_off.a_call(user, found, user)
        row = cut_off.heard(user, found, officer)
        with pytest.raises(actions.NotYou):
            actions.second(row=row, officer=user, now=timezone.now())
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(seconded_by=user)

    def test_is_not_for_somebody_new_in_office_or_not_in_it(self, settings: Any) -> None:
        settings.SECONDS_AFTER = 14 * DAY
        user, found = cut_off.a_holder()
        row = cut_off.heard(user, found, cut_off.an_officer())
        for other in (story.an_officer(), story.a_person()):
            with pytest.raises(actions.NotYou):
                actions.second(row=row, officer=other, now=timezone.now())
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(seconded_by=story.a_person())

    def test_waits_minutes_for_the_second(self) -> None:
        user, found = cut_off.a_holder()
        row, second = cut_off.heard(user, found, cut_off.an_officer()), cut_off.an_officer()
        late = timezone.now() + dt.timedelta(minutes=31)
        with pytest.raises(actions.NothingWaits):
            actions.second(row=row, officer=second, now=late)
        with refused_by_the_database():
            UrgentEntry.objects.filter(pk=row.pk).update(
                seconded_by=second, given_at=late, until=late + DAY, entry=row.cut_off, state="given"
            )
        workflow.advance(now=late)
        row.refresh_from_db()
        assert (row.state, row.why) == ("closed", "late")

    def test_is_heard_by_whoever_has_the_call(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.a_call(user, found, cut_off.an_officer())
        with pytest.raises(actions.NotYou):
            actions.hear_code(row=row, officer=cut_off.an_officer(), code=cut_off.code_to(user), now=timezone.now())
        with pytest.raises(actions.NothingWaits):  # nor is it typed on the page
            actions.enter_code(row=row, code=cut_off.code_to(user), now=timezone.now())

    def test_calls_back_where_no_sms_goes_out(self, settings: Any) -> None:
        user, found = cut_off.a_holder()
        settings.SMS_FOLDER = None
        first, second = cut_off.an_officer(), cut_off.an_officer()
        row = cut_off.a_call(user, found, first)
        assert (row.way, row.asked) == ("call", NUMBER)
        with pytest.raises(actions.NothingWaits):
            actions.second(row=row, officer=second, now=timezone.now())
        row = actions.called_back(row=row, officer=first, now=timezone.now())
        assert actions.second(row=row, officer=second, now=timezone.now()).state == "given"

    def test_lists_nothing_when_an_officer_declines(self) -> None:
        user, found = cut_off.a_holder()
        row = cut_off.heard(user, found, cut_off.an_officer())
        actions.decline(row=row, officer=cut_off.an_officer(), now=timezone.now())
        with pytest.raises(actions.NothingWaits):
            actions.second(row=row, officer=cut_off.an_officer(), now=timezone.now())


class TestAStrangerAtTheSession:
    def test_gets_nothing_by_another_persons_number(self) -> None:
        """A code that went to one person does not do for another: it is bound to both."""
        user, found = cut_off.a_holder()
        row = cut_off.ask(user, found)
        other, theirs = cut_off.a_holder(number=OTHER_NUMBER)
        cut_off.ask(other, theirs, "203.0.113.252")
        if cut_off.code_to(other) != cut_off.code_to(user):
            with pytest.raises(codes.CodeWrong):
                actions.enter_code(row=row, code=cut_off.code_to(other), now=timezone.now())
        assert queries.number_of(other, found) is not None
        with pytest.raises(actions.CannotNow):
            actions.ask(
                registration=found,
                by=Acting(other),
                cut_off=queries.endpoints_of(found)[0],
                block=ipaddress.ip_network(NEW),
                network="192.0.2.1",
                language="en",
                now=timezone.now(),
            )
