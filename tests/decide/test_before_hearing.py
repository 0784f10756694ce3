"""A registration is suspended before its holder is heard: where the policy turns that on, for some hours, and once."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.appeal import queries as appeals
from rahdari.decide import case_clock, deadlines, desk, ending, hearings, recusing, revocation, transitions
from rahdari.decide.models import Case, Revocation
from rahdari.decide.rules import CannotSecond
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.register import queries as entries
from rahdari.register.models import Change, Registration
from rahdari.register.rules import Standing
from tests.builders.cases import DAY, HOUR, MINUTE, an_officer, shown_in_vain
from tests.builders.programs import Program
from tests.builders.rules import suspending_first
from tests.calendar.said import in_force

from .test_fair_revocation import acts_of, open_notice, text_of_last_letter
from .test_revocation import FACTS, LATER, answered, granted, letters_to

pytestmark = pytest.mark.django_db
BECAUSE = "Somebody else answers there now."


@pytest.fixture
def turned_on(settings: Any, tmp_path: Path) -> None:
    suspending_first(settings, tmp_path)


def proposed(case: Case, officer: User, code: str = "S4", now: dt.datetime = LATER) -> None:
    revocation.propose_revocation(case=case, officer=officer, code=code, now=now, before_hearing=True, **FACTS)


def suspended(officer: User, director: User) -> tuple[Case, Registration, Revocation]:
    case, found = granted()
    proposed(case, officer)
    taken = revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=LATER + HOUR)
    return case, found, taken


def standing(found: Registration, now: dt.datetime) -> Standing:
    return entries.standing(entries.fresh(found), now)


class TestWhereItIsOff:
    def test_is_not_proposed_and_bites_nobody(self, officer: User, director: User) -> None:
        case, found = granted()
        with pytest.raises(transitions.CodeNotUsable):
            proposed(case, officer)
        revocation.propose_revocation(case=case, officer=officer, code="S4", now=LATER, **FACTS)
        with pytest.raises(transitions.NotPossibleNow):
            revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=LATER)
        assert standing(found, LATER) is Standing.VALID


@pytest.mark.usefixtures("turned_on")
class TestSuspending:
    def test_needs_a_proposal_of_one_and_the_word_of_a_director(
        self, officer: User, second: User, director: User
    ) -> None:
        case, found = granted()
        with pytest.raises(transitions.CodeNotUsable):
            proposed(case, officer, "S5")
        proposed(case, officer)
        assert "72 hours" in text_of_last_letter(case) and standing(found, LATER) is Standing.VALID
        for who, why in ((officer, CannotSecond.YOURS), (second, CannotSecond.RANK)):
            with pytest.raises(transitions.MayNotSecond) as error:
                revocation.suspend_before_hearing(case=case, officer=who, because=BECAUSE, now=LATER)
            assert error.value.why == why
        with pytest.raises(transitions.ReasonNeeded):
            revocation.suspend_before_hearing(case=case, officer=director, because=" ", now=LATER)
        revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=LATER)
        assert standing(found, LATER) is Standing.SUSPENDED
        assert acts_of(case)[0] == "decide.suspended_first"

    def test_is_served_at_once_and_says_that_nothing_is_decided(self, officer: User, director: User) -> None:
        case, _found, taken = suspended(officer, director)
        letter = Letter.objects.get(template="registration_suspended")
        assert letter.written_at == taken.at
        ends = timezone.localtime(taken.ends_at)
        for said in ("Nothing is decided yet", "can be heard before it ends", f"{ends:%H:%M}", BECAUSE, "Appeal until"):
            assert said in letter.text
        assert appeals.appealable(case.application, LATER + 2 * HOUR).revocation == taken  # type: ignore[union-attr]

    def test_ends_by_itself_in_one_edition_and_late_where_the_worker_was_down(
        self, officer: User, director: User
    ) -> None:
        case, found, taken = suspended(officer, director)
        assert taken.ends_at == taken.at + 72 * HOUR == entries.fresh(found).suspended_until
        assert not ending.resume_due(now=taken.ends_at - MINUTE)
        back = taken.ends_at + 3 * DAY
        assert ending.resume_due(now=back) == 1 and standing(found, back) is Standing.VALID
        resumed = Change.objects.filter(entry__registration=found, act="resume")
        assert resumed.count() == found.entries.count() and {each.at for each in resumed} == {back}
        taken.refresh_from_db()
        assert (taken.ended_by, taken.ended_at) == ("clock", back)
        # The proposal stands, and what was suspended can still be appealed against in its time.
        assert open_notice(case).is_standing
        assert appeals.appealable(case.application, back).revocation == taken  # type: ignore[union-attr]
        assert appeals.appealable(case.application, back + 60 * DAY) is None

    def test_is_heard_while_it_lasts_if_its_holder_asks(self, officer: User, second: User, director: User) -> None:
        case, _found, taken = suspended(officer, director)
        asked = LATER + 3 * HOUR
        hearings.ask_for_hearing(notice=open_notice(case), actor=f"person:{case.application.applicant_id}", now=asked)
        assert case_clock.notice_heard_between(open_notice(case), asked)[1] == taken.ends_at
        day = asked + 24 * HOUR
        hearings.set_hearing(case=case, officer=second, starts_at=day, place="Room 2", now=asked)
        hearings.record_hearing(case=case, officer=second, attended="The holder.", minutes="It is mine.", now=day)
        # Once its holder was heard, there is nothing before a hearing.
        with pytest.raises(transitions.NotPossibleNow):
            revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=day)

    def test_is_heard_by_the_clocks_where_the_office_does_not_open_meanwhile(
        self, officer: User, second: User, director: User
    ) -> None:
        case, _found, taken = suspended(officer, director)
        asked = LATER + 3 * HOUR
        hearings.ask_for_hearing(notice=open_notice(case), actor=f"person:{case.application.applicant_id}", now=asked)
        in_force(
            an_officer("Supervisor S", role=Role.SUPERVISOR),
            second,
            (asked + DAY).date(),
            (asked + 3 * DAY).date(),
            now=asked,
        )
        first, last = case_clock.notice_heard_between(open_notice(case), asked)
        assert taken.ends_at + 3 * DAY < first < last and case_clock.calendar().is_open_at(first)

    def test_gives_way_to_what_is_decided(self, officer: User, second: User, director: User) -> None:
        case, found, taken = suspended(officer, director)
        answered(case)
        final = revocation.second_revocation(case=case, officer=second, because="So it is.", now=LATER + DAY)
        taken.refresh_from_db()
        assert taken.ended_at == LATER + DAY and not final.before_hearing
        assert entries.fresh(found).suspended_until == final.ends_at != taken.ends_at
        assert Change.objects.filter(entry__registration=found, act="resume").count() == 0
        assert not ending.resume_due(now=LATER + 5 * DAY), "its own end is not the end of the decision"

    @pytest.mark.parametrize("how", ["dropped", "recused", "lapsed"])
    def test_is_over_when_the_proposal_is(self, how: str, officer: User, second: User, director: User) -> None:
        case, found = granted()
        proposed(case, officer)
        notice = open_notice(case)
        at = LATER + HOUR if how != "lapsed" else case_clock.decide_by(notice) - HOUR
        revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=at)
        after = at + 2 * HOUR
        if how == "dropped":
            revocation.keep_registration(case=case, officer=second, why="It is proved.", now=after)
        elif how == "recused":
            recusing.recuse(case=case, officer=officer, why="I know them.", now=after)
        else:
            deadlines.close_unanswered(now=after)
            deadlines.close_unanswered(now=after)
        assert standing(found, after) is Standing.VALID
        assert letters_to(case)[-1] == "registration_stays" and "no longer suspended" in " ".join(
            text_of_last_letter(case).split()
        )

    def test_is_counted_for_a_director_until_it_is_suspended(self, officer: User, second: User, director: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        assert [desk.for_me(officer=each) for each in (officer, second, director)] == [0, 0, 1]
        revocation.suspend_before_hearing(case=case, officer=director, because=BECAUSE, now=LATER + HOUR)
        assert desk.for_me(officer=director) == 0


@pytest.mark.usefixtures("turned_on")
class TestOnce:
    def test_is_not_repeated_by_the_same_code_or_another_after_the_proposal_was_dropped(
        self, officer: User, second: User, director: User
    ) -> None:
        case, found, _taken = suspended(officer, director)
        revocation.keep_registration(case=case, officer=second, why="It is proved.", now=LATER + DAY)
        for code in ("S4", "S2"):
            with pytest.raises(transitions.CodeNotUsable):
                proposed(case, officer, code, LATER + DAY)
        # A program that asks nobody is refused by the database.
        shown_in_vain(found, now=LATER)
        revocation.propose_revocation(case=case, officer=officer, code="S2", now=LATER + DAY, **FACTS)
        notice = open_notice(case)
        with pytest.raises(DatabaseError), transaction.atomic():
            type(notice).objects.filter(pk=notice.pk).update(before_hearing=True)
        revocation.keep_registration(case=case, officer=second, why="It is proved.", now=LATER + DAY)
        facts = row(case, found, officer, director, "S2")
        with pytest.raises(DatabaseError, match="suspended_before_a_hearing_once"), transaction.atomic():
            Revocation.objects.create(**facts)


def row(case: Case, found: Registration, officer: User, director: User, code: str = "S4") -> dict[str, Any]:
    """A row that no act would write, with a notice that proposes it."""
    notice = revocation.Notice.objects.create(
        case=case,
        codes=[code],
        proposed_by=officer,
        before_hearing=True,
        sent_at=LATER + DAY,
        answer_due_at=LATER + 30 * DAY,
    )
    return {
        "case": case,
        "registration": found,
        "notice": notice,
        "before_hearing": True,
        "kind": "suspension",
        "codes": [code],
        "proposed_by": officer,
        "seconded_by": director,
        "decided_by": f"supervisor:{director.pk}",
        "rule_version": "1",
        "at": LATER + DAY,
        "ends_at": LATER + 4 * DAY,
        "appeal_until": LATER + 30 * DAY,
    }


def test_the_database_takes_none_that_is_longer_or_without_notice_or_a_director(
    officer: User, second: User, director: User
) -> None:
    case, found = granted()
    facts = row(case, found, officer, director)
    for wrong, match in (
        ({"ends_at": LATER + 4 * DAY + MINUTE}, "is_short"),
        ({"ends_at": None}, "names_its_end"),
        ({"codes": ["S2"]}, "notice that proposes it"),
        ({"proposed_by": second}, "notice that proposes it"),
        ({"seconded_by": officer}, "Director|second_officer"),
        ({"seconded_by": second}, "Director"),
        ({"decided_by": "rule:1"}, "rule_never_revokes"),
        ({"kind": "striking_out", "ends_at": None}, "is_short"),
    ):
        with pytest.raises(DatabaseError, match=match), transaction.atomic():
            Revocation.objects.create(**facts | wrong)
    facts["notice"].withdrawn_at = LATER + DAY
    facts["notice"].save()
    with pytest.raises(DatabaseError, match="notice that proposes it"), transaction.atomic():
        Revocation.objects.create(**facts)


@pytest.mark.usefixtures("turned_on")
class TestPages:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_letter_certificate_api_and_public_check_say_the_same(
        self, language: str, officer: User, director: User, time_machine: Any
    ) -> None:
        time_machine.move_to(LATER)
        case, found = granted()
        reference = case.application.reference
        place = reverse("decide:revoke", args=[reference])

        def of(user: User) -> Client:
            client = Client()
            client.force_login(user)
            client.cookies["django_language"] = language
            client.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
            return client

        first, other, holder = of(officer), of(director), of(case.application.applicant)
        given: dict[str, Any] = {
            "take_code": "S5",
            "take_text": "So it is.",
            "take_evidence": "Tries.",
            "take_first": "on",
        }
        shown_in_vain(found, now=timezone.now())
        assert first.post(place, given).status_code == 422
        assert first.post(place, given | {"take_code": "S4"}).status_code == 302
        assert 'name="first_because"' not in first.get(place).text
        waits = {"en": "You may agree to suspend it", "ur": "معطلی سے آپ کا اتفاق"}[language]
        assert waits in other.get(reverse("decide:approvals")).text
        assert waits not in first.get(reverse("decide:approvals")).text
        asked = other.get(place).text
        assert 'name="first_because"' in asked and "72" in asked
        notice = reverse("portal:notice", args=[reference])
        assert "72" in holder.get(notice).text
        assert other.post(place, {"first_because": " "}).status_code == 422
        assert other.post(place, {"first_because": BECAUSE}).status_code == 302
        assert waits not in other.get(reverse("decide:approvals")).text
        taken = Revocation.objects.get()
        assert taken.ends_at is not None and taken.before_hearing
        until = f"{timezone.localtime(taken.ends_at):%H:%M}"
        own = holder.get(reverse("portal:registration", args=[found.reference])).text
        for page in (own, holder.get(notice).text, other.get(place).text):
            assert until in page
        assert BECAUSE in own and BECAUSE in holder.get(notice).text
        words = {"en": ("Suspended", "Nothing is decided yet"), "ur": ("معطل", "ابھی کوئی فیصلہ نہیں ہوا")}[language]
        assert words[1] in own
        public = Client()
        public.cookies["django_language"] = language
        assert words[0] in public.get(reverse("portal:check_number"), {"number": found.reference}).text
        sheet = holder.get(reverse("portal:certificate", args=[found.reference])).text
        assert "Suspended since" in sheet and "معطل" in sheet
        said = Program(case.application.applicant).get(f"/registrations/{found.reference}").said
        assert said["standing"] == "suspended" and said["suspended_before_hearing"] is True
        assert dt.datetime.fromisoformat(said["suspended_until"]) == taken.ends_at.replace(microsecond=0)
