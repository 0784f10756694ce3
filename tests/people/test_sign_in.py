import base64
import datetime as dt
import re
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rahdari.letters.models import Letter
from rahdari.people import actions, demonstration, queries, sessions
from rahdari.people import sign_in as sign_in_steps
from rahdari.people.models import Role, User
from tests.builders.people import NOW, a_person, app_code, ask_for_code, set_up_app, sign_in, the_newest_code, with_post

pytestmark = pytest.mark.django_db
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def shown(answer: Any) -> str:
    return CSRF.sub("", answer.content.decode())


class TestSigningIn:
    def test_makes_an_account_only_when_the_code_was_right(self, client: Client) -> None:
        code = ask_for_code(client, "New@Sample.example")
        assert not User.objects.exists()
        answer = client.post("/sign-in/code/", {"code": code})
        assert answer.status_code == 302
        assert User.objects.get().email == "new@sample.example"
        assert client.session["_auth_user_id"] == str(User.objects.get().pk)

    def test_finds_a_known_person_again(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email.upper())
        assert client.session["_auth_user_id"] == str(user.pk)
        assert User.objects.count() == 1

    # The pages tell until which minute a code is valid.
    @time_machine.travel(NOW, tick=False)
    def test_looks_the_same_for_known_and_unknown_addresses(self) -> None:
        a_person("known")
        pages = []
        for email in ("known@sample.example", "other@sample.example"):
            browser = Client()
            first = browser.post("/sign-in/", {"email": email})
            second = browser.get(first.headers["Location"])
            wrong = browser.post("/sign-in/code/", {"code": "00000000"})
            local = email.partition("@")[0]
            pages.append([shown(page).replace(local, "somebody") for page in (second, wrong)])
            assert first.headers["Location"] == "/sign-in/code/"
        assert pages[0] == pages[1]
        assert Letter.objects.filter(template="code", to__isnull=True).count() == 2

    def test_takes_urdu_digits_and_spaces(self, client: Client) -> None:
        code = ask_for_code(client, "a@sample.example")
        typed = f" {code[:3]} {code[3:]} ".translate({ord(str(v)): chr(0x06F0 + v) for v in range(10)})
        assert client.post("/sign-in/code/", {"code": typed}).status_code == 302

    def test_gives_a_new_person_the_language_of_the_page(self, client: Client) -> None:
        client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        sign_in(client, "urdu@sample.example")
        assert User.objects.get().language == "ur"
        assert Letter.objects.get(template="code").language == "ur"

    def test_leaves_nothing_of_whoever_did_not_come_back(self, client: Client) -> None:
        ask_for_code(client, "a@sample.example")
        sign_in_steps.forget_ended_sessions()
        assert Session.objects.count() == 1
        Session.objects.update(expire_date=NOW)
        sign_in_steps.forget_ended_sessions()
        assert not Session.objects.exists()

    def test_keeps_no_code_in_the_session(self, client: Client) -> None:
        code = ask_for_code(client, "a@sample.example")
        assert code not in str(sessions.read(Session.objects.get()))

    def test_works_in_the_browser_that_asked_only(self, client: Client) -> None:
        code = ask_for_code(client, "a@sample.example")
        answer = Client().post("/sign-in/code/", {"code": code})
        assert answer.headers["Location"] == "/sign-in/"

    def test_takes_a_code_once(self, client: Client) -> None:
        code = ask_for_code(client, "a@sample.example")
        client.post("/sign-in/code/", {"code": code})
        client.post("/sign-out/")
        assert client.post("/sign-in/code/", {"code": code}).headers["Location"] == "/sign-in/"

    def test_takes_the_newest_code_only(self, client: Client) -> None:
        old = ask_for_code(client, "a@sample.example")
        assert "A new code was sent" not in shown(client.get("/sign-in/code/"))
        new = ask_for_code(client, "a@sample.example")
        assert "A new code was sent at " in shown(client.get("/sign-in/code/"))
        if old != new:
            assert "That code is wrong" in shown(client.post("/sign-in/code/", {"code": old}))
        assert client.post("/sign-in/code/", {"code": new}).status_code == 302

    def test_counts_tries_that_come_at_once(self, client: Client) -> None:
        """Requests at the same moment all read the session as it was: each of them takes itself for the first."""
        code = ask_for_code(client, "a@sample.example")
        as_it_was = dict(client.session.items())
        for number in range(3):
            client.post("/sign-in/code/", {"code": f"{number:08}"})
            session = client.session
            session.update(as_it_was)
            session.save()
        assert "2 tries left." in shown(client.post("/sign-in/code/", {"code": code}))
        assert "_auth_user_id" not in client.session

    def test_ends_after_three_wrong_codes(self, client: Client) -> None:
        code = ask_for_code(client, "a@sample.example")
        assert "2 tries left." in shown(client.post("/sign-in/code/", {"code": "00000000"}))
        assert "1 try left." in shown(client.post("/sign-in/code/", {"code": "00000000"}))
        ended = shown(client.post("/sign-in/code/", {"code": "00000000"}))
        assert "This code no longer works" in ended and 'value="a@sample.example"' in ended
        assert client.post("/sign-in/code/", {"code": code}).headers["Location"] == "/sign-in/"
        assert not User.objects.exists()

    @pytest.mark.parametrize("typed", ["1234567", "123456789", "12E45678", "x" * 41])
    def test_does_not_count_what_can_be_no_code(self, client: Client, typed: str) -> None:
        ask_for_code(client, "a@sample.example")
        page = shown(client.post("/sign-in/code/", {"code": typed}))
        assert "The code has 8 digits." in page and "3 tries left." in page

    def test_goes_on_in_the_language_that_is_read(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        assert User.objects.get().language == "en"
        urdu = Client(headers={"accept-language": "ur"})
        sign_in(urdu, "a@sample.example")
        assert 'lang="ur"' in urdu.get("/account/").content.decode()[:300]

    def test_does_not_count_an_empty_field_as_a_try(self, client: Client) -> None:
        ask_for_code(client, "a@sample.example")
        assert "Enter the code from the email" in shown(client.post("/sign-in/code/", {"code": " "}))
        assert "2 tries left." in shown(client.post("/sign-in/code/", {"code": "00000000"}))

    def test_says_when_a_code_is_too_old_and_sends_a_new_one(self, client: Client) -> None:
        with time_machine.travel("2026-11-10T09:00:00Z", tick=False) as clock:
            code = ask_for_code(client, "a@sample.example", to="/account/")
            clock.shift(601)
            page = shown(client.post("/sign-in/code/?next=/account/", {"code": code}))
            assert "Your code has expired" in page
            assert 'name="next" value="/account/"' in page
            answer = client.post("/sign-in/", {"email": "a@sample.example", "next": "/account/"})
            assert answer.headers["Location"] == "/sign-in/code/?next=%2Faccount%2F"
            done = client.post(answer.headers["Location"], {"code": the_newest_code()})
            assert done.headers["Location"] == "/account/"

    def test_limits_the_codes_for_one_address(self, client: Client) -> None:
        for _ in range(10):
            assert client.post("/sign-in/", {"email": "a@sample.example"}).status_code == 302
        assert "Too many codes were asked for" in shown(client.post("/sign-in/", {"email": "A@sample.example"}))
        assert client.post("/sign-in/", {"email": "b@sample.example"}).status_code == 302

    @pytest.mark.parametrize("typed", ["", "no-at-sign", "a@b", "a b@sample.example", "a" * 255 + "@sample.example"])
    def test_says_what_is_wrong_with_an_address(self, client: Client, typed: str) -> None:
        answer = client.post("/sign-in/", {"email": typed})
        assert answer.status_code == 200
        assert 'role="alert"' in shown(answer)
        assert not Letter.objects.exists()

    def test_lets_the_address_be_changed(self, client: Client) -> None:
        ask_for_code(client, "wrong@sample.example")
        assert 'value="wrong@sample.example"' in shown(client.get("/sign-in/"))

    def test_keeps_a_closed_account_out(self, client: Client) -> None:
        user = a_person()
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert sign_in(client, user.email) == "/sign-in/closed/"
        assert "_auth_user_id" not in client.session
        assert "This account is closed" in shown(client.get("/sign-in/closed/"))

    def test_goes_back_to_where_it_began(self, client: Client) -> None:
        assert sign_in(client, "a@sample.example", to="/account/") == "/account/"

    @pytest.mark.parametrize("to", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
    def test_never_leads_to_another_site(self, client: Client, to: str) -> None:
        assert "elsewhere" not in sign_in(client, "a@sample.example", to=to)

    def test_has_no_inline_script_and_no_password(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        for path in ("/account/", "/account/app/", "/account/passkeys/add/", "/sign-out/"):
            page = shown(client.get(path))
            scripts = re.findall(r"<script\b([^>]*)>", page)
            assert all("src=" in script or "application/json" in script for script in scripts), path
            assert not re.search(r'style=|<style|\bon\w+="|type="password"', page), path


class TestSessionEnded:
    def test_is_said_on_the_sign_in_page(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        client.cookies.pop(django_settings.SESSION_COOKIE_NAME)
        answer = client.get("/account/")
        assert answer.headers["Location"] == "/sign-in/?next=/account/"
        assert "You were signed out. Your answers are kept" in shown(client.get(answer.headers["Location"]))

    def test_is_not_said_after_signing_out(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        client.post("/sign-out/")
        assert "You were signed out" not in shown(client.get("/sign-in/?next=/account/"))

    def test_keeps_what_was_typed(self, client: Client) -> None:
        answer = client.post("/account/", {"name": "Sample Name"}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 403
        assert "Sample Name" in shown(answer)


class TestSignOut:
    def test_takes_a_press_of_a_button(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        assert client.get("/sign-out/").status_code == 200
        assert "_auth_user_id" in client.session
        client.post("/sign-out/")
        assert "_auth_user_id" not in client.session


class TestAccount:
    def test_changes_name_and_language(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        answer = client.post("/account/", {"name": " Sample   Freelancer 31 ", "language": "ur"})
        assert answer.status_code == 302
        user = User.objects.get()
        assert (user.name, user.language) == ("Sample Freelancer 31", "ur")
        assert 'lang="ur" dir="rtl"' in shown(client.get("/account/"))

    def test_ends_all_other_sessions(self, client: Client) -> None:
        other = Client()
        for browser in (client, other):
            sign_in(browser, "a@sample.example")
        assert client.post("/account/sessions/end/").status_code == 302
        assert client.get("/account/").status_code == 200
        assert other.get("/account/").status_code == 302


class TestSession:
    def test_ends_when_nothing_moved_for_two_hours_and_not_before(self, client: Client) -> None:
        begin = timezone.now()
        with time_machine.travel(begin, tick=False) as clock:
            sign_in(client, "a@sample.example")
            # Moved all the time: it lasts far beyond the two hours.
            for minutes in range(0, 300, 20):
                clock.move_to(begin + dt.timedelta(minutes=minutes))
                assert client.get("/account/").status_code == 200
            clock.shift(dt.timedelta(hours=2) - dt.timedelta(seconds=1))
            assert client.get("/account/").status_code == 200
            clock.shift(dt.timedelta(seconds=django_settings.SESSION_COOKIE_AGE))
            answer = client.get("/account/")
            assert answer.status_code == 302 and not Session.objects.filter(expire_date__gt=timezone.now()).exists()

    def test_is_not_written_with_each_page(self, client: Client) -> None:
        begin = timezone.now()
        with time_machine.travel(begin, tick=False) as clock:
            sign_in(client, "a@sample.example")
            client.get("/account/")
            ends = Session.objects.get().expire_date
            with CaptureQueriesContext(connection) as asked:
                client.get("/account/")
            assert not [each for each in asked.captured_queries if each["sql"].startswith(("UPDATE", "INSERT"))]
            clock.shift(dt.timedelta(seconds=django_settings.SESSION_KEPT_ALIVE_EVERY))
            client.get("/account/")
            assert Session.objects.get().expire_date > ends

    def test_of_nobody_is_not_begun_by_looking(self, client: Client) -> None:
        client.get("/sign-in/")
        client.cookies[django_settings.SESSION_COOKIE_NAME] = "a" * 32
        client.get("/")
        assert not Session.objects.exists()


class TestPostsOfAPage:
    def test_are_asked_for_once_for_a_page(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email)
        with CaptureQueriesContext(connection) as asked:
            client.get("/account/")
        assert sum("people_roleassignment" in each["sql"] for each in asked.captured_queries) == 1

    def test_given_or_ended_meanwhile_count_at_once(self) -> None:
        user = a_person()
        with queries.looking_up_posts_once():
            assert not queries.is_officer(user)
            post = actions.appoint(user=user, role=Role.OFFICER, actor="system:test", now=NOW)
            assert queries.is_officer(user)
            actions.end_post(post=post, actor="system:test", now=NOW)
            assert not queries.is_officer(user)


class TestApp:
    def test_is_asked_for_after_the_code(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email)
        secret = set_up_app(client)
        other = Client()
        assert sign_in(other, user.email, to="/account/") == "/sign-in/second-factor/"
        assert "_auth_user_id" not in other.session
        assert "That code is wrong" in shown(other.post("/sign-in/second-factor/", {"code": "000000"}))
        answer = other.post("/sign-in/second-factor/", {"code": app_code(secret, steps=1)})
        assert answer.headers["Location"] == "/account/"

    def test_may_be_replaced_by_a_recovery_code_once(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email)
        set_up_app(client)
        page = shown(client.get("/account/recovery-codes/"))
        code = re.findall(r'<code dir="ltr">(\w+)</code>', page)[0]
        for works in (True, False):
            other = Client()
            sign_in(other, user.email)
            answer = other.post("/sign-in/second-factor/", {"code": code})
            assert (answer.status_code == 302) is works

    def test_shows_the_key_as_a_picture(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', shown(client.get("/account/app/")))
        assert found is not None
        picture = ElementTree.fromstring(base64.b64decode(found[1]))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"

    def test_is_kept_encrypted(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        secret = set_up_app(client)
        assert secret not in str([each.data for each in Authenticator.objects.all()])

    def test_opens_nothing_in_another_row(self, client: Client) -> None:
        user, victim = a_person(), a_person("victim")
        sign_in(client, user.email)
        secret = set_up_app(client)
        Authenticator.objects.filter(type="totp").update(user=victim)
        other = Client()
        sign_in(other, victim.email)
        for code in (app_code(secret), app_code(secret, steps=1)):
            assert "That code is wrong" in shown(other.post("/sign-in/second-factor/", {"code": code}))

    def test_limits_the_guesses_for_all_processes(self, client: Client) -> None:
        user = a_person()
        sign_in(client, user.email)
        secret = set_up_app(client)
        other = Client()
        sign_in(other, user.email)
        for _ in range(9):
            cache.clear()  # another process, with a cache of its own
            other.post("/sign-in/second-factor/", {"code": "000000"})
        cache.clear()
        answer = other.post("/sign-in/second-factor/", {"code": app_code(secret, steps=1)})
        assert "Too many tries" in shown(answer)


class TestDemoSignIn:
    def test_is_nowhere_outside_the_demonstration(self, client: Client) -> None:
        assert client.get("/demo/sign-in/").status_code == 404

    def test_signs_in_with_one_button(self, client: Client, demo_urls: None) -> None:
        demonstration.make_ready_accounts(operators=[("sample-fibre", "Sample Fibre")], now=NOW)
        page = shown(client.get("/demo/sign-in/"))
        officer = User.objects.get(email="officer@demo.rahdari.example")
        assert "Sample Officer 1" in page and str(officer.pk) in page
        answer = client.post("/demo/sign-in/", {"account": str(officer.pk), "next": "/account/"})
        assert answer.headers["Location"] == "/account/"
        assert client.session["_auth_user_id"] == str(officer.pk)

    def test_signs_in_whoever_stands_somewhere_on_the_line(self, client: Client, demo_urls: None) -> None:
        demonstration.make_ready_accounts(operators=[], now=NOW)
        user = actions.register_person(email=demonstration.sample_email(35), name="Sample Freelancer 35", now=NOW)
        assert "Has a question to answer." in shown(client.get("/demo/sign-in/"))
        assert client.post("/demo/sign-in/", {"account": str(user.pk)}).status_code == 302
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_signs_nobody_else_in(self, client: Client, demo_urls: None) -> None:
        user = a_person()
        assert client.post("/demo/sign-in/", {"account": str(user.pk)}).status_code == 404
        assert "_auth_user_id" not in client.session


class TestStaff:
    @pytest.fixture(autouse=True)
    def outside_the_demonstration(self, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True

    def test_is_led_to_set_up_a_second_factor_and_may_do_nothing_else(self, client: Client) -> None:
        user = a_person("officer")
        with_post(user)
        sign_in(client, user.email)
        for path in ("/account/", "/posts/", "/account/recovery-codes/"):
            assert client.get(path).headers["Location"] == "/account/second-factor/", path
        assert client.post("/account/sessions/end/").headers["Location"] == "/account/second-factor/"
        for path in ("/account/second-factor/", "/account/app/", "/account/passkeys/add/", "/sign-out/"):
            assert client.get(path).status_code == 200, path

    def test_goes_on_at_once_after_setting_it_up(self, client: Client) -> None:
        user = a_person("officer")
        with_post(user)
        sign_in(client, user.email)
        set_up_app(client)
        assert client.get("/account/recovery-codes/").status_code == 200
        assert client.get("/account/").status_code == 200

    def test_is_asked_for_it_in_a_session_without_it(self, client: Client) -> None:
        user = a_person("officer")
        sign_in(client, user.email)
        other = Client()
        sign_in(other, user.email)
        secret = set_up_app(other)
        with_post(user)
        answer = client.get("/account/")
        assert answer.headers["Location"] == "/account/confirm/?next=%2Faccount%2F"
        done = client.post(answer.headers["Location"], {"code": app_code(secret, steps=1)})
        assert done.headers["Location"] == "/account/"
        assert client.get("/account/").status_code == 200

    def test_leaves_applicants_alone(self, client: Client) -> None:
        sign_in(client, "a@sample.example")
        assert client.get("/account/").status_code == 200

    def test_is_started_again_by_the_command_when_it_is_lost(self, client: Client) -> None:
        user = a_person("officer")
        with_post(user)
        sign_in(client, user.email)
        set_up_app(client)
        assert actions.forget_second_factors(user=user, actor="system:command", now=NOW) == 2
        assert client.get("/account/").headers["Location"].startswith("/sign-in/")
        sign_in(client, user.email)
        assert client.get("/account/").headers["Location"] == "/account/second-factor/"
