"""Notes by SMS: written with the letter, taken once by one provider, and what became of them."""

import datetime as dt
import hashlib
import hmac
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from rahdari.delivery import rules
from rahdari.delivery.models import ProviderHealth
from rahdari.letters import actions
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.sms import actions as messages
from rahdari.sms import codes, queries
from rahdari.sms.models import ContactNumber, EarlyDeliveryReport, Message, SmsSegment
from rahdari.sms.providers import Accepted, Away, Refused, Report, Unclear
from tests.builders.letters import FACTS, NOW, a_reader

from .gateway import open_gateway
from .obedient import ObedientProvider

pytestmark = pytest.mark.django_db
NUMBER = "+923001234567"
State = Message.State
# 22:30 in Karachi; the quiet hours of the bundled policy end at 08:00, which is 03:00 UTC.
AT_NIGHT = dt.datetime(2026, 11, 10, 17, 30, tzinfo=dt.UTC)
MORNING = dt.datetime(2026, 11, 11, 3, 0, tzinfo=dt.UTC)


def a_reader_with_number(language: str = "en") -> User:
    reader = a_reader(language=language)
    index = codes.index_of(NUMBER)
    ContactNumber.objects.create(person=reader.pk, number=NUMBER, index=index, confirmed_at=NOW)
    return reader


def a_letter(reader: User, template: str = "application_granted", *, now: dt.datetime = NOW) -> Letter:
    return actions.write_letter(to=reader, template=template, about="application:1", context=FACTS[template], now=now)


def note_of(letter: Letter) -> Message | None:
    return Message.objects.filter(letters__letter=letter.pk).first()


def a_note(language: str = "en") -> Message:
    message = note_of(a_letter(a_reader_with_number(language)))
    assert message is not None
    return message


def two() -> tuple[ObedientProvider, ObedientProvider]:
    return ObedientProvider(name="a", told=messages.on_report), ObedientProvider(name="b", told=messages.on_report)


def send(message: Message, *providers: ObedientProvider, now: dt.datetime = NOW) -> Message:
    messages.send_due(providers=providers, now=now)
    message.refresh_from_db()
    return message


def next_ones(now: dt.datetime = NOW) -> list[Message]:
    return list(queries.to_send(now=now))


class TestWriteNote:
    def test_goes_with_the_letter_to_whoever_confirmed_a_number(self) -> None:
        message = a_note("ur")
        assert (message.state, message.number, message.language) == (State.QUEUED, NUMBER, "ur")
        assert "A-2611-0482" in message.text and "http" not in message.text
        assert next_ones() == [message]

    def test_does_not_without_a_confirmed_number_or_against_a_wish(self) -> None:
        reader = a_reader()
        ContactNumber.objects.create(person=reader.pk, asked=NUMBER)
        assert note_of(a_letter(reader)) is None
        ContactNumber.objects.all().delete()
        ContactNumber.objects.create(person=reader.pk, number=NUMBER, index="x", confirmed_at=NOW, notes=False)
        assert note_of(a_letter(reader)) is None
        assert next_ones() == []

    def test_does_not_for_a_letter_that_has_none(self) -> None:
        assert note_of(a_letter(a_reader_with_number(), "application_received")) is None

    def test_says_it_once_of_several_letters_while_it_waits(self) -> None:
        reader = a_reader_with_number()
        first, second = (a_letter(reader, now=AT_NIGHT) for _ in range(2))
        assert note_of(first) == note_of(second) is not None
        assert Message.objects.count() == 1

    def test_leaves_no_number_and_no_word_readable_in_the_database(self) -> None:
        message = a_note()
        with connection.cursor() as cursor:
            cursor.execute("SELECT number, text FROM sms_message WHERE id = %s", [message.pk])
            stored = b"".join(bytes(column) for column in cursor.fetchone())
        assert b"300123" not in stored and b"A-2611" not in stored


