"""What a list of rules does to one endpoint: the first rule that fits each packet decides.

A list sees packets to an endpoint (it is the destination) and packets from it (it is the source); both ways are judged.
On a way, all packets are a product: addresses at the other end, ports here, ports there. Each rule takes out what it
fits, so the answer is exact, whatever order and overlaps the rules have. Rules that name only the other end, by address
or port, say nothing of an endpoint: a source that is closed to everybody is held against the endpoints in *that* block.

Over a stretch of addresses in which the same rules fit, the answer is the same. Rules that differ only in what they
name here have the same shape; so few shapes are judged, however many addresses a change names.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

from .change import (
    ESTABLISHED,
    EVERY_STATE,
    NEW,
    PROTOCOLS,
    WITH_PORTS,
    Action,
    Rule,
    RuleList,
    TooManyRules,
    flattened,
)
from .sorts import NO_PORT
from .space import EVERY, HIGHEST, PORTS, VERSIONS, Span, Spans, common, size, union, without

# Of one way, so many products are told apart; what is beyond is called denied in part.
MOST_BOXES = 2_000
# Spans in these products together.
MOST_SPANS_OF_BOXES = 400_000
# What a list is taken apart into, and on how many spans its rules are tried, before it is too much for one look.
MOST_PARTS = 4_000_000
MOST_TRIED = 24_000_000
TO, FROM = 0, 1
NO_PORTS: Spans = ((0, 0),)
DENY = Action.DENY
HARMLESS = frozenset({Action.PERMIT, Action.RETURN})


class State(StrEnum):
    """What becomes of an endpoint, the gravest last."""

    UNTOUCHED = "untouched"
    AFFECTED = "affected"
    CUT = "cut"


GRAVITY = tuple(State)


class Verdict(NamedTuple):
    """`lines` are those of the change that decided it, upwards; `actions` what they do."""

    state: State
    lines: tuple[int, ...] = ()
    actions: frozenset[Action] = frozenset()


UNTOUCHED = Verdict(State.UNTOUCHED)
NONE: frozenset[int] = frozenset()
# The places of the rules that fit, of those to an endpoint and of those from it.
type Fitting = tuple[tuple[int, ...], tuple[int, ...]]


class Shape(NamedTuple):
    """A rule without what it names here: what it does, and to which of the packets of a way."""

    action: Action
    protocols: frozenset[str]
    remote: Spans
    here: Spans
    there: Spans
    conditional: bool
    goes_on: bool
    named: bool
    states: frozenset[str] = EVERY_STATE


class Box(NamedTuple):
    remote: Spans
    here: Spans
    there: Spans
    # A rule lets it through under a condition that is not looked at.
    perhaps: bool = False


class OneWay(NamedTuple):
    """All of it, or some, is denied. `named`: by a rule that names its addresses or its port. `by`: places of the rules
    that did it; -1 stands for what holds without a rule. `slowed`: by a rule that does less than deny."""

    whole: bool
    some: bool
    named: bool
    by: frozenset[int] = frozenset()
    slowed: frozenset[int] = frozenset()


def one_way(
    rules: Sequence[tuple[Shape, int]],
    *,
    protocol: str,
    ports: Spans,
    family: Spans,
    otherwise: Action,
    state: str = "",
    count: Callable[[int], None] = lambda _: None,
) -> OneWay:
    """What these rules do to packets of one protocol to (or from) these ports, of one state where one is given. With
    each shape stands the place from which on it is looked at again what returns there. `count` is told on how many
    spans each rule is tried."""
    there = PORTS if protocol in WITH_PORTS else NO_PORTS
    boxes, waiting = [Box(family, ports, there)], list[tuple[int, Box]]()
    permitted = denied = in_part = named = False
    by, slowed = set[int](), set[int]()
    weight = _weight(boxes)
    for place, (shape, until) in enumerate(rules):
        if waiting:
            boxes += [box for at, box in waiting if at <= place]
            waiting = [each for each in waiting if each[0] > place]
        if protocol not in shape.protocols or (state and state not in shape.states):
            continue
        count(weight)
        here, beyond = (shape.here, shape.there) if protocol in WITH_PORTS else (NO_PORTS, NO_PORTS)
        left = list[Box]()
        for box in boxes:
            fits = Box(common(box.remote, shape.remote), common(box.here, here), common(box.there, beyond))
            if not (fits.remote and fits.here and fits.there):
                left.append(box)
                continue
            if shape.action in {Action.LIMIT, Action.REROUTE, Action.RENUMBER}:
                slowed.add(place)
            elif shape.action is DENY:
                by.add(place)
                named |= shape.named
                denied, in_part = True, in_part or shape.conditional or box.perhaps
            if shape.conditional and shape.action is Action.RETURN:
                # Both may be: it goes on here, and where it came from.
                waiting.append((until, fits._replace(perhaps=True)))
            if (shape.conditional and shape.action is not Action.PERMIT) or shape.goes_on:
                left.append(box)
                continue
            rest = (
                Box(without(box.remote, fits.remote), box.here, box.there, box.perhaps),
                Box(fits.remote, without(box.here, fits.here), box.there, box.perhaps),
                Box(fits.remote, fits.here, without(box.there, fits.there), box.perhaps),
            )
            left += [each for each in rest if each.remote and each.here and each.there]
            if shape.conditional:
                left.append(fits._replace(perhaps=True))
            elif shape.action is Action.RETURN:
                waiting.append((until, fits._replace(perhaps=box.perhaps)))
            elif shape.action is not DENY:
                permitted = True
        boxes, weight = left, _weight(left)
        if len(boxes) + len(waiting) > MOST_BOXES or weight > MOST_SPANS_OF_BOXES:
            return OneWay(False, True, named, frozenset(by), frozenset(slowed))
        if not boxes and not waiting:
            break
    boxes += [box for _, box in waiting]
    if boxes and otherwise is DENY:
        by.add(-1)
        denied, in_part = True, in_part or any(box.perhaps for box in boxes)
    elif boxes:
        permitted = True
    whole = denied and not permitted and not in_part
    return OneWay(whole, denied, named, frozenset(by), frozenset(slowed))


def _weight(boxes: Sequence[Box]) -> int:
    return sum(len(box.remote) + len(box.here) + len(box.there) for box in boxes)


def together(to: OneWay, back: OneWay, *, of: RuleList) -> tuple[State, frozenset[int], frozenset[int]]:
    """Of both ways, with the places of the rules on each that make it so.

    What a list denies to everybody, it denies to an endpoint only if it lets that through neither way: mostly it stands
    on one way alone, and who wrote it knew which. Where both ways pass it, both must be open.
    """
    ways = (to, back)
    both_shut = (to.some or back.some) if of.both_ways else (to.some and back.some)
    all_shut = (to.whole or back.whole) if of.both_ways else (to.whole and back.whole)
    whole = [way.whole and (way.named or (both_shut and all_shut)) for way in ways]
    if any(whole):
        return State.CUT, to.by if whole[0] else NONE, back.by if whole[1] else NONE
    if both_shut or to.named or back.named:
        return State.AFFECTED, to.by | to.slowed, back.by | back.slowed
    return State.AFFECTED if to.slowed or back.slowed else State.UNTOUCHED, to.slowed, back.slowed


def either(one: OneWay, other: OneWay) -> OneWay:
    """Of packets both of which a connection needs."""
    return OneWay(
        one.whole or other.whole,
        one.some or other.some,
        one.named or other.named,
        one.by | other.by,
        one.slowed | other.slowed,
    )


def is_broad(spans: Spans, highest: int) -> bool:
    """Whether these are a quarter or more of all numbers up to this one: then they name no other end. What nobody
    should send from (private use, multicast and the like) is a seventh of IPv4."""
    return bool(spans) and 4 * size(spans) >= highest + 1


class Stretches(NamedTuple):
    """All addresses of one family, as a list is looked at: stretches in which the same rules fit, in order; and the
    rules that fit everywhere, which are all that fits between the stretches. Stretches in which rules of the same
    shapes fit are of one `kind`; of each kind, `kinds` has the rules of the first."""

    firsts: list[int]
    lasts: list[int]
    fitting: list[Fitting]
    kind: list[int]
    kinds: list[Fitting]
    everywhere: Fitting


class Judge:
    """Says what one list does to endpoints. Raises what `flattened` does."""

    def __init__(self, of: RuleList, named: Mapping[str, RuleList]) -> None:
        self.of = of
        self.rules = flattened(of, named)
        self._parts = self._tried = 0
        self._returns = any(rule.until for rule in self.rules)
        self._by_state = not of.untracked and any(rule.states != EVERY_STATE for rule in self.rules)
        self._numbers: dict[Shape, int] = {}
        self._denied: dict[object, tuple[Spans, Spans]] = {}
        self._narrow: dict[int, list[bool]] = {}
        # By family and way: the shape of each rule, and its number.
        self._shapes: dict[tuple[int, int], dict[int, tuple[int, Shape]]] = {}
        self._known: dict[object, tuple[State, frozenset[int], frozenset[int]]] = {}
        self._families = {version: self._family(version) for version in VERSIONS}

    def _touches_others(self, version: int) -> bool:
        return any(self.everywhere(version, each).state is not State.UNTOUCHED for each in PROTOCOLS)

    def stretches(self, version: int) -> list[Span]:
        """Where something fits that does not fit everywhere, and makes a difference."""
        family, harms = self._families[version], self._touches_others(version)
        harming = [harms or self._harms(fitting) for fitting in family.kinds]
        return [
            (first, last)
            for first, last, kind in zip(family.firsts, family.lasts, family.kind, strict=True)
            if harming[kind]
        ]

    def verdict(self, version: int, block: Span, protocol: str, port: int | None) -> Verdict:
        """Of an endpoint: `protocol` is one of PROTOCOLS or `any`."""
        ports = PORTS if port is None else ((port, port),)
        protocols = PROTOCOLS if protocol == "any" else (protocol,)
        return worst_of_parts(
            [
                self._of(version, fitting, each, ports)
                for fitting in self._in_block(version, block)
                for each in protocols
            ]
        )

    def everywhere(self, version: int, protocol: str, port: int | None = None) -> Verdict:
        """Of an endpoint that no rule names."""
        ports = PORTS if port is None else ((port, port),)
        protocols = PROTOCOLS if protocol == "any" else (protocol,)
        fitting = self._families[version].everywhere
        return worst_of_parts([self._of(version, fitting, each, ports) for each in protocols])

    def by_port(self, version: int, protocol: str) -> Iterator[tuple[Span, State]]:
        """What becomes of endpoints that no rule names, by spans of ports, NO_PORT for those that have all of them."""
        fitting = self._families[version].everywhere
        without_port = self._of(version, fitting, protocol, PORTS).state
        if protocol not in WITH_PORTS:
            yield (NO_PORT, PORTS[0][1]), without_port
            return
        yield (NO_PORT, NO_PORT), without_port
        # At each port only the rules that name it are tried, so many rules for a port each cost what they are.
        edges: dict[int, list[tuple[bool, int, int]]] = {0: []}
        for way, places in enumerate(fitting):
            for place in places:
                shape = self._shapes[version, way][place][1]
                for first, last in shape.here if protocol in shape.protocols else ():
                    edges.setdefault(first, []).append((True, way, place))
                    edges.setdefault(last + 1, []).append((False, way, place))
        beyond = PORTS[0][1] + 1
        edges.pop(beyond, None)
        active = (set[int](), set[int]())
        for here, following in pairwise([*sorted(edges), beyond]):
            for begins, way, place in edges[here]:
                (active[way].add if begins else active[way].discard)(place)
            fits = (tuple(sorted(active[TO])), tuple(sorted(active[FROM])))
            yield (here, following - 1), self._of(version, fits, protocol, ((here, here),)).state

    def denied(self, version: int, protocol: str) -> tuple[Spans, Spans]:
        """All addresses at which all of this protocol is denied; and those at which it is denied, maybe in part, by
        what denies all of its ports."""
        family = self._families[version]
        if version not in self._narrow:
            self._narrow[version] = [self._is_narrow(fitting) for fitting in family.kinds]
        states = (
            self._blanket(version, family.everywhere, protocol),
            *(
                State.UNTOUCHED if narrow else self._blanket(version, fitting, protocol)
                for fitting, narrow in zip(family.kinds, self._narrow[version], strict=True)
            ),
        )
        # Of most changes each protocol has the same.
        if (version, states) not in self._denied:
            self._denied[version, states] = self._of_states(family, EVERY[version], *states)
        return self._denied[version, states]

    @staticmethod
    def _of_states(family: Stretches, everything: Spans, between: State, *state_of: State) -> tuple[Spans, Spans]:
        cut, touched = list[Span](), list[Span]()
        for first, last, kind in zip(family.firsts, family.lasts, family.kind, strict=True):
            if (state := state_of[kind]) is not State.UNTOUCHED:
                touched.append((first, last))
                if state is State.CUT:
                    cut.append((first, last))
        if between is not State.UNTOUCHED:
            rest = without(everything, union(zip(family.firsts, family.lasts, strict=True)))
            touched.extend(rest)
            cut.extend(rest if between is State.CUT else ())
        whole = union(cut)
        return whole, whole if len(cut) == len(touched) else union(touched)

    def _blanket(self, version: int, fitting: Fitting, protocol: str) -> State:
        """What becomes of all ports: affected only by what denies them all."""
        state, rules = self._decided(version, fitting, protocol, PORTS)
        return state if state is State.CUT or _all_ports(rules) else State.UNTOUCHED

    def denies_others(self, version: int, protocol: str) -> bool:
        """Whether this protocol is denied, maybe under a condition, to an endpoint that no rule names."""
        return _all_ports(self._decided(version, self._families[version].everywhere, protocol, PORTS)[1])

    def _is_narrow(self, fitting: Fitting) -> bool:
        """Nearly all of a long list are: one rule for some ports on a way, and these are not all of them."""
        if self.of.otherwise is DENY:
            return False
        harming = [[rule for place in way if (rule := self.rules[place]).action not in HARMLESS] for way in fitting]
        return all(len(way) < 2 and not _all_ports(way) for way in harming)

    def _harms(self, fitting: Fitting) -> bool:
        return any(self.rules[place].action not in HARMLESS for places in fitting for place in places)

    def _in_block(self, version: int, block: Span) -> Iterator[Fitting]:
        """What fits in each part of it."""
        family = self._families[version]
        first, last = block
        at = max(bisect_right(family.firsts, first) - 1, 0)
        while first <= last and at < len(family.firsts) and family.firsts[at] <= last:
            if family.lasts[at] >= first:
                if family.firsts[at] > first:
                    yield family.everywhere
                yield family.fitting[at]
                first = family.lasts[at] + 1
            at += 1
        if first <= last:
            yield family.everywhere

    def _of(self, version: int, fitting: Fitting, protocol: str, ports: Spans) -> Verdict:
        state, rules = self._decided(version, fitting, protocol, ports)
        if state is State.UNTOUCHED:
            return UNTOUCHED
        lines = {rule.line if rule else self.of.otherwise_line for rule in rules}
        return Verdict(state, tuple(sorted(lines)), frozenset(rule.action if rule else DENY for rule in rules))

    def _decided(self, version: int, fitting: Fitting, protocol: str, ports: Spans) -> tuple[State, list[Rule | None]]:
        """With the rules that decided it; None stands for what holds without a rule."""
        if protocol not in WITH_PORTS:
            ports = NO_PORTS
        key = (version, self._look(version, fitting), protocol, ports)
        known = self._known.get(key)
        if known is None:
            ways = (self._shapes[version, TO], self._shapes[version, FROM])
            otherwise = self.of.otherwise if self.of.reach.of(version) else Action.PERMIT
            seen = []
            # Where both ways pass, what comes from an endpoint is the rest of what was begun at it.
            back = (ESTABLISHED,) if self.of.both_ways else (NEW, ESTABLISHED)
            for places, shapes, states in zip(fitting, ways, ((NEW, ESTABLISHED), back), strict=True):
                self._try(len(places))
                rules = [(shapes[place][1], self._until(places, place)) for place in places]
                found = [
                    one_way(
                        rules,
                        protocol=protocol,
                        ports=ports,
                        family=EVERY[version],
                        otherwise=otherwise,
                        state=state,
                        count=self._try,
                    )
                    for state in (states if self._by_state else ("",))
                ]
                seen.append(reduce(either, found))
            known = self._known[key] = together(*seen, of=self.of)
        state, *by = known
        return state, [
            self.rules[places[at]] if at >= 0 else None
            for places, which in zip(fitting, by, strict=True)
            for at in which
        ]

    def _until(self, places: Sequence[int], place: int) -> int:
        """The first among these at which what returns here is looked at again."""
        until = self.rules[place].until
        return sum(each < until for each in places) if until else 0

    def _family(self, version: int) -> Stretches:
        everywhere: tuple[list[int], list[int]] = ([], [])
        # Rules that name the very same addresses, such as those of a set, begin and end together.
        alike: dict[tuple[int, int], tuple[int, Spans, list[int]]] = {}
        of_family = [
            (place, rule)
            for place, rule in enumerate(self.rules)
            if rule.source.of(version) and rule.destination.of(version)
        ]
        # Rules of one set share its spans, which are looked at once.
        broad = dict[int, bool]()

        def most_addresses(spans: Spans) -> bool:
            if id(spans) not in broad:
                broad[id(spans)] = is_broad(spans, HIGHEST[version])
            return broad[id(spans)]

        for way in (TO, FROM):
            shapes = self._shapes[version, way] = {}
            most_ends = _closed_to_most(of_family, version, way)
            for place, rule in of_family:
                near, shape = _seen(
                    rule, version, way, untracked=self.of.untracked, all_ends=most_ends, most_addresses=most_addresses
                )
                if shape is None:
                    continue
                shapes[place] = (self._numbers.setdefault(shape, len(self._numbers)), shape)
                if near == EVERY[version]:
                    everywhere[way].append(place)
                else:
                    alike.setdefault((way, id(near)), (way, near, []))[2].append(place)
        # What begins or ends at each edge: whether it begins, and which of these.
        edges: dict[int, list[tuple[bool, int]]] = {}
        groups = list(alike.values())
        self._count(sum(len(near) for _, near, _ in groups))
        for number, (_, near, _) in enumerate(groups):
            for first, last in near:
                edges.setdefault(first, []).append((True, number))
                edges.setdefault(last + 1, []).append((False, number))
        found = Stretches([], [], [], [], [], (tuple(everywhere[TO]), tuple(everywhere[FROM])))
        active, known = set[int](), dict[object, int]()
        made: dict[frozenset[int], tuple[Fitting, int]] = {}
        for here, following in pairwise([*sorted(edges), HIGHEST[version] + 2]):
            for begins, number in edges[here]:
                (active.add if begins else active.discard)(number)
            if not active:
                continue
            now = frozenset(active)
            if now not in made:
                ways: tuple[list[int], list[int]] = ([], [])
                for number in now:
                    ways[groups[number][0]].extend(groups[number][2])
                self._count(sum(len(ways[way]) and len(ways[way]) + len(everywhere[way]) for way in (TO, FROM)))
                fitting = (
                    tuple(sorted([*ways[TO], *everywhere[TO]])) if ways[TO] else found.everywhere[TO],
                    tuple(sorted([*ways[FROM], *everywhere[FROM]])) if ways[FROM] else found.everywhere[FROM],
                )
                kind = known.setdefault(self._look(version, fitting), len(found.kinds))
                found.kinds.extend([fitting] if kind == len(found.kinds) else [])
                made[now] = fitting, kind
            found.firsts.append(here)
            found.lasts.append(following - 1)
            found.fitting.append(made[now][0])
            found.kind.append(made[now][1])
        return found

    def _try(self, often: int) -> None:
        self._tried += often
        if self._tried > MOST_TRIED:
            raise TooManyRules(MOST_TRIED)

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MOST_PARTS:
            raise TooManyRules(MOST_PARTS)

    def _look(self, version: int, fitting: Fitting) -> object:
        """The same for rules that have the same shapes, in the same order."""
        to, back = self._shapes[version, TO], self._shapes[version, FROM]
        # Where something returns, it matters how many rules later.
        return (
            tuple([to[place][0] for place in fitting[TO]]),
            tuple([back[place][0] for place in fitting[FROM]]),
            fitting if self._returns else (),
        )


def _all_ports(rules: Iterable[Rule | None]) -> bool:
    """Whether one of them denies whatever the port."""
    return any(
        rule is None or (rule.action is DENY and rule.source_ports == rule.destination_ports == PORTS) for rule in rules
    )


def _ends(rule: Rule, version: int, way: int) -> tuple[Spans, Spans, Spans, Spans, bool]:
    """Addresses and ports here, addresses and ports there, and whether what is here is named."""
    ends = ((rule.destination, rule.destination_ports), (rule.source, rule.source_ports))
    (here, ports_here), (there, ports_there) = ends if way == TO else ends[::-1]
    near = here.of(version)
    return near, ports_here, there.of(version), ports_there, ports_here != PORTS or near != EVERY[version]


def _closed_to_most(rules: Sequence[tuple[int, Rule]], version: int, way: int) -> bool:
    """Whether rules about the other end together close a quarter or more of all addresses or ports there: then they
    are about who is here."""
    addresses, ports = dict[int, Spans](), dict[int, Spans]()
    for _, rule in rules:
        *_, far, ports_there, named = _ends(rule, version, way)
        if named or rule.odd or rule.action in HARMLESS:
            continue
        # Rules of one set share its spans, which are looked at once.
        if far == EVERY[version] and ports_there != PORTS:
            ports[id(ports_there)] = ports_there
        elif ports_there == PORTS and far != EVERY[version]:
            addresses[id(far)] = far
    return any(
        is_broad(union(span for spans in found.values() for span in spans), highest)
        for found, highest in ((addresses, HIGHEST[version]), (ports, PORTS[0][1]))
    )


def _seen(
    rule: Rule,
    version: int,
    way: int,
    *,
    untracked: bool,
    all_ends: bool,
    most_addresses: Callable[[Spans], bool],
) -> tuple[Spans, Shape | None]:
    """Which addresses here a rule names on one way, and its shape; none if it decides nothing of them."""
    near, ports_here, far, ports_there, named = _ends(rule, version, way)
    states, conditional = rule.states, rule.conditional
    if untracked and states != EVERY_STATE:
        states, conditional = EVERY_STATE, True
    if not near or not far or rule.odd or not rule.protocols or states.isdisjoint({NEW, ESTABLISHED}):
        return near, None
    if not (named or all_ends) and not (is_broad(ports_there, PORTS[0][1]) and most_addresses(far)):
        # It is about the other end.
        return near, None
    conditions = (conditional, rule.goes_on)
    return near, Shape(rule.action, rule.protocols, far, ports_here, ports_there, *conditions, named, states)


def worst_of_parts(found: Sequence[Verdict]) -> Verdict:
    """Of what one endpoint is made of: cut if all of it is, affected if anything is."""
    touched = [each for each in found if each.state is not State.UNTOUCHED]
    if len(found) == 1 or not touched:
        return found[0]
    whole = len(touched) == len(found) and all(each.state is State.CUT for each in touched)
    return _joined(State.CUT if whole else State.AFFECTED, touched)


def worst_of_lists(found: Sequence[Verdict]) -> Verdict:
    """Of several lists, each of which may stand on the way: the gravest."""
    state = max((each.state for each in found), default=State.UNTOUCHED, key=GRAVITY.index)
    return UNTOUCHED if state is State.UNTOUCHED else _joined(state, [each for each in found if each.state is state])


def _joined(state: State, found: Sequence[Verdict]) -> Verdict:
    lines = sorted({line for each in found for line in each.lines})
    return Verdict(state, tuple(lines), frozenset().union(*(each.actions for each in found)))
