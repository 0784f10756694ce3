"""Two people and one address under the declaration: whoever has it keeps it, and what is left is the next one's."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import drafts
from rahdari.apply.models import Application
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.policy import SHIPPED
from rahdari.register import actions as registering
from rahdari.register import queries as register
from rahdari.workflow.late_answers import LOOKS_AGAIN
from tests.builders import story
from tests.dyndns.conftest import networks as networks  # the address is of a network that is known

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.61"


@pytest.fixture(autouse=True)
def under_the_declaration(settings: Any, tmp_path: Path) -> None:
    settings.POLICY_FILE = tmp_path / "declaration.toml"
    settings.POLICY_FILE.write_bytes(SHIPPED["declaration"].read_bytes())


def a_holder(local: str) -> Application:
    """Somebody who has proved the address and sent it."""
    user = people.register_person(email=f"{local}@contact.example", now=timezone.now())
    draft = drafts.start_application(
        applicant=user, service="vpn", actor=story.actor_of(user), now=timezone.now(), fixed_address="line"
    )
    story.prove(story.add(draft, ADDRESS))
    story.send(story.fresh(draft))
    story.advance()
    return story.fresh(draft)


def test_the_second_waits_for_an_officer_and_the_first_is_told_and_keeps_it() -> None:
    first, second = a_holder("first"), a_holder("second")
    assert (first.status, second.status) == ("granted", "submitted")
    assert story.case_of(second).lane == "review"
    told = Letter.objects.get(template="address_proved_by_another")
    assert told.to == first.applicant and "second" not in told.text
    registration = register.registration_from(first.subject)
    assert registration is not None and registration.struck_out_at is None


def test_what_the_first_leaves_is_granted_to_the_second_by_rule() -> None:
    first, second = a_holder("first"), a_holder("second")
    registration = register.registration_from(first.subject)
    assert registration is not None
    registering.strike_out(
        registration=registration, code="X1", actor=story.actor_of(first.applicant), now=timezone.now()
    )
    workflow.advance(now=timezone.now() + LOOKS_AGAIN)
    story.advance()
    assert story.fresh(second).status == "granted"
    entered = register.registration_from(second.subject)
    assert entered is not None and entered.holder == second.applicant.holder_ref


def test_pages_speak_of_no_card_that_is_never_asked() -> None:
    mine = a_holder("first")
    registration = register.registration_from(mine.subject)
    assert registration is not None
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(mine.applicant)
    for page in (
        reverse("portal:status", args=[mine.reference]),
        reverse("portal:registration", args=[registration.reference]),
    ):
        shown = browser.get(page).text
        assert "Who looked at my data" in shown and "card number" not in shown
