"""What a program does for an organisation: branches, files of addresses, one link for many, mandates, attestations."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rahdari.apply import queries as applications
from rahdari.apply.models import AddressFile, Application
from rahdari.attest.rules import Identifier
from rahdari.journal.models import JournalEntry as Row
from rahdari.people import queries as people
from tests.builders import story
from tests.builders.attestations import an_attestation
from tests.builders.programs import Program, problem
from tests.portal.test_mandates import give
from tests.portal.test_roles import World

from .test_roles import granted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]
NORTH = {"name": "Branch North", "city": "Sample City", "contact_mobile": "0300 1234567"}
ROWS = b"""address,protocol,port,branch,machine
203.0.113.60,wireguard,,Branch North,a
203.0.113.310,wireguard,,,b
203.0.113.61:51821,udp,,,c
"""


@pytest.fixture
def world() -> World:
    return World()


def by(world: World, role: str) -> Program:
    return Program(world.people[role])


def of(world: World) -> str:
    return f"/organisations/{world.company.pk}"


class TestOrganisations:
    def test_say_what_the_person_may_do(self, world: World) -> None:
        [said] = by(world, "technician").get("/organisations").said["items"]
        assert (said["name"], said["role"]) == ("Sample House", "technician")
        assert set(said["may"]) == {"see", "prove", "addresses"}
        assert by(world, "stranger").get("/organisations").said["items"] == []

    def test_have_branches_that_are_added_changed_and_given_up(self, world: World) -> None:
        manager, place = by(world, "manager"), f"{of(world)}/branches"
        added = manager.post(place, NORTH)
        assert (added.status_code, added.said["contact_mobile"]) == (201, "+923001234567")
        one = f"{place}/{added.said['id']}"
        said = problem(manager.post(place, {"name": "branch NORTH"}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/name"
        said = problem(manager.put(one, {"name": "x", "contact_mobile": "12"}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/contact_mobile"
        assert manager.put(one, {"name": "Branch West"}).said["city"] == ""
        problem(by(world, "technician").put(one, NORTH), 404, "not-found")
        problem(by(world, "technician").post(place, NORTH), 404, "not-found")
        assert [each["name"] for each in by(world, "viewer").get(place).said["items"]] == ["Branch West"]
        assert manager.delete(one).status_code == 204
        problem(manager.put(one, NORTH), 404, "not-found")

    def test_say_which_addresses_belong_to_a_branch(self, world: World) -> None:
        registration = granted(world)
        manager = by(world, "manager")
        branch = manager.post(f"{of(world)}/branches", NORTH).said["id"]
        [said] = manager.get(f"{of(world)}/addresses").said["items"]
        assert (said["registration"], said["branch"]) == (registration.reference, None)
        body = {"entries": [said["entry"], str(uuid.uuid4())], "branch": branch}
        problem(by(world, "technician").put(f"{of(world)}/addresses", body), 404, "not-found")
        assert manager.put(f"{of(world)}/addresses", body).said == {"changed": 1}
        assert manager.get(f"{of(world)}/addresses").said["items"][0]["branch"] == branch
        assert manager.get(f"{of(world)}/branches").said["items"][0]["addresses"] == 1
        assert manager.put(f"{of(world)}/addresses", body | {"branch": None}).said == {"changed": 1}
        problem(manager.put(f"{of(world)}/addresses", body | {"branch": str(uuid.uuid4())}), 404, "not-found")


def sent(program: Program, draft: str, content: bytes = ROWS) -> Any:
    return program.client.post(
        f"/api/v1/applications/{draft}/address-files", {"file": SimpleUploadedFile("rows.csv", content)}
    )


class TestAFileOfAddresses:
    def test_says_so_where_a_part_that_was_named_becomes_the_whole(self, world: World) -> None:
        rows = b"address,protocol,port\n203.0.113.60,udp,1701\n203.0.113.61,udp,1702\n"
        whole, plain = sent(by(world, "manager"), world.draft.reference, rows).json()["rows"]
        assert any("You named a part of" in note for note in whole["notes"]) and whole["good"]
        assert plain["good"] and not any("You named" in note for note in plain["notes"])

    def test_is_judged_corrected_and_added(self, world: World) -> None:
        manager, draft = by(world, "manager"), world.draft.reference
        answer = sent(manager, draft)
        assert answer.status_code == 201, answer.content
        said = answer.json()
        assert (said["waiting"], said["good"], said["mendable"]) == (3, 1, 1)
        assert said["unknown_columns"] == ["machine"]
        north, wrong, port = said["rows"]
        assert north["good"] and any("Branch North" in note for note in north["notes"])
        assert wrong["line"] == 3 and wrong["faults"][0]["column"] == "address" and wrong["faults"][0]["detail"]
        assert port["faults"][0]["suggestion"] == "203.0.113.61"
        one = f"/applications/{draft}/address-files/{said['id']}"
        added = manager.post(f"{one}/add", {"mend": True})
        assert [each["address"] for each in added.said["added"]] == ["203.0.113.60", "203.0.113.61"]
        assert [each["line"] for each in added.said["file"]["rows"]] == [3]
        assert manager.post(f"{one}/add", {}).said["added"] == []
        corrected = manager.get(f"{one}/corrected")
        assert "203.0.113.310" in corrected.content.decode() and "what_is_wrong" in corrected.content.decode()
        rows = {"rows": [{"line": 3, "cells": {"address": "203.0.113.131"}}, {"line": 99, "cells": {}}]}
        assert manager.post(f"{one}/rows", rows).said["good"] == 1
        added = manager.post(f"{one}/add", {})
        assert ([each["address"] for each in added.said["added"]], added.said["file"]) == (["203.0.113.131"], None)
        problem(manager.get(one), 404, "not-found")
        names = {row.branch.name for row in applications.endpoints_of(world.draft) if row.branch is not None}
        assert names == {"Branch North"}

    def test_loses_a_row_that_is_left_out_and_no_other(self, world: World) -> None:
        manager, draft = by(world, "manager"), world.draft.reference
        one = f"/applications/{draft}/address-files/{sent(manager, draft).json()['id']}"
        for _ in range(2):
            assert manager.delete(f"{one}/rows/3").status_code == 204
        assert [each["line"] for each in manager.get(one).said["rows"]] == [2, 4]
        manager.delete(f"{one}/rows/2")
        manager.delete(f"{one}/rows/4")
        problem(manager.get(one), 404, "not-found")

    def test_adds_no_branch_for_who_may_not(self, world: World) -> None:
        said = sent(by(world, "technician"), world.draft.reference).json()
        assert said["good"] == 0 and said["rows"][0]["faults"][0]["column"] == "branch"
        assert not people.branches_of(world.company).exists()

    @pytest.mark.parametrize(
        ("content", "code"), [(b"", "empty"), (b"a,b\n1,2\n", "no_columns"), (b"\0\0\0", "not_text")]
    )
    def test_that_cannot_be_read_is_told_why(self, world: World, content: bytes, code: str) -> None:
        answer = sent(by(world, "manager"), world.draft.reference, content)
        assert answer.status_code == 422 and answer.json()["errors"][0]["code"] == code

    def test_is_listed_and_deleted(self, world: World) -> None:
        manager, place = by(world, "manager"), f"/applications/{world.draft.reference}/address-files"
        id = sent(manager, world.draft.reference).json()["id"]
        assert [each["name"] for each in manager.get(place).said["items"]] == ["rows.csv"]
        assert manager.delete(f"{place}/{id}").status_code == 204
        problem(manager.delete(f"{place}/{id}"), 404, "not-found")
        assert not AddressFile.objects.exists()

    def test_is_for_organisations(self) -> None:
        program = Program()
        answer = sent(program, story.a_draft(program.person).reference)
        assert answer.status_code == 409 and answer.json()["code"] == "no_files"


class TestTheLinkOfAll:
    def test_proves_whichever_address_opens_it(self, world: World) -> None:
        technician, draft = by(world, "technician"), world.draft.reference
        said = technician.get(f"/applications/{draft}/link").said
        assert (said["total"], len(said["unproved"])) == (1, 1)
        path = "/prove/" + said["link"].partition("/prove/")[2]
        visitor = Client(REMOTE_ADDR="203.0.113.24", headers={"accept": "*/*", "user-agent": "curl/8.14.1"})
        assert visitor.get(path).text.startswith("Proved")
        said = technician.get(f"/applications/{draft}/link").said
        assert (len(said["proved"]), said["link"]) == (1, None)
        problem(by(world, "viewer").get(f"/applications/{draft}/link"), 404, "not-found")


class TestMandates:
    def test_are_given_accepted_and_taken_back(self, world: World) -> None:
        owner, agent = by(world, "owner"), Program()
        body = {"agent_name": "Sample Law Firm", "email": agent.person.email, "scope": "apply", "months": 12}
        problem(by(world, "manager").post(f"{of(world)}/mandates", body), 404, "not-found")
        said = problem(owner.post(f"{of(world)}/mandates", body | {"months": 4}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/months"
        given = owner.post(f"{of(world)}/mandates", body)
        assert (given.status_code, given.said["state"]) == (201, "offered"), given.content
        assert agent.get(f"/applications/{world.draft.reference}").status_code == 404
        [offered] = agent.get("/mandates").said["offered"]
        assert offered["organisation_name"] == "Sample House"
        accepted = agent.post(f"/mandates/{offered['id']}/accept")
        assert accepted.said["state"] == "in_force"
        assert agent.post(f"/mandates/{offered['id']}/accept").status_code == 200
        assert agent.get(f"/applications/{world.draft.reference}").said["answers"] is not None
        assert owner.get(f"{of(world)}/mandates").said["items"][0]["state"] == "in_force"
        assert owner.delete(f"{of(world)}/mandates/{offered['id']}").status_code == 204
        assert agent.get(f"/applications/{world.draft.reference}").status_code == 404
        assert agent.get("/mandates").said == {"offered": [], "held": []}

    def test_let_an_agent_apply_in_the_name_and_reach_what_is_registered(self, world: World) -> None:
        agent = Program()
        mandate = give(world, agent.person)
        body = {"service": "vpn_company", "fixed_address": "yes", "mandate": str(mandate.pk)}
        problem(Program().post("/applications", body), 409, "not-possible-now")
        problem(agent.post("/applications", body | {"service": "vpn_freelancer"}), 409, "not-possible-now")
        begun = agent.post("/applications", body)
        assert begun.status_code == 201, begun.content
        found = Application.objects.get(reference=begun.said["reference"])
        assert (found.organisation, found.mandate) == (world.company, mandate)
        assert Row.objects.get(act="apply.started", subject=found.subject).actor == f"agent:{agent.person.pk}"
        place = f"/registrations/{world.registration.reference}"
        assert [each["reference"] for each in agent.get("/registrations").said["items"]] == place.split("/")[2:]
        assert agent.get(place).said["may_act"] is True
        ended = agent.post(f"{place}/end", {"end": True})
        assert ended.said["standing"] == "ended"
        done = by(world, "owner").get(f"{of(world)}/mandates").said["done"]
        assert world.registration.reference in {each["about"] for each in done}

    def test_reach_no_further_than_their_scope_and_service(self, world: World) -> None:
        agent = Program()
        give(world, agent.person, scope="see")
        place = f"/registrations/{world.registration.reference}"
        assert agent.get(place).said["may_act"] is False
        problem(agent.post(f"{place}/end", {"end": True}), 404, "not-found")
        problem(agent.get(f"/applications/{world.draft.reference}"), 404, "not-found")
        other = Program()
        give(world, other.person, services=["whitelist_call_centre"])
        assert other.get("/registrations").said["items"] == []
        problem(other.get(place), 404, "not-found")

    def test_are_given_up_and_declined(self, world: World) -> None:
        agent = Program()
        held, offered = give(world, agent.person), give(world, agent.person, accept=False)
        for each in (held, offered):
            assert agent.delete(f"/mandates/{each.pk}").status_code == 204
            problem(agent.delete(f"/mandates/{each.pk}"), 404, "not-found")
        assert agent.get("/mandates").said == {"offered": [], "held": []}


class TestAttestations:
    def test_are_read_and_disputed(self) -> None:
        program, other = Program(), Program()
        found = an_attestation(identifier=Identifier("email", program.person.email), name="Sample Freelancer")
        [said] = program.get("/attestations").said["items"]
        assert (said["number"], said["state"], said["can_dispute"]) == (found.number, "live", True)
        one = f"/attestations/{found.number}"
        problem(other.get(one), 404, "not-found")
        problem(other.post(f"{one}/dispute", {"objection": "No."}), 404, "not-found")
        assert (
            problem(program.post(f"{one}/dispute", {"objection": ""}), 422, "not-taken")["errors"][0]["pointer"]
            == "/objection"
        )
        said = program.post(f"{one}/dispute", {"objection": "I never joined."}).said
        assert (said["objection"]["text"], said["can_dispute"]) == ("I never joined.", False)
        assert (
            problem(program.post(f"{one}/dispute", {"objection": "x"}), 409, "not-possible-now")["code"] == "disputed"
        )
        assert program.get(one).said["objection"]["reply"] == ""
