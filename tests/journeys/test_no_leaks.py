"""Unusual names, numbers, addresses and texts are planted in applications that go through the whole line. Afterwards
they are looked for in every byte that leaves the house or outlives a request.

Not searched: the folder `mail` and the framed letters in the terminal, which are the demonstration's post itself.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pikepdf
import psycopg
import pytest
from psycopg import sql

from rahdari.ops import postgres

from . import desk
from .companies import Company, send_as
from .desk import OFFICER
from .edge import Edge
from .freelancers import Freelancer, choose_evidence, fill_in, prove, send
from .needles import Needles
from .people import Person
from .stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

PAPER = "Quillfeather memorandum of Zarwashtine Quibbleforth"
FREELANCER = Freelancer(
    "Zarwashtine Quibbleforth",
    "zarwashtine.quibbleforth@planted.example",
    cnic="61101-9876543-3",
    mobile="0345 9870613",
    letter="zarwashtine-passport.jpg",
)
URDU_NAME = "ژرفشاں کوہپیمائی"
WORK = "Tunnel to the vellichorium archive in Brumalia"
QUESTION, ANSWER = "Does the quincunxial clause mention Brumalia?", "Yes, the sesquipedalian annex does."


def a_paper() -> bytes:
    """A PDF that anybody can read with `strings`."""
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.pages[0].Contents = pdf.make_stream(f"BT /F1 12 Tf 50 700 Td ({PAPER}) Tj ET".encode())
        pdf.save(written, compress_streams=False)
    return written.getvalue()


COMPANY = Company(
    "Sample Planted Works (Pvt) Ltd",
    "0000968",
    "xanthippe@planted.example",
    manager=URDU_NAME,
    mobile="0333 9870719",
    letter=a_paper(),
)
EMAILS = {FREELANCER.email, COMPANY.email}
WORDS = {
    *(FREELANCER.name, "Quibbleforth", FREELANCER.cnic, FREELANCER.mobile, WORK, "vellichorium"),
    *(FREELANCER.letter, COMPANY.manager, "کوہپیمائی", COMPANY.mobile),
    *(PAPER, "Quillfeather", QUESTION, "quincunxial", ANSWER, "sesquipedalian", "SampleCamera"),
}
# Shown to the public with the number of the registration; yet nothing that operators, logs or the database need.
COMPANY_WORDS = {"Sample Planted Works"}


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    return {}


@pytest.fixture
def secrets(planted: dict[str, str], stack: Stack, edge: Edge, a_person: Callable[..., Person]) -> dict[str, str]:
    """Both applications, sent through the line; the numbers of their registrations, and the secrets of their links."""
    if planted:
        return planted
    # Without JavaScript: every page does without.
    person, friend = a_person("planted", script=False), a_person("friend", script=False)
    person.hurried = friend.hurried = True
    base = fill_in(FREELANCER, person)
    # Beside the letter: a declaration asks for the number of a card, and for words on the work.
    person.open(f"{base}evidence/", "evidence, again")
    choose_evidence(person, "self_declaration", "declaration")
    person.fill({"text": WORK, "cnic": FREELANCER.cnic})
    person.page.locator("main form input[name=declared]").check()
    person.go_on("declared")
    prove(person, base, friend)
    send(FREELANCER, person, base)
    person.waits_for(f"{base}status/", "See the registration")
    person.follow("main .actions a.btn", "registration")
    number = person.page.locator(".cert-no").first.inner_text()
    person.open(f"/my/registrations/{number}/certificate/", "certificate")

    company, officer = a_person("planted-company", script=False), a_person("officer", script=False)
    company.hurried = officer.hurried = True
    base = send_as(COMPANY, company)
    reference = base.rstrip("/").rpartition("/")[2]
    company.waits_for(f"{base}status/", "An officer is looking at your application")
    # Without a script that page loads itself again every 20 seconds, which could meet the page that is opened next.
    company.open("/my/", "home")
    desk.sit_down(officer, OFFICER)
    desk.open_from_the_queue(officer, reference)
    desk.take(officer)
    officer.follow("form[action$='/contact/'] button", "contact shown")
    assert COMPANY.manager in officer.text()
    officer.follow(officer.page.locator("a[href*='?paper=']").first, "paper shown")
    shown = officer.page.locator("iframe.paper").get_attribute("src") or ""
    answer = officer.page.request.get(urljoin(officer.page.url, shown))
    assert PAPER in Needles([PAPER]).in_bytes(answer.body())
    desk.decide(officer, "ask", code="Q4", text=QUESTION)
    company.open(f"{base}question/", "question")
    company.fill({"answer": ANSWER})
    company.go_on("answered")
    desk.open_from_the_queue(officer, reference)
    failed = desk.check_titled(officer, "Company number")
    failed.locator("input[value=passed]").check()
    failed.locator("input[name=how]").fill("Telephoned: sesquipedalian, yes.")
    officer.follow(failed.locator("button"), "recorded")
    failed = desk.check_titled(officer, "That you may apply for the company")
    failed.locator("input[value=passed]").check()
    failed.locator("input[name=how]").fill("The quincunxial letter names the manager.")
    officer.follow(failed.locator("button"), "recorded, second check")
    desk.decide(officer, "grant")
    company.waits_for(f"{base}status/", "Your registration is in force")
    company.follow("main .actions a.btn", "registration")
    planted |= {"number": number, "company": company.page.locator(".cert-no").first.inner_text()}
    return planted


@pytest.fixture(scope="module")
def needles() -> Needles:
    return Needles(WORDS | EMAILS | COMPANY_WORDS)


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_the_search_finds_what_is_there(needles: Needles, stack: Stack, secrets: dict[str, str]) -> None:
    """It would find them: each word is found in the demonstration's own post or in what was sent."""
    assert needles.in_bytes(a_paper()) == {PAPER}
    assert needles.in_bytes(b'{"to": "03459870613", "c": 6110198765433}') == {FREELANCER.mobile, FREELANCER.cnic}
    assert URDU_NAME in needles.in_bytes(ascii(URDU_NAME).encode())
    posted = needles.in_files(files_under(stack.data / "mail"))
    assert set().union(*posted.values()) >= EMAILS


