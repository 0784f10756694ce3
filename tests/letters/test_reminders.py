"""Who wants no reminders by mail has them in the inbox alone; decisions go out all the same. What is known of how a
letter travelled is forgotten after a year."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from rahdari import policy
from rahdari.letters import actions, catalogue, queries, retention, sending, views
from rahdari.letters.models import Letter, LetterState, ReminderOptOut
from rahdari.letters.words import of_email
from rahdari.people.models import User
from rahdari.sms.models import Message, SmsSegment
from tests import urdu
from tests.builders.letters import FACTS, NOW, a_reader
from tests.each import each

pytestmark = pytest.mark.django_db
REMINDER, DECISION = "registration_expires_soon", "application_granted"
YEAR = dt.timedelta(days=366)


def written(to: User, template: str, *, now: dt.datetime = NOW) -> Letter:
    return actions.write_letter(to=to, template=template, about="application:x", context=FACTS[template], now=now)


def sent(to: User, template: str) -> Any:
    written(to, template)
    sending.send_due(now=NOW)
    return mail.outbox[-1]


def link_of(message: Any) -> str:
    header = message.extra_headers["List-Unsubscribe"]
    found = re.fullmatch(rf"<{re.escape(django_settings.SITE_URL)}(/letters/no-reminders/.+/)>", header)
    assert found is not None
    return found[1]


class TestHeader:
    @each(template=sorted(catalogue.LETTERS))
    def test_is_on_reminders_and_on_nothing_else(self, template: str) -> None:
        reader = a_reader()
        message = sent(reader, template)
        assert ("List-Unsubscribe" in message.extra_headers) == catalogue.LETTERS[template].reminder
        if catalogue.LETTERS[template].reminder:
            assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_no_decision_question_or_notice_is_a_reminder(self) -> None:
        reminders = {name for name, kind in catalogue.LETTERS.items() if kind.reminder}
        assert reminders == {
            "planned_work_over",
            "attestation_ends_soon",
            "invoice_due_soon",
            "proof_missing",
            "registration_expires_soon",
            "registration_provisional_ends",
            "reminder_to_answer",
            "still_right_again",
            "urgent_ends_soon",
        }

    def test_of_a_question_to_a_stranger_is_the_link_that_stops_them(self) -> None:
        letter = actions.write_to_outsider(
            address="studio@client.example",
            language="en",
            template="client_question",
            context=FACTS["client_question"],
            expires_at=NOW + YEAR,
            now=NOW,
        )
        sending.send_due(now=NOW)
        header = mail.outbox[-1].extra_headers["List-Unsubscribe"]  # type: ignore[attr-defined]
        assert header.strip("<>") in letter.text.replace("\n", "")
        letter.refresh_from_db()
        assert letter.stop_url == "", "it is forgotten with the address"


class TestStopping:
    def test_a_mail_programs_button_needs_no_cookie(self) -> None:
        reader = a_reader()
        browser = Client(enforce_csrf_checks=True)
        answer = browser.post(link_of(sent(reader, REMINDER)), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200 and queries.wants_no_reminders(reader)

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_opening_the_link_asks_first(self, language: str) -> None:
        reader = a_reader()
        link = link_of(sent(reader, REMINDER))
        browser = Client()
        browser.cookies["django_language"] = language
        for _ in range(2):
            page = browser.get(link).content.decode()
            assert "<form" in page and not queries.wants_no_reminders(reader)
        stopped = browser.post(link).content.decode()
        assert f'action="{link}"' not in stopped and ReminderOptOut.objects.count() == 1
        if language == "ur":
            assert urdu.page_problems(page) == [] and urdu.page_problems(stopped) == []

    def test_a_link_that_is_not_ours_is_not_there(self) -> None:
        reader = a_reader()
        link = link_of(sent(reader, REMINDER))
        assert Client().post(link[:-4] + "aaa/").status_code == 404
        assert not queries.wants_no_reminders(reader)

    def test_links_that_are_not_ours_are_tried_no_oftener_than_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(views, "UNKNOWN_LINKS", 2)
        monkeypatch.setattr(views, "PER_SECONDS", 86_400)  # none comes back while the test runs
        link = link_of(sent(a_reader(), REMINDER))[:-4] + "aaa/"
        # One subscriber of IPv6 has 2^64 addresses, and one budget.
        tries = [Client(REMOTE_ADDR=f"2001:db8:0:7::{last}").get(link).status_code for last in range(3)]
        assert tries == [404, 404, 429]

    def test_keeps_reminders_in_the_inbox_and_sends_the_rest(self) -> None:
        reader = a_reader()
        actions.want_reminders(person=reader, wanted=False, now=NOW)
        kept, decision = written(reader, REMINDER), written(reader, DECISION)
        assert (kept.state, decision.state) == (LetterState.KEPT, LetterState.QUEUED)
        assert list(queries.to_send(now=NOW + YEAR)) == [decision]
        assert list(queries.letters_of(reader)) == [decision, kept] or set(queries.letters_of(reader)) == {
            kept,
            decision,
        }
        assert "switched off" in of_email(kept).text

    def test_is_undone_under_letters(self) -> None:
        reader = a_reader()
        browser = Client()
        browser.force_login(reader)
        for given, wanted in (("off", False), ("off", False), ("on", True)):
            page = browser.post(reverse("portal:letters_reminders"), {"reminders": given}, follow=True).content.decode()
            assert queries.wants_no_reminders(reader) != wanted
            assert ("Send reminders by email too" in page) != wanted
        assert written(reader, REMINDER).state == LetterState.QUEUED


class TestForgetting:
    def delivered(self) -> tuple[Letter, Message]:
        reader = a_reader()
        letter = written(reader, DECISION)
        sending.send_due(now=NOW)
        message = Message.objects.create(
            person=reader.pk,
            number="",
            language="en",
            note="news",
            text="x",
            written_at=NOW,
            expires_at=NOW,
            state="delivered",
            sent_at=NOW,
            closed_at=NOW,
            provider="gateway",
            attempts=[{"provider": "gateway"}],
        )
        SmsSegment.objects.create(message=message, provider="gateway", reference="1")
        message.letters.create(letter=letter.pk)
        Letter.objects.filter(pk=letter.pk).update(last_error="Returned 5.1.1")
        return letter, message

    def test_what_is_younger_than_a_year_stays(self) -> None:
        letter, _message = self.delivered()
        assert retention.forget_deliveries(before=NOW) == 0
        letter.refresh_from_db()
        assert letter.tries == 1 and SmsSegment.objects.exists()

    def test_tries_answers_and_notes_go_and_the_letter_stays(self) -> None:
        letter, _message = self.delivered()
        text, subject = letter.text, letter.subject
        assert retention.forget_deliveries(before=NOW + YEAR) == 2
        letter.refresh_from_db()
        assert (letter.tries, letter.last_error, letter.taken_at) == (0, "", None)
        assert (letter.text, letter.subject, letter.state, letter.sent_at) == (text, subject, "sent", NOW)
        assert not Message.objects.exists() and not SmsSegment.objects.exists()
        assert retention.forget_deliveries(before=NOW + YEAR) == 0, "once"

    def test_codes_go_whole_and_what_is_not_settled_stays(self) -> None:
        code = actions.write_sign_in_code(email="x@client.example", language="en", code="482915", now=NOW)
        assert retention.forget_deliveries(before=NOW + YEAR) == 0
        sending.send_due(now=NOW)
        code.refresh_from_db()
        assert code.state == LetterState.SENT
        waits = written(a_reader(), DECISION)
        assert retention.forget_deliveries(before=NOW + YEAR) == 1
        assert list(Letter.objects.all()) == [waits]

    def test_the_time_is_the_policys(self, settings: Any, tmp_path: Path) -> None:
        kept = NOW - queries.deliveries_kept_since(NOW)
        assert 365 <= kept.days <= 366
        text = policy.BUNDLED.read_text()
        row = 'letter_delivery = { after = "written", keep = { length = 1, unit = "years" }'
        assert row in text
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(text.replace(row, row.replace("1, unit", "2, unit")))
        assert 730 <= (NOW - queries.deliveries_kept_since(NOW)).days <= 731
