"""The ways to prove an address, page by page: what fits comes first, nothing is looked at unasked, nothing is lost."""

import base64
import datetime as dt
import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.address import Part, Protocol, directory, rpki, rpki_commands
from rahdari.applicant import links
from rahdari.apply.models import Endpoint
from rahdari.control import expected_claims
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge
from rahdari.letters.models import Letter
from rahdari.ops.sample_registry import record
from rahdari.people.models import User
from rahdari.probe import wireguard
from rahdari.vault import keys
from tests.builders import story
from tests.checks.asked import challenges_of
from tests.probe.certificates import an_identity

pytestmark = pytest.mark.django_db
THEIR_KEY = wireguard.new_key()[1]


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture
def applicant() -> User:
    return story.a_person()


@pytest.fixture
def browser(applicant: User) -> Client:
    client = Client()
    client.force_login(applicant)
    return client


def an_endpoint(
    applicant: User, address: str = "203.0.113.24", *, protocol: str = "udp", port: int = 51820
) -> Endpoint:
    from rahdari.apply import parts

    return parts.add_endpoint(
        application=story.a_draft(applicant),
        block=address,
        runs="other",
        parts=(Part(Protocol(protocol), port),),
        actor=story.actor_of(applicant),
        now=timezone.now(),
    )


def page_of(endpoint: Endpoint, method: str = "") -> str:
    if not method:
        return reverse("portal:prove", args=[endpoint.application.reference, endpoint.pk])
    return reverse("portal:prove_method", args=[endpoint.application.reference, endpoint.pk, method])


def challenge_of(endpoint: Endpoint, method: str) -> Challenge:
    found = proofs.latest_challenge(subject=endpoint.subject, block=endpoint.network, method=method)
    assert found is not None
    return found


def opened(endpoint: Endpoint) -> list[str]:
    """The ways that are open; the link is from the beginning."""
    return [each.method for each in challenges_of(endpoint.subject)]


class TestTheListOfWays:
    @pytest.mark.parametrize(
        ("protocol", "port", "first"),
        [
            ("udp", 51820, "Prove it with your WireGuard server"),
            ("udp", 1194, "Let your OpenVPN server show its certificate"),
            ("udp", 500, "Let your IKEv2 server show its certificate"),
            ("tcp", 443, "Let your SSTP server show its certificate"),
            ("tcp", 8443, "Let your OpenVPN server show its certificate"),
        ],
    )
    def test_begins_with_what_runs_there(
        self, browser: Client, applicant: User, protocol: str, port: int, first: str
    ) -> None:
        endpoint = an_endpoint(applicant, protocol=protocol, port=port)
        page = browser.get(page_of(endpoint), REMOTE_ADDR="198.51.100.7").text
        ways = page.split('<div class="ways">')[1]
        # The easy way is open, what fits what runs there stands folded beneath it.
        assert ways.index("Open a link from that network") < ways.index(first) < ways.index("Another method")
        assert ways.count(" open>") == 1 and 'id="link-way" open>' in ways
        assert "You are on another network now" in page
        assert "Put a token on that address" in ways.split("Another method")[1]

    def test_opens_nothing_but_the_link_by_being_read(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant)
        for _ in range(2):
            browser.get(page_of(endpoint))
        assert opened(endpoint) == ["link"]

    @pytest.mark.parametrize("method", ["http", "tls-alpn"])
    def test_opens_a_way_that_asks_nothing_by_one_press_and_not_by_its_address(
        self, browser: Client, applicant: User, method: str
    ) -> None:
        endpoint = an_endpoint(applicant)
        url = page_of(endpoint, method)
        assert f'<form method="post" action="{url}">' in browser.get(page_of(endpoint)).text
        assert "Use this method" in browser.get(url).text
        assert opened(endpoint) == ["link"]
        assert browser.post(url).headers["Location"] == url
        assert "Use this method" not in browser.get(url).text
        assert opened(endpoint) == ["link", method]

    def test_shows_the_link_of_the_application_where_the_own_one_has_run_out(
        self, browser: Client, applicant: User
    ) -> None:
        endpoint = an_endpoint(applicant)
        own = proofs.link_url(challenge_of(endpoint, "link"))
        assert own in browser.get(page_of(endpoint)).text
        Challenge.objects.update(expires_at=timezone.now())
        page = browser.get(page_of(endpoint)).text
        assert own not in page and links.absolute(links.proves(endpoint.application)) in page
        assert opened(endpoint) == ["link"]
        browser.post(links.proves(endpoint.application), REMOTE_ADDR="203.0.113.24")
        assert proofs.is_proved(endpoint.subject, endpoint.network)

    def test_leaves_out_host_names_without_a_resolver(self, browser: Client, applicant: User, settings: Any) -> None:
        endpoint = an_endpoint(applicant)
        settings.PROOF_RESOLVERS = []
        assert "Add a DNS record for the host name" not in browser.get(page_of(endpoint)).text
        assert browser.get(page_of(endpoint, "dns")).status_code == 302
        settings.PROOF_RESOLVERS = ["192.0.2.53"]
        assert "Add a DNS record for the host name" in browser.get(page_of(endpoint)).text

    def test_of_a_range_says_how_many_addresses_are_needed(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, "203.0.113.48/29")
        url = page_of(endpoint)
        assert "Prove 2 different addresses in it" in browser.get(url).text
        link = proofs.link_url(challenge_of(endpoint, "link")).removeprefix(django_settings.SITE_URL)
        assert "One address of the range is proved" in browser.post(link, REMOTE_ADDR="203.0.113.49").text
        assert "1 of 2 addresses are proved" in browser.get(url).text
        # The same address again adds nothing.
        browser.post(link, REMOTE_ADDR="203.0.113.49")
        assert not proofs.is_proved(endpoint.subject, endpoint.network)
        assert "This address is proved" in browser.post(link, REMOTE_ADDR="203.0.113.50").text
        assert proofs.is_proved(endpoint.subject, endpoint.network)

    def test_takes_a_line_of_ipv6_as_one_address(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, "2001:db8:24:1::/64")
        browser.get(page_of(endpoint))
        link = proofs.link_url(challenge_of(endpoint, "link")).removeprefix(django_settings.SITE_URL)
        assert "This address is proved" in browser.post(link, REMOTE_ADDR="2001:db8:24:1::9").text


