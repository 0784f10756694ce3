"""All operations, by address. Importing a module of operations declares them; their order is that of the contract."""

import importlib
import re

from django.urls import URLPattern, path

from .dispatch import view_of
from .operation import BASE, OPERATIONS, PLACES, Operation
from .rules import Scope

# `problem_map` says what becomes of errors of the rooms.
MODULES = (
    *(
        "problem_map",
        "public",
        "applications",
        "parts",
        "proofs",
        "contacts",
        "clients",
        "representing",
        "case_answers",
    ),
    *("registrations", "looks", "connections", "mobile", "address_files", "sharing", "remote"),
    *("organisations", "mandates", "attestations", "accounts", "webhooks"),
)
NAME_IN_PATH = re.compile(r"{(\w+)}")


def load() -> None:
    for name in MODULES:
        importlib.import_module(f"{__package__}.{name}")


def operations() -> list[Operation]:
    load()
    return OPERATIONS


def scopes() -> set[Scope]:
    """Those that open something."""
    return {each.scope for each in operations() if each.scope is not None}


def by_path() -> dict[str, dict[str, Operation]]:
    found: dict[str, dict[str, Operation]] = {}
    for each in operations():
        found.setdefault(each.path, {})[each.method] = each
    return found


def names_in(template: str) -> list[str]:
    return NAME_IN_PATH.findall(template)


def patterns() -> list[URLPattern]:
    """An address for each path; it is called by its first operation."""
    found = []
    for template, by_method in by_path().items():
        first = next(iter(by_method.values()))
        rule = NAME_IN_PATH.sub(lambda name: f"<{PLACES[name[1]][0]}:{name[1]}>", template)
        found.append(path(f"{BASE}{rule}".lstrip("/"), view_of(by_method), name=first.id))
    return found
