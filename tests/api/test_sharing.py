"""Two holders behind one address, by programs: silence before the proof, asking, answering, stopping with notice."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from rahdari import workflow
from rahdari.api import webhook_delivery
from rahdari.api.models import WebhookDelivery
from rahdari.api.rules import Scope
from rahdari.apply.models import Application, Endpoint
from rahdari.people.models import OrgRole, User
from rahdari.register import actions as register
from rahdari.register import sharing
from rahdari.register.models import CoHolder, Registration
from rahdari.share import queries as requests
from rahdari.share.models import ConsentQuestion, SharingRequest
from tests.builders import story
from tests.builders.api_world import nothing
from tests.builders.programs import Program, problem
from tests.portal.test_roles import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]
DESK = "Desk 7, second floor"


@dataclass
class House:
    """One gateway: who has its address on the register, and who comes with the same one."""

    first: Program
    second: Program
    registration: Registration
    draft: Application
    endpoint: Endpoint

    @property
    def place(self) -> str:
        return f"/applications/{self.draft.reference}/endpoints/{self.endpoint.pk}/sharing"

    def ask(self) -> str:
        assert self.second.post(self.place, {"name": DESK}).status_code == 202
        return str(self.first.get("/sharing").said["questions"][0]["id"])

    def answer(self, id: str, given: str) -> Any:
        return self.first.post(f"/sharing/questions/{id}/answer", {"answer": given})

    def shared(self) -> str:
        """Agreed and registered; the part that the second has."""
        self.answer(self.ask(), "yes")
        story.send(story.fresh(self.draft))
        story.advance()
        return str(self.first.get("/sharing").said["shared"][0]["others"][0]["part"])


@pytest.fixture
def house() -> House:
    first, second = Program(), Program()
    registration = story.registration_of(story.a_granted_application(first.person))
    draft = story.fill(story.a_draft(second.person))
    endpoint = story.add(draft, str(registration.entries.get().block.network_address))
    story.prove(endpoint)
    return House(first, second, registration, story.fresh(draft), endpoint)


def of(person: User, address: str) -> str:
    draft = story.a_draft(person)
    return f"/applications/{draft.reference}/endpoints/{story.add(draft, address).pk}/sharing"


class TestBeforeTheProof:
    def test_an_address_that_is_held_and_one_that_is_free_get_the_same_answers(self, house: House) -> None:
        program = Program()
        held, free = (of(program.person, each) for each in (house.endpoint.address_text, "203.0.113.251"))

        def answers(place: str) -> list[Any]:
            asked = program.post(place, {"name": DESK})
            found = [(each.status_code, each.said) for each in (program.get(place), asked, program.delete(place))]
            return [
                (status, {name: value for name, value in (said or {}).items() if name not in {"endpoint", "address"}})
                for status, said in found
            ]

        assert answers(held) == answers(free)
        assert program.get(held).said["state"] == "unproved"
        assert problem(program.post(held, {"name": DESK}), 409, "not-possible-now")["code"] == "not_proved"
        assert not SharingRequest.objects.exists()

    def test_the_same_of_one_who_asked_for_it_elsewhere(self, house: House) -> None:
        house.ask()
        second = of(house.second.person, house.endpoint.address_text)
        # What was proved for one application counts for the other: the same holder, the same address.
        assert house.second.get(second).said["state"] in {"unproved", "waiting"}
        assert Program().get(house.place).status_code == 404


class TestAsking:
    def test_says_that_somebody_has_it_and_not_who_then_what_it_came_to(self, house: House) -> None:
        said = house.second.get(house.place)
        assert (said.said["state"], said.said["may_ask"], said.said["name"]) == ("has_it", True, "")
        for hidden in (house.first.person.name, house.first.person.email, house.registration.reference):
            assert hidden not in said.content.decode()
        asked = house.second.post(house.place, {"name": f"  {DESK} "})
        assert (asked.status_code, asked.said["state"], asked.said["name"]) == (202, "waiting", DESK)
        assert asked.said["answer_by"] and not asked.said["may_ask"]
        # What waits stays as it is.
        assert house.second.post(house.place, {"name": "Another"}).said["name"] == DESK
        found = house.first.get("/sharing")
        question = found.said["questions"][0]
        assert (question["name"], question["address"], question["state"]) == (DESK, house.endpoint.address_text, "open")
        for hidden in (house.second.person.name, house.second.person.email, house.draft.reference):
            assert hidden not in found.content.decode()
        house.answer(question["id"], "yes")
        assert house.second.get(house.place).said["state"] == "agreed"
        assert house.second.post(house.place, {"name": DESK}).said["state"] == "agreed"
        assert problem(house.second.delete(house.place), 409, "not-possible-now")["code"] == "answered"

    def test_is_done_once_by_one_key(self, house: House) -> None:
        key = {"headers": {"idempotency-key": "one"}}
        first, again = (house.second.post(house.place, {"name": DESK}, **key) for _ in range(2))
        assert first.content == again.content and again.headers["Idempotent-Replayed"] == "true"
        assert ConsentQuestion.objects.count() == 1

    def test_wants_a_name_that_can_be_read(self, house: House) -> None:
        for name in ("", "  ", "x" * 81):
            said = problem(house.second.post(house.place, {"name": name}), 422, "not-taken")
            assert said["errors"][0]["pointer"] == "/name"
        assert not SharingRequest.objects.exists()

    def test_is_taken_back_though_nobody_has_it_any_more(self, house: House) -> None:
        house.ask()
        register.strike_out(registration=house.registration, code="X1", actor="person:1", now=timezone.now())
        assert house.second.get(house.place).said["state"] == "nobody"
        assert house.second.delete(house.place).status_code == 204
        assert SharingRequest.objects.get().state == "withdrawn"

    def test_is_taken_back(self, house: House) -> None:
        id = house.ask()
        assert house.second.delete(house.place).status_code == 204
        assert house.second.delete(house.place).status_code == 204
        assert house.second.get(house.place).said["state"] == "withdrawn"
        assert house.first.get("/sharing").said["questions"] == []
        assert house.first.get(f"/sharing/questions/{id}").said["state"] == "over"
        assert problem(house.answer(id, "yes"), 409, "not-possible-now")["code"] == "not_open"
        assert house.second.post(house.place, {"name": DESK}).said["state"] == "waiting"

    def test_after_a_no_waits(self, house: House) -> None:
        id = house.ask()
        said = house.answer(id, "no").said
        assert (said["answer"], said["state"]) == ("no", "over")
        assert house.answer(id, "no").status_code == 200
        assert problem(house.answer(id, "yes"), 409, "not-possible-now")["code"] == "not_open"
        said = house.second.get(house.place).said
        assert said["state"] == "declined" and said["ask_again_at"] and not said["may_ask"]
        told = problem(house.second.post(house.place, {"name": DESK}), 409, "not-possible-now")
        assert (told["code"], told["again_at"]) == ("too_soon", said["ask_again_at"])

    def test_of_an_address_that_nobody_else_has_is_of_no_use(self, house: House) -> None:
        draft = story.a_draft(house.second.person)
        endpoint = story.add(draft, "203.0.113.251")
        story.prove(endpoint)
        place = f"/applications/{draft.reference}/endpoints/{endpoint.pk}/sharing"
        assert house.second.get(place).said["state"] == "nobody"
        told = problem(house.second.post(place, {"name": DESK}), 409, "not-possible-now")
        assert told["code"] == "nobody_has_it"

    def test_of_a_range_or_of_nothing_shared_says_so(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.register.queries.may_be_shared", lambda **_facts: False)
        told = problem(house.second.post(house.place, {"name": DESK}), 409, "not-possible-now")
        assert told["code"] == "cannot_be_shared"
        monkeypatch.setattr(requests, "terms", lambda: None)
        told = problem(house.second.post(house.place, {"name": DESK}), 409, "not-possible-now")
        assert told["code"] == "not_shared"


class TestAnswering:
    def test_is_a_scope_of_its_own(self, house: House) -> None:
        id = house.ask()
        scopes = [scope for scope in Scope if scope != Scope.SHARING_MANAGE]
        other = Program(house.first.person, scopes=scopes)
        for answer in (
            other.get("/sharing"),
            other.get(f"/sharing/questions/{id}"),
            other.post(f"/sharing/questions/{id}/answer", {"answer": "yes"}),
        ):
            problem(answer, 403, "missing-scope")
        assert ConsentQuestion.objects.get().reply == "waiting"

    def test_is_for_the_holder_alone(self, house: House) -> None:
        id = house.ask()
        for person in (house.second, Program()):
            for place in (id, nothing("id")):
                problem(person.get(f"/sharing/questions/{place}"), 404, "not-found")
                problem(person.post(f"/sharing/questions/{place}/answer", {"answer": "yes"}), 404, "not-found")
        assert ConsentQuestion.objects.get().reply == "waiting"

    def test_of_an_organisation_is_for_owners_and_managers(self, house: House) -> None:
        world = World()
        house.ask()
        ConsentQuestion.objects.update(holder=world.company.holder_ref)
        seen = {role for role, person in world.people.items() if Program(person).get("/sharing").said["questions"]}
        assert seen == {OrgRole.OWNER, OrgRole.MANAGER}


class TestStopping:
    def test_gives_notice_and_takes_it_back(self, house: House) -> None:
        part = house.shared()
        place = f"/sharing/parts/{part}/notice"
        # The second has no consent to withdraw, and learns nothing of who was there before.
        theirs = house.second.get("/sharing")
        assert theirs.said["shared"][0]["others"] == [
            {"name": "", "part": None, "since": None, "leaves_at": None, "own_notice": False}
        ]
        first = CoHolder.objects.get(holder=house.first.person.holder_ref)
        for program, id in ((house.second, first.pk), (house.second, part), (Program(), part)):
            problem(program.post(f"/sharing/parts/{id}/notice"), 404, "not-found")
        given = house.first.post(place).said["others"][0]
        assert given["leaves_at"] and given["own_notice"] and given["name"] == DESK
        assert house.first.post(place).said["others"][0] == given
        assert house.second.get("/sharing").said["shared"][0]["leaves_at"] == given["leaves_at"]
        assert house.first.delete(place).said["others"][0]["leaves_at"] is None
        assert house.first.delete(place).status_code == 200

    def test_a_notice_of_another_is_not_theirs_to_take_back(self, house: House) -> None:
        part = house.shared()
        sharer = CoHolder.objects.get(pk=part)
        now = timezone.now()
        other = story.a_person().holder_ref
        sharing.leave(sharer=sharer, at=now, withdrawn_by=other, actor="person:1", now=now)
        told = problem(house.first.delete(f"/sharing/parts/{part}/notice"), 409, "not-possible-now")
        assert told["code"] == "of_another"

    def test_a_part_that_has_ended_can_be_asked_for_again(self, house: House) -> None:
        part = house.shared()
        house.first.post(f"/sharing/parts/{part}/notice")
        leaves_at = CoHolder.objects.get(pk=part).leaves_at
        assert leaves_at is not None
        workflow.advance(now=leaves_at)
        draft = story.fill(story.a_draft(house.second.person))
        endpoint = story.add(draft, house.endpoint.address_text)
        story.prove(endpoint)
        place = f"/applications/{draft.reference}/endpoints/{endpoint.pk}/sharing"
        assert house.second.get(place).said["state"] == "has_it"
        assert house.second.post(place, {"name": DESK}).said["state"] == "waiting"


def test_webhooks_are_told_and_name_nobody(house: House) -> None:
    now = timezone.now()
    for program in (house.first, house.second):
        webhook_delivery.make_webhook(owner=program.person, url="https://program.example/hook", events=[], now=now)
    webhook_delivery.note_events(now=now)
    part = house.shared()
    house.first.post(f"/sharing/parts/{part}/notice")
    house.first.delete(f"/sharing/parts/{part}/notice")
    webhook_delivery.note_events(now=timezone.now())

    def told(program: Program) -> list[Any]:
        found = WebhookDelivery.objects.filter(webhook__owner=program.person, event__startswith="sharing.")
        return [(each.event, each.data) for each in found.order_by("row")]

    assert told(house.first) == [("sharing.asked", {"question": str(ConsentQuestion.objects.get().pk)})]
    facts = {"application": house.draft.reference, "endpoint": str(house.endpoint.pk)}
    assert told(house.second) == [
        ("sharing.ended", facts | {"came_to": "agreed"}),
        ("sharing.leaving", {"part": part}),
        ("sharing.goes_on", {"part": part}),
    ]
