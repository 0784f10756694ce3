"""Chains and rules as nftables and iptables tell them, in the form that `courses` judges. Pure.

Of a rule is kept what it asks of the list, whether it asks anything else, and what it does.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .ipset import SETS
from .packet_paths import Chain, Rule
from .ruleset import MARK
from .sets import SET_NAMES

# By the words of both.
_VERDICTS = {
    "accept": "passes",
    "drop": "stops",
    "reject": "stops",
    "return": "returns",
    "jump": "calls",
    "goto": "goes",
}
_INTERFACES = frozenset({"iif", "iifname", "iifgroup", "iiftype", "iifkind", "oif", "oifname", "oifgroup", "oifkind"})
_NEITHER = frozenset({"counter", "log", "mangle", "notrack", "flow", "fwd", "tproxy", "synproxy"})
_LIMITS = frozenset({"limit", "quota", "ct count"})
_MARK = re.compile(r"--(?:set-xmark|set-mark|or-mark) (0x[0-9a-f]+)")


# -- nftables ------------------------------------------------------------------------------------------------------


def chains_of_nft(text: str, table: str) -> dict[str, Chain]:
    """Of `nft -j -t list ruleset`. `table` is that of the agent's sets."""
    items = json.loads(text)["nftables"]
    chains: dict[str, Chain] = {}
    for item in items:
        if (said := item.get("chain")) is not None:
            name = f"{said['family']} {said['table']} {said['name']}"
            hook = said.get("hook", "") if said.get("type", "filter") == "filter" else ""
            chains[name] = Chain(name, hook, _VERDICTS[said.get("policy", "accept")])
    rules = [item["rule"] for item in items if "rule" in item]
    ours = [rule for rule in rules if f"{rule['family']} {rule['table']}" == table]
    marks = {int(MARK, 16), *(mark for rule in ours for mark in _marks_set(rule["expr"]))}
    for rule in rules:
        within = f"{rule['family']} {rule['table']}"
        sets = frozenset(SET_NAMES) if within == table else frozenset()
        chain = chains[f"{within} {rule['chain']}"]
        chain.rules += _rules_of(rule["expr"], within, sets, marks)
    return chains


def _marks_set(expressions: list[dict[str, Any]]) -> Iterator[int]:
    for said in expressions:
        if (mangle := said.get("mangle")) and _is_mark(mangle["key"]):
            yield from _numbers(mangle["value"])


def _numbers(said: object) -> Iterator[int]:
    if type(said) is int and said:
        yield said
    elif isinstance(said, dict | list):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _numbers(part)


def _rules_of(expressions: list[dict[str, Any]], table: str, sets: frozenset[str], marks: set[int]) -> Iterator[Rule]:
    listed: list[bool] = []
    others = interfaces = 0
    limited = False
    for said in expressions:
        kind, value = next(iter(said.items()))
        if kind == "xt" and value.get("type") == "target" and value.get("name") == "REJECT":
            kind, value = value["name"].lower(), None
        if kind == "match":
            truth = _truth(value, sets, marks)
            if truth is not None:
                listed.append(truth)
            elif _key_of(value["left"], "meta") in _INTERFACES:
                interfaces += 1
            else:
                others += 1
        elif kind == "vmap":
            # Each of its lines is a rule of its own; of a map with a name nothing is known.
            lines = value["data"].get("set", []) if isinstance(value["data"], dict) else []
            for key, verdict in lines:
                match = {"match": {"op": "==", "left": value["key"], "right": key}}
                yield from _rules_of([*_matches(expressions), match, verdict], table, sets, marks)
            return
        elif kind in _VERDICTS:
            target = f"{table} {value['target']}" if kind in {"jump", "goto"} else ""
            asks = bool(others or interfaces)
            yield Rule(_VERDICTS[kind], tuple(listed), asks, bool(interfaces and not others), limited, target)
            return
        elif kind in _LIMITS:
            limited = True
        elif kind not in _NEITHER:
            others += 1


