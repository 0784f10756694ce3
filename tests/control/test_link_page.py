"""The page of the proof link, as browsers, scanners and forgers meet it."""

import datetime as dt
import ipaddress
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from rahdari.control import challenges, queries
from rahdari.control.models import Challenge, Method
from rahdari.vault import keys
from tests import urdu
from tests.builders.people import sign_in

from .test_rules import FETCHERS

pytestmark = pytest.mark.django_db

BLOCK = ipaddress.ip_network("203.0.113.24/32")
THERE = "203.0.113.24"
CURL = {"User-Agent": "curl/8.14.1", "Accept": "*/*"}
# As a browser comes after a form of our own was sent: from us, whoever chose where to.
FROM_OURS = {"User-Agent": "Mozilla/5.0", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
ELSEWHERE = "198.51.100.7"
WEEK = dt.timedelta(days=7)


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture
def challenge() -> Challenge:
    return challenges.open_challenge(
        subject=f"endpoint:{uuid.uuid4()}", block=BLOCK, method=Method.LINK, valid_for=WEEK, now=timezone.now()
    )


def path_of(challenge: Challenge) -> str:
    return queries.link_url(challenge).removeprefix(django_settings.SITE_URL)


def proved(challenge: Challenge) -> bool:
    return queries.is_proved(challenge.subject, BLOCK)


class TestOpening:
    def test_from_the_address_and_pressing_the_button_is_the_proof(self, client: Client, challenge: Challenge) -> None:
        page = client.post(path_of(challenge), REMOTE_ADDR=THERE)
        assert page.status_code == 200
        assert "This address is proved" in page.text
        assert proved(challenge)
        # With "no-referrer" browsers send the form with the origin "null", which no form of ours may have.
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]

    def test_from_elsewhere_says_what_we_saw_and_what_to_do(self, client: Client, challenge: Challenge) -> None:
        page = client.get(path_of(challenge), REMOTE_ADDR=ELSEWHERE)
        assert page.status_code == 200
        assert f'We see this device at <bdi dir="ltr">{ELSEWHERE}</bdi>' in page.text
        assert "mobile data" in page.text
        assert "Is a VPN on?" in page.text
        assert not proved(challenge)

    def test_over_the_other_family_says_so(self, client: Client, challenge: Challenge) -> None:
        page = client.get(path_of(challenge), REMOTE_ADDR="2001:db8::7")
        assert "Switch IPv6 off" in page.text
        assert not proved(challenge)

    def test_in_ipv6_clothes_is_the_ipv4_address(self, client: Client, challenge: Challenge) -> None:
        client.post(path_of(challenge), REMOTE_ADDR=f"::ffff:{THERE}")
        assert proved(challenge)

    def test_again_says_when_it_was_proved(self, client: Client, challenge: Challenge) -> None:
        client.post(path_of(challenge), REMOTE_ADDR=THERE)
        page = client.get(path_of(challenge), REMOTE_ADDR=ELSEWHERE)
        assert page.status_code == 200
        assert "It was proved on" in page.text

    def test_after_the_time_says_where_a_new_link_is(self, client: Client, challenge: Challenge) -> None:
        Challenge.objects.filter(pk=challenge.pk).update(expires_at=timezone.now())
        page = client.post(path_of(challenge), REMOTE_ADDR=THERE)
        assert page.status_code == 200
        assert "has a new link" in page.text
        assert not proved(challenge)

    def test_by_a_program_answers_in_one_line(self, client: Client, challenge: Challenge) -> None:
        wrong = client.get(path_of(challenge), REMOTE_ADDR=ELSEWHERE, headers=CURL)
        assert wrong.text == f"Not proved: this address is {ELSEWHERE}, the link is for {THERE}.\n"
        right = client.get(path_of(challenge), REMOTE_ADDR=THERE, headers=CURL)
        assert right.text == f"Proved: this address is {THERE}.\n"
        assert right["Content-Type"].startswith("text/plain")
        dead = client.get("/prove/x/", REMOTE_ADDR=THERE, headers=CURL)
        assert dead.status_code == 404 and dead["Content-Type"].startswith("text/plain") and dead.text.count("\n") == 1

    def test_by_head_proves_nothing(self, client: Client, challenge: Challenge) -> None:
        assert client.head(path_of(challenge), REMOTE_ADDR=THERE).status_code == 200
        assert not proved(challenge)

    def test_leaves_no_token_in_a_log(
        self, client: Client, challenge: Challenge, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(0):
            for address in (ELSEWHERE, THERE):
                client.get(path_of(challenge), REMOTE_ADDR=address, headers=CURL)
        assert queries.link_token(challenge) not in caplog.text


class TestForwardedHeader:
    def test_of_a_stranger_is_ignored(self, client: Client, challenge: Challenge) -> None:
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"):
            client.get(path_of(challenge), REMOTE_ADDR=ELSEWHERE, headers={header: THERE} | CURL)
        assert not proved(challenge)
        assert {attempt.evidence["seen"] for attempt in queries.attempts_of(challenge)} == {ELSEWHERE}

    def test_of_a_trusted_proxy_counts_from_the_right(
        self, client: Client, challenge: Challenge, settings: Any
    ) -> None:
        settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
        spoofed = {"X-Forwarded-For": f"{THERE}, {ELSEWHERE}"}
        client.get(path_of(challenge), REMOTE_ADDR="192.0.2.1", headers=spoofed | CURL)
        assert not proved(challenge)
        honest = {"X-Forwarded-For": f"{ELSEWHERE}, {THERE}"}
        client.get(path_of(challenge), REMOTE_ADDR="192.0.2.1", headers=honest | CURL)
        assert proved(challenge)


class TestABrowser:
    @pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
    @pytest.mark.parametrize("dest", ["document", "image", "iframe", "script", "empty"])
    def test_proves_nothing_wherever_it_was_sent_from(
        self, client: Client, challenge: Challenge, site: str, dest: str
    ) -> None:
        page = client.get(
            path_of(challenge), REMOTE_ADDR=THERE, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest}
        )
        assert "Is this your address?" in page.text
        assert not proved(challenge)

    def test_that_our_own_sign_in_leads_there_is_asked(self, challenge: Challenge) -> None:
        """`/sign-in/?next=/prove/.../`: whoever sent that link chose where the sign-in ends."""
        victim = Client(REMOTE_ADDR=THERE, headers=FROM_OURS)
        assert sign_in(victim, "someone@client.example", to=path_of(challenge)) == path_of(challenge)
        assert "Is this your address?" in victim.get(path_of(challenge)).text
        assert not proved(challenge)

    def test_proves_by_the_button(self, challenge: Challenge) -> None:
        careful = Client(enforce_csrf_checks=True, headers=FROM_OURS)
        page = careful.get(path_of(challenge), REMOTE_ADDR=THERE)
        origin = {"Origin": "http://testserver"}
        assert careful.post(path_of(challenge), REMOTE_ADDR=THERE, headers=origin).status_code == 403
        assert not proved(challenge)
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        for stranger in ("null", "https://elsewhere.example"):
            sent = careful.post(
                path_of(challenge), {"csrfmiddlewaretoken": token}, REMOTE_ADDR=THERE, headers={"Origin": stranger}
            )
            assert sent.status_code == 403
        done = careful.post(path_of(challenge), {"csrfmiddlewaretoken": token}, REMOTE_ADDR=THERE, headers=origin)
        assert "This address is proved" in done.text
        assert proved(challenge)


