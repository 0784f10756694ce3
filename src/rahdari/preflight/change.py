"""A planned change as it was understood: lists of rules, and the lines that were not.

The first rule of a list that fits decides. A list is judged by itself: where it will be put to use, and which way what
passes it goes, is mostly not said. Lines that were not understood are counted, all of them, and named one by one up to
MOST_NAMED.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from rahdari.errors import RahdariError

from .space import ANYWHERE, PORTS, Addresses, Spans, common

# Of a line that is named, so much is shown.
LONGEST_SHOWN = 200
MOST_NAMED = 200
# Of a file, with each block and port of what a line names counted where that makes several rules of it.
MOST_RULES = 250_000
# Blocks and ranges of ports in the rules of a file, those that several rules share once.
MOST_SPANS = 2_000_000
# What names stand for (sets, groups, definitions), put in their place: words and elements, of a file.
MOST_EXPANDED = 4_000_000
# So many rules stand in a list for what it jumps to.
MOST_JUMPED = 20_000
DEEPEST_JUMP = 16

# What is told apart at an endpoint. `other` is everything beside these, but ICMP, which no endpoint is.
PROTOCOLS = ("tcp", "udp", "esp", "gre", "other")
EVERY_PROTOCOL = frozenset(PROTOCOLS)
WITH_PORTS = frozenset({"tcp", "udp"})
# What a device that follows connections calls a packet. One that begins a connection is `new`, what comes after it on
# both ways is `established`; the others carry none.
NEW, ESTABLISHED = "new", "established"
EVERY_STATE = frozenset({NEW, ESTABLISHED, "related", "invalid", "untracked"})


class Syntax(StrEnum):
    LINES = "lines"
    CSV = "csv"
    RPSL = "rpsl"
    NFTABLES = "nftables"
    CISCO = "cisco"
    JUNOS = "junos"
    MIKROTIK = "mikrotik"


class Action(StrEnum):
    DENY = "deny"
    PERMIT = "permit"
    LIMIT = "limit"
    REROUTE = "reroute"
    RENUMBER = "renumber"
    # Inside a list: to the rules of another one; and back to where that was done.
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"


class Trouble(StrEnum):
    """Why a line was not understood."""

    WORD = "word"
    ADDRESS = "address"
    HOST_NAME = "host_name"
    MASK = "mask"
    PORT = "port"
    PROTOCOL = "protocol"
    NOT_IN_FILE = "not_in_file"
    REMOVAL = "removal"
    NO_ADDRESS = "no_address"
    NO_ACTION = "no_action"
    OPEN = "open"
    SEQUENCE = "sequence"
    COLUMNS = "columns"
    HOST_BITS = "host_bits"
    NOT_TRANSLATED = "not_translated"
    CUT_SHORT = "cut_short"


class NotUnderstood(RahdariError):
    """A line: `.trouble`, and `.near`, the word at which it was found."""

    says = "{trouble} {near}"
    trouble: Trouble
    near: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that was not understood: its number from 1, its text, cut to LONGEST_SHOWN."""

    line: int
    text: str
    trouble: Trouble
    near: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, of the line with this number.

    `protocols` are those of PROTOCOLS that it fits. `conditional`: it fits only what also fulfils something that is not
    looked at, such as an interface or an hour. `odd`: it is known to fit no packet that begins or carries a connection
    in order, such as late fragments, and decides nothing here. `states`: those of a connection that it fits. `goes_on`:
    what it fits is looked at further.
    """

    action: Action
    line: int
    source: Addresses = ANYWHERE
    destination: Addresses = ANYWHERE
    protocols: frozenset[str] = EVERY_PROTOCOL
    source_ports: Spans = PORTS
    destination_ports: Spans = PORTS
    conditional: bool = False
    odd: bool = False
    states: frozenset[str] = EVERY_STATE
    goes_on: bool = False
    target: str = ""
    # Flattened: what returns is looked at again from the rule with this place on.
    until: int = 0


@dataclass
class RuleList:
    """Rules in their order, and what becomes of the rest.

    `line` is where the list begins. `both_ways`: what goes to an endpoint and what comes from it pass the same list.
    `untracked`: it is passed before connections are followed, so what it says of their states is a condition that is
    not looked at. `applies`: False for a list that is only jumped to, or that only holds for the machine's own
    addresses.
    """

    name: str
    line: int
    otherwise: Action = Action.PERMIT
    otherwise_line: int = 0
    reach: Addresses = ANYWHERE
    both_ways: bool = False
    untracked: bool = False
    applies: bool = True
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """What was read. `rules`: how many; `of_the_machine`: how many of them hold only for the addresses of the machine
    that has them, and are not judged."""

    syntax: Syntax
    lines: int
    lists: tuple[RuleList, ...]
    unread: tuple[Unread, ...] = ()
    unread_count: int = 0
    rules: int = 0
    of_the_machine: int = 0


class PlanError(RahdariError):
    """A file that cannot be taken as a planned change."""

    code: ClassVar[str]


class TooLarge(PlanError):
    code = "too_large"
    says = "the file has more than {limit} bytes"
    limit: int


class TooManyLines(PlanError):
    code = "too_many_lines"
    says = "the file has more than {limit} lines"
    limit: int


class NoText(PlanError):
    code = "no_text"
    says = "byte {at} is no text in UTF-8"
    at: int


class NothingInIt(PlanError):
    code = "nothing_in_it"
    says = "there is no line in it but empty ones and comments"


class SyntaxUnknown(PlanError):
    code = "syntax_unknown"
    says = "none of its {lines} lines is understood in any syntax"
    lines: int


class OtherFormat(PlanError):
    """It is written in a format that is known and not read. `.program` writes it as nftables."""

    code = "other_format"
    says = "it is written in the format of {format}, which is not read"
    format: str
    program: str


class TooManyRules(PlanError):
    code = "too_many_rules"
    says = "it has more rules, or more blocks in its rules, than are judged at once ({limit})"
    limit: int


class TooMuch(PlanError):
    """Whoever reads it apart gave up."""

    code = "too_much"
    says = "it takes more memory or time than one change may"


class Busy(PlanError):
    code = "busy"
    says = "others are read, and there was no turn in time"


class JumpsInCircle(PlanError):
    code = "jumps_in_circle"
    says = "the list {name} leads to itself, or more than {limit} lists deep"
    name: str
    limit: int


def flattened(of: RuleList, named: Mapping[str, RuleList]) -> list[Rule]:
    """The rules with those that are jumped to in their place. Raises TooManyRules, JumpsInCircle."""
    rules: list[Rule] = []
    steps = 0

    def put(name: str, each_of: list[Rule], outer: Rule | None, depth: int) -> None:
        nonlocal steps
        if depth > DEEPEST_JUMP:
            raise JumpsInCircle(name, DEEPEST_JUMP)
        returning = []
        for each in each_of:
            steps += outer is not None
            if steps > MOST_JUMPED:
                raise TooManyRules(MOST_JUMPED)
            rule = each if outer is None else _both(outer, each)
            if rule.action in {Action.JUMP, Action.GOTO}:
                put(rule.target, named[rule.target].rules, rule, depth + 1)
                if rule.action is Action.JUMP:
                    continue
                rule = replace(rule, action=Action.RETURN)
            if rule.action is Action.RETURN:
                returning.append(len(rules))
            rules.append(rule)
        for at in returning:
            rules[at] = replace(rules[at], until=len(rules))

    put(of.name, of.rules, None, 0)
    return rules


def _both(outer: Rule, inner: Rule) -> Rule:
    """What fits the rule that jumps, and the one that is jumped to."""
    return replace(
        inner,
        source=outer.source & inner.source,
        destination=outer.destination & inner.destination,
        protocols=outer.protocols & inner.protocols,
        source_ports=common(outer.source_ports, inner.source_ports),
        destination_ports=common(outer.destination_ports, inner.destination_ports),
        conditional=outer.conditional or inner.conditional,
        odd=outer.odd or inner.odd,
        states=outer.states & inner.states,
    )
