"""Sample organisations of every kind but companies (companies.py), and how one applies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.builders.drafts import a_pdf

from .beginning import begin, declare_and_send
from .people import Person, link_to


@dataclass(frozen=True)
class Organisation:
    """`papers`: the day until which each is valid; empty where it has no end."""

    who: str
    name: str
    email: str
    papers: Mapping[str, str]
    number: str = ""
    use: str = "staff"
    contact: str = "Sample Manager"
    # Other addresses than the one that it applies from.
    more: tuple[str, ...] = field(default=())


def fill_in(who: Organisation, person: Person) -> str:
    """Everything up to the task list on which only the proof is missing. Gives the application's path."""
    base, kind = begin(person, who.email, who=who.who, use=who.use), who.who
    person.follow("a[aria-describedby=s-company]", f"organisation, {kind}")
    person.fill({"name": who.name} | ({"company_number": who.number} if who.number else {}))
    person.go_on(f"after the name, {kind}")
    person.open(f"{base}contact/", "contact")
    person.fill({"name": who.contact, "mobile": "0300 1234568"})
    person.go_on(f"after the contact, {kind}")

    person.open(f"{base}tasks/", f"tasks, {kind}, papers to come")
    person.follow("a[aria-describedby=s-documents]", f"documents, {kind}")
    for rule, until in who.papers.items():
        # Of one paper alone the task leads to its page.
        if not person.page.locator("input[type=file]").count():
            person.follow(f"main a[href$='/documents/{rule}/']", f"upload, {rule}")
        paper = {"name": f"{rule}.pdf", "mimeType": "application/pdf", "buffer": a_pdf(1)}
        person.page.locator("input[type=file]").set_input_files(paper)
        if until:
            person.fill({"valid_until": until})
        person.go_on(f"documents, {kind}, {rule} given")
    person.open(f"{base}addresses/", "address")
    person.follow("main button[name=take]", "address, taken over")
    person.choose("openvpn_udp")
    person.go_on("addresses")
    if who.more:
        add_pasted(who, person)
    return base


def add_pasted(who: Organisation, person: Person) -> None:
    """The other addresses, as a list that somebody copied out of a mail."""
    person.follow("main a[href$='/addresses/many/']", "many addresses")
    person.page.locator("main details summary").first.click()
    person.fill({"paste": "\n".join(["address,protocol", *(f"{address},openvpn" for address in who.more)])})
    person.go_on("rows of the list")
    person.follow("main button[value=add]", "addresses, of a list")
    assert all(address in person.text() for address in who.more)


def prove_from_here(person: Person, base: str) -> None:
    person.open(f"{base}prove/", "prove")
    person.go_on("proved from here")
    person.open(f"{base}tasks/", "tasks, proved from here")
    assert person.page.locator("#s-proof.ok, #s-proof.wait").count() == 1, person.text()


def apply_as(who: Organisation, person: Person) -> str:
    """From the start page to the sent application."""
    base = fill_in(who, person)
    prove_from_here(person, base)
    declare_and_send(person, base)
    return base


def contact_agrees(who: Organisation, contact: Person) -> None:
    """The contact that the list has for the number is told by a letter, and says yes behind its link."""
    listed = f"office@{who.email.partition('@')[2]}"
    contact.page.goto(link_to(contact.stack, listed, "/number/"))
    contact.read(f"who applies in our name, {who.who}")
    contact.follow("main button[name=answer][value=yes]", f"agreed, {who.who}")
    contact.sees("You said yes.")