class TestQuietHours:
    def test_hold_a_note_until_the_morning_and_no_email(self) -> None:
        letter = a_letter(a_reader_with_number(), now=AT_NIGHT)
        message = note_of(letter)
        assert message is not None and message.next_try_at == MORNING
        assert next_ones(AT_NIGHT) == [] and next_ones(MORNING) == [message]
        assert letter.next_try_at == AT_NIGHT

    def test_do_not_hold_a_code_that_was_asked_for_just_now(self) -> None:
        message = messages.write_number_code(to=a_reader(), number=NUMBER, language="en", code="482915", now=AT_NIGHT)
        assert message.next_try_at == AT_NIGHT
        assert next_ones(AT_NIGHT) == [message]

    def test_hold_a_second_try_too(self) -> None:
        evening = dt.datetime(2026, 11, 10, 15, 59, 30, tzinfo=dt.UTC)  # 20:59:30
        message = note_of(a_letter(a_reader_with_number(), now=evening))
        assert message is not None
        first, second = two()
        first.answers.append(Away("busy"))
        second.answers.append(Away("busy"))
        assert send(message, first, second, now=evening).next_try_at == MORNING


class TestSendMessage:
    def test_is_taken_by_the_first_provider(self) -> None:
        first, second = two()
        message = send(a_note(), first, second)
        assert (message.state, message.provider, message.parts) == (State.SENT, "a", 1)
        assert len(first.sent) == 1 and second.asked == 0

    def test_goes_to_the_next_one_with_the_reason_on_the_message(self) -> None:
        first, second = two()
        first.answers.append(Away("not reached"))
        message = send(a_note(), first, second)
        assert (message.state, message.provider) == (State.SENT, "b")
        assert [(one["provider"], one["reason"]) for one in message.attempts] == [("a", "not reached"), ("b", "")]

    def test_goes_to_no_other_when_nobody_knows_whether_it_was_taken(self) -> None:
        first, second = two()
        first.answers.append(Unclear("no answer"))
        message = send(a_note(), first, second)
        assert (message.state, message.unclear, message.reason) == (State.SENT, True, "no answer")
        assert second.asked == 0
        for _ in range(3):
            send(message, first, second, now=NOW + dt.timedelta(hours=1))
        assert first.asked == 1

    def test_is_given_up_when_the_number_is_none(self) -> None:
        first, second = two()
        first.answers.append(Refused("the number is not taken", final=True))
        message = send(a_note(), first, second)
        assert (message.state, message.reason) == (State.FAILED, "the number is not taken")
        assert second.asked == 0

    def test_is_tried_again_when_no_provider_took_it(self) -> None:
        first, second = two()
        first.answers.append(Away("busy"))
        second.answers.append(Refused("HTTP 400"))
        message = send(a_note(), first, second)
        assert (message.state, message.next_try_at) == (State.QUEUED, NOW + rules.WAITS[0])
        message = send(message, first, second, now=NOW + rules.WAITS[0])
        assert (message.state, message.provider, message.tries) == (State.SENT, "a", 2)

    def test_is_no_news_after_two_days(self) -> None:
        first, second = two()
        message = send(a_note(), first, second, now=NOW + rules.NOTE_LASTS)
        assert (message.state, message.reason, first.asked) == (State.FAILED, "too late", 0)

    def test_waits_while_no_provider_is_set_up(self) -> None:
        assert send(a_note()).state == State.QUEUED

    @pytest.mark.parametrize("answer", [None, Unclear("no answer"), Refused("no such number", final=True)])
    def test_forgets_the_number_once_it_is_settled(self, answer: Any) -> None:
        first, _ = two()
        if answer is not None:
            first.answers.append(answer)
        assert send(a_note(), first).number == ""

    def test_forgets_a_code_too(self) -> None:
        first, _ = two()
        code = messages.write_number_code(to=a_reader(), number=NUMBER, language="en", code="482915", now=NOW)
        assert "482915" in code.text
        assert send(code, first).text == ""
        assert "482915" in first.sent[0].body

    def test_writes_no_number_and_no_word_into_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        first, second = two()
        message = a_note()
        with caplog.at_level(logging.DEBUG):
            for _ in range(2):
                first.answers.append(Away("busy"))
                second.answers.append(Away("busy"))
            send(message, first, second)
            send(message, first, second, now=NOW + rules.NOTE_LASTS - dt.timedelta(minutes=1))
        logged = "\n".join(record.getMessage() for record in caplog.records)
        assert str(message.pk) in logged
        assert "1234567" not in logged and "A-2611-0482" not in logged


