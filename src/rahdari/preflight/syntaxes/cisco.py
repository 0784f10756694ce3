"""Access lists of Cisco IOS, IOS-XE, IOS-XR and NX-OS, as configured and as `show access-lists` prints them.

A list ends with a deny that is not written. Which way and at which interface it stands is not looked at, but for
`access-class`: that guards the device itself. Static routes to Null0 deny what they lead to.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from .. import names, tcp_flags
from ..change import Action, NotUnderstood, Rule, RuleList, Syntax, Trouble
from ..draft import Draft
from ..space import ALL_OF, PORTS, Addresses, Spans, joined, union

_LIST = re.compile(
    r"(?:(ip|ipv4|ipv6) access-list (?:(standard|extended) )?(\S+)|(standard|extended)? ?(ip|ipv6) access list (\S+))$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"access-list (\S+) (permit|deny|remark)\b", re.IGNORECASE)
_GROUP = re.compile(
    r"object-group (?:(?P<ports>ip port|port)|(?P<service>service)|network|ip address|ipv6 address)"
    r"(?: ipv[46])? (?P<name>\S+)$",
    re.IGNORECASE,
)
_NULL = re.compile(r"(?:ip|ipv6) route (?:vrf \S+ )?(\S+)(?: (\d+\.\d+\.\d+\.\d+))? null ?0\b.*", re.IGNORECASE)
_GUARDS = re.compile(r"(?:ipv6 )?access-class (\S+)", re.IGNORECASE)
# Beside the lists: nothing is said by these of what passes.
_CONTEXT = re.compile(
    r"(?:end|exit|commit|interface|description|hostname|version|configure|conf t|write|line|ip access-group|"
    r"ipv[46] access-group|ipv6 traffic-filter|ip port access-group|statistics|router static|address-family|"
    r"building configuration|current configuration|access-list \S+ remark|ip access-list resequence)\b.*",
    re.IGNORECASE,
)
_MATCHES = re.compile(r"\s*\((?:\d+ )?match(?:es)?[^)]*\)|\[match=\d+[^\]]*\]")
# With a word behind them, or with an operator and numbers.
_CONDITIONS = frozenset("dscp precedence tos time-range packet-length vlan flow-label ttl vrf police auth".split())
# Known to fit no packet that begins or carries a connection in order.
_KNOWN_HARMLESS = frozenset({"fragments", "option", "routing", "dest-option", "destopts", "hop-by-hop", "mobility"})
_FLAGS = frozenset({"ack", "rst", "fin", "psh", "urg", "syn"})
_WITH_WORD = frozenset({"counter", "reflect", "timeout", "sequence", "icmp-type"})
_NOTHING = frozenset({"log", "log-input", "capture", "icmp-off", "hardware-count", "nd-na", "nd-ns"})
_GROUP_WORDS = frozenset({"object-group", "addrgroup", "net-group"})
_PORT_GROUPS = frozenset({"portgroup", "port-group"})
_V6 = " (IPv6)"
_OPERATORS = frozenset({"eq", "neq", "gt", "lt", "range"})


@dataclass
class Group:
    """What stands in an object group: its lines, read when it is used first, as a group may name one below it."""

    lines: list[tuple[int, list[str]]] = field(default_factory=list)
    addresses: dict[int, Addresses] = field(default_factory=dict)


class Groups(dict[str, Group]):
    """By name. `expand` is told how many lines were put in the place of a name."""

    def __init__(self, expand: Callable[[int], None]) -> None:
        super().__init__()
        self.expand = expand


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.CISCO, lines)
    _Reader(draft).file()
    return draft


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.groups = Groups(draft.expand)
        # The list that is open, with its family and whether its rules name sources alone.
        self.open: tuple[RuleList, int, bool] | None = None
        self.group: Group | None = None
        self.rules: list[tuple[RuleList, int, bool, list[str], int]] = []
        # Of a list that was taken away, how many rules had been read by then.
        self.emptied: dict[str, int] = {}

    def file(self) -> None:
        guards = set()
        for number, line in enumerate(self.draft.lines, 1):
            # First of all single spaces: a pattern that begins with some would look at many of them again and again.
            text = _MATCHES.sub("", " ".join(line.partition("!")[0].split())).strip().rstrip(":")
            if not text:
                continue
            if found := _GUARDS.match(text):
                guards.add(found[1])
                continue
            try:
                self._line(text, number)
            except NotUnderstood as error:
                self.draft.refuse(number, error)
        for at, (of, version, standard, words, number) in enumerate(self.rules):
            if at < self.emptied.get(of.name, 0):
                continue
            try:
                self.draft.add(of, _Entry(words, number, version, self.groups).rules(standard=standard))
            except NotUnderstood as error:
                self.draft.refuse(number, error)
            of.otherwise_line = number
        written = {of.name for at, (of, *_) in enumerate(self.rules) if at >= self.emptied.get(of.name, 0)}
        for of in self.draft.lists.values():
            # An empty list permits everything.
            of.applies = (bool(of.rules) or of.name in written) and of.name.removesuffix(_V6) not in guards

    def _line(self, text: str, number: int) -> None:
        words = text.split()
        bare = words[1:] if words[0].isdigit() else words
        if bare and bare[0].lower() in {"permit", "deny", "remark", "evaluate"}:
            # Nearly all lines are of these.
            if self.open is None:
                raise NotUnderstood(Trouble.OPEN if bare is words else Trouble.SEQUENCE, words[0])
            if bare[0].lower() in {"permit", "deny"}:
                of, version, standard = self.open
                self.rules.append((of, version, standard, bare, number))
        elif found := _LIST.match(text):
            self._begin(found, number)
        elif found := _NUMBERED.match(text):
            if found[2].lower() != "remark":
                of = self._list(found[1], number, 4)
                standard = found[1].isdigit() and (1 <= int(found[1]) <= 99 or 1300 <= int(found[1]) <= 1999)
                self.rules.append((of, 4, standard, words[2:], number))
        elif found := _GROUP.match(text):
            self.open, self.group = None, self.groups.setdefault(found["name"], Group())
        elif found := _NULL.match(text):
            of = self.draft.list_of("routes", number)
            block = names.masked(found[1], found[2], wildcard=False) if found[2] else names.addresses(found[1])
            self.draft.add(of, [Rule(Action.DENY, number, destination=block)])
        elif words[0].lower() == "no":
            self._no(text, words[1:])
        elif self.group is not None and not _CONTEXT.fullmatch(text):
            self.group.lines.append((number, bare))
        elif _CONTEXT.fullmatch(text):
            self.group = None
        else:
            raise NotUnderstood(Trouble.WORD, words[0])

    def _begin(self, found: re.Match[str], number: int) -> None:
        name, family = found[3] or found[6], (found[1] or found[5]).lower()
        version = 6 if family == "ipv6" else 4
        kind = (found[2] or found[4] or "").lower()
        self.group, self.open = None, (self._list(name, number, version), version, kind == "standard")

    def _list(self, name: str, number: int, version: int) -> RuleList:
        # A list for IPv6 may have the name of one for IPv4.
        name = f"{name}{_V6}" if version == 6 else name
        new = name not in self.draft.lists
        of = self.draft.list_of(name, number)
        if new:
            of.otherwise, of.reach, of.otherwise_line = Action.DENY, ALL_OF[version], number
        return of

    def _no(self, text: str, words: list[str]) -> None:
        """A list that is taken away before it is written anew begins empty."""
        bare = " ".join(words)
        found = _LIST.match(bare)
        name = (found[3] or found[6]) if found else words[1] if words[:1] == ["access-list"] and len(words) == 2 else ""
        if not name:
            raise NotUnderstood(Trouble.REMOVAL, text)
        self.emptied[name] = self.emptied[f"{name}{_V6}"] = len(self.rules)


class _Entry:
    """One rule of a list."""

    def __init__(self, words: list[str], line: int, version: int, groups: Groups) -> None:
        self.words, self.line, self.at, self.version, self.groups = words, line, 0, version, groups

    def rules(self, *, standard: bool) -> list[Rule]:
        action = Action.PERMIT if self._next().lower() == "permit" else Action.DENY
        if standard:
            return [self._options(Rule(action, self.line, self._address(standard=True), ALL_OF[self.version]))]
        services = self._services()
        source, from_ports = self._address(), self._ports()
        destination, to_ports = self._address(), self._ports()
        begins = self.at
        found = []
        for protocols, conditional, service_from, service_to in services:
            source_ports, destination_ports = from_ports or service_from, to_ports or service_to
            rule = Rule(
                action,
                self.line,
                source,
                destination,
                protocols & names.BOTH_WITH_PORTS if source_ports or destination_ports else protocols,
                PORTS if source_ports is None else source_ports,
                PORTS if destination_ports is None else destination_ports,
                conditional=conditional,
            )
            self.at = begins
            found.append(self._options(rule))
        return found

    def _services(self) -> list[tuple[frozenset[str], bool, Spans | None, Spans | None]]:
        word = self._next()
        if word.lower() not in _GROUP_WORDS:
            return [(*names.protocols(word), None, None)]
        return [self._service(words) for _, words in self._group(self._next())]

    def _service(self, words: list[str]) -> tuple[frozenset[str], bool, Spans | None, Spans | None]:
        """`tcp source eq 22 range 1 9` of a service group."""
        entry = _Entry(words, self.line, self.version, self.groups)
        found = names.protocols("tcp" if words[0] == "tcp-udp" else words[0])
        protocols = names.BOTH_WITH_PORTS if words[0] == "tcp-udp" else found[0]
        entry.at = 1
        source = None
        if entry._peek() == "source":
            entry.at += 1
            source = entry._ports()
        if entry._peek() == "destination":
            entry.at += 1
        if entry._peek() and entry._peek() not in _OPERATORS and found[0]:
            return protocols, found[1], source, names.compared("eq", [entry._next()])
        return protocols, found[1], source, entry._ports()

    def _address(self, *, standard: bool = False) -> Addresses:
        word = self._next()
        said = word.lower()
        if said in {"any", "any4", "any6"}:
            return ALL_OF[self.version]
        if said == "host":
            return self._of_family(self._next())
        if said in _GROUP_WORDS:
            return self._of_group(self._next())
        if "/" in word or self.version == 6:
            return self._of_family(word)
        if not self._peek()[:1].isdigit() or "." not in self._peek():
            if standard:
                return self._of_family(word)
            raise NotUnderstood(Trouble.MASK if names.addresses(word) else Trouble.ADDRESS, word)
        return names.masked(word, self._next(), wildcard=True)

    def _of_family(self, text: str) -> Addresses:
        found = names.addresses(text)
        if not found.of(self.version):
            raise NotUnderstood(Trouble.ADDRESS, text)
        return found

    def _group(self, name: str) -> list[tuple[int, list[str]]]:
        """The lines of a group, those of groups in it among them, each group once."""
        found, seen, waiting = list[tuple[int, list[str]]](), {name}, [name]
        while waiting:
            of = self.groups.get(name := waiting.pop())
            if of is None:
                raise NotUnderstood(Trouble.NOT_IN_FILE, name)
            self.groups.expand(len(of.lines))
            for line, words in of.lines:
                if words[0].lower() not in {"group-object", "object-group"} or len(words) != 2:
                    found.append((line, words))
                elif words[1] not in seen:
                    seen.add(words[1])
                    waiting.append(words[1])
        return found

    def _of_group(self, name: str) -> Addresses:
        of = self.groups.get(name)
        if of is not None and self.version in of.addresses:
            return of.addresses[self.version]
        spans = list[Addresses]()
        for _, words in self._group(name):
            if words[0].lower() == "range" and len(words) == 3:
                spans.append(names.addresses(f"{words[1]}-{words[2]}"))
            elif words[0].lower() in {"host", "any"} or "/" in words[0] or len(words) == 1:
                spans.append(_Entry(words, self.line, self.version, self.groups)._address(standard=True))
            else:
                # A mask in a group of IOS, a wildcard mask in one of NX-OS: only one of both has no gaps.
                spans.append(_masked_either_way(*words[:2]))
        found = joined(spans) & ALL_OF[self.version]
        self.groups[name].addresses[self.version] = found
        return found

    def _ports(self) -> Spans | None:
        """None where nothing is said of ports."""
        word = self._peek().lower()
        if word in _PORT_GROUPS:
            self.at += 1
            lines = self._group(self._next())
            return union(span for _, words in lines for span in names.compared(words[0].lower(), words[1:]))
        if word not in _OPERATORS:
            return None
        self.at += 1
        words = [self._next()]
        if word == "range":
            words.append(self._next())
        while word in {"eq", "neq"} and (self._peek().isdigit() or self._peek().lower() in names.PORT_NAMES):
            words.append(self._next())
        return names.compared(word, words)

    def _options(self, rule: Rule) -> Rule:
        flags = list[str]()
        while word := self._peek().lower():
            self.at += 1
            if word in _CONDITIONS:
                operator = "" if word == "auth" else self._next().lower()
                numbers = 2 if operator == "range" else 1 if operator in _OPERATORS else 0
                self.at = min(self.at + numbers, len(self.words))
                rule = replace(rule, conditional=True)
            elif word in _KNOWN_HARMLESS:
                self.at += self._peek() != "" and word == "option"
                rule = replace(rule, odd=True)
            elif word == "established":
                # What lets the rest of a connection through lets none begin.
                permits = rule.action is Action.PERMIT
                rule = replace(rule, odd=rule.odd or permits, conditional=rule.conditional or not permits)
            elif word in _FLAGS or word in {"match-any", "match-all"} or word[0] in "+-":
                flags.append(word)
            elif word in _WITH_WORD:
                self._next()
            elif word in {"nexthop", "nexthop1", "nexthop2", "nexthop3", "default"}:
                self.at = len(self.words)
                rule = replace(rule, action=Action.REROUTE)
            elif word not in _NOTHING and rule.protocols:
                # Of ICMP anything may follow: its kinds are no concern.
                raise NotUnderstood(Trouble.WORD, word)
        return tcp_flags.narrowed(rule, _fits(flags)) if flags else rule

    def _peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def _next(self) -> str:
        if self.at >= len(self.words):
            raise NotUnderstood(Trouble.NO_ADDRESS, self.words[-1])
        self.at += 1
        return self.words[self.at - 1]


def _fits(flags: list[str]) -> tcp_flags.Fits:
    """`match-all +syn -ack`; `syn`, `ack rst` and `match-any +ack -syn` fit what has one of these."""
    literals = [each for each in flags if not each.startswith("match-")]
    there = [each.removeprefix("+") for each in literals if not each.startswith("-")]
    absent = [each[1:] for each in literals if each.startswith("-")]
    if "match-all" in flags:
        return tcp_flags.all_of(there, absent)
    return tcp_flags.any_of(
        [*(tcp_flags.all_of([each]) for each in there), *(tcp_flags.all_of([], [each]) for each in absent)]
    )


def _masked_either_way(address: str, mask: str) -> Addresses:
    try:
        return names.masked(address, mask, wildcard=False)
    except NotUnderstood as error:
        if error.trouble is not Trouble.MASK:
            raise
        return names.masked(address, mask, wildcard=True)
