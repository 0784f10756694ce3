"""A mobile number from its code to its operator's list, as the house carries it: granted, silent, denied, moved."""

import datetime as dt
import json
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from rahdari import policy
from rahdari import workflow as house
from rahdari.apply import parts, sending
from rahdari.checks import queries as checks
from rahdari.checks import words
from rahdari.confirm.models import SubscriberAnswer
from rahdari.decide import ending
from rahdari.decide import queries as cases
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.mobile import actions, listing, queries
from rahdari.mobile.models import MobileListChange, MobileNumber
from rahdari.mobile.rules import Left
from rahdari.policy import clock
from rahdari.publish.models import PendingChange
from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register.models import Change, Entry, Registration
from rahdari.sms import codes as number_codes
from tests.builders import mobile_lines as sample
from tests.builders import story
from tests.builders.mobile_lines import FIRST, NUMBER, OTHER_NUMBER, SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]
WORD = "smp-0a1b2c3d"


def check_of(application: Any) -> Any:
    return checks.checks_of(application.subject).get(kind="mobile_line")


def past_the_clock() -> dt.datetime:
    rules = policy.current(settings.POLICY_FILE)
    due = clock.add(start=timezone.now(), allowance=rules.clocks["operator_confirms"], calendar=rules.calendar)
    return due + dt.timedelta(minutes=5)


class TestGranted:
    def test_by_rule_on_the_operators_yes_and_the_number_is_gone(self) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        assert line.number == NUMBER
        assert sample.question_of(line).subscriber == NUMBER.removeprefix("+")
        story.send(application)
        story.advance()
        assert story.fresh(application).status == "submitted"
        assert "wait for its answer" in words.of_check(check_of(application))
        line = sample.says(line, "yes", reference=WORD)
        assert (line.state, line.number, line.asked, line.reference) == ("known", "", "", WORD)
        question = sample.question_of(line)
        assert (question.subscriber, question.name_masked, question.reference) == ("", "", "")
        assert story.fresh(application).status == "granted"
        story.advance()
        assert sample.list_of(FIRST) == [WORD] and sample.list_of(SECOND) == []
        registration = story.registration_of(application)
        assert not registration.is_provisional
        assert [check.kind for check in checks.checks_of(application.subject) if check.required] == [
            "mobile_line",
            "documents",
        ]

    def test_leaves_no_trace_of_number_or_word_where_they_do_not_belong(self) -> None:
        _application, registration, _line = sample.granted(reference=WORD)
        texts = [json.dumps(row.detail) + row.subject + row.reason for row in Row.objects.all()]
        texts += [json.dumps(check.evidence) for check in checks.checks_of(_application.subject)]
        texts += [f"{each.reason}{each.by}" for each in SubscriberAnswer.objects.all()]
        for text in texts:
            assert NUMBER[-10:] not in text and WORD not in text
        # Nothing of it is on its way to the feed: the registration has no entry, so no change, so no edition.
        assert Entry.objects.filter(registration=registration).count() == 0
        assert Change.objects.count() == 0 and PendingChange.objects.count() == 0

    def test_is_kept_encrypted_and_found_by_the_operators_word_alone(self) -> None:
        _application, _registration, line = sample.granted(reference=WORD)
        with connection.cursor() as cursor:
            cursor.execute("SELECT reference, reference_index FROM mobile_mobilenumber WHERE id = %s", [line.pk])
            stored, index = cursor.fetchone()
        assert WORD.encode() not in bytes(stored) and WORD not in index
        assert queries.line_for_operator(operator=FIRST, reference=WORD) == line
        assert queries.line_for_operator(operator=SECOND, reference=WORD) is None

    def test_the_database_takes_no_number_beside_the_operators_word(self) -> None:
        _application, _registration, line = sample.granted()
        line.number = NUMBER
        with pytest.raises(IntegrityError, match="a_known_line_has_no_number"), transaction.atomic():
            line.save()

    def test_an_answer_that_comes_before_sending_counts(self) -> None:
        application = sample.a_draft()
        line = sample.says(sample.asked(application), "yes", reference=WORD)
        assert line.state == "known"
        story.send(application)
        story.advance()
        assert story.fresh(application).status == "granted"

    def test_a_word_that_stands_for_another_line_goes_to_an_officer(self) -> None:
        sample.granted(reference=WORD)
        second = sample.a_draft()
        line = sample.asked(second, number=OTHER_NUMBER)
        story.send(second)
        story.advance()
        line = sample.says(line, "yes", reference=WORD)
        assert (line.is_taken, line.reference, line.number) == (True, "", "")
        assert check_of(second).finding == "mobile_line_registered" and check_of(second).reason_code == ""
        assert cases.case_of(story.fresh(second)) is not None

    def test_takes_no_address_beside_the_number(self) -> None:
        application = sample.a_draft()
        with pytest.raises(parts.EndpointNotTaken) as refused:
            story.add(application)
        assert refused.value.trouble.kind == "for_a_mobile_number"
        # One that stood there all the same would be asked about by nobody, so it is not entered either.
        application.fixed_address = "yes"
        application.save(update_fields=["fixed_address"])
        story.add(application)
        application.fixed_address = "mobile"
        application.save(update_fields=["fixed_address"])
        sample.says(sample.asked(story.fresh(application)), "yes", reference=WORD)
        rules = policy.current(settings.POLICY_FILE)
        with pytest.raises(sending.EndpointsInTrouble):
            sending.submit_application(application=application, policy=rules, actor="person:x", now=timezone.now())

    def test_without_a_number_an_officer_looks_at_it(self) -> None:
        application = sample.a_draft()
        story.send(application)
        story.advance()
        assert check_of(application).finding == "no_mobile_line"
        assert cases.case_of(story.fresh(application)) is not None