class TestTheWayOfWireguard:
    def test_asks_for_the_key_shows_ours_and_looks_when_asked(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, "192.0.2.24")
        url = page_of(endpoint, "wireguard")
        assert 'value="51820"' in browser.get(url).text
        assert opened(endpoint) == ["link"]
        assert browser.post(url, {"peer_key": f"PublicKey = {THEIR_KEY}", "port": "51820"}).status_code == 302
        challenge = challenge_of(endpoint, "wireguard")
        page = browser.get(url).text
        assert f"wg set wg0 peer {expected_claims.our_wireguard_public_key(challenge)}" in page
        assert "We have not checked yet" in page
        assert challenge.next_look_at is None
        browser.post(url, {"look": "1"})
        assert "We are checking now, from one place" in browser.get(url).text

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("", "Enter the public key of the server"),
            ("abc", "A WireGuard key has 44 characters and ends with =. Copy all of it."),
            # Thirty-one zeros and a one: a key of nobody.
            (
                f"PrivateKey = {base64.b64encode(bytes(31) + bytes([1])).decode()}",
                "It contains a private key. We did not keep it.",
            ),
        ],
    )
    def test_says_how_to_mend_a_key(self, browser: Client, applicant: User, key: str, said: str) -> None:
        endpoint = an_endpoint(applicant)
        page = browser.post(page_of(endpoint, "wireguard"), {"peer_key": key, "port": "51820"}).text
        assert said in page
        assert opened(endpoint) == ["link"]

    def test_says_that_silence_proves_nothing_and_what_to_try(
        self, browser: Client, applicant: User, settings: Any
    ) -> None:
        from django.conf import settings as now_set

        settings.ALLOWED_SPECIAL_RANGES = [*now_set.ALLOWED_SPECIAL_RANGES, "127.0.0.0/8"]
        endpoint = an_endpoint(applicant, "127.0.0.1")
        url = page_of(endpoint, "wireguard")
        browser.post(url, {"peer_key": THEIR_KEY, "port": "9"})
        browser.post(url, {"look": "1"})
        assert workflow.look(now=timezone.now()) == 1
        page = browser.get(url).text
        assert "The port is closed" in page
        assert "What to try next" in page
        assert "Check whether the VPN server is running." in page
        assert "We check again automatically at" in page
        assert "The port is closed" in browser.get(page_of(endpoint)).text

    def test_takes_another_key_when_the_first_was_wrong(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant)
        url = page_of(endpoint, "wireguard")
        other = wireguard.new_key()[1]
        browser.post(url, {"peer_key": other, "port": "51820"})
        assert other in browser.get(f"{url}?change=1").text
        browser.post(url, {"peer_key": THEIR_KEY, "port": "51821"})
        assert challenge_of(endpoint, "wireguard").facts == {"peer_key": THEIR_KEY, "port": 51821}
        assert opened(endpoint) == ["link", "wireguard"]


