"""What somebody may expect of the office: a decision in time, an officer without a conflict of interest, a second look
at what chance has drawn, and several grants at once, each as it was seen."""

from collections.abc import Callable

import pytest

from rahdari.people.demonstration import sample_email

from . import desk
from .desk import DIRECTOR, OFFICER, SECOND, SUPERVISOR
from .people import DESK, Person
from .stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]


def signed_in(person: Person, number: int) -> None:
    """The pages of signing in are read by everybody else."""
    person.hurried = True
    person.sign_in(sample_email(number))
    person.hurried = False


def find_the_network(officer: Person) -> None:
    """The directory does not know it: the officer names the operator, and records how that was found out."""
    officer.page.locator("select[name=operator]").select_option("sample-fibre")
    officer.follow("form[action$='/network/'] button", "case, operator named")
    form = officer.page.locator("details.check[open] form").first
    form.locator("input[value=passed]").check()
    form.locator("[name=how]").fill("The operator's bill names the address.")
    officer.follow(form.locator("button"), "case, check recorded")


class TestSilence:
    def test_is_appealed_against_and_ends_with_a_decision(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        [reference] = stack.acts("office.py", "waiting", "62", "en", "14")
        person = a_person("of-no-decision")
        officer, supervisor = (
            a_person("officer-of-silence", language="ur"),
            a_person("supervisor-of-silence", language="ur"),
        )
        base = f"/my/applications/{reference}/"
        signed_in(person, 62)
        person.waits_for(f"{base}status/", "Appeal because no decision came")
        person.read("status, late")
        person.follow("main a[href$='/appeal/']", "appeal, no decision")
        person.sees("We did not decide in time.")
        person.fill({"words": "I cannot work without it."})
        person.choose("writing", "hearing")
        person.follow("main button[name=send]", "appeal, no decision, sent")
        person.sees("Your appeal is being decided")

        desk.sit_down(supervisor, SUPERVISOR)
        supervisor.open("/desk/appeals/", "appeals at the desk, no decision")
        supervisor.follow(
            supervisor.page.locator("main tbody th a", has_text=reference), "appeal at the desk, no decision"
        )
        supervisor.follow("main form[action$='/take/'] button", "appeal at the desk, no decision, taken")
        supervisor.choose("allowed", "outcome_silence")
        supervisor.fill({"why_silence": "درخواست دو ہفتے پہلے مکمل تھی۔"})
        supervisor.page.set_viewport_size(DESK)
        supervisor.follow("main form[action$='/decide/'] button.danger", "appeal at the desk, no decision, decided")
        person.open(f"{base}appeal/", "appeal, no decision, allowed")
        person.sees("Your appeal was allowed")
        person.sees("Your application must be decided by the day below. You need not do anything.")
        person.open(f"{base}status/", "status, late, appeal allowed")

        # It is carried out by deciding.
        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference, "case, late")
        desk.take(officer)
        find_the_network(officer)
        desk.decide(officer, "grant")
        person.waits_for(f"{base}appeal/", "The status of your application now")
        person.read("appeal, no decision, carried out")
        person.waits_for(f"{base}status/", "Your registration is in force")


class TestRecusal:
    def test_leaves_the_case_to_somebody_else_twice_and_no_more(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        [reference] = stack.acts("office.py", "waiting", "63", "ur", "0")
        person = a_person("of-another-officer", language="ur")
        officer, second, third = a_person("officer-recused"), a_person("officer-asked-away"), a_person("third-officer")
        base, case = f"/my/applications/{reference}/", f"/desk/cases/{reference}/"
        signed_in(person, 63)

        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference)
        desk.take(officer)
        officer.unfold()
        officer.follow("form[action$='/recuse/'] button", "case, recused without a reason")
        assert officer.page.locator("main .errors").is_visible()
        officer.fill({"conflict": "The applicant is my cousin."})
        officer.follow("form[action$='/recuse/'] button", "queue, after a recusal")
        assert reference in officer.text()
        officer.open(case, "not found", status=404)

        desk.sit_down(second, SECOND)
        desk.open_from_the_queue(second, reference)
        assert "The applicant is my cousin." in second.text()
        desk.take(second)

        # The applicant sees that it happened, and asks for another officer, too: once.
        person.open(f"{base}status/", "status, after a recusal")
        assert "مفادات کا ٹکراؤ" in person.text()
        person.follow("main a[href$='/another-officer/']", "another officer")
        person.go_on("another officer, without a reason")
        assert person.page.locator("main .errors").is_visible()
        person.fill({"why": "اس افسر سے میرا مقدمہ چل رہا ہے۔"})
        person.go_on("status, another officer")
        assert person.page.locator("main a[href$='/another-officer/']").count() == 0
        second.open(case, "not found", status=404)

        desk.sit_down(third, DIRECTOR)
        desk.open_from_the_queue(third, reference)
        desk.take(third)
        find_the_network(third)
        person.open(f"{base}another-officer/", "status, another officer")
        assert person.page.locator("main a[href$='/another-officer/']").count() == 0
        desk.decide(third, "grant")
        person.waits_for(f"{base}status/", "Your registration is in force")


