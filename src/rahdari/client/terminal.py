"""What the acts have in common at a terminal: the register, what is printed, the exit codes."""

import argparse
import json
import os
from typing import Any

from . import calling
from .calling import Json, Register, Trouble

DONE, WRONG, YOUR_TURN, OVER, IN_VAIN = 0, 1, 3, 4, 5


def register_of(given: argparse.Namespace) -> Register:
    return Register(calling.access(os.environ), language=given.language)


def say(given: argparse.Namespace, said: Any, lines: list[str]) -> None:
    print(json.dumps(said, indent=1, ensure_ascii=False) if given.json else "\n".join(lines))


def one_of(items: list[Json], wanted: str, *, what: str, option: str) -> Json:
    """The item with this name or id; the only one when nothing is wanted. Raises Trouble, with what there is."""
    found = [each for each in items if not wanted or wanted.casefold() in {each["id"], each["name"].casefold()}]
    if len(found) != 1:
        listed = ", ".join(each["name"] for each in items) or "none"
        raise Trouble(f"Say which {what} with {option}. There are: {listed}")
    return found[0]
