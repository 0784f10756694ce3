import datetime as dt
import email
import logging
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from rahdari.db import queues
from rahdari.db.connections import backend_of
from rahdari.db.wake import Channel
from rahdari.delivery import rules
from rahdari.letters import actions, queries, sending
from rahdari.letters.models import Letter, LetterState
from rahdari.people.models import User
from tests.builders.letters import FACTS, NOW, a_reader
from tests.ports import free_port
from tests.waiting import until

from .mail_server import MailServer, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    server = MailServer(free_port())
    settings.MAILERS = server.mailers
    with running(server):
        yield server


def a_letter(template: str = "application_received", *, language: str = "en") -> Letter:
    return actions.write_letter(
        to=a_reader(language=language), template=template, about="application:1", context=FACTS[template], now=NOW
    )


def a_code(address: str = "nobody.yet@sample-freelancer.example") -> Letter:
    return actions.write_sign_in_code(email=address, language="en", code="482915", now=NOW)


def about_one_thing(reader: User, now: dt.datetime) -> Letter:
    facts = FACTS["application_received"]
    return actions.write_letter(
        to=reader, template="application_received", about="application:1", context=facts, now=now
    )


def send(letter: Letter, now: dt.datetime = NOW) -> str:
    """Send what is due; the state of this letter afterwards."""
    sending.send_due(now=now)
    letter.refresh_from_db()
    return letter.state


def is_connected(backend: int) -> bool:
    with connection.cursor() as cursor:
        # PostgreSQL keeps what it saw for the whole transaction.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [backend])
        return bool(cursor.fetchone()[0])


def next_ones(now: dt.datetime = NOW) -> list[Letter]:
    return list(queries.to_send(now=now))


