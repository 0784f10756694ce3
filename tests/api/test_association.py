"""An association in the place of papers, as a program names it and takes it out again."""

from typing import Any

import pytest

from rahdari.apply.models import Application
from tests.builders import story
from tests.builders.programs import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]
NAMED = {"association_number": "sm-0417"}


def begun(program: Program, service: str) -> str:
    answer = program.post("/applications", {"service": service, "fixed_address": "yes"})
    assert answer.status_code == 201, answer.content
    return f"/applications/{answer.said['reference']}"


def lacks(program: Program, one: str) -> Any:
    said = program.get(f"{one}/check").said
    return said["documents_missing"], "documents" in {each["step"] for each in said["troubles"]}


def test_vouches_for_a_company_in_the_place_of_papers_until_it_is_taken_out(program: Program) -> None:
    one = begun(program, "vpn_company")
    documents, needed = lacks(program, one)
    assert documents and needed
    said = program.put(f"{one}/association", NAMED).said
    evidence = {"kind": "association", "text": "", "association": "sample-software-houses"}
    assert said["answers"]["evidence"] == evidence | {"association_number": "SM-0417"}
    assert lacks(program, one) == ([], False)
    for _twice in range(2):
        left = program.delete(f"{one}/association")
        assert left.status_code == 200
        assert left.said["answers"]["evidence"] == dict.fromkeys(evidence, "") | {"association_number": ""}
    assert lacks(program, one) == (documents, True)


def test_is_held_to_the_rules_of_the_page(program: Program) -> None:
    one = begun(program, "vpn_company")
    for number in ("", "?!"):
        said = problem(program.put(f"{one}/association", {"association_number": number}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/association_number"
    problem(program.put(f"{one}/association", {"number": "SM-0417"}), 400, "invalid-request")
    other = begun(program, "vpn_bank")
    for answer in (program.put(f"{other}/association", NAMED), program.delete(f"{other}/association")):
        assert problem(answer, 409, "not-possible-now")["code"] == "no_association"


def test_takes_no_other_proof_of_work_out(program: Program) -> None:
    row = story.fill(story.a_draft(program.person))
    one = f"/applications/{row.reference}"
    assert program.delete(f"{one}/association").said["answers"]["evidence"]["kind"] == "client_email"
    assert program.put(f"{one}/association", NAMED).said["answers"]["evidence"]["kind"] == "association"


def test_loses_nobodys_work_and_is_no_answer_once_it_is_sent(program: Program) -> None:
    one = begun(program, "vpn_company")
    tag = program.get(one).headers["ETag"]
    program.put(f"{one}/association", NAMED)
    for answer in (
        program.put(f"{one}/association", {"association_number": "SM-0999"}, headers={"if-match": tag}),
        program.delete(f"{one}/association", headers={"if-match": tag}),
    ):
        problem(answer, 412, "changed-meanwhile")
    Application.objects.update(status="withdrawn", closed_at="2026-11-25T12:00:00Z")
    for answer in (program.put(f"{one}/association", NAMED), program.delete(f"{one}/association")):
        assert problem(answer, 409, "not-possible-now")["code"] == "not_a_draft"
