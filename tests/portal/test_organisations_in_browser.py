"""The pages of an organisation, and those of whoever waits for somebody outside, in Chromium at 360 px: axe finds
nothing, nothing scrolls sideways, Urdu is good."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import drafts
from rahdari.people import actions, queries
from rahdari.vault import keys
from tests import urdu
from tests.builders import story
from tests.builders.attestations import ASSOCIATION
from tests.in_browser import faults_on_a_small_phone

from .test_branches import NORTH
from .test_mandates import begun, give
from .test_roles import World

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages(language: str) -> dict[str, str]:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    world, agent = World(), story.a_person()
    browser = world.browser("owner")
    browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    branches = reverse("portal:branches", args=[world.company.pk])
    mandates = reverse("portal:mandates", args=[world.company.pk])
    members = reverse("people:organisation", args=[world.company.pk])
    empty = browser.get(branches).text
    overview = reverse("portal:organisation", args=[world.company.pk])
    browser.post(branches, NORTH)
    actions.invite_member(
        organisation=world.company, email="a@sample.example", role="viewer", actor="person:x", now=timezone.now()
    )
    begun(world, agent)
    give(world, story.a_person(), accept=False)
    branch = queries.branches_of(world.company).get()
    theirs = world.browser("owner")
    theirs.force_login(agent)
    theirs.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    return {
        **waiting(language),
        "members": browser.get(members).text,
        "overview": browser.get(overview).text,
        "overview-applications": browser.get(f"{overview}?view=applications").text,
        "branches-empty": empty,
        "branches": browser.get(branches).text,
        "branches-error": browser.post(branches, {"name": "", "contact_mobile": "1"}).text,
        "branch": browser.get(reverse("portal:branch", args=[world.company.pk, branch.pk])).text,
        "mandates": browser.get(mandates).text,
        "mandates-error": browser.post(mandates, {}).text,
        "mandates-held": theirs.get("/my/mandates/").text,
    }


def waiting(language: str) -> dict[str, str]:
    """Of a freelancer who named a client, and one who named an association."""
    found = {}
    for kind, facts in (
        ("client_confirms", {"text": "accounts@client.example"}),
        ("association", {"association": ASSOCIATION, "association_number": "M-00731", "text": ""}),
    ):
        person = story.a_person()
        draft = story.fill(story.a_draft(person))
        actor = story.actor_of(person)
        drafts.save_evidence(application=draft, kind=kind, actor=actor, now=timezone.now(), **facts)
        story.prove(story.add(draft))
        story.send(story.fresh(draft))
        story.advance()
        browser = Client()
        browser.force_login(person)
        browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
        found[f"status-{kind}"] = browser.get(reverse("portal:status", args=[draft.reference])).text
        client = reverse("portal:client", args=[draft.reference])
        if kind == "client_confirms":
            found["client"] = browser.get(client).text
            found["client-error"] = browser.post(client, {"correct": "1", "text": "no address"}).text
    return found


@pytest.mark.parametrize("language", ["en", "ur"])
def test_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    found = pages(language)
    faults = faults_on_a_small_phone([(f"org-{name}", text) for name, text in found.items()], language)
    if language == "ur":
        faults += [f"{name}: {each}" for name, text in found.items() for each in urdu.page_problems(text)]
    assert faults == []
