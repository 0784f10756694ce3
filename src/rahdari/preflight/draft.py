"""What a reader of one syntax writes down while it goes through a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .change import (
    LONGEST_SHOWN,
    MOST_EXPANDED,
    MOST_NAMED,
    MOST_RULES,
    MOST_SPANS,
    Action,
    Change,
    NotUnderstood,
    Rule,
    RuleList,
    Syntax,
    TooManyRules,
    Unread,
)
from .space import PORTS, Addresses, Spans


@dataclass
class Draft:
    """Lists of rules by name, in their order, and what was not understood."""

    syntax: Syntax
    lines: Sequence[str]
    lists: dict[str, RuleList] = field(default_factory=dict)
    refused: dict[int, Unread] = field(default_factory=dict)
    _rules: int = 0
    _expanded: int = 0
    _spans: int = 0
    # Spans that several rules share are counted once; they live as long as the rules do.
    _counted: set[int] = field(default_factory=set)

    def refuse(self, line: int, error: NotUnderstood, *, near: str | None = None) -> None:
        """A line, by its number from 1. Only the first that is wrong with it counts."""
        text = " ".join(self.lines[line - 1].split())[:LONGEST_SHOWN]
        word = (error.near if near is None else near)[:LONGEST_SHOWN]
        self.refused.setdefault(line, Unread(line, text, error.trouble, word))

    def add(self, of: RuleList, rules: Sequence[Rule]) -> None:
        """Raises TooManyRules."""
        self._rules += len(rules)
        if self._rules > MOST_RULES:
            raise TooManyRules(MOST_RULES)
        for rule in rules:
            for end in (rule.source, rule.destination):
                self._count(end.v4)
                self._count(end.v6)
            self._count(rule.source_ports)
            self._count(rule.destination_ports)
        of.rules += rules

    def expand(self, words: int) -> None:
        """So much was put in the place of a name. Raises TooManyRules."""
        self._expanded += words
        if self._expanded > MOST_EXPANDED:
            raise TooManyRules(MOST_EXPANDED)

    def _count(self, spans: Spans) -> None:
        if len(spans) > 1 and id(spans) not in self._counted:
            self._counted.add(id(spans))
            self._spans += len(spans)
            if self._spans > MOST_SPANS:
                raise TooManyRules(MOST_SPANS)

    def list_of(self, name: str, line: int) -> RuleList:
        return self.lists.setdefault(name, RuleList(name, line))

    def change(self) -> Change:
        """Lists that are jumped to and are not there were refused where that was said."""
        reached = set[str]()
        for each in self.lists.values():
            if each.applies:
                reached |= self._jumped(each)
        unread = [self.refused[line] for line in sorted(self.refused)]
        return Change(
            syntax=self.syntax,
            lines=len(self.lines),
            lists=tuple(self.lists.values()),
            unread=tuple(unread[:MOST_NAMED]),
            unread_count=len(unread),
            rules=sum(len({rule.line for rule in each.rules}) for each in self.lists.values()),
            of_the_machine=sum(
                len({rule.line for rule in each.rules}) for name, each in self.lists.items() if name not in reached
            ),
        )

    def _jumped(self, of: RuleList) -> set[str]:
        """This list and those that it leads to."""
        found, waiting = set[str](), [of.name]
        while waiting:
            name = waiting.pop()
            if name in self.lists and name not in found:
                found.add(name)
                waiting += {rule.target for rule in self.lists[name].rules}
        return found


def both_ends(
    action: Action,
    line: int,
    of: Addresses,
    *,
    protocols: frozenset[str],
    ports: Spans = PORTS,
    conditional: bool = False,
) -> list[Rule]:
    """Rules for what goes to an endpoint and for what comes from it."""
    return [
        Rule(action, line, destination=of, protocols=protocols, destination_ports=ports, conditional=conditional),
        Rule(action, line, source=of, protocols=protocols, source_ports=ports, conditional=conditional),
    ]
