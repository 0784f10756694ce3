"""People who work from home, as a program of their organisation sees them: numbers and links, and no address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from rahdari.address import directory
from rahdari.api import webhook_delivery
from rahdari.api.models import IdempotentRequest, WebhookDelivery
from rahdari.api.rules import Scope
from rahdari.people.models import OrgRole
from rahdari.programs import idempotency
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.remote import actions as remote
from rahdari.remote import queries as lines
from rahdari.remote.models import HomeConnection
from rahdari.vault import keys
from tests.builders import story
from tests.builders.api_world import KNOWN
from tests.builders.programs import Program, problem
from tests.portal.test_roles import World
from tests.remote.test_lines import HOME, RULE, a_registration, source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known_networks() -> Iterator[None]:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    directory.configure(None, KNOWN)
    yield
    directory.configure(None)


def place(found: Registration) -> str:
    return f"/registrations/{found.reference}/remote-staff"


def mine(program: Program) -> Registration:
    return a_registration(program.person.holder_ref, now=timezone.now())


def agree(found: Registration, number: int) -> HomeConnection:
    line = lines.line_of(found, number)
    assert line is not None
    return remote.agree(line=line, source=source(HOME), policy=RULE, now=timezone.now())


def test_from_the_number_to_a_line_that_stands_and_ends(program: Program) -> None:
    found = mine(program)
    at = place(found)
    assert (program.get(at).said["workers"], program.get(at).said["room"]) == (0, 0)
    assert program.put(at, {"workers": 3}).said["room"] == 3
    made = program.post(f"{at}/links", {"count": 2})
    assert made.status_code == 201 and [each["line"] for each in made.said["items"]] == [1, 2]
    assert all(each["state"] == "offered" and "/line/" in each["link"] for each in made.said["items"])
    agree(found, 1)
    said = program.get(at).said
    assert (said["standing"], said["room"], said["over"]) == (1, 1, 0)
    first, second = said["lines"]
    assert (first["state"], first["link"], first["link_ends_at"]) == ("standing", None, None) and first["agreed_at"]
    assert (second["state"], second["agreed_at"]) == ("offered", None)
    for number in (1, 1, 2):
        assert program.delete(f"{at}/lines/{number}").status_code == 204
    said = program.get(at).said
    assert (said["standing"], said["lines"], said["over"], said["room"]) == (0, [], 2, 3)
    problem(program.delete(f"{at}/lines/3"), 404, "not-found")
    problem(program.delete(f"{at}/lines/x"), 404, "not-found")


def test_the_address_of_a_line_is_in_no_answer_and_no_event(program: Program) -> None:
    found = mine(program)
    at, now = place(found), timezone.now()
    webhook_delivery.make_webhook(owner=program.person, url="https://program.example/hook", events=[], now=now)
    webhook_delivery.note_events(now=now)
    program.put(at, {"workers": 2})
    program.post(f"{at}/links", {"count": 1})
    remote.withdraw(line=agree(found, 1), now=timezone.now())
    program.post(f"{at}/links", {"count": 1})
    agree(found, 2)
    webhook_delivery.note_events(now=timezone.now())
    told = [
        (each.event, each.data) for each in WebhookDelivery.objects.order_by("row") if each.event.startswith("remote.")
    ]
    assert told == [
        (f"remote.{event}", {"registration": found.reference, "line": number})
        for event, number in (("agreed", 1), ("withdrawn", 1), ("agreed", 2))
    ]
    one = f"/registrations/{found.reference}"
    seen = [program.get(each) for each in (at, one, f"{one}/looks", "/registrations", "/letters", "/webhooks")]
    assert {each.status_code for each in seen} == {200}
    assert not any(HOME in each.content.decode() for each in seen)
    assert HOME not in str([each.data for each in WebhookDelivery.objects.all()])


def test_links_are_made_once_by_one_key_also_when_its_answer_was_lost(program: Program) -> None:
    found = mine(program)
    at = f"{place(found)}/links"
    program.put(place(found), {"workers": 5})
    key = {"headers": {"idempotency-key": "one"}}
    first = program.post(at, {"count": 2}, **key)
    assert program.post(at, {"count": 2}, **key).content == first.content
    attempt = IdempotentRequest.objects.get(key="one")
    attempt.status, attempt.begun_at = None, attempt.begun_at - idempotency.ATTEMPT_TAKES
    attempt.save()
    assert program.post(at, {"count": 2}, **key).said == first.said
    assert HomeConnection.objects.count() == 2


def test_says_how_much_room_there_is(program: Program) -> None:
    found = mine(program)
    said = problem(program.post(f"{place(found)}/links", {"count": 1}), 422, "not-taken")
    assert said["errors"][0]["pointer"] == "/count" and "give a higher number first" in said["detail"]
    program.put(place(found), {"workers": 2})
    said = problem(program.post(f"{place(found)}/links", {"count": 3}), 422, "not-taken")
    assert "There is room for 2 more links" in said["detail"]
    assert not HomeConnection.objects.exists()
    problem(program.put(place(found), {"workers": -1}), 400, "invalid-request")


def test_is_not_there_where_the_service_has_none_or_the_registration_has_ended(program: Program) -> None:
    other = story.registration_of(story.a_granted_application(program.person))
    for answer in (program.get(place(other)), program.put(place(other), {"workers": 1})):
        assert problem(answer, 409, "not-possible-now")["code"] == "no_remote_staff"
    found = mine(program)
    register.strike_out(registration=found, code="X1", actor="person:1", now=timezone.now())
    for answer in (program.put(place(found), {"workers": 1}), program.post(f"{place(found)}/links", {"count": 1})):
        assert problem(answer, 409, "not-possible-now")["code"] == "not_valid"
    assert program.get(place(found)).status_code == 200


def test_is_for_whoever_says_which_addresses_by_a_scope_of_its_own() -> None:
    world = World()
    found = a_registration(world.company.holder_ref, now=timezone.now())
    programs = {role: Program(person) for role, person in world.people.items()}
    for method, path, body in (
        ("get", place(found), None),
        ("put", place(found), {"workers": 1}),
        ("post", f"{place(found)}/links", {"count": 1}),
        ("delete", f"{place(found)}/lines/1", None),
    ):
        seen = {role for role, each in programs.items() if each.ask(method, path, body).status_code < 400}
        expected = {OrgRole.OWNER, OrgRole.MANAGER, OrgRole.TECHNICIAN}
        # There is room for one link: whoever comes first makes it.
        assert seen == expected if method != "post" else len(seen) == 1, (method, path)
        problem(Program().ask(method, path, body), 404, "not-found")
        scopes = [scope for scope in Scope if scope != Scope.REMOTE_MANAGE]
        problem(Program(world.people["owner"], scopes=scopes).ask(method, path, body), 403, "missing-scope")
