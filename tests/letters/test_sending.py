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
from procrastinate.contrib.django.models import ProcrastinateJob

from rahdari.delivery import rules
from rahdari.letters import actions, queries
from rahdari.letters.models import Letter, LetterState
from rahdari.people.models import User
from tests.builders.letters import FACTS, NOW, a_reader

from .mail_server import MailServer, free_port, running

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


def jobs() -> list[dict[str, str]]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="letters.send_letter").order_by("id")]


class TestWriteLetter:
    def test_keeps_the_words_and_queues_the_sending(self) -> None:
        letter = a_letter()
        assert letter.subject == "Received: A-2611-0482"
        assert letter.state == LetterState.QUEUED
        assert jobs() == [{"letter_id": str(letter.pk)}]

    def test_writes_in_the_language_of_the_reader(self) -> None:
        assert "آپ کی درخواست مل گئی ہے" in a_letter(language="ur").text

    def test_writes_to_nobody_when_the_act_is_rolled_back(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            a_letter()
            raise ZeroDivisionError
        assert not Letter.objects.exists()
        assert jobs() == []

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
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
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
        actions.send(letter_id=letter.pk, now=NOW)
        (taken,) = mail_server.taken
        plain = taken.get_body(("plain",))
        assert taken["Subject"] == letter.subject
        assert taken["Content-Language"] == "ur"
        assert plain is not None and plain.get_content().replace("\r\n", "\n") == letter.text

    def test_sends_no_letter_twice(self, mail_server: MailServer) -> None:
        letter = a_letter()
        for _ in range(3):
            assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
        assert len(mail_server.taken) == 1
        assert Letter.objects.get().tries == 1

    def test_tries_again_after_a_passing_refusal(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answers = ["451 4.7.1 Greylisted, come back later"]
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.QUEUED
        letter.refresh_from_db()
        assert letter.next_try_at == NOW + rules.WAITS[0]
        assert letter.last_error == "SMTPRecipientsRefused 451"
        waiting = ProcrastinateJob.objects.filter(scheduled_at__isnull=False).get()
        assert waiting.args == {"letter_id": str(letter.pk)}
        assert waiting.scheduled_at == letter.next_try_at
        assert actions.send(letter_id=letter.pk, now=NOW + rules.WAITS[0]) == LetterState.SENT
        assert len(mail_server.taken) == 1

    def test_gives_up_when_the_server_says_never(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answers = ["550 5.1.1 No such mailbox {address}"]
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.FAILED
        letter.refresh_from_db()
        assert letter.last_error == "SMTPRecipientsRefused 550"
        assert queries.failed_since(since=NOW) == 1

    def test_tries_again_when_the_text_is_put_off(self, mail_server: MailServer) -> None:
        letter = a_letter()
        mail_server.answer_to_data = "452 Out of space"
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.QUEUED
        mail_server.answer_to_data = ""
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT

    def test_waits_ten_tries_for_a_server_that_is_away(self, settings: Any) -> None:
        settings.MAILERS = MailServer(free_port()).mailers
        letter = a_letter()
        now = NOW
        for number in range(1, rules.MOST_TRIES + 1):
            state = actions.send(letter_id=letter.pk, now=now)
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
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.QUEUED
        with running(server):
            assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
        assert len(server.taken) == 1

    def test_writes_no_address_and_no_word_into_the_log(
        self, mail_server: MailServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        letter = a_letter("application_question")
        mail_server.answers = ["451 not now, {address}", "550 {address} is unknown here"]
        with caplog.at_level(logging.DEBUG):
            actions.send(letter_id=letter.pk, now=NOW)
            actions.send(letter_id=letter.pk, now=NOW)
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
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
        assert mail_server.recipients == ["nobody.yet@sample-freelancer.example"]
        assert "482915" in str(mail_server.taken[0]["Subject"])

    def test_is_forgotten_once_it_is_sent(self, mail_server: MailServer) -> None:
        letter = a_code()
        actions.send(letter_id=letter.pk, now=NOW)
        kept = Letter.objects.get()
        assert (kept.address, kept.subject, kept.text, kept.html) == ("", "", "", "")

    def test_is_not_sent_when_it_is_too_old(self, mail_server: MailServer) -> None:
        letter = a_code()
        assert actions.send(letter_id=letter.pk, now=NOW + rules.CODE_LASTS) == LetterState.FAILED
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
        with connection.cursor() as cursor:
            # As the worker fetches them.
            cursor.execute("SELECT args ->> 'letter_id' FROM procrastinate_jobs ORDER BY priority DESC, id")
            assert [each for (each,) in cursor.fetchall()] == [str(code.pk), str(letter.pk)]

    def test_of_two_letters_about_one_thing_is_that_of_writing(self, mail_server: MailServer) -> None:
        reader = a_reader()
        first = about_one_thing(reader, NOW)
        second = about_one_thing(reader, NOW + dt.timedelta(seconds=1))
        other = about_one_thing(a_reader(email="other@mail.example"), NOW + dt.timedelta(seconds=1))
        now = NOW + dt.timedelta(seconds=2)
        assert actions.send(letter_id=other.pk, now=now) == LetterState.SENT
        assert actions.send(letter_id=second.pk, now=now) == LetterState.QUEUED
        assert len(jobs()) == 4, "it comes again in a moment"
        assert actions.send(letter_id=first.pk, now=now) == LetterState.SENT
        assert actions.send(letter_id=second.pk, now=now) == LetterState.SENT

    def test_does_not_hold_a_letter_behind_one_that_the_server_put_off(self, mail_server: MailServer) -> None:
        reader = a_reader()
        first = about_one_thing(reader, NOW)
        Letter.objects.filter(pk=first.pk).update(next_try_at=NOW + dt.timedelta(hours=1))
        second = about_one_thing(reader, NOW + dt.timedelta(seconds=1))
        assert actions.send(letter_id=second.pk, now=NOW + dt.timedelta(seconds=2)) == LetterState.SENT


class TestAway:
    def test_a_letter_that_was_taken_is_told_so_when_the_database_is_back(
        self, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        letter, tries, settle = a_letter(), iter((OperationalError("gone"), None)), actions._settle_sent

        def gone_once(letter: Letter, now: dt.datetime) -> LetterState:
            if error := next(tries):
                raise error
            return settle(letter, now)

        monkeypatch.setattr(actions, "_settle_sent", gone_once)
        monkeypatch.setattr(actions, "PAUSES", (0, 0))
        # The test's own transaction would go with the connection.
        monkeypatch.setattr(actions, "connection", SimpleNamespace(close=lambda: None))
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
        assert len(mail_server.taken) == 1


class TestFindLeftAlone:
    def test_queues_again_what_a_dead_process_was_sending(self, mail_server: MailServer) -> None:
        letter = a_letter()
        assert actions._take(letter.pk, NOW) is not None  # the process dies here
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENDING
        assert actions.find_left_alone(now=NOW + rules.LEFT_ALONE) == 0
        later = NOW + rules.LEFT_ALONE + dt.timedelta(seconds=1)
        assert actions.find_left_alone(now=later) == 1
        assert actions.send(letter_id=letter.pk, now=later) == LetterState.SENT
        assert len(mail_server.taken) == 1

    def test_queues_again_a_letter_whose_job_was_lost(self) -> None:
        a_letter()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
        assert actions.find_left_alone(now=NOW + rules.WITHOUT_JOB) == 0
        assert actions.find_left_alone(now=NOW + rules.WITHOUT_JOB + dt.timedelta(seconds=1)) == 1
        assert len(jobs()) == 1

    def test_queues_again_within_seconds_what_a_failed_job_left_codes_first(self, mail_server: MailServer) -> None:
        """As after a database that was away for a moment: the job is over, and the letter is not."""
        letter, code = a_letter(), a_code("reader@mail.example")
        assert actions._take(letter.pk, NOW) is not None
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
        later = NOW + rules.WITHOUT_JOB + dt.timedelta(seconds=1)
        assert actions.find_left_alone(now=later) == 2
        with connection.cursor() as cursor:
            # As the worker fetches them.
            cursor.execute("SELECT args ->> 'letter_id' FROM procrastinate_jobs ORDER BY priority DESC, id")
            assert [each for (each,) in cursor.fetchall()] == [str(code.pk), str(letter.pk)]
        assert actions.send(letter_id=letter.pk, now=later) == LetterState.SENT

    def test_leaves_settled_letters_alone(self, mail_server: MailServer) -> None:
        actions.send(letter_id=a_letter().pk, now=NOW)
        assert actions.find_left_alone(now=NOW + dt.timedelta(days=9)) == 0


@pytest.mark.django_db(transaction=True)
class TestTwoProcesses:
    def test_send_the_same_letter_once(self, mail_server: MailServer) -> None:
        letter = a_letter()
        start = threading.Barrier(4)

        def run() -> None:
            start.wait()
            try:
                actions.send(letter_id=letter.pk, now=NOW)
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
        assert actions.send(letter_id=letter.pk, now=NOW) == LetterState.SENT
        shown = capsys.readouterr().out
        assert "reader@sample-freelancer.example" in shown
        assert "آپ کی درخواست مل گئی ہے" in shown
        (kept,) = (tmp_path / "mail").iterdir()
        content = email.message_from_bytes(kept.read_bytes())
        assert content["Message-ID"] == f"<{letter.pk}@127.0.0.1>"
