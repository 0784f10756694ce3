"""How everybody begins: the start page, the three questions, the mailed code, and the task list."""

from .people import Person


def begin(person: Person, email: str, *, who: str, use: str, fixed: str = "yes") -> str:
    """Gives the application's path. The pages are named after who applies where they differ by it."""
    person.page.goto(person.stack.url)
    person.speak()
    person.read("start")
    person.follow("main a.btn.start, main a.btn.go", "question 1")
    for number, value in enumerate((who, use, fixed), start=2):
        person.choose(value)
        if number < 4:
            person.go_on(f"question {number}")
        else:
            person.page.locator("main form button.btn").first.click()
            person.page.wait_for_url("**/sign-in/**")
    person.sign_in(email)
    person.page.wait_for_url("**/tasks/")
    person.read(f"tasks, none done, {fixed}, {who}")
    return person.page.url.removeprefix(person.stack.url).removesuffix("tasks/")


def declare_and_send(person: Person, base: str) -> None:
    person.open(f"{base}send/", "check answers")
    person.page.locator("main form input[type=checkbox]").check()
    person.go_on("sent")
