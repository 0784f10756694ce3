"""The sets that the agent fills, and rules that mark what is to or from a registered endpoint.

Marking is all they do: every packet goes on. What an operator's own rules make of the mark is theirs.
"""

from .configuration import DEFAULT_TABLE
from .sets import SET_NAMES

MARK = "0x10000000"

_TYPES = {"s": "{address}", "_protocols": "{address} . inet_proto", "_ports": "{address} . inet_proto . inet_service"}


def ruleset(table: str = DEFAULT_TABLE) -> str:
    sets = "\n".join(f"    set {name} {{ {_definition(name)} }}" for name in SET_NAMES)
    rules = "\n".join(f"        {rule}" for rule in _rules())
    hook = "type filter hook prerouting priority mangle; policy accept;"
    return f"""# Sets of registered endpoints, filled by the rahdari agent, and rules that mark their packets.
# Nothing is dropped here. Load it once, and at each boot before the agent:  nft -f FILE
# The sets have no size: with one, give each twice the elements you expect, since a set is refilled in one transaction.
# Loaded again, it leaves what the sets hold as it is.

table {table} {{
{sets}

    chain registered {{ {hook} }}
}}

flush chain {table} registered

table {table} {{
    chain registered {{
{rules}
    }}
}}
"""


def _definition(name: str) -> str:
    address = f"ipv{name[-1]}_addr"
    kind = name[:-1].removeprefix("host").removeprefix("net")
    flags = " flags interval;" if name.startswith("net") else ""
    return f"type {_TYPES[kind].format(address=address)};{flags}"


def _rules() -> list[str]:
    rules = []
    for name in SET_NAMES:
        family = "ip" if name[-1] == "4" else "ip6"
        for address, port in (("daddr", "dport"), ("saddr", "sport")):
            key = f"{family} {address}"
            if "_" in name:
                key += " . meta l4proto"
            if "_ports" in name:
                key += f" . th {port}"
            rules.append(f"{key} @{name} meta mark set meta mark or {MARK}")
    return rules
