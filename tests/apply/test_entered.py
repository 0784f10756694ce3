"""What an officer enters for somebody: nothing before its holder takes it over, an application like others after."""

import datetime as dt
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import drafts, entered, queries
from rahdari.apply.entered import Said
from rahdari.apply.entered_models import DeskEntry
from rahdari.apply.models import Application
from rahdari.journal import actions as journal
from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.sms.models import Message
from tests.builders.entered import EMAIL, NUMBER, an_entry, code_of
from tests.builders.people import a_freelancer, an_officer

DAY = dt.timedelta(days=1)


def acts() -> list[str]:
    return list(JournalEntry.objects.filter(detail__has_key="entry").order_by("id").values_list("act", flat=True))


@pytest.mark.django_db
class TestEntering:
    def test_makes_no_application_and_writes_to_the_contact_alone(self) -> None:
        officer = an_officer()
        entry = an_entry(officer)
        assert not Application.objects.exists() and acts() == ["apply.entered_at_the_desk"]
        letter = Letter.objects.get()
        assert letter.address == EMAIL and letter.to is None and entry.reference in letter.text
        assert "Sample Caller" not in letter.text and "203.0.113.200" not in letter.text
        assert code_of(entry) not in entry.code and entry.until - entry.entered_at == 3 * DAY

    def test_is_the_same_for_a_contact_with_an_account(self) -> None:
        officer, person, now = an_officer(), a_freelancer(), timezone.now()
        letters = []
        for contact in (EMAIL, person.email):
            entry = an_entry(officer, contact=contact, now=now)
            said = Letter.objects.get(about=entry.subject)
            letters.append((said.to_id, said.text.replace(code_of(entry), "").replace(entry.reference, "")))
        assert letters[0] == letters[1]

    def test_sends_the_code_by_sms_where_there_are_any(self, settings: Any, tmp_path: Path) -> None:
        with pytest.raises(entered.NoSms):
            an_entry(an_officer(), contact=NUMBER)
        settings.SMS_FOLDER = tmp_path / "sms"
        entry = an_entry(an_officer(), contact=NUMBER, language="ur")
        message = Message.objects.get()
        assert message.number == NUMBER and code_of(entry) in message.text and entry.reference in message.text

    def test_is_for_officers_and_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(entered.NotAnOfficer):
            an_entry(a_freelancer())
        officer = an_officer()
        for _ in range(entered.CODES_TO_A_CONTACT):
            an_entry(officer)
        with pytest.raises(entered.TooMany, match="contact"):
            an_entry(an_officer())
        monkeypatch.setattr(entered, "MOST_OPEN", 4)
        an_entry(officer, contact="one@client.example")
        with pytest.raises(entered.TooMany, match="open"):
            an_entry(officer, contact="two@client.example")
        with pytest.raises(drafts.ServiceNotOpen):
            an_entry(officer, contact="three@client.example", service="nothing")

    def test_has_no_place_for_a_voice_a_file_or_a_card_number(self) -> None:
        kinds = {each.get_internal_type() for each in DeskEntry._meta.get_fields()}
        assert not kinds & {"FileField", "ImageField"}
        assert {each.name for each in fields(Said)} == {
            *("service", "which", "name", "mobile", "purpose", "block", "kind", "protocol", "port")
        }


@pytest.mark.django_db
class TestTheCode:
    def test_opens_it_as_often_as_its_holder_likes(self) -> None:
        entry = an_entry(an_officer())
        for _ in range(2):
            found = entered.open_with_code(number=entry.reference.lower(), code=code_of(entry), now=timezone.now())
            assert found == entry

    def test_ends_it_after_five_wrong_ones(self) -> None:
        entry = an_entry(an_officer())
        wrong = f"{(int(code_of(entry)) + 1) % 10**8:08}"
        for left in (4, 3, 2, 1):
            with pytest.raises(entered.WrongCode) as caught:
                entered.open_with_code(number=entry.reference, code=wrong, now=timezone.now())
            assert caught.value.left == left
        for code in (wrong, code_of(entry)):
            with pytest.raises(entered.Gone):
                entered.open_with_code(number=entry.reference, code=code, now=timezone.now())
        assert not DeskEntry.objects.exists() and acts()[-1] == "apply.erased_entry"