class TestACircuit:
    def test_opens_after_three_failures_and_closes_after_a_while(self) -> None:
        first, second = two()
        reader = a_reader_with_number()
        for number in range(1, 6):
            first.answers.append(Away("not reached"))
            letter = actions.write_letter(
                to=reader,
                template="application_granted",
                about=f"application:{number}",
                context=FACTS["application_granted"],
                now=NOW,
            )
            message = note_of(letter)
            assert message is not None
            assert send(message, first, second).provider == "b"
        assert first.asked == 3
        (kept,) = ProviderHealth.objects.filter(name="a")
        assert kept.rests_until == NOW + rules.FIRST_REST
        first.answers.clear()
        message = note_of(a_letter(reader))
        assert message is not None
        assert send(message, first, second, now=NOW + rules.FIRST_REST).provider == "a"
        kept.refresh_from_db()
        assert (kept.failures, kept.rests_until) == (0, None)

    def test_rests_longer_each_time_and_half_an_hour_at_most(self) -> None:
        assert rules.rest_after(2) is None
        rests = [rules.rest_after(number) for number in range(3, 60)]
        assert rests[:3] == [dt.timedelta(minutes=1), dt.timedelta(minutes=2), dt.timedelta(minutes=4)]
        assert rests == sorted(rests, key=lambda one: one or dt.timedelta())
        assert rests[-1] == rules.LONGEST_REST


class TestRecordReport:
    def test_delivers_when_every_part_is(self) -> None:
        first, _ = two()
        message = send(a_note("ur"), first)
        references = [one.reference for one in SmsSegment.objects.filter(message=message)]
        assert len(references) == 2
        for reference in references:
            assert message.state == State.SENT
            messages.record_report(provider="a", report=Report(reference, "delivered"), now=NOW)
            message.refresh_from_db()
        assert (message.state, message.closed_at) == (State.DELIVERED, NOW)

    def test_fails_with_the_reason_and_stays_so(self) -> None:
        first, _ = two()
        message = send(a_note(), first)
        first.report(first.sent[0], "waiting", now=NOW)
        first.report(first.sent[0], "failed", "UNDELIV 011", now=NOW)
        first.report(first.sent[0], "delivered", now=NOW)
        message.refresh_from_db()
        assert (message.state, message.reason) == (State.FAILED, "UNDELIV 011")

    def test_is_found_when_it_came_before_our_own_note(self) -> None:
        first, _ = two()
        message = a_note()
        messages.record_report(provider="a", report=Report(f"{message.pk}-1", "delivered"), now=NOW)
        assert send(message, first).state == State.DELIVERED
        assert not EarlyDeliveryReport.objects.exists()

    def test_of_another_provider_means_another_message(self) -> None:
        first, _ = two()
        message = send(a_note(), first)
        messages.record_report(provider="b", report=Report(f"{message.pk}-1", "failed"), now=NOW)
        message.refresh_from_db()
        assert message.state == State.SENT
        assert messages.forget_early_reports(now=NOW + dt.timedelta(days=2)) == 1


class TestLeftAlone:
    def test_is_sent_when_nobody_was_asked_yet(self) -> None:
        first, _ = two()
        message = a_note()
        assert messages._take(NOW) == message  # and the process hangs here
        later = NOW + rules.LEFT_ALONE + dt.timedelta(seconds=1)
        assert next_ones(NOW + rules.LEFT_ALONE) == []
        assert send(message, first, now=later).state == State.SENT

    def test_is_not_sent_again_when_a_provider_may_have_it(self) -> None:
        first, _ = two()
        message = a_note()
        taken = messages._take(NOW)
        assert taken == message
        messages._remember_whom_we_ask(taken, "a")  # the process dies here
        later = NOW + rules.LEFT_ALONE + dt.timedelta(seconds=1)
        message = send(message, first, now=later)
        assert (message.state, message.unclear, message.provider, first.asked) == (State.SENT, True, "a", 0)


