"""What an officer does at the desk, in the browser."""

from playwright.sync_api import Locator

from .people import DESK, Person

OFFICER, SECOND = "officer@demo.rahdari.example", "second-officer@demo.rahdari.example"
DIRECTOR, SUPERVISOR = "director@demo.rahdari.example", "supervisor@demo.rahdari.example"


def sit_down(officer: Person, email: str) -> None:
    """Signed in as a ready account, at the queue. The account may read another language."""
    officer.sign_in_ready(email)
    officer.speak()
    officer.open("/desk/", "queue")


def open_from_the_queue(officer: Person, reference: str, where: str = "case") -> None:
    """Found in the list, not by its address."""
    officer.open("/desk/", "queue")
    officer.follow(officer.page.locator("table.queue tbody th a", has_text=reference), where)


def open_decided(officer: Person, registration: str, where: str) -> None:
    """By its number, with a reason: the file is closed."""
    officer.open(f"/desk/?q={registration}", f"why, {where}")
    officer.choose("complaint", "why")
    officer.go_on(f"case, {where}")


def take(officer: Person) -> None:
    officer.follow("form[action$='/take/'] button", "case, taken")


def check_titled(officer: Person, title: str) -> Locator:
    """One check of the case, opened; of several addresses the first one's."""
    found = officer.page.locator("details.check", has_text=title).first
    if found.get_attribute("open") is None:
        found.locator("summary").click()
    return found


def decide(officer: Person, what: str, *, text: str = "", code: str = "", codes: tuple[str, ...] = ()) -> None:
    """Choose in the panel and send. The page after it is the next case, or the queue."""
    panel = officer.page.locator("section.panel")
    panel.locator(f"input[name=decision][value={what}]").check()
    if code:
        panel.locator("select[name=code]").select_option(code)
    for each in codes:
        panel.locator(f"input[name=codes][value={each}]").check()
    panel.locator("textarea[name=text]").fill(text)
    officer.read(f"case, {what} chosen")
    officer.page.set_viewport_size(DESK)
    officer.follow(panel.locator("button.btn:not(.second)"), f"after {what}")