class TestAWayByCertificate:
    def test_takes_it_as_text_as_a_file_or_as_a_fingerprint(
        self, browser: Client, applicant: User, tmp_path: Path
    ) -> None:
        endpoint = an_endpoint(applicant, protocol="tcp", port=443)
        url = page_of(endpoint, "sstp")
        server = an_identity(tmp_path, "vpn.sample.example")
        colons = ":".join(server.fingerprint[at : at + 2].upper() for at in range(0, 64, 2))
        for given in (
            {"certificate": server.certificate.read_text()},
            {"certificate": f"sha256 Fingerprint={colons}"},
            {"certificate_file": SimpleUploadedFile("server.cer", server.der)},
            {"certificate_file": SimpleUploadedFile("server.pem", server.certificate.read_bytes())},
        ):
            Challenge.objects.filter(method="sstp").delete()
            assert browser.post(url, {**given, "port": "443", "server_name": ""}).status_code == 302
            assert challenge_of(endpoint, "sstp").facts == {"fingerprint": server.fingerprint, "port": 443}

    def test_keeps_no_private_key(self, browser: Client, applicant: User, tmp_path: Path) -> None:
        endpoint = an_endpoint(applicant, protocol="tcp", port=443)
        secret = an_identity(tmp_path, "vpn.sample.example").key.read_text()
        page = browser.post(page_of(endpoint, "tls"), {"certificate": secret, "port": "443"}).text
        assert "This is a private key. We did not keep it." in page

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "Give the certificate, as text or as a file"),
            ({"certificate": "hello"}, "This is not a certificate or a SHA-256 fingerprint."),
            ({"certificate": "0" * 64, "port": "70000"}, "A port is a number from 1 to 65535."),
            ({"certificate": "0" * 64, "server_name": "-"}, "A host name has words with dots between them"),
        ],
    )
    def test_says_what_is_missing(self, browser: Client, applicant: User, given: dict[str, str], said: str) -> None:
        endpoint = an_endpoint(applicant, protocol="tcp", port=443)
        assert said in browser.post(page_of(endpoint, "tls"), {"port": "443", **given}).text

    def test_refuses_a_file_that_is_too_long(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, protocol="tcp", port=443)
        long = SimpleUploadedFile("server.pem", b"x" * 70_000)
        page = browser.post(page_of(endpoint, "tls"), {"port": "443", "certificate_file": long}).text
        assert "This file is too long for a certificate." in page

    def test_of_openvpn_keeps_the_shared_key_encrypted_and_erases_it_at_the_end(
        self, browser: Client, applicant: User
    ) -> None:
        endpoint = an_endpoint(applicant, port=1194)
        shared = "0123456789abcdef" * 32
        profile = (
            "client\n<tls-crypt>\n-----BEGIN OpenVPN Static key V1-----\n"
            f"{shared}\n-----END OpenVPN Static key V1-----\n</tls-crypt>\n"
        )
        facts = {"certificate": "0" * 64, "port": "1194", "transport": "udp", "profile": profile}
        url = page_of(endpoint, "openvpn")
        assert browser.post(url, facts).status_code == 302
        challenge = challenge_of(endpoint, "openvpn")
        assert challenge.facts["wrap"] == "tls-crypt"
        raw = Challenge.objects.raw("SELECT id, given::text AS held FROM control_challenge")[0].held
        assert shared[:32] not in raw
        assert "Kept encrypted until this proof ends" in browser.get(url).text
        story.prove(endpoint)
        challenge.refresh_from_db()
        assert (challenge.status, "shared_key" in challenge.facts) == ("withdrawn", False)

    @pytest.mark.parametrize(
        ("profile", "said"),
        [
            ("client\nremote 192.0.2.1\n", "This profile contains no shared key."),
            ("<tls-crypt>\nhello\n</tls-crypt>", "We cannot read the shared key in it."),
        ],
    )
    def test_of_openvpn_says_what_is_wrong_with_a_profile(
        self, browser: Client, applicant: User, profile: str, said: str
    ) -> None:
        endpoint = an_endpoint(applicant, port=1194)
        facts = {"certificate": "0" * 64, "port": "1194", "transport": "udp", "profile": profile}
        assert said in browser.post(page_of(endpoint, "openvpn"), facts).text

    def test_of_a_range_asks_at_which_address(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, "203.0.113.48/29", protocol="tcp", port=443)
        url = page_of(endpoint, "tls")
        facts = {"certificate": "0" * 64, "port": "443"}
        assert "Enter one address of the range" in browser.post(url, {**facts, "at": "203.0.113.60"}).text
        assert browser.post(url, {**facts, "at": "203.0.113.50"}).status_code == 302
        assert str(expected_claims.address_asked(challenge_of(endpoint, "tls"))) == "203.0.113.50"


