"""A mobile number: asked for, confirmed by the code that was sent to it, taken away."""

import datetime as dt
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.journal import queries as journal
from rahdari.people import actions
from rahdari.people.models import User
from rahdari.sms import codes, numbers, queries
from rahdari.sms.models import ContactNumber, Message
from tests import urdu

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+923001234567", "+923331234567"


@pytest.fixture(autouse=True)
def sms(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.SMS_FOLDER = tmp_path / "sms"
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_allowance")


def a_person(email: str = "freelancer@client.example", language: str = "en") -> User:
    return actions.register_person(email=email, language=language, name="Sample Freelancer 31", now=timezone.now())


def ask(user: User, number: str = NUMBER, *, now: dt.datetime | None = None, network: str = "192.0.2.1") -> str:
    """Ask for a code; what it is stands in the SMS alone."""
    numbers.ask_for_number(user=user, number=number, network=network, language="en", now=now or timezone.now())
    return code_of(user)


def code_of(user: User) -> str:
    text = Message.objects.filter(person=user.pk).latest("written_at").text
    return next(line for line in text.split("\n") if re.fullmatch(r"\d{6}", line))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


class TestAskForNumber:
    def test_sends_a_code_to_it_and_uses_it_for_nothing_yet(self) -> None:
        user = a_person()
        ask(user)
        (message,) = Message.objects.all()
        assert (message.number, message.urgent) == (NUMBER, True)
        assert queries.number_for_notes(user) == ""
        assert journal.about(f"person:{user.pk}")[0].act == "sms.asked_for_number"

    def test_keeps_number_and_code_unreadable(self) -> None:
        user = a_person()
        code = ask(user)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sms_contactnumber")
            # Identifiers and moments have digits of their own.
            written = [each for each in cursor.fetchone() if isinstance(each, str | bytes | memoryview)]
        stored = b"\n".join(each.encode() if isinstance(each, str) else bytes(each) for each in written)
        assert b"300123" not in stored and code.encode() not in stored

    def test_is_limited_for_a_person_a_number_and_a_household(self) -> None:
        user = a_person()
        for _ in range(codes.CODES_TO_A_NUMBER):
            ask(user)
        with pytest.raises(codes.TooManyCodes) as caught:
            ask(user)
        assert caught.value.wait > dt.timedelta(minutes=1)

    def test_leaves_codes_for_the_owner_whatever_a_stranger_asked_for(self) -> None:
        stranger, owner = a_person("stranger@client.example"), a_person()
        for _ in range(codes.CODES_TO_A_NUMBER):
            ask(stranger, network="198.51.100.1")
        ask(owner)
        assert Message.objects.count() == codes.CODES_TO_A_NUMBER + 1

    def test_says_nothing_of_codes_that_others_asked_for_and_sends_no_more(self) -> None:
        for each in range(3):
            user = a_person(f"asker-{each}@client.example")
            for _ in range(codes.CODES_TO_A_NUMBER):
                numbers.ask_for_number(
                    user=user, number=NUMBER, network=f"198.51.100.{each}", language="en", now=timezone.now()
                )
        assert Message.objects.count() == codes.CODES_TO_A_NUMBER_BY_ALL

    def test_is_refused_where_no_sms_is_sent(self, settings: Any) -> None:
        settings.SMS_FOLDER = None
        with pytest.raises(codes.SmsNotSetUp):
            ask(a_person())


class TestConfirmNumber:
    def test_takes_the_code_once(self) -> None:
        user = a_person()
        code = ask(user)
        kept = numbers.confirm_number(user=user, code=code, now=timezone.now())
        assert queries.number_for_notes(user) == NUMBER == kept.number
        assert (kept.asked, kept.code) == ("", "")
        with pytest.raises(codes.NoCodeWaiting):
            numbers.confirm_number(user=user, code=code, now=timezone.now())

    def test_counts_wrong_ones_and_ends_after_three(self) -> None:
        user = a_person()
        code = ask(user)
        for left in (2, 1):
            with pytest.raises(codes.CodeWrong) as caught:
                numbers.confirm_number(user=user, code=wrong(code), now=timezone.now())
            assert caught.value.tries_left == left
        for given in (wrong(code), code):
            with pytest.raises(codes.CodeEnded) as ended:
                numbers.confirm_number(user=user, code=given, now=timezone.now())
            assert ended.value.why == "tries"
        assert queries.number_for_notes(user) == ""

    def test_ends_after_ten_minutes(self) -> None:
        user, now = a_person(), timezone.now()
        code = ask(user, now=now)
        with pytest.raises(codes.CodeEnded):
            numbers.confirm_number(user=user, code=code, now=now + codes.CODE_LASTS)
        numbers.confirm_number(user=user, code=code, now=now + codes.CODE_LASTS - dt.timedelta(seconds=1))

    def test_of_a_new_number_leaves_the_old_one_in_use_until_then(self) -> None:
        user = a_person()
        numbers.confirm_number(user=user, code=ask(user), now=timezone.now())
        code = ask(user, OTHER)
        assert queries.number_for_notes(user) == NUMBER
        numbers.confirm_number(user=user, code=code, now=timezone.now())
        assert queries.number_for_notes(user) == OTHER

    def test_takes_nobody_elses_code(self) -> None:
        user, other = a_person(), a_person("another@client.example")
        code = ask(user)
        ask(other, OTHER)
        if code_of(other) != code:
            with pytest.raises(codes.CodeWrong):
                numbers.confirm_number(user=other, code=code, now=timezone.now())


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_have_three_tries_together(self) -> None:
        user = a_person()
        code = ask(user)
        start, said = threading.Barrier(8), []

        def guess() -> None:
            start.wait()
            try:
                numbers.confirm_number(user=user, code=wrong(code), now=timezone.now())
            except (codes.CodeWrong, codes.CodeEnded) as error:
                said.append(type(error))
            finally:
                connection.close()

        threads = [threading.Thread(target=guess) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said.count(codes.CodeWrong) == 2 and said.count(codes.CodeEnded) == 6
        assert ContactNumber.objects.get().tries == 3


class TestRemoveNumber:
    def test_deletes_it_at_once(self) -> None:
        user = a_person()
        numbers.confirm_number(user=user, code=ask(user), now=timezone.now())
        numbers.remove_number(user=user, now=timezone.now())
        assert not ContactNumber.objects.exists()
        assert journal.about(f"person:{user.pk}")[0].act == "sms.removed_number"


class TestThePages:
    def client(self, user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_lead_from_the_account_to_a_confirmed_number_and_back(self, language: str) -> None:
        user = a_person(language=language)
        browser = self.client(user)
        pages = [browser.get(reverse("people:account")).text]
        assert reverse("people:number") in pages[0]
        pages.append(browser.get(reverse("people:number")).text)
        answer = browser.post(reverse("people:number"), {"number": "0300 1234567"}, follow=True)
        pages.append(answer.text)
        assert answer.redirect_chain[-1][0] == reverse("people:number_code")
        assert NUMBER in answer.text
        pages.append(browser.post(reverse("people:number_code"), {"code": wrong(code_of(user))}).text)
        answer = browser.post(reverse("people:number_code"), {"code": code_of(user)}, follow=True)
        pages.append(answer.text)
        assert NUMBER in answer.text
        pages.append(browser.post(reverse("people:choose_notes"), {"notes": "no"}, follow=True).text)
        assert queries.number_for_notes(user) == ""
        browser.post(reverse("people:choose_notes"), {"notes": "yes"})
        assert queries.number_for_notes(user) == NUMBER
        pages.append(browser.post(reverse("people:remove_number"), follow=True).text)
        assert queries.contact_number(user) is None
        if language == "ur":
            for page in pages:
                assert urdu.page_problems(page) == []

    @pytest.mark.parametrize(
        ("number", "says"),
        [
            ("", "Enter a mobile number"),
            ("0300 12345", "A mobile number has 11 digits and begins with 03."),
            ("0421 1234567", "A mobile number has 11 digits and begins with 03."),
            ("mine", "A mobile number has digits only. Leave letters out."),
            ("+44 7700 900123", "Enter a mobile number of Pakistan: we cannot send SMS to other countries."),
        ],
    )
    def test_say_what_is_wrong_with_a_number(self, number: str, says: str) -> None:
        answer = self.client(a_person()).post(reverse("people:number"), {"number": number})
        assert answer.status_code == 422 and says in answer.text

    def test_say_when_too_many_codes_were_sent(self) -> None:
        user = a_person()
        for _ in range(codes.CODES_TO_A_NUMBER):
            ask(user)
        answer = self.client(user).post(reverse("people:number"), {"number": NUMBER})
        assert answer.status_code == 422
        assert re.search(r"Too many codes were sent. Ask again in \d+ minutes.", answer.text)

    def test_say_how_many_tries_are_left_and_when_a_code_has_ended(self) -> None:
        user = a_person()
        code = ask(user)
        browser = self.client(user)
        for says in ("2 tries are left", "1 try is left", "You entered this code wrong 3 times"):
            answer = browser.post(reverse("people:number_code"), {"code": wrong(code)})
            assert answer.status_code == 422 and says in answer.text
        assert "You entered this code wrong 3 times" in browser.get(reverse("people:number_code")).text
        ContactNumber.objects.update(tries=0, code_until=timezone.now())
        assert "This code is too old" in browser.get(reverse("people:number_code")).text

    def test_say_so_where_no_sms_is_sent(self, settings: Any) -> None:
        settings.SMS_FOLDER = None
        browser = self.client(a_person())
        assert reverse("people:number") not in browser.get(reverse("people:account")).text
        assert "This register sends no SMS" in browser.get(reverse("people:number")).text
        answer = browser.post(reverse("people:number"), {"number": NUMBER})
        assert answer.status_code == 422 and "This register sends no SMS" in answer.text