class TestSecondLook:
    def test_comes_to_something_else_and_is_followed_up(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        [reference] = stack.acts("office.py", "granted", "64", "en", "drawn", "64")
        officer, supervisor = a_person("who-looks-again", language="ur"), a_person("who-follows-up")
        anybody = a_person("anybody-of-the-figures", language="ur")
        desk.sit_down(officer, SECOND)
        officer.open("/desk/second-looks/", "second looks")
        officer.go_on("second look")
        assert reference in officer.text() and "RD-" not in officer.text()
        officer.sees("What would you have done?")
        officer.go_on("second look, nothing said")
        assert officer.page.locator("main .errors").is_visible()
        officer.choose("ask", "verdict")
        officer.page.locator("select[name=code]").select_option("Q4")
        officer.fill({"because": "خط میں گاہک کا نام نہیں۔"})
        officer.go_on("second look, another outcome")
        officer.sees("You would have decided otherwise. Nothing changes automatically: a supervisor follows it up.")

        desk.sit_down(supervisor, SUPERVISOR)
        supervisor.open("/desk/second-looks/", "second looks, of a supervisor")
        row = supervisor.page.locator("main tbody th a", has_text=reference)
        supervisor.follow(row, "another outcome")
        supervisor.choose("stays", "done")
        supervisor.fill({"because": "The client's mail names the client."})
        supervisor.go_on("second looks, followed up")
        assert row.count() == 0
        anybody.page.goto(stack.url)
        anybody.speak()
        anybody.open("/status/", "service status")
        anybody.sees("Too few to say")


class TestSeveralGrants:
    def test_are_chosen_by_keyboard_and_leave_out_what_changed(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        words = [word for number in (65, 66, 67) for word in ("ready", str(number), "ur")]
        granted, also, withdrawn, unknown = stack.acts("office.py", *words, "waiting", "68", "ur", "0")
        officer, person = a_person("officer-of-several"), a_person("of-several", language="ur")
        signed_in(person, 67)
        desk.sit_down(officer, OFFICER)
        officer.page.set_viewport_size(DESK)
        for reference in (granted, also, withdrawn, unknown):
            walk_to(officer, reference)
            officer.page.keyboard.press("x")
        press(officer, "button[form=chosen]", "several grants")
        assert "3 cases are granted when you confirm" in officer.text()
        assert "1 case is left out" in officer.text() and unknown in officer.text()

        # Before that is confirmed, an applicant withdraws.
        person.open(f"/my/applications/{withdrawn}/withdraw/", "withdraw")
        person.follow("main form button.danger", "withdrawn")
        press(officer, "main form button.btn", "several grants, done")
        assert "2 cases were granted" in officer.text() and "It is not open any more." in officer.text()
        assert all(reference in officer.text() for reference in (granted, also, withdrawn))


def walk_to(officer: Person, reference: str) -> None:
    """With J and K, from wherever the focus is."""
    link = officer.page.locator("table.queue tbody th a", has_text=reference)
    rows = officer.page.locator("table.queue tbody th a")
    for key in ("k", "j"):
        for _ in range(rows.count()):
            if link.evaluate("each => document.activeElement === each"):
                return
            officer.page.keyboard.press(key)
    assert link.evaluate("each => document.activeElement === each"), reference


def press(officer: Person, button: str, where: str) -> None:
    """With Tab and Enter."""
    found = officer.page.locator(button).first
    for _ in range(400):
        if found.evaluate("each => document.activeElement === each"):
            break
        officer.page.keyboard.press("Tab")
    assert found.evaluate("each => document.activeElement === each"), button
    with officer.page.expect_navigation():
        officer.page.keyboard.press("Enter")
    officer.read(where)
    officer.page.set_viewport_size(DESK)