class TestASilentOperator:
    def test_past_its_clock_the_registration_stands_provisionally_and_then_in_full(self) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        story.send(application)
        story.advance()
        assert story.fresh(application).status == "submitted"
        later = past_the_clock()
        house.advance(now=later)
        house.advance(now=later)
        assert story.fresh(application).status == "granted"
        registration = story.registration_of(application)
        assert registration.is_provisional and registration.provisional_code == "P1"
        # The operator knows the line by the number of its check until it has a word of its own.
        assert sample.list_of(FIRST) == [line.check_number]
        question = sample.question_of(line)
        assert question.is_waiting and question.subscriber == NUMBER.removeprefix("+")
        later += dt.timedelta(hours=1)
        line = sample.says(line, "yes", reference=WORD, now=later)
        house.advance(now=later)
        registration.refresh_from_db()
        assert not registration.is_provisional
        assert story.registration_of(application) == registration
        assert (line.number, line.reference) == ("", WORD)
        assert sample.list_of(FIRST) == [WORD]
        acts = list(MobileListChange.objects.filter(operator=FIRST).values_list("sequence", "act"))
        assert acts == [(1, "add"), (2, "name"), (3, "renew")]

    def test_a_no_to_a_provisional_one_is_for_an_officer(self) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        story.send(application)
        story.advance()
        later = past_the_clock()
        for _ in range(2):
            house.advance(now=later)
        registration = story.registration_of(application)
        assert registration.is_provisional
        later += dt.timedelta(hours=1)
        sample.says(line, "no", reason="another_subscriber", now=later)
        registration.refresh_from_db()
        case = cases.case_of(story.fresh(application))
        assert case is not None and case.status == "open"
        assert registration.struck_out_at is None


