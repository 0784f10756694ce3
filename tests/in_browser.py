"""Pages that were fetched first, shown by Chromium without any server: for axe, for widths, for pictures."""

import os
from collections.abc import Iterable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, Route, sync_playwright

from .needs import needs_chromium

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ORIGIN = "http://rahdari.example"
AXE = Axe()


def show(page: Page, markup: str) -> None:
    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path == "/":
            route.fulfill(body=markup, content_type="text/html; charset=utf-8")
            return
        found = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
        if found:
            route.fulfill(path=str(found))
        else:
            route.abort()

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")


def faults_on_a_small_phone(named: Iterable[tuple[str, str]], language: str) -> list[str]:
    """What axe finds on these pages at 360 px, and which of them scroll sideways. Pictures go to RAHDARI_PICTURES."""
    chromium = needs_chromium()
    # All of them first: the database is not asked while Playwright's loop runs.
    pages = list(named)
    folder = os.environ.get("RAHDARI_PICTURES")
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 360, "height": 780}).new_page()
        for name, markup in pages:
            show(page, markup)
            found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
            faults += [f"{name}: {rule['id']} {rule['nodes'][0]['html'][:160]}" for rule in found]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                faults.append(f"{name}: scrolls sideways by {wide} px")
            if folder:
                target = Path(folder) / language
                target.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=target / f"{name}.png", full_page=True)
        browser.close()
    return faults
