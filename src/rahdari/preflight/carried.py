"""A change that was read, as plain data: from the process that reads what strangers send to the one that judges it.

What comes back is data of whoever read hostile text: each value is made anew here. What has another form is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from .change import EVERY_STATE, PROTOCOLS, Action, Change, PlanError, Rule, RuleList, Syntax, Trouble, Unread
from .space import Addresses, Spans

_STATES = tuple(sorted(EVERY_STATE))
_FLAGS = ("conditional", "odd", "goes_on")


class _Spans:
    """Each is told once, as rules of one set share theirs."""

    def __init__(self) -> None:
        self.told: list[list[int]] = []
        self._places: dict[int, int] = {}

    def place(self, spans: Spans) -> int:
        if id(spans) not in self._places:
            self._places[id(spans)] = len(self.told)
            self.told.append([end for span in spans for end in span])
        return self._places[id(spans)]

    def places(self, of: Addresses) -> tuple[int, int]:
        return self.place(of.v4), self.place(of.v6)


def as_data(change: Change) -> dict[str, Any]:
    """Of nothing but texts, numbers and lists."""
    spans = _Spans()
    lists = [
        {
            "head": [each.name, each.line, each.otherwise, each.otherwise_line],
            "is": [each.both_ways, each.untracked, each.applies],
            "reach": spans.places(each.reach),
            "rules": [
                [
                    rule.action,
                    rule.line,
                    *spans.places(rule.source),
                    *spans.places(rule.destination),
                    spans.place(rule.source_ports),
                    spans.place(rule.destination_ports),
                    [at for at, name in enumerate(PROTOCOLS) if name in rule.protocols],
                    [at for at, name in enumerate(_STATES) if name in rule.states],
                    [at for at, name in enumerate(_FLAGS) if getattr(rule, name)],
                    rule.target,
                ]
                for rule in each.rules
            ],
        }
        for each in change.lists
    ]
    return {
        "syntax": change.syntax,
        "counts": [change.lines, change.unread_count, change.rules, change.of_the_machine],
        "unread": [[each.line, each.text, each.trouble, each.near] for each in change.unread],
        "spans": spans.told,
        "lists": lists,
    }


def change_of(data: Mapping[str, Any]) -> Change:
    """Raises ValueError, TypeError, KeyError and IndexError for what is no change."""
    spans = [_spans(each) for each in data["spans"]]
    lines, unread_count, rules, of_the_machine = map(int, data["counts"])
    return Change(
        syntax=Syntax(data["syntax"]),
        lines=lines,
        lists=tuple(_list(each, spans) for each in data["lists"]),
        unread=tuple(Unread(int(line), str(text), Trouble(why), str(near)) for line, text, why, near in data["unread"]),
        unread_count=unread_count,
        rules=rules,
        of_the_machine=of_the_machine,
    )


def given_of(error: PlanError) -> dict[str, Any]:
    return {each.name: getattr(error, each.name) for each in fields(error)}


def error_of(code: str, given: Mapping[str, Any]) -> PlanError:
    """Raises as `change_of` does."""
    error = next(each for each in PlanError.__subclasses__() if each.code == code)
    return error(
        **{each.name: str(given[each.name]) if each.type is str else int(given[each.name]) for each in fields(error)}
    )


def _spans(ends: Sequence[Any]) -> Spans:
    numbers = list(map(int, ends))
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _list(data: Mapping[str, Any], spans: Sequence[Spans]) -> RuleList:
    name, line, otherwise, otherwise_line = data["head"]
    both_ways, untracked, applies = map(bool, data["is"])
    reach4, reach6 = data["reach"]
    return RuleList(
        str(name),
        int(line),
        Action(otherwise),
        int(otherwise_line),
        Addresses(spans[reach4], spans[reach6]),
        both_ways,
        untracked,
        applies,
        [_rule(each, spans) for each in data["rules"]],
    )


def _rule(data: Sequence[Any], spans: Sequence[Spans]) -> Rule:
    action, line, from4, from6, to4, to6, from_ports, to_ports, protocols, states, flags, target = data
    return Rule(
        Action(action),
        int(line),
        Addresses(spans[from4], spans[from6]),
        Addresses(spans[to4], spans[to6]),
        frozenset(PROTOCOLS[at] for at in protocols),
        spans[from_ports],
        spans[to_ports],
        states=frozenset(_STATES[at] for at in states),
        target=str(target),
        **{_FLAGS[at]: True for at in flags},
    )
