"""`/op/v1/` as an operator's system uses it, and its description held against what it answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.utils import timezone

from rahdari.confirm import interface, queries, sandbox, tokens, words
from rahdari.confirm.interface import OPERATORS
from rahdari.confirm.models import Channel, SubscriberAnswer, SubscriberQuestion
from rahdari.confirm.rules import AnswerTrouble
from rahdari.programs.openapi import document
from rahdari.programs.problems import KINDS
from tests import contract
from tests.builders.subscribers import OPERATOR, OTHER, a_question

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs"
KEPT = DOCS / "api" / "operators.json"


class System:
    """A program of an operator's."""

    def __init__(self, operator: str = OPERATOR, *, for_practice: bool = False) -> None:
        self.token, self.key = tokens.make_token(
            operator=operator, name="Sample system", sandbox=for_practice, by="person:x", now=timezone.now()
        )
        self.client = Client(headers={"authorization": f"Bearer {self.key}"})

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        facts = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(self.client, method)(f"/op/v1{path}", **(facts | more))
        answer.said = json.loads(answer.content) if answer.content else None
        contract.hold(OPERATORS, method, path, answer)
        return answer


@pytest.fixture
def system() -> System:
    return System()


def problem(answer: Any, status: int, kind: str) -> Any:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.said["type"], answer.said["status"]) == (f"urn:rahdari:problem:{kind}", status)
    assert answer.said["detail"]
    return answer.said


class TestChecks:
    def test_are_listed_page_by_page(self, system: System) -> None:
        made = [a_question() for _ in range(3)]
        a_question(OTHER)
        first = system.ask("get", "/checks?limit=2").said
        assert [each["check"] for each in first["checks"]] == [made[0].number, made[1].number]
        second = system.ask("get", f"/checks?limit=2&after={first['next']}").said
        assert ([each["check"] for each in second["checks"]], second["next"]) == ([made[2].number], None)

    def test_have_the_subscriber_and_a_masked_name(self, system: System) -> None:
        question = a_question()
        said = {each["check"]: each for each in system.ask("get", "/checks").said["checks"]}
        assert said[question.number]["subscriber"] == question.subscriber
        assert said[question.number]["address"] == question.block.removesuffix("/32")
        assert said[question.number]["name_masked"] == "S****e F********r 14"

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "2026", "%00"])
    def test_say_so_when_the_cursor_is_not_ours(self, system: System, cursor: str) -> None:
        problem(system.ask("get", f"/checks?after={cursor}"), 400, "bad-cursor")

    @pytest.mark.parametrize("limit", ["0", "501", "x", "-1"])
    def test_say_so_when_the_limit_is_none(self, system: System, limit: str) -> None:
        assert problem(system.ask("get", f"/checks?limit={limit}"), 422, "invalid-body")["field"] == "limit"


class TestAnswer:
    def test_is_taken_once_and_again_changes_nothing(self, system: System) -> None:
        question = a_question()
        first = system.ask("post", f"/checks/{question.number}", {"answer": "yes"})
        again = system.ask("post", f"/checks/{question.number}", {"answer": "yes"})
        assert (first.status_code, first.said["new"], again.said["new"]) == (200, True, False)
        [kept] = SubscriberAnswer.objects.all()
        assert (kept.answer, kept.channel, kept.by) == ("yes", Channel.API, f"token:{system.token.pk}")

    def test_that_says_too_little_is_told_why(self, system: System) -> None:
        question = a_question()
        said = problem(system.ask("post", f"/checks/{question.number}", {"answer": "no"}), 422, "answer-not-taken")
        assert (said["check"], said["code"]) == (question.number, "no_reason")

    def test_of_another_operators_check_is_not_found(self, system: System) -> None:
        theirs = a_question(OTHER)
        for method in ("get", "post"):
            answer = system.ask(method, f"/checks/{theirs.number}", {"answer": "yes"} if method == "post" else None)
            problem(answer, 404, "no-such-check")

    @pytest.mark.parametrize(
        ("body", "field"),
        [([], "body"), ({"answer": 1}, "answer"), ({"answer": "yes", "extra": 1}, "extra"), ({}, "answer")],
    )
    def test_in_another_form_is_told_which_member(self, system: System, body: Any, field: str) -> None:
        answer = system.ask("post", f"/checks/{a_question().number}", body)
        assert problem(answer, 422, "invalid-body")["field"] == field

    def test_that_is_no_json_or_too_large_is_told_so(self, system: System) -> None:
        path = f"/checks/{a_question().number}"
        problem(system.ask("post", path, data="{", content_type="application/json"), 422, "invalid-body")
        problem(system.ask("post", path, data="answer=yes", content_type="text/plain"), 415, "not-json")
        large = json.dumps({"answer": "x" * 300_000})
        problem(system.ask("post", path, data=large, content_type="application/json"), 413, "too-large")


