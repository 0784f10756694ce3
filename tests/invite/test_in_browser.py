"""An invitation to a registration in Chromium at 360 px, in both languages: axe finds nothing, nothing is too wide.

The pages are fetched first and shown afterwards, since a running browser keeps Django from its database.
"""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone

from rahdari.invite import actions
from rahdari.invite.rules import Inviter, Whom, Why
from tests.builders import story
from tests.in_browser import faults_on_a_small_phone

from .test_acts import a_campaign
from .test_pages import INVITING, an_organisation, place_of, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def journey(language: str) -> Iterator[tuple[str, str]]:
    """A body invites, somebody opens the link, finds out whether they may register, begins, and sends."""
    owner, person = story.a_person(), story.a_person()
    yield "nobody-to-invite-for", visitor(language, person).get(INVITING).text
    bank = an_organisation(owner)
    inviter = visitor(language, owner)
    yield "inviting", inviter.get(INVITING).text
    yield "inviting-error", inviter.post(INVITING, {"links": "0"}).text
    facts = {"whom": f"holder:{bank.holder_ref} customers", "links": "30", "days": "14"}
    yield "invitation", inviter.get(inviter.post(INVITING, facts).headers["Location"]).text
    mine = Inviter(f"holder:{bank.holder_ref}", bank.name, (Whom.CUSTOMERS, Whom.STAFF))
    campaign = a_campaign(Whom.CUSTOMERS, inviter=mine)
    reader = visitor(language, person)
    yield "invited", reader.get(place_of(campaign)).text
    yield "invited-staff", reader.get(place_of(a_campaign(Whom.STAFF, inviter=mine))).text
    reader.post(place_of(campaign))
    draft = story.a_full_draft(person)
    reader.post(reverse("portal:check", args=[draft.reference]), {"declare": "on"})
    campaign.refresh_from_db()
    assert campaign.finished == 1
    for _ in range(21):
        actions.count(campaign.pk, timezone.now())
    actions.end(now=campaign.ends_at)
    yield "told", inviter.get(reverse("portal:invitation", args=[campaign.pk])).text
    yield "ended", reader.get(place_of(campaign)).text
    stolen, desk = a_campaign(), visitor(language, story.an_officer())
    yield "desk", desk.get(reverse("portal:desk_invitations")).text
    yield "desk-error", desk.post(reverse("portal:withdraw_invitation", args=[stolen.pk])).text
    actions.withdraw(campaign=stolen, why=Why.LIST, actor="officer:1", now=timezone.now())
    yield "withdrawn", reader.get(place_of(stolen)).text
    yield "no-such-link", reader.get(reverse("portal:invited", args=[stolen.pk, 1, "a" * 26])).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_an_invitation_to_registration_on_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(journey(language), language) == []