class TestANo:
    @pytest.mark.parametrize(("reason", "code"), [("another_subscriber", "R3"), ("line_closed", "R3")])
    def test_is_for_an_officer_and_the_number_is_gone(self, reason: str, code: str) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        story.send(application)
        line = sample.says(line, "no", reason=reason)
        assert (line.state, line.number) == ("denied", "")
        assert check_of(application).reason_code == code
        assert story.fresh(application).status == "submitted"
        letter = Letter.objects.get(template="mobile_line_denied", to=application.applicant)
        assert NUMBER[-10:] not in letter.text

    def test_another_operators_number_is_asked_of_that_one_without_typing_it_again(self) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        story.send(application)
        line = sample.says(line, "no", reason="not_our_number")
        assert (line.state, line.number) == ("denied", NUMBER)
        assert check_of(application).reason_code == ""
        actions.ask_operator(
            line=line,
            operator=SECOND,
            name="Sample",
            policy=policy.current(settings.POLICY_FILE),
            actor="person:x",
            now=timezone.now(),
        )
        line.refresh_from_db()
        question = sample.question_of(line)
        assert question.operator == SECOND
        line = sample.says(line, "yes", reference=WORD)
        assert (line.operator, line.reference, line.number) == (SECOND, WORD, "")
        assert check_of(application).outcome == "passed"

    def test_a_number_that_is_anothers_goes_after_a_week(self) -> None:
        line = sample.says(sample.asked(sample.a_draft()), "no", reason="not_our_number")
        listing.erase_due(now=timezone.now() + dt.timedelta(days=7, minutes=1))
        line.refresh_from_db()
        assert line.number == ""
        with pytest.raises(actions.MoveNotAllowed):
            actions.ask_operator(
                line=line,
                operator=SECOND,
                name="Sample",
                policy=policy.current(settings.POLICY_FILE),
                actor="person:x",
                now=timezone.now(),
            )

    def test_another_number_takes_the_place_of_the_first_after_sending_too(self) -> None:
        application = sample.a_draft()
        first = sample.asked(application)
        story.send(application)
        sample.says(first, "no", reason="another_subscriber")
        second = sample.asked(application, SECOND, OTHER_NUMBER)
        first.refresh_from_db()
        assert first.state == "ended"
        sample.says(second, "yes", reference=WORD)
        assert check_of(application).outcome == "passed"


class TestTheCode:
    def test_a_wrong_one_is_counted_and_asks_nobody(self) -> None:
        application = sample.a_draft()
        line = sample.typed(application)
        right = sample.code_to(application.applicant)
        wrong = f"{(int(right) + 1) % 10**6:06d}"
        for left in (2, 1):
            with pytest.raises(number_codes.CodeWrong) as caught:
                actions.confirm_number(line=line, code=wrong, **sample.facts(application))
            assert caught.value.tries_left == left
        with pytest.raises(number_codes.CodeEnded):
            actions.confirm_number(line=line, code=wrong, **sample.facts(application))
        with pytest.raises(number_codes.CodeEnded):
            actions.confirm_number(line=line, code=right, **sample.facts(application))
        line.refresh_from_db()
        assert line.state == "typed"
        with pytest.raises(actions.MoveNotAllowed):
            actions.ask_operator(
                line=line,
                operator=FIRST,
                name="Sample",
                policy=policy.current(settings.POLICY_FILE),
                actor="person:x",
                now=timezone.now(),
            )

    def test_a_number_that_nobody_confirms_goes_after_a_day(self) -> None:
        line = sample.typed(sample.a_draft())
        listing.erase_due(now=timezone.now() + dt.timedelta(days=1, minutes=1))
        line.refresh_from_db()
        assert (line.state, line.asked, line.number) == ("ended", "", "")

    def test_no_more_codes_than_elsewhere(self) -> None:
        application = sample.a_draft()
        for _ in range(4):
            sample.typed(application)
        with pytest.raises(number_codes.TooManyCodes):
            sample.typed(application)


