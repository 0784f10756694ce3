"""Sample freelancers, and how one applies: from the start page to the sent application."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.builders.drafts import a_photo_with_place

from .beginning import begin
from .people import FILLED_BUTTON, Person, code_mailed


@dataclass(frozen=True)
class Freelancer:
    name: str
    email: str
    # Of each their own: a card number that somebody else has used brings an officer.
    cnic: str
    mobile: str = "0300 1234567"
    letter: str = "letter.jpg"
    # Where the own server listens, if not at the usual port.
    port: int | None = None


def fill_in(who: Freelancer, person: Person, show_work: Callable[[Freelancer, Person], None] | None = None) -> str:
    """Everything up to the full task list. Gives the application's path."""
    base = begin(person, who.email, who="vpn_freelancer", use="clients")

    person.follow("a[aria-describedby=s-person]", "about you")
    # First a number that is too short: told in a sentence, and the rest is still there.
    person.fill({"name": who.name, "mobile": who.mobile[:-1]})
    person.go_on("about you, number too short")
    person.sees("A mobile number has 11 digits and begins with %(start)s.", start="03")
    assert person.page.locator("main [name=name]").input_value() == who.name
    person.fill({"mobile": who.mobile})
    person.go_on("evidence")
    (show_work or by_a_letter)(who, person)

    # The next task comes by itself.
    assert person.page.locator("main [name=which][value=server]").is_checked()
    if person.page.locator("main [name=block]").input_value() != person.home.address:
        person.follow("main button[name=take]", "address, taken over")
    assert person.page.locator("main [name=block]").input_value() == person.home.address
    person.choose("wireguard")
    if who.port:
        person.fill({"port": str(who.port)})
    person.go_on("check answers, on the network")
    person.sees("You are on that network now")
    person.open(f"{base}addresses/", "addresses")
    assert person.home.address in person.text()
    return base


def choose_evidence(person: Person, kind: str, where: str) -> None:
    """The kinds are folded in three groups."""
    group = person.page.locator("main details.group", has=person.page.locator(f"[value={kind}]"))
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    person.answer(kind, where)


def by_a_letter(who: Freelancer, person: Person) -> None:
    choose_evidence(person, "client_letter", "upload")
    send_the_letter(who, person)


