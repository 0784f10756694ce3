"""The whole line in an installation that leaves rooms out: `test_left_out.py` runs it in a process of its own, with
RAHDARI_WITHOUT set. From the tables to the struck-out number, through pages and acts; and no trace of these rooms.
"""

import datetime as dt
import html
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from rahdari import cli, optional, policy, workflow
from rahdari.api.interface import API
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.confirm.interface import OPERATORS
from rahdari.decide import ending
from rahdari.journal import registry
from rahdari.letters.models import Letter
from rahdari.ops import rights
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.policy import loading
from rahdari.programs.openapi import document
from rahdari.publish import queries as editions
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.vault import keys
from tests.architecture import house
from tests.builders import story
from tests.dyndns.conftest import networks as networks  # every test of this file is on these networks

from . import policies, traces

pytestmark = pytest.mark.django_db
ROOMS = os.environ["RAHDARI_WITHOUT"].split()
DAY = dt.timedelta(days=1)
# Programs come with a token (below), and a pace; the others end what the walk goes on with.
NOT_WALKED = ("account_logout", "api:", "confirm:", "mobile:")


@pytest.fixture(autouse=True)
def rules(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path_factory.getbasetemp() / "without.toml"
    file.write_text(policies.without(*ROOMS))
    monkeypatch.setattr(loading, "BUNDLED", file)
    monkeypatch.setattr(policy, "BUNDLED", file)
    keys.make_missing(Path(settings.DATA) / "keys")


def browser_of(person: User | None, address: str = "203.0.113.9", language: str = "en") -> Client:
    browser = Client(headers={"accept-language": language}, REMOTE_ADDR=address)
    if person is not None:
        browser.force_login(person)
    return browser


def addresses(patterns: list[URLPattern | URLResolver], room: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every named address of the site and what varies in it."""
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, each.namespace or room)
        elif each.name:
            yield f"{room}:{each.name}" if room else each.name, tuple(each.pattern.converters)


def seen_by(browser: Client, **known: str) -> dict[str, str]:
    """All pages that this reader sees whose address is made of what is known; without, those of everybody. An error
    raises."""
    found = {}
    for name, varies in addresses(get_resolver().url_patterns):
        if name.startswith(NOT_WALKED) or bool(varies) != bool(known) or not set(varies) <= known.keys():
            continue
        try:
            path = reverse(name, kwargs={part: known[part] for part in varies})
        except NoReverseMatch:
            continue  # another thing's number
        answer = browser.get(path)
        assert answer.status_code in {200, 302, 400, 401, 403, 404, 405, 422}, (name, answer.status_code)
        if answer.status_code == 200 and "html" in answer.headers.get("Content-Type", ""):
            found[name] = html.unescape(answer.content.decode())
    return found


def assert_no_trace(pages: dict[str, str]) -> None:
    of_them = re.compile("|".join(traces.ON_PAGES[room] for room in ROOMS), re.IGNORECASE)
    for name, page in pages.items():
        found = of_them.search(re.sub(r"<(script|style).*?</\1>", "", page))
        assert found is None, (name, page[max(0, found.start() - 200) : found.end() + 100])


def test_there_is_neither_table_nor_address_nor_step_nor_act_nor_operation() -> None:
    begins = tuple(f"{room}_" for room in ROOMS)
    assert not [name for name in connection.introspection.table_names() if name.startswith(begins)]
    assert not [name for name, _ in addresses(get_resolver().url_patterns) if name.partition(":")[0] in ROOMS]
    assert not [act for act in registry.declared() if act.partition(".")[0] in ROOMS]
    assert not set(ROOMS) & set(cli.commands())
    assert not [name for name in dir(settings) if name.lower().startswith(begins)]
    for room in ROOMS:
        assert not [step.name for step in workflow.STEPS if re.search(traces.STEPS[room], step.name)]
    for contract in (document(API), document(OPERATORS)):
        parts = contract["components"]
        scopes = re.findall("`(.*?)`", parts["securitySchemes"]["token"]["description"])
        names = [*contract["paths"], *contract.get("webhooks", ()), *parts["schemas"], *scopes]
        for room in ROOMS:
            assert not [name for name in names if re.search(traces.IN_CONTRACTS[room], name, re.IGNORECASE)]


def test_an_application_goes_from_draft_to_feed_and_is_struck_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    person, officer = story.a_person(), story.an_officer()
    mine, desk, anybody = browser_of(person), browser_of(officer), browser_of(None)

    def look(browser: Client, **known: str) -> set[str]:
        seen = seen_by(browser, **known)
        assert_no_trace(seen)
        return set(seen)

    draft = story.a_full_draft(person)
    look(mine, reference=draft.reference, endpoint=str(applications.endpoints_of(draft)[0].pk))
    story.send(draft)
    story.advance()
    registration = story.registration_of(story.fresh(draft))
    case = story.a_case(person)  # an officer looks at another one
    assert "decide:case" in look(desk, reference=case.application.reference)
    assert "portal:status" in look(mine, reference=case.application.reference)
    assert "portal:start" in look(anybody)
    assert "portal:home" in look(mine)
    assert "decide:queue" in look(desk)
    story.an_operator("sample-edge", "Sample Edge")
    story.published(tmp_path)
    assert editions.latest_edition() is not None
    # Renewed, ended, restored, struck out.
    until = timezone.now() + 20 * DAY
    Registration.objects.update(valid_from=until - 365 * DAY, valid_until=until, grace_until=until + 30 * DAY)
    Entry.objects.update(valid_from=until - 365 * DAY, valid_until=until + 30 * DAY)
    story.advance()
    mine.post(reverse("portal:renew", args=[registration.reference]))
    renewal = Application.objects.get(about="renewal")
    for endpoint in applications.endpoints_of(renewal):
        story.prove(endpoint)
    story.send(story.fresh(renewal))
    story.advance()
    assert register.fresh(registration).valid_until > until + 300 * DAY
    at = {"reference": registration.reference, "entry": str(registration.entries.get().pk)}
    for act in (ending.end, ending.undo_end, ending.end):
        act(registration=register.fresh(registration), actor=story.actor_of(person), now=timezone.now())
        story.advance()
        assert "portal:registration" in look(mine, **at)
    assert register.fresh(registration).struck_out_at is not None
    story.published(tmp_path)
    # Years later all of it is erased, once the letters about it went out.
    Letter.objects.update(state="sent", sent_at=timezone.now())
    workflow.advance(now=timezone.now() + 4000 * DAY)
    assert register.fresh(registration).holder != person.holder_ref
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_role_of_all_that_runs_gets_its_rights() -> None:
    rights.grant("pg_monitor")  # some role that every cluster has; undone with the test


def test_an_organisation_and_its_operator_have_their_pages() -> None:
    owner = story.a_person()
    house_of = people.register_organisation(owner=owner, name="Sample House", actor=str(owner), now=timezone.now())
    operator = story.an_operator("sample-fibre", "Sample Fibre")
    accountant = people.register_person(email="accounts@authority.example", now=timezone.now())
    people.appoint(user=accountant, role=Role.ACCOUNTS, actor="system:test", now=timezone.now())
    director = story.an_officer(rank="director", role=Role.SUPERVISOR)
    for reader, language in ((owner, "ur"), (operator, "en"), (accountant, "en"), (director, "ur")):
        browser = browser_of(reader, language=language)
        assert_no_trace(seen_by(browser))
        assert_no_trace(seen_by(browser, id=str(house_of.pk)))


def test_nothing_of_it_was_read_from_the_disk() -> None:
    """The last one: whatever the line asked for before, no module of the room came with it."""
    for room in ROOMS:
        own, _ = house.of_room(room)
        assert own and not [name for name in own if f"rahdari.{name}" in sys.modules]
    assert not set(ROOMS) & set(optional.installed())
