"""Whether rules on this machine drop what is not listed: what the terms of the feed do not allow. It is only told.

Looked at in good faith: whoever means to hide such rules can. `courses` says what counts.
"""

from collections.abc import Iterable

from .complement_rules import chains_of_iptables, chains_of_nft
from .configuration import IpsetTarget, NftTarget, Target
from .faults import AgentFault, Exit
from .packet_paths import judged
from .programs import Program

NAMED = 3


class ComplementFound(AgentFault):
    """A note: everything goes on."""

    exit = Exit.OK

    def __init__(self, where: "list[str]") -> None:
        super().__init__(
            f"Rules of this machine drop what is not listed, in {_some(where)}. The terms of the feed do not allow "
            "that. Nothing was changed for it.",
            "Let the rest pass there as it did without the list. If the rules are meant otherwise, tell the authority, "
            "to which receipts say it (docs/agent.md, Rules that drop the rest).",
        )


class DropsByDefault(AgentFault):
    """A note, and no word against anybody: many firewalls do so."""

    exit = Exit.OK

    def __init__(self, where: "list[str]") -> None:
        super().__init__(
            f"What no rule lets through is dropped in {_some(where)}, whether it is listed or not.",
            "That is an ordinary firewall. See that what is listed passes it (docs/operators.md, 5), and the rest as "
            "before.",
        )


def look_at_rules(targets: Iterable[Target]) -> AgentFault | None:
    """What the packet filters beside these targets say. What cannot be read says nothing."""
    found: list[str] = []
    ordinary: list[str] = []
    for target in targets:
        try:
            if isinstance(target, NftTarget):
                nft = Program([target.nft], install="nftables", netns=target.netns, run_as=target.run_as)
                # Terse: without what sets hold.
                every = [chains_of_nft(nft.run("-j", "-t", "list", "ruleset"), target.table)]
            elif isinstance(target, IpsetTarget) and not target.run_as:
                # Where sudo was allowed ipset alone, each look would be an alarm of sudo's.
                every = []
                for name in ("iptables-save", "ip6tables-save"):
                    save = Program([name], install="iptables", netns=target.netns, run_as=target.run_as)
                    every += chains_of_iptables(save.run(), target.prefix, name.removesuffix("-save"))
            else:
                continue
        except (AgentFault, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        for chains in every:
            more, others = judged(chains)
            found += more
            ordinary += others
    if found:
        return ComplementFound(found)
    return DropsByDefault(ordinary) if ordinary else None


def _some(where: list[str]) -> str:
    names = list(dict.fromkeys(where))
    return f"{', '.join(names[:NAMED])}{' and others' if len(names) > NAMED else ''}"
