"""The pages of planned work in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from rahdari.maintenance import actions
from rahdari.maintenance.models import Work
from rahdari.people.models import User
from rahdari.publish import queries as networks
from tests.builders import story
from tests.builders.planned_work import announced, tell
from tests.builders.publishing import entered
from tests.in_browser import faults_on_a_small_phone

from .test_pages import MINE, WORKS, about_to_begin, filled, visitor
from .test_reading import sent

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    person, user = story.a_person(), story.an_operator("sample-fibre", "Sample Fibre")
    User.objects.filter(pk=person.pk).update(language=language)
    entered("203.0.113.40", "203.0.113.41", "2001:db8:40:7::24", holder=person.holder_ref)
    operator, holder, desk = (visitor(each, language) for each in (user, person, story.an_officer()))
    yield "none", operator.get(WORKS).text
    yield "holder-none", holder.get(MINE).text
    yield "form", operator.get(f"{WORKS}new/").text
    yield "form-error", operator.post(f"{WORKS}new/", {"affected": "203.0.113.7/24 udp"}).text
    lines = "203.0.113.32/27\n2001:db8:40:7::/64 udp 51820 NO-IMPACT\n203.0.113.41 DEGRADED"
    given = filled(affected=lines, minutes="10", text_ur="لائنیں نئے گیٹ وے پر منتقل ہوں گی۔", tentative="on")
    yield "draft", operator.post(f"{WORKS}new/", given, follow=True).text
    work = Work.objects.get()
    place, now = f"{WORKS}{work.reference}/", timezone.now()
    yield "announced", operator.post(place, {"act": "announce"}, follow=True).text
    tell(now)
    yield "change", operator.get(f"{place}change/").text
    yield "holder", holder.get(f"{MINE}{work.reference}/").text
    yield "ask-error", holder.post(f"{MINE}{work.reference}/", {"why": ""}).text
    night = f"{timezone.localdate(now) + dt.timedelta(days=20)}"
    sentence = "We take calls from 01:00 to 09:00 on workdays."
    asked = holder.post(f"{MINE}{work.reference}/", {"why": sentence, "night": night}, follow=True)
    yield "asked", asked.text
    yield "asked-at-operator", operator.get(place).text
    yield "stays-error", operator.post(place, {"act": "stays", "code": ""}).text
    operator.post(place, {"act": "stays", "code": "others", "said": "A crane is rented for that night."})
    yield "answered", holder.get(f"{MINE}{work.reference}/").text
    yield (
        "holder-calendar",
        holder.post(f"{MINE}calendar/", {"act": "make", "holder": str(person.holder_ref)}, follow=True).text,
    )
    about_to_begin(work)
    yield "started", operator.post(place, {"act": "start"}, follow=True).text
    yield "started-error", operator.post(place, {"act": "prolong", "day": ""}).text
    yield "completed", operator.post(place, {"act": "complete"}, follow=True).text
    # Announced before, and its window is past: nobody has said that it is over.
    long_ago = now - dt.timedelta(days=16)
    old = announced(networks.operator_by_slug("sample-fibre"), "203.0.113.40", now=long_ago)
    yield "overrun", operator.get(f"{WORKS}{old.reference}/").text
    yield "holder-overrun", holder.get(f"{MINE}{old.reference}/").text
    gone = announced(None, "203.0.113.40", now=now)
    actions.cancel(work=gone, by="officer:1", now=now)
    tell(now)
    yield "holder-cancelled", holder.get(f"{MINE}{gone.reference}/").text
    yield "desk", desk.get("/desk/planned-work/").text
    yield "desk-work", desk.get(f"/desk/planned-work/{gone.reference}/").text
    file = sent(account="another") + sent(starts_at=now + dt.timedelta(days=9), ends_at=now + dt.timedelta(days=9.1))
    yield "read-in", operator.post(f"{WORKS}read/", {"file": SimpleUploadedFile("w.ics", file)}).text
    yield "list", operator.get(WORKS).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
