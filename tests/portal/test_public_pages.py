"""What anyone may see: the start page, the check of a number, the certificate's link, and what the service
promises."""

import datetime as dt
import gzip
import html
import ipaddress
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from rahdari import policy
from rahdari.applicant import paper
from rahdari.journal import queries as journal
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.policy.unregistered import MOST_CHARACTERS
from rahdari.portal.public import check as check_view
from rahdari.register import actions as register
from rahdari.register import reference as references
from rahdari.register.models import Registration
from rahdari.vault import links
from rahdari.web import limits, typesetting
from tests import urdu
from tests.needs import needs_program

pytestmark = pytest.mark.django_db
COMPANY, PERSON = "Sample Software House (Pvt) Ltd", "Sample Freelancer 31"
A_YEAR = dt.timedelta(days=365)
QUIET = [
    "/",
    "/eligible/",
    "/eligible/poster/",
    "/check/",
    "/status/",
    "/status/connections/",
    "/help/",
    "/privacy/",
    "/accessibility/",
    "/terms/",
    "/terms/feed/",
    "/rules/",
    "/source/",
]


@pytest.fixture
def freelancer() -> User:
    return people.register_person(email="freelancer@client.example", name=PERSON, now=timezone.now())


@pytest.fixture
def company(freelancer: User) -> Organisation:
    return people.register_organisation(owner=freelancer, name=COMPANY, actor="system:test", now=timezone.now())


_last = iter(range(24, 250))


def a_registration(
    holder: uuid.UUID, *, category: str = "vpn_company", since: dt.timedelta | None = None
) -> Registration:
    now = timezone.now()
    start = now - (since or dt.timedelta(0))
    endpoint = register.NewEntry(
        origin=f"endpoint:{uuid.uuid4()}",
        block=ipaddress.ip_network(f"203.0.113.{next(_last)}/32"),
        protocol="udp",
        port=1194,
        asn=64500,
    )
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category=category,
        endpoints=[endpoint],
        valid_from=start,
        valid_until=start + A_YEAR,
        actor="system:test",
        now=now,
    )


def not_given_out() -> str:
    """A number with a right check letter that belongs to nobody."""
    return next(
        made for made in iter(references.make, None) if not Registration.objects.filter(reference=made).exists()
    )


def check(client: Client, number: str, **headers: str) -> str:
    response = client.get("/check/", {"number": number}, headers=headers)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def link_of(registration: Registration) -> str:
    return f"/c/{registration.reference}/{links.token('certificate', registration.reference)}/"


class TestEveryPage:
    @pytest.mark.parametrize("path", QUIET)
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_there_for_anyone_in_both_languages(self, client: Client, path: str, language: str) -> None:
        client.cookies["django_language"] = language
        response = client.get(path)
        page = response.content.decode()
        assert response.status_code == 200
        assert len(re.findall(r"<h1[ >]", page)) == 1
        assert len(re.findall(r'<meta name="description" content="[^"]{40,}">', page)) == 1
        assert not re.search(r"<(script|style)>|style=|\bon\w+=", page)
        assert "csrfmiddlewaretoken" not in page
        if language == "ur":
            assert urdu.page_problems(page) == []

    @pytest.mark.parametrize("path", QUIET)
    def test_links_only_to_pages_that_are_there(self, client: Client, path: str) -> None:
        for target in set(re.findall(r'href="(/[^"#]*)', client.get(path).content.decode())):
            if not target.startswith("/static/"):
                assert client.get(html.unescape(target)).status_code in (200, 302), target

    def test_needs_no_cookie(self, client: Client) -> None:
        for path in QUIET:
            assert not client.get(path).cookies

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_weighs_less_than_a_cheap_phone_minds(self, client: Client, language: str) -> None:
        static = Path(apps.get_app_config("web").path) / "static/web"
        parts = sum(len(gzip.compress((static / name).read_bytes())) for name in ("rahdari.css", "mark.svg", "copy.js"))
        client.cookies["django_language"] = language
        for path in QUIET:
            assert parts + len(gzip.compress(client.get(path).content)) < 60 * 1024

    def test_of_a_demonstration_says_so(self, client: Client, settings: Any) -> None:
        assert "Demonstration." not in client.get("/").content.decode()
        settings.DEMO = True
        for path in QUIET:
            assert "Not an official service." in client.get(path).content.decode()