@pytest.mark.django_db
class TestTakingOver:
    def test_makes_a_draft_like_others(self) -> None:
        officer, holder = an_officer(), a_freelancer("ur")
        entry = an_entry(officer, language="ur")
        made = entered.take_over(entry=entry, holder=holder, now=timezone.now())
        made = Application.objects.get(pk=made.pk)
        assert (made.status, made.applicant, made.entered_by) == ("draft", holder, officer)
        assert (made.name, made.contact_mobile, made.fixed_address) == ("Sample Caller", "+923001234567", "server")
        assert [each.address_text for each in queries.endpoints_of(made)] == ["203.0.113.200"]
        # What every draft of this service still asks for.
        assert queries.missing_steps(made, queries.policy_in_force())
        assert not DeskEntry.objects.exists() and acts()[-1] == "apply.took_over_entry"
        with pytest.raises(entered.Gone):
            entered.take_over(entry=entry, holder=holder, now=timezone.now())

    def test_leaves_behind_what_is_not_accepted(self) -> None:
        entry = an_entry(an_officer(), block="192.168.1.1")
        made = entered.take_over(entry=entry, holder=a_freelancer(), now=timezone.now())
        assert not queries.endpoints_of(made) and Application.objects.get().name == "Sample Caller"

    def test_is_not_for_whoever_entered_it(self) -> None:
        officer = an_officer()
        entry = an_entry(officer)
        with pytest.raises(entered.OwnEntry):
            entered.take_over(entry=entry, holder=officer, now=timezone.now())
        with pytest.raises(DatabaseError), transaction.atomic():
            drafts.start_application(
                applicant=officer, service="vpn_freelancer", entered_by=officer, actor="person:x", now=timezone.now()
            )


@pytest.mark.django_db
class TestItsEnd:
    def test_this_was_not_me_leaves_nothing_but_that_it_was_entered(self) -> None:
        officer = an_officer()
        entry = an_entry(officer)
        entered.disown(entry=entry, now=timezone.now())
        assert not DeskEntry.objects.exists()
        first, last = JournalEntry.objects.filter(detail__entry=entry.reference).order_by("id")
        assert (first.actor, last.act) == (f"officer:{officer.pk}", "apply.disowned_entry")
        assert entered.counts(timezone.now().date()) == {
            **dict.fromkeys(entered.OUTCOMES, 0),
            "entered_at_the_desk": 1,
            "disowned_entry": 1,
        }

    def test_is_dropped_by_its_own_officer_alone(self) -> None:
        officer = an_officer()
        entry = an_entry(officer)
        with pytest.raises(entered.NotAnOfficer):
            entered.drop(entry=entry, officer=an_officer(), now=timezone.now())
        entered.drop(entry=entry, officer=officer, now=timezone.now())
        assert not DeskEntry.objects.exists()

    def test_comes_by_the_clock_after_three_days(self) -> None:
        entry = an_entry(an_officer())
        assert workflow.erase_desk_entries(entry.until - dt.timedelta(seconds=1)) == 0
        for late in (lambda: entered.find(entry.reference, entry.until), lambda: None):
            assert late() is None
        with pytest.raises(entered.Gone):
            entered.take_over(entry=entry, holder=a_freelancer(), now=entry.until)
        assert workflow.erase_desk_entries(entry.until) == 1 and not DeskEntry.objects.exists()

    @pytest.mark.parametrize(
        "change",
        [{"until": "entered_at + interval '4 days'"}, {"said": "''::bytea"}, {"entered_by_id": "gen_random_uuid()"}],
    )
    def test_nothing_of_it_is_rewritten_in_the_database(self, change: dict[str, str]) -> None:
        an_entry(an_officer())
        ((column, value),) = change.items()
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE apply_deskentry SET {column} = {value}")

    def test_who_entered_an_application_stays(self) -> None:
        officer = an_officer()
        made = entered.take_over(entry=an_entry(officer), holder=a_freelancer(), now=timezone.now())
        with pytest.raises(DatabaseError), transaction.atomic():
            Application.objects.filter(pk=made.pk).update(entered_by=None)


def in_another_connection(act: Any) -> list[Any]:
    """What it gives, or the error that it raises."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=60)
    return found


@pytest.mark.django_db(transaction=True)
class TestTheLastSecond:
    """The clock and the holder at once, forced by a hook in the middle of the one that came first."""

    def test_is_the_holders_while_they_take_it_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entry, holder, start = an_entry(an_officer()), a_freelancer(), drafts.start_application
        erased: list[Any] = []

        def and_the_clock_comes(**facts: Any) -> Application:
            erased.extend(in_another_connection(lambda: workflow.erase_desk_entries(entry.until)))
            return start(**facts)

        monkeypatch.setattr(drafts, "start_application", and_the_clock_comes)
        made = entered.take_over(entry=entry, holder=holder, now=entry.until - dt.timedelta(seconds=1))
        assert erased == [0] and Application.objects.get() == made and not DeskEntry.objects.exists()
        assert "apply.erased_entry" not in acts()

    def test_is_the_clocks_while_it_erases(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entry, holder, record = an_entry(an_officer()), a_freelancer(), journal.record
        # It waits for the row that is erased, and then finds none.
        taken: list[Any] = []
        waiting = threading.Thread(
            target=lambda: taken.extend(in_another_connection(lambda: entered.take_over(**late)))
        )
        late = {"entry": entry, "holder": holder, "now": entry.until - dt.timedelta(seconds=1)}

        def and_the_holder_comes(**facts: Any) -> None:
            if not waiting.is_alive() and not taken:
                waiting.start()
            record(**facts)

        monkeypatch.setattr(journal, "record", and_the_holder_comes)
        assert workflow.erase_desk_entries(entry.until) == 1
        waiting.join(timeout=60)
        assert isinstance(taken[0], entered.Gone) and not Application.objects.exists()
