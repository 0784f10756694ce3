"""The made-up operator of the demonstration against the real desk and the real list: what a system may rely on.

The same contract holds for every system of an operator's: it is asked over the API that docs/mobile.md describes.
"""

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rahdari import workflow as house
from rahdari.mobile import queries
from rahdari.ops.sample_operator import SampleOperator
from rahdari.register import actions as register
from tests.builders import mobile_lines as sample
from tests.builders import story
from tests.builders.mobile_lines import FIRST, SECOND

from .test_api import key
from .test_line import past_the_clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]
YES, ANOTHERS, NOT_OURS, SILENT = "+923000000010", "+923000000017", "+923000000018", "+923000000019"


def an_operator(slug: str = FIRST) -> SampleOperator:
    client = Client(headers={"authorization": f"Bearer {key(slug)}"})

    def ask(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        answer = client.generic(
            method, f"/op/v1/{path}", json.dumps(body) if body is not None else "", content_type="application/json"
        )
        return answer.status_code, json.loads(answer.content or b"{}")

    return SampleOperator(ask, secret=b"a secret of its own")


class TestTheContract:
    def test_a_yes_registers_the_line_and_the_receipt_says_that_it_is_in_force(self) -> None:
        operator, application = an_operator(), sample.a_draft()
        line = sample.asked(application, number=YES)
        story.send(application)
        story.advance()
        assert operator.round() == 1
        story.advance()
        story.advance()
        line.refresh_from_db()
        assert line.reference == operator.word_for(YES.removeprefix("+")) and line.number == ""
        operator.round()
        assert list(operator.applied) == [line.reference]
        assert queries.in_force(line).applied_at is not None
        # Nothing waits any more: nothing is answered twice.
        assert operator.round() == 0

    def test_a_no_and_another_operators_number_and_silence_are_told_apart(self) -> None:
        operator = an_operator()
        lines = {number: sample.asked(sample.a_draft(), number=number) for number in (ANOTHERS, NOT_OURS, SILENT)}
        assert operator.round() == 2
        story.advance()
        found = {}
        for number, line in lines.items():
            line.refresh_from_db()
            found[number] = (line.state, line.reason, bool(line.number))
        assert found == {
            ANOTHERS: ("denied", "another_subscriber", False),
            NOT_OURS: ("denied", "not_our_number", True),
            SILENT: ("asked", "", True),
        }

    def test_a_silent_one_spares_the_line_by_its_check_until_it_answers(self) -> None:
        operator, application = an_operator(), sample.a_draft()
        line = sample.asked(application, number=SILENT)
        story.send(application)
        story.advance()
        later = past_the_clock()
        for _ in range(2):
            house.advance(now=later)
        operator.round()
        assert list(operator.applied) == [line.check_number]
        sample.says(line, "yes", reference="word-after-all-1", now=later + dt.timedelta(hours=1))
        operator.round()
        assert list(operator.applied) == ["word-after-all-1"]

    def test_one_that_begins_anew_comes_to_the_same_list_as_one_that_followed(self) -> None:
        followed = an_operator()
        followed.round()
        _application, registration, _line = sample.granted(reference="smp-0a1b2c3d")
        followed.round()
        sample.granted(reference="smp-9z8y7x6w")
        register.strike_out(registration=registration, code="X1", actor="person:x", now=timezone.now())
        story.advance()
        followed.round()
        anew = an_operator()
        anew.round()
        assert followed.applied == anew.applied and list(anew.applied) == ["smp-9z8y7x6w"]
        assert followed.sequence == anew.sequence

    def test_another_operators_system_sees_nothing_of_it(self) -> None:
        sample.asked(sample.a_draft(), number=YES)
        sample.granted(reference="smp-0a1b2c3d")
        other = an_operator(SECOND)
        assert other.round() == 0 and other.applied == {}
