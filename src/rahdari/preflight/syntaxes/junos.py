"""Firewall filters of Junos, as statements in braces and as `set` lines.

Both are taken apart into statements of words with all that they stand in. A filter ends with a discard that is not
written; one that is put on `lo0` guards the device itself. A term that says nothing of what to do accepts. Where a
match of a term is not understood, its line is named, and the term counts under a condition. Static routes that discard
deny what they lead to.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .. import names, tcp_flags
from ..change import EVERY_PROTOCOL, Action, NotUnderstood, Rule, RuleList, Syntax, Trouble
from ..draft import Draft
from ..space import ALL_OF, ANYWHERE, NOWHERE, PORTS, Addresses, Spans, joined, union, without

_TOKEN = re.compile(r'/\*.*?(?:\*/|\Z)|##?[^\n]*|"[^"\n]*"?|[{}\[\];]|[^\s{}\[\];"]+', re.DOTALL)
_MARKS = frozenset({"inactive:", "protect:", "replace:", "delete:"})
_FAMILY = {"inet": 4, "inet6": 6}
_CONDITIONS = frozenset(
    "dscp precedence traffic-class interface interface-set interface-group interface-group-except forwarding-class "
    "loss-priority source-mac-address destination-mac-address vlan-ether-type learn-vlan-id flexible-match-mask "
    "flexible-match-range source-class destination-class rat-type ah-spi esp-spi first-fragment fragment-offset "
    "fragment-offset-except fragment-flags ip-options-except packet-length packet-length-except ttl ttl-except "
    "hop-limit hop-limit-except extension-header extension-header-except service-filter-hit icmp-type-except "
    "icmp-code-except".split()
)
# Known to fit no packet that begins or carries a connection in order.
_KNOWN_HARMLESS = frozenset({"is-fragment", "ip-options"})
_ICMP = frozenset({"icmp-type", "icmp-code"})
_REROUTES = frozenset("routing-instance next-ip next-ip6 next-interface next-hop-group encapsulate decapsulate".split())
_POLICERS = frozenset({"policer", "three-color-policer", "hierarchical-policer"})
_BESIDE = frozenset(
    "count log syslog sample port-mirror port-mirror-instance forwarding-class loss-priority dscp traffic-class "
    "service-accounting service-filter-hit no-decrement-ttl prefix-action clear-policy-map".split()
)
_OF_FILTER = frozenset(
    "interface-specific accounting-profile physical-interface-filter instance-shared enhanced-mode fast-filter-lookup "
    "interface-shared promote".split()
)
# Beside filters: what stands there says nothing of what passes.
_CONTEXT = frozenset("version system snmp class-of-service event-options chassis".split())
# Of an interface: these are no way to say what passes there.
_STOPS = frozenset({"disable", "policer", "input-policer", "output-policer", "rpf-check"})


class Statement(NamedTuple):
    words: tuple[str, ...]
    line: int


@dataclass
class Term:
    line: int
    matches: list[Statement] = field(default_factory=list)
    actions: list[Statement] = field(default_factory=list)


@dataclass
class Filter:
    family: int | None
    line: int
    terms: dict[str, Term] = field(default_factory=dict)


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.JUNOS, lines)
    setting = any(re.match(r"\s*(set|deactivate|delete)\s", line) for line in lines)
    statements = list((_of_set_lines if setting else _of_braces)(draft))
    _Reader(draft).all(statements)
    return draft


def _of_set_lines(draft: Draft) -> Iterator[Statement]:
    """What is deactivated is left out."""
    off, found = set[tuple[str, ...]](), list[Statement]()
    # What is deleted first is written anew: how many statements had been read by then.
    deleted: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(draft.lines, 1):
        words = [each for each in _TOKEN.findall(line) if not each.startswith(("#", "/*"))]
        # A comment may be all that is set.
        if not words or (words == ["set"] and "/*" in line):
            continue
        verb, rest = words[0], [each for each in words[1:] if each not in "[];"]
        if verb == "set" and rest:
            at = words.index("[") - 1 if "[" in words else len(rest) - 1
            draft.expand((len(rest) - at) * (at + 1))
            found += [Statement((*rest[:at], each), number) for each in rest[at:]]
        elif verb == "deactivate":
            off.add(tuple(rest))
        elif verb == "delete":
            deleted[tuple(rest)] = len(found)
        elif verb not in {"edit", "top", "exit", "commit", "activate", "configure"}:
            draft.refuse(number, NotUnderstood(Trouble.WORD, verb))
    lengths = {len(path) for path in (*off, *deleted)}
    for at, each in enumerate(found):
        paths = [each.words[:length] for length in lengths]
        if off.isdisjoint(paths) and not any(at < deleted.get(path, 0) for path in paths):
            yield each


def _of_braces(draft: Draft) -> Iterator[Statement]:
    text, line, at = "\n".join(draft.lines), 1, 0
    path, words, begins, lists = list[list[str]](), list[str](), 1, list[str]()
    listing = False
    for form in _TOKEN.finditer(text):
        line += text.count("\n", at, form.start())
        at = form.start()
        word = form[0]
        if word.startswith(("#", "/*")):
            continue
        begins = begins if words else line
        if word == "{":
            path.append(words)
            words = []
        elif word == "}":
            if words:
                draft.refuse(begins, NotUnderstood(Trouble.OPEN, words[0]))
                words = []
            if path:
                path.pop()
            else:
                draft.refuse(line, NotUnderstood(Trouble.OPEN, "}"))
        elif word == "[":
            listing, lists = True, []
        elif word == "]":
            listing = False
        elif listing:
            lists.append(word)
        elif word != ";":
            words.append(word)
        elif words:
            outer = [each for level in path for each in level]
            if "inactive:" not in [*outer, *words]:
                plain = [each for each in [*outer, *words] if each not in _MARKS]
                draft.expand(len(plain) * max(len(lists), 1))
                for value in lists or [""]:
                    yield Statement((*plain, value) if value else tuple(plain), begins)
            words, lists = [], []
    if path or words:
        draft.refuse(line, NotUnderstood(Trouble.OPEN, " ".join(words or path[-1]) or "{"))


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.filters: dict[str, Filter] = {}
        self.prefixes: dict[str, list[Addresses]] = {}
        self.joined: dict[str, Addresses] = {}
        self.guards: set[str] = set()

    def all(self, statements: Sequence[Statement]) -> None:
        for each in statements:
            try:
                self._statement(each)
            except NotUnderstood as error:
                self.draft.refuse(each.line, error)
        for name, of in self.filters.items():
            found = self.draft.list_of(name, of.line)
            found.otherwise, found.otherwise_line = Action.DENY, of.line
            found.reach = ANYWHERE if of.family is None else ALL_OF[of.family]
            found.applies = bool(of.terms) and name.rpartition(" ")[2] not in self.guards
            for term in of.terms.values():
                self.draft.add(found, list(self._rules(term, found)))
                found.otherwise_line = max([found.otherwise_line, *(each.line for each in term.actions)])

    def _statement(self, said: Statement) -> None:
        words = list(said.words)
        if words[0] == "interfaces":
            if words[1:2] == ["lo0"] and "filter" in words:
                self.guards.add(words[-1])
            if found := _STOPS.intersection(words):
                raise NotUnderstood(Trouble.WORD, min(found))
            return
        if "prefix-list" in words and ("policy-options" in words or words[0] == "prefix-list"):
            self._prefix(words[words.index("prefix-list") + 1 :])
        elif "static" in words and "route" in words:
            self._route(words[words.index("route") + 1 :], said.line)
        elif "policer" in words and "filter" not in words:
            return
        elif "filter" in words and words[0] in {"firewall", "family", "filter", "logical-systems"}:
            self._of_filter(words, said.line)
        elif words[0] == "term":
            self._of_filter(["filter", "term", *words], said.line)
        elif words[0] not in _CONTEXT:
            raise NotUnderstood(Trouble.WORD, words[0])

    def _prefix(self, words: list[str]) -> None:
        name = words[0] if words else ""
        held = self.prefixes.setdefault(name, [])
        if len(words) > 1:
            if words[1] == "apply-path":
                raise NotUnderstood(Trouble.NOT_IN_FILE, words[1])
            held.append(names.addresses(words[1]))

    def _route(self, words: list[str], line: int) -> None:
        of = names.addresses(words[0]) if words else NOWHERE
        gone = words[1:2] in (["discard"], ["reject"])
        # The default route says nothing of anybody.
        if gone or (len(words) > 1 and of not in ALL_OF.values()):
            rule = Rule(Action.DENY if gone else Action.REROUTE, line, destination=of)
            self.draft.add(self.draft.list_of("routes", line), [rule])

    def _of_filter(self, words: list[str], line: int) -> None:
        at = words.index("filter")
        family = words[words.index("family") + 1] if "family" in words[:at] else ""
        if family and family not in {*_FAMILY, "any"}:
            raise NotUnderstood(Trouble.WORD, family)
        name, rest = " ".join([*([family] if family else []), *words[at + 1 : at + 2]]), words[at + 2 :]
        of = self.filters.setdefault(name, Filter(_FAMILY.get(family), line))
        if not rest or rest[0] in _OF_FILTER:
            return
        if rest[0] != "term" or len(rest) < 2:
            raise NotUnderstood(Trouble.WORD, rest[0])
        term = of.terms.setdefault(rest[1], Term(line))
        if len(rest) < 3:
            return
        if rest[2] == "from":
            term.matches += [Statement(tuple(rest[3:]), line)] if rest[3:] else []
        elif rest[2] == "then":
            term.actions += [Statement(tuple(rest[3:]), line)] if rest[3:] else []
        else:
            raise NotUnderstood(Trouble.WORD, rest[2])

    # -- terms

    def _rules(self, term: Term, of: RuleList) -> Iterator[Rule]:
        """Of one term, with what it does beside its verdict first."""
        family = of.reach
        ends = {name: (list[Addresses](), list[Addresses]()) for name in ("source", "destination", "either")}
        said = set[str]()
        protocols: frozenset[str] = EVERY_PROTOCOL
        protocol_values = list[tuple[frozenset[str], bool]]()
        ports: dict[str, Spans] = {}
        odd = conditional = established = False
        flags = list[tcp_flags.Fits | None]()
        for each in term.matches:
            key, values = each.words[0], each.words[1:]
            try:
                if (end := _end_of(key)) is not None:
                    said.add(end)
                    ends[end]["except" in values].append(self._addresses(key, values))
                elif key in {"protocol", "next-header", "payload-protocol"}:
                    protocol_values += [names.protocols(value) for value in values]
                elif key in {"protocol-except", "next-header-except"}:
                    # But for one of the others is still the others.
                    protocols -= frozenset().union(
                        *(found for found, partly in map(names.protocols, values) if not partly)
                    )
                elif key.removesuffix("-except") in {"port", "source-port", "destination-port"}:
                    spans = union(names.ports(value) for value in values)
                    ports[key] = union([*ports.get(key, ()), *spans])
                elif key == "tcp-initial":
                    flags.append(tcp_flags.all_of(["syn"], ["ack"]))
                elif key == "tcp-flags":
                    flags.append(_fits(" ".join(values)))
                elif key == "tcp-established":
                    protocols &= frozenset({"tcp"})
                    established = True
                elif key in _ICMP:
                    protocols = names.NONE
                elif key in _KNOWN_HARMLESS:
                    odd = True
                elif key in _CONDITIONS:
                    conditional = True
                else:
                    raise NotUnderstood(Trouble.WORD, key)
            except NotUnderstood as error:
                self.draft.refuse(each.line, error)
                conditional = True
        if protocol_values:
            protocols &= frozenset().union(*(found for found, _ in protocol_values))
            conditional |= any(partly for _, partly in protocol_values)
        spans_of = {
            end: without(PORTS, ports[f"{end}-except"]) if f"{end}-except" in ports else ports.get(end, PORTS)
            for end in ("source-port", "destination-port", "port")
        }
        if any(spans != PORTS for spans in spans_of.values()):
            protocols &= names.BOTH_WITH_PORTS
        source, destination = (
            _chosen(ends[end], family) if end in said else family for end in ("source", "destination")
        )
        for action, line, goes_on in self._actions(term):
            for either_source, either_destination in _either("either" in said, _chosen(ends["either"], family), family):
                for from_ports, to_ports in _either("port" in ports or "port-except" in ports, spans_of["port"], PORTS):
                    # What lets the rest of a connection through lets none begin.
                    rest = established and action is Action.PERMIT
                    rule = Rule(
                        action,
                        line,
                        source & either_source,
                        destination & either_destination,
                        protocols,
                        _both(spans_of["source-port"], from_ports),
                        _both(spans_of["destination-port"], to_ports),
                        conditional=conditional or (established and not rest),
                        odd=odd or rest,
                        goes_on=goes_on,
                    )
                    for fits in flags:
                        rule = tcp_flags.narrowed(rule, fits)
                    yield rule

    def _addresses(self, key: str, values: Sequence[str]) -> Addresses:
        value = values[0] if values else ""
        if not key.endswith("prefix-list"):
            return names.addresses(value)
        if value not in self.prefixes:
            raise NotUnderstood(Trouble.NOT_IN_FILE, value)
        if value not in self.joined:
            self.joined[value] = joined(self.prefixes[value])
        return self.joined[value]

    def _actions(self, term: Term) -> Iterator[tuple[Action, int, bool]]:
        """Each with its line, and whether the packet is looked at further."""
        ends = False
        line = term.line
        for each in term.actions:
            word = each.words[0]
            line = each.line
            if word in _POLICERS:
                yield Action.LIMIT, each.line, True
            elif word in {"discard", "reject", "accept"} or word in _REROUTES:
                ends = True
                kinds = {"accept": Action.PERMIT, "discard": Action.DENY, "reject": Action.DENY}
                yield kinds.get(word, Action.REROUTE), each.line, False
            elif word == "next":
                ends = True
            elif word not in _BESIDE:
                self.draft.refuse(each.line, NotUnderstood(Trouble.WORD, word))
        if not ends:
            yield Action.PERMIT, line, False


def _end_of(key: str) -> str | None:
    for end in ("source", "destination"):
        if key in {f"{end}-address", f"{end}-prefix-list"}:
            return end
    return "either" if key in {"address", "prefix-list", "ip-address", "ip6-address"} else None


def _chosen(of: tuple[list[Addresses], list[Addresses]], family: Addresses) -> Addresses:
    """Those that are said but for those excepted; where only exceptions are said, all others."""
    yes, no = map(joined, of)
    if not yes and no:
        return family - no
    # The longest prefix counts: what is said again inside of an exception is the rare case, and stays excepted.
    return (yes & family) - no


def _either[Value](said: bool, value: Value, all_of_it: Value) -> list[tuple[Value, Value]]:
    """What is said of either end is two rules."""
    return [(value, all_of_it), (all_of_it, value)] if said else [(all_of_it, all_of_it)]


def _both(one: Spans, other: Spans) -> Spans:
    return one if other == PORTS else other if one == PORTS else union(one) and _common(one, other)


def _common(one: Spans, other: Spans) -> Spans:
    return without(one, without(PORTS, other))


def _fits(said: str) -> tcp_flags.Fits | None:
    """`(syn & !ack)`, `ack | rst`, `syn`; None for what is nested, or known by numbers."""
    found = list[tcp_flags.Fits]()
    for each in re.split(r"[|,]", said.strip('"')):
        literals = [part.strip(' "()') for part in re.split(r"[&+]", each)]
        bare = [part.lstrip("! ") for part in literals]
        if not all(re.fullmatch(r"[a-z]+", part) for part in bare) or re.search(r"!\s*\(", each):
            return None
        there = [part for part in literals if not part.startswith("!")]
        found.append(tcp_flags.all_of(there, [part.lstrip("! ") for part in literals if part.startswith("!")]))
    return tcp_flags.any_of(found)
