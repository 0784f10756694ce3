"""A freelancer with a real WireGuard server proves it from the portal, is registered, and renews it in two clicks while
our key is still a peer there. The server is wireguard-go on a machine of its own."""

import html
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.address import directory
from rahdari.apply import subjects
from rahdari.apply.models import Application
from rahdari.control import places
from rahdari.register import queries as register
from rahdari.register.models import Change
from rahdari.vault import keys
from tests.builders import story
from tests.probe.networks import SERVER
from tests.probe.test_wireguard import PORT, THEIRS, Endpoint, endpoint  # noqa: F401 (a fixture)

from .test_again import DAY, ends_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def networks() -> Iterator[None]:
    keys.make_missing(Path(settings.DATA) / "keys")
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("198.51.100.0/24"))])
    yield
    directory.configure(None)


def key_to_add(page: str) -> str:
    """Our key, as the page shows it to be copied: the one that is not the applicant's own."""
    shown = set(re.findall(r"[A-Za-z0-9+/]{43}=", html.unescape(page)))
    [ours] = shown - {THEIRS[1]}
    return ours


def test_is_proved_from_the_page_registered_and_renewed_in_two_clicks(
    endpoint: Endpoint,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from_here = places.look_from_all
    monkeypatch.setattr(places, "look_from_all", lambda *asked: endpoint.line.at_prober(lambda: from_here(*asked)))
    person = story.a_person()
    browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.1")
    browser.force_login(person)

    # 1) the way of their own server comes first, and its page wants the server's public key
    draft = story.fill(story.a_draft(person))
    row = story.add(draft, str(SERVER), port=PORT)
    overview = browser.get(reverse("portal:prove", args=[draft.reference, row.pk])).content.decode()
    way = reverse("portal:prove_method", args=[draft.reference, row.pk, "wireguard"])
    assert way in overview
    browser.post(way, {"peer_key": THEIRS[1], "port": str(PORT)})
    page = browser.get(way).content.decode()

    # 2) our key becomes a peer of the real server, and one press has the worker look
    endpoint.add_peer(key_to_add(page))
    browser.post(way, {"look": "1"})
    assert workflow.look(now=timezone.now()) == 1
    assert "Proved" in browser.get(way, follow=True).content.decode()

    # 3) sent, decided by rule, on the register
    browser.post(reverse("portal:check", args=[draft.reference]), {"declare": "on"})
    story.advance()
    registration = story.registration_of(story.fresh(draft))
    assert [str(entry.block) for entry in register.entries_of(registration)] == [f"{SERVER}/32"]

    # 4) a year later nothing has changed
    ends_in(registration, 20)
    changes = Change.objects.count()
    renewal = reverse("portal:renew", args=[registration.reference])
    assert "We check it ourselves, as last time" in browser.get(renewal).content.decode()
    browser.post(renewal, {"act": "as_it_is"})
    assert workflow.look(now=timezone.now()) == 1
    story.advance()
    renewed = register.fresh(registration)
    assert Application.objects.get(about="renewal").status == "granted"
    assert renewed.reference == registration.reference and renewed.valid_until > timezone.now() + 300 * DAY
    assert [change.act for change in Change.objects.order_by("id")][changes:] == ["renew"]
    assert subjects.last_granted_for(renewed) == Application.objects.get(about="renewal")
