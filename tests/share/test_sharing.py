"""Two people behind one address, by their pages: asked, agreed, listed once; declined, silent, withdrawn."""

import datetime as dt
import re
import uuid
from copy import deepcopy
from dataclasses import dataclass

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import queries as checks
from rahdari.decide import assignment
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import CoHolder, Entry, Registration
from rahdari.register.rules import NewEntry
from rahdari.share import actions, queries
from rahdari.share.models import ConsentQuestion, SharingRequest
from rahdari.web import values
from tests.builders import story
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
DESK = "Desk 7, second floor"


def browser_of(person: User) -> Client:
    browser = Client(headers={"accept-language": person.language}, REMOTE_ADDR="198.51.100.200")
    browser.force_login(person)
    return browser


@dataclass
class House:
    """One gateway: who has its address on the register, and who comes with the same one."""

    first: User
    second: User
    registration: Registration
    draft: Application
    endpoint: Endpoint

    @property
    def address(self) -> str:
        return self.endpoint.address_text

    @property
    def page(self) -> str:
        return reverse("portal:share", args=[self.draft.reference, self.endpoint.pk])

    def ask(self) -> ConsentQuestion:
        assert browser_of(self.second).post(self.page, {"name": DESK, "ask": "1"}).status_code == 302
        return ConsentQuestion.objects.get()

    def answer(self, given: str) -> None:
        page = reverse("share:question", args=[ConsentQuestion.objects.get().pk])
        assert browser_of(self.first).post(page, {"answer": given}).status_code == 302

    def sent(self) -> Application:
        story.send(story.fresh(self.draft))
        story.advance()
        return story.fresh(self.draft)

    def check(self) -> tuple[str, str]:
        check = checks.checks_of(self.draft.subject).get(kind="not_registered")
        return str(check.outcome), check.finding


@pytest.fixture(scope="module", autouse=True)
@known_networks()
def built(shared: None) -> House:
    first, second = story.a_person(), story.a_person()
    registration = story.registration_of(story.a_granted_application(first))
    address = str(registration.entries.get().block.network_address)
    draft = story.fill(story.a_draft(second))
    endpoint = story.add(draft, address)
    story.prove(endpoint)
    return House(first, second, registration, story.fresh(draft), endpoint)


@pytest.fixture
def house(built: House) -> House:
    return deepcopy(built)


def text(browser: Client, place: str) -> str:
    answer = browser.get(place)
    assert answer.status_code == 200, (place, answer.status_code)
    return answer.content.decode()


class TestNobodyCanAsk:
    """Whether an address is registered is told only to whoever has proved control of it."""

    def unproved(self, house: House) -> tuple[Application, Endpoint, Client]:
        person = story.a_person()
        draft = story.fill(story.a_draft(person))
        return draft, story.add(draft, house.address), browser_of(person)

    def test_before_the_proof_every_page_says_the_same_as_of_a_free_address(self, house: House) -> None:
        person = story.a_person()
        draft = story.fill(story.a_draft(person))
        held, free = story.add(draft, house.address), story.add(draft, "203.0.113.251")
        browser = browser_of(person)
        for endpoint in (held, free):
            answer = browser.get(reverse("portal:share", args=[draft.reference, endpoint.pk]))
            assert answer.status_code == 302
            assert answer["Location"] == reverse("portal:prove", args=[draft.reference, endpoint.pk])
        story.send(story.fresh(draft))
        story.advance()
        shown = text(browser, reverse("portal:status", args=[draft.reference]))
        assert "already registered" not in shown and "has" not in re.findall(r"Somebody else (\w+)", shown)

    def test_a_post_without_the_proof_asks_nobody(self, house: House) -> None:
        draft, endpoint, browser = self.unproved(house)
        browser.post(reverse("portal:share", args=[draft.reference, endpoint.pk]), {"name": DESK, "ask": "1"})
        assert not SharingRequest.objects.exists() and not Letter.objects.filter(template="share_asked").exists()

    def test_the_application_of_another_opens_no_page(self, house: House) -> None:
        assert browser_of(story.a_person()).get(house.page).status_code == 404

    def test_after_the_proof_the_page_offers_to_share_and_names_nobody(self, house: House) -> None:
        browser = browser_of(house.second)
        proved = text(browser, reverse("portal:prove", args=[house.draft.reference, house.endpoint.pk]))
        assert house.page in proved
        shown = text(browser, house.page)
        assert "Ask to share it" in shown
        for hidden in (house.first.name, house.first.email, house.registration.reference):
            assert hidden not in proved + shown


