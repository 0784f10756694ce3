"""Each form that takes somebody else's address of email refuses one at which nobody can be reached."""

import pytest
from django.utils import timezone

from rahdari.applicant.branches import BranchForm
from rahdari.applicant.mandates import MandateForm
from rahdari.apply.evidence_forms import ClientForm
from rahdari.people import actions as people
from tests.builders import story

pytestmark = pytest.mark.django_db
NOWHERE = pytest.mark.parametrize("email", ["x@[10.0.0.1]", "x@localhost", "x@db.internal"])


@NOWHERE
def test_of_a_client(email: str) -> None:
    assert "text" in ClientForm({"text": email}).errors
    assert not ClientForm({"text": "manager@client.example"}).errors


@NOWHERE
def test_of_a_branch(email: str) -> None:
    assert "contact_email" in BranchForm({"name": "North", "contact_email": email}).errors
    for given in ("", "desk@office.example"):
        assert not BranchForm({"name": "North", "contact_email": given}).errors


@NOWHERE
def test_of_an_agent(email: str) -> None:
    giver = story.a_person()
    house = people.register_organisation(owner=giver, name="Sample House", actor=str(giver), now=timezone.now())
    typed = {"agent_name": "Sample Firm", "scope": "see", "months": "3"}
    assert "email" in MandateForm(typed | {"email": email}, giver=giver, organisation=house).errors
    assert not MandateForm(typed | {"email": "desk@firm.example"}, giver=giver, organisation=house).errors