class TestAnswers:
    def test_are_taken_or_not_one_by_one(self, system: System) -> None:
        good, other, theirs, last = a_question(), a_question(), a_question(OTHER), a_question()
        answer = system.ask(
            "post",
            "/answers",
            {
                "answers": [
                    {"check": good.number, "answer": "yes"},
                    {"check": other.number, "answer": "no"},
                    {"check": theirs.number, "answer": "yes"},
                    {"check": good.number, "answer": "no", "reason": "line_closed"},
                    {"check": last.number, "answer": "unknown"},
                ]
            },
        )
        assert [each.get("code", "taken") for each in answer.said["results"]] == [
            "taken",
            "no_reason",
            "unknown_check",
            "twice",
            "taken",
        ]
        assert answer.said["taken"] == 2
        assert SubscriberAnswer.objects.count() == 2

    def test_are_a_thousand_at_most(self, system: System) -> None:
        listed = [{"check": "Q-AAAA-AAAA", "answer": "yes"}] * 1001
        problem(system.ask("post", "/answers", {"answers": listed}), 413, "too-large")
        problem(system.ask("post", "/answers", {"answers": "x"}), 422, "invalid-body")
        said = problem(system.ask("post", "/answers", {"answers": [{"check": 1}]}), 422, "invalid-body")
        assert said["field"] == "answers[0].check"


class TestKeys:
    @pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic x", "Bearer \x80"])
    def test_are_needed_everywhere(self, header: str) -> None:
        for path, methods in described():
            answer = Client(headers={"authorization": header}).generic(methods[0].upper(), path)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_that_ended_let_nobody_in(self, system: System) -> None:
        tokens.revoke_token(operator=OPERATOR, id=system.token.pk, by="person:x", now=timezone.now())
        problem(system.ask("get", "/checks"), 401, "unauthorised")

    def test_for_practice_reach_samples_only(self) -> None:
        practice = System(for_practice=True)
        assert (
            problem(practice.ask("get", "/checks"), 403, "sandbox-key")["title"]
            == "A key for practice at the real address"
        )
        assert len(practice.ask("get", "/sandbox/checks").said["checks"]) == 7

    def test_are_held_to_a_rate(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(interface, "RATE", 2)
        assert [system.ask("get", "/checks").status_code for _ in range(3)] == [200, 200, 429]
        assert int(system.ask("get", "/checks").headers["Retry-After"]) > 0

    def test_are_noted_with_the_day_of_their_last_use(self, system: System) -> None:
        system.ask("get", "/checks")
        system.token.refresh_from_db()
        assert system.token.used_on == timezone.now().date()

    def test_other_methods_are_told_which_there_are(self, system: System) -> None:
        assert problem(system.ask("delete", "/checks"), 405, "method-not-allowed")
        assert system.ask("delete", "/checks").headers["Allow"] == "GET, HEAD"


class TestSandbox:
    def test_never_touches_what_is_real(self) -> None:
        real, practice = a_question(), System(for_practice=True)
        problem(practice.ask("post", f"/sandbox/checks/{real.number}", {"answer": "yes"}), 404, "no-such-check")
        listed = [{"check": each.number, "answer": "unknown"} for each in sandbox.SAMPLES]
        said = practice.ask("post", "/sandbox/answers", {"answers": [*listed, {"check": real.number, "answer": "yes"}]})
        assert said.said["taken"] == 7
        real.refresh_from_db()
        assert (real.answer, SubscriberAnswer.objects.count(), SubscriberQuestion.objects.count()) == ("", 0, 1)

    def test_reads_answers_by_the_same_rules(self, system: System) -> None:
        said = problem(system.ask("post", "/sandbox/checks/Q-TEST-0005", {"answer": "no"}), 422, "answer-not-taken")
        assert said["code"] == "no_reason"
        told = system.ask("post", "/sandbox/checks/Q-TEST-0005", {"answer": "yes"}).said
        assert (told["answer"], told["new"]) == ("yes", True)
        no = system.ask("post", "/sandbox/checks/Q-TEST-0001", {"answer": "no", "reason": "2"}).said
        assert no["reason"] == "not_our_address"

    def test_lists_page_by_page_too(self, system: System) -> None:
        first = system.ask("get", "/sandbox/checks?limit=4").said
        second = system.ask("get", f"/sandbox/checks?limit=4&after={first['next']}").said
        assert [len(each["checks"]) for each in (first, second)] == [4, 3]
        assert second["next"] is None
        problem(system.ask("get", "/sandbox/checks?after=x"), 400, "bad-cursor")


class TestCallback:
    def test_is_set_shown_tried_and_ended(self, system: System) -> None:
        assert system.ask("get", "/callback").said == {"callback": None}
        problem(system.ask("post", "/callback/test"), 409, "no-callback")
        made = system.ask("put", "/callback", {"url": "https://answers.operator.example/hook"})
        assert made.status_code == 201 and made.said["secret"].startswith("whsec_")
        assert system.ask("post", "/callback/test").status_code == 202
        shown = system.ask("get", "/callback").said["callback"]
        assert shown["last_delivery"]["finding"] == "on_its_way" and "secret" not in shown
        assert system.ask("delete", "/callback").status_code == 204
        assert queries.callback_of(operator=OPERATOR) is None

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("http://answers.operator.example/", "not_https"),
            ("https://127.0.0.1.example:1/", "bad_port"),
            ("https://169.254.169.254/latest", "not_global"),
            ("https://user@answers.operator.example/", "bad_address"),
        ],
    )
    def test_leads_to_a_public_place_only(self, system: System, url: str, code: str) -> None:
        said = problem(system.ask("put", "/callback", {"url": url}), 422, "callback-not-taken")
        assert said["code"] == code


