"""An interface that knows nobody of the product: what the frame makes of declarations, for whoever declares one."""

import json
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern

from rahdari.programs import dispatch, openapi, problems, schema
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Call, Interface, Ok, Operation
from tests import contract


class Scope(StrEnum):
    SHELVES = "shelves"


def who(request: HttpRequest, wanted: Operation) -> str:
    if (name := request.headers.get("X-Name", "")) == "":
        raise problems.problem("unauthorised", "Say who you are.")
    return name


def a_library(**more: Any) -> Interface:
    facts: dict[str, Any] = {
        "name": "library",
        "base": "/library",
        "title": "Books",
        "about": "Books.",
        "who": who,
        "places": {"shelf": ("str", schema.text(3))},
        "modules": (),
        "scopes": {Scope.SHELVES: "Books on shelves."},
        "tokens": "From the desk.",
    }
    library = Interface(**facts | more)
    shelves = library.part("shelves", Scope.SHELVES)
    book = schema.named("Book", schema.closed({"title": schema.text(20, 1)}, {"pages": schema.whole(1, 9_999)}))

    @shelves("GET", "/shelves/{shelf}", Ok("Its books.", schema.closed({"titles": schema.listed(schema.text())})))
    def list_books(call: Call[str], shelf: str) -> Answer:
        """Books of a shelf."""
        return Answer({"titles": [f"{call.caller} on {shelf}"]}, tag="1")

    @shelves("POST", "/shelves/{shelf}", Ok("The book.", book, 201), body=book)
    def add_book(call: Call[str], shelf: str) -> Answer:
        """Add a book.

        It stands last.
        """
        if call.body["title"] == "broken":
            raise OSError("a secret")
        return Answer(call.body, 201)

    return library


def ask(library: Interface, method: str, url: str, body: Any = None, **headers: str) -> HttpResponse:
    request = RequestFactory(headers={"x-name": "somebody"} | headers).generic(
        method, url, b"" if body is None else json.dumps(body), content_type="application/json"
    )
    for pattern in dispatch.patterns(library):
        if match := pattern.resolve(url.split("?")[0].lstrip("/")):
            request.resolver_match = match  # type: ignore[assignment]
            answer: HttpResponse = match.func(request, **match.kwargs)
            contract.hold(library, method, url, answer)
            return answer
    raise AssertionError(url)


def told(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["type"].removeprefix("urn:rahdari:problem:")


def test_an_operation_is_found_by_its_address_and_told_who_asks() -> None:
    answer = ask(a_library(), "GET", "/library/shelves/a")
    assert json.loads(answer.content) == {"titles": ["somebody on a"]} and answer["ETag"] == '"1"'
    assert ask(a_library(), "POST", "/library/shelves/a", {"title": "Tides"}).status_code == 201


def test_what_is_wrong_is_a_problem_with_all_its_faults() -> None:
    library = a_library()
    assert told(ask(library, "GET", "/library/shelves/a", x_name="")) == (401, "unauthorised")
    assert told(ask(library, "GET", "/library/shelves/abcd")) == (404, "not-found")
    assert told(ask(library, "GET", "/library/shelves/a?at=1")) == (400, "invalid-request")
    answer = ask(library, "POST", "/library/shelves/a", {"pages": 0, "weight": 1})
    assert told(answer) == (400, "invalid-request")
    faults = {(each["pointer"], each["code"]) for each in json.loads(answer.content)["errors"]}
    assert faults == {("/title", "required"), ("/pages", "too_small"), ("/weight", "unknown")}
    answer = ask(library, "DELETE", "/library/shelves/a")
    assert told(answer) == (405, "method-not-allowed") and answer["Allow"] == "GET, HEAD, POST"


def test_what_breaks_is_told_by_a_number_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(a_library(), "POST", "/library/shelves/a", {"title": "broken"})
    assert told(answer) == (500, "broke") and b"secret" not in answer.content and "a secret" in caplog.text


def test_an_interface_has_names_of_its_own_for_problems_and_says_faults_its_way() -> None:
    def of_faults(found: Any, *, where: str = "body") -> Problem:
        return problems.problem("no-book", next(iter(found)).pointer)

    problems.declare(no_book=(422, "This is no book"))
    library = a_library(name="shop", of_faults=of_faults, renamed={"invalid-request": "no-book"})
    assert told(ask(library, "POST", "/library/shelves/a", {"title": ""})) == (422, "no-book")
    assert "422" in openapi.document(library)["paths"]["/shelves/{shelf}"]["post"]["responses"]


def test_the_contract_is_made_of_the_declarations() -> None:
    document = openapi.document(a_library())
    added = document["paths"]["/shelves/{shelf}"]["post"]
    assert (added["summary"], added["description"], added["x-scope"]) == ("Add a book", "It stands last.", "shelves")
    assert added["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Book"}
    assert not any(each["name"] == "Idempotency-Key" for each in added["parameters"]), "it keeps no answers"


def test_rooms_that_share_an_interface_serve_what_they_declare() -> None:
    library, other = a_library(), ModuleType("another.room")
    assert [each.name for each in dispatch.patterns(library)] == ["list_books"]
    assert dispatch.patterns(library, other) == []
    assert isinstance(dispatch.patterns(library)[0], URLPattern)
