"""RPSL (RFC 2622, 4012): `route`, `route6` and `route-set` objects that are to be withdrawn.

What announces an address is taken away from it: all that is withdrawn counts as denied. Of an object that withdraws
nothing, such as a person, its first line is named.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .. import names
from ..change import EVERY_PROTOCOL, Action, NotUnderstood, Syntax, Trouble
from ..draft import Draft, both_ends

_ATTRIBUTE = re.compile(r"([a-zA-Z][a-zA-Z0-9_-]*):(.*)")
_AFTER = re.compile(r"\^(?:[-+]|\d{1,3}(?:-\d{1,3})?)$", re.ASCII)
ROUTES = frozenset({"route", "route6"})
MEMBERS = frozenset({"members", "mp-members"})


class Attribute(NamedTuple):
    name: str
    value: str
    line: int


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.RPSL, lines)
    taken = draft.list_of("objects", 1)
    objects = list(_objects(lines, draft))
    sets = {each[0].value.upper() for each in objects if each[0].name == "route-set"}
    for kind, *attributes in objects:
        members = [kind] if kind.name in ROUTES else [each for each in attributes if each.name in MEMBERS]
        if kind.name not in {*ROUTES, "route-set"}:
            draft.refuse(kind.line, NotUnderstood(Trouble.WORD, kind.name))
            continue
        for each in attributes:
            if kind.name == "route-set" and each.name == "mbrs-by-ref":
                # Its members say themselves that they are, elsewhere.
                draft.refuse(each.line, NotUnderstood(Trouble.NOT_IN_FILE, each.value))
        for each in members:
            for text in filter(None, re.split(r"[\s,]+", each.value)):
                if text.upper() in sets:
                    continue
                try:
                    of = names.written(_AFTER.sub("", text))
                except NotUnderstood as error:
                    other = Trouble.NOT_IN_FILE if ":" not in text and text[:1].isalpha() else error.trouble
                    draft.refuse(each.line, NotUnderstood(other, text))
                else:
                    draft.add(taken, both_ends(Action.DENY, each.line, of, protocols=EVERY_PROTOCOL))
    return draft


def _objects(lines: Sequence[str], draft: Draft) -> Iterator[list[Attribute]]:
    found: list[Attribute] = []
    for number, line in enumerate(lines, 1):
        if line.startswith(("%", "#")):
            continue
        text = line.partition("#")[0].rstrip()
        if not text:
            yield from [found] if found else []
            found = []
        elif text[0] in " \t+" and found:
            # Goes on from the line before; a member that is not understood is named where it stands.
            found.append(Attribute(found[-1].name, text[1:].strip(), number))
        elif form := _ATTRIBUTE.fullmatch(text):
            found.append(Attribute(form[1].lower(), form[2].strip(), number))
        else:
            draft.refuse(number, NotUnderstood(Trouble.WORD, text.split()[0]))
    yield from [found] if found else []
