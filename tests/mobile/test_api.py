"""An operator's own list over its own key: whole, by changes, receipts, lines that left; never another operator's."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from rahdari.confirm import callbacks, tokens
from rahdari.confirm.interface import OPERATORS
from rahdari.confirm.models import CallbackDelivery
from rahdari.mobile.models import MobileListReceipt
from rahdari.programs.webhooks import body_of
from rahdari.register import actions as register
from rahdari.register.rules import stamp
from tests import contract
from tests.builders import mobile_lines as sample
from tests.builders import story
from tests.builders.mobile_lines import FIRST, OTHER_NUMBER, SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]
ONE, TWO = "smp-0a1b2c3d", "smp-9z8y7x6w"


def key(operator: str = FIRST, *, sandbox: bool = False) -> str:
    _token, text = tokens.make_token(operator=operator, name="List", sandbox=sandbox, by="person:x", now=timezone.now())
    return text


class Operator:
    """A program of an operator's."""

    def __init__(self, operator: str = FIRST, *, sandbox: bool = False) -> None:
        self.client = Client(headers={"authorization": f"Bearer {key(operator, sandbox=sandbox)}"})

    def get(self, path: str, **headers: str) -> HttpResponse:
        answer = self.client.get(f"/op/v1/{path}", headers=headers)
        contract.hold(OPERATORS, "get", f"/{path}", answer)
        return answer

    def post(self, path: str, content: Any) -> HttpResponse:
        answer = self.client.post(f"/op/v1/{path}", json.dumps(content), content_type="application/json")
        contract.hold(OPERATORS, "post", f"/{path}", answer)
        return answer


def body(response: HttpResponse) -> Any:
    return json.loads(response.content)


class TestTheList:
    def test_has_the_operators_own_lines_and_no_identity(self) -> None:
        application, registration, line = sample.granted(reference=ONE)
        answer = Operator().get("lines")
        assert answer.status_code == 200 and answer["ETag"] == '"1"'
        assert body(answer) == {
            "sequence": 1,
            "lines": [
                {
                    "reference": ONE,
                    "not_before": stamp(line.listed_at),
                    "not_after": stamp(registration.stays_until),
                }
            ],
            "next": None,
        }
        text = answer.content.decode()
        for planted in (application.applicant.name, registration.reference, application.reference, "3007654321"):
            assert planted not in text
        other = Operator(SECOND).get("lines")
        assert body(other) == {"sequence": 0, "lines": [], "next": None}

    def test_is_not_sent_again_while_nothing_has_changed(self) -> None:
        sample.granted(reference=ONE)
        operator = Operator()
        assert operator.get("lines", if_none_match='"1"').status_code == 304
        assert operator.get("lines", if_none_match='W/"1", "x"').status_code == 304
        assert operator.get("lines", if_none_match='"0"').status_code == 200
        assert operator.get("lines/changes?after=1", if_none_match='"1"').status_code == 304

    def test_comes_in_pages_that_miss_none(self) -> None:
        for word, number in ((ONE, sample.NUMBER), (TWO, OTHER_NUMBER)):
            line = sample.says(sample.asked(application := sample.a_draft(), number=number), "yes", reference=word)
            story.send(application)
            story.advance()
            story.advance()
            line.refresh_from_db()
            assert line.is_listed
        operator = Operator()
        first = body(operator.get("lines?limit=1"))
        second = body(operator.get(f"lines?limit=1&after={first['next']}"))
        assert {first["lines"][0]["reference"], second["lines"][0]["reference"]} == {ONE, TWO}
        assert second["next"] is None
        assert operator.get("lines?after=none").status_code == 400
        assert operator.get("lines?limit=0").status_code == 422

    def test_is_shown_to_no_browser_no_practice_key_and_nobody_without_one(self) -> None:
        assert Client().get("/op/v1/lines").status_code == 401
        assert Operator(sandbox=True).get("lines").status_code == 403
        assert Operator().post("lines", {}).status_code == 405