class TestTheEnd:
    def test_of_an_application_ends_the_question_and_the_number(self) -> None:
        application = sample.a_draft()
        line = sample.asked(application)
        story.send(application)
        story.advance()
        sending.withdraw_application(application=application, actor="person:x", now=timezone.now())
        story.advance()
        line.refresh_from_db()
        assert (line.state, line.number) == ("ended", "")

    def test_of_a_registration_is_an_end_on_the_list(self) -> None:
        _application, registration, line = sample.granted()
        register.strike_out(registration=registration, code="X1", actor="person:x", now=timezone.now())
        story.advance()
        line.refresh_from_db()
        assert line.state == "ended" and sample.list_of(FIRST) == []
        last = MobileListChange.objects.filter(operator=FIRST).latest("sequence")
        assert last.act == "end"
        # Its operator can still be told by its word; a month later that goes as well.
        assert line.reference
        listing.erase_due(now=timezone.now() + dt.timedelta(days=31))
        line.refresh_from_db()
        assert (line.reference, line.reference_index) == ("", "")
        with pytest.raises(queries.ListTooOld):
            queries.changes_after(operator=FIRST, sequence=0, at_most=10)

    def test_a_term_that_is_moved_is_told(self) -> None:
        _application, registration, line = sample.granted()
        until = registration.valid_until + dt.timedelta(days=365)
        register.renew(registration=registration, valid_until=until, actor="person:x", now=timezone.now())
        story.advance()
        line.refresh_from_db()
        assert line.listed_until == until
        assert MobileListChange.objects.filter(operator=FIRST, act="renew").count() == 1
        story.advance()
        assert MobileListChange.objects.filter(operator=FIRST, act="renew").count() == 1


def acts_on_the_list() -> list[str]:
    return list(MobileListChange.objects.filter(operator=FIRST).order_by("sequence").values_list("act", flat=True))


class TestRest:
    """A registration that is paused, suspended, or ended with a way back: what its operator is told."""

    def paused(self, registration: Registration) -> Registration:
        found = ending.pause(registration=registration, days=7, actor="person:x", now=timezone.now())
        story.advance()
        return found

    def test_takes_the_line_off_the_list_and_brings_it_back_by_the_same_word(self) -> None:
        _application, registration, line = sample.granted(reference=WORD)
        self.paused(registration)
        line.refresh_from_db()
        assert sample.list_of(FIRST) == [] and (line.state, line.reference) == ("known", WORD)
        story.advance()
        assert acts_on_the_list() == ["add", "end"]
        found, lost = ending.undo_end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        assert (lost, sample.list_of(FIRST)) == (0, [WORD])
        story.advance()
        assert acts_on_the_list() == ["add", "end", "add"]
        line.refresh_from_db()
        assert queries.in_force(line).listed_at == line.listed_at and line.listed_until == found.stays_until

    def test_of_a_suspension_by_officers_takes_it_off_too(self) -> None:
        _application, registration, _line = sample.granted()
        pausing.suspend(registration=registration, code="S4", actor="officer:1", now=timezone.now())
        story.advance()
        assert sample.list_of(FIRST) == []

    def test_ends_with_the_registration_and_its_operator_is_told_once(self) -> None:
        _application, registration, line = sample.granted()
        self.paused(registration)
        ending.end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        line.refresh_from_db()
        assert (line.state, acts_on_the_list()) == ("ended", ["add", "end"])

    def test_may_be_left_meanwhile(self) -> None:
        _application, registration, line = sample.granted(reference=WORD)
        self.paused(registration)
        now = timezone.now()
        _line, new = listing.operator_left(
            operator=FIRST, reference=WORD, why=Left.LINE_CLOSED, overlap=dt.timedelta(days=1), by="token:x", now=now
        )
        assert new
        house.advance(now=now + dt.timedelta(days=1, minutes=1))
        line.refresh_from_db()
        assert line.state == "ended"
        ending.undo_end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        assert sample.list_of(FIRST) == []

    def test_of_an_end_that_is_undone_brings_the_line_back(self) -> None:
        _application, registration, line = sample.granted(reference=WORD)
        ending.end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        assert sample.list_of(FIRST) == []
        _found, lost = ending.undo_end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        line.refresh_from_db()
        assert (lost, sample.list_of(FIRST), line.state, line.erase_at) == (0, [WORD], "known", None)
        assert acts_on_the_list() == ["add", "end", "add"]

    def test_of_an_end_leaves_a_line_out_whose_word_stands_for_another(self) -> None:
        _application, registration, line = sample.granted(reference=WORD)
        ending.end(registration=registration, actor="person:x", now=timezone.now())
        story.advance()
        _other, _registration, other = sample.granted(story.a_person(), reference=WORD)
        _found, lost = ending.undo_end(registration=registration, actor="person:x", now=timezone.now())
        for _ in range(2):
            story.advance()
        line.refresh_from_db()
        other.refresh_from_db()
        assert (lost, line.state, other.state, sample.list_of(FIRST)) == (1, "ended", "known", [WORD])


