"""The pages of whoever announces, the holder's, and the calendar link, as they are used."""

import datetime as dt
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation
from icalendar import Calendar

from rahdari.maintenance import actions, calendars, queries
from rahdari.maintenance.models import CalendarFeed, Work
from rahdari.maintenance.rules import State
from rahdari.people.models import User
from rahdari.publish.models import Operator
from rahdari.web import values
from tests.builders import story
from tests.builders.planned_work import a_work, announced, tell
from tests.builders.publishing import entered
from tests.urdu import page_problems

from .test_reading import sent

pytestmark = pytest.mark.django_db
WORKS, MINE = "/operator/planned-work/", "/my/planned-work/"


def visitor(user: User | None = None, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    if user is not None:
        client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def filled(**more: str) -> dict[str, str]:
    day = timezone.localdate() + dt.timedelta(days=14)
    facts = {"affected": "203.0.113.0/24", "impact": "OUTAGE", "day": f"{day}", "begins": "23:30", "ends": "00:30"}
    return {**facts, "reason": "move", "text_en": "We move lines.", "text_ur": "", **more}


def about_to_begin(work: Work) -> None:
    """Its window begins in half an hour."""
    starts_at = timezone.now() + dt.timedelta(minutes=30)
    ends_at = starts_at + dt.timedelta(hours=1)
    Work.objects.filter(pk=work.pk).update(starts_at=starts_at, ends_at=ends_at, expected_end_at=ends_at)


def offered(page: str) -> set[str]:
    return set(re.findall(r'name="act" value="(\w+)"', page))


@pytest.fixture
def operator() -> User:
    return story.an_operator("sample-fibre", "Sample Fibre")


class TestAnOperator:
    def test_drafts_sees_what_is_affected_and_announces(self, operator: User) -> None:
        entered("203.0.113.7", "203.0.113.8")
        client = visitor(operator)
        assert client.get(f"{WORKS}new/").status_code == 200
        # Fourteen days and an hour from now, at whatever time of the day.
        begins = timezone.localtime() + dt.timedelta(days=14, hours=1)
        ends = begins + dt.timedelta(hours=1)
        window = {"day": f"{begins:%Y-%m-%d}", "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}
        made = client.post(f"{WORKS}new/", filled(**window), follow=True)
        work = Work.objects.get()
        assert work.ends_at - work.starts_at == dt.timedelta(hours=1)  # type: ignore[operator]
        assert "2 registered entries are affected" in made.text and "14 days" in made.text
        place = f"{WORKS}{work.reference}/"
        for act, state in (("announce", State.ANNOUNCED), ("start", State.STARTED), ("complete", State.COMPLETED)):
            if act == "start":
                about_to_begin(work)
            client.post(place, {"act": act})
            work.refresh_from_db()
            assert work.state == state
        assert client.post(place, {"act": "cancel"}, follow=True).status_code == 200
        assert client.post(place, {"act": "nothing"}).status_code == 404
        work.refresh_from_db()
        assert work.state == State.COMPLETED

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_offered_what_is_possible_now(self, operator: User, language: str) -> None:
        client = visitor(operator, language)
        work = a_work(Operator.objects.get(), starts_at=None, ends_at=None, now=timezone.now())
        place = f"{WORKS}{work.reference}/"
        said = {"en": "Before you announce it, say", "ur": "اعلان سے پہلے لکھیں"}[language]
        assert said in client.get(place).text and offered(client.get(place).text) == {"discard"}
        client.post(f"{place}change/", filled())
        assert said not in client.get(place).text and offered(client.get(place).text) == {"announce", "discard"}
        client.post(place, {"act": "announce"})
        assert offered(client.get(place).text) == {"cancel"}
        work.refresh_from_db()
        assert work.starts_at is not None
        since = values.when(work.starts_at - dt.timedelta(hours=1))
        page = client.post(place, {"act": "start"}, follow=True).text
        assert {"en": f"It is possible from {since} on.", "ur": "ابھی اس کا وقت نہیں ہوا۔"}[language] in page
        about_to_begin(work)
        assert offered(client.get(place).text) == {"cancel", "start"}
        assert offered(client.post(place, {"act": "start"}, follow=True).text) == {"complete", "prolong"}

    @pytest.mark.parametrize(
        ("language", "said", "notice"),
        [
            ("en", "The time of this draft is over.", "of notice"),
            ("ur", "اس مسودے کا وقت گزر چکا ہے۔", "ابھی اعلان ہو تو"),
        ],
    )
    def test_reads_of_a_draft_whose_time_went_by_that_it_is_over(
        self, operator: User, language: str, said: str, notice: str
    ) -> None:
        now = timezone.now()
        work = a_work(Operator.objects.get(), now=now)
        client, place = visitor(operator, language), f"{WORKS}{work.reference}/"
        assert notice in client.get(place).text and said not in client.get(place).text
        then = now - dt.timedelta(days=20)
        Work.objects.filter(pk=work.pk).update(starts_at=then, ends_at=then + dt.timedelta(hours=1))
        page = client.get(place).text
        assert said in page and notice not in page and offered(page) == {"discard"}

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_reads_beside_the_field_how_late_the_end_must_be(self, operator: User, language: str) -> None:
        client, work = visitor(operator, language), announced(Operator.objects.get(), now=timezone.now())
        about_to_begin(work)
        client.post(place := f"{WORKS}{work.reference}/", {"act": "start"})
        work.refresh_from_db()
        assert work.starts_at is not None and work.ends_at is not None
        early = timezone.localtime(work.starts_at)
        page = client.post(place, {"act": "prolong", "day": f"{early:%Y-%m-%d}", "ends": f"{early:%H:%M}"})
        with translation.override("en"):
            after = values.when(work.ends_at)
        assert page.status_code == 422 and 'id="id_ends-error"' in page.text
        assert {"en": f"later than {after}.", "ur": "کے بعد کا وقت لکھیں۔"}[language] in page.text
        later = timezone.localtime(work.ends_at) + dt.timedelta(hours=1)
        client.post(place, {"act": "prolong", "day": f"{later:%Y-%m-%d}", "ends": f"{later:%H:%M}"})
        work.refresh_from_db()
        assert work.expected_end_at == later.replace(second=0, microsecond=0)

    @pytest.mark.parametrize(
        ("language", "said"),
        [("en", "The regulator has announced no work"), ("ur", "ریگولیٹر نے کسی کام کا اعلان نہیں کیا")],
    )
    def test_announces_what_is_not_the_regulators(self, operator: User, language: str, said: str) -> None:
        announced(Operator.objects.get(), now=timezone.now())
        assert said in visitor(story.an_officer(), language).get("/desk/planned-work/").text
        assert said not in visitor(operator, language).get(WORKS).text

    @pytest.mark.parametrize(
        ("more", "field", "said"),
        [
            ({"affected": ""}, "affected", "Enter at least one address"),
            ({"affected": "203.0.113.7/24"}, "affected", "Did you mean"),
            ({"affected": "203.0.113.7 udp 99999"}, "affected", "is no port"),
            ({"affected": "203.0.113.7 udp 443 WORSE"}, "affected", "is no impact"),
            ({"affected": "198.51.100.7"}, "day", ""),
            ({"day": "2020-01-01"}, "day", "This time is over"),
            ({"minutes": "0"}, "minutes", "Enter a number of minutes"),
            ({"reason": ""}, "reason", "Choose a reason"),
            ({"text_en": "Sign in at rahdari-gov.example"}, "text_en", "may hold no web or email address"),
            ({"text_ur": "کال کریں: 0300 1234567"}, "text_ur", "may hold no telephone number"),
        ],
    )
    def test_is_told_beside_the_field_how_to_mend_it(
        self, operator: User, more: dict[str, str], field: str, said: str
    ) -> None:
        page = visitor(operator).post(f"{WORKS}new/", filled(**more))
        if not said:  # a draft may say it: what holds is judged when it is announced
            assert page.status_code == 302
            return
        assert page.status_code == 422 and said in page.text and f'id="id_{field}-error"' in page.text

    def test_sees_nothing_of_another_ones(self, operator: User) -> None:
        other = story.an_operator("sample-mobile", "Sample Mobile")
        visitor(operator).post(f"{WORKS}new/", filled())
        reference = Work.objects.get().reference
        assert reference not in visitor(other).get(WORKS).text
        for place in (f"{WORKS}{reference}/", f"{WORKS}{reference}/change/"):
            assert visitor(other).get(place).status_code == 404
        assert visitor(other).post(f"{WORKS}{reference}/", {"act": "discard"}).status_code == 404
        assert visitor(story.an_officer()).get(f"/desk/planned-work/{reference}/").status_code == 404

    def test_sends_a_calendar_file(self, operator: User) -> None:
        client = visitor(operator)
        content = sent(starts_at=timezone.now() + dt.timedelta(days=9), ends_at=timezone.now() + dt.timedelta(days=9.1))
        page = client.post(f"{WORKS}read/", {"file": SimpleUploadedFile("w.ics", content)})
        assert page.status_code == 200 and "A draft is made" in page.text and Work.objects.get().reference in page.text
        wrong = client.post(f"{WORKS}read/", {"file": SimpleUploadedFile("w.ics", b"nothing")})
        assert wrong.status_code == 422 and "This is no calendar file" in wrong.text
        assert client.post(f"{WORKS}read/", {}).status_code == 422


class TestAnOfficer:
    def test_reads_what_an_operator_writes_before_holders_do(self, operator: User) -> None:
        person = story.a_person()
        entered("203.0.113.7", holder=person.holder_ref, now=timezone.now())
        for text in ("We move lines.", "We close a weakness."):
            work = a_work(Operator.objects.get(), now=timezone.now(), text_en=text)
            actions.announce(work=work, by="person:1", now=timezone.now())
        tell(timezone.now())
        officer = visitor(story.an_officer())
        page = officer.get("/desk/planned-work/").text
        assert "2 texts of operators to read" in page and "We move lines." in page
        desk = officer.get("/desk/").text
        assert 'Planned work <span class="count">2<span class="vh"> texts to read</span></span>' in desk
        shown, kept = Work.objects.order_by("made_at")
        assert "An officer reads them before" in visitor(operator).get(f"{WORKS}{shown.reference}/").text
        assert "when an officer has read it" in visitor(person).get(f"/my/planned-work/{shown.reference}/").text
        for each, act in ((shown, "show"), (kept, "keep")):
            place = f"/desk/planned-work/words/{each.wording_id}/"
            assert visitor(operator).post(place, {"act": act}).status_code == 403
            assert officer.post(place, {"act": "another"}).status_code == 404
            assert officer.post(place, {"act": act}).status_code == 302
        assert "to read" not in officer.get("/desk/planned-work/").text
        assert "texts to read" not in officer.get("/desk/").text
        assert "“We move lines.”" in visitor(person).get(f"/my/planned-work/{shown.reference}/").text
        page = visitor(person).get(f"/my/planned-work/{kept.reference}/").text
        assert "weakness" not in page and "has read" not in page
        assert "kept them back" in visitor(operator).get(f"{WORKS}{kept.reference}/").text


class TestAHolder:
    @pytest.fixture
    def person(self) -> User:
        return story.a_person()

    @pytest.fixture
    def work(self, person: User) -> Work:
        entered("203.0.113.7", holder=person.holder_ref)
        return announced(None, now=timezone.now())

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_reads_what_happens_to_their_own_addresses(self, person: User, work: Work, language: str) -> None:
        client = visitor(person, language)
        page = client.get(f"{MINE}{work.reference}/")
        assert page.status_code == 200 and "203.0.113.7 udp 51820" in page.text
        assert work.reference in client.get(MINE).text
        if language == "ur":
            assert page_problems(page.text) == []
        file = client.get(f"{MINE}{work.reference}/calendar.ics")
        assert file.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert len(Calendar.from_ical(file.content).walk("VEVENT")) == 1
        stranger = visitor(story.a_person())
        assert stranger.get(f"{MINE}{work.reference}/").status_code == 404
        assert stranger.get(f"{MINE}{work.reference}/calendar.ics").status_code == 404

    def test_does_not_read_of_work_that_is_over_what_it_does(self, person: User, work: Work) -> None:
        client, at = visitor(person), f"{MINE}{work.reference}/"
        assert "Does not answer" in client.get(at).text
        about_to_begin(work)
        for act in (actions.start, actions.complete):
            act(work=work, by="person:1", now=timezone.now())
        tell(timezone.now())
        page = client.get(at).text
        assert "The work is over." in page and "203.0.113.7 udp 51820" in page and "Does not answer" not in page

    def test_has_a_calendar_by_a_link_and_ends_it(self, person: User, work: Work) -> None:
        client, anybody = visitor(person), visitor()
        for _twice in range(2):
            client.post(f"{MINE}calendar/", {"act": "make", "holder": str(person.holder_ref)})
        feed = CalendarFeed.objects.get()
        link = f"/planned-work/feed/{feed.pk}/{queries.calendar_token(feed)}.ics"
        assert link in client.get(MINE).text
        first = anybody.get(link)
        assert first.status_code == 200 and work.reference.encode() in first.content
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert anybody.get(link, headers={"if-none-match": first.headers["ETag"]}).status_code == 304
        feed.refresh_from_db()
        assert feed.reads == 2
        assert anybody.get(link.replace(str(feed.pk), str(work.pk))).status_code == 404
        assert anybody.get(link.replace(queries.calendar_token(feed), "a" * 26)).status_code == 404
        assert (
            visitor(story.a_person())
            .post(f"{MINE}calendar/", {"act": "end", "holder": str(person.holder_ref)})
            .status_code
            == 404
        )
        client.post(f"{MINE}calendar/", {"act": "end", "holder": str(person.holder_ref)})
        assert anybody.get(link).status_code == 404
        again = calendars.make_calendar(holder=person.holder_ref, language="en", actor="person:1", now=timezone.now())
        assert queries.calendar_token(again) not in link

    def test_has_nothing_of_a_draft(self, person: User) -> None:
        entered("203.0.113.7", holder=person.holder_ref)
        assert "No work is announced" in visitor(person).get(MINE).text


def test_a_filled_in_form_is_the_plan_of_the_work(operator: User) -> None:
    """Opened to be changed and sent as it is, nothing is different."""
    client = visitor(operator)
    client.post(f"{WORKS}new/", filled(affected="203.0.113.0/25\n203.0.113.200 udp 443 DEGRADED", minutes="10"))
    work = Work.objects.get()
    before: Any = (work.components, work.starts_at, work.ends_at, work.minutes, work.text_en)
    form = client.get(f"{WORKS}{work.reference}/change/").context["form"]
    client.post(f"{WORKS}{work.reference}/change/", {name: form[name].value() or "" for name in form.fields})
    work = Work.objects.get()
    assert (work.components, work.starts_at, work.ends_at, work.minutes, work.text_en) == before