def _matches(expressions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [said for said in expressions if "match" in said]


def _truth(match: Mapping[str, Any], sets: frozenset[str], marks: set[int]) -> bool | None:
    """Whether it holds for what is listed and not for the rest (True), the other way round (False), or is about
    something else."""
    right, op = match["right"], match["op"]
    if isinstance(right, str) and right.startswith("@"):
        return op != "!=" if right[1:] in sets else None
    left, mask = match["left"], -1
    if isinstance(left, dict) and isinstance(left.get("&"), list):
        left, mask = left["&"]
    if not _is_mark(left) or type(mask) is not int:
        return None
    rest = _holds(0, op, right)
    for mark in marks:
        held = _holds(mark & mask, op, right)
        if held is not None and held is not rest:
            return held
    return None


def _is_mark(said: object) -> bool:
    return "mark" in {_key_of(said, "meta"), _key_of(said, "ct")}


def _key_of(said: object, kind: str) -> object:
    """What of the packet or its connection an expression names."""
    inner = said.get(kind) if isinstance(said, dict) else None
    return inner.get("key") if isinstance(inner, dict) else None


def _holds(value: int, op: str, right: object) -> bool | None:
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        inside = value in right["set"]
        return inside if op in {"==", "in"} else not inside
    if type(right) is not int:
        return None
    return {"==": value == right, "!=": value != right, "in": bool(value & right)}.get(op)


# -- iptables ------------------------------------------------------------------------------------------------------


def chains_of_iptables(text: str, prefix: str, program: str) -> list[dict[str, Chain]]:
    """Of `iptables-save`, one for each table: no rule leads from one into another. `prefix` is that of the agent's
    sets."""
    sets = frozenset(f"{prefix}-{name}" for name in SETS)
    lines = [line for line in text.splitlines() if line[:1] in {"*", ":", "-"}]
    marks = {int(MARK, 16)}
    for line in lines:
        if any(f"--match-set {name} " in line for name in sets):
            marks.update(int(found, 16) for found in _MARK.findall(line))
    tables: list[dict[str, Chain]] = []
    table, chains = "", dict[str, Chain]()
    for line in lines:
        if line.startswith("*"):
            table, chains = line[1:], {}
            tables += [chains] if table in {"filter", "mangle", "raw"} else []
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            hook = name.lower() if name.isupper() and policy != "-" else ""
            chains[name] = Chain(
                f"{program} {table} {name}", hook, _VERDICTS[policy.lower() if policy != "-" else "accept"]
            )
        else:
            words = shlex.split(line)
            chains[words[1]].rules += _rule_of(words[2:], sets, marks)
    return tables


def _rule_of(words: list[str], sets: frozenset[str], marks: set[int]) -> Iterator[Rule]:
    listed: list[bool] = []
    others = interfaces = 0
    limited = not_ = False
    rest = iter(words)
    for word in rest:
        if word == "!":
            not_ = True
            continue
        if word in {"-j", "-g"}:
            target = next(rest)
            verdict = "goes" if word == "-g" else "calls"
            if target in {"ACCEPT", "DROP", "REJECT", "RETURN"}:
                verdict = _VERDICTS[target.lower()]
            asks = bool(others or interfaces)
            yield Rule(verdict, tuple(listed), asks, bool(interfaces and not others), limited, target)
            return
        if word == "-m":
            limited = next(rest) in {"limit", "hashlimit", "connlimit", "quota"} or limited
        elif word in {"-i", "-o"}:
            interfaces += 1
            next(rest)
        elif word == "--match-set":
            if next(rest) in sets:
                listed.append(not not_)
            else:
                others += 1
            next(rest)
        elif word == "--mark":
            value, _, mask = next(rest).partition("/")
            match = {"op": "!=" if not_ else "==", "right": int(value, 16)}
            left = {"&": [{"meta": {"key": "mark"}}, int(mask, 16) if mask else 0xFFFFFFFF]}
            truth = _truth({**match, "left": left}, sets, marks)
            if truth is None:
                others += 1
            else:
                listed.append(truth)
        elif word == "--comment":
            next(rest)
        elif word.startswith("-") and not limited:
            others += 1
        not_ = False
