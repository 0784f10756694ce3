"""A holder asks for another night: the acts and refusals through PostgreSQL, both pages, the interface, the figures."""

import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.db import Error, transaction
from django.utils import timezone, translation

from rahdari.archive.actions import Box
from rahdari.inquiry.rules import SILENT, VOID, WAITING
from rahdari.letters.models import Letter
from rahdari.maintenance import actions, erasing, figures, moving, queries
from rahdari.maintenance.models import AnotherNight, Notice, Work
from rahdari.maintenance.rules import MOVED, STAYS, State, Stays
from rahdari.people.models import User
from rahdari.publish.models import Operator
from rahdari.web import values
from tests.builders import story
from tests.builders.planned_work import DAY, HOUR, NOW, a_network, a_plan, announced, tell
from tests.builders.programs import Program, problem
from tests.builders.publishing import entered
from tests.urdu import page_problems

from .test_pages import MINE, WORKS, visitor

pytestmark = pytest.mark.django_db
AT = NOW + 14 * DAY  # when the work begins
NIGHT = timezone.localdate(AT) + 2 * DAY


@pytest.fixture
def person() -> User:
    return story.a_person()


def a_notice(person: User, operator: Operator | None = None, address: str = "203.0.113.7") -> Notice:
    entered(address, holder=person.holder_ref)
    announced(operator, "203.0.113.0/24")
    return queries.notice_for([person.holder_ref], Work.objects.get().reference)


def asked(notice: Notice, *, now: dt.datetime = NOW, night: dt.date | None = NIGHT) -> AnotherNight:
    return moving.ask(notice=notice, why="We take calls at night.", night=night, by="person:1", now=now)


def settled(request: AnotherNight, now: dt.datetime) -> AnotherNight:
    """After the steps of the workflow that take an answer along."""
    queries.ANOTHER_NIGHT.expire(now=now)
    moving.deliver(now=now)
    request.refresh_from_db()
    return request


def letters_to(person: User) -> list[str]:
    return list(Letter.objects.filter(to=person).order_by("pk").values_list("template", flat=True))