# -- the description -------------------------------------------------------------------------------------------------

METHODS = frozenset({"get", "put", "post", "delete"})


def described() -> Iterator[tuple[str, list[str]]]:
    for path, acts in document(OPERATORS)["paths"].items():
        yield "/op/v1" + path.replace("{number}", "Q-AAAA-AAAA"), sorted(METHODS & set(acts))


class TestOpenapi:
    def test_is_there_for_everyone(self) -> None:
        assert Client().get("/op/v1/openapi.json").json() == document(OPERATORS)

    def test_is_the_one_in_the_repository(self) -> None:
        """When a change of it is meant: python -m tests.api.write_contract"""
        assert json.loads(KEPT.read_text()) == document(OPERATORS)

    def test_names_the_addresses_of_every_room(self) -> None:
        assert {"/checks", "/answers", "/callback", "/sandbox/checks", "/lines", "/lines/left"} <= set(
            document(OPERATORS)["paths"]
        )

    def test_leads_nowhere_that_is_not_there(self) -> None:
        text = json.dumps(document(OPERATORS))
        schemas = document(OPERATORS)["components"]["schemas"]
        used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
        assert used == set(schemas)

    def test_is_true_of_what_is_answered(self, system: System) -> None:
        described = document(OPERATORS)

        def holds(name: str, value: Any) -> None:
            schema = {**described["components"]["schemas"][name], "components": described["components"]}
            text = json.dumps(schema)
            jsonschema.Draft202012Validator(json.loads(text)).validate(value)

        question = a_question()
        holds("Page", system.ask("get", "/checks").said)
        holds("Answered", system.ask("post", f"/checks/{question.number}", {"answer": "no", "reason": "1"}).said)
        holds("Results", system.ask("post", "/answers", {"answers": [{"check": "x", "answer": "yes"}]}).said)
        holds("CallbackMade", system.ask("put", "/callback", {"url": "https://answers.operator.example/"}).said)
        holds("CallbackNow", system.ask("get", "/callback").said)
        said = system.ask("get", "/checks?limit=0").said
        holds("Problem", said)
        assert said["detail"] == "limit is too small: the minimum is 1."

    @pytest.mark.parametrize("path", ["/nothing", "/checks/", "/incidents/1/2/3", "/"])
    def test_says_of_what_is_not_there_that_it_is_not(self, system: System, path: str) -> None:
        answer: Any = system.client.get(f"/op/v1{path}")
        answer.said = answer.json()
        problem(answer, 404, "not-found")

    def test_has_a_sentence_for_every_trouble(self) -> None:
        assert all(words.trouble(each) for each in AnswerTrouble)

    def test_lists_every_problem_that_an_operation_tells_of(self) -> None:
        told = {kind for each in OPERATORS.operations() for kind in OPERATORS.kinds_of(each)}
        assert told <= set(KINDS)
        pages = ("confirm.md", "mobile.md", "preflight.md", "incidents.md", "maintenance.md")
        text = "".join((DOCS / name).read_text() for name in pages)
        assert [kind for kind in sorted(told) if f"`{kind}`" not in text] == []
