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


def endpoint_of(register: Register, given: argparse.Namespace) -> Json:
    """The address of an application that is meant. Raises Trouble, with those there are."""
    items: list[Json] = register.get(f"/applications/{given.reference}/endpoints")["items"]
    found = [each for each in items if not given.address or each["address"] == given.address]
    if len(found) != 1:
        listed = ", ".join(each["address"] for each in items) or "none"
        raise Trouble(f"Say which address with --address. There are: {listed}")
    return found[0]