def test_nothing_is_in_the_feed(needles: Needles, stack: Stack, secrets: dict[str, str]) -> None:
    files = files_under(stack.data / "feed")
    assert any(path.suffix == ".gz" for path in files)
    assert needles.in_files(files) == {}


def test_nothing_is_with_operators(needles: Needles, stack: Stack, edge: Edge, secrets: dict[str, str]) -> None:
    files = files_under(stack.data / "agents") + files_under(edge.folder)
    assert {path.suffix for path in files} >= {".json", ".csv", ".sqlite3"}
    assert needles.in_files(files) == {}
    assert needles.in_bytes(edge.inside(edge.nft, "list", "ruleset").encode()) == set()


def test_nothing_is_in_any_log(needles: Needles, stack: Stack, edge: Edge, secrets: dict[str, str]) -> None:
    """All that web, worker, publisher, push and the agents have printed, and what the database wrote down."""
    frame = tuple("│┌└")
    logged = [line for line in stack.lines if not any(sign in line for sign in frame)]
    assert len(logged) > 20
    assert [line for line in logged if needles.in_bytes(line.encode())] == []
    assert needles.in_files(stack.data.rglob("*.log*")) == {}


def test_no_secret_of_a_link_is_in_any_log(stack: Stack, secrets: dict[str, str]) -> None:
    frame = tuple("│┌└")
    logged = "\n".join(line for line in stack.lines if not any(sign in line for sign in frame))
    assert "/prove/" not in logged and f"/c/{secrets['number']}" not in logged


def test_nothing_is_on_public_pages(
    needles: Needles, stack: Stack, secrets: dict[str, str], a_person: Callable[..., Person]
) -> None:
    stranger = a_person("passer-by")
    stranger.hurried = True
    public = ["/", "/status/", "/help/", "/privacy/", "/terms/", "/source/", "/accessibility/", "/check/", "/sign-in/"]
    for path in [*public, f"/check/?number={secrets['number']}"]:
        stranger.open(path, "public")
        assert needles.in_bytes(stranger.page.content().encode()) == set(), path
    stranger.open(f"/check/?number={secrets['company']}", "public")
    assert needles.in_bytes(stranger.page.content().encode()) == set()
    for path in (
        f"/c/{secrets['number']}/{'a' * 26}/",
        f"/my/registrations/{secrets['number']}/",
        f"/my/registrations/{secrets['number']}/certificate/",
        f"/my/registrations/{secrets['number']}/certificate.pdf",
    ):
        stranger.page.goto(stack.url + path)
        assert needles.in_bytes(stranger.page.content().encode()) == set(), path


def tables(connection: psycopg.Connection) -> Iterator[tuple[str, bytes]]:  # type: ignore[type-arg]
    listed = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    for (name,) in listed:
        # Of a partitioned table, too, which has no rows of its own.
        command = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(name))
        with connection.cursor().copy(command) as rows:
            yield name, b"".join(bytes(block) for block in rows)


def test_nothing_is_readable_in_the_database(needles: Needles, stack: Stack, secrets: dict[str, str]) -> None:
    # As whoever owns the tables: what runs may not read all of them.
    with psycopg.connect(str(postgres.known_url(stack.data, role=postgres.OWNER))) as connection:
        dumped = dict(tables(connection))
    assert {"journal_journalentry", "letters_letter", "apply_application"} <= set(dumped)
    assert secrets["number"].encode() in dumped["register_registration"]
    found = {name: needles.in_bytes(data) for name, data in dumped.items()}
    # A table's name is in the message, its content is not.
    assert {name: words for name, words in found.items() if words} == {}


def test_nothing_is_readable_in_the_data_folder(needles: Needles, stack: Stack, secrets: dict[str, str]) -> None:
    """Documents, keys, static files, accounts; and the database's own files, its log of changes included."""
    kept = [path for path in files_under(stack.data) if path.relative_to(stack.data).parts[0] != "mail"]
    assert any("documents" in path.parts for path in kept) and any("pg_wal" in path.parts for path in kept)
    found = needles.in_files(kept)
    assert {str(name): words for name, words in found.items() if words} == {}
