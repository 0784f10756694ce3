"""The run of `bench/officer`."""

import datetime as dt
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import desk_run, measure, place

# Seconds: a key or a character; making up one's mind. Card, Moran, Newell: The keystroke-level model for user
# performance time with interactive systems. Communications of the ACM 23 (7), 1980.
KEY, MIND = 0.28, 1.35
WORDS_A_MINUTE = 230
CASES, QUICK = 20, 10
# Of ten ordinary cases: so many of each kind, in this order.
MIX = ("grant", "grant", "ask", "grant", "refuse", "grant", "ask", "grant", "ask", "grant")
QUESTION = "Which client is it, and since when?"
HOW = "Looked up in the public register."
REASON = "Your operator says that this address belongs to another subscriber."
# What is read of a page of a case, and what of it once more.
READ = (
    "main h1, main h1 ~ .tag, main .note[role=status], main .alert, .case-facts dd, .panel .when.grant p, main .msg p, "
    "details.check[open] > summary > span, details.check[open] > div > p, h2 + ul.plain:not(.small) > li"
)
AGAIN = "#checks-h, main .note[role=status]"
SAID = "main [role=status] .alert"
WORDS = """([read, said]) => [...document.querySelectorAll(`${read}, ${said}`)]
    .filter(each => each.checkVisibility() && each.closest('form:not(.flow)') === null)
    .filter((each, _, all) => !all.some(one => one !== each && one.contains(each)))
    .flatMap(each => each.innerText.split(/\\s+/)).filter(word => /[\\p{L}\\p{N}]/u.test(word)).length"""
# How often Tab, forwards or back, from what has the focus to what is wanted; radio buttons of a group are one stop.
WAY = """wanted => {
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, iframe')]
    .filter(each => each.checkVisibility() && each.type !== 'hidden' && !each.disabled && each.tabIndex >= 0);
  const groups = new Set(), seen = stops.filter(each => {
    if (each.type !== 'radio') return true;
    const name = `${each.form?.action}:${each.name}`, first = !groups.has(name);
    groups.add(name);
    return first;
  });
  const to = document.querySelector(wanted);
  const same = each => each === to || (each.type === 'radio' && each.name === to.name && each.form === to.form);
  const at = seen.indexOf(document.activeElement), goal = seen.findIndex(same);
  return goal - at;
}"""
IS_THERE = """wanted => {
  const to = document.querySelector(wanted), on = document.activeElement;
  return on === to || (on.type === 'radio' && on.name === to.name && on.form === to.form);
}"""
OF_KEYS = "wanted => document.querySelector(wanted)?.dataset[%r] ?? ''"


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--cases", type=int, help=f"so many cases ({CASES})")
    parser.add_argument("--each", action="store_true", help="a row for each case besides")
    given = parser.parse_args()
    place.end_cleanly_on_signals()
    conditions = measure.conditions()
    count = given.cases or (QUICK if given.quick else CASES)
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name, desk_run.database(Path(name)):
        kinds, session = seeded(count)
        with served() as port:
            done = work(port, session, kinds)
    of_kinds = {kind: [one for one in done if one.kind == kind] for kind in ("grant", "ask", "refuse")} | {"all": done}
    rows = [_row(kind, found) for kind, found in of_kinds.items() if found]
    if given.each:
        rows += [_row(f"{number}. {one.kind}", [one]) for number, one in enumerate(done, 1)]
    measure.report(rows, given=given, about=conditions, experiment="officer")
    left = rows[-len(done) - 1 if given.each else -1]["left of 60 s"]
    print(f"left of a minute to think, on average: {left:.0f} s")


# -- what there is -------------------------------------------------------------------------------------------------


def seeded(count: int) -> tuple[dict[str, str], str]:
    """Ordinary cases, those first that have waited longest: by number what a person makes of each; and the cookie of
    an officer who is signed in."""
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from tests.builders import cases as builders

    place.say(f"making {count} cases")
    client, now = Client(), timezone.now() - dt.timedelta(hours=3)
    builders.a_gateway()
    client.force_login(builders.an_officer("Sample Officer"))
    text = "From studio@client.example, 2 November: you draw the pictures of our shop, for twelve months from June."
    vague = "I work for several shops."
    kinds = {}
    for number in range(count):
        kind = MIX[number % len(MIX)]
        case = builders.a_case(
            now=now + dt.timedelta(minutes=number), is_denied=kind == "refuse", text=vague if kind == "ask" else text
        )
        kinds[case.application.reference] = kind
    return kinds, client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def served() -> Iterator[int]:
    """The product's pages over HTTP, from threads of this process. The port."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_given: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


# -- what a person does --------------------------------------------------------------------------------------------


@dataclass
class Done:
    """One case: what was pressed, typed, read, opened, waited for, and how often one makes up one's mind."""

    kind: str = ""
    keys: int = 0
    characters: int = 0
    words: int = 0
    pages: int = 0
    minds: int = 0
    waited: float = 0.0

    @property
    def seconds(self) -> Mapping[str, float]:
        return {
            "keys s": self.keys * KEY,
            "typing s": self.characters * KEY,
            "deciding s": self.minds * MIND,
            "reading s": self.words / WORDS_A_MINUTE * 60,
            "waiting s": self.waited,
        }


