"""The contract: kept in the repository, and held against every answer by schemathesis, with data as described and not.

What varies in addresses is given the values that are there, so that the tries reach further than "not found".
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from rahdari.api import rules
from rahdari.api.interface import API
from rahdari.api.openapi_links import LEADS
from rahdari.programs.openapi import document, links_of
from rahdari.programs.operation import names_in
from rahdari.programs.schema import faults
from tests.builders.api_world import World, nothing, the_world
from tests.builders.programs import Program
from tests.builders.shared import known_networks
from tests.needs import fewer, rarely

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "src" / "rahdari" / "client" / "openapi.json"
OF_OPERATORS = ROOT / "docs" / "api" / "operators.json"
pytestmark = pytest.mark.django_db
TRIES = fewer(8, 3)


# A call in a text: what stands before its address, what it sends, and where to.
CALL = re.compile(r"^ +\$ call (.*?)\$API(/\S+)", re.MULTILINE | re.DOTALL)
SENT = re.compile(r"-d '(.*?)'", re.DOTALL)


class TestTheDocument:
    def test_has_each_call_of_the_text_with_what_it_sends(self) -> None:
        operations = {
            (each.method, re.compile(re.sub(r"\{\w+\}", "[^/]+", each.path))): each for each in API.operations()
        }
        text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("\\\n", " ")
        calls = [(options, path) for options, path in CALL.findall(text) if "\n" not in options]
        assert len(calls) > 12
        for options, path in calls:
            sent = SENT.search(options)
            named = re.search(r"-X (\w+)", options)
            method = named[1] if named else "POST" if sent else "GET"
            [meant] = [each for (of, at), each in operations.items() if of == method and at.fullmatch(path)]
            assert (meant.body is not None) >= (sent is not None and sent[1] != "{}"), path
            if meant.body is not None:
                assert sent is not None and not list(faults(meant.body, json.loads(sent[1]))), path

    def test_is_the_one_in_the_repository(self) -> None:
        """When a change of it is meant: python -m tests.api.write_contract"""
        assert json.loads(KEPT.read_text()) == document(API)

    def test_is_there_for_everyone(self) -> None:
        assert Client().get("/api/v1/openapi.json").json() == document(API)

    def test_names_every_operation_with_its_scope(self) -> None:
        told = {
            each["operationId"]: each.get("x-scope")
            for path in document(API)["paths"].values()
            for method, each in path.items()
            if method != "parameters"
        }
        assert told == {each.id: each.scope and str(each.scope) for each in API.operations()}
        assert set(API.scopes) == API.scopes_used()

    def test_links_lead_from_what_is_made_to_the_operations_about_it(self) -> None:
        known = {each.id: each for each in API.operations()}
        assert set(LEADS) <= set(known)
        found = {each.id: links_of(API, each) for each in known.values()}
        assert "submit_application" in found["begin_application"] and "add_endpoint" in found["begin_application"]
        assert {"get_branch", "change_branch", "end_branch"} & set(found["add_branch"]) == {
            "change_branch",
            "end_branch",
        }
        for source, leads in found.items():
            for target, link in leads.items():
                assert set(link["parameters"]) == set(names_in(known[target].path)), f"{source} to {target}"
        # All that has a part in its address is reached from something, but what only names others' things.
        reached = {target for leads in found.values() for target in leads}
        alone = {each.id for each in known.values() if names_in(each.path)} - reached
        assert alone <= {"redeliver"} | {each.id for each in known.values() if each.scope is None}

    def test_is_walked_through_in_the_documentation(self) -> None:
        text = (ROOT / "docs" / "api.md").read_text()
        missing = [
            f"{each.method} {each.path}" for each in API.operations() if f"`{each.method} {each.path}`" not in text
        ]
        assert missing == []
        assert [str(scope) for scope in API.scopes_used() if f"`{scope}`" not in text] == []
        kinds = {kind for each in API.operations() for kind in API.kinds_of(each)}
        assert [kind for kind in sorted(kinds) if f"`{kind}`" not in text] == []


# -- schemathesis ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program(shared: None) -> Iterator[tuple[Program, World]]:
    """The story is told once; each test takes back what it did."""
    with known_networks():
        world = the_world()
        yield Program(world.person), world


@pytest.fixture(autouse=True)
def without_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RATE", "UNKNOWN_RATE"):
        monkeypatch.setattr(rules, name, 1_000_000)
    monkeypatch.setattr("rahdari.apply.rules.FILES", 1_000_000)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """As Django's own client for tests has it: the connection, with the story in it, outlives each request."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