class TestWriteLetter:
    def test_keeps_the_words_and_queues_the_sending(self) -> None:
        letter = a_letter()
        assert letter.subject == "Received: A-2611-0482"
        assert letter.state == LetterState.QUEUED
        assert next_ones() == [letter]

    def test_writes_in_the_language_of_the_reader(self) -> None:
        assert "آپ کی درخواست مل گئی ہے" in a_letter(language="ur").text

    def test_writes_to_nobody_when_the_act_is_rolled_back(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            a_letter()
            raise ZeroDivisionError
        assert not Letter.objects.exists()
        assert next_ones() == []

    def test_leaves_no_word_readable_in_the_database(self) -> None:
        letter = a_letter("application_question")
        with connection.cursor() as cursor:
            cursor.execute("SELECT subject, text, html, address FROM letters_letter WHERE id = %s", [letter.pk])
            stored = b"".join(bytes(column) for column in cursor.fetchone())
        assert len(stored) > len(letter.text)
        for word in (b"A-2611-0482", b"Specimen", b"question"):
            assert word not in stored


class TestWriteOnce:
    def test_writes_the_same_reminder_once(self) -> None:
        reader = a_reader()
        facts = FACTS["registration_expires_soon"]

        def remind(once: str) -> bool:
            return actions.write_once(
                to=reader,
                template="registration_expires_soon",
                about="registration:1",
                once=once,
                context=facts,
                now=NOW,
            )

        assert remind("expires:30") is True
        assert remind("expires:30") is False
        assert remind("expires:7") is True
        assert queries.letters_of(reader).count() == 2


class TestSend:
    def test_hands_the_letter_to_a_real_mail_server(self, mail_server: MailServer) -> None:
        letter = a_letter()
        assert send(letter) == LetterState.SENT
        (taken,) = mail_server.taken
        assert mail_server.recipients == [letter.to.email if letter.to else ""]
        assert taken["Subject"] == letter.subject
        assert taken["Message-ID"] == f"<{letter.pk}@127.0.0.1>"
        assert taken["Auto-Submitted"] == "auto-generated"
        assert [part.get_content_type() for part in taken.iter_parts()] == ["text/plain", "text/html"]
        plain = taken.get_body(("plain",))
        assert plain is not None and plain.get_content().replace("\r\n", "\n") == letter.text

    def test_carries_urdu_whole(self, mail_server: MailServer) -> None:
        letter = a_letter(language="ur")
        send(letter)
        (taken,) = mail_server.taken
        plain = taken.get_body(("plain",))
        assert taken["Subject"] == letter.subject
        assert taken["Content-Language"] == "ur"
        assert plain is not None and plain.get_content().replace("\r\n", "\n") == letter.text

    def test_sends_no_letter_twice(self, mail_server: MailServer) -> None:
        letter = a_letter()
        for _ in range(3):
            assert send(letter) == LetterState.SENT
        assert len(mail_server.taken) == 1
        assert Letter.objects.get().tries == 1

    def test_tries_again_after_a_passing_refusal(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answers = ["451 4.7.1 Greylisted, come back later"]
        assert send(letter) == LetterState.QUEUED
        letter.refresh_from_db()
        assert letter.next_try_at == NOW + rules.WAITS[0]
        assert letter.last_error == "SMTPRecipientsRefused 451"
        assert next_ones() == []
        assert send(letter, NOW + rules.WAITS[0]) == LetterState.SENT
        assert len(mail_server.taken) == 1

    def test_gives_up_when_the_server_says_never(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answers = ["550 5.1.1 No such mailbox {address}"]
        assert send(letter) == LetterState.FAILED
        letter.refresh_from_db()
        assert letter.last_error == "SMTPRecipientsRefused 550"
        assert queries.failed_since(since=NOW) == 1

    def test_tries_again_when_the_text_is_put_off(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answer_to_data = "452 Out of space"
        assert send(letter) == LetterState.QUEUED
        mail_server.answer_to_data = ""
        assert send(letter, NOW + rules.WAITS[0]) == LetterState.SENT

    def test_waits_ten_tries_for_a_server_that_is_away(self, settings: Any) -> None:
        settings.MAILERS = MailServer(free_port()).mailers
        letter = a_letter()
        now = NOW
        for number in range(1, rules.MOST_TRIES + 1):
            state = send(letter, now)
            letter.refresh_from_db()
            assert letter.tries == number
            now = letter.next_try_at or now
        assert state == LetterState.FAILED
        assert letter.last_error == "ConnectionRefusedError"
        assert now - NOW > dt.timedelta(hours=12)

    def test_is_sent_when_the_server_comes_back(self, settings: Any) -> None:
        server = MailServer(free_port())
        settings.MAILERS = server.mailers
        letter = a_letter()
        assert send(letter) == LetterState.QUEUED
        with running(server):
            assert send(letter, NOW + rules.WAITS[0]) == LetterState.SENT
        assert len(server.taken) == 1

    def test_writes_no_address_and_no_word_into_the_log(
        self, mail_server: MailServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        letter = a_letter("application_question")
        mail_server.answers = ["451 not now, {address}", "550 {address} is unknown here"]
        with caplog.at_level(logging.DEBUG):
            send(letter)
            send(letter, NOW + rules.WAITS[0])
        # "mail.log" is what the mail server of the test writes, in its own house.
        ours = [record for record in caplog.records if record.name != "mail.log"]
        logged = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
        assert str(letter.pk) in logged
        for secret in ("sample-freelancer.example", "Specimen Media", "Sample Freelancer"):
            assert secret not in logged
        assert "sample-freelancer" not in Letter.objects.get().last_error


class TestWriteSignInCode:
    def test_goes_to_an_address_without_an_account(self, mail_server: MailServer) -> None:
        letter = a_code()
        assert letter.to is None
        assert send(letter) == LetterState.SENT
        assert mail_server.recipients == ["nobody.yet@sample-freelancer.example"]
        assert "482915" in str(mail_server.taken[0]["Subject"])

    def test_is_forgotten_once_it_is_sent(self, mail_server: MailServer) -> None:
        letter = a_code()
        send(letter)
        kept = Letter.objects.get()
        assert (kept.address, kept.subject, kept.text, kept.html) == ("", "", "", "")

    def test_is_not_sent_when_it_is_too_old(self, mail_server: MailServer) -> None:
        letter = a_code()
        assert send(letter, NOW + rules.CODE_LASTS) == LetterState.FAILED
        assert mail_server.taken == []
        kept = Letter.objects.get()
        assert (kept.last_error, kept.text) == ("TooLate", "")

    def test_is_in_nobodys_letters(self) -> None:
        reader = a_reader()
        a_code(reader.email)
        assert not queries.letters_of(reader).exists()


class TestOrder:
    def test_of_a_code_and_what_was_written_before_it_has_the_code_in_front(self) -> None:
        letter, code = a_letter(), a_code("reader@mail.example")
        assert next_ones() == [code, letter]

    def test_of_two_letters_about_one_thing_is_that_of_writing(self, mail_server: MailServer) -> None:
        reader = a_reader()
        first = about_one_thing(reader, NOW)
        second = about_one_thing(reader, NOW + dt.timedelta(seconds=1))
        other = about_one_thing(a_reader(email="other@mail.example"), NOW + dt.timedelta(seconds=1))
        now = NOW + dt.timedelta(seconds=2)
        assert next_ones(now) == [first, other], "the second waits for the first"
        taken = sending._take(now)
        assert taken == first and next_ones(now) == [other], "also while that is on its way"
        sending._settle_sent(taken, now)
        assert next_ones(now) == [second, other] or next_ones(now) == [other, second]

    def test_does_not_hold_a_letter_behind_one_that_the_server_put_off(self, mail_server: MailServer) -> None:
        reader = a_reader()
        first = about_one_thing(reader, NOW)
        Letter.objects.filter(pk=first.pk).update(next_try_at=NOW + dt.timedelta(hours=1))
        second = about_one_thing(reader, NOW + dt.timedelta(seconds=1))
        assert send(second, NOW + dt.timedelta(seconds=2)) == LetterState.SENT


class TestARound:
    def test_sends_over_one_connection_and_goes_on_after_one_that_is_refused(self, mail_server: MailServer) -> None:
        readers = [a_reader(email=f"reader-{number}@mail.example") for number in range(4)]
        letters = [about_one_thing(reader, NOW) for reader in readers]
        mail_server.answers = ["550 5.1.1 No such mailbox {address}"]
        assert sending.send_due(now=NOW) == 4
        states = sorted(Letter.objects.filter(pk__in=[each.pk for each in letters]).values_list("state", flat=True))
        assert states == ["failed", "sent", "sent", "sent"]
        assert mail_server.sessions == 2, "one ends with the refusal"

    def test_wakes_the_next_where_more_is_left(self, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
        woken: list[Channel] = []
        monkeypatch.setattr(sending, "wake", woken.append)
        monkeypatch.setattr(sending, "AT_ONCE", 2)
        for number in range(3):
            about_one_thing(a_reader(email=f"reader-{number}@mail.example"), NOW)
        assert (sending.send_due(now=NOW), woken) == (2, [Channel.LETTERS])
        assert (sending.send_due(now=NOW), woken) == (1, [Channel.LETTERS])

    def test_begins_no_further_letter_when_its_process_stops(self, mail_server: MailServer) -> None:
        for number in range(3):
            about_one_thing(a_reader(email=f"reader-{number}@mail.example"), NOW)
        assert sending.send_due(now=NOW, stopping=lambda: len(mail_server.taken) == 1) == 1
        assert len(next_ones()) == 2

    def test_counts_a_letter_that_cannot_be_made_into_a_mail_and_sends_the_others(
        self, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, whole = a_code("reader@mail.example"), a_letter()
        made = sending._message

        def breaks(letter: Letter) -> Any:
            if letter.pk == broken.pk:
                raise ValueError
            return made(letter)

        monkeypatch.setattr(sending, "_message", breaks)
        assert send(whole) == LetterState.SENT
        assert [(each.queue, each.item) for each in queues.failing()] == [("letters", str(broken.pk))]

    def test_asks_few_statements_for_a_letter_and_one_where_nothing_waits(self, mail_server: MailServer) -> None:
        send(a_letter())
        about_one_thing(a_reader(email="other@mail.example"), NOW)
        # It is taken, its reader is read, it is settled, the mail server has done well before, and nothing is left.
        with CaptureQueriesContext(connection) as asked:
            assert sending.send_due(now=NOW) == 1
        assert len(asked) <= 5, "\n".join(each["sql"][:200] for each in asked)
        with CaptureQueriesContext(connection) as asked:
            assert sending.send_due(now=NOW) == 0
        assert len(asked) == 1


class TestAway:
    def test_a_letter_that_was_taken_is_told_so_when_the_database_is_back(
        self, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        letter, tries, settle = a_letter(), iter((OperationalError("gone"), None)), sending._settle_sent

        def gone_once(letter: Letter, now: dt.datetime) -> None:
            if error := next(tries):
                raise error
            settle(letter, now)

        monkeypatch.setattr(sending, "_settle_sent", gone_once)
        monkeypatch.setattr(sending, "PAUSES", (0, 0))
        # The test's own transaction would go with the connection.
        monkeypatch.setattr(
            sending,
            "connection",
            SimpleNamespace(close=lambda: None, connection=connection.connection, ensure_connection=lambda: None),
        )
        assert send(letter) == LetterState.SENT
        assert len(mail_server.taken) == 1


class TestLeftAlone:
    def test_what_takes_far_too_long_is_sent_again(self, mail_server: MailServer) -> None:
        letter = a_letter()
        assert sending._take(NOW) == letter  # and the process hangs here
        assert next_ones(NOW + rules.LEFT_ALONE) == []
        assert send(letter, NOW + rules.LEFT_ALONE + dt.timedelta(seconds=1)) == LetterState.SENT
        assert len(mail_server.taken) == 1

    def test_what_a_dead_process_was_sending_is_sent_again_within_seconds_codes_first(
        self, mail_server: MailServer
    ) -> None:
        letter, code = a_letter(), a_code("reader@mail.example")
        other = connection.copy("default")
        other.ensure_connection()
        for taken in sending._take(NOW), sending._take(NOW):
            assert taken is not None
            Letter.objects.filter(pk=taken.pk).update(taken_by=backend_of(other))
        later = NOW + rules.TAKER_GONE + dt.timedelta(seconds=1)
        assert next_ones(later) == [], "it lives"
        gone = backend_of(other)
        other.close()
        until(lambda: not is_connected(gone))
        assert next_ones(NOW + rules.TAKER_GONE) == [], "it may be connecting anew"
        assert next_ones(later) == [code, letter]
        assert send(letter, later) == LetterState.SENT

    def test_settled_letters_are(self, mail_server: MailServer) -> None:
        send(a_letter())
        assert next_ones(NOW + dt.timedelta(days=9)) == []


@pytest.mark.django_db(transaction=True)
class TestTwoProcesses:
    def test_send_the_same_letter_once(self, mail_server: MailServer) -> None:
        a_letter()
        start = threading.Barrier(4)

        def run() -> None:
            start.wait()
            try:
                sending.send_due(now=NOW)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(mail_server.taken) == 1
        assert Letter.objects.get().state == LetterState.SENT


class TestLetterFor:
    def test_gives_a_person_their_own_letter_only(self) -> None:
        letter = a_letter()
        other = a_reader(email="other@sample-freelancer.example")
        assert queries.letter_for(a_reader(), letter.pk) == letter
        for user, id in ((other, letter.pk), (a_reader(), uuid.uuid4())):
            with pytest.raises(queries.LetterNotFound):
                queries.letter_for(user, id)

    def test_counts_what_is_not_read(self) -> None:
        letter = a_letter()
        assert queries.unread_count(a_reader()) == 1
        actions.mark_read(letter=letter, now=NOW)
        actions.mark_read(letter=letter, now=NOW + dt.timedelta(hours=1))
        assert queries.unread_count(a_reader()) == 0
        assert Letter.objects.get().read_at == NOW


class TestConsoleAndFileBackend:
    def test_shows_the_letter_and_keeps_it(
        self, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.MAIL_FOLDER = tmp_path / "mail"
        settings.MAILERS = {"default": {"BACKEND": "rahdari.letters.backends.ConsoleAndFileBackend"}}
        letter = a_letter(language="ur")
        assert send(letter) == LetterState.SENT
        shown = capsys.readouterr().out
        assert "reader@sample-freelancer.example" in shown
        assert "آپ کی درخواست مل گئی ہے" in shown
        (kept,) = (tmp_path / "mail").iterdir()
        content = email.message_from_bytes(kept.read_bytes())
        assert content["Message-ID"] == f"<{letter.pk}@127.0.0.1>"
