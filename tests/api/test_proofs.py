"""Proving an address, answering an officer, and reading a decision, as a program does it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.control.models import Challenge
from rahdari.decide import case_clock
from tests.builders import story
from tests.builders.api_world import changing
from tests.builders.drafts import a_pdf
from tests.builders.programs import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]


def at(program: Program, **more: Any) -> str:
    """The address of the proof of a draft's address."""
    application = story.fill(story.a_draft(program.person))
    endpoint = story.add(application, **more)
    return f"/applications/{application.reference}/endpoints/{endpoint.pk}/proof"


class TestWays:
    def test_are_listed_with_what_fits(self, program: Program) -> None:
        said = program.get(at(program)).said
        by_method = {each["method"]: each for each in said["methods"]}
        assert by_method["wireguard"]["fits"] is True and by_method["link"]["fits"] is False
        assert (said["proved"], said["so_far"], by_method["link"]["status"]) == (False, 0, "pending")
        assert by_method["wireguard"]["counts"] >= 1 and said["enough"] >= 1

    def test_give_what_goes_on_the_machine(self, program: Program) -> None:
        place = at(program)
        body = {"peer_key": story.GIVEN["wireguard"]["peer_key"], "port": 51820}
        made = program.post(f"{place}/wireguard", body)
        assert (made.status_code, made.said["status"], made.said["looking"]) == (201, "pending", False)
        assert len(made.said["instructions"]["our_key"]) == 44
        assert program.get(f"{place}/wireguard").said == made.said
        asked = program.post(f"{place}/wireguard/try")
        assert (asked.status_code, asked.said["looking"]) == (202, True)
        Challenge.objects.update(next_look_at=None, last_look_at=timezone.now())
        said = problem(program.post(f"{place}/wireguard/try"), 409, "not-possible-now")
        assert said["code"] == "too_soon" and said["again_at"]

    @pytest.mark.parametrize(
        ("method", "body", "pointer"),
        [
            ("wireguard", {}, "/peer_key"),
            ("wireguard", {"peer_key": "no key", "port": 51820}, "/peer_key"),
            ("tls", {"certificate": "-----BEGIN PRIVATE KEY-----", "port": 443}, "/certificate"),
        ],
    )
    def test_are_held_to_the_rules_of_the_pages(self, program: Program, method: str, body: Any, pointer: str) -> None:
        said = problem(program.post(f"{at(program)}/{method}", body), 422, "not-taken")
        assert said["errors"][0]["pointer"] == pointer

    def test_that_are_not_offered_are_not_there(self, program: Program) -> None:
        for method in ("report", "nothing", "operator"):
            problem(program.post(f"{at(program)}/{method}", {}), 404, "not-found")

    def test_by_link_is_proved_by_opening_it_from_there(self, program: Program) -> None:
        place = at(program, address="203.0.113.77")
        url = program.post(f"{place}/link", {}).said["instructions"]["url"]
        path = "/" + url.partition("://")[2].partition("/")[2]
        visitor = Client(REMOTE_ADDR="203.0.113.77")
        visitor.get(path)
        visitor.post(path)
        said = program.get(place).said
        assert (said["proved"], said["methods"]) == (True, [])
        assert said["proved_at"] is not None and said["text"].startswith("Proved at")
        assert problem(program.post(f"{place}/link", {}), 409, "not-possible-now")["code"] == "proved"
        assert program.get(f"{place}/link").said["status"] == "valid"

    def test_nobody_looks_for_a_link(self, program: Program) -> None:
        place = at(program)
        url = program.post(f"{place}/link", {}).said["instructions"]["url"]
        assert problem(program.post(f"{place}/link/try"), 403, "person-needed")["url"] == url

    def test_of_a_changing_address_are_its_routers(self, program: Program) -> None:
        application = changing(story.fill(story.a_draft(program.person)))
        endpoint = application.endpoints.get()
        one = f"/applications/{application.reference}/endpoints/{endpoint.pk}"
        assert problem(program.post(f"{one}/proof/link", {}), 409, "not-possible-now")["code"] == "changes"
        connection = program.get(f"{one}/connection").said
        assert (connection["state"], connection["passwords"]) == ("unheard", [])
        made = program.post(f"{one}/connection/passwords").said
        assert made["connection"]["passwords"][0]["ends_with"] == made["password"][-4:]
        assert made["password"] not in program.get(f"{one}/connection").content.decode()


