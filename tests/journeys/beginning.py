"""How everybody begins: the start page, the page of questions, the mailed code, and the first task."""

import re

from .people import Person


def begin(person: Person, email: str, *, who: str, use: str, which: str = "server") -> str:
    """Gives the application's path. The pages are named after who applies where they differ by it."""
    person.page.goto(person.stack.url)
    person.speak()
    person.read("start")
    person.follow("main a.btn.start, main a.btn.go", "questions")
    # Nothing more is asked of whoever is at the wrong place.
    person.choose("none", "who")
    assert not person.page.locator("main [name=use], main [name=which]").first.is_visible()
    for name, value in (("who", who), ("use", use), ("which", which)):
        person.choose(value, name)
    person.go_on(f"ready, {which}, {who}")
    person.type_the_mailed_code(email)
    found = re.search(r"/my/applications/[^/]+/", person.page.url)
    assert found is not None, person.page.url
    person.open(f"{found[0]}tasks/", f"tasks, none done, {which}, {who}")
    return found[0]


def declare_and_send(person: Person, base: str) -> None:
    person.open(f"{base}send/", "check answers")
    person.page.locator("main form input[type=checkbox]").check()
    person.go_on("sent")
