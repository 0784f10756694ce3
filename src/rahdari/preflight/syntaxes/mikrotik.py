"""Firewall rules of MikroTik RouterOS, as `export` prints them and as they are typed in.

`forward` and `prerouting` are judged; `input` and `output` hold for the router's own addresses. What reaches the end of
a chain is accepted. Rules that are disabled are left out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from .. import names, tcp_flags
from ..change import EVERY_PROTOCOL, EVERY_STATE, Action, NotUnderstood, Rule, Syntax, Trouble
from ..draft import Draft
from ..space import ALL_OF, PORTS, Addresses, Spans, common, joined, union, without

_WORD = re.compile(r'(?:[^\s"=]+=)?"(?:[^"\\]|\\.)*"|\S+')
_TAKE_AWAY = frozenset({"remove", "disable", "set", "move", "unset", "reset"})
_VERBS = _TAKE_AWAY | {"add", "enable", "print", "edit", "find", "export"}
TABLES = frozenset({"filter", "raw", "nat", "mangle"})
PASSES = frozenset({"forward", "prerouting", "postrouting", "dstnat", "srcnat"})
OWN = frozenset({"input", "output"})
_CUTS = frozenset({"drop", "reject", "tarpit"})
_PERMIT = frozenset({"accept", "fasttrack-connection"})
_REROUTE = frozenset({"dst-nat", "redirect", "netmap", "same", "route", "mark-routing"})
_BESIDE = frozenset(
    "passthrough log add-src-to-address-list add-dst-to-address-list masquerade src-nat mark-packet mark-connection "
    "change-dscp change-mss set-priority sniff-pc sniff-tzsp strip-ipv4-options notrack clear-df "
    "fasttrack".split()
)
_NO_MATCH = frozenset(
    "action chain comment log log-prefix disabled jump-target reject-with to-addresses to-ports address-list "
    "address-list-timeout new-packet-mark new-connection-mark new-routing-mark new-dscp new-mss new-ttl new-priority "
    "passthrough place-before hw-offload sniff-id sniff-target sniff-target-port to-address randomise-ports".split()
)
_CONDITIONS = frozenset(
    "in-interface out-interface in-interface-list out-interface-list in-bridge-port out-bridge-port "
    "in-bridge-port-list out-bridge-port-list connection-nat-state connection-mark packet-mark routing-mark "
    "routing-table time content layer7-protocol tls-host dscp random nth per-connection-classifier hotspot priority "
    "ingress-priority src-mac-address ipsec-policy connection-bytes connection-rate connection-type src-address-type "
    "dst-address-type realm p2p packet-size fragment ttl hop-limit ipv4-options headers psd tcp-mss".split()
)
# What is known to fit no packet that begins or carries a connection in order.
_KNOWN_HARMLESS = {
    "fragment": frozenset({"yes"}),
    "ipv4-options": frozenset("any loose-source-routing strict-source-routing record-route timestamp".split()),
    **dict.fromkeys(("src-address-type", "dst-address-type"), frozenset({"broadcast", "multicast"})),
}
_LIMITS = frozenset({"limit", "dst-limit", "connection-limit"})


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.MIKROTIK, lines)
    _Reader(draft).file()
    return draft


def _whole_lines(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """With those that go on put together, under the number of the first."""
    begins, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        begins = begins or number
        text = line.strip()
        parts.append(text.removesuffix("\\").rstrip())
        if not text.endswith("\\"):
            yield begins, " ".join(parts)
            begins, parts = 0, []
    if parts:
        yield begins, " ".join(parts)


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.menu = ""
        # Of each family, the addresses of each list.
        self.lists: dict[tuple[int, str], list[Addresses]] = {}
        self.joined: dict[tuple[int, str], Addresses] = {}
        self.rules: list[tuple[int, int, str, dict[str, str]]] = []
        # Chains that a rule leads to; and whether some packets are not followed.
        self.led_to: set[str] = set()
        self.untracked = False

    def file(self) -> None:
        for number, line in _whole_lines(self.draft.lines):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            try:
                self._line(text, number)
            except NotUnderstood as error:
                self.draft.refuse(number, error)
        # A rule may name a list, or a chain, that stands below it.
        chains = {self._key(version, table, pairs.get("chain", "")) for _, version, table, pairs in self.rules}
        self.led_to = {
            self._key(version, table, pairs.get("jump-target", ""))
            for _, version, table, pairs in self.rules
            if pairs.get("action") == "jump"
        }
        self.untracked = any(pairs.get("action") == "notrack" for *_, pairs in self.rules)
        for number, version, table, pairs in self.rules:
            try:
                self._rule(number, version, table, pairs, chains)
            except NotUnderstood as error:
                self.draft.refuse(number, error)

    def _line(self, text: str, number: int) -> None:
        words = _WORD.findall(text)
        if text.startswith("/"):
            words = [*words[0].strip("/").split("/"), *words[1:]]
            of_menu = list(takewhile(lambda word: word not in _VERBS and "=" not in word, words))
            self.menu, words = " ".join(of_menu), words[len(of_menu) :]
        if not words:
            return
        verb, *said = words
        if verb != "add":
            raise NotUnderstood(Trouble.REMOVAL if verb in _TAKE_AWAY else Trouble.WORD, verb)
        pairs = {}
        for word in said:
            key, equals, value = word.partition("=")
            if not equals:
                raise NotUnderstood(Trouble.WORD, word)
            pairs[key] = value.strip('"')
        self._add(pairs, number)

    def _add(self, pairs: dict[str, str], number: int) -> None:
        place = self.menu.split()
        version = {"ip": 4, "ipv6": 6}.get(place[0] if place else "")
        if pairs.get("disabled") == "yes":
            return
        if version and place[1:2] == ["firewall"] and place[2:3] == ["address-list"]:
            self.lists.setdefault((version, pairs.get("list", "")), []).append(
                names.addresses(pairs.get("address", ""))
            )
        elif (version and place[1:2] == ["firewall"] and place[2:3] and place[2] in TABLES) or (
            not place and "chain" in pairs
        ):
            self.rules.append((number, version or 4, place[2] if place else "filter", pairs))
        elif version and place[1:2] == ["route"]:
            of = names.addresses(pairs.get("dst-address", ""))
            gone = "blackhole" in pairs or pairs.get("type") in {"blackhole", "unreachable", "prohibit"}
            # The default route says nothing of anybody.
            if gone or of not in ALL_OF.values():
                self.draft.add(
                    self.draft.list_of("routes", number),
                    [Rule(Action.DENY if gone else Action.REROUTE, number, destination=of)],
                )
        else:
            raise NotUnderstood(Trouble.WORD, f"/{self.menu}")

    @staticmethod
    def _key(version: int, table: str, chain: str) -> str:
        return f"{'ip' if version == 4 else 'ipv6'} {table} {chain}"

    def _rule(self, number: int, version: int, table: str, pairs: dict[str, str], chains: set[str]) -> None:
        chain, said = pairs.get("chain", ""), pairs.get("action", "accept")
        if not chain:
            raise NotUnderstood(Trouble.NO_ACTION, "chain")
        of = self.draft.list_of(self._key(version, table, chain), number)
        # One that nothing here leads to may be led to from elsewhere.
        of.applies = of.both_ways = chain not in OWN and self._key(version, table, chain) not in self.led_to
        of.untracked = self.untracked or table == "raw" or chain not in PASSES
        of.reach, of.otherwise_line = ALL_OF[version], number
        target = ""
        if said == "jump":
            target = self._key(version, table, pairs.get("jump-target", ""))
            if target not in chains:
                raise NotUnderstood(Trouble.NOT_IN_FILE, pairs.get("jump-target", ""))
        kinds = {"jump": Action.JUMP, "return": Action.RETURN}
        action = (
            Action.DENY
            if said in _CUTS
            else Action.PERMIT
            if said in _PERMIT
            else Action.REROUTE
            if said in _REROUTE
            else kinds.get(said)
        )
        if action is None and said not in _BESIDE:
            raise NotUnderstood(Trouble.WORD, said)
        rules = self._matched(Rule(action or Action.PERMIT, number, target=target), version, pairs)
        self.draft.add(of, rules if action is not None else [])

    def _matched(self, rule: Rule, version: int, pairs: dict[str, str]) -> list[Rule]:
        family = ALL_OF[version]
        rule = replace(rule, source=family, destination=family)
        either: Spans | None = None
        limited = False
        for key, said in pairs.items():
            if key in _NO_MATCH:
                continue
            negated = said.startswith("!")
            value = said.removeprefix("!")
            if key in {"src-address", "dst-address", "src-address-list", "dst-address-list"}:
                found = self._addresses(key, value, version)
                found = family - found if negated else found
                rule = (
                    replace(rule, source=rule.source & found)
                    if key.startswith("src")
                    else replace(rule, destination=rule.destination & found)
                )
            elif key == "protocol":
                protocols, partly = names.protocols(value)
                # But for one of the others is still the others.
                protocols = EVERY_PROTOCOL - (names.NONE if partly else protocols) if negated else protocols
                rule = replace(rule, protocols=rule.protocols & protocols, conditional=rule.conditional or partly)
            elif key in {"src-port", "dst-port", "port", "any-port"}:
                spans = union(names.ports(each) for each in value.split(","))
                spans = without(PORTS, spans) if negated else spans
                rule = replace(rule, protocols=rule.protocols & names.BOTH_WITH_PORTS)
                if key == "src-port":
                    rule = replace(rule, source_ports=common(rule.source_ports, spans))
                elif key == "dst-port":
                    rule = replace(rule, destination_ports=common(rule.destination_ports, spans))
                else:
                    either = spans
            elif key == "connection-state":
                rule = _in_state(rule, frozenset(value.split(",")), negated=negated)
            elif key == "tcp-flags":
                there = [each for each in said.split(",") if not each.startswith("!")]
                absent = [each[1:] for each in said.split(",") if each.startswith("!")]
                rule = tcp_flags.narrowed(rule, tcp_flags.all_of(there, absent))
            elif key == "icmp-options":
                rule = replace(rule, protocols=names.NONE)
            elif key in _LIMITS:
                limited = True
            elif said in _KNOWN_HARMLESS.get(key, ()):
                rule = replace(rule, odd=True)
            elif key in _CONDITIONS:
                rule = replace(rule, conditional=True)
            else:
                raise NotUnderstood(Trouble.WORD, key)
        if limited and rule.action is Action.DENY:
            rule = replace(rule, action=Action.LIMIT, goes_on=True)
        elif limited:
            rule = replace(rule, conditional=True)
        if either is None:
            return [rule]
        return [replace(rule, source_ports=either), replace(rule, destination_ports=either)]

    def _addresses(self, key: str, value: str, version: int) -> Addresses:
        if not key.endswith("-list"):
            found = names.addresses(value)
            if not found.of(version):
                raise NotUnderstood(Trouble.ADDRESS, value)
            return found
        if (version, value) not in self.lists:
            raise NotUnderstood(Trouble.NOT_IN_FILE, value)
        if (version, value) not in self.joined:
            self.joined[version, value] = joined(self.lists[version, value])
        return self.joined[version, value]


def _in_state(rule: Rule, states: frozenset[str], *, negated: bool) -> Rule:
    if unknown := states - EVERY_STATE:
        raise NotUnderstood(Trouble.WORD, min(unknown))
    return replace(rule, states=rule.states & (EVERY_STATE - states if negated else states))