class TestAsk:
    def test_is_answered_by_moving_the_work_for_everybody(self, person: User) -> None:
        user = story.an_operator("sample-fibre", "Sample Fibre")
        notice = a_notice(person, Operator.objects.get())
        entered("203.0.113.8", holder=(other := story.a_person()).holder_ref)
        tell(NOW + HOUR)
        request = asked(notice)
        assert (request.due_at, letters_to(user)) == (NOW + dt.timedelta(hours=48), ["another_night_asked"])
        asked(queries.notice_for([other.holder_ref], notice.work.reference), night=None)
        # It has the page for the second.
        assert len(letters_to(user)) == 1
        work = moving.move(work=notice.work, night=NIGHT, by="person:2", now=NOW + HOUR)
        assert (work.starts_at, work.ends_at) == (AT + 2 * DAY, AT + 2 * DAY + HOUR)
        tell(NOW + HOUR)
        assert settled(request, NOW + HOUR).state == MOVED
        assert Counter(letters_to(person)) == {"planned_work": 2, "another_night": 1}
        assert Counter(letters_to(other)) == {"planned_work": 2, "another_night": 1}
        # The notice of the change is another one.
        assert queries.may_ask(queries.notice_for([person.holder_ref], work.reference), request, NOW + HOUR)

    def test_is_answered_by_a_reason(self, person: User) -> None:
        request = asked(notice := a_notice(person))
        assert moving.keep(work=notice.work, code=Stays.WORSE, said="As  announced.", by="person:2", now=NOW) == 1
        settled(request, NOW)
        assert (request.state, request.code, request.words) == (STAYS, Stays.WORSE, "As announced.")
        assert "another_night" in letters_to(person)
        with pytest.raises(actions.NotPossibleNow):
            moving.keep(work=notice.work, code=Stays.WORSE, said="", by="person:2", now=NOW)

    def test_is_silence_when_the_time_is_over(self, person: User) -> None:
        request = asked(notice := a_notice(person))
        with pytest.raises(actions.NotPossibleNow):
            moving.keep(work=notice.work, code=Stays.WORSE, said="", by="person:2", now=request.due_at)
        # A change that comes too late is no answer.
        moving.move(work=notice.work, night=NIGHT, by="person:2", now=request.due_at)
        assert settled(request, request.due_at).state == SILENT
        assert "another_night" in letters_to(person)

    @pytest.mark.parametrize("act", ["start", "cancel"])
    def test_lapses_when_the_work_begins_or_is_off(self, person: User, act: str) -> None:
        request = asked(notice := a_notice(person), now=(now := AT - HOUR))
        getattr(actions, act)(work=notice.work, by="person:2", now=now)
        assert settled(request, now).state == VOID and "another_night" not in letters_to(person)
        notice = queries.notice_for([person.holder_ref], notice.work.reference)
        with pytest.raises(actions.NotPossibleNow):
            asked(notice)

    def test_goes_on_while_the_window_stays(self, person: User) -> None:
        request = asked(notice := a_notice(person))
        actions.change(work=notice.work, plan=a_plan(text_en="Other words."), by="person:2", now=NOW)
        tell()
        request.refresh_from_db()
        assert request.state == WAITING
        with pytest.raises(actions.NotPossibleNow):
            asked(queries.notice_for([person.holder_ref], notice.work.reference))

    def test_is_refused_twice_and_without_sense(self, person: User) -> None:
        notice = a_notice(person)
        for night in (timezone.localdate(NOW), timezone.localdate(AT)):
            with pytest.raises(moving.NightNotTaken):
                asked(notice, night=night)
        with pytest.raises(actions.SaysNotWhy):
            moving.ask(notice=notice, why=" ", night=None, by="person:1", now=NOW)
        with pytest.raises(actions.NotPossibleNow):
            asked(notice, now=AT)
        assert asked(notice, now=AT - HOUR).due_at == AT
        with pytest.raises(actions.NotPossibleNow):
            asked(notice)
        assert AnotherNight.objects.count() == 1

    def test_stays_for_no_reason_not_even_by_hand(self, person: User) -> None:
        request = asked(a_notice(person))
        with pytest.raises(Error), transaction.atomic():
            AnotherNight.objects.filter(pk=request.pk).update(state=STAYS, ended_at=NOW)


def test_of_whoever_asked_nothing_stays_but_that_it_was(person: User) -> None:
    request = asked(notice := a_notice(person))
    moving.keep(work=notice.work, code=Stays.URGENT, said="", by="person:2", now=NOW)
    erasing.erase(work=notice.work, box=Box("planned_work", now=AT), now=AT)
    request.refresh_from_db()
    assert (request.holder, request.registration, request.why, request.night, request.asked_by) == (
        None, None, "", None, "",
    )  # fmt: skip
    assert (request.state, request.code) == (STAYS, Stays.URGENT)


def test_figures_count_what_is_over_and_none_of_few() -> None:
    ours = a_network()
    people = [story.a_person() for _ in range(6)]
    for number, each in enumerate(people):
        entered(f"203.0.113.{number + 1}", holder=each.holder_ref)
    first, second = announced(ours), announced(ours)

    def ask_about(work: Work, those: list[User]) -> None:
        for each in those:
            asked(queries.notice_for([each.holder_ref], work.reference))

    ask_about(first, people[:4])
    moving.move(work=first, night=NIGHT, by="person:2", now=NOW)
    ask_about(second, people)
    assert figures.figures_of(ours, now=NOW).requests is None
    queries.ANOTHER_NIGHT.expire(now=NOW + 2 * DAY)
    assert figures.figures_of(ours, now=NOW + 2 * DAY).requests == figures.Requests(asked=10, answered=4, moved=4)