class TestAnOfficer:
    def test_asks_and_is_answered(self, program: Program) -> None:
        one = f"/applications/{story.a_question(program.person).application.reference}"
        seen = program.get(one).said
        asked = program.get(f"{one}/question").said
        assert seen["awaited"][0]["what"] == "answer" and seen["awaited"][0]["until"] == asked["answer_until"]
        assert "Which clients" in asked["text"] and asked["more_time_possible"] is True
        later = program.post(f"{one}/question/more-time").said
        assert later["answer_until"] > asked["answer_until"] and later["more_time_possible"] is False
        assert problem(program.post(f"{one}/question/more-time"), 409, "not-possible-now")["code"] == "no_more_time"
        said = problem(program.post(f"{one}/question/answer", {"answer": " "}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/answer"
        assert program.post(f"{one}/question/answer", {"answer": "Two studios abroad."}).said["stage"] == "review"
        problem(program.get(f"{one}/question"), 404, "not-found")

    def test_gives_notice_and_hears_the_other_side(self, program: Program) -> None:
        one = f"/applications/{story.a_notice(program.person).application.reference}"
        told = program.get(f"{one}/notice").said
        assert told["may_answer"] is True and told["reasons"][0]["code"] == "R3"
        assert told["reasons"][0]["provisions"]
        assert program.post(f"{one}/notice/answer", {"answer": "It is my landlord's."}).status_code == 200
        assert program.get(f"{one}/notice").said["may_answer"] is False
        answer = program.post(f"{one}/notice/answer", {"answer": "Again."})
        assert problem(answer, 409, "not-possible-now")["code"] == "answered"

    @pytest.mark.parametrize("name", ["question", "notice"])
    def test_keeps_a_draft_which_no_officer_sees(self, program: Program, name: str) -> None:
        begin = story.a_question if name == "question" else story.a_notice
        case = begin(program.person)
        one = f"/applications/{case.application.reference}"
        assert program.get(f"{one}/{name}").said["draft"] == ""
        kept = program.put(f"{one}/{name}/draft", {"answer": "I ask my landl"})
        assert kept.status_code == 200 and kept.said["draft"] == "I ask my landl"
        assert program.get(f"{one}/{name}").said["draft"] == "I ask my landl"
        desk = Client()
        desk.force_login(story.an_officer())
        assert "I ask my landl" not in desk.get(reverse("decide:case", args=[case.application.reference])).text
        longest = case_clock.policy_of(case.application).limits.answer_characters
        said = problem(program.put(f"{one}/{name}/draft", {"answer": "x" * (longest + 1)}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/answer"
        assert program.put(f"{one}/{name}/draft", {"answer": ""}).said["draft"] == ""
        program.post(f"{one}/{name}/answer", {"answer": "It is my landlord's."})
        gone = program.put(f"{one}/{name}/draft", {"answer": "Late."})
        if name == "question":
            problem(gone, 404, "not-found")
        else:
            assert problem(gone, 409, "not-possible-now")["code"] == "answered"

    @pytest.mark.parametrize("name", ["question", "notice"])
    def test_takes_papers_with_the_answer(self, program: Program, name: str) -> None:
        begin = story.a_question if name == "question" else story.a_notice
        one = f"/applications/{begin(program.person).application.reference}"

        def send(content: bytes) -> Any:
            file = SimpleUploadedFile("bill.pdf", content, "application/pdf")
            return program.client.post(f"/api/v1{one}/documents", {"rule": "answer", "file": file})

        assert problem(program.post(f"{one}/{name}/answer", {"answer": ""}), 422, "not-taken")
        first, second = send(a_pdf()), send(a_pdf(2))
        assert (first.status_code, first.json()["rule"]) == (201, "answer")
        assert program.client.delete(f"/api/v1{one}/documents/{second.json()['id']}").status_code == 204
        assert program.post(f"{one}/{name}/answer", {"answer": ""}).status_code == 200
        [kept] = program.get(f"{one}/documents").said["items"]
        assert kept["id"] == first.json()["id"]
        for late in (send(a_pdf(3)), program.client.delete(f"/api/v1{one}/documents/{kept['id']}")):
            assert late.status_code == 409, late.content
        assert len(program.get(f"{one}/documents").said["items"]) == 1

    def test_decides_with_reasons_and_an_appeal(self, program: Program) -> None:
        one = f"/applications/{story.a_refusal(program.person).application.reference}"
        said = program.get(f"{one}/decision").said
        assert (said["outcome"], said["by_rule"], said["registration"]) == ("refused", False, None)
        assert said["reasons"][0]["remedies"] and said["appeal"]["until"]

    def test_is_not_needed_when_the_rule_grants(self, program: Program) -> None:
        application = story.a_granted_application(program.person)
        said = program.get(f"/applications/{application.reference}/decision").said
        assert (said["outcome"], said["by_rule"], said["appeal"]) == ("granted", True, None)
        assert said["registration"] == story.registration_of(application).reference

    def test_has_not_decided_while_there_is_no_decision(self, program: Program) -> None:
        draft = story.a_draft(program.person)
        for part in ("decision", "notice", "question"):
            problem(program.get(f"/applications/{draft.reference}/{part}"), 404, "not-found")


class TestAFurtherProof:
    def test_that_is_not_awaited_is_not_taken(self, program: Program) -> None:
        application = story.a_granted_application(program.person)
        place = f"/applications/{application.reference}/proofs"
        assert program.get(place).said == {"items": []}
        answer = program.client.post(f"/api/v1{place}", {"kind": "client_email", "text": "We work together."})
        answer.said = answer.json()
        assert problem(answer, 409, "not-possible-now")["code"] == "not_awaited"
