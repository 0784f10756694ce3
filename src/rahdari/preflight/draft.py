"""What a reader of one syntax writes down while it goes through a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .change import LONGEST_SHOWN, MOST_NAMED, Action, Change, NotUnderstood, Rule, RuleList, Syntax, Unread
from .space import PORTS, Addresses, Spans


@dataclass
class Draft:
    """Lists of rules by name, in their order, and what was not understood."""

    syntax: Syntax
    lines: Sequence[str]
    lists: dict[str, RuleList] = field(default_factory=dict)
    refused: dict[int, Unread] = field(default_factory=dict)

    def refuse(self, line: int, error: NotUnderstood, *, near: str | None = None) -> None:
        """A line, by its number from 1. Only the first that is wrong with it counts."""
        text = " ".join(self.lines[line - 1].split())[:LONGEST_SHOWN]
        word = (error.near if near is None else near)[:LONGEST_SHOWN]
        self.refused.setdefault(line, Unread(line, text, error.trouble, word))

    def list_of(self, name: str, line: int) -> RuleList:
        return self.lists.setdefault(name, RuleList(name, line))

    def change(self) -> Change:
        """Lists that are jumped to and are not there were refused where that was said."""
        judged = [each for each in self.lists.values() if each.applies]
        reached = set()
        for each in judged:
            leads_to = {each.name, *self._jumped(each)}
            each.replies = any(
                rule.replies and rule.action is Action.PERMIT for name in leads_to for rule in self.lists[name].rules
            )
            reached |= leads_to
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

    def _jumped(self, of: RuleList, seen: frozenset[str] = frozenset()) -> Iterator[str]:
        for name in {rule.target for rule in of.rules if rule.target in self.lists} - seen:
            yield name
            yield from self._jumped(self.lists[name], seen | {name})


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