class TestPages:
    @pytest.fixture
    def work(self, person: User) -> Work:
        self.user = story.an_operator("sample-fibre", "Sample Fibre")
        entered("203.0.113.7", holder=person.holder_ref)
        return announced(Operator.objects.get(), "203.0.113.0/24", now=timezone.now())

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_lead_from_asking_to_the_answer(self, person: User, work: Work, language: str) -> None:
        holder, operator = visitor(person, language), visitor(self.user, language)
        page, place = f"{MINE}{work.reference}/", f"{WORKS}{work.reference}/"
        assert work.starts_at is not None
        night = timezone.localdate(work.starts_at) + DAY
        assert holder.post(page, {"why": "", "night": "soon"}).status_code == 422
        assert holder.post(page, {"why": "Calls.", "night": f"{timezone.localdate()}"}).status_code == 422
        assert visitor(story.a_person()).post(page, {"why": "Calls."}).status_code == 404
        done = holder.post(page, {"why": "We take calls at night.", "night": f"{night}"}, follow=True)
        assert done.status_code == 200 and 'name="why"' not in done.text
        seen = operator.get(place).text
        assert "We take calls at night." in seen and "203.0.113.7" in seen and f'value="{night}"' in seen
        assert person.email not in seen and "RD-" not in seen
        if language == "ur":
            # Its title has the number of the work, in Latin letters.
            problems = [each for each in page_problems(seen) if work.reference not in each.where]
            assert page_problems(done.text) == problems == []
        else:
            assert "has to answer by" in done.text and "1 holder asks for another night" in seen
            assert "1 request for another night" in operator.get(WORKS).text
        assert operator.post(place, {"act": "stays", "code": ""}).status_code == 422
        assert operator.post(place, {"act": "move", "night": "soon"}).status_code == 404
        operator.post(place, {"act": "move", "night": f"{night}"})
        work.refresh_from_db()
        assert work.starts_at is not None and timezone.localdate(work.starts_at) == night
        assert AnotherNight.objects.get().state == MOVED
        tell(timezone.now())
        assert holder.get(page).status_code == 200 and 'name="why"' in holder.get(page).text

    def test_tell_until_when_an_answer_is_due(self, person: User, work: Work) -> None:
        """Never longer than until the work begins."""
        page, told = f"{MINE}{work.reference}/", "If you ask now, <bdi>Sample Fibre</bdi> has until {} to answer"
        assert work.starts_at is not None
        for before in (3 * DAY, dt.timedelta(minutes=10)):
            with time_machine.travel(work.starts_at - before, tick=False):
                with translation.override("en"):
                    due_at = values.when(min(timezone.now() + 2 * DAY, work.starts_at))
                assert told.format(due_at) in visitor(person).get(page).text
                urdu = visitor(person, "ur").get(page).text
                assert "ابھی کرنے پر" in urdu and page_problems(urdu) == []

    def test_say_why_it_stays(self, person: User, work: Work) -> None:
        page, place = f"{MINE}{work.reference}/", f"{WORKS}{work.reference}/"
        visitor(person).post(page, {"why": "We take calls at night."})
        visitor(self.user).post(place, {"act": "stays", "code": "others", "said": "A crane is rented."})
        told = visitor(person).get(page).text
        assert "Others work on it at that time" in told and "A crane is rented." in told and 'name="why"' not in told

    def test_programs_ask_as_well(self, person: User, work: Work) -> None:
        program = Program(person)
        place = f"/planned-work/{work.reference}"
        assert program.get(place).said["another_night"] is None
        refused = program.post(f"{place}/another-night", {"why": "Calls.", "night": f"{timezone.localdate()}"})
        assert refused.status_code == 422 and refused.said["errors"][0]["pointer"] == "/night"
        done = program.post(f"{place}/another-night", {"why": "We take calls at night."})
        assert done.status_code == 200 and done.said["another_night"]["state"] == "waiting"
        again = program.post(f"{place}/another-night", {"why": "We take calls at night."})
        problem(again, 409, "not-possible-now")
        assert Work.objects.get().state == State.ANNOUNCED