class TestAProgram:
    @pytest.mark.parametrize("agent", FETCHERS)
    def test_that_only_opens_the_link_proves_nothing(self, client: Client, challenge: Challenge, agent: str) -> None:
        page = client.get(path_of(challenge), REMOTE_ADDR=THERE, headers={"User-Agent": agent, "Accept": "*/*"})
        assert page.text == f"Not proved yet: this address is {THERE}. Send a POST to the link, or use curl or Wget.\n"
        assert not proved(challenge)

    @pytest.mark.parametrize("agent", ["", "python-requests/2.32.5", "Mikrotik/7.20 Fetch"])
    def test_proves_by_a_post_with_nothing_in_it(self, challenge: Challenge, agent: str) -> None:
        program = Client(enforce_csrf_checks=True, headers={"User-Agent": agent, "Accept": "*/*"})
        assert program.post(path_of(challenge), REMOTE_ADDR=THERE).text.startswith("Proved")
        assert proved(challenge)

    def test_that_calls_itself_a_browser_needs_the_form(self, challenge: Challenge) -> None:
        scanner = Client(enforce_csrf_checks=True, headers={"User-Agent": "Mozilla/5.0 (compatible; link scanner)"})
        assert "Is this your address?" in scanner.get(path_of(challenge), REMOTE_ADDR=THERE).text
        assert scanner.post(path_of(challenge), REMOTE_ADDR=THERE).status_code == 403
        assert not proved(challenge)


class TestForged:
    def test_looks_like_any_page_that_is_not_there(self, client: Client, challenge: Challenge) -> None:
        forged = client.get("/prove/" + "a" * 26 + "/", REMOTE_ADDR=THERE)
        absent = client.get("/no-such-page/", REMOTE_ADDR=THERE)
        assert forged.status_code == absent.status_code == 404
        same = forged.text.replace("/prove/" + "a" * 26 + "/", "").replace("%2Fprove%2F" + "a" * 26 + "%2F", "")
        assert THERE not in same
        assert forged.text.count("<h1") == absent.text.count("<h1") == 1
        assert (
            forged.text.partition("<h1")[2].partition("</main>")[0]
            == (absent.text.partition("<h1")[2].partition("</main>")[0])
        )

    def test_too_often_from_one_address_waits(
        self, client: Client, challenge: Challenge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rahdari.control.views.PER_SECONDS", 86_400)  # none comes back while the test runs
        seen = {client.get(f"/prove/{number:026}/", REMOTE_ADDR="192.0.2.77").status_code for number in range(32)}
        assert seen == {404, 429}
        assert client.get("/prove/x/", REMOTE_ADDR="192.0.2.78").status_code == 404
        # One subscriber of IPv6 has 2^64 addresses, and one budget.
        of_one = {client.get("/prove/x/", REMOTE_ADDR=f"2001:db8:0:7::{number:x}").status_code for number in range(32)}
        assert of_one == {404, 429}
        assert client.get(path_of(challenge), REMOTE_ADDR="192.0.2.77").status_code == 200


class TestInUrdu:
    @pytest.mark.parametrize(
        ("address", "headers"),
        [
            (THERE, CURL | {"Accept": "text/html"}),
            (ELSEWHERE, {}),
            ("2001:db8::7", {}),
            (THERE, {"Sec-Fetch-Site": "cross-site"}),
        ],
    )
    def test_every_page_is_sound(
        self, client: Client, challenge: Challenge, address: str, headers: dict[str, str]
    ) -> None:
        client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        page = client.get(path_of(challenge), REMOTE_ADDR=address, headers={"Accept-Language": "ur", **headers})
        assert '<html lang="ur" dir="rtl">' in page.text
        assert urdu.page_problems(page.text) == []
