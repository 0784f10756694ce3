"""What a person does in a browser: signing in with the mailed code, filling in a page, going on."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .stack import Stack, wait_for

AXE = Axe()


def accessible(page: Page, *, where: str = "") -> None:
    """axe finds nothing on the page as it stands, and nothing scrolls sideways."""
    found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    told = [f"{rule['id']}: {rule['help']} ({rule['nodes'][0]['html'][:200]})" for rule in found]
    assert told == [], f"axe at {where or page.url}: {told}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where or page.url} scrolls sideways by {wide} px"


def code_mailed(stack: Stack, email: str, after: int) -> str:
    def look() -> str | None:
        mails = stack.mails_to(email)
        if len(mails) <= after:
            return None
        found = re.search(r"(?m)^\s*(\d{6})\s*$", mails[-1])
        return found.group(1) if found else None

    return wait_for(f"the code mailed to {email}", look)


def sign_in(page: Page, stack: Stack, email: str) -> None:
    """From any page that asks to sign in, or from the sign-in page, to where that page leads."""
    if "/sign-in/" not in page.url:
        page.goto(f"{stack.url}/sign-in/")
    before = len(stack.mails_to(email))
    page.locator("input[type=email]").fill(email)
    accessible(page, where="sign in")
    page.locator("main form button.btn").first.click()
    page.locator("input[name=code]").fill(code_mailed(stack, email, before))
    accessible(page, where="the code")
    page.locator("main form button.btn").first.click()
    page.wait_for_load_state()
    assert "/sign-in/" not in page.url, page.locator("main").inner_text()


def go_on(page: Page) -> None:
    """The page's one filled button."""
    accessible(page)
    page.locator("main .btn:not(.second):not(.danger)").first.click()
    page.wait_for_load_state()


def picture(page: Page, folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", full_page=True)
