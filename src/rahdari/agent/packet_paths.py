"""What becomes of a packet in the chains of a packet filter: of one that is listed, and of one that is not. Pure.

A packet that is listed bears the agent's mark, or stands in its sets. What else a rule asks of it may hold or not.

A chain drops what is not listed if a rule drops just that; or if what is listed is let through for being so, and the
rest is dropped by the chain's policy or by a rule that asks nothing, unless another rule lets the rest through by
interfaces alone. A rate limit drops nobody for being absent. Only chains count that traffic passes on its way through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

THROUGH = frozenset({"prerouting", "forward", "postrouting", "ingress", "egress"})


@dataclass(frozen=True)
class Rule:
    """What it does: it passes, stops, returns, calls or goes to another chain, or none of these.

    `listed`: for each thing it asks of the list, whether that holds for what is listed (else: for the rest). `asks`
    anything else; `by_interface`: and nothing but that; `limited`: by rate or number.
    """

    verdict: str
    listed: tuple[bool, ...] = ()
    asks: bool = False
    by_interface: bool = False
    limited: bool = False
    target: str = ""


@dataclass
class Chain:
    """`hook` is empty for one that others jump to."""

    name: str
    hook: str = ""
    policy: str = "passes"
    rules: list[Rule] = field(default_factory=list)


class Fate(NamedTuple):
    """What may become of a packet: `for_list`, because of the list; `by_default`, whatever it is; `by_interface`."""

    passes: bool
    for_list: bool = False
    by_default: bool = False
    by_interface: bool = False


def judged(chains: Mapping[str, Chain]) -> tuple[list[str], list[str]]:
    """The chains that drop what is not listed, and those through which all is dropped that no rule lets pass."""
    found: list[str] = []
    ordinary: list[str] = []
    for chain in chains.values():
        if chain.hook not in THROUGH:
            continue
        listed, rest = (_fates(chains, chain, listed) for listed in (True, False))
        dropped = any(fate.by_default and not fate.passes for fate in rest)
        spared = any(fate.for_list and fate.passes for fate in listed)
        let_through = any(fate.by_interface and fate.passes for fate in rest)
        if any(fate.for_list and not fate.passes for fate in rest) or (spared and dropped and not let_through):
            found.append(chain.name)
        elif chain.hook == "forward" and dropped and any(fate.passes for fate in rest):
            ordinary.append(chain.name)
    return found, ordinary


def _fates(chains: Mapping[str, Chain], base: Chain, listed: bool) -> list[Fate]:
    fates, ended = _course(chains, base, listed, for_list=False, within=())
    return fates if ended else [*fates, Fate(base.policy == "passes", by_default=True)]


def _course(
    chains: Mapping[str, Chain], chain: Chain, listed: bool, *, for_list: bool, within: tuple[str, ...]
) -> tuple[list[Fate], bool]:
    """What may become of a packet in a chain, and whether none leaves it at its end."""
    fates: list[Fate] = []
    for rule in chain.rules:
        if any(truth is not listed for truth in rule.listed):
            continue
        about = for_list or bool(rule.listed)
        ended = True
        match rule.verdict:
            case "passes":
                fates.append(Fate(True, about, not rule.asks and not rule.listed, rule.by_interface))
            case "stops":
                if not rule.limited:
                    fates.append(Fate(False, about, not rule.asks and not rule.listed))
            case "returns":
                # Left to who called: for what is listed that is a way through.
                if about:
                    fates.append(Fate(True, about))
                if not rule.asks:
                    return fates, False
            case "calls" | "goes" if rule.target in chains and rule.target not in within:
                inner, ended = _course(
                    chains, chains[rule.target], listed, for_list=about, within=(*within, chain.name)
                )
                fates += inner
                if rule.verdict == "goes" and not rule.asks:
                    return fates, ended
            case _:
                continue
        if ended and not rule.asks and not rule.limited:
            return fates, True
    return fates, False
