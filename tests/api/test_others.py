"""Tokens of another person reach nothing: for what is there and for what is not, the answer is the same."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rahdari.api.interface import API
from rahdari.apply.models import AddressFile, Application, Document, Endpoint
from rahdari.attest.models import AttestationReview
from rahdari.decide.models import CaseQuestion, Notice
from rahdari.mobile.models import MobileNumber
from rahdari.people.models import Branch, Mandate
from rahdari.programs.operation import Operation, names_in
from rahdari.register.models import CoHolder, Entry, Registration
from rahdari.remote.models import HomeConnection as AtHome
from rahdari.remote.models import StaffGateway
from rahdari.share.models import ConsentQuestion as Asked
from rahdari.share.models import SharingRequest
from tests.builders import story
from tests.builders.api_world import World, nothing, the_world
from tests.builders.programs import Program
from tests.needs import a_third

from .test_contract import one_connection, without_rates

__all__ = ["one_connection", "without_rates"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]


def bodies(each: Operation) -> Any:
    """A body that is as described, as far as it can be made from the description alone."""
    return None if each.body is None else {name: _value(one) for name, one in each.body["properties"].items()}


def _value(wanted: Any) -> Any:
    if "const" in wanted:
        return wanted["const"]
    if "enum" in wanted:
        return wanted["enum"][0]
    match wanted.get("type"):
        case "boolean":
            return True
        case "integer":
            return wanted.get("minimum", 1)
        case "array":
            return [_value(wanted["items"])]
        case "object":
            return {name: _value(one) for name, one in wanted.get("properties", {}).items()}
    samples = {"date": "2027-12-31", "uuid": nothing("id"), "uri": "https://program.example/hook"}
    return samples.get(wanted.get("format", ""), "x" * max(1, wanted.get("minLength", 1)))


def absent(each: Operation) -> str:
    """The address of something that is not there."""
    place = each.path
    for name in names_in(each.path):
        place = place.replace(f"{{{name}}}", nothing(name))
    return f"/api/v1{place}"


def whose() -> dict[str, str]:
    """Of which application or registration a part is."""
    of_applications = [
        pair
        for model in (Endpoint, Document, AddressFile)
        for pair in model.objects.values_list("pk", "application__reference")
    ]
    entries = Entry.objects.values_list("pk", "registration__reference")
    return {str(part): whole for part, whole in (*of_applications, *entries)}


def places(each: Operation, world: World, known: dict[str, str]) -> Iterator[str]:
    """Addresses of what is there: each part under its own whole, and under another one. Two ways stand for all. Where
    not everything is asked for a third of them, and of the next operation another third."""
    return iter(a_third(_places(each, world, known), turn=len(each.id)))


def _places(each: Operation, world: World, known: dict[str, str]) -> Iterator[str]:
    names = names_in(each.path)
    choices = [(world.values(each.path, name) or [nothing(name)])[: 2 if name == "method" else None] for name in names]
    for values in itertools.product(*choices):
        first = values[0]
        if first != choices[0][0] and any(known.get(value, first) != first for value in values[1:]):
            continue
        place = each.path
        for name, value in zip(names, values, strict=True):
            place = place.replace(f"{{{name}}}", value)
        yield f"/api/v1{place}"


def as_it_stands() -> list[Any]:
    return [
        list(Application.objects.order_by("pk").values_list("pk", "status", "version", "updated_at")),
        list(Endpoint.objects.order_by("pk").values_list("pk", "removed_at", "block", "parts")),
        list(Document.objects.order_by("pk").values_list("pk", "removed_at")),
        list(CaseQuestion.objects.order_by("pk").values_list("pk", "answered_at", "extended")),
        list(Notice.objects.order_by("pk").values_list("pk", "answered_at")),
        list(Registration.objects.order_by("pk").values_list("pk", "struck_out_at", "valid_until")),
        list(Entry.objects.order_by("pk").values_list("pk", "protocol", "port", "ended_at")),
        list(AddressFile.objects.order_by("pk").values_list("pk", "rows", "added")),
        list(Branch.objects.order_by("pk").values_list("pk", "name", "ended_at")),
        list(Mandate.objects.order_by("pk").values_list("pk", "accepted_at", "ended_at")),
        list(AttestationReview.objects.order_by("pk").values_list("pk", "objected_at")),
        list(Asked.objects.order_by("pk").values_list("pk", "reply")),
        list(SharingRequest.objects.order_by("pk").values_list("pk", "state")),
        list(CoHolder.objects.order_by("pk").values_list("pk", "leaves_at")),
        list(AtHome.objects.order_by("pk").values_list("pk", "state")),
        list(StaffGateway.objects.order_by("pk").values_list("pk", "workers")),
        list(MobileNumber.objects.order_by("pk").values_list("pk", "state")),
    ]


@pytest.mark.usefixtures("without_rates")
def test_a_token_of_another_person_finds_nothing_and_changes_nothing() -> None:
    world, other = the_world(), Program(story.a_person())
    before, tried, known = as_it_stands(), 0, whose()
    for each in API.operations():
        if each.scope is None or "{" not in each.path:
            continue
        facts: dict[str, Any] = {}
        if each.multipart:
            facts = MULTIPART
        elif each.body is not None:
            facts = {"data": json.dumps(bodies(each)).encode(), "content_type": "application/json"}

        def answer_at(place: str, each: Operation = each, facts: dict[str, Any] = facts) -> tuple[int, bytes]:
            answer = other.client.generic(each.method, place, **facts)
            return answer.status_code, answer.content

        absence = answer_at(absent(each))
        assert absence[0] in {404, 400, 415}, f"{each.id}: {absence}"
        for there in places(each, world, known):
            assert answer_at(there) == absence, f"{each.id} {there}"
            tried += 1
    assert tried > 50
    assert as_it_stands() == before
    lists = [each for each in API.operations() if each.scope is not None and "{" not in each.path]
    for each in lists:
        if each.method == "GET":
            said = other.get(each.path).said
            assert [value for value in world.all() if value in str(said)] == []


BOUNDARY = "sample-boundary"
PART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="rule"\r\n\r\nevidence\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    f"Content-Type: image/jpeg\r\n\r\nx\r\n--{BOUNDARY}--\r\n"
)
MULTIPART: dict[str, Any] = {"data": PART.encode(), "content_type": f"multipart/form-data; boundary={BOUNDARY}"}
