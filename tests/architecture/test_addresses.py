"""Every address that a browser knows can be loaded anew, and in the other language: both ask for it by GET."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse
from django.urls.converters import IntConverter, UUIDConverter
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rahdari.web.posting import posted_from

View = Callable[..., HttpResponse]


def patterns(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each, f"{space}{each.namespace}:" if each.namespace else space)
        else:
            yield f"{space}{each.name}", each


def takes_methods(view: View) -> set[str]:
    """Those that all decorators on the way to a view let through; empty where none of them asks."""
    allowed: set[str] | None = None
    layer: Any = view
    while layer is not None:
        # What Django's `require_http_methods`, and so `require_POST` and `require_safe`, were given.
        listed = inspect.getclosurevars(layer).nonlocals.get("request_method_list")
        if listed is not None:
            allowed = set(listed) if allowed is None else allowed & set(listed)
        layer = getattr(layer, "__wrapped__", None)
    return allowed or set()


def opens_only_by_a_form(view: View) -> bool:
    # What is exempt from the protection of forms is a program's.
    if getattr(view, "csrf_exempt", False):
        return False
    kind = getattr(view, "view_class", None)
    if kind is not None:
        return not hasattr(kind, "get")
    methods = takes_methods(view)
    return bool(methods) and "GET" not in methods


ALL = list(patterns(get_resolver()))
LEADING_BACK = {name: each for name, each in ALL if hasattr(each.callback, "leads_back")}


def test_every_address_of_a_page_answers_a_get() -> None:
    assert len(ALL) > 150
    broken = [name for name, each in ALL if opens_only_by_a_form(each.callback)]
    assert broken == [], "write @posted_from(page) in place of @require_POST"


@pytest.mark.parametrize("name", sorted(LEADING_BACK))
def test_what_leads_back_leads_to_a_page_that_is_there(name: str) -> None:
    page, kept = LEADING_BACK[name].callback.leads_back
    converters = LEADING_BACK[name].pattern.converters
    assert set(kept) <= set(converters), "it keeps what its address does not have"
    samples: dict[type, Any] = {IntConverter: 1, UUIDConverter: UUID(int=1)}
    there = reverse(page, kwargs={each: samples.get(type(converters[each]), "sample") for each in kept})
    assert there.startswith("/")
    found = dict(ALL)[page].callback
    assert not takes_methods(found) or "GET" in takes_methods(found)
    assert not hasattr(found, "leads_back")


def answers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("taken")


class TestTheRule:
    def test_sees_through_other_decorators(self) -> None:
        hidden = path("a/", never_cache(require_POST(answers)))
        assert opens_only_by_a_form(hidden.callback)

    def test_lets_pass_what_answers_a_get(self) -> None:
        for view in (answers, require_http_methods(["GET", "POST"])(answers), posted_from("portal:start")(answers)):
            assert not opens_only_by_a_form(view)

    def test_a_form_is_taken_and_a_get_leads_back(self, rf: Any) -> None:
        view = posted_from("portal:start")(answers)
        assert view(rf.post("/")).content == b"taken"
        led = view(rf.get("/"))
        assert (led.status_code, led.headers["Location"]) == (302, reverse("portal:start"))
        assert view(rf.delete("/")).status_code == 405
