"""An application from beginning to end, as a program makes it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rahdari.apply.models import Application
from rahdari.journal.models import JournalEntry as Row
from rahdari.policy import SHIPPED
from tests.builders import story
from tests.builders.drafts import a_photo
from tests.builders.programs import Program, problem

pytestmark = pytest.mark.django_db


def begun(program: Program, **more: Any) -> str:
    answer = program.post("/applications", {"service": "vpn_freelancer", "fixed_address": "yes"} | more)
    assert answer.status_code == 201, answer.content
    reference: str = answer.said["reference"]
    return f"/applications/{reference}"


def filled(program: Program) -> str:
    one = begun(program)
    evidence = {"kind": "client_email", "text": "From studio@client.example: we work with you."}
    for step, body in (
        ("person", {"name": "Sample Freelancer"}),
        ("contact", {"name": "Sample Contact", "mobile": "0300 1234567"}),
        ("evidence", evidence),
    ):
        answer = program.put(f"{one}/{step}", body)
        assert answer.status_code == 200, answer.content
    answer = program.post(f"{one}/endpoints", {"address": "203.0.113.24", "runs": "wireguard"})
    assert answer.status_code == 201, answer.content
    return one


class TestApplication:
    def test_is_begun_filled_checked_sent_and_read(self, program: Program) -> None:
        one = filled(program)
        check = program.get(f"{one}/check").said
        assert check["ready"] is True
        assert len(check["unproved"]) == 1
        sent = program.post(f"{one}/submit", {"declare": True})
        assert (sent.status_code, sent.said["status"], sent.said["stage"]) == (200, "submitted", "proof")
        story.advance()
        seen = program.get(one).said
        assert seen["stage"] == "proof"
        assert {"what": "proof", "from": "applicant", "until": None, "text": "203.0.113.24"} in seen["awaited"]
        assert seen["answers"]["person"] == {"name": "Sample Freelancer", "card_number": ""}

    def test_shows_no_number_of_a_card_that_stands_in_the_place_of_a_tax_number(self, program: Program) -> None:
        one = begun(program)
        row = Application.objects.get(reference=one.rpartition("/")[2])
        row.ntn = "3500000000011"
        row.save(update_fields=["ntn"])
        assert program.get(one).said["answers"]["company"]["tax_number"] == "35xxx-xxxxxxx-x"

    def test_is_the_persons_own_act_in_the_journal(self, program: Program) -> None:
        one = begun(program)
        row = Application.objects.get(reference=one.rpartition("/")[2])
        assert Row.objects.get(act="apply.started", subject=row.subject).actor == f"person:{program.person.pk}"

    def test_says_what_is_missing(self, program: Program) -> None:
        one = begun(program)
        check = program.get(f"{one}/check").said
        assert check["ready"] is False
        assert [each["step"] for each in check["troubles"]] == ["evidence", "addresses"]
        said = problem(program.post(f"{one}/submit", {"declare": True}), 422, "not-taken")
        assert said["errors"][0]["code"] == "missing"

    def test_is_withdrawn_once(self, program: Program) -> None:
        one = filled(program)
        for _ in range(2):
            assert program.post(f"{one}/withdraw").said["status"] == "withdrawn"
        assert problem(program.put(f"{one}/contact", {"name": "A", "mobile": "B"}), 409, "not-possible-now")

    def test_of_a_closed_service_is_not_begun(self, program: Program) -> None:
        said = problem(program.post("/applications", {"service": "no_such"}), 409, "not-possible-now")
        assert said["code"] == "service_not_open"

    def test_are_listed_page_by_page(self, program: Program) -> None:
        made = [begun(program).rpartition("/")[2] for _ in range(3)]
        first = program.get("/applications?limit=2").said
        second = program.get(f"/applications?limit=2&after={first['next']}").said
        assert [each["reference"] for each in first["items"] + second["items"]] == made[::-1]
        assert second["next"] is None
        said = problem(program.get("/applications?after=x"), 422, "not-taken")
        assert [(each["pointer"], each["code"]) for each in said["errors"]] == [("/after", "not_a_cursor")]


class TestAnswers:
    @pytest.mark.parametrize(
        ("step", "body", "pointer", "code"),
        [
            ("person", {"name": "1234"}, "/name", "letters"),
            ("person", {"name": "A Name", "card_number": "3520212345671"}, "/card_number", "not_asked"),
            (
                "evidence",
                {"kind": "association", "association_number": "SA-0031", "card_number": "123"},
                "/card_number",
                "length",
            ),
            ("contact", {"name": "A Name", "mobile": "042 1234567"}, "/mobile", "not_mobile"),
            ("evidence", {"kind": "none_such"}, "/kind", "invalid_choice"),
            ("evidence", {"kind": "client_email"}, "/text", "required"),
        ],
    )
    def test_are_held_to_the_rules_of_the_pages(
        self, program: Program, step: str, body: Any, pointer: str, code: str
    ) -> None:
        said = problem(program.put(f"{begun(program)}/{step}", body), 422, "not-taken")
        assert [(each["pointer"], each["code"]) for each in said["errors"]] == [(pointer, code)]
        assert said["errors"][0]["detail"] == said["detail"]

    def test_in_another_form_are_told_where(self, program: Program) -> None:
        said = problem(program.put(f"{begun(program)}/contact", {"name": 1, "extra": 2}), 400, "invalid-request")
        assert {(each["pointer"], each["code"]) for each in said["errors"]} == {
            ("/mobile", "required"),
            ("/name", "wrong_type"),
            ("/extra", "unknown"),
        }

    def test_are_told_in_urdu(self) -> None:
        program = Program(language="ur")
        answer = program.put(f"{begun(program)}/person", {"name": ""})
        said = problem(answer, 422, "not-taken")
        assert answer.headers["Content-Language"] == "ur"
        assert not said["detail"].isascii()
        assert not said["title"].isascii()

    def test_of_a_change_that_lost_its_place_are_refused(self, program: Program) -> None:
        one = begun(program)
        tag = program.get(one).headers["ETag"]
        body = {"name": "Sample Contact", "mobile": "03001234567"}
        assert program.put(f"{one}/contact", body, headers={"If-Match": tag}).status_code == 200
        other = body | {"name": "Another"}
        problem(program.put(f"{one}/contact", other, headers={"If-Match": tag}), 412, "changed-meanwhile")
        assert program.get(one).said["answers"]["contact"]["name"] == "Sample Contact"

    def test_that_a_service_does_not_ask_for_are_refused(self, program: Program) -> None:
        answer = program.put(f"{begun(program)}/company", {"name": "Sample Company"})
        assert problem(answer, 409, "not-possible-now")["code"] == "no_such_step"
        answer = program.put(f"{begun(program)}/purpose", {"purpose": "I reach the servers of two clients."})
        assert problem(answer, 409, "not-possible-now")["code"] == "no_such_step"

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            ({"kind": "client_letter", "text": "From studio@client.example."}, "text"),
            ({"kind": "client_email", "text": "From studio@client.example.", "association": "sample"}, "association"),
            ({"kind": "client_email", "text": "From studio@client.example.", "declared": True}, "declared"),
        ],
    )
    def test_that_the_evidence_does_not_ask_for_are_refused(self, program: Program, body: Any, name: str) -> None:
        one = begun(program)
        said = problem(program.put(f"{one}/evidence", body), 422, "not-taken")
        assert [(each["pointer"], each["code"]) for each in said["errors"]] == [(f"/{name}", "not_asked")]
        assert program.get(one).said["answers"]["evidence"]["kind"] == ""


class TestEndpoints:
    def test_are_added_changed_and_taken_out(self, program: Program) -> None:
        one = begun(program)
        made = program.post(f"{one}/endpoints", {"address": " 203.0.113.24 ", "runs": "other", "protocol": "esp"}).said
        assert (made["address"], made["protocol"], made["port"]) == ("203.0.113.24", "udp", 500)
        place = f"{one}/endpoints/{made['id']}"
        changed = program.put(place, {"address": "203.0.113.24", "runs": "wireguard", "port": 51821}).said
        assert (changed["id"], changed["port"]) == (made["id"], 51821)
        assert program.get(place).said == changed
        assert [each["id"] for each in program.get(f"{one}/endpoints").said["items"]] == [made["id"]]
        assert program.delete(place).status_code == 204
        problem(program.get(place), 404, "not-found")

    @pytest.mark.parametrize(
        ("asked", "runs", "parts"),
        [
            ({"runs": "ikev2"}, "ikev2", [("udp", 500), ("udp", 4500), ("esp", None)]),
            ({"runs": "ikev2_nat", "port": 4500}, "ikev2", [("udp", 500), ("udp", 4500), ("esp", None)]),
            ({"runs": "pptp"}, "pptp", [("tcp", 1723), ("gre", None)]),
            (
                {"runs": "openvpn_udp", "ports": "1194, 1200-1201"},
                "openvpn_udp",
                [("udp", 1194), ("udp", 1200), ("udp", 1201)],
            ),
            (
                {"runs": "other", "protocol": "tcp", "ports": [8443, "9000-9001"]},
                "other",
                [("tcp", 8443), ("tcp", 9000), ("tcp", 9001)],
            ),
        ],
    )
    def test_have_all_that_runs_there(self, program: Program, asked: Any, runs: str, parts: Any) -> None:
        made = program.post(f"{begun(program)}/endpoints", {"address": "203.0.113.24"} | asked).said
        assert (made["runs"], [(each["protocol"], each["port"]) for each in made["parts"]]) == (runs, parts)
        assert (made["protocol"], made["port"]) == parts[0], "as before there were several"

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({"address": "10.0.0.1", "runs": "any"}, "/address", "special_use"),
            ({"address": "203.0.113.24:51820", "runs": "any"}, "/address", "port"),
            ({"address": "203.0.113.24", "runs": "other"}, "/protocol", "invalid"),
            ({"address": "203.0.113.24", "runs": "wireguard", "port": 70000}, "/port", "port_out_of_range"),
            ({"address": "203.0.113.24", "runs": "wireguard", "ports": "1-99"}, "/ports", "too_many"),
        ],
    )
    def test_are_held_to_the_rules_of_the_pages(self, program: Program, body: Any, pointer: str, code: str) -> None:
        said = problem(program.post(f"{begun(program)}/endpoints", body), 422, "not-taken")
        assert [(each["pointer"], each["code"]) for each in said["errors"]] == [(pointer, code)]

    def test_come_with_what_was_probably_meant(self, program: Program) -> None:
        body = {"address": "http://203.0.113.24/", "runs": "any"}
        said = problem(program.post(f"{begun(program)}/endpoints", body), 422, "not-taken")
        assert said["suggestion"] == "203.0.113.24"

    def test_are_in_an_application_once(self, program: Program) -> None:
        one = begun(program)
        body = {"address": "203.0.113.24", "runs": "wireguard"}
        assert program.post(f"{one}/endpoints", body).status_code == 201
        said = problem(program.post(f"{one}/endpoints", body), 422, "not-taken")
        assert said["errors"][0]["code"] == "duplicate"


class TestDocuments:
    def upload(self, program: Program, one: str, content: bytes, name: str = "contract.jpg", **more: Any) -> Any:
        file = SimpleUploadedFile(name, content, "image/jpeg")
        answer = program.client.post(f"/api/v1{one}/documents", {"rule": "evidence", "file": file} | more)
        answer.said = answer.json()
        return answer

    def test_are_kept_listed_downloaded_and_removed(self, program: Program) -> None:
        one = begun(program)
        photo = a_photo()
        made = self.upload(program, one, photo)
        assert made.status_code == 201, made.content
        place = f"{one}/documents/{made.said['id']}"
        assert self.upload(program, one, photo).said["id"] == made.said["id"]
        assert program.get(place).content[:2] in {b"\xff\xd8", b"\x89P", b"RI"}
        assert [each["name"] for each in program.get(f"{one}/documents").said["items"]] == [made.said["name"]]
        assert program.delete(place).status_code == 204
        assert program.get(f"{one}/documents").said == {"items": []}

    def test_are_judged_by_their_content(self, program: Program) -> None:
        said = problem(self.upload(program, begun(program), b"MZ\x90 no picture"), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/file"

    def test_in_another_form_are_told_where(self, program: Program) -> None:
        one = begun(program)
        said = problem(self.upload(program, one, a_photo(), valid_until="soon"), 400, "invalid-request")
        assert said["errors"][0]["pointer"] == "/valid_until"
        said = problem(program.post(f"{one}/documents", {"rule": "evidence"}), 415, "unsupported-media-type")


class TestServices:
    def test_are_there_for_everyone(self) -> None:
        program = Program(language="ur")
        del program.client.headers
        found = {each["key"]: each for each in program.get("/services").said["services"]}
        assert found["vpn_freelancer"]["steps"] == ["person", "contact", "evidence", "addresses"]
        assert program.get("/services/vpn_freelancer").said == found["vpn_freelancer"]
        problem(program.get("/services/no_such"), 404, "not-found")

    @pytest.mark.parametrize(
        ("query", "outcome", "ask"),
        [
            ("", None, "who"),
            ("who=vpn_freelancer", None, "use"),
            ("who=vpn_freelancer&use=clients", None, "which"),
            ("who=vpn_freelancer&use=clients&which=line", "apply", None),
            ("who=vpn_freelancer&use=private", "private", None),
            ("who=licensed", "provider", None),
            ("who=nobody", None, "who"),
        ],
    )
    def test_are_found_by_three_questions(self, query: str, outcome: str | None, ask: str | None) -> None:
        said = Program().get(f"/eligibility?{query}").said
        assert (said["outcome"], said["ask"]) == (outcome, ask)


class TestUnderADeclaration:
    """A program gives what the rules ask, and nothing else is there to give."""

    @pytest.fixture(autouse=True)
    def rules(self, settings: Any, tmp_path: Path) -> None:
        settings.POLICY_FILE = tmp_path / "declaration.toml"
        settings.POLICY_FILE.write_bytes(SHIPPED["declaration"].read_bytes())

    def test_an_address_is_all_of_an_application(self, program: Program) -> None:
        (service,) = program.get("/services").said["services"]
        assert (service["key"], service["steps"], service["asks"]) == ("vpn", ["addresses"], {})
        assert program.get("/eligibility?which=line").said["outcome"] == "apply"
        one = begun(program, service="vpn")
        answer = program.post(f"{one}/endpoints", {"address": "203.0.113.24", "runs": "wireguard"})
        assert answer.status_code == 201, answer.content
        assert program.get(f"{one}/check").said["ready"] is True
        sent = program.post(f"{one}/submit", {"declare": True})
        assert (sent.status_code, sent.said["status"]) == (200, "submitted")

    @pytest.mark.parametrize(
        ("step", "body"),
        [
            ("person", {"name": "Planted Person"}),
            ("contact", {"name": "Planted Person", "mobile": "0300 1234567"}),
            ("purpose", {"purpose": "Planted words"}),
            ("evidence", {"kind": "client_email", "text": "Planted words"}),
        ],
    )
    def test_what_is_not_asked_is_not_taken(self, program: Program, step: str, body: dict[str, str]) -> None:
        one = begun(program, service="vpn")
        assert program.put(f"{one}/{step}", body).status_code >= 400
        row = Application.objects.get(reference=one.rpartition("/")[2])
        assert not any((row.name, row.contact_name, row.contact_mobile, row.purpose, row.evidence_text))
