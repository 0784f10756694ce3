"""A range by a contact of its registry, as a program does it: asked, chosen, and the code, which no answer holds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rahdari import workflow
from rahdari.address import directory
from rahdari.api.rules import Scope
from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.control import rules
from rahdari.letters.models import Letter
from rahdari.ops.sample_registry import record
from tests.builders import story
from tests.builders.api_world import KNOWN
from tests.builders.programs import Program, problem

pytestmark = pytest.mark.django_db
NOC = "noc@network.example"


@pytest.fixture(autouse=True)
def registry(settings: Any, tmp_path: Path) -> Iterator[None]:
    directory.configure(None, KNOWN)
    settings.SAMPLE_REGISTRY = str(tmp_path / "registry.json")
    found = record("SAMPLE-1", "203.0.113.0", "203.0.113.255", (("technical", NOC),))
    Path(settings.SAMPLE_REGISTRY).write_text(json.dumps([found]))
    yield
    directory.configure(None)


def place_of(program: Program, address: str = "203.0.113.48/29") -> str:
    application = story.fill(story.a_draft(program.person))
    endpoint = story.add(application, address)
    return f"/applications/{application.reference}/endpoints/{endpoint.pk}/proof"


def asked(program: Program, place: str) -> Any:
    """Opened, and the registry asked."""
    assert program.post(f"{place}/contact", {}).status_code == 201
    assert program.post(f"{place}/contact/try").said["looking"] is True
    workflow.look(now=timezone.now())
    return program.get(f"{place}/contact").said


def code_in_the_letter() -> str:
    letter = Letter.objects.filter(template="registry_code").order_by("-written_at")[0]
    found = re.search(r"\b[a-z2-7]{4}-[a-z2-7]{4}\b", letter.text)
    assert found is not None
    return found[0]


def test_counts_as_half_when_the_contact_hands_the_code_over() -> None:
    program = Program()
    place = place_of(program)
    methods = {each["method"]: each for each in program.get(place).said["methods"]}
    assert methods["contact"]["fits"] and methods["record"]["fits"]
    said = asked(program, place)
    assert said["contacts"] == [{"role": "technical", "title": "Technical contact", "address": NOC}]
    assert said["sent_to"] is None
    sent = program.post(f"{place}/contact/letter", {"contact": NOC})
    assert (sent.status_code, sent.said["sent_to"]) == (202, NOC)
    code = code_in_the_letter()
    wrong = problem(program.post(f"{place}/contact/code", {"code": "aaaa-aaaa"}), 422, "not-taken")
    assert wrong["errors"][0]["pointer"] == "/code"
    given = program.post(f"{place}/contact/code", {"code": code})
    assert given.status_code == 200 and given.said["status"] == "pending"
    said = program.get(place).said
    assert (said["proved"], said["so_far"], said["enough"]) == (False, 1, 2)
    # It counts once.
    again = problem(program.post(f"{place}/contact/code", {"code": code}), 409, "not-possible-now")
    assert again["code"] == "code_over"


def test_the_code_is_in_no_answer(settings: Any) -> None:
    """Not even when the applicant is the contact, and has a token for everything."""
    program = Program()
    found = record("SAMPLE-1", "203.0.113.0", "203.0.113.255", (("technical", program.person.email),))
    Path(settings.SAMPLE_REGISTRY).write_text(json.dumps([found]))
    place = place_of(program)
    asked(program, place)
    sent = program.post(f"{place}/contact/letter", {"contact": program.person.email})
    code = code_in_the_letter()
    seen = [sent, program.get(place), program.get(f"{place}/contact"), program.get("/letters")]
    seen += [program.post(f"{place}/contact", {}), program.get(place.partition("/endpoints")[0])]
    assert [each.status_code for each in seen] == [202, 200, 200, 200, 201, 200]
    assert not any(code in each.content.decode() or code.replace("-", "") in each.content.decode() for each in seen)


class TestRefused:
    def test_one_step_before_the_other(self) -> None:
        program = Program()
        place = place_of(program)
        for step, body in (("letter", {"contact": NOC}), ("code", {"code": "aaaa-aaaa"})):
            said = problem(program.post(f"{place}/contact/{step}", body), 409, "not-possible-now")
            assert said["code"] == "no_contacts"
        asked(program, place)
        said = problem(program.post(f"{place}/contact/code", {"code": "aaaa-aaaa"}), 409, "not-possible-now")
        assert said["code"] == "no_code"

    def test_without_a_name_in_the_application(self) -> None:
        program = Program()
        program.person.name = ""
        program.person.save()
        draft = story.a_draft(program.person)
        place = f"/applications/{draft.reference}/endpoints/{story.add(draft, '203.0.113.48/29').pk}/proof"
        asked(program, place)
        said = problem(program.post(f"{place}/contact/letter", {"contact": NOC}), 409, "not-possible-now")
        assert said["code"] == "no_name"

    def test_to_anybody_but_a_contact(self) -> None:
        program = Program()
        place = place_of(program)
        asked(program, place)
        said = problem(program.post(f"{place}/contact/letter", {"contact": "me@elsewhere.example"}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/contact"
        assert not Letter.objects.filter(template="registry_code").exists()

    def test_too_many_letters_and_too_many_tries(self) -> None:
        program = Program()
        place = place_of(program)
        asked(program, place)
        for _ in range(rules.MOST_CODES_OF_ONE):
            assert program.post(f"{place}/contact/letter", {"contact": NOC}).status_code == 202
        said = problem(program.post(f"{place}/contact/letter", {"contact": NOC}), 409, "not-possible-now")
        assert said["code"] == "too_many_codes"
        for _ in range(rules.MOST_TRIES):
            problem(program.post(f"{place}/contact/code", {"code": "aaaa-aaaa"}), 422, "not-taken")
        said = problem(program.post(f"{place}/contact/code", {"code": code_in_the_letter()}), 409, "not-possible-now")
        assert said["code"] == "code_over"

    def test_of_a_single_address_and_by_another_scope(self) -> None:
        program = Program()
        one = place_of(program, "203.0.113.77")
        for step, body in (("", {}), ("/letter", {"contact": NOC}), ("/code", {"code": "x"})):
            problem(program.post(f"{one}/contact{step}", body), 404, "not-found")
        writes = Program(program.person, scopes=[Scope.APPLICATIONS_READ, Scope.APPLICATIONS_WRITE])
        problem(writes.post(f"{one}/contact/code", {"code": "x"}), 403, "missing-scope")

    def test_of_a_decided_application(self) -> None:
        program = Program()
        place = place_of(program)
        asked(program, place)
        row = Application.objects.get(reference=place.split("/")[2])
        sending.withdraw_application(application=row, actor=story.actor_of(program.person), now=timezone.now())
        said = problem(program.post(f"{place}/contact/letter", {"contact": NOC}), 409, "not-possible-now")
        assert said["code"] == "decided"