class TestStart:
    def test_shows_the_visitors_own_address(self, client: Client) -> None:
        page = client.get("/", REMOTE_ADDR="203.0.113.77").content.decode()
        assert '<code dir="ltr">203.0.113.77</code>' in page

    def test_names_the_services_and_which_are_not_open(self, client: Client) -> None:
        page = client.get("/").content.decode()
        assert "not open yet" not in page, "every service is open"
        assert "3 working days" in page and "10 working hours" in page, (
            "the clocks of the policy, each with its services"
        )
        assert page.count("No fee") == 5 and "Free for up to 4 addresses." in page

    def test_says_first_what_it_costs_and_what_is_never_done(self, client: Client) -> None:
        first = client.get("/").content.decode().split('<div class="wall">')[0]
        assert "Free for freelancers and many others" in first
        assert "The register never blocks or watches anyone’s traffic" in first

    def test_says_what_to_do_when_a_registered_connection_was_cut(self, client: Client) -> None:
        assert "My registered connection was cut" in client.get("/help/").text


class TestCheckNumber:
    def test_says_valid_and_tells_no_name_and_no_address(self, client: Client, company: Organisation) -> None:
        registration = a_registration(company.holder_ref)
        page = check(client, registration.reference)
        assert ">Valid</h2>" in page
        assert COMPANY not in page and 'name="name"' in page, "a name can be compared"
        assert "203.0.113." not in page

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            (COMPANY, "The name matches"),
            ("  sample SOFTWARE-house private limited", "The name matches"),
            ("Sample Software House", "The name matches"),
            ("Sample Sofware House (Pvt) Ltd", "The name does not match"),
            ("Sample Software", "The name does not match"),
        ],
    )
    def test_compares_the_name_that_is_typed(
        self, client: Client, company: Organisation, typed: str, said: str
    ) -> None:
        reference = a_registration(company.holder_ref).reference
        page = html.unescape(client.get("/check/", {"number": reference, "name": typed}).text)
        assert said in page
        assert (COMPANY in page) == (typed == COMPANY), "what was typed is said again, and nothing else"

    def test_asks_for_a_name_that_has_a_letter(self, client: Client, company: Organisation) -> None:
        reference = a_registration(company.holder_ref).reference
        page = client.get("/check/", {"number": reference, "name": "--"})
        assert "Enter only the name" in page.text and ">Valid</h2>" not in page.text

    def test_takes_a_number_as_people_write_it(self, client: Client, company: Organisation) -> None:
        reference = a_registration(company.holder_ref).reference
        urdu_digits = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
        for written in (
            reference.lower(),
            f"  {reference.replace('-', ' ')} ",
            reference[3:],
            reference.translate(urdu_digits),
        ):
            assert ">Valid</h2>" in check(client, written)

    def test_never_names_a_person(self, client: Client, freelancer: User) -> None:
        reference = a_registration(freelancer.holder_ref, category="vpn_freelancer").reference
        compared = html.unescape(client.get("/check/", {"number": reference, "name": "Sample Freelancer"}).text)
        assert "fit" not in compared and PERSON not in compared
        page = check(client, reference)
        assert ">Valid</h2>" in page
        assert PERSON not in page and "freelancer@client.example" not in page

    def test_says_no_longer_valid_from_the_moment_the_term_ends(self, client: Client, company: Organisation) -> None:
        registration = a_registration(company.holder_ref, since=A_YEAR)
        page = check(client, registration.reference)
        assert ">No longer valid</h2>" in page
        register.expire_due(now=timezone.now())
        assert ">No longer valid</h2>" in check(client, registration.reference)

    def test_says_struck_out(self, client: Client, company: Organisation) -> None:
        registration = a_registration(company.holder_ref)
        register.strike_out(registration=registration, code="R1", actor="system:test", now=timezone.now())
        assert ">Struck out of the register</h2>" in check(client, registration.reference)

    def test_says_not_found_and_that_it_means_nothing_bad(self, client: Client) -> None:
        page = check(client, not_given_out())
        assert ">Not found</h2>" in page
        assert "Not found does not mean that something is wrong." in page

    @pytest.mark.parametrize("number", ["RD-4F7K-92MX", "rd 4f7k 92mx", "4F7K92MX"])
    def test_tells_a_mistyped_number_without_asking_the_database(
        self, client: Client, number: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            page = check(client, number)
        assert "<title>Error:" in page
        assert page.count("One character of this number is wrong.") == 2
        assert f'value="{number}"' in page

    @pytest.mark.parametrize("number", ["", "hello", "RD-4F7K", "'; drop table", "<b>RD</b>", "x" * 4000, "\x00"])
    def test_says_what_to_enter_instead_of_anything_else(
        self, client: Client, number: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            response = client.get("/check/", {"number": number})
        assert response.status_code == 200
        assert "<b>RD" not in response.content.decode()
        assert 'role="alert"' in response.content.decode()

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_right_in_both_languages(self, client: Client, company: Organisation, language: str) -> None:
        client.cookies["django_language"] = language
        valid = a_registration(company.holder_ref)
        expired = a_registration(company.holder_ref, since=A_YEAR)
        for number in (valid.reference, expired.reference, not_given_out(), "RD-4F7K-92MX", ""):
            page = client.get("/check/", {"number": number}).content.decode()
            if language == "ur":
                assert urdu.page_problems(page) == []

    def test_is_recorded_for_the_holder_without_the_visitor(self, client: Client, company: Organisation) -> None:
        registration = a_registration(company.holder_ref)
        check(client, registration.reference)
        row = journal.about(f"registration:{registration.id}")[0]
        assert (row.act, row.actor) == ("portal.read_number", "public")
        assert "127.0.0.1" not in json.dumps([row.detail, row.reason, row.ground])


class TestCheckLimit:
    @pytest.fixture(autouse=True)
    def nothing_is_given_back_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the clock of the database, however long the machine takes for the tries."""
        monkeypatch.setattr(check_view, "PER_SECONDS", 60_000)

    def test_stops_who_tries_many_numbers_and_says_until_when(self, client: Client) -> None:
        for _try in range(20):
            assert client.get("/check/", {"number": references.make()}, REMOTE_ADDR="198.51.100.7").status_code == 200
        refused = client.get("/check/", {"number": references.make()}, REMOTE_ADDR="198.51.100.7")
        assert refused.status_code == 429
        seconds = int(refused.headers["Retry-After"])
        assert 0 < seconds <= 3_000 and f"Try again in {-(-seconds // 60)} minutes" in refused.text
        assert client.get("/check/", {"number": references.make()}, REMOTE_ADDR="198.51.100.8").status_code == 200

    def test_counts_an_ipv6_subscriber_once_and_a_site_too(self, client: Client) -> None:
        def tries(addresses: Iterator[str]) -> list[int]:
            return [
                client.get("/check/", {"number": references.make()}, REMOTE_ADDR=address).status_code
                for address in addresses
            ]

        assert tries(f"2001:db8:1:1::{n:x}" for n in range(21))[-1] == 429
        for _try in range(check_view.OF_NEIGHBOURHOOD + 20):
            limits.take("portal.number:2001:db8:2::/48", rate=check_view.OF_NEIGHBOURHOOD, per=check_view.PER_SECONDS)
        assert 429 in tries(f"2001:db8:2:{n:x}::1" for n in range(60))
        assert tries(iter(["2001:db8:3:1::1"])) == [200]

    def test_costs_nothing_for_a_mistyped_number(self, client: Client) -> None:
        for _try in range(30):
            assert check(client, "RD-4F7K-92MX")


class TestCertificateLink:
    def test_shows_a_persons_name_to_whoever_holds_the_paper(self, client: Client, freelancer: User) -> None:
        registration = a_registration(freelancer.holder_ref, category="vpn_freelancer")
        response = client.get(link_of(registration))
        assert PERSON in response.content.decode()
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex"
        assert journal.about(f"registration:{registration.id}")[0].act == "portal.read_certificate"

    def test_shows_nothing_to_whoever_changed_or_guessed_it(self, client: Client, freelancer: User) -> None:
        one, other = (a_registration(freelancer.holder_ref, category="vpn_freelancer") for _each in range(2))
        genuine = links.token("certificate", one.reference)
        answers = [
            client.get(path).content.decode()
            for path in (
                f"/c/{one.reference}/{'a' * 26}/",
                f"/c/{other.reference}/{genuine}/",
                f"/c/{not_given_out()}/{genuine}/",
                f"/c/{one.reference}/{links.token('proof', one.reference)}/",
                "/c/x/y/",
            )
        ]
        for page in answers:
            assert ">Not found</h2>" in page
            assert PERSON not in page and "VPN for a freelancer" not in page

    def test_leaves_nothing_to_tell_a_real_number_from_another(self, client: Client, freelancer: User) -> None:
        real = a_registration(freelancer.holder_ref, category="vpn_freelancer").reference
        pages = []
        for number in (real, not_given_out()):
            page = client.get(f"/c/{number}/{'a' * 26}/").content.decode().replace(number, "RD")
            pages.append(re.sub(r"\d\d:\d\d", "", page))
        assert pages[0] == pages[1]


class TestCertificate:
    def pages(self, registration: Registration) -> list[str]:
        return [f"/my/registrations/{registration.reference}/certificate{end}" for end in ("/", ".pdf")]

    def test_is_the_holders_own(self, client: Client, freelancer: User, company: Organisation) -> None:
        registration = a_registration(company.holder_ref)
        for path in self.pages(registration):
            assert client.get(path).status_code == 302
        client.force_login(people.register_person(email="other@client.example", name="", now=timezone.now()))
        for path in self.pages(registration):
            assert client.get(path).status_code == 404
        client.force_login(freelancer)
        for path in self.pages(registration):
            response = client.get(path)
            assert response.status_code == 200
            assert "no-store" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_speaks_both_languages_and_shows_no_address(
        self, client: Client, freelancer: User, company: Organisation, language: str
    ) -> None:
        registration = a_registration(company.holder_ref)
        client.force_login(freelancer)
        client.cookies["django_language"] = language
        page = client.get(self.pages(registration)[0]).content.decode()
        both = ("The register shows whether it is valid, not this sheet.", "اعتبار رجسٹر کا ہے، اس کاغذ کا نہیں۔")
        for words in ("Certificate of registration", "رجسٹریشن سرٹیفکیٹ", *both, registration.reference, COMPANY):
            assert words in page
        assert "203.0.113." not in page
        assert not re.search(r"style=|<script>", page)
        assert links.token("certificate", registration.reference) not in page
        if language == "ur":
            assert urdu.page_problems(page) == []

    def test_is_a_pdf_of_one_tagged_page(self, client: Client, freelancer: User, company: Organisation) -> None:
        import pikepdf

        registration = a_registration(company.holder_ref)
        client.force_login(freelancer)
        response = client.get(self.pages(registration)[1])
        assert response.headers["Content-Type"] == "application/pdf"
        with pikepdf.open(_stream(response.content)) as pdf:
            assert len(pdf.pages) == 1
            assert pdf.Root.MarkInfo.Marked
            assert registration.reference in str(pdf.docinfo.Title)

    def test_is_set_no_oftener_than_so_for_a_household(
        self, client: Client, freelancer: User, company: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paper, "SHEETS", 1)
        monkeypatch.setattr(paper, "PER_SECONDS", 86_400)  # none comes back while the test runs
        address = self.pages(a_registration(company.holder_ref))[1]
        client.force_login(freelancer)
        assert [client.get(address).status_code for _ in range(2)] == [200, 429]


def _faces(content: bytes) -> set[str]:
    import pikepdf

    with pikepdf.open(_stream(content)) as pdf:
        return {
            str(each.FontName) for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and "/FontName" in each
        }


def _stream(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


def a_sheet(**changed: Any) -> paper.Sheet:
    facts: dict[str, Any] = {
        "reference": "RD-4F7K-92MQ",
        "standing": "valid",
        "holder": COMPANY,
        "authority": ("Demonstration Authority", "ڈیمو اتھارٹی"),
        "category": ("VPN for a company", "کمپنی کے لیے وی پی این"),
        "registered_on": dt.date(2026, 11, 10),
        "valid_until": dt.date(2027, 11, 10),
        "addresses": 50,
        "link": "https://rahdari.example/c/RD-4F7K-92MQ/abcdefghijklmnopqrstuvwxyz/",
        "check_at": "https://rahdari.example/check/",
        "printed_at": dt.datetime(2026, 11, 10, 14, 32, tzinfo=dt.UTC),
        "demo": True,
    }
    return paper.Sheet(**(facts | changed))


class TestPaper:
    @pytest.mark.parametrize(
        "holder",
        [
            COMPANY,
            "Sample Institute of Very Long Names for Software, Networks and Telecommunication (Guarantee) Limited " * 2,
            "سیمپل فری لانسر",
            '#sys.inputs "quoted" \\ *bold* $x$ <script>',
            "x",
        ],
    )
    def test_fits_any_name_on_one_page(self, holder: str) -> None:
        import pikepdf

        with pikepdf.open(_stream(paper.render(a_sheet(holder=holder)))) as pdf:
            assert len(pdf.pages) == 1

    def test_says_of_a_holder_without_a_name_only_that_there_is_one(self, tmp_path: Path) -> None:
        pdftotext = needs_program("pdftotext", "apt-get install poppler-utils")
        sheet = tmp_path / "sheet.pdf"
        for holder, category, said in (("", ("", ""), False), ("Sample Freelancer 31", ("Category 7", "زمرہ"), True)):
            sheet.write_bytes(paper.render(a_sheet(holder=holder, category=category)))
            words = subprocess.run([pdftotext, sheet, "-"], capture_output=True, text=True, check=True).stdout
            assert ("Holder" in words) == ("Category" in words) == said
            assert ("connections of its holder" in " ".join(words.split())) != said

    def test_has_room_for_the_longest_word_on_the_unregistered(self) -> None:
        import pikepdf

        word = policy.Text("Nobody knows what was ordered. " * 20, "کسی کو معلوم نہیں کہ کیا حکم ہے۔ " * 20)
        word = policy.Text(word.en[:MOST_CHARACTERS], word.ur[:MOST_CHARACTERS])
        by = policy.Text(*("Signed by Sample Signatory, Director General of the Law Wing, on 1 March 2027. " * 2,) * 2)
        name = "Sample Institute of Long Names (Guarantee) Limited " * 3
        sheet = a_sheet(holder=name, unregistered=word, said_by=by)
        with pikepdf.open(_stream(paper.render(sheet))) as pdf:
            assert len(pdf.pages) == 1

    def test_is_set_in_the_faces_that_come_with_us_whatever_the_machine_has(self) -> None:
        faces = _faces(paper.render(a_sheet()))
        for ours in ("Libertinus", "DejaVuSansMono", "NotoNastaliqUrdu"):
            assert any(ours in face for face in faces)
            faces = {face for face in faces if ours not in face}
        assert faces == set()

    def test_is_the_same_file_each_time_it_is_printed_at_one_moment(self) -> None:
        assert paper.render(a_sheet()) == paper.render(a_sheet())

    def test_prints_every_letter_that_it_says_it_has_in_both_texts(self, tmp_path: Path) -> None:
        """PDF/UA refuses a paper on which a letter has no shape."""
        letters = "".join(sign for sign in map(chr, range(0x20, 0xD800)) if not typesetting._NO_SHAPE.match(sign))
        assert len(letters) > 1000
        template = tmp_path / "letters.typ"
        template.write_text(
            '#let d = json(bytes(sys.inputs.data))\n#set document(title: "Letters")\n'
            '#text(font: ("Libertinus Serif", ..d.faces), d.letters)\n'
            '#text(font: (..d.faces, "Libertinus Serif"), lang: "ur", dir: rtl, d.letters)\n'
        )
        assert typesetting.typeset(template, {"letters": " ".join(letters)}, now=a_sheet().printed_at).startswith(
            b"%PDF"
        )

    @pytest.mark.parametrize(
        "name", ["Sample 样本 Institute", "Sample \0\x1f\x7f", "Sample \U0001f44e \\u0000", "नमूना"]
    )
    def test_is_printed_for_a_holder_whose_name_has_letters_without_a_shape(self, name: str) -> None:
        assert paper.render(a_sheet(holder=name)).startswith(b"%PDF")

    def test_has_a_code_that_a_phone_reads_as_its_link(self, tmp_path: Path) -> None:
        import segno

        link = a_sheet().link
        drawn = paper.qr_path(link)
        matrix = segno.make(link, error="m", micro=False).matrix
        dark = {(x, y) for y, row in enumerate(matrix) for x, cell in enumerate(row) if cell}
        found = set()
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", str(drawn["d"])):
            found |= {(int(x) + step, int(y)) for step in range(int(length))}
        assert found == dark
        assert drawn["side"] == len(matrix)
