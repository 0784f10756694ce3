"""How a freelancer applies with a mobile number instead of an address."""

import re
from collections.abc import Iterator
from contextlib import suppress

import psycopg

from .beginning import begin
from .freelancers import Freelancer, by_a_letter
from .people import Person
from .stack import Stack, wait_for


def messages(stack: Stack) -> Iterator[str]:
    """The SMS that were sent, which the demonstration keeps in a folder."""
    for path in (stack.data / "sms").glob("*"):
        # It gets another name when it is delivered, and is then found by the next look.
        with suppress(FileNotFoundError):
            yield path.read_text()


def code_sent(stack: Stack, number: str) -> str:
    def look() -> str | None:
        for text in messages(stack):
            # Nothing stands in a file that is just being written.
            if number in text.partition("\n")[0] and (found := re.search(r"(?m)^(\d{6})$", text)):
                return found.group(1)
        return None

    return wait_for(f"the code sent to {number}", look)


def fill_in(who: Freelancer, person: Person, *, typed: str, number: str) -> str:
    """Everything up to the operator that was asked about the number. Gives the application's path."""
    base = begin(person, who.email, who="vpn_freelancer", use="clients", which="mobile")
    assert person.page.locator("a[aria-describedby=s-addresses]").count() == 0

    person.follow("a[aria-describedby=s-person]", "about you")
    person.fill({"name": who.name})
    person.go_on("evidence")
    by_a_letter(who, person)

    person.open(f"{base}tasks/", "tasks, mobile")
    person.follow("a[aria-describedby=s-proof]", "mobile number")
    person.fill({"number": typed})
    person.choose("other", "sim")
    person.go_on("mobile number, not theirs")
    person.sees("A SIM in another name cannot be registered. Move it to your name, or use another number.")
    assert person.page.locator("main [name=number]").input_value() == typed
    person.choose("me", "sim")
    person.go_on("mobile code")
    assert number not in person.page.content()
    person.fill({"code": code_sent(person.stack, number)})
    person.go_on("mobile operator")
    # The operator of the prefix is proposed; nothing has to be chosen.
    assert person.page.locator("main input[name=operator]:checked").get_attribute("value") == "placeholder-net"
    person.go_on("mobile, asked")
    return base


def days_pass(stack: Stack, reference: str) -> None:
    """As if the application had been sent a fortnight ago, so that every clock of working days is over."""
    about = "(SELECT 'application:' || id FROM apply_application WHERE reference = %s)"
    with psycopg.connect(stack.environment()["DATABASE_URL"]) as connection:

        def waits() -> object:
            asked = f"SELECT id FROM checks_check WHERE kind = 'mobile_line' AND subject = {about}"
            return connection.execute(asked, [reference]).fetchone()

        wait_for("the check of the number", waits)
        for table, columns in (
            ("checks_check", ("opened_at",)),
            ("confirm_subscriberquestion", ("asked_at", "due_at")),
            ("mobile_mobilenumber", ("asked_at", "check_due_at")),
        ):
            earlier = ", ".join(f"{column} = {column} - interval '14 days'" for column in columns)
            connection.execute(f"UPDATE {table} SET {earlier} WHERE subject = {about}", [reference])
        connection.execute("NOTIFY rahdari_workflow")
