"""Who asks for codes or guesses them too often is held up, and nobody else is."""

import re

import pytest
from django.test import Client

from rahdari.people import queries
from rahdari.people.models import User
from tests.builders.people import ask_for_code, sign_in

pytestmark = pytest.mark.django_db


class TestSomebodyElseAsksForMyCodes:
    """A stranger who asks for the codes of a known address must not keep its owner out."""

    def test_and_another_network_still_gets_one(self, client: Client) -> None:
        for _ in range(12):
            client.post("/sign-in/", {"email": "officer@sample.example"}, REMOTE_ADDR="192.0.2.66")
        refused = client.post("/sign-in/", {"email": "officer@sample.example"}, REMOTE_ADDR="192.0.2.66")
        assert re.search(r"Too many codes were asked for. Try again after .*\d\d:\d\d", refused.content.decode())
        assert (
            Client().post("/sign-in/", {"email": "officer@sample.example"}, REMOTE_ADDR="198.51.100.7").status_code
            == 302
        )

    def test_from_everywhere_and_a_browser_that_was_here_still_gets_one(self, client: Client) -> None:
        sign_in(client, "officer@sample.example")
        client.post("/sign-out/")
        # One subscriber may have 256 networks of IPv6 next to each other.
        asked = {"email": "officer@sample.example"}
        for number in range(60):
            answer = Client().post("/sign-in/", asked, REMOTE_ADDR=f"2001:db8:{number // 20}:{number % 20:x}::1")
        assert answer.status_code == 302
        assert Client().post("/sign-in/", asked, REMOTE_ADDR="2001:db8:0:ff::1").status_code == 200
        # Elsewhere one code is left that these strangers cannot use up.
        for left in (302, 200):
            strange = Client().post("/sign-in/", asked, REMOTE_ADDR="198.51.100.9")
            assert strange.status_code == left
        assert "Too many codes were asked for" in strange.content.decode()
        assert client.post("/sign-in/", {"email": "officer@sample.example"}).status_code == 302
        # The cookie of one address is none of another's, and a made-up one is none at all.
        other = Client()
        other.cookies["was_here"] = "made-up"
        assert other.post("/sign-in/", asked, REMOTE_ADDR="198.51.100.9").status_code == 200


class TestGuessingAcrossAccounts:
    def test_ends_for_a_network_after_so_many_wrong_codes(self) -> None:
        for number in range(20):
            guesser = Client(REMOTE_ADDR="192.0.2.99")
            ask_for_code(guesser, f"victim-{number}@sample.example")
            for _ in range(3):
                guesser.post("/sign-in/code/", {"code": "00000000"})
        guesser = Client(REMOTE_ADDR="192.0.2.99")
        code = ask_for_code(guesser, "victim-99@sample.example")
        held = guesser.post("/sign-in/code/", {"code": code})
        assert held.status_code == 200 and "Too many wrong codes came from your network" in held.content.decode()
        assert not User.objects.filter(email="victim-99@sample.example").exists()
        # Elsewhere nothing is held, and whoever watches sees how many there were.
        elsewhere = Client(REMOTE_ADDR="198.51.100.7")
        assert (
            elsewhere.post("/sign-in/code/", {"code": ask_for_code(elsewhere, "me@sample.example")}).status_code == 302
        )
        assert 55 <= queries.wrong_codes_lately() <= 60

    def test_is_of_eight_figures(self, client: Client) -> None:
        assert re.fullmatch(r"\d{8}", ask_for_code(client, "new@sample.example"))
