"""Rooms that an installation can leave out (`RAHDARI_WITHOUT`), and what the rooms around them ask them for.

What a room adds to another stands in that other, in a module of its own name: `workflow/fees.py`. The other asks for it
by a name (`given(__package__, "STEPS")`) and imports neither the module nor the room, so that both can be left out.
Without Django: a policy is judged by it.
"""

import os
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# What each is for, as the error says that asks to put it back.
ROOMS = {
    "sms": "short messages to mobile numbers",
    "remote": "people who work from home",
    "fees": "fees",
    "mobile": "mobile numbers in the place of addresses",
    "share": "sharing an address",
    "attest": "associations that attest their members",
    "dyndns": "addresses that change from time to time",
    "vantage": "looking from other places",
    "urgent": "listing an address before its papers, for holders who are cut off",
}


# What cannot do without another of them.
NEEDS = {"mobile": "sms", "urgent": "sms"}


class WrongChoice(ValueError):
    """RAHDARI_WITHOUT names what cannot be left out."""


def left_out() -> frozenset[str]:
    """Raises WrongChoice."""
    words = os.environ.get("RAHDARI_WITHOUT", "").split()
    if unknown := [word for word in words if word not in ROOMS]:
        raise WrongChoice(
            f"RAHDARI_WITHOUT names {', '.join(unknown)}, which cannot be left out. "
            f"Write names of these, with spaces between them: {', '.join(sorted(ROOMS))}."
        )
    for room, other in NEEDS.items():
        if other in words and room not in words:
            raise WrongChoice(f"RAHDARI_WITHOUT names {other}, and {room} cannot do without it. Name {room} too.")
    return frozenset(words)


def installed() -> Iterator[str]:
    """The optional rooms that this installation has."""
    without = left_out()
    return (room for room in ROOMS if room not in without)


@cache
def load(package: str) -> tuple[ModuleType, ...]:
    """What optional rooms of this installation add to a package: the modules of their names, read."""
    names = (f"{package}.{room}" for room in installed())
    return tuple(import_module(name) for name in names if find_spec(name) is not None)


def given(package: str, name: str) -> list[Any]:
    """What the optional rooms of this installation add to a package under this name, one for each that adds any."""
    return [getattr(module, name) for module in load(package) if hasattr(module, name)]


def ask(package: str, name: str, *asked: Any, **more: Any) -> Any:
    """What the first room that adds it says; None while none does."""
    return next((each(*asked, **more) for each in given(package, name)), None)


def joined_tables(package: str, name: str) -> dict[Any, Any]:
    """The tables of this name, put together."""
    return {key: value for table in given(package, name) for key, value in table.items()}


def joined(package: str, name: str, *asked: Any, **more: Any) -> dict[Any, Any]:
    """What the functions of this name say, put together."""
    return {key: said for each in given(package, name) for key, said in each(*asked, **more).items()}
