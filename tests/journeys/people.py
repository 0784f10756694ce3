"""What a person does in a browser: reads a page, fills it in, goes on; signs in with the code that was mailed.

Every page that is read is held to the same: axe finds nothing, nothing scrolls sideways at 360 or at 1280 px, and it
speaks the person's language and no other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_string
from email.policy import default
from html import unescape
from pathlib import Path

from django.utils import translation
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from tests import urdu
from tests.in_browser import violations

from .network import Exit
from .stack import PATIENCE, Stack, wait_for

PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 900}
SEEN: set[tuple[str, str]] = set()
SEEN_BY_AXE: set[str] = set()
AT_A_DESK_BY_AXE: set[str] = set()
FILLED_BUTTON = "main .btn:not(.second):not(.danger):not(.small)"


def accessible(page: Page, *, where: str = "") -> None:
    """axe finds nothing on the page as it stands."""
    told = [f"{rule['id']}: {rule['help']} ({rule['nodes'][0]['html'][:200]})" for rule in violations(page)]
    assert told == [], f"axe at {where or page.url}: {told}"


def fits(page: Page, *, where: str = "") -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where or page.url} scrolls sideways by {wide} px"


def said(language: str, sentence: str, *, context: str = "", **values: object) -> str:
    """A sentence of the catalogues as this language's pages show it, without marks of direction."""
    with translation.override(language):
        text = translation.pgettext(context, sentence) if context else sentence
        if isinstance(count := values.get("count"), int):
            text = translation.ngettext(sentence, sentence, count)
        if text == sentence:
            text = translation.gettext(sentence)
    return plain(text % values if values else text)


def plain(text: str) -> str:
    """Text without tags and marks of direction, one space between words."""
    return " ".join(re.sub("[\u2066-\u2069]", "", unescape(re.sub("<[^>]+>", "", text))).split())


