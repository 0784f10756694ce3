"""The page of the proof link in Chromium: what a browser really sends with the button, and where it was led from."""

import datetime as dt
import ipaddress
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import sync_playwright

from rahdari.control import challenges, queries
from rahdari.control.models import Method
from rahdari.vault import keys
from tests.in_browser import ARGUMENTS
from tests.needs import needs_chromium
from tests.waiting import PATIENCE

HERE = ipaddress.ip_network("127.0.0.1/32")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_button_proves_and_being_led_there_does_not(live_server: Any) -> None:
    chromium = needs_chromium()
    keys.make_missing(Path(django_settings.DATA) / "keys")
    challenge = challenges.open_challenge(
        subject=f"endpoint:{uuid.uuid4()}",
        block=HERE,
        method=Method.LINK,
        valid_for=dt.timedelta(days=7),
        now=timezone.now(),
    )
    link = queries.link_url(challenge).removeprefix(django_settings.SITE_URL)
    seen = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        # By a redirect of ours, as whoever wrote the link of a sign-in has it end there.
        page.goto(f"{live_server.url}/language/en/?next={quote(link)}")
        seen.append(page.locator("h1").inner_text())
        page.locator("main form button").click()
        page.wait_for_load_state()
        seen.append(page.locator("h1").inner_text())
        browser.close()
    assert seen == ["Is this your address?", "This address is proved"]
