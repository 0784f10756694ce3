"""How many applications stand is read for all of them at once: the same words as of each alone, and no query more."""

import datetime as dt
import ipaddress
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from rahdari.address import directory
from rahdari.api import serializers
from rahdari.applicant.overview import Overview, overview, overviews
from rahdari.applicant.stages import Stage
from rahdari.apply import access, drafts, renewal, sending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.decide import ending
from rahdari.people.models import User
from rahdari.portal.applicant import home
from rahdari.publish import queries as publish
from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register.models import Registration
from rahdari.vault import keys
from tests.builders import mobile_lines as mobile
from tests.builders import story
from tests.builders.attestations import ASSOCIATION
from tests.builders.programs import Program

# Rosters for the company whose number others know, and for the one with a fee.
from tests.workflow import test_fees, test_representing, test_services
from tests.workflow.test_representing import rosters  # noqa: F401

pytestmark = pytest.mark.django_db
# Of one application that is granted and of sixty in all states: what only some need, each once (questions with a case,
# invoices, operators' questions, lines on operators' lists, a second batch of what is prefetched).
MORE_FOR_OTHER_STATES = 12


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path) -> Iterator[None]:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    settings.SMS_FOLDER = tmp_path / "sms"
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    story.an_operator("sample-fibre", "Sample Fibre")
    mobile.mobile_operators()
    yield
    directory.configure(None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_allowance")


# -- one in each state ---------------------------------------------------------------------------------------------


def unproved(person: User) -> None:
    draft = story.fill(story.a_draft(person))
    story.add(draft)
    story.send(story.fresh(draft))
    story.advance()


def with_its_operator(person: User) -> None:
    draft = story.fill(story.a_draft(person))
    endpoint = story.add(draft)
    browser = Client()
    browser.force_login(person)
    place = {"reference": draft.reference, "endpoint": endpoint.pk}
    browser.get(reverse("portal:prove", kwargs=place))
    story.send(story.fresh(draft))
    story.advance()
    assert browser.post(reverse("portal:prove_operator", kwargs=place), {"subscriber": "SN-0100338"}).status_code == 302


def with_its_association(person: User) -> None:
    draft = story.fill(story.a_draft(person))
    facts: dict[str, Any] = {"actor": story.actor_of(person), "now": timezone.now()}
    drafts.save_evidence(
        application=draft, kind="association", text="", association=ASSOCIATION, association_number="M-00731", **facts
    )
    story.prove(story.add(draft))
    story.send(story.fresh(draft))
    story.advance()


def provisional(person: User) -> None:
    draft = story.fill(story.a_draft(person))
    now = timezone.now()
    text = "https://profile.example/sample"
    drafts.save_evidence(application=draft, kind="work_profile", text=text, actor=story.actor_of(person), now=now)
    story.prove(story.add(draft))
    story.send(story.fresh(draft))
    story.advance()


def withdrawn(person: User) -> None:
    sent = story.send(story.a_full_draft(person))
    sending.withdraw_application(application=sent, actor=story.actor_of(person), now=timezone.now())


def held(person: User, act: Callable[[Registration], object] = lambda registration: None) -> Registration:
    application = story.a_granted_application(person)
    story.advance()
    registration = story.registration_of(application)
    act(registration)
    return registration


def paused(registration: Registration) -> None:
    ending.pause(registration=registration, days=7, actor="person:x", now=timezone.now())


def ended(registration: Registration) -> None:
    ending.end(registration=registration, actor="person:x", now=timezone.now())


def suspended(registration: Registration) -> None:
    pausing.suspend(registration=registration, code="S4", actor="officer:1", now=timezone.now())


def struck_out(registration: Registration) -> None:
    register.strike_out(registration=registration, code="X5", actor="officer:1", now=timezone.now())


def changed(person: User) -> None:
    """A change that is granted, and another that is begun."""
    registration = held(person)
    facts: dict[str, Any] = {"actor": story.actor_of(person), "now": timezone.now()}
    for is_sent in (True, False):
        draft = renewal.apply_again(registration=registration, applicant=person, about="change", **facts)
        story.prove(story.add(draft))
        for endpoint in applications.endpoints_of(draft):
            story.prove(endpoint)
        if is_sent:
            story.send(story.fresh(draft))
            story.advance()


STATES: tuple[Callable[[User], object], ...] = (
    story.a_draft,
    story.a_full_draft,
    lambda person: story.send(story.a_full_draft(person)),
    unproved,
    with_its_operator,
    with_its_association,
    provisional,
    story.a_case,
    story.a_question,
    story.a_notice,
    story.a_refusal,
    withdrawn,
    held,
    *(partial(held, act=act) for act in (paused, ended, suspended, struck_out)),
    changed,
)


def one_of_each(person: User) -> None:
    for make in STATES:
        make(person)


def of_others(offline: Path) -> None:
    """What one person has not many of: an invoice, a number that others know too, lines on operators' lists. And all
    that is registered so far is published and in force."""
    now = timezone.now()
    test_representing.sent("manager@mail.example", "203.0.113.7", at=now)
    test_services.companies.__wrapped__(offline)
    papers = test_fees.PAPERS | {"call_centre_certificate": timezone.localdate(now) + dt.timedelta(days=300)}
    test_services.sent("whitelist_call_centre", papers, addresses=test_fees.addresses(5), now=now)
    mobile.granted()
    waiting = mobile.a_draft()
    mobile.asked(waiting, mobile.SECOND, mobile.OTHER_NUMBER)
    story.send(waiting)
    story.advance()
    story.published(offline / "offline")
    for slug in ("sample-fibre", mobile.FIRST, mobile.SECOND):
        story.in_force_at(slug)


def all_of(seen: Overview) -> dict[str, Any]:
    """All that pages and programs read of it."""
    derived = [name for name, value in vars(Overview).items() if isinstance(value, property | cached_property)]
    return {name: getattr(seen, name) for name in (*Overview.__dataclass_fields__, *derived)} | {
        "summary": serializers.summary(seen)
    }


def test_of_many_at_once_everything_is_as_of_each_alone(tmp_path: Path) -> None:
    one_of_each(story.a_person())
    of_others(tmp_path)
    held(story.a_person())
    everything = list(access.every().order_by("pk"))
    now = timezone.now()
    many = [all_of(each) for each in overviews(everything, now=now)]
    for seen, application in zip(many, everything, strict=True):
        assert seen == all_of(overview(story.fresh(application), now=now)), seen["stage"]
    # tests/decide/test_heard_before_refusal.py has somebody who is heard.
    never = {Stage.HEARING, Stage.NOT_PURSUED, Stage.SECOND, Stage.EXPIRED, Stage.GRANTED, Stage.NOWHERE}
    assert {seen["stage"] for seen in many} == set(Stage) - never
    assert any(seen["with_operator"] for seen in many) and any(seen["is_provisional"] for seen in many)
    assert any(seen["invoice"] for seen in many) and any(seen["line"] for seen in many)


PAGES = ("portal:home", "portal:registrations")
OPERATIONS = ("/applications?limit=100", "/registrations?limit=100")


def costs(person: User) -> dict[str, int]:
    """How many reads the lists of one person make."""
    browser, program = Client(), Program(person)
    browser.force_login(person)
    found = {}
    asks: dict[str, Callable[[], Any]] = {name: partial(browser.get, reverse(name)) for name in PAGES}
    asks |= {path: partial(program.get, path) for path in OPERATIONS}
    for name, ask in asks.items():
        with CaptureQueriesContext(connection) as asked:
            assert ask().status_code == 200
        # What is noted beside (that they are here, that their program asks) is not of the list.
        found[name] = sum(each["sql"].lstrip().startswith("SELECT") for each in asked.captured_queries)
    return found


@pytest.mark.whole
def test_lists_make_as_many_queries_whatever_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    person, other = story.a_person(), story.a_person()
    held(other)
    of_one = costs(other)
    one_of_each(person)
    once = costs(person)
    one_of_each(person)
    assert Application.objects.filter(applicant=person).count() >= 30
    twice = costs(person)
    assert twice == once
    assert all(of_one[name] <= once[name] <= of_one[name] + MORE_FOR_OTHER_STATES for name in once), (of_one, once)
    # One by one, as it was, is noticed.
    monkeypatch.setattr(home, "overviews", lambda rows, now: [overview(row, now=now) for row in rows])
    assert costs(person)["portal:home"] > once["portal:home"] + 100


def test_who_holds_registrations_is_read_for_all_of_them(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        held(story.a_person())
    rows = list(Registration.objects.all())
    with django_assert_num_queries(4):
        names = subjects.holder_names_of(rows)
    assert names == {row.pk: subjects.holder_name_of(row) for row in rows} and len(set(names.values())) == 3
    assert publish.standings_of({}) == {}