def document_for(world: World) -> dict[str, Any]:
    """The contract, with what is there as the values that vary in addresses."""
    found: dict[str, Any] = copy.deepcopy(document(API))
    for template, path in found["paths"].items():
        for place in path.get("parameters", ()):
            known = world.values(template, place["name"])
            place["schema"] = {"type": "string", "enum": [*known, nothing(place["name"])]}
    return found


def api(program: Program, world: World) -> Any:
    checks = {
        "positive_data_acceptance": {"expected-statuses": ACCEPTED},
        "negative_data_rejection": {"expected-statuses": REJECTED},
        # It sends each request again without a token and with a wrong one: test_tokens.py does, to every operation.
        "ignored_auth": {"enabled": False},
    }
    standing = {"include-operation-id": STANDING, "checks": {"use_after_free": {"enabled": False}}}
    config = schemathesis.Config.from_dict({"checks": checks, "operations": [standing]})
    schema = schemathesis.openapi.from_dict(document_for(world), config=config)
    schema.app = WSGIHandler()
    return schema


@pytest.fixture(scope="module")
def described(program: tuple[Program, World]) -> Any:
    """Read once: a hundred operations refer to each other, and each of them is tried by itself."""
    return api(*program)


# 422 is what the rules say to a body that is as described: a card number with a wrong digit, an address that is held.
ACCEPTED = ["2xx", "401", "403", "404", "409", "412", "422"]
REJECTED = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422"]
# They say how something stands, which may be that there is nothing: a DELETE ends what they tell of, not the telling.
STANDING = ["get_measurement", "get_sharing", "get_urgent_address"]
MODES = {"as-described": GenerationMode.POSITIVE, "otherwise": GenerationMode.NEGATIVE}
OPERATIONS = [each.id for each in API.operations()]


@pytest.mark.parametrize("mode", rarely(MODES.values(), often=[GenerationMode.POSITIVE]), ids=MODES)
@pytest.mark.parametrize("id", OPERATIONS)
def test_every_answer_is_as_described(
    program: tuple[Program, World], described: Any, id: str, mode: GenerationMode
) -> None:
    asks, _world = program
    each = next(one for one in API.operations() if one.id == id)
    operation = described[each.path][each.method]

    @settings(
        max_examples=TRIES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {asks.text}", "Accept-Encoding": "identity"})

    try:
        hold()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE and not each.query and each.body is None, "nothing could be tried"


# -- one after the other ---------------------------------------------------------------------------------------------

WALKS, STEPS = fewer(25, 12), 12


def test_every_answer_is_as_described_on_the_way_from_one_to_the_next(program: tuple[Program, World]) -> None:
    """Walks along the links of the contract: what was made is read, changed, sent and taken back, in any order."""
    asks, world = program
    called: set[str] = set()
    followed: set[str] = set()

    schema = api(asks, world)

    @schema.auth()  # type: ignore[untyped-decorator]
    class Token:
        def get(self, case: Any, context: Any) -> str:
            return asks.text

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Accept-Encoding": "identity"}}

        def setup(self) -> None:
            self.before = transaction.savepoint_create()

        def teardown(self) -> None:
            """Each walk begins with the story as it was told: what one did is not there for the next."""
            transaction.savepoint_rollback(self.before)

        def step(self, input: Any) -> Any:
            called.add(input.case.operation.label)
            if input.transition is not None and input.is_applied:
                followed.add(input.case.operation.label)
            return super().step(input)

    Walk.run(
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    # Which ones depends on identifiers that differ from run to run; far fewer would mean that the links lead nowhere.
    assert len(called) > 40 and len(followed) > 15, (len(called), len(followed))
