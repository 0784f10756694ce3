"""Each problem that an operation can tell of stands in its contract: what it says is read from its source, and from
that of the functions it calls."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import pytest

from rahdari import urls  # noqa: F401 (rooms above declare operations, too)
from rahdari.api.interface import API
from rahdari.confirm.interface import OPERATORS
from rahdari.programs.operation import Interface, Operation
from rahdari.programs.problems import KINDS, problem
from rahdari.publish.api import FEED

# Told by a function that is called, and not by the operation: it says it of one answer of many, or cannot come to it.
NOT_TOLD = {
    ("answer_checks", "answer-not-taken"),
    ("answer_samples", "answer-not-taken"),
    ("discard_work", "work-not-taken"),
    ("keep_work", "work-not-taken"),
}


def _called(node: ast.AST, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = names.get(node.value.id)
        return getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
    return None


def kinds_in(run: Callable[..., Any], seen: set[Any] | None = None) -> set[str]:
    """The kinds that stand in the source of a function, and of those of the product that it names."""
    seen = set() if seen is None else seen
    function = inspect.unwrap(run)
    if not isinstance(function, FunctionType) or function in seen:
        return set()
    seen.add(function)
    found: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Constant) and node.value in KINDS:
            found.add(node.value)
        other = _called(node, function.__globals__)
        if callable(other) and getattr(other, "__module__", "").startswith(("rahdari.", __name__)):
            found |= kinds_in(other, seen)
    return found


def untold(interface: Interface, each: Operation) -> set[str]:
    told = {interface.renamed.get(kind, kind) for kind in kinds_in(each.run)} - set(interface.kinds_of(each))
    return {kind for kind in told if (each.id, kind) not in NOT_TOLD}


@pytest.mark.parametrize("interface", [API, OPERATORS, FEED], ids=lambda each: each.name)
def test_the_contract_has_each_problem_that_an_operation_tells_of(interface: Interface) -> None:
    found = {each.id: untold(interface, each) for each in interface.operations()}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


def _helper() -> None:
    raise problem("key-reused", "Through another function.")


def test_what_a_called_function_says_is_found() -> None:
    def run() -> None:
        _helper()
        raise problem("too-large", "By itself.")

    assert kinds_in(run) >= {"key-reused", "too-large"}
