"""Tokens: made and ended on the page, held to scopes, rates and time; the same request again is done once."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.api import keys, queries, rules, webhook_delivery
from rahdari.api.interface import API, PLACES
from rahdari.api.models import AccessToken, IdempotentRequest, Webhook
from rahdari.apply.models import Application
from rahdari.db.locks import KEY, Lock
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters import queries as letters
from rahdari.people import actions as people_actions
from rahdari.programs import idempotency, tokens
from rahdari.programs.operation import names_in
from tests.builders import story
from tests.builders.people import sign_in_at_once
from tests.builders.programs import ALL, Program, problem
from tests.needs import rarely
from tests.waiting import until

pytestmark = pytest.mark.django_db

BEGIN = {"service": "vpn_freelancer"}


class TestThePage:
    def signed_in(self) -> Client:
        self.person = story.a_person()
        browser = Client(headers={"accept-language": "en"})
        return sign_in_at_once(browser, self.person)

    def make(self, browser: Client, **more: Any) -> Any:
        facts = {"name": "Sample program", "scopes": ["applications:read"], "days": "30"} | more
        return browser.post(reverse("api:make_token"), facts)

    def test_shows_a_new_token_once_and_keeps_its_hash(self) -> None:
        browser = self.signed_in()
        answer = self.make(browser)
        text = answer.context["new_text"]
        assert text.encode() in answer.content and text.startswith("rahdari_api_")
        token = AccessToken.objects.get()
        assert text not in str(list(AccessToken.objects.values_list())) and token.scopes == ["applications:read"]
        again = browser.get(reverse("api:programs"))
        assert text.encode() not in again.content and b"Sample program" in again.content
        assert Client(headers={"authorization": f"Bearer {text}"}).get("/api/v1/applications").status_code == 200

    def test_ends_a_token_at_once(self) -> None:
        browser = self.signed_in()
        text = self.make(browser).context["new_text"]
        place = reverse("api:revoke_token", args=[AccessToken.objects.get().pk])
        other = Client()
        other.force_login(story.a_person())
        assert other.post(place).status_code == 404
        assert browser.post(place).status_code == 302
        assert browser.post(place).status_code == 404
        assert Client(headers={"authorization": f"Bearer {text}"}).get("/api/v1/applications").status_code == 401
        acts = Row.objects.filter(act__startswith="api.").order_by("id").values_list("act", "subject")
        assert [act for act, _subject in acts] == ["api.made_token", "api.revoked_token"]

    def test_tells_the_person_of_each_token_and_ends_all_with_the_other_sessions(self) -> None:
        browser = self.signed_in()
        text = self.make(browser).context["new_text"]
        assert [each.template for each in letters.letters_of(self.person)] == ["program_allowed"]
        assert browser.post(reverse("people:end_other_sessions")).status_code == 302
        assert Client(headers={"authorization": f"Bearer {text}"}).get("/api/v1/applications").status_code == 401

    def test_ends_all_with_the_second_factors_of_whoever_lost_them(self) -> None:
        text = self.make(self.signed_in()).context["new_text"]
        people_actions.forget_second_factors(user=self.person, actor="administrator:x", now=timezone.now())
        assert Client(headers={"authorization": f"Bearer {text}"}).get("/api/v1/applications").status_code == 401

    def test_says_what_is_missing(self) -> None:
        answer = self.make(self.signed_in(), name="", scopes=[])
        assert answer.status_code == 422
        assert b"Enter what the token is for" in answer.content
        assert b"Tick at least one thing" in answer.content

    def test_gives_so_many_at_most(self) -> None:
        browser = self.signed_in()
        answers = [self.make(browser) for _ in range(tokens.MOST + 1)]
        assert [answer.status_code for answer in answers[-2:]] == [200, 422]
        assert AccessToken.objects.count() == tokens.MOST


class TestTokens:
    @pytest.mark.parametrize(
        "header", rarely(["", "Bearer ", "Bearer wrong", "Basic x", "Bearer \x80"], often={"", "Bearer wrong"})
    )
    def test_are_needed_for_everything_but_what_is_public(self, header: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "UNKNOWN_RATE", 1000)
        for each in API.operations():
            answer = Client(headers={"authorization": header}).generic(each.method, sample_path(each.path))
            if each.scope is None:
                assert answer.status_code in {200, 404}, each.id
            else:
                assert answer.status_code == 401, each.id
                assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_are_not_needed_less_because_of_a_cookie(self) -> None:
        browser = Client()
        browser.force_login(story.a_person())
        assert browser.get("/api/v1/applications").status_code == 401

    def test_end_by_themselves_and_with_the_account(self) -> None:
        program = Program()
        AccessToken.objects.update(ends_at=timezone.now() - dt.timedelta(seconds=1))
        problem(program.get("/applications"), 401, "unauthorised")
        program = Program()
        type(program.person).objects.filter(pk=program.person.pk).update(is_active=False)
        problem(program.get("/applications"), 401, "unauthorised")

    def test_are_held_to_a_rate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "RATE", 2)
        program = Program()
        assert [program.get("/applications").status_code for _ in range(3)] == [200, 200, 429]
        answer = program.get("/applications")
        problem(answer, 429, "too-many-requests")
        assert int(answer.headers["Retry-After"]) > 0

    def test_are_guessed_no_faster_than_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "UNKNOWN_RATE", 2)
        guesser = Client(headers={"authorization": "Bearer rahdari_api_guess"})
        assert [guesser.get("/api/v1/applications").status_code for _ in range(3)] == [401, 401, 429]
        # One subscriber of IPv6 has 2^64 addresses, and one budget.
        tries = [guesser.get("/api/v1/applications", REMOTE_ADDR=f"2001:db8:0:7::{last}") for last in range(3)]
        assert [each.status_code for each in tries] == [401, 401, 429]

    def test_are_noted_with_the_day_of_their_last_use(self) -> None:
        program, before = Program(), timezone.now().date()
        program.get("/applications")
        program.token.refresh_from_db()
        assert program.token.used_on in {before, timezone.now().date()}


def sample_path(path: str) -> str:
    """An address of this shape, of nothing that is there."""
    for name in names_in(path):
        made_up = "00000000-0000-4000-8000-000000000000" if name in UUIDS else "nothing"
        path = path.replace(f"{{{name}}}", made_up)
    return f"/api/v1{path}"


UUIDS = {name for name, (kind, _schema) in PLACES.items() if kind == "uuid"}


class TestScopes:
    """Over every operation: with all scopes but its own it is closed, with its own alone it is open."""

    @pytest.mark.parametrize("id", [each.id for each in API.operations() if each.scope is not None])
    def test_open_what_they_name_and_nothing_else(self, id: str) -> None:
        each = next(one for one in API.operations() if one.id == id)
        others = Program(scopes=[scope for scope in ALL if scope != each.scope])
        alone = Program(scopes=[each.scope or ""])
        closed = others.client.generic(each.method, sample_path(each.path))
        assert closed.status_code == 403
        assert json.loads(closed.content)["type"] == "urn:rahdari:problem:missing-scope"
        assert json.loads(closed.content)["scope"] == each.scope
        assert alone.client.generic(each.method, sample_path(each.path)).status_code not in {401, 403, 500}


class TestMethods:
    def test_that_are_not_there_are_told_which_are(self) -> None:
        answer = Program().ask("patch", "/applications")
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["Allow"] == "GET, HEAD, POST"

    def test_of_nothing_are_told_that_nothing_is_there(self) -> None:
        for path in (
            "/",
            "/nothing",
            "/applications/A-2611-AAAA-AAAA/nothing",
            "/applications/%00",
            "/applications/%0A/x%0A",
            "/applications/a%2Fb",
        ):
            problem(Program().get(path), 404, "not-found")


@contextmanager
def another_works_on(program: Program, key: str) -> Iterator[psycopg.Connection[Any]]:
    """A process of its own that is at work on this key: what holds the key is its connection."""
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with psycopg.connect(**wanted, autocommit=True) as other:
        name = Lock.ATTEMPT.text(f"{program.person.pk} {key}")
        assert other.execute(f"SELECT pg_try_advisory_lock({KEY})", [name]).fetchone() == (True,)
        yield other
        # Closed alone, the server gives the lock back a moment later.
        if not other.closed:
            other.execute("SELECT pg_advisory_unlock_all()")


def holds_a_lock(process: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = %s)", [process])
        return bool(cursor.fetchone()[0])


class TestTheSameKey:
    def post(self, program: Program, key: str, body: Any = None) -> Any:
        return program.post("/applications", body or BEGIN, headers={"Idempotency-Key": key})

    def test_gives_the_same_answer_and_does_it_once(self) -> None:
        program = Program()
        first, again = self.post(program, "one"), self.post(program, "one")
        assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
        assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
        assert again.headers["ETag"] == first.headers["ETag"]
        assert Application.objects.count() == 1
        assert self.post(program, "two").said["reference"] != first.said["reference"]

    def test_with_another_request_is_refused(self) -> None:
        program = Program()
        self.post(program, "one")
        problem(self.post(program, "one", BEGIN | {"language": "ur"}), 422, "key-reused")

    def test_while_the_first_is_not_answered_is_told_to_wait(self) -> None:
        program = Program()
        first = self.post(program, "one")
        IdempotentRequest.objects.update(status=None)
        with another_works_on(program, "one"):
            answer = self.post(program, "one")
            problem(answer, 409, "in-progress")
            assert answer.headers["Retry-After"] == "5"
            problem(self.post(program, "one", BEGIN | {"language": "ur"}), 422, "key-reused")
            # Its machine is gone, and the database has not noticed.
            IdempotentRequest.objects.update(begun_at=timezone.now() - idempotency.ATTEMPT_TAKES)
            assert self.post(program, "one").said["reference"] == first.said["reference"]
        assert Application.objects.count() == 1

    def test_whose_process_died_is_answered_at_once(self) -> None:
        """What dies with a process, or with the database, is its connection; no time has to pass."""
        program = Program()
        first = self.post(program, "one")
        IdempotentRequest.objects.update(status=None)
        with another_works_on(program, "one") as other:
            problem(self.post(program, "one"), 409, "in-progress")
            process = other.info.backend_pid
            other.close()
            until(lambda: not holds_a_lock(process))
            taken_over = self.post(program, "one")
        assert (taken_over.status_code, taken_over.said["reference"]) == (201, first.said["reference"])
        assert "Idempotent-Replayed" not in taken_over.headers
        assert Application.objects.count() == 1

    def test_that_another_has_just_taken_is_told_to_wait(self) -> None:
        """It holds the lock, and has written nothing yet."""
        program = Program()
        with another_works_on(program, "one"):
            problem(self.post(program, "one"), 409, "in-progress")
        assert self.post(program, "one").status_code == 201

    def test_holds_nothing_when_it_is_answered(self) -> None:
        program = Program()
        self.post(program, "one")
        problem(self.post(program, "two", {"service": "no_such"}), 409, "not-possible-now")
        for key in ("one", "two"):
            with another_works_on(program, key):
                pass

    def test_after_a_refusal_is_free_again(self) -> None:
        program = Program()
        problem(self.post(program, "one", {"service": "no_such"}), 409, "not-possible-now")
        assert self.post(program, "one").status_code == 201

    def test_of_another_person_is_another(self) -> None:
        assert self.post(Program(), "one").said["reference"] != self.post(Program(), "one").said["reference"]

    def test_is_forgotten_after_a_day(self) -> None:
        self.post(Program(), "one")
        now = timezone.now()
        assert keys.forget_attempts(now=now + idempotency.REPLAYED_FOR - dt.timedelta(minutes=1)) == 0
        assert keys.forget_attempts(now=now + idempotency.REPLAYED_FOR + dt.timedelta(minutes=1)) == 1

    def test_of_a_day_ago_does_something_new(self) -> None:
        program = Program()
        first = self.post(program, "one")
        IdempotentRequest.objects.update(begun_at=timezone.now() - idempotency.REPLAYED_FOR)
        second = self.post(program, "one", BEGIN | {"language": "ur"})
        assert (second.status_code, "Idempotent-Replayed" in second.headers) == (201, False)
        assert second.said["reference"] != first.said["reference"]

    def test_of_what_broke_goes_on_with_what_was_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        program = Program()

        def breaks(*args: object) -> None:
            raise RuntimeError

        with monkeypatch.context() as broken:
            broken.setattr("rahdari.api.applications.whole", breaks)
            problem(self.post(program, "one"), 500, "broke")
        assert self.post(program, "one").status_code == 201
        assert Application.objects.count() == 1

    def test_is_kept_encrypted(self) -> None:
        program = Program()
        answer = self.post(program, "one")
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM api_idempotentrequest")
            stored = str(cursor.fetchall())
        assert answer.said["reference"].encode().hex() not in stored

    @pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ü"])
    def test_of_another_form_is_told_so(self, key: str) -> None:
        said = problem(self.post(Program(), key), 400, "invalid-request")
        assert said["errors"][0]["pointer"] == "/Idempotency-Key"


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    """Eight first requests at one moment: none sees another's, and the limit holds all the same."""

    def at_once(self, make: Callable[[], object], refused: type[Exception]) -> int:
        start, made = threading.Barrier(8), []

        def one() -> None:
            start.wait()
            try:
                made.append(make())
            except refused:
                pass
            finally:
                connection.close()

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(made)

    def test_pass_no_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "MOST", 2)
        monkeypatch.setattr(rules, "MOST_WEBHOOKS", 2)
        owner, now = story.a_person(), timezone.now()
        facts: dict[str, Any] = {"owner": owner, "now": now}
        token = {"name": "x", "scopes": ["letters:read"], "valid_for": dt.timedelta(days=1)}
        assert self.at_once(lambda: keys.make_token(**token, **facts), tokens.TooManyTokens) == 2
        hook = {"url": "https://program.example/", "events": []}
        assert (
            self.at_once(lambda: webhook_delivery.make_webhook(**hook, **facts), webhook_delivery.TooManyWebhooks) == 2
        )
        assert AccessToken.objects.count() == Webhook.objects.count() == 2


def test_a_token_is_found_only_while_it_counts() -> None:
    program, now = Program(), timezone.now()
    assert queries.token_shown(program.text, now=now) == program.token
    assert queries.token_shown(program.text + "x", now=now) is None
    assert queries.token_shown("x" * 10_000, now=now) is None