def send_the_letter(who: Freelancer, person: Person) -> None:
    """A photo that says where it was taken. A text with the ending of a photo is refused, and says why."""
    chooser = person.page.locator("input[type=file]")
    chooser.set_input_files({"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"These are notes, no picture."})
    person.go_on("upload, refused")
    assert person.page.locator("main .errors").is_visible()
    photo = a_photo_with_place()
    assert b"SampleCamera" in photo
    chooser.set_input_files({"name": who.letter, "mimeType": "image/jpeg", "buffer": photo})
    person.page.locator("main button[name=act][value=send]").click()
    person.page.wait_for_load_state()
    person.read("upload, received")
    with person.page.expect_download() as waiting:
        person.page.locator("main li.file.ok a").first.click()
    kept = Path(waiting.value.path()).read_bytes()
    picture = Image.open(io.BytesIO(kept))
    assert not picture.getexif(), "the kept photo still says where it was taken"
    assert b"SampleCamera" not in kept and b"taken by" not in kept
    assert picture.size == (800, 1000), "the photo was turned upright before the note that says so was dropped"
    person.follow("main .btn:not(.second):not(.small)", "after the letter")


def prove(person: Person, base: str, someone_else: Person) -> None:
    """By opening the link: from another network it proves nothing, from the person's own one it does."""
    person.open(f"{base}tasks/", "tasks, to prove")
    person.follow("a[aria-describedby=s-proof]", "prove")
    person.sees("You are on that network now")
    # It is folded here, where one press does the same.
    link = (person.page.locator("#link").text_content() or "").strip()
    someone_else.open(link, "link from elsewhere")
    someone_else.sees("The link works, but not from this network")
    assert someone_else.home.address in someone_else.text()
    person.page.reload()
    person.read("prove, after a try from elsewhere")
    # One press, and the answers are there to be checked.
    person.go_on("check answers, proved")
    person.sees("Check your answers before you send")
    person.open(f"{base}prove/", "proved")
    person.sees("This address is proved")


def send(who: Freelancer, person: Person, base: str) -> None:
    person.open(f"{base}tasks/", "tasks, all done")
    person.follow("a[aria-describedby=s-send]", "check answers")
    assert who.cnic[:5] not in person.text(), "the card number is shown whole"
    # Without the declaration it is not sent, and the page says so.
    person.go_on("check answers, not declared")
    assert person.page.locator("main .errors").is_visible()
    person.page.locator("main form input[type=checkbox]").check()
    person.go_on("sent")


# What somebody sees of an element: without what is folded or said to screen readers alone.
SHOWN = """place => {
  const shown = [], texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const around = texts.currentNode.parentElement;
    let box = around;
    while (box && !(getComputedStyle(box).position === 'absolute' && box.getBoundingClientRect().width <= 1))
      box = box.parentElement;
    if (!box && !around.closest('option, .vh, .skip') && around.checkVisibility({visibilityProperty: true}))
      shown.push(texts.currentNode.data);
  }
  return shown.join(' ');
}"""
FRAME = "aside.demo, header.mast, nav.nav, footer.foot"


@dataclass
class Effort:
    """What a way asks of somebody who reads every word that is shown."""

    # By page, in the order in which they come; what stands around all of them is read once.
    words: list[int] = field(default_factory=list)
    frame: int = 0
    clicks: int = 0
    typed: int = 0

    def read(self, person: Person) -> None:
        self.words.append(_words(person, "main"))
        self.frame = max(self.frame, _words(person, FRAME))

    @property
    def minutes(self) -> float:
        """200 words a minute are read and 30 typed, both slow for an adult, and a click takes three seconds."""
        return (sum(self.words) + self.frame) / 200 + self.typed / 30 + self.clicks * 3 / 60


def _words(person: Person, what: str) -> int:
    shown = " ".join(person.page.locator(what).evaluate_all(f"all => all.map({SHOWN})"))
    return sum(any(sign.isalnum() for sign in word) for word in shown.split())


def apply_from_an_own_line(who: Freelancer, person: Person) -> Effort:
    """As somebody does who has everything ready and makes no mistake, without looking twice at a page. Of a click
    everything counts that is pressed, chosen or ticked."""
    effort = Effort()

    def press(what: str) -> None:
        person.page.locator(what).first.click()
        person.page.wait_for_load_state()
        effort.clicks += 1

    def fill(**given: str) -> None:
        person.fill(given)
        effort.typed += sum(len(value.split()) for value in given.values())

    effort.read(person)
    press("main a.btn.start")
    effort.read(person)
    for value in ("vpn_freelancer", "clients", "line"):
        press(f"main input[value={value}]")
    press(FILLED_BUTTON)
    before = len(person.stack.mails_to(who.email))
    effort.read(person)
    fill(email=who.email)
    press(FILLED_BUTTON)
    effort.read(person)
    fill(code=code_mailed(person.stack, who.email, before))
    press(FILLED_BUTTON)
    effort.read(person)
    fill(name=who.name)
    press(FILLED_BUTTON)
    press("main details.group:has([value=client_letter]) > summary")
    effort.read(person)
    press("main button.choice[value=client_letter]")
    effort.read(person)
    photo = {"name": who.letter, "mimeType": "image/jpeg", "buffer": a_photo_with_place()}
    person.page.locator("input[type=file]").set_input_files(photo)
    effort.clicks += 1
    press(FILLED_BUTTON)
    # Of an own line the address is filled in.
    assert person.page.locator("main [name=block]").count() == 1, person.text()
    assert person.page.locator("main [name=block]").input_value() == person.home.address
    effort.read(person)
    press(FILLED_BUTTON)
    # Sending it from there proves it.
    person.sees("You are on that network now")
    effort.read(person)
    press("main label.choice:has([name=declare])")
    press(FILLED_BUTTON)
    effort.read(person)
    return effort
