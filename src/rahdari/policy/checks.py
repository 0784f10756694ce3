"""The kinds of check that a policy may ask for. The room that makes the checks says which there are, and what each is
about (`know`); until it has, as where nothing but the policy is at hand, each word is taken for one."""

from collections.abc import Mapping
from enum import StrEnum

from rahdari import optional


class About(StrEnum):
    ADDRESS = "address"  # each address
    NUMBER = "number"  # the mobile number in the place of addresses
    APPLICANT = "applicant"


_known: dict[str, About] = {}
_rooms: dict[str, str] = {}


def know(kinds: Mapping[str, About]) -> None:
    _known.update(kinds)


def know_rooms(kinds: Mapping[str, str]) -> None:
    """Kinds that only an optional room makes."""
    _rooms.update(kinds)


def left_out() -> Mapping[str, str]:
    """Kinds that this installation does not make, with the room that it leaves out."""
    return {kind: room for kind, room in _rooms.items() if room in optional.left_out()}


def known_kinds() -> Mapping[str, About]:
    return _known


def kinds_about(about: About) -> frozenset[str]:
    return frozenset(kind for kind, its in _known.items() if its is about)
