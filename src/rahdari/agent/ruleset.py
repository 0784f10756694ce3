"""The sets that the agent fills, and rules that mark what is to or from a registered endpoint.

Marking is all they do: every packet goes on. What an operator's own rules make of the mark is theirs.

The agent loads them again when they are gone, from the operator's file where there is one. It loads no text that says
anything of another table.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .configuration import DEFAULT_TABLE
from .sets import SET_NAMES

MARK = "0x10000000"

_TYPES = {"s": "{address}", "_protocols": "{address} . inet_proto", "_ports": "{address} . inet_proto . inet_service"}


def ruleset(table: str = DEFAULT_TABLE) -> str:
    sets = "\n".join(f"    set {name} {{ {_definition(name)} }}" for name in SET_NAMES)
    rules = "\n".join(f"        {rule}" for rule in _rules())
    hook = "type filter hook prerouting priority mangle; policy accept;"
    return f"""# Sets of registered endpoints, filled by the rahdari agent, and rules that mark their packets.
# Nothing is dropped here. The agent loads this file when the table, a set or the chain is not there; a change of yours
# is in force after  nft -f FILE.  Nothing of another table may stand here: then the agent would leave the file alone.
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


_SAID_OF = re.compile(
    r"(?:(?:add|create|insert|replace|flush|delete|destroy)\s+)?(?:table|chain|rule|set|map|element)\s+"
    r"(inet|ip6?|bridge|netdev|arp)\s+(\w+)"
)
_CHAIN = re.compile(r"chain\s+(?:\w+\s+\w+\s+)?(\w+)\s*\{")
_USE = re.compile(r"@(\w+)")
_RULE = re.compile(r"(?:add|insert)\s+rule\s+\w+\s+\w+\s+(\w+)")
# What stands in a chain and is no rule.
_OF_CHAIN = ("type ", "policy ", "comment ", "flags ", "devices ", "device ")


@dataclass(frozen=True)
class Ruleset:
    """What is loaded for a table when something of it is gone. `chains` are those that it gives rules, `uses` how often
    its rules name each set. `foreign`: the first thing in it that is not of this table, for which reason it is not
    loaded; or empty."""

    text: str
    source: str
    chains: frozenset[str]
    uses: Mapping[str, int]
    foreign: str = ""


def ruleset_for(table: str, file: Path | None) -> Ruleset | None:
    """The operator's file if it speaks of this table; else, for the table that is ours, what `ruleset` prints; else
    None: nobody said what to load. Raises OSError, UnicodeDecodeError."""
    text = ""
    if file is not None and file.exists():
        text = file.read_text(encoding="utf-8")
    said = list(_statements(_bare(text)))
    if table in map(_table_of, said):
        foreign = next((" ".join(head.split()) for head in said if _table_of(head) not in {table, None}), "")
        return _ruleset(text, str(file), foreign)
    if table == DEFAULT_TABLE:
        return _ruleset(ruleset(table), "what `rahdari agent ruleset` prints")
    return None


def _ruleset(text: str, source: str, foreign: str = "") -> Ruleset:
    bare = _bare(text)
    uses = Counter(name for name in _USE.findall(bare) if name in SET_NAMES)
    return Ruleset(text, source, frozenset(_chains_with_rules(bare)), uses, foreign)


def _bare(text: str) -> str:
    """Without comments and texts in quotes: braces in them mean nothing."""
    return re.sub(r'"[^"\n]*"', '""', re.sub(r"#[^\n]*", "", text.replace("\\\n", " ")))


def _statements(text: str) -> Iterator[str]:
    """The head of each statement outside of braces."""
    depth, head = 0, ""
    for sign in text:
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
        elif depth == 0 and sign in "\n;":
            yield from [head] if head.strip() else []
            head = ""
        elif depth == 0:
            head += sign
    yield from [head] if head.strip() else []


def _table_of(head: str) -> str | None:
    """The table of a statement; None where it only names a value; the statement itself where it is none of either."""
    if head.split()[0] == "define":
        return None
    found = _SAID_OF.match(head.strip())
    return f"{found[1]} {found[2]}" if found else head


def _chains_with_rules(text: str) -> Iterator[str]:
    yield from _RULE.findall(text)
    for found in _CHAIN.finditer(text):
        depth, end = 1, found.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        lines = (line.strip() for line in re.split(r"[;\n]", text[found.end() : end - 1]))
        if any(line and not line.startswith(_OF_CHAIN) for line in lines):
            yield found[1]