class TestAsking:
    def test_writes_to_the_holder_with_the_chosen_name_and_nothing_else_of_the_file(self, house: House) -> None:
        house.ask()
        letter = Letter.objects.get(template="share_asked")
        assert letter.to == house.first and DESK in letter.text and house.address in letter.text
        page = text(browser_of(house.first), reverse("share:question", args=[ConsentQuestion.objects.get().pk]))
        home = text(browser_of(house.first), reverse("portal:home"))
        assert DESK in page and "1 question about sharing an address" in home and "Something waits for you" in home
        for hidden in (house.second.name, house.second.email, house.draft.reference):
            assert hidden not in letter.text + page
        with connection.cursor() as cursor:
            cursor.execute("SELECT share_sharingrequest::text FROM share_sharingrequest")
            assert DESK not in cursor.fetchone()[0], "the name is encrypted"
        assert not Row.objects.filter(detail__icontains="Desk 7").exists()

    def test_twice_is_once(self, house: House) -> None:
        house.ask()
        browser_of(house.second).post(house.page, {"name": "Another name", "ask": "1"})
        assert SharingRequest.objects.get().name == DESK

    def test_covers_all_ports_of_the_address_at_once(self, house: House) -> None:
        other = story.add(house.draft, house.address, port=1194)
        story.prove(other)
        house.ask()
        page = text(browser_of(house.second), reverse("portal:share", args=[house.draft.reference, other.pk]))
        assert "We have asked whether it is shared" in page
        application = house.sent()
        house.answer("yes")
        story.advance()
        found = checks.checks_of(application.subject).filter(kind="not_registered")
        assert {(str(each.outcome), each.finding) for each in found} == {("passed", "shared")}
        assert len(found) == 2 and story.fresh(application).status == "granted"

    @pytest.mark.parametrize("name", ["", "   ", "x" * 81, "Sign in at rahdari-gov.example", "Call 0300 1234567"])
    def test_wants_a_name_that_can_be_read(self, house: House, name: str) -> None:
        shown = browser_of(house.second).post(house.page, {"name": name, "ask": "1"}).content.decode()
        assert 'class="err"' in shown and not SharingRequest.objects.exists()

    def test_by_many_fills_no_mailbox_and_the_page_has_them_all(self, house: House) -> None:
        terms = queries.terms()
        assert terms is not None
        for number in range(actions.LETTERS_AT_ONCE + 2):
            actions.ask(
                subject=f"endpoint:{uuid.uuid4()}",
                block=house.endpoint.network,
                holder=uuid.uuid4(),
                name=f"Desk {number}",
                asked_by="person:9",
                terms=terms,
                now=timezone.now(),
            )
        assert Letter.objects.filter(template="share_asked").count() == actions.LETTERS_AT_ONCE
        shown = text(browser_of(house.first), reverse("share:sharing"))
        assert all(f"Desk {number}" in shown for number in range(actions.LETTERS_AT_ONCE + 2))
        actions.remind(now=timezone.now() + terms.remind_after)
        assert Letter.objects.filter(template="share_asked").count() == 2 * actions.LETTERS_AT_ONCE, "nor do reminders"

    def test_again_and_again_fills_no_mailbox(self, house: House) -> None:
        terms, now = queries.terms(), timezone.now()
        assert terms is not None
        for number in range(actions.LETTERS_AT_ONCE + 3):
            at = now + dt.timedelta(minutes=number)
            asked = actions.ask(
                subject=house.endpoint.subject,
                block=house.endpoint.network,
                holder=house.second.holder_ref,
                name=f"Desk {number}",
                asked_by="person:9",
                terms=terms,
                now=at,
            )
            queries.CO_HOLDER.withdraw(asked, actor="person:9", now=at)
        assert Letter.objects.filter(template="share_asked").count() == actions.LETTERS_AT_ONCE

    def test_is_taken_back_by_whoever_asked(self, house: House) -> None:
        question = house.ask()
        browser_of(house.second).post(house.page, {"withdraw": "1"})
        assert SharingRequest.objects.get().state == "withdrawn"
        page = reverse("share:question", args=[question.pk])
        assert "This question is over" in text(browser_of(house.first), page)
        browser_of(house.first).post(page, {"answer": "yes"})
        assert not CoHolder.objects.exists()

    def test_is_answered_by_one_of_two_buttons(self, house: House) -> None:
        page = reverse("share:question", args=[house.ask().pk])
        shown = browser_of(house.first).post(page, {"answer": "perhaps"}).content.decode()
        assert "Press one of the two buttons" in shown and ConsentQuestion.objects.get().reply == "waiting"

    def test_only_the_holder_opens_the_question(self, house: House) -> None:
        page = reverse("share:question", args=[house.ask().pk])
        absent = reverse("share:question", args=[uuid.uuid4()])
        for person in (house.second, story.a_person(), story.an_officer()):
            for method in ("get", "post"):
                answers = [getattr(browser_of(person), method)(each, {"answer": "yes"}) for each in (page, absent)]
                assert [each.status_code for each in answers] == [404, 404]
        assert ConsentQuestion.objects.get().reply == "waiting"


