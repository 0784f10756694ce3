"""Pages that were fetched first, shown by Chromium without any server: for axe, for widths, for pictures."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, Route, expect, sync_playwright

from .needs import needs_chromium
from .waiting import PATIENCE

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ORIGIN = "http://rahdari.example"
AXE = Axe()
CONTRAST = "color-contrast"
# Whoever speaks to a page names what stands there. axe asks this only where told.
SPOKEN = {"label-content-name-mismatch": {"enabled": True}}
# What is behind a press is part of the page. One of a group that has a name would shut the others.
OPEN = """() => document.querySelectorAll('details:not([open])').forEach(each => {
  each.dataset.was = each.name; each.name = ''; each.open = true;
})"""
SHUT = """() => document.querySelectorAll('details[data-was]').forEach(each => {
  each.open = false; each.name = each.dataset.was; delete each.dataset.was;
})"""
# Playwright waits five seconds for what is expected, and thirty for a page.
expect.set_options(timeout=PATIENCE * 1000)


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


def violations(page: Page, *, colours: bool = True, only: str = "") -> list[dict[str, Any]]:
    """What axe finds on the page as it stands, and behind what opens. Colours take it longest, and are the same in both
    languages: whoever shows a page in both has them looked at in one."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": [only]}
    else:
        options["rules"] = SPOKEN | ({} if colours else {CONTRAST: {"enabled": False}})
    page.evaluate(OPEN)
    found: list[dict[str, Any]] = AXE.run(page, options=options).response["violations"]
    page.evaluate(SHUT)
    return found


# Everything that Tab reaches shows that it was reached, in the order in which it is read.
REACHED = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter(each => each.checkVisibility() && each.type !== 'hidden' && !each.disabled && each.tabIndex !== -1)
  .flatMap(each => {
    each.focus();
    // A choice shows it round its words too, and a task round its whole row.
    const around = [each, each.closest('.choice'), each.closest('.task')].filter(Boolean);
    const seen = around.map(one => getComputedStyle(one))
      .some(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
    const place = each.getBoundingClientRect(), small = !place.width || !place.height;
    const name = each.outerHTML.slice(0, 120);
    return [
      ...(document.activeElement !== each ? [`takes no focus: ${name}`] : []),
      ...(!seen || small ? [`shows no focus: ${name}`] : []),
      ...(each.tabIndex > 0 ? [`leaves the order of reading: ${name}`] : []),
    ];
  })"""
# What is wrong stands first and has the focus, and each line of it leads to something that is there to be mended.
SUMMED_UP = """async () => {
  const box = document.querySelector('main .errors'), heading = document.querySelector('main h1');
  if (!box) return [];
  // The focus is given as the page is drawn.
  for (let frame = 0; document.activeElement !== box && frame < 20; frame++) await new Promise(requestAnimationFrame);
  const after = box.compareDocumentPosition(heading) & Node.DOCUMENT_POSITION_FOLLOWING;
  return [
    ...(document.activeElement === box ? [] : ['what is wrong has not the focus']),
    ...(after ? [] : ['what is wrong stands below the heading']),
    ...(/^(Error:|غلطی:) (?!Error:|غلطی:)/.test(document.title) ? [] : [`the title is ${document.title}`]),
    ...[...box.querySelectorAll('a')].flatMap(each => {
      const place = document.getElementById(decodeURIComponent(each.hash.slice(1)));
      return place && place.checkVisibility() ? [] : [`what is wrong leads nowhere: ${each.hash}`];
    }),
  ];
}"""


def faults_of_the_keyboard(page: Page) -> list[str]:
    """What somebody meets who goes through this page with Tab. It was loaded a moment ago."""
    faults: list[str] = page.evaluate(SUMMED_UP)
    page.keyboard.press("Tab")
    return faults + page.evaluate(REACHED)


def faults_of_the_way_past_the_header(page: Page) -> list[str]:
    """The frame is the same for every page: this is asked of one."""
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    if not skip.evaluate("skip => document.activeElement === skip && skip.getBoundingClientRect().height > 20"):
        return ["the link past the header is not the first that Tab reaches, or is not seen"]
    skip.press("Enter")
    expect(page.locator("main")).to_be_focused()
    return []


def faults_of_the_way_to_a_field(page: Page) -> list[str]:
    """So is what sums up mistakes: Enter on its first line leads into the field."""
    link = page.locator("main .errors a").first
    field = page.locator(f"[id='{unquote(link.get_attribute('href') or '')[1:]}']")
    link.press("Enter")
    expect(field).to_be_focused()
    return []


def faults_on_a_small_phone(named: Iterable[tuple[str, str]], language: str) -> list[str]:
    """What axe and the keyboard find on these pages at 360 px, and which of them scroll sideways. Pictures go to
    RAHDARI_PICTURES."""
    chromium = needs_chromium()
    # All of them first: the database is not asked while Playwright's loop runs.
    pages = list(named)
    folder = os.environ.get("RAHDARI_PICTURES")
    faults = []
    # Of one page without mistakes, and of one with.
    ways = {False: faults_of_the_way_past_the_header, True: faults_of_the_way_to_a_field}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 360, "height": 780}).new_page()
        page.set_default_timeout(PATIENCE * 1000)
        for name, markup in pages:
            show(page, markup)
            found = violations(page, colours=language == "en")
            faults += [f"{name}: {rule['id']} {rule['nodes'][0]['html'][:160]}" for rule in found]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                faults.append(f"{name}: scrolls sideways by {wide} px")
            # Where the focus goes is the same in both languages.
            if language == "en":
                faults += [f"{name}: {fault}" for fault in faults_of_the_keyboard(page)]
                if way := ways.pop('class="errors"' in markup, None):
                    show(page, markup)
                    faults += [f"{name}: {fault}" for fault in way(page)]
            if folder:
                target = Path(folder) / language
                target.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=target / f"{name}.png", full_page=True)
        browser.close()
    return faults
