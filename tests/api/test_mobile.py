"""A mobile number as a program registers it: number, code, operator; and moved to another operator afterwards."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rahdari.apply.models import Application
from rahdari.mobile import listing, queries
from rahdari.mobile.rules import Left
from rahdari.sms.codes import CODE_LASTS, CODES_TO_A_NUMBER
from tests.builders import mobile_lines as sample
from tests.builders import story
from tests.builders.mobile_lines import FIRST, SECOND
from tests.builders.programs import Program, problem
from tests.mobile.conftest import operators

__all__ = ["operators"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]
BEGIN = {"service": "vpn_freelancer", "fixed_address": "mobile"}


def begun(program: Program) -> str:
    answer = program.post("/applications", BEGIN)
    assert answer.status_code == 201, answer.content
    return f"/applications/{answer.said['reference']}"


def fill(program: Program, one: str) -> None:
    evidence = {"kind": "client_email", "text": "From studio@client.example: we work with you."}
    for step, body in (
        ("person", {"name": "Sample Freelancer"}),
        ("contact", {"name": "Sample Contact", "mobile": "0300 1234567"}),
        ("evidence", evidence),
    ):
        assert program.put(f"{one}/{step}", body).status_code == 200


def number(program: Program, one: str, typed: str = "0300 7654321") -> Any:
    return program.post(f"{one}/mobile/number", {"number": typed, "sim": "me"})


def code(program: Program, one: str) -> Any:
    return program.post(f"{one}/mobile/code", {"code": sample.code_to(program.person)})


class TestAnApplication:
    def test_goes_from_the_number_to_the_register(self) -> None:
        program = Program()
        one = begun(program)
        fill(program, one)
        assert program.get(f"{one}/mobile").said["state"] == "none"
        assert program.get(f"{one}/check").said["ready"] is False
        answer = number(program, one)
        assert (answer.status_code, answer.said["state"], answer.said["number"]) == (202, "typed", "03** *****21")
        assert "7654321" not in answer.content.decode()
        said = code(program, one).said
        assert said["state"] == "confirmed"
        assert [(each["key"], each["proposed"]) for each in said["operators"]] == [(FIRST, True), (SECOND, False)]
        asked = program.post(f"{one}/mobile/operator", {"operator": FIRST})
        assert (asked.status_code, asked.said["state"], asked.said["operators"]) == (202, "asked", [])
        assert program.post(f"{one}/mobile/operator", {"operator": FIRST}).status_code == 202
        problem(program.post(f"{one}/mobile/operator", {"operator": SECOND}), 409, "not-possible-now")
        assert program.post(f"{one}/submit", {"declare": True}).said["status"] == "submitted"
        story.advance()
        line = queries.line_of(Application.objects.get(reference=one.rpartition("/")[2]).subject)
        assert line is not None
        sample.says(line, "yes", reference="smp-0a1b2c3d")
        story.advance()
        said = program.get(one).said
        assert said["status"] == "granted"
        mobile = program.get(f"/registrations/{said['registration']}").said["mobile"]
        assert [(each["operator"], each["leaves_at"]) for each in mobile] == [(FIRST, None)]
        problem(program.get(f"{one}/mobile"), 409, "not-possible-now")

    def test_says_what_is_wrong(self) -> None:
        program = Program()
        one = begun(program)
        assert (
            problem(program.post(f"{one}/mobile/code", {"code": "1"}), 409, "not-possible-now")["code"] == "no_number"
        )
        said = problem(number(program, one, "0511234567"), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/number"
        body = {"number": "0300 7654321", "sim": "other"}
        said = problem(program.post(f"{one}/mobile/number", body), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/sim"
        number(program, one)
        problem(program.post(f"{one}/mobile/operator", {"operator": FIRST}), 409, "not-possible-now")
        for _try in range(2):
            said = problem(program.post(f"{one}/mobile/code", {"code": "x"}), 422, "not-taken")
            assert said["errors"][0]["pointer"] == "/code"
        said = problem(program.post(f"{one}/mobile/code", {"code": "x"}), 409, "not-possible-now")
        assert said["code"] == "code_over" and program.get(f"{one}/mobile").said["code"] == "wrong"

    def test_sends_so_many_codes(self) -> None:
        program = Program()
        one = begun(program)
        answers = [number(program, one).status_code for _ in range(CODES_TO_A_NUMBER + 1)]
        assert answers[-1] == 429 and answers[0] == 202

    def test_takes_no_code_that_is_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        program = Program()
        one = begun(program)
        number(program, one)
        line = queries.line_of(Application.objects.get().subject)
        assert line is not None
        line.code_until = timezone.now() - CODE_LASTS
        line.save()
        assert program.get(f"{one}/mobile").said["code"] == "over"
        assert problem(code(program, one), 409, "not-possible-now")["code"] == "code_over"

    def test_is_not_begun_where_no_code_can_be_sent(self, settings: Any) -> None:
        settings.SMS_FOLDER = None
        assert problem(Program().post("/applications", BEGIN), 409, "not-possible-now")["code"] == "no_mobile"
        body = BEGIN | {"service": "vpn_company"}
        assert problem(Program().post("/applications", body), 409, "not-possible-now")["code"] == "no_mobile"

    def test_about_addresses_has_no_number(self) -> None:
        program = Program()
        draft = story.a_draft(program.person)
        problem(program.get(f"/applications/{draft.reference}/mobile"), 404, "not-found")


class TestARegistration:
    def test_moves_its_number_to_another_operator(self) -> None:
        program = Program()
        _application, registration, line = sample.granted(program.person)
        one = f"/registrations/{registration.reference}"
        now, month = timezone.now(), dt.timedelta(days=30)
        facts = {"operator": FIRST, "reference": "smp-0a1b2c3d", "why": Left.PORTED_OUT, "by": "token:x"}
        listing.operator_left(overlap=month, now=now, **facts)  # type: ignore[arg-type]
        assert program.get(one).said["mobile"][0]["leave_reason"] == "ported_out"
        assert program.get(f"{one}/mobile").said["state"] == "none"
        assert number(program, one).status_code == 202
        assert code(program, one).said["state"] == "confirmed"
        asked = program.post(f"{one}/mobile/operator", {"operator": SECOND})
        assert asked.said["operator"] == SECOND
        moved = queries.line_of(f"registration:{registration.pk}")
        assert moved is not None and moved.follows == line
        sample.says(moved, "yes", reference="cell-0a1b2c3d")
        listed = {each["operator"] for each in program.get(one).said["mobile"]}
        assert SECOND in listed
        problem(Program().get(f"{one}/mobile"), 404, "not-found")

    def test_about_addresses_has_no_number(self, known_networks: None) -> None:
        program = Program()
        registration = story.registration_of(story.a_granted_application(program.person))
        problem(program.get(f"/registrations/{registration.reference}/mobile"), 404, "not-found")