class TestTheWayByToken:
    def test_looks_when_asked_and_says_what_was_there(self, browser: Client, applicant: User, settings: Any) -> None:
        from tests.control import servers

        endpoint = an_endpoint(applicant, "127.0.0.1")
        url = page_of(endpoint, "http")
        assert "rahdari=" in browser.post(url, follow=True).text
        with servers.serving(servers.answer(b"no", status="404 Not Found")) as settings.PROOF_HTTP_PORT:
            browser.post(url, {"look": "1"})
            assert workflow.look(now=timezone.now()) == 1
        page = browser.get(url).text
        assert "We reached the server, but not the file" in page
        assert '<bdi dir="ltr">404</bdi>' in page
        browser.post(url, {"look": "1"})  # too soon: nothing is asked, nothing is lost
        assert workflow.look(now=timezone.now()) == 0
        assert proofs.attempts_of(challenge_of(endpoint, "http")).count() == 1

    def test_of_a_certificate_shows_what_goes_into_it(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant)
        page = browser.post(page_of(endpoint, "tls-alpn"), follow=True).text
        text = expected_claims.shown_for(challenge_of(endpoint, "tls-alpn"))["text"]
        assert hashlib.sha256(text.encode()).digest().hex(":") in page

    def test_of_a_host_name_shows_the_record_and_counts_half(
        self, browser: Client, applicant: User, settings: Any
    ) -> None:
        settings.PROOF_RESOLVERS = ["192.0.2.53"]
        endpoint = an_endpoint(applicant)
        url = page_of(endpoint, "dns")
        assert "This alone is not enough" in browser.get(url).text
        assert "A host name has words with dots" in browser.post(url, {"name": "nonsense"}).text
        assert browser.post(url, {"name": "VPN.Sample.example."}).status_code == 302
        assert "_rahdari-challenge.vpn.sample.example" in browser.get(url).text


class TestAnybodyElse:
    def test_finds_no_such_page(self, client: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant)
        other = story.a_person()
        client.force_login(other)
        for method in ("wireguard", "http"):
            assert client.get(page_of(endpoint, method)).status_code == 404
        assert opened(endpoint) == ["link"]

    def test_finds_no_way_that_is_none(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant)
        for method in ("link", "nothing"):
            assert browser.get(page_of(endpoint, method)).status_code == 404


