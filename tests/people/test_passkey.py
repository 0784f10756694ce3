"""Passkeys in a real browser, with an authenticator of the browser's own making and our Content-Security-Policy."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from tests.builders.people import a_person, sign_in
from tests.in_browser import ARGUMENTS
from tests.needs import needs_chromium
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Before Playwright starts, which needs libraries that come with a browser.
    chromium = needs_chromium()
    # Playwright's own loop makes Django believe that its calls come from asynchronous code.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 360, "height": 740})
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield page
        browser.close()
        # Inside Playwright's loop Django keeps a connection of its own; nobody else would close it.
        connections.close_all()


class TestPasskey:
    def test_is_made_and_signs_in_by_itself(self, page: Page, live_server: Any, client: Client) -> None:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        site = live_server.url.replace("127.0.0.1", "localhost")
        user = a_person()
        sign_in(client, user.email)
        cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])

        page.goto(f"{site}/account/passkeys/add/")
        page.get_by_label("Name of this device").fill("Sample phone")
        page.get_by_role("button", name="Make a passkey on this device").click()
        page.wait_for_url(f"{site}/account/")
        expect(page.get_by_text("Sample phone")).to_be_visible()
        assert Authenticator.objects.filter(user=user, type="webauthn").count() == 1

        page.context.clear_cookies()
        page.goto(f"{site}/sign-in/?next=/account/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{site}/account/")
        expect(page.get_by_text(user.email)).to_be_visible()

        # A code still does on a device that has no passkey.
        other = Client()
        assert sign_in(other, user.email, to="/account/") == "/account/"
        assert not [text for text in said if "Content Security Policy" in text]

    def test_says_so_when_the_device_has_none(self, page: Page, live_server: Any) -> None:
        site = live_server.url.replace("127.0.0.1", "localhost")
        page.goto(f"{site}/sign-in/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("The device gave no passkey. Try again, or sign in with a code")).to_be_visible()