@pytest.mark.django_db(transaction=True)
class TestTwoProcesses:
    def test_send_the_same_message_once(self) -> None:
        a_note()
        provider, _ = two()
        start = threading.Barrier(4)

        def run() -> None:
            start.wait()
            try:
                messages.send_due(providers=[provider], now=NOW)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert provider.asked == 1


class TestTheReportOfAGateway:
    """The whole way: configuration, a real gateway, its signed report to our address."""

    SECRET = "a sample secret of the gateway"

    @pytest.fixture
    def sms_file(self, settings: Any, tmp_path: Path) -> Path:
        settings.SMS_PROVIDERS = tmp_path / "sms.toml"
        return tmp_path / "sms.toml"

    def written(self, path: Path, url: str) -> None:
        path.write_text(
            f'[[providers]]\nname = "gateway-a"\nkind = "http"\nurl = "{url}"\n'
            'headers = {Content-Type = "application/json"}\n'
            'body = \'{"to": "{to}", "text": "{text}"}\'\nreference = "messages.0.id"\n'
            f'[providers.reports]\nsecret = "{self.SECRET}"\nheader = "X-Signature"\n'
        )
        path.chmod(0o600)

    def post(self, body: dict[str, str], secret: str = SECRET, name: str = "gateway-a") -> Any:
        content = json.dumps(body).encode()
        signed = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        place = reverse("sms:report", kwargs={"provider": name})
        return Client().post(place, content, content_type="application/json", headers={"X-Signature": signed})

    def test_delivers_the_message(self, sms_file: Path) -> None:
        with open_gateway() as gateway:
            self.written(sms_file, gateway.url)
            assert queries.is_set_up()
            message = a_note()
            messages.send_due(now=NOW)
            assert gateway.taken == [{"to": NUMBER, "text": a_text(message)}]
            assert self.post({"id": "gw-1", "status": "DELIVRD"}).status_code == 204
        message.refresh_from_db()
        assert message.state == State.DELIVERED
        messages.stop_listening()

    def test_is_believed_with_a_signature_only(self, sms_file: Path) -> None:
        self.written(sms_file, "http://127.0.0.1:9/")
        assert self.post({"id": "gw-1", "status": "DELIVRD"}, secret="another").status_code == 401
        assert self.post({"id": "gw-1", "status": "DELIVRD"}, name="elsewhere").status_code == 404
        assert self.post({"id": "gw-1"}).status_code == 422
        assert not EarlyDeliveryReport.objects.exists()
        messages.stop_listening()

    def test_has_no_address_when_the_file_is_unusable(self, sms_file: Path) -> None:
        sms_file.write_text("providers = 3")
        assert self.post({}).status_code == 404
        assert not queries.is_set_up()

    def test_messages_wait_while_the_file_is_unusable_and_the_log_says_so_once(
        self, sms_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        sms_file.write_text("providers = 3")
        a_note()
        assert messages.send_due(now=NOW) == 1
        messages.listen(now=NOW)
        said = [record.getMessage() for record in caplog.records if "No SMS goes out" in record.getMessage()]
        assert len(said) == 1 and "chmod 600" in said[0]


def a_text(message: Message) -> str:
    return Message.objects.get(pk=message.pk).text


class TestMetrics:
    def test_tell_how_long_the_oldest_waits_and_who_fails(self) -> None:
        from rahdari.letters import metrics

        first, second = two()
        first.answers.append(Away("busy"))
        send(a_note(), first, second)
        page = metrics.exposition(now=NOW + dt.timedelta(minutes=3))
        assert 'rahdari_letters_waiting{channel="email"} 1' in page
        assert 'rahdari_letters_oldest_seconds{channel="email"} 180' in page
        assert 'rahdari_letters_oldest_seconds{channel="sms"} 0' in page
        assert 'rahdari_carrier_failures{carrier="a"} 1' in page
        assert NUMBER not in page

    def test_are_told_to_this_machine_only(self) -> None:
        assert Client().get(reverse("letters:metrics")).status_code == 200
        assert Client().get(reverse("letters:metrics"), headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404


class TestAccepted:
    def test_needs_no_reference(self) -> None:
        """A gateway that reports on nothing: the message stays sent."""
        first, _ = two()
        first.answers.append(Accepted((), 1))
        message = send(a_note(), first)
        assert message.state == State.SENT
