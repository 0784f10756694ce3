"""One rule of nftables: what it matches, and what it does."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .. import names, tcp_flags
from ..change import (
    ESTABLISHED,
    EVERY_PROTOCOL,
    EVERY_STATE,
    MOST_RULES,
    NEW,
    Action,
    NotUnderstood,
    Rule,
    TooManyRules,
    Trouble,
)
from ..space import ALL_OF, ANYWHERE, NOWHERE, PORTS, Addresses, Spans, common, union, without

ADDRESSES = frozenset({"ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr"})
OPERATORS = frozenset({"==", "=", "!=", "<", ">", "<=", ">="})
VERDICTS = frozenset({"accept", "drop", "reject", "return", "continue", "jump", "goto", "queue"})
# What begins something else in a rule, after something that may have any number of words.
_BEGINS = VERDICTS | {"counter", "log", "comment", "limit", "dnat", "snat", "masquerade", "redirect", "notrack"}
_TRANSPORTS = {"tcp": frozenset({"tcp"}), "udp": frozenset({"udp"}), "th": names.BOTH_WITH_PORTS}
_CARRIES_NONE = frozenset({"arp", "0x0806"})
_FAMILY = {"ip": 4, "ipv4": 4, "0x0800": 4, "ip6": 6, "ipv6": 6, "0x86dd": 6}
# Conditions that are not looked at: whatever a rule under one does, it does to a part.
_META = frozenset(
    "iif iifname oif oifname iifgroup oifgroup iiftype oiftype iifkind oifkind mark skuid skgid cgroup rtclassid cpu "
    "priority nftrace time day hour sdif sdifname ibrname obrname pkttype length ibrpvid ibrvproto ibrhwaddr secmark "
    "random".split()
)
_WORDS_BEFORE_VALUE = frozenset({"ether", "vlan", "rt", "socket", "osf", "ipsec", "exthdr", "frag", "hbh", "dst", "mh"})
# What is known to fit no packet that begins or carries a connection in order, by what is matched and each value that it
# may have. All else is a condition.
_KNOWN_HARMLESS: Mapping[str, frozenset[str]] = {
    "pkttype": frozenset({"broadcast", "multicast"}),
    "fib saddr oif": frozenset({"missing", "0"}),
    "fib saddr . iif oif": frozenset({"missing", "0"}),
    "fib daddr type": frozenset({"broadcast", "multicast"}),
    "rt type": frozenset({"0"}),
    **dict.fromkeys(
        ("ip frag-off & 0x1fff", "ip frag-off & 8191", "frag frag-off"), frozenset({"> 0", "!= 0", "> 0x0", "!= 0x0"})
    ),
    **dict.fromkeys(("exthdr hbh", "exthdr rt", "exthdr dst", "exthdr mh"), frozenset({"exists"})),
    **dict.fromkeys(("ip option lsrr", "ip option ssrr", "ip option rr"), frozenset({"exists"})),
}
# What may be written into a packet without a harm to where it goes.
_MAY_BE_SET = frozenset(
    {"meta mark", "meta priority", "meta nftrace", "ct mark", "ct label", "ct helper", "ct event", "ct zone", "mark",
     "priority", "nftrace", "ip dscp", "ip6 dscp", "ip ecn", "ip6 ecn", "tcp option maxseg size"}
)  # fmt: skip
_ARITHMETIC = frozenset({"and", "or", "xor", "&", "|", "^", "<<", ">>"})
# What may stand behind `meta`, `ct`, `rt` and the like where a value is set from them.
_ASIDE = frozenset({"mark", "mtu", "priority", "dscp", "zone", "helper", "cpu", "iif", "oif", "ttl", "hoplimit"})
_UNITS = frozenset({"packets", "bytes", "kbytes", "mbytes", "gbytes"})
_LOG = frozenset({"prefix", "level", "flags", "group", "queue-threshold", "snaplen"})


class Element(NamedTuple):
    """Of a set or map: its parts, and what becomes of it."""

    parts: tuple[str, ...]
    verdict: tuple[str, ...] = ()


@dataclass
class Named:
    """A set or map of a table. `types` says what each part of an element is, as far as that is known."""

    elements: list[Element] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    known: dict[int, Spans] = field(default_factory=dict)

    def addresses(self, version: int) -> Spans:
        """Those of a family, put together once for all rules. Raises NotUnderstood."""
        if version not in self.known:
            self.known[version] = _spans(version, [each.parts[0] for each in self.elements])
        return self.known[version]

    def check(self, element: Element) -> None:
        """Raises NotUnderstood, so that an element is named where it stands."""
        for kind, text in zip(self.types, element.parts, strict=False):
            if kind.endswith(("_addr", "saddr", "daddr")) and "ether" not in kind:
                names.addresses(text)
            elif kind.endswith(("inet_service", "sport", "dport")):
                names.ports(text)
            elif kind.endswith(("inet_proto", "l4proto", "protocol", "nexthdr")):
                names.protocols(text)


def element_of(words: Sequence[str]) -> Element:
    """`192.0.2.1 . udp . 1194 timeout 1h : accept`. Raises NotUnderstood."""
    verdict: tuple[str, ...] = ()
    if ":" in words:
        at = list(words).index(":")
        words, verdict = words[:at], tuple(words[at + 1 :])
    parts, take = list[str](), True
    for word in words:
        if word == ".":
            take = True
        elif take:
            parts.append(word)
            take = False
        elif (parts and word == "-") or (parts and parts[-1].endswith("-")):
            parts[-1] += word
        elif word in {"timeout", "expires", "comment", "counter"}:
            break
        else:
            raise NotUnderstood(Trouble.WORD, word)
    return Element(tuple(parts), verdict)


class Words:
    """The words of a rule, one after the other."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words, self.at = words, 0

    def peek(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def next(self) -> str:
        word = self.peek()
        if not word:
            raise NotUnderstood(Trouble.OPEN, self.words[-1])
        self.at += 1
        return word

    def take(self, *expected: str) -> bool:
        if self.peek() in expected:
            self.at += 1
            return True
        return False

    def until(self, stops: Collection[str]) -> list[str]:
        found = []
        while self.peek() and self.peek() not in stops:
            found.append(self.next())
        return found


def rule_of(
    words: Sequence[str],
    line: int,
    named: Mapping[str, Named],
    is_chain: Callable[[str], bool],
    expand: Callable[[int], None],
) -> list[Rule]:
    """None for a rule that decides nothing. `expand` is told how many elements were put in the place of a name. Raises
    NotUnderstood."""
    return list(_Reading(Words(words), line, named, is_chain, expand).rules())


class _Reading:
    def __init__(
        self,
        words: Words,
        line: int,
        named: Mapping[str, Named],
        is_chain: Callable[[str], bool],
        expand: Callable[[int], None],
    ) -> None:
        self.words, self.named, self.is_chain, self.expand = words, named, is_chain, expand
        self.fits = [Rule(Action.PERMIT, line)]
        self.limited = False

    def rules(self) -> Iterator[Rule]:
        while word := self.words.peek():
            if word in VERDICTS:
                yield from self._verdicts(self._verdict())
            elif word in {"dnat", "redirect", "tproxy", "fwd", "dup"}:
                self.words.until(_BEGINS - {word})
                yield from self._verdicts((Action.REROUTE, ""))
            elif not self._statement():
                yield from self._match()

    def _verdict(self) -> tuple[Action, str] | None:
        word = self.words.next()
        if word in {"jump", "goto"}:
            target = self.words.next()
            if not self.is_chain(target):
                raise NotUnderstood(Trouble.NOT_IN_FILE, target)
            return Action(word), target
        if word in {"reject", "queue"}:
            self.words.until({"comment"})
        kinds = {"accept": Action.PERMIT, "return": Action.RETURN, "queue": Action.REROUTE}
        return None if word == "continue" else (kinds.get(word, Action.DENY), "")

    def _verdicts(self, verdict: tuple[Action, str] | None, fits: Sequence[Rule] | None = None) -> Iterator[Rule]:
        if verdict is None:
            return
        action, target = verdict
        for fit in self.fits if fits is None else fits:
            # What is dropped beyond a rate, or up to one, is not all of it.
            if self.limited and action is Action.DENY:
                yield replace(fit, action=Action.LIMIT, goes_on=True)
            else:
                conditional = fit.conditional or self.limited
                yield replace(fit, action=action, target=target, conditional=conditional)

    def _statement(self) -> bool:
        """What does something beside the verdict."""
        words = self.words
        word = words.peek()
        if word == "counter":
            words.next()
            while words.take("packets", "bytes", "name"):
                words.next()
        elif word == "comment":
            words.at += 2
        elif word == "log":
            words.next()
            while words.take(*_LOG):
                words.next()
                while words.take(","):
                    words.next()
        elif word in {"limit", "quota"} or (word == "ct" and words.peek(1) == "count"):
            self._limit()
        elif word in {"masquerade", "snat", "synproxy"}:
            # Nothing of the rule is looked at after these, but for a comment.
            words.next()
            words.until(_BEGINS)
        elif word == "notrack":
            words.next()
        elif word in {"flow", "add", "update", "delete"}:
            words.next()
            words.take("add")
            words.next()
            # An element may be added only up to a rate.
            self.limited |= bool({"limit", "quota", "count"}.intersection(self._in_braces()))
        elif "set" in (words.peek(1), words.peek(2), words.peek(4) if words.peek(1) == "option" else ""):
            what = " ".join(words.until({"set"}))
            if what not in _MAY_BE_SET:
                raise NotUnderstood(Trouble.WORD, f"{what} set")
            while words.take("set", *_ARITHMETIC):
                words.next()
                words.take(*_ASIDE)
                if words.take("map"):
                    words.take(*(each for each in [words.peek()] if each.startswith("@")))
                    self._in_braces()
        else:
            return False
        return True

    def _limit(self) -> None:
        """`limit rate over 10 mbytes/second burst 5 packets`, `limit name "x"`, `quota 5 gbytes`, `ct count over 9`."""
        words = self.words
        self.limited = True
        words.at += 2 if words.peek() == "ct" else 1
        words.take("name", "rate")
        words.take("over", "until")
        words.next()
        words.take(*_UNITS, *(each for each in [words.peek()] if "/" in each))
        if words.take("burst", "used"):
            words.next()
            words.take(*_UNITS)

    def _in_braces(self) -> list[str]:
        if not self.words.take("{"):
            return []
        found = self.words.until({"}"})
        self.words.next()
        return found

    # -- matches

    def _match(self) -> Iterator[Rule]:
        keys = [self._key()]
        while self.words.take("."):
            keys.append(self._key())
        if self.words.take("vmap"):
            for element in self._elements(keys):
                fits = [self._narrowed(fit, keys, [element.parts]) for fit in self.fits]
                said = Words(element.verdict)
                yield from self._verdicts(_of_element(said, self.is_chain), fits)
            return
        if keys[0] == "tcp flags":
            self._flags()
            return
        bits = self.words.next() if self.words.take("&", "and") else ""
        operator = self.words.next() if self.words.peek() in OPERATORS else ""
        negated = operator == "!="
        if len(keys) == 1 and keys[0] in ADDRESSES and self.words.peek().startswith("@"):
            family, _, what = keys[0].partition(" ")
            version = 4 if family == "ip" else 6
            spans = self._named().addresses(version)
            self.fits = [_addressed(fit, what, version, spans, negated=negated) for fit in self.fits]
            return
        elements = self._elements(keys)
        if len(keys) == 1 and self._is_harmless(f"{keys[0]} & {bits}" if bits else keys[0], operator, elements):
            self.fits = [replace(fit, odd=True) for fit in self.fits]
            return
        if bits:
            self.fits = [replace(fit, conditional=True) for fit in self.fits]
            return
        if operator in {"<", ">", "<=", ">="}:
            if not keys[0].endswith("port"):
                self.fits = [replace(fit, conditional=True) for fit in self.fits]
                return
            elements = [Element((_beyond(operator, names.port(elements[0].parts[0])),))]
        if len(keys) == 1:
            values = [each.parts[:1] for each in elements]
            self.fits = [self._narrowed(fit, keys, values, negated=negated) for fit in self.fits]
        elif negated:
            self.fits = [replace(fit, conditional=True) for fit in self.fits]
        else:
            if len(self.fits) * len(elements) > MOST_RULES:
                raise TooManyRules(MOST_RULES)
            self.fits = [self._narrowed(fit, keys, [each.parts]) for fit in self.fits for each in elements]

    def _key(self) -> str:
        word = self.words.next()
        if word in {
            "ip",
            "ip6",
            *_TRANSPORTS,
            "sctp",
            "dccp",
            "udplite",
            "icmp",
            "icmpv6",
            "igmp",
            "esp",
            "ah",
            "comp",
        }:
            said = f"{word} {self.words.next()}"
            return f"{said} {self.words.next()}" if said == "ip option" else said
        if word == "meta":
            word = self.words.next()
            if word == "ipsec":
                return "condition"
        if word in {"l4proto", "protocol", "nfproto"}:
            return f"meta {word}"
        if word in _META:
            return word if word in _KNOWN_HARMLESS else "condition"
        if word == "ct":
            what = self.words.next()
            if what in {"original", "reply"}:
                self.words.next()
                if self.words.peek() in {"saddr", "daddr", "ip", "ip6"}:
                    self.words.next()
                return "condition"
            return "ct state" if what == "state" else "condition"
        if word == "fib":
            asked = [self.words.next()]
            while self.words.take("."):
                asked += [".", self.words.next()]
            return " ".join([word, *asked, self.words.next()])
        if word in _WORDS_BEFORE_VALUE:
            said = f"{word} {self.words.next()}"
            return said if said == "ether type" or said in _KNOWN_HARMLESS else "condition"
        if word in {"iif", "oif"}:
            return "condition"
        raise NotUnderstood(Trouble.WORD, word)

    def _elements(self, keys: Sequence[str]) -> list[Element]:
        words = self.words
        if words.take("{"):
            found, element = list[Element](), list[str]()
            while True:
                word = words.next()
                if word in {",", "}"}:
                    found += [element_of(element)] if element else []
                    element = []
                    if word == "}":
                        return found
                else:
                    element.append(word)
        if words.peek().startswith("@"):
            of = self._named().elements
            self.expand(len(of) * len(self.fits))
            return of
        if words.peek() in VERDICTS:
            # A condition of a form that is not known: what it does would be read as a value.
            raise NotUnderstood(Trouble.WORD, words.peek())
        parts = [words.next()]
        while words.take("-"):
            parts[-1] += f"-{words.next()}"
        while len(parts) < len(keys) and words.take("."):
            parts.append(words.next())
        found = [Element(tuple(parts))]
        while words.take(",", "|"):
            found.append(Element((words.next(),)))
        return found

    def _named(self) -> Named:
        name = self.words.next()[1:]
        of = self.named.get(name)
        if of is None or not of.elements:
            raise NotUnderstood(Trouble.NOT_IN_FILE, f"@{name}")
        return of

    @staticmethod
    def _is_harmless(key: str, operator: str, elements: Sequence[Element]) -> bool:
        known = _KNOWN_HARMLESS.get(key, frozenset())
        before = "" if operator in {"", "=", "=="} else f"{operator} "
        return bool(elements) and all(before + " ".join(each.parts) in known for each in elements)

    def _flags(self) -> None:
        said = []
        while (word := self.words.peek()) and (
            word.strip("()") in tcp_flags.FLAGS
            or word in OPERATORS | {"&", "|", ",", "/", "and", "or", "{", "}", "!"}
            or word.startswith("0x")
            or word == "0"
        ):
            said.append(self.words.next())
        fits = tcp_flags.of_nftables(said)
        # Of what begins connections it may be certain, and a condition for the rest.
        states = ((NEW,), (ESTABLISHED,)) if fits else ((NEW, ESTABLISHED),)
        self.fits = [tcp_flags.narrowed(fit, fits, of) for fit in self.fits for of in states]

    def _narrowed(
        self, fit: Rule, keys: Sequence[str], values: Sequence[Sequence[str]], *, negated: bool = False
    ) -> Rule:
        for at, key in enumerate(keys):
            texts = [each[at] for each in values if at < len(each)]
            if len(texts) < len(values):
                raise NotUnderstood(Trouble.WORD, " . ".join(values[0]) if values else key)
            fit = _with(fit, key, texts, negated=negated)
        return fit


def _of_element(said: Words, is_chain: Callable[[str], bool]) -> tuple[Action, str] | None:
    word = said.next()
    if word in {"jump", "goto"}:
        target = said.next()
        if not is_chain(target):
            raise NotUnderstood(Trouble.NOT_IN_FILE, target)
        return Action(word), target
    known = {"accept": Action.PERMIT, "drop": Action.DENY, "return": Action.RETURN}
    if word == "continue":
        return None
    if word not in known:
        raise NotUnderstood(Trouble.WORD, word)
    return known[word], ""


def _with(fit: Rule, key: str, texts: Sequence[str], *, negated: bool) -> Rule:
    """The rule, only for packets of which this key has one of these values."""
    protocol, _, what = key.partition(" ")
    if key in ADDRESSES:
        version = 4 if protocol == "ip" else 6
        return _addressed(fit, what, version, _spans(version, texts), negated=negated)
    if what in {"sport", "dport"}:
        if protocol not in _TRANSPORTS:
            return replace(fit, protocols=fit.protocols & names.OTHER, conditional=True)
        spans = union(names.ports(each) for each in texts)
        spans = without(PORTS, spans) if negated else spans
        fit = replace(fit, protocols=fit.protocols & _TRANSPORTS[protocol])
        if what == "sport":
            return replace(fit, source_ports=common(fit.source_ports, spans))
        return replace(fit, destination_ports=common(fit.destination_ports, spans))
    if key in {"meta l4proto", "ip protocol", "ip6 nexthdr"}:
        fit = _of_family(fit, {"ip": 4, "ip6": 6}.get(protocol))
        found = [names.protocols(each) for each in texts]
        fitting = frozenset().union(*(each for each, _ in found))
        # But for one of the others is still the others.
        only_part = any(partly for _, partly in found)
        fitting = EVERY_PROTOCOL - fitting | (names.OTHER if only_part else names.NONE) if negated else fitting
        # Negated, such a rule is whole for the five.
        only_part &= fitting <= names.OTHER
        return replace(fit, protocols=fit.protocols & fitting, conditional=fit.conditional or only_part)
    if key in {"meta nfproto", "meta protocol", "ether type"}:
        if any(each.lower() not in _FAMILY and each.lower() not in _CARRIES_NONE for each in texts) and not negated:
            return replace(fit, conditional=True)
        versions = {_FAMILY.get(each.lower()) for each in texts}
        of = [version for version in (4, 6) if (version in versions) is not negated]
        both = ANYWHERE if len(of) == 2 else ALL_OF[of[0]] if of else NOWHERE
        return replace(fit, source=fit.source & both, destination=fit.destination & both)
    if key == "ct state":
        return _in_state(fit, frozenset(texts), negated=negated)
    if protocol in {"icmp", "icmpv6", "igmp"}:
        return replace(
            fit, protocols=fit.protocols & (names.OTHER if protocol == "igmp" else names.NONE), conditional=True
        )
    if protocol in {"esp", "ah", "comp", "sctp", "dccp", "udplite"}:
        return replace(fit, protocols=fit.protocols & names.protocols(protocol)[0], conditional=True)
    if protocol in _TRANSPORTS:
        fit = replace(fit, protocols=fit.protocols & _TRANSPORTS[protocol])
    return replace(_of_family(fit, {"ip": 4, "ip6": 6}.get(protocol)), conditional=True)


def _spans(version: int, texts: Sequence[str]) -> Spans:
    spans: list[tuple[int, int]] = []
    for text in texts:
        if text.startswith("$"):
            raise NotUnderstood(Trouble.NOT_IN_FILE, text)
        found = names.addresses(text).of(version)
        if not found:
            raise NotUnderstood(Trouble.ADDRESS, text)
        spans += found
    return union(spans)


def _addressed(fit: Rule, what: str, version: int, of: Spans, *, negated: bool) -> Rule:
    of = without(ALL_OF[version].of(version), of) if negated else of
    block = Addresses(v4=of) if version == 4 else Addresses(v6=of)
    fit = _of_family(fit, version)
    if what == "saddr":
        return replace(fit, source=fit.source & block)
    return replace(fit, destination=fit.destination & block)


def _of_family(fit: Rule, version: int | None) -> Rule:
    if version is None:
        return fit
    return replace(fit, source=fit.source & ALL_OF[version], destination=fit.destination & ALL_OF[version])


def _in_state(fit: Rule, states: frozenset[str], *, negated: bool) -> Rule:
    if unknown := states - EVERY_STATE:
        raise NotUnderstood(Trouble.WORD, min(unknown))
    return replace(fit, states=fit.states & (EVERY_STATE - states if negated else states))


def _beyond(operator: str, number: int) -> str:
    first, last = {">": (number + 1, 65_535), ">=": (number, 65_535), "<": (0, number - 1), "<=": (0, number)}[operator]
    return f"{first}-{last}"