class TestAgreed:
    def test_both_are_registered_and_the_feed_has_one_line(self, house: House) -> None:
        house.ask()
        application = house.sent()
        assert application.status == "submitted" and house.check()[0] == "waiting"
        house.answer("yes")
        story.advance()
        assert house.check() == ("passed", "shared")
        assert story.fresh(application).status == "granted"
        second = story.registration_of(application)
        mine, theirs = house.registration.entries.get(), second.entries.get()
        assert theirs.line == mine and mine.ended_at is None
        assert Letter.objects.filter(template="share_agreed", to=house.second).count() == 1
        acts = set(Row.objects.values_list("act", flat=True))
        assert {"share.asked", "share.replied", "share.answered", "register.let_in"} <= acts

    def test_before_the_application_is_sent_it_is_granted_by_rule_like_any_other(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        story.advance()
        assert "Everybody who has it agreed" in text(browser_of(house.second), house.page)
        assert house.sent().status == "granted"

    def test_after_it_went_to_an_officer_who_has_not_touched_it_is_granted_by_rule(self, house: House) -> None:
        application = house.sent()
        assert story.case_of(application).lane == "review" and application.status == "submitted"
        house.ask()
        story.advance()
        assert story.fresh(application).status == "submitted"
        house.answer("yes")
        story.advance()
        assert story.fresh(application).status == "granted"
        decision = story.case_of(application).decisions.get()
        assert decision.decided_by.startswith("rule:") and decision.entered_at is not None
        assert Letter.objects.filter(template="application_granted", to=house.second).count() == 1
        acts = [row.act for row in Row.objects.filter(subject=application.subject, act__startswith="decide.")]
        assert sorted(acts) == ["decide.entered", "decide.granted_by_rule", "decide.opened_case"]
        page = text(browser_of(house.second), reverse("portal:registration", args=[decision.registration.reference]))
        assert house.address in page

    def test_after_an_officer_took_it_the_check_passes_and_the_officer_reads_why(self, house: House) -> None:
        application = house.sent()
        officer = story.an_officer()
        assignment.take_case(case=story.case_of(application), officer=officer, now=timezone.now())
        assert house.check() == ("failed", "registered_by_another")
        status = text(browser_of(house.second), reverse("portal:status", args=[application.reference]))
        assert house.page in status
        house.ask()
        house.answer("yes")
        story.advance()
        assert house.check() == ("passed", "shared")
        assert story.fresh(application).status == "submitted", "it is the officer's"
        case = text(browser_of(officer), reverse("decide:case", args=[application.reference]))
        assert "is shared: everybody who has it agreed on" in case
        assert house.first.name not in case and house.registration.reference not in case

    def test_the_pages_of_both_say_so_and_the_public_check_says_nothing(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        second = story.registration_of(house.sent())
        shared = text(browser_of(house.first), reverse("share:sharing"))
        assert DESK in shared and house.second.name not in shared
        theirs = text(browser_of(house.second), reverse("share:sharing"))
        assert "A person who had the address before you" in theirs and house.first.name not in theirs
        for person, registration in ((house.first, house.registration), (house.second, second)):
            page = reverse("portal:registration", args=[registration.reference])
            assert "Shared with others" in text(browser_of(person), page)
            answer = Client().get(reverse("portal:check_number"), {"number": registration.reference})
            assert answer.status_code in {200, 302} and "hared" not in answer.content.decode()

    def test_what_runs_there_is_not_changed_under_the_other(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        house.sent()
        entry = house.registration.entries.get()
        place = reverse("portal:change_entry", args=[house.registration.reference, entry.pk])
        answer = browser_of(house.first).get(place, follow=True)
        assert "This address is shared. Add the other protocol or port" in answer.content.decode()

    def test_an_application_that_is_withdrawn_leaves_nobody_behind(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        story.advance()
        assert CoHolder.objects.filter(ended_at=None).count() == 2
        browser_of(house.second).post(reverse("portal:withdraw", args=[house.draft.reference]))
        story.advance()
        assert not CoHolder.objects.filter(ended_at=None).exists()
        assert house.registration.entries.get().shared is None, "the first has it alone again"


class TestNotAgreed:
    def test_a_no_goes_to_an_officer_blames_nobody_and_may_be_asked_again_later(self, house: House) -> None:
        house.ask()
        house.sent()
        house.answer("no")
        story.advance()
        assert house.check() == ("failed", "share_declined")
        assert checks.checks_of(house.draft.subject).get(kind="not_registered").reason_code == ""
        letter = Letter.objects.get(template="share_not_agreed")
        assert letter.to == house.second and "did not agree" in letter.text
        page = text(browser_of(house.second), house.page)
        assert "They did not agree" in page and "You may ask them again from" in page and 'name="ask"' not in page
        browser_of(house.second).post(house.page, {"name": DESK, "ask": "1"})
        assert SharingRequest.objects.count() == 1
        assert house.registration.entries.get().shared is None

    def test_silence_is_reminded_once_then_ends_with_a_clear_text(self, house: House) -> None:
        house.ask()
        house.sent()
        terms = queries.terms()
        assert terms is not None
        now = timezone.now()
        for _ in range(2):
            workflow.advance(now=now + terms.remind_after)
        assert Letter.objects.filter(template="share_asked").count() == 2
        workflow.advance(now=now + terms.answer_within + DAY)
        assert SharingRequest.objects.get().state == "silent" and house.check() == ("failed", "share_silent")
        assert "did not answer in time" in Letter.objects.get(template="share_not_agreed").text

    def test_when_the_holder_has_gone_there_is_nothing_to_ask(self, house: House) -> None:
        house.ask()
        application = house.sent()
        register.strike_out(registration=house.registration, code="X1", actor="person:1", now=timezone.now())
        story.advance()
        assert SharingRequest.objects.get().state == "void" and house.check() == ("passed", "free")
        story.advance()
        assert story.fresh(application).status == "granted"

    def test_a_range_around_it_is_not_shared_and_the_page_says_the_way_out(self, house: House) -> None:
        first = Entry.objects.get()
        address_changes.end_entry(entry=first, why="yield", now=timezone.now())
        block = first.block.supernet(new_prefix=29)
        address_changes.add_entry(
            registration=house.registration,
            new=NewEntry("endpoint:wide", block, "any", None, 64500),
            actor="person:1",
            now=timezone.now(),
        )
        page = text(browser_of(house.second), house.page)
        assert "It cannot be shared" in page and "an address of your own" in page and 'name="ask"' not in page


class TestStopping:
    def shared(self, house: House) -> CoHolder:
        house.ask()
        house.answer("yes")
        house.sent()
        return CoHolder.objects.get(holder=house.second.holder_ref)

    def test_with_notice_a_letter_and_an_end_for_one_while_the_address_stays(self, house: House) -> None:
        sharer = self.shared(house)
        browser = browser_of(house.first)
        place = reverse("share:stop", args=[sharer.pk])
        assert "Give notice" in text(browser, place)
        browser.post(place, {"stop": "1"})
        sharer.refresh_from_db()
        assert sharer.leaves_at is not None
        letter = Letter.objects.get(template="share_notice")
        assert letter.to == house.second and house.first.name not in letter.text
        told = f"You share this address until {values.when(sharer.leaves_at)}"
        assert told in text(browser_of(house.second), reverse("share:sharing"))
        workflow.advance(now=sharer.leaves_at - DAY)
        assert Entry.objects.filter(ended_at=None).count() == 2
        workflow.advance(now=sharer.leaves_at)
        assert Entry.objects.get(ended_at=None).registration == house.registration
        assert Letter.objects.filter(template="share_ended", to=house.second).count() == 1

    def test_is_taken_back_by_whoever_gave_the_notice(self, house: House) -> None:
        sharer = self.shared(house)
        place = reverse("share:stop", args=[sharer.pk])
        browser_of(house.first).post(place, {"stop": "1"})
        browser_of(house.first).post(place, {"back": "1"})
        sharer.refresh_from_db()
        assert sharer.leaves_at is None
        assert Letter.objects.filter(template="share_goes_on", to=house.second).count() == 1

    def test_is_not_for_the_second_who_leaves_by_changing_addresses(self, house: House) -> None:
        self.shared(house)
        first = CoHolder.objects.get(holder=house.first.holder_ref)
        for person, sharer in ((house.second, first), (story.a_person(), first)):
            answer = browser_of(person).post(reverse("share:stop", args=[sharer.pk]), {"stop": "1"})
            assert answer.status_code == 404
        assert not CoHolder.objects.exclude(leaves_at=None).exists()

    def test_the_name_is_forgotten_some_time_after_nobody_shares(self, house: House) -> None:
        self.shared(house)
        second = Registration.objects.get(holder=house.second.holder_ref)
        now = timezone.now()
        terms = queries.terms()
        assert terms is not None
        workflow.advance(now=now + terms.name_kept + DAY)
        assert SharingRequest.objects.get().name == DESK, "as long as they share it"
        register.strike_out(registration=second, code="X1", actor="person:1", now=now + terms.name_kept + 2 * DAY)
        workflow.advance(now=now + 2 * terms.name_kept + 4 * DAY)
        assert not any(each.name for each in SharingRequest.objects.all())
        # Nor does the register know whose part in the block it was.
        assert not CoHolder.objects.filter(holder=house.second.holder_ref).exists()

    def test_a_name_is_forgotten_though_others_share_for_years(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.shared(house)
        monkeypatch.setattr(actions.erase_names, "at_most", 1)
        terms = queries.terms()
        assert terms is not None
        later = timezone.now() + DAY
        asked = actions.ask(
            subject=f"endpoint:{uuid.uuid4()}",
            block=house.endpoint.network,
            holder=uuid.uuid4(),
            name="Desk 8",
            asked_by="person:9",
            terms=terms,
            now=later,
        )
        queries.CO_HOLDER.withdraw(asked, actor="person:9", now=later)
        forgotten = [actions.erase_names(now=later + terms.name_kept + DAY) for _ in range(2)]
        asked.refresh_from_db()
        assert forgotten == [0, 1] and asked.name == ""


class TestTheDatabase:
    def test_keeps_what_was_answered(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        question = ConsentQuestion.objects.filter(reply="yes")
        for act in (
            lambda: question.update(reply="no"),
            lambda: question.delete(),
            lambda: SharingRequest.objects.update(state="declined"),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                act()

    def test_third_holder_is_asked_of_both(self, house: House) -> None:
        house.ask()
        house.answer("yes")
        house.sent()
        third = story.a_person()
        terms = queries.terms()
        assert terms is not None
        request = actions.ask(
            subject=f"endpoint:{uuid.uuid4()}",
            block=house.endpoint.network,
            holder=third.holder_ref,
            name="Desk 8",
            asked_by="person:3",
            terms=terms,
            now=timezone.now(),
        )
        asked = set(request.questions.values_list("holder", flat=True))
        assert asked == {house.first.holder_ref, house.second.holder_ref}
        one, two = request.questions.all()
        actions.answer(question=one, given="yes", actor="person:1", now=timezone.now())
        assert entries.sharer_of(block=house.endpoint.network, holder=third.holder_ref) is None
        actions.answer(question=two, given="yes", actor="person:2", now=timezone.now())
        assert entries.sharer_of(block=house.endpoint.network, holder=third.holder_ref) is not None
