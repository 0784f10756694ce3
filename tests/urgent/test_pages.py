"""The pages of a holder who is cut off and of the desk, in English and Urdu, and the operations that do the same."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from rahdari.figures import counting
from rahdari.journal.models import JournalEntry
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.sms import numbers
from rahdari.urgent import queries
from rahdari.web import values
from tests import urdu
from tests.builders import cut_off, story
from tests.builders.cut_off import ELSEWHERE, NEW
from tests.builders.programs import Program, problem

pytestmark = pytest.mark.django_db


def browser(user: User | None, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    if user is not None:
        client.force_login(user)
    client.cookies["django_language"] = language
    return client


def page_of(found: Registration, name: str = "urgent") -> str:
    return reverse(f"portal:{name}", args=[found.reference])


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>|[\u2066-\u2069]", " ", text).split())


def asked(found: Registration, address: str = NEW) -> dict[str, str]:
    return {"cut_off": str(queries.endpoints_of(found)[0].pk), "block": address}


class TestTheHoldersPages:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_lead_from_the_registration_to_the_list_and_off_it(self, language: str) -> None:
        user, found = cut_off.a_holder(language)
        client = browser(user, language)
        own = client.get(reverse("portal:registration", args=[found.reference]))
        assert page_of(found) in own.text
        pages = [own, client.get(page_of(found))]
        pages.append(client.post(page_of(found), asked(found, "203.0.113.0/28")))
        assert pages[-1].status_code == 422
        sent = client.post(page_of(found), asked(found))
        assert sent["Location"] == page_of(found, "urgent_code")
        pages.append(client.get(sent["Location"]))
        code = cut_off.code_to(user)
        pages.append(client.post(sent["Location"], {"code": cut_off.wrong(code)}))
        assert pages[-1].status_code == 422
        client.post(sent["Location"], {"code": code})
        pages += [client.get(page_of(found)), client.get(reverse("portal:registration", args=[found.reference]))]
        for given in pages[-2:]:
            assert NEW in given.text
        listed = queries.last_of(found)
        assert listed is not None and listed.until is not None
        # It ends within that day.
        with translation.override(language):
            assert values.moment(listed.until) in plain(pages[-1].text)
        client.post(page_of(found, "urgent_stop"))
        pages.append(client.get(page_of(found)))
        row = queries.last_of(found)
        assert row is not None and (row.state, row.why) == ("ended", "stopped")
        if language == "ur":
            assert [str(each) for page in pages for each in urdu.page_problems(page.text)] == []

    def test_say_what_is_awaited_from_whom_until_when_and_begin_it(self) -> None:
        user, found = cut_off.a_granted_holder()
        row, client = cut_off.given(user, found), browser(user)
        said = plain(client.get(page_of(found)).text)
        assert "Who must send it You" in said and "Reason P4" in said
        assert row.until is not None and f"{timezone.localtime(row.until):%-d %B %Y}" in said
        begun = client.post(reverse("portal:change_addresses", args=[found.reference]))
        reference = begun["Location"].rstrip("/").rpartition("/")[2]
        assert NEW in client.get(reverse("apply:addresses", args=[reference])).text

    def test_say_the_same_of_an_address_that_another_has_and_of_an_unknown_one(self) -> None:
        cut_off_elsewhere = cut_off.a_holder(number=cut_off.OTHER_NUMBER)[1].entries.get().block
        user, found = cut_off.a_holder()
        said = []
        for address in (str(cut_off_elsewhere.network_address), ELSEWHERE):
            client = browser(user)
            client.post(page_of(found), asked(found, address))
            answer = client.post(page_of(found, "urgent_code"), {"code": cut_off.code_to(user)}, follow=True)
            said.append(re.sub(r"\s+", " ", answer.text))
            assert "cannot be listed before its proof" in answer.text and address not in answer.text
        tokens = re.compile(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"')
        assert tokens.sub("", said[0]) == tokens.sub("", said[1])

    def test_are_closed_for_others_and_in_production_until_the_code_is_confirmed(self, settings: Any) -> None:
        user, found = cut_off.a_holder()
        assert browser(story.a_person()).get(page_of(found)).status_code == 404
        settings.REASONS_TO_CONFIRM_ALLOWED = False
        assert browser(user).get(page_of(found)).status_code == 404

    def test_need_no_script(self) -> None:
        user, found = cut_off.a_holder()
        text = browser(user).get(page_of(found)).text
        assert "<script" not in text.partition("<main")[2].partition("</main>")[0]


class TestANewNumber:
    """Of a page, a program and the desk: from which day on it counts, and what can be done until then."""

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_counts_from_a_day_that_is_named(self, language: str) -> None:
        confirmed = timezone.now() - dt.timedelta(days=2)
        user, found = cut_off.a_holder(language)
        cut_off.with_number(user, cut_off.OTHER_NUMBER, since=confirmed)
        terms = queries.terms()
        assert terms is not None
        day = values.day(confirmed + terms.known_for)
        page = browser(user, language).get(page_of(found))
        officer = browser(cut_off.an_officer(), language)
        desk = officer.post(reverse("urgent:desk"), {"number": found.reference}, follow=True)
        if language == "ur":
            assert [str(each) for one in (page, desk) for each in urdu.page_problems(one.text)] == []
        else:
            assert all(day in plain(each.text) for each in (page, desk))
            assert "Now the caller can apply to change their addresses" in plain(desk.text)
            assert "Call the office" not in plain(desk.text)
        numbers.remove_number(user=user, now=timezone.now())
        page = browser(user, language).get(page_of(found))
        if language == "en":
            assert values.day(timezone.now() + terms.known_for) in plain(page.text)


class TestTheDesk:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_hears_a_holder_with_two_officers(self, language: str) -> None:
        user, found = cut_off.a_holder()
        first, second = cut_off.an_officer(), cut_off.an_officer()
        one, two = browser(first, language), browser(second, language)
        desk = reverse("urgent:desk")
        opened = one.post(desk, {"number": found.reference})
        pages = [one.get(desk), one.post(desk, {"number": "RD-4F7K-92MQ"}), one.get(opened["Location"])]
        assert pages[1].status_code == 422
        # Of the number its end alone.
        assert "…233" in pages[2].text and cut_off.NUMBER[3:] not in pages[2].text
        sent = one.post(opened["Location"], {"person": str(user.pk), **asked(found)})
        pages.append(one.get(sent["Location"]))
        one.post(sent["Location"], {"code": cut_off.code_to(user)})
        pages += [one.get(sent["Location"]), two.get(desk), two.get(sent["Location"])]
        second_one = sent["Location"] + "second/"
        assert second_one not in pages[-3].text and second_one in pages[-1].text
        one.post(second_one)
        assert found.entries.count() == 1
        two.post(second_one)
        pages.append(two.get(sent["Location"]))
        row = queries.last_of(found)
        assert row is not None and (row.state, row.opened_by, row.seconded_by) == ("given", first, second)
        assert found.entries.count() == 2
        if language == "ur":
            assert [str(each) for page in pages for each in urdu.page_problems(page.text)] == []
        # Each look is on record, and the holder reads of it.
        reads = JournalEntry.objects.filter(act__startswith="urgent.read_").values_list("act", "actor")
        assert {("urgent.read_registration", f"officer:{first.pk}"), ("urgent.read_call", f"officer:{second.pk}")} <= {
            *reads
        }
        looks = plain(browser(user).get(reverse("portal:registration", args=[found.reference])).text)
        assert "You telephoned because you are cut off" in looks

    def test_shows_the_number_to_call_back_to_whoever_has_the_call_alone(self, settings: Any) -> None:
        user, found = cut_off.a_holder()
        settings.SMS_FOLDER = None
        first = cut_off.an_officer()
        row = cut_off.a_call(user, found, first)
        place = reverse("urgent:call", args=[row.pk])
        assert cut_off.NUMBER in browser(first).get(place).text
        assert cut_off.NUMBER not in browser(cut_off.an_officer()).get(place).text
        assert JournalEntry.objects.filter(act="urgent.read_number").count() == 1
        browser(first).post(place + "called-back/")
        browser(first).post(place + "decline/")
        row.refresh_from_db()
        assert (row.state, row.why, row.asked) == ("closed", "declined", "")

    def test_tells_an_officer_nothing_of_a_registration_of_their_own(self) -> None:
        user, found = cut_off.a_holder()
        people.appoint(user=user, role="officer", actor="system:test", now=timezone.now())
        answer = browser(user).post(reverse("urgent:desk"), {"number": found.reference})
        assert answer.status_code == 422
        assert browser(user).get(reverse("urgent:registration", args=[found.reference])).status_code == 404


def test_the_figures_count_what_was_listed_and_what_came_of_it() -> None:
    ids, month = ("urgent_listed", "urgent_settled"), timezone.localdate().replace(day=1)
    before = counting.count(month, ids).numbers
    user, found = cut_off.a_holder()
    cut_off.given(user, found)
    assert Program(user).delete(f"/registrations/{found.reference}/urgent").status_code == 204
    after = counting.count(month, ids).numbers
    assert after["urgent_listed"]["all"] - before["urgent_listed"]["all"] == 1
    assert after["urgent_settled"]["ended"] - before["urgent_settled"]["ended"] == 1
    assert after["urgent_settled"]["proved"] == before["urgent_settled"]["proved"]


class TestPrograms:
    def test_do_the_same_with_the_code_of_the_person(self) -> None:
        user, found = cut_off.a_holder()
        program, place = Program(user), f"/registrations/{found.reference}/urgent"
        first = program.get(place).said
        assert (first["state"], first["may_ask"], first["why_not"]) == ("none", True, "")
        problem(program.post(f"{place}/code", {"code": "123456"}), 409, "not-possible-now")
        refused = program.post(place, asked(found, "10.0.0.1"))
        assert refused.status_code == 422
        sent = program.post(place, asked(found))
        assert (sent.status_code, sent.said["state"], sent.said["address"]) == (202, "asked", NEW)
        code = cut_off.code_to(user)
        assert program.post(f"{place}/code", {"code": cut_off.wrong(code)}).status_code == 422
        given = program.post(f"{place}/code", {"code": code}).said
        assert (given["state"], given["reason"], given["why_not"]) == ("given", "P4", "one_open")
        assert program.delete(place).status_code == 204
        assert program.get(place).said["state"] == "ended"
        assert Program().get(place).status_code == 404