class TestAnotherOperator:
    def moved(
        self, registration: Any, line: MobileNumber, user: Any, *, word: str, operator: str = SECOND, said: str = "yes"
    ) -> MobileNumber:
        new = actions.type_number(
            subject=f"registration:{registration.pk}",
            holder=registration.holder,
            user=user,
            number=NUMBER,
            network="192.0.2.1",
            language="en",
            follows=line,
            actor="person:x",
            now=timezone.now(),
        )
        new = actions.confirm_number(
            line=new, user=user, code=sample.code_to(user), actor="person:x", now=timezone.now()
        )
        new = actions.ask_operator(
            line=new,
            operator=operator,
            name="Sample",
            policy=policy.current(settings.POLICY_FILE),
            actor="person:x",
            now=timezone.now(),
        )
        return sample.says(new, said, reference=word, reason="another_subscriber" if said == "no" else "")

    def test_keeps_the_number_of_the_registration_and_overlaps(self) -> None:
        application, registration, line = sample.granted(reference=WORD)
        new = self.moved(registration, line, application.applicant, word="cell-1-xyz")
        line.refresh_from_db()
        assert new.registration == registration and sample.list_of(SECOND) == ["cell-1-xyz"]
        assert sample.list_of(FIRST) == [WORD] and line.leaves_at is not None
        overlap = policy.current(settings.POLICY_FILE).change.overlap
        listing.end_lines_due(now=timezone.now() + overlap + dt.timedelta(minutes=1))
        assert sample.list_of(FIRST) == [] and sample.list_of(SECOND) == ["cell-1-xyz"]
        registration.refresh_from_db()
        assert registration.struck_out_at is None and not registration.is_provisional

    def test_a_no_of_the_new_one_leaves_everything_as_it_is(self) -> None:
        application, registration, line = sample.granted(reference=WORD)
        new = self.moved(registration, line, application.applicant, word="", said="no")
        assert not new.is_listed and new.number == ""
        line.refresh_from_db()
        assert line.leaves_at is None and sample.list_of(FIRST) == [WORD]

    def test_the_operator_says_that_it_left_and_the_holder_is_told_once(self) -> None:
        application, registration, line = sample.granted(reference=WORD)
        overlap = policy.current(settings.POLICY_FILE).change.overlap
        left = {"operator": FIRST, "reference": WORD, "overlap": overlap, "by": "token:x", "now": timezone.now()}
        found, new = listing.operator_left(why=Left.PORTED_OUT, **left)
        assert new and found.leaves_at is not None
        assert listing.operator_left(why=Left.PORTED_OUT, **left)[1] is False
        with pytest.raises(listing.NoSuchLine):
            listing.operator_left(why=Left.PORTED_OUT, **(left | {"operator": SECOND}))
        story.advance()
        story.advance()
        letters = Letter.objects.filter(template="mobile_line_left", to=application.applicant)
        assert letters.count() == 1
        # Mistaken: the same operator confirms it again by its word, and it stays.
        again = self.moved(registration, line, application.applicant, word=WORD, operator=FIRST)
        assert again.state == "ended"
        line.refresh_from_db()
        assert line.leaves_at is None and line.listed_until == registration.stays_until
        assert sample.list_of(FIRST) == [WORD]
