"""What is done with a holder's row is journalled as the gatekeeper said that the person came to it."""

import ast
from collections.abc import Iterator

from .house import PACKAGE

ROOMS = ("apply", "applicant", "portal/applicant", "api")
# They answer with the row and as whom (`people.acting.Reached`), and these name a person in their own right.
GATEKEEPERS = {"application_for_applicant", "application", "own_registration", "registration_for"}
GATEKEEPERS |= {"own", "held", "valid", "draft"}
IN_OWN_RIGHT = {"actor_of", "own_actor"}


def functions_of(source: str) -> Iterator[tuple[str, set[str], set[str]]]:
    """Each function, with the names that it calls and those that it only reads."""
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.FunctionDef):
            nodes = list(ast.walk(each))
            calls = {
                getattr(one.func, "attr", getattr(one.func, "id", "")) for one in nodes if isinstance(one, ast.Call)
            }
            reads = {one.attr for one in nodes if isinstance(one, ast.Attribute)}
            yield each.name, calls, reads


def guessing(source: str) -> list[str]:
    return [
        name for name, calls, reads in functions_of(source) if calls & GATEKEEPERS and (calls | reads) & IN_OWN_RIGHT
    ]


def test_no_act_guesses_who_does_it() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): names
        for room in ROOMS
        for path in sorted((PACKAGE / room).glob("*.py"))
        if (names := guessing(path.read_text()))
    }
    assert found == {}, "take `by.actor` from the gatekeeper's answer"


def test_a_planted_guess_is_found() -> None:
    planted = "def withdraw(call):\n    row = own(call).row\n    act(row, actor=actor_of(call.person))\n"
    assert guessing(planted) == ["withdraw"]
    assert guessing("def withdraw(call):\n    row, by = own(call)\n    act(row, actor=by.actor)\n") == []
