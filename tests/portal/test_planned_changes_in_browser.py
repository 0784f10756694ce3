"""The pages of planned changes in Chromium: axe finds nothing, nothing scrolls sideways at 360 px; and the way of an
operator from a file to the draft of a notice, without JavaScript, in both languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import Impact, State
from rahdari.people.models import User
from tests.in_browser import ARGUMENTS, faults_on_a_small_phone, violations
from tests.needs import needs_chromium
from tests.waiting import PATIENCE

from .test_planned_changes import desk as desk
from .test_planned_changes import sent

pytestmark = [pytest.mark.browser, pytest.mark.whole]
DEFAULT = """table inet f {
    chain f {
        type filter hook forward priority 0; policy drop;
        ct state established accept
        ip daddr 192.0.2.64/26 accept
    }
}
"""
NAMED = "off 192.0.2.0/28\nlimit 2001:db8:7::/64\noff 192.0.2.96/27\nvpn.example\nfoo 192.0.2.1\n192.0.2.1 udp 70000\n"


def pages_of(desk: User, language: str) -> Iterator[tuple[str, str]]:
    yield "planned-changes-error", sent(desk, language=language).text
    yield "planned-change", sent(desk, NAMED, language=language).text
    yield "planned-change-by-default", sent(desk, DEFAULT, language=language).text
    yield "planned-change-nobody", sent(desk, "203.0.113.0/24\n", language=language).text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(desk: User, language: str) -> None:
    assert faults_on_a_small_phone(pages_of(desk, language), language) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["en", "ur"])
def test_from_a_file_to_the_draft_of_a_notice(desk: User, live_server: Any, tmp_path: Path, language: str) -> None:
    executable = needs_chromium()
    plan = tmp_path / "plan.txt"
    plan.write_text(NAMED)
    client = Client()
    client.force_login(desk)
    cookies = {"django_language": language, "sessionid": client.cookies["sessionid"].value}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()])
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(f"{live_server.url}/operator/")
        page.locator("nav a[href='/operator/planned-changes/']").click()
        page.locator("input[type=file]").set_input_files(plan)
        page.locator("main form button").click()
        # Counts first, then the entries, then what was not understood; the last of them is waited for.
        expect(page.locator("main tbody tr")).to_have_count(3 + 3)
        *counted, untouched = page.locator("main .facts dd").all_inner_texts()[-4:]
        # What was not understood may touch the others.
        assert counted == ["3", "1", "2"] and "3" in untouched and untouched != "3"
        page.locator("main form[action$='/notice/'] button").click()
        page.wait_for_url("**/planned-work/*/change/")
        address, affected = page.url, page.locator("textarea[name=affected]").input_value()
        context.close()
        shown = browser.new_context(viewport={"width": 1280, "height": 900})
        shown.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()])
        shown.set_default_timeout(PATIENCE * 1000)
        page = shown.new_page()
        page.goto(f"{live_server.url}/operator/planned-changes/")
        assert violations(page) == []
        browser.close()
    # What is in the database is looked at once no browser runs: its driver is asynchronous.
    work = Work.objects.get()
    assert address == f"{live_server.url}/operator/planned-work/{work.reference}/change/"
    assert work.state == State.DRAFT and len(affected.splitlines()) == 3
    assert sorted(each.impact for each in work.components) == [Impact.DEGRADED, Impact.DEGRADED, Impact.OUTAGE]
