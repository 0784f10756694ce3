"""Public pages and error pages in Chromium: axe finds nothing, nothing is wider than the screen, nothing is refused by
the content security policy; in both languages, light and dark, from 320 px to a desk.
"""

import datetime as dt
import io
import ipaddress
import uuid
from typing import Any

import pikepdf
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from rahdari.complaint import actions as complaints
from rahdari.complaint import queries
from rahdari.people import actions as people
from rahdari.register import actions as register
from rahdari.register import still_right
from rahdari.vault import links
from rahdari.watch.models import Comparison, Day
from tests.in_browser import ARGUMENTS, CONTRAST, violations
from tests.needs import needs_chromium
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
WIDTHS = (320, 360, 1280)


def a_receipt(now: dt.datetime) -> str:
    """The page of a complaint."""
    given = {"kind": "misuse", "about": "sold_on", "target": "RD-4F7K-92MQ", "words": "It is sold.", "language": "en"}
    sent = complaints.send(id=uuid.uuid4(), now=now, **given)
    return reverse("complaint:receipt", args=[sent.receipt, queries.token_of(sent)])


def paths() -> tuple[dict[str, str], str]:
    """Pages by name, and the session of the holder whose certificate is among them."""
    now = timezone.now()
    user = people.register_person(email="freelancer@client.example", name="Sample Freelancer 31", now=now)
    company = people.register_organisation(
        owner=user, name="Sample Software House (Pvt) Ltd", actor="system:test", now=now
    )

    def enter(holder: uuid.UUID, number: int, start: dt.datetime) -> register.Registration:
        endpoint = register.NewEntry(
            origin=f"endpoint:{uuid.uuid4()}",
            block=ipaddress.ip_network(f"203.0.113.{number}/32"),
            protocol="udp",
            port=1194,
            asn=64500,
        )
        return register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=holder,
            category="vpn_company",
            endpoints=[endpoint],
            valid_from=start,
            valid_until=start + dt.timedelta(days=365),
            actor="system:test",
            now=now,
        )

    valid = enter(company.holder_ref, 24, now)
    expired = enter(user.holder_ref, 25, now - dt.timedelta(days=400))
    struck_out = enter(user.holder_ref, 26, now)
    register.strike_out(registration=struck_out, code="R1", actor="system:test", now=now)
    Day.objects.bulk_create(
        Day(date=now.date() - dt.timedelta(days=back), endpoints=25, reached=[1000, 1000, 1000, 970, 640][back % 5])
        for back in range(1, 80)
    )
    row = {"week": "2026-W47", "protocol": "openvpn", "finding": "no_difference", "difference_percent": 0.1}
    first = Comparison.objects.create(
        body="Sample Institute",
        url="https://institute.example/measurements/2026/are-registered-endpoints-treated-unlike-others",
        rules_version=1,
        content="{}",
        sha256="0" * 64,
        findings=[row],
        taken_at=now,
    )
    again = {each.attname: getattr(first, each.attname) for each in Comparison._meta.concrete_fields}
    Comparison.objects.create(**again | {"id": uuid.uuid4(), "sha256": "1" * 64, "corrects_id": first.pk})
    asked = register.ask_whether_right(registration=valid, next_at=None, now=now)
    client = Client()
    client.force_login(user)
    found = {
        "start": "/",
        "eligible": "/eligible/",
        "eligible, one question open": "/eligible/?who=vpn_company&which=line",
        "eligible, a freelancer": "/eligible/?who=vpn_freelancer&use=clients&which=line",
        "eligible, another way": "/eligible/?who=vpn_company&use=private",
        "a poster": "/eligible/poster/",
        "a poster for freelancers": "/eligible/poster/?who=vpn_freelancer&use=clients&which=line",
        "check": "/check/",
        "misuse": "/complaints/misuse/",
        "correction": "/complaints/address/",
        "receipt": a_receipt(now),
        "mistyped": "/check/?number=RD-4F7K-92MX",
        "valid": f"/check/?number={valid.reference}",
        "expired": f"/c/{expired.reference}/{links.token('certificate', expired.reference)}/",
        "struck out": f"/check/?number={struck_out.reference}",
        "not found": f"/c/{valid.reference}/{'a' * 26}/",
        "still right": reverse("portal:still_right", args=[valid.reference, still_right.token_of(asked)]),
        "status": "/status/",
        "connections": "/status/connections/",
        "help": "/help/",
        "privacy": "/privacy/",
        "accessibility": "/accessibility/",
        "terms": "/terms/",
        "terms of the feed": "/terms/feed/",
        "source": "/source/",
        "no such page": "/no/such/page/",
        "certificate": f"/my/registrations/{valid.reference}/certificate/",
    }
    return found, client.cookies["sessionid"].value


# In the dark other colours stand in the same places.
AXE_AT = {"light": (360, 1280), "dark": (360,)}


def faults(page: Page, name: str, language: str, *, scheme: Any) -> list[str]:
    found = []
    page.emulate_media(color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        cut = page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && !e.closest('.vh, svg')"
            " && getComputedStyle(e).position !== 'absolute')"
            ".filter(e => { const r = e.getBoundingClientRect(); return r.left < -1 || r.right > innerWidth + 1 })"
            ".map(e => e.tagName + '.' + e.className)"
        )
        where = f"{name}, {scheme}, at {width} px"
        if over > 0 or cut:
            found.append(f"{where}: {over} px too wide, {cut[:3]} outside")
        if width in AXE_AT[scheme] and (scheme == "light" or language == "en"):
            told = violations(page, colours=language == "en", only=CONTRAST if scheme == "dark" else "")
            found += [f"{where}: {each['id']}: {each['nodes'][0]['html'][:200]}" for each in told]
    return found


@pytest.mark.whole
@pytest.mark.parametrize("language", ["en", "ur"])
def test_axe_finds_nothing_and_all_fits(live_server: Any, settings: Any, language: str) -> None:
    settings.DEMO = True
    executable = needs_chromium()
    pages, session = paths()
    found: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        context = browser.new_context()
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()

        def said(message: ConsoleMessage) -> None:
            found.append(f"{message.location['url'].removeprefix(live_server.url)}: {message.text}")

        page.on("console", said)
        for name, path in pages.items():
            if name == "certificate":
                context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
            page.goto(live_server.url + path)
            assert page.locator("html").get_attribute("lang") == language
            for scheme in AXE_AT:
                found += faults(page, name, language, scheme=scheme)
        browser.close()
    expected = "/no/such/page/: Failed to load resource: the server responded with a status of 404 (Not Found)"
    assert [fault for fault in found if fault != expected] == []


@pytest.mark.whole
@pytest.mark.parametrize("answers", ["", "?who=vpn_freelancer&use=clients&which=line"])
def test_a_poster_is_one_page_of_a4(live_server: Any, settings: Any, answers: str) -> None:
    settings.DEMO = True
    executable = needs_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"{live_server.url}/eligible/poster/{answers}")
        printed = page.pdf(prefer_css_page_size=True)
        browser.close()
    with pikepdf.open(io.BytesIO(printed)) as sheets:
        (sheet,) = sheets.pages
        assert [round(float(side)) for side in sheet.mediabox] == [0, 0, 595, 842]