def test_our_key_is_derived_and_stands_in_no_table(browser: Client, applicant: User) -> None:
    from django.db import connection

    endpoint = an_endpoint(applicant)
    browser.post(page_of(endpoint, "wireguard"), {"peer_key": THEIR_KEY, "port": "51820"})
    challenge = challenge_of(endpoint, "wireguard")
    private = expected_claims.our_wireguard_key(str(challenge.pk))
    assert len(base64.b64decode(private)) == 32
    assert expected_claims.our_wireguard_key(str(challenge.pk)) == private
    with connection.cursor() as cursor:
        for table in ("control_challenge", "control_probeattempt", "journal_journalentry"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert not any(private in row for (row,) in cursor.fetchall())
    assert challenge.expires_at - challenge.opened_at == dt.timedelta(days=7)


class TestARangeByItsRegistry:
    """In the tests' directory the range is of a known network; the registry is the made-up one."""

    @pytest.fixture(autouse=True)
    def registry(self, settings: Any, tmp_path: Path) -> Iterator[None]:
        directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
        settings.SAMPLE_REGISTRY = str(tmp_path / "registry.json")
        self.say(settings)
        yield
        directory.configure(None)

    def say(self, settings: Any, *lines: str) -> Path:
        path = Path(settings.SAMPLE_REGISTRY)
        found = record("SAMPLE-1", "203.0.113.0", "203.0.113.255", (("technical", "noc@network.example"),))
        found["remarks"][0]["description"] += lines
        path.write_text(json.dumps([found]))
        return path

    def contact_page(self, endpoint: Endpoint) -> str:
        return reverse("portal:prove_contact", args=[endpoint.application.reference, endpoint.pk])

    def test_is_offered_for_a_range_alone(self, browser: Client, applicant: User) -> None:
        one, block = an_endpoint(applicant), an_endpoint(applicant, "203.0.113.48/29")
        for endpoint, is_offered in ((one, False), (block, True)):
            page = browser.get(page_of(endpoint)).text
            assert ("Add a line to the registry" in page) is is_offered
            assert ("Have a code sent" in page) is is_offered
            assert (browser.get(page_of(endpoint, "record")).status_code == 200) is is_offered
            assert (browser.get(self.contact_page(endpoint)).status_code == 200) is is_offered

    def test_is_proved_by_a_line_in_its_record(self, browser: Client, applicant: User, settings: Any) -> None:
        endpoint = an_endpoint(applicant, "203.0.113.48/29")
        page = browser.post(page_of(endpoint, "record"), follow=True).text
        text = expected_claims.shown_for(challenge_of(endpoint, "record"))["text"]
        assert text in page
        self.say(settings, text)
        browser.post(page_of(endpoint, "record"), {"look": "1"})
        workflow.look(now=timezone.now())
        assert proofs.is_proved(endpoint.subject, endpoint.network)
        assert "the line was in the registry" in browser.get(page_of(endpoint)).text

    def test_is_half_proved_by_a_code_and_an_address_completes_it(self, browser: Client, applicant: User) -> None:
        endpoint = an_endpoint(applicant, "203.0.113.48/29")
        url = self.contact_page(endpoint)
        assert "This is half of the proof" in browser.get(url).text
        assert "See the registry’s contacts" in browser.get(url).text
        browser.post(url, {"look": "1"})
        assert "We are asking the registry" in browser.get(url).text
        workflow.look(now=timezone.now())
        page = browser.get(url).text
        assert "Your name is needed first" in page or "noc@network.example" in page
        story.fill(endpoint.application)
        assert "noc@network.example" in browser.get(url).text
        assert browser.post(url, {"contact": "me@elsewhere.example"}).status_code == 422
        assert browser.post(url, {"contact": "noc@network.example"}).status_code == 302
        assert "The code from the letter" in browser.get(url).text
        wrong = browser.post(url, {"code": "aaaa-aaaa"})
        assert wrong.status_code == 422 and "not the code from the latest letter" in wrong.text
        found = re.search(r"\b[a-z2-7]{4}-[a-z2-7]{4}\b", Letter.objects.get(template="registry_code").text)
        assert found is not None
        assert browser.post(url, {"code": found[0]}).status_code == 302
        assert "Prove one address of the range" in browser.get(url).text
        overview = browser.get(page_of(endpoint)).text
        assert "is half of the proof" in overview
        link = proofs.link_url(challenge_of(endpoint, "link")).removeprefix(django_settings.SITE_URL)
        assert "This address is proved" in browser.post(link, REMOTE_ADDR="203.0.113.49").text

    def test_says_what_the_rpki_names_and_counts_a_code_whole_where_it_does(
        self, settings: Any, tmp_path: Path
    ) -> None:
        settings.DATA = tmp_path
        keys.make_missing(tmp_path / "keys")
        # A person is sealed with the keys of the place: made after them.
        applicant, browser = story.a_person(), Client()
        browser.force_login(applicant)
        endpoint = an_endpoint(applicant, "203.0.113.48/29")
        assert endpoint.asn is not None
        roas = [{"asn": endpoint.asn, "prefix": "203.0.113.0/24", "maxLength": 24, "ta": "sample"}]
        export = tmp_path / "vrps.json"
        export.write_text(json.dumps({"metadata": {"buildtime": timezone.now().isoformat()}, "roas": roas}))
        rpki.import_export(export, rpki_commands.in_use(tmp_path))
        page = browser.get(self.contact_page(endpoint)).text
        assert "The RPKI lists" in page and "half of the proof" not in page
