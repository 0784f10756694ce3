"""Sample companies that are on no sample roster (ops/sample/companies.csv), and how one applies."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.drafts import a_pdf

from .beginning import begin, declare_and_send
from .people import Person


@dataclass(frozen=True)
class Company:
    name: str
    number: str
    email: str
    manager: str
    mobile: str
    # More ports of the same address, from a file.
    many: tuple[int, ...] = ()
    letter: bytes = field(default_factory=lambda: a_pdf(2), repr=False)


ORCHARD = Company(
    "Sample Orchard Software (Pvt) Ltd",
    "0000944",
    "manager@orchard.example",
    "Sample Manager 9",
    "0300 1234568",
    many=(1195, 1197),
)
NEVER = Company(
    "Sample Never Software (Pvt) Ltd", "0000957", "owner@never.example", "Sample Manager 10", "0300 1234569"
)


def send_as(company: Company, person: Person) -> str:
    """From the start page to the sent application. Gives the application's path."""
    base = begin(person, company.email, who="vpn_company", use="staff")
    person.follow("a[aria-describedby=s-company]", "company")
    person.fill({"name": company.name, "company_number": company.number})
    # Each task leads on to the next one that is open; whom to call may be left out, so nobody is led to it.
    person.go_on("documents")
    tasks = person.page.url
    person.open(f"{base}contact/", "contact")
    person.fill({"name": company.manager, "mobile": company.mobile})
    person.go_on("contact given")
    person.open(tasks, "documents")
    person.follow("main a[href$='/documents/incorporation/']", "upload")
    letter = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": company.letter}
    person.page.locator("input[type=file]").set_input_files(letter)
    person.go_on("after the letter, company")
    if "/documents/" in person.page.url:
        person.go_on("address")

    # Typed by hand this time, wrongly at first: a private address is refused with what to do instead.
    person.fill({"block": "192.168.1.10"})
    person.choose("openvpn_udp")
    person.go_on("address, private")
    assert person.page.locator("main .errors").is_visible()
    assert person.page.locator("main [name=block]").input_value() == "192.168.1.10"
    person.fill({"block": person.home.address})
    person.go_on("addresses")
    if company.many:
        _add_many(person, company.many)
    person.open(f"{base}prove/", "prove")
    person.go_on("check answers, proved")
    declare_and_send(person, base)
    return base


def _add_many(person: Person, ports: tuple[int, ...]) -> None:
    """More of what runs there, from a table as a spreadsheet saves it: one row is wrong and says why."""
    rows = "".join(f"{person.home.address};udp;{port},0;Branch {port}\r\n" for port in ports)
    table = f"\ufeffIP Address;Protocol;Port;Label\r\n{rows}192.168.1.10;udp;1196;Store\r\n"
    person.follow("main a[href$='/addresses/many/']", "many addresses")
    file = {"name": "branches.csv", "mimeType": "text/csv", "buffer": table.encode()}
    person.page.locator("input[type=file]").set_input_files(file)
    person.go_on("rows of the file")
    person.sees(f"{len(ports)} of {len(ports) + 1} rows can be added now")
    with person.page.expect_download() as download:
        person.page.locator("main a[href$='/corrected/']").click()
    assert "192.168.1.10" in Path(download.value.path()).read_text("utf-8-sig")
    person.follow("main button[value=add]", "rows of the file, one left")
    person.sees("1 row needs a correction.")
    person.follow("main button[value=forget]", "addresses, many")
    assert all(f"UDP {port}" in person.text() for port in ports)


def letter_of(person: Person, base: str, subject: str) -> None:
    """It lies in the inbox of the page and was mailed too."""
    person.open("/my/letters/", "letters")
    person.follow(person.page.locator("main li.task a", has_text=subject), f"letter, {subject}")