def body_of(mail: str) -> str:
    """What the reader of a mail sees as plain text."""
    part = message_from_string(mail, policy=default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@dataclass
class Person:
    """Somebody with a browser: a phone's width, a language, and a network that the connection comes from."""

    name: str
    stack: Stack
    page: Page
    language: str
    home: Exit
    folder: Path | None = None
    pictures: int = field(default=0)
    # Somebody else has read these pages already: only use them.
    hurried: bool = False
    # What the browser did not like: an error of a script, something that the page's policy forbids, a foreign address.
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listen()

    def _listen(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", self._ask)

    def _hear(self, message: ConsoleMessage) -> None:
        # A page that answers 403 or 422 is told there as well, and is what the server meant.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def _ask(self, request: Request) -> None:
        if not request.url.startswith((self.stack.url, "data:")):
            self.complaints.append(f"asks {request.url}")

    # -- reading ----------------------------------------------------------------------------------

    def open(self, path: str, where: str, *, status: int = 200) -> None:
        answer = self.page.goto(path if path.startswith("http") else self.stack.url + path)
        assert answer is not None
        assert answer.status == status, f"{path} answered {answer.status}:\n{self.text()}"
        self.read(where)

    def read(self, where: str) -> None:
        """Hold the page that is open to what every page must be; `where` names it."""
        if self.hurried:
            return
        name, where = where, f"{where} ({self.language}, {self.page.url})"
        if self.page.viewport_size != PHONE:
            self.page.set_viewport_size(PHONE)
        html = self.page.locator("html")
        direction = "rtl" if self.language == "ur" else "ltr"
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (self.language, direction), where
        # axe takes a page once for each name, in whichever language it comes first: both are made of the same;
        # whether it fits is looked at each time.
        fits(self.page, where=where)
        if name not in SEEN_BY_AXE:
            accessible(self.page, where=where)
            SEEN_BY_AXE.add(name)
        assert self.complaints == [], where
        if self.language == "ur":
            problems = urdu.page_problems(self.page.content())
            assert problems == [], f"Urdu at {where}: {[str(problem) for problem in problems]}"
        if (name, self.language) not in SEEN:
            # At a desk's width once for each name and language, by axe once for each kind of page.
            self.page.set_viewport_size(DESK)
            fits(self.page, where=f"{where} at 1280 px")
            kind = name.partition(",")[0]
            if kind not in AT_A_DESK_BY_AXE:
                accessible(self.page, where=f"{where} at 1280 px")
                AT_A_DESK_BY_AXE.add(kind)
            SEEN.add((name, self.language))
            self.page.set_viewport_size(PHONE)
        self.picture(name)

    def picture(self, where: str) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pictures += 1
        name = f"{self.name}-{self.pictures:02d}-{where.replace(' ', '-')}"
        for size, width in ((PHONE, 360), (DESK, 1280)):
            self.page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                self.page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(PHONE)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def heading(self) -> str:
        return plain(self.page.locator("h1").first.inner_text())

    def text(self) -> str:
        return plain(self.main.inner_text())

    def unfold(self) -> None:
        """Open whatever is folded on the page."""
        self.main.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")

    def sees(self, sentence: str, **values: object) -> None:
        """The page's main part says this, in the person's language."""
        wanted = said(self.language, sentence, **values)
        assert wanted in self.text(), f"{wanted!r} is not on {self.page.url}:\n{self.text()}"

    def waits_for(self, path: str, sentence: str, **values: object) -> None:
        """Load a page again until it says this, be it folded."""
        wanted = said(self.language, sentence, **values)

        def look() -> bool:
            self.page.goto(self.stack.url + path)
            return wanted in plain(self.main.text_content() or "")

        # Not at once again: who waits for it is on the same machine as who does it.
        wait_for(f"{wanted!r} on {path}", look, between=0.4)

    def watches_for(self, heading: str) -> None:
        """Leave the page open, untouched, until it says this by itself. What comes next is opened in a new tab."""
        self.page.evaluate("sessionStorage.setItem('watched', 'yes')")
        expect(self.page.locator("h1")).to_have_text(heading, timeout=PATIENCE * 1000)
        left, self.page = self.page, self.page.context.new_page()
        self._listen()
        left.close()

    # -- doing ------------------------------------------------------------------------------------

    def follow(self, link: Locator | str, where: str) -> None:
        """Follow a link or press a button, and read where it leads."""
        found = self.page.locator(link) if isinstance(link, str) else link
        found.first.click()
        self.page.wait_for_load_state()
        self.read(where)

    def go_on(self, where: str) -> None:
        """The page's one filled button."""
        self.follow(FILLED_BUTTON, where)

    def fill(self, given: Mapping[str, str]) -> None:
        for name, value in given.items():
            self.page.locator(f"main [name={name}]").fill(value)

    def choose(self, value: str, name: str | None = None) -> None:
        self.page.locator(f"main input{f'[name={name}]' if name else ''}[value={value}]").check()

    def answer(self, value: str, where: str) -> None:
        """Press one of the answers to the page's one question."""
        self.follow(f"main button.choice[value={value}]", where)

    def speak(self) -> None:
        """Choose the language at the top of the page, unless it speaks it already."""
        if self.page.locator("html").get_attribute("lang") != self.language:
            self.page.locator(f".mast-tools a[hreflang={self.language}]").click()
            expect(self.page.locator("html")).to_have_attribute("lang", self.language)

    def sign_in(self, email: str) -> None:
        """From any page that asks to sign in, or from the sign-in page, to where that page leads."""
        if "/sign-in/" not in self.page.url:
            self.page.goto(f"{self.stack.url}/sign-in/")
        self.speak()
        self.read("sign in")
        self.type_the_mailed_code(email)

    def type_the_mailed_code(self, email: str) -> None:
        """On a page that asks for the email address: ask for a code, and type it."""
        before = len(self.stack.mails_to(email))
        self.page.locator("input[type=email]").fill(email)
        self.go_on("code")
        self.page.locator("input[name=code]").fill(code_mailed(self.stack, email, before))
        self.page.locator(FILLED_BUTTON).first.click()
        self.page.wait_for_load_state()
        assert "/sign-in/" not in self.page.url, self.text()

    def sign_in_ready(self, email: str) -> None:
        """As one of the ready accounts of the demonstration, by the page that offers them."""
        self.page.goto(f"{self.stack.url}/sign-in/")
        self.speak()
        self.page.locator("a[href*=demo]").first.click()
        self.read("demonstration accounts")
        mine = self.page.locator("form.card").filter(has=self.page.get_by_text(email, exact=True))
        mine.locator("button").click()
        self.page.wait_for_load_state()


def code_mailed(stack: Stack, email: str, after: int) -> str:
    def look() -> str | None:
        mails = stack.mails_to(email)
        if len(mails) <= after:
            return None
        found = re.search(r"(?m)^\s*(\d{8})\s*$", body_of(mails[-1]))
        return found.group(1) if found else None

    return wait_for(f"the code mailed to {email}", look)


def link_to(stack: Stack, email: str, part: str) -> str:
    """The link of a letter to this address that has this part."""

    def look() -> str | None:
        links = [link for mail in stack.mails_to(email) for link in re.findall(r"https?://\S+", body_of(mail))]
        return next((link for link in reversed(links) if part in link), None)

    return wait_for(f"the letter to {email} with {part}", look).rstrip(".")