class TestTheChanges:
    def test_followed_from_nothing_come_to_the_list(self) -> None:
        _application, registration, _line = sample.granted(reference=ONE)
        operator = Operator()
        found = body(operator.get("lines/changes?after=0"))
        assert [(each["sequence"], each["act"], each["reference"]) for each in found["changes"]] == [(1, "add", ONE)]
        assert (found["sequence"], found["more"]) == (1, False)
        register.strike_out(registration=registration, code="X1", actor="person:x", now=timezone.now())
        story.advance()
        found = body(operator.get("lines/changes?after=1"))
        assert [(each["act"], each["reference"]) for each in found["changes"]] == [("end", ONE)]
        assert "ended_at" in found["changes"][0] and "not_after" not in found["changes"][0]
        assert body(operator.get("lines"))["lines"] == []

    def test_are_told_to_a_callback_as_the_contract_says(self) -> None:
        url = "https://answers.operator.example/hook"
        callbacks.register_callback(operator=FIRST, url=url, by="person:x", now=timezone.now())
        sample.granted(reference=ONE)
        told = CallbackDelivery.objects.filter(webhook__operator=FIRST, event="lines.changed")
        assert told
        for each in told:
            contract.hold_event(OPERATORS, body_of(each))

    def test_come_in_parts(self) -> None:
        sample.granted(reference=ONE)
        sample.granted(reference=TWO)
        found = body(Operator().get("lines/changes?after=0&limit=1"))
        assert (found["sequence"], found["more"], len(found["changes"])) == (1, True, 1)

    def test_of_a_list_that_is_ahead_or_no_number_are_refused(self) -> None:
        operator = Operator()
        ahead = operator.get("lines/changes?after=7")
        assert ahead.status_code == 409 and body(ahead)["type"] == "urn:rahdari:problem:list-ahead"
        assert operator.get("lines/changes?after=x").status_code == 422


class TestReceipts:
    def test_say_that_the_line_is_in_force_and_count_once(self) -> None:
        sample.granted(reference=ONE)
        operator = Operator()
        for _ in range(2):
            assert body(operator.post("lines/receipt", {"sequence": 1})) == {"sequence": 1, "behind": 0}
        assert MobileListReceipt.objects.count() == 1
        assert operator.post("lines/receipt", {"sequence": 2}).status_code == 409
        for wrong in ("1", -1, True, None, 1.5):
            assert operator.post("lines/receipt", {"sequence": wrong}).status_code == 422
        assert body(Operator(SECOND).post("lines/receipt", {"sequence": 0})) == {"sequence": 0, "behind": 0}


class TestLeft:
    def test_lets_the_line_end_after_the_overlap(self) -> None:
        _application, _registration, line = sample.granted(reference=ONE)
        operator = Operator()
        given = {"reference": ONE, "reason": "ported_out"}
        answer = operator.post("lines/left", given)
        assert answer.status_code == 200 and body(answer)["new"] is True
        line.refresh_from_db()
        assert body(answer)["not_after"] == stamp(line.leaves_at)
        assert body(operator.post("lines/left", given))["new"] is False
        assert body(operator.get("lines"))["lines"][0]["not_after"] == stamp(line.leaves_at)

    def test_knows_no_line_of_another_operator(self) -> None:
        sample.granted(reference=ONE)
        answer = Operator(SECOND).post("lines/left", {"reference": ONE, "reason": "ported_out"})
        assert answer.status_code == 404 and body(answer)["type"] == "urn:rahdari:problem:no-such-line"
        assert Operator().post("lines/left", {"reference": ONE, "reason": "because"}).status_code == 422


class TestTheQuestion:
    """A check of the kind mobile, over the operators' API and in their file."""

    def test_is_answered_with_the_operators_own_word(self) -> None:
        line = sample.asked(sample.a_draft())
        operator, number = Operator(), line.check_number
        found = body(operator.get(f"checks/{number}"))
        assert (found["kind"], found["subscriber"]) == ("mobile", "923007654321")
        assert "address" not in found and found["name_masked"].startswith("S")
        for given, code in (
            ({"answer": "yes"}, "no_reference"),
            ({"answer": "yes", "reference": "923007654321"}, "reference_says_the_number"),
            ({"answer": "no", "reason": "not_our_address"}, "unknown_reason"),
        ):
            refused = operator.post(f"checks/{number}", given)
            assert refused.status_code == 422 and body(refused)["code"] == code
        taken = operator.post(f"checks/{number}", {"answer": "yes", "reference": ONE})
        assert taken.status_code == 200 and body(taken)["new"] is True
        assert operator.post(f"checks/{number}", {"answer": "yes", "reference": ONE}).status_code == 200
        story.advance()
        line.refresh_from_db()
        assert line.reference == ONE
        gone = body(operator.get(f"checks/{number}"))
        assert "subscriber" not in gone and "reference" not in gone
        assert operator.post(f"checks/{number}", {"answer": "no", "reason": "line_closed"}).status_code == 422

    def test_can_be_practised(self) -> None:
        operator = Operator(sandbox=True)
        found = body(operator.get("sandbox/checks/Q-TEST-0007"))
        assert found["kind"] == "mobile"
        assert operator.post("sandbox/checks/Q-TEST-0007", {"answer": "yes"}).status_code == 422
        assert operator.post("sandbox/checks/Q-TEST-0007", {"answer": "yes", "reference": ONE}).status_code == 200