@dataclass
class Hands:
    """An officer at a keyboard, without a mouse."""

    page: Any
    done: Done = field(default_factory=Done)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.done.keys += key.count("+") + 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.done.characters += len(text)

    def think(self) -> None:
        self.done.minds += 1

    def reach(self, wanted: str, *, pressing: str = "") -> None:
        """Come to a control by its own key, or else by Tab. `pressing`: what chooses it then, which its key does."""
        key = self.page.evaluate(OF_KEYS % "key", wanted)
        goto = self.page.evaluate(OF_KEYS % "goto", wanted)
        typing = self.page.evaluate("() => document.activeElement.matches('textarea, select, input[type=text]')")
        if (key or goto) and not typing:
            self.press(key or goto)
            pressing = "" if key else pressing
        else:
            self._tab_to(wanted)
        if pressing:
            self.press(pressing)

    def _tab_to(self, wanted: str) -> None:
        way = self.page.evaluate(WAY, wanted)
        for _ in range(200):
            if self.page.evaluate(IS_THERE, wanted):
                return
            self.press("Tab" if way > 0 else "Shift+Tab")
        raise RuntimeError(f"no way by Tab to {wanted}")

    def go(self, *keys: str) -> None:
        """Press what leads to another page, and wait until it is there and drawn."""
        for key in keys[:-1]:
            self.press(key)
        began = time.perf_counter()
        with self.page.expect_navigation(wait_until="load"):
            self.press(keys[-1])
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.done.waited += time.perf_counter() - began
        self.done.pages += 1

    def lead(self, wanted: str) -> None:
        """Go where a link or a button leads."""
        if key := self.page.evaluate(OF_KEYS % "key", wanted):
            self.go(key)
        else:
            self._tab_to(wanted)
            self.go("Enter")

    def read(self, *, again: bool = False) -> None:
        self.done.words += self.page.evaluate(WORDS, [AGAIN if again else READ, SAID])


def work(port: int, session: str, kinds: Mapping[str, str]) -> list[Done]:
    from django.conf import settings
    from playwright.sync_api import sync_playwright

    from tests.in_browser import ARGUMENTS
    from tests.needs import needs_chromium

    chromium, found = needs_chromium(), []
    cookies = {settings.SESSION_COOKIE_NAME: session, "django_language": "en"}
    origin = f"http://127.0.0.1:{port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in cookies.items()])
        hands = Hands(context.new_page())
        hands.page.goto(f"{origin}/desk/")
        place.say("working")
        # To the first case: what it takes is no part of it.
        begin(hands)
        for _ in kinds:
            reference = urlsplit(hands.page.url).path.split("/")[3]
            hands.done = Done(kinds[reference])
            found.append(hands.done)
            decide(hands, kinds[reference])
            if reference in hands.page.url:
                why = hands.page.locator("main .errors").all_inner_texts()
                raise RuntimeError(f"{reference} was not decided: {why}")
        browser.close()
    return found


def begin(hands: Hands) -> None:
    if hands.page.query_selector("[data-key=n]"):
        hands.lead("[data-key=n]")
        return
    hands.press("j")
    hands.go("Enter")
    hands.lead("form[action*='/take/'] button")


def decide(hands: Hands, kind: str) -> None:
    """One case, from its page to that of the next one."""
    hands.read()
    hands.think()  # what becomes of it
    match kind:
        case "grant":
            record(hands)
            hands.reach("#d-grant", pressing="Space")
        case "ask":
            hands.reach("#d-ask", pressing="Space")
            choose(hands, "#id_code", "Q4")
            hands.think()
            hands.press("Tab")
            hands.type(QUESTION)
        case "refuse":
            hands.reach("#d-refuse", pressing="Space")
            hands.think()
            hands.reach("input[name=codes][value=R3]", pressing="Space")
            hands.done.words += len(hands.page.locator("label:has(input[value=R3]) b").inner_text().split())
            hands.think()
            if hands.page.query_selector("[data-insert]"):
                hands.reach("[data-insert]")
                hands.done.words += len(hands.page.locator("#id_text").input_value().split())
            else:
                hands.reach("#id_text")
                hands.type(REASON)
    hands.think()  # that it is right
    send(hands, ".panel form.flow button.btn:not(.second)")


def record(hands: Hands) -> None:
    """What the officer found out by other means, of the check that failed."""
    form = "details.check form[action*='/checks/'] "
    hands.think()
    hands.reach(f"{form}input[name=outcome][value=passed]", pressing="Space")
    if hands.page.query_selector(f"{form}select[name=way]"):
        hands.press("Tab")
        hands.type(HOW[0])
        hands.go("Control+Enter")
    else:
        hands.press("Tab")
        hands.type(HOW)
        hands.go("Enter")
    hands.read(again=True)


def choose(hands: Hands, select: str, code: str) -> None:
    """In a list, by typing how it begins."""
    if not hands.page.evaluate(IS_THERE, select):
        hands.reach(select)
    hands.think()
    hands.type(code)
    # A list that does not find it is gone through.
    for _ in range(30):
        if hands.page.locator(select).input_value() == code:
            break
        hands.press("ArrowDown")
    hands.done.words += len(hands.page.locator(f"{select} option:checked").inner_text().split())


def send(hands: Hands, button: str) -> None:
    if hands.page.evaluate("() => document.activeElement.type === 'radio'"):
        hands.go("Enter")
    elif hands.page.query_selector("[data-goto]"):
        hands.go("Control+Enter")
    else:
        hands.lead(button)


# -- what it comes to ----------------------------------------------------------------------------------------------


def _row(kind: str, found: Sequence[Done]) -> dict[str, Any]:
    """Of one case on average."""

    def mean(*values: float) -> float:
        return sum(values) / len(found)

    seconds = {name: mean(*(one.seconds[name] for one in found)) for name in found[0].seconds}
    whole = sum(seconds.values())
    return {
        "case": kind,
        "n": len(found),
        "cases": len(found),
        "keys": mean(*(one.keys for one in found)),
        "characters": mean(*(one.characters for one in found)),
        "words": mean(*(one.words for one in found)),
        "pages": mean(*(one.pages for one in found)),
        **seconds,
        "in all s": whole,
        "left of 60 s": 60 - whole,
    }
