"""A fresh proof before some acts: asked for when the sign-in is long ago, and nothing typed is lost over it."""

import re
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from rahdari.api.models import AccessToken
from rahdari.letters.models import Letter
from rahdari.people import access, queries
from rahdari.people.models import ProposedRole, User
from tests.builders.people import (
    a_person,
    app_code,
    let_it_be_long_ago,
    set_up_app,
    sign_in,
    the_newest_code,
    with_post,
)

pytestmark = pytest.mark.django_db
CODE = "/account/confirm/code/"
TYPED = {"name": "Sample program", "scopes": ["applications:read"], "days": "30"}


def make_token(browser: Client) -> Any:
    return browser.post(reverse("api:make_token"), TYPED)


def options_of(user: User) -> list[str]:
    return [each["id"] for each in get_adapter(RequestFactory().get("/")).get_reauthentication_methods(user)]


@pytest.fixture
def browser(client: Client) -> Client:
    """Signed in an hour ago."""
    sign_in(client, a_person().email)
    Letter.objects.filter(template="code").delete()
    let_it_be_long_ago(client)
    return client


class TestFreshProof:
    def test_is_not_asked_for_of_whoever_signed_in_lately(self, client: Client) -> None:
        sign_in(client, a_person().email)
        assert "Here is your token" in make_token(client).text

    def test_is_a_new_code_after_which_what_was_typed_is_done(self, browser: Client) -> None:
        asked = make_token(browser)
        assert asked.status_code == 302 and asked.headers["Location"].startswith(CODE)
        assert not AccessToken.objects.exists()
        page = browser.get(asked.headers["Location"]).text
        assert "Confirm that it is you" in page and "freelancer@sample.example" in page and TYPED["name"] not in page
        assert "What you typed is kept." in page
        letter = Letter.objects.get(template="code")
        assert "about to do something" in letter.text and "wants to sign in" not in letter.text
        assert "/account/#sessions" in letter.text
        wrong = browser.post(asked.headers["Location"], {"code": "00000000"}).text
        assert "That code is wrong" in wrong and "2 tries left." in wrong and not AccessToken.objects.exists()
        done = browser.post(asked.headers["Location"], {"code": the_newest_code()})
        assert "Here is your token" in done.text and AccessToken.objects.get().name == TYPED["name"]
        assert "Here is your token" in make_token(browser).text, "and for some minutes nothing is asked again"

    def test_is_not_asked_for_before_what_was_typed_will_do(self, browser: Client) -> None:
        answer = browser.post(reverse("api:make_token"), TYPED | {"name": ""})
        assert answer.status_code == 422 and "Enter what the token is for" in answer.text
        assert not Letter.objects.filter(template="code").exists()

    def test_ends_after_three_wrong_codes(self, browser: Client) -> None:
        place = make_token(browser).headers["Location"]
        right = the_newest_code()
        for _ in range(2):
            browser.post(place, {"code": "00000000"})
        assert "This code no longer works" in browser.post(place, {"code": "00000000"}).text
        assert "Your code has expired" in browser.post(place, {"code": right}).text
        assert not AccessToken.objects.exists()
        assert browser.post(place, {"send": "yes"}).headers["Location"] == place
        assert "Here is your token" in browser.post(place, {"code": the_newest_code()}).text

    def test_works_in_the_session_that_asked_only(self, browser: Client) -> None:
        place = make_token(browser).headers["Location"]
        code = the_newest_code()
        other = Client()
        sign_in(other, a_person().email)
        let_it_be_long_ago(other)
        other.post(place, {"code": code})
        assert make_token(other).status_code == 302 and not AccessToken.objects.exists()

    def test_sends_no_mail_for_a_look(self, browser: Client) -> None:
        place = browser.get("/account/app/").headers["Location"]
        assert place == f"{CODE}?next=%2Faccount%2Fapp%2F"
        page = browser.get(place).text
        assert "Send the code" in page and "What you typed" not in page
        assert not Letter.objects.filter(template="code").exists()
        browser.post(place, {"send": "yes", "next": "/account/app/"})
        assert browser.post(place, {"code": the_newest_code()}).headers["Location"] == "/account/app/"
        assert browser.get("/account/app/").status_code == 200

    def test_leads_to_no_other_site(self, browser: Client) -> None:
        place = f"{CODE}?next=https://elsewhere.example/"
        browser.post(place, {"send": "yes"})
        assert "elsewhere" not in browser.post(place, {"code": the_newest_code()}).headers["Location"]

    def test_has_its_limit(self, browser: Client) -> None:
        for _ in range(20):
            cache.clear()  # allauth's own count of tries
            last = browser.post(CODE, {"send": "yes"})
        assert last.status_code == 302
        cache.clear()
        asked = browser.post(CODE, {"send": "yes"}).text
        assert re.search(r"Too many codes were asked for. Try again after .*\d\d:\d\d", asked)

    def test_is_needed_before_an_app_or_a_passkey_is_added(self, browser: Client) -> None:
        for path in ("/account/app/", "/account/passkeys/add/"):
            assert browser.get(path).headers["Location"].startswith(CODE), path
            assert browser.post(path, {"code": "123456"}).headers["Location"].startswith(CODE), path
        assert not Authenticator.objects.exists()


class TestWays:
    def test_are_the_app_of_whoever_has_one(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email)
        secret = set_up_app(client)
        let_it_be_long_ago(client)
        place = make_token(client).headers["Location"]
        assert place.startswith("/account/confirm/?next=") and options_of(user) == ["app"]
        assert client.get(CODE).headers["Location"] == "/account/confirm/", "a code by mail is no way round the app"
        done = client.post(place, {"code": app_code(secret, steps=1)})
        assert "Here is your token" in done.text and AccessToken.objects.get().owner == user

    def test_of_whoever_has_a_passkey_are_that_or_a_code_by_mail(self) -> None:
        user = a_person()
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
        assert options_of(user) == ["passkey", "code", "recovery"]

    def test_of_staff_are_the_second_factor_alone(self) -> None:
        user = a_person("officer")
        with_post(user)
        assert options_of(user) == ["code"], "at the first sign-in, when there is none"
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
        assert options_of(user) == ["passkey", "recovery"] and access.needs_second_factor(user)


class TestPosts:
    def test_are_given_and_ended_after_a_fresh_proof(self, client: Client) -> None:
        administrator, officer = a_person("administrator"), a_person("officer")
        with_post(administrator, "administrator")
        sign_in(client, administrator.email)
        let_it_be_long_ago(client)
        place = client.post("/posts/", {"email": officer.email, "role": "accounts"}).headers["Location"]
        assert place.startswith(CODE) and not queries.posts_of(officer)
        assert client.post(place, {"code": the_newest_code()}).headers["Location"] == "/posts/"
        (post,) = queries.posts_of(officer)
        let_it_be_long_ago(client)
        place = client.post(f"/posts/{post.pk}/end/").headers["Location"]
        assert queries.posts_of(officer)
        client.post(place, {"code": the_newest_code()})
        assert not queries.posts_of(officer) and not ProposedRole.objects.exists()
