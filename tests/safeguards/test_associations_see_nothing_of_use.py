"""An association learns of no application that did not name it, and takes back its word for the membership alone."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy
from rahdari.attest.models import AttestationUse
from rahdari.attest.rules import Identifier
from rahdari.policy import PolicyError
from rahdari.policy.associations import REVOCATIONS
from tests.builders import story
from tests.builders.attestations import a_secretary, an_attestation
from tests.policy.test_loading import changed

from .contracts import forbidden


@pytest.mark.django_db
def test_that_an_application_rests_on_its_word_is_nothing_it_sees(time_machine: Any) -> None:
    """It may not have been named: numbers of companies are looked up for everybody."""
    time_machine.move_to(timezone.now(), tick=False)
    applicant = story.a_person()
    found = an_attestation(identifier=Identifier("email", applicant.email), name=applicant.name)
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(a_secretary())
    addresses = [
        reverse("attest:members"),
        reverse("attest:attestation", args=[found.number]),
        reverse("attest:revoke", args=[found.number]),
        reverse("attest:own_list"),
    ]

    def seen() -> list[str]:
        return [re.sub(r'value="[^"]{64}"', "", desk.get(each).text) for each in addresses]

    before = seen()
    application = story.a_granted_application(applicant)
    facts = {"holder": application.holder_ref, "person": f"person:{applicant.pk}", "weight": "alone"}
    AttestationUse.objects.create(attestation=found, subject=application.subject, at=found.made_at, **facts)
    assert seen() == before


def test_it_revokes_for_the_membership_alone() -> None:
    attesting = policy.current(None).attesting
    assert attesting is not None
    assert tuple(each.key for each in attesting.revocations) == REVOCATIONS == ("left", "trade", "mistake")


def test_a_file_that_lets_it_accuse_is_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        policy.read(changed('key = "mistake"', 'key = "misuse"', after="[[attesting.revocations]]"))
    assert ["for the membership alone" in problem.message for problem in caught.value.problems] == [True]


def test_whoever_names_one_is_told_that_it_learns_of_the_application() -> None:
    asked = Path(__file__).resolve().parents[2] / "src" / "rahdari" / "apply" / "step_forms.py"
    assert "If we ask them, they learn that you apply." in asked.read_text()


def test_no_import_leads_from_its_desk_to_a_file() -> None:
    """tests/architecture/test_rules_bite.py plants an import that breaks it."""
    assert {"apply", "control", "checks", "decide", "portal"} <= forbidden("associations-see-no-file", "attest")
