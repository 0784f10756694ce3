"""The plan of a measurement (`plan.toml`), and the draw (`draw.json` beside it).

    [[place]]
    name = "campus-1"
    network = "AS64496"             # where it stands; two places of one network are one view
    [[place]]
    name = "abroad"
    network = "AS64511"
    outside = true                  # not behind any network that is judged: says whether a server is up

    [[pair]]
    name = "p01"
    a = "203.0.113.10"              # two addresses of one server
    b = "203.0.113.11"
    consent = "Sample Institute, 2026-11-30"     # whose server it is, and when they agreed
    claims = [{ method = "openvpn", fingerprint = "…" }]     # how it is asked, as in docs/probes.md

A claim of WireGuard has no `private_key`: each place has one of its own (`measure --key`).
"""

import json
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from rahdari import probe
from rahdari.address import Address, is_global
from rahdari.errors import RahdariError

DRAW = "draw.json"
SIDES = ("a", "b")
# Pairs times protocols: so many are asked in a minute.
MOST = 300
# A key that stands in for a place's own until it is known.
_NO_KEY = "A" * 43 + "="


class PlanUnusable(RahdariError):
    says = "{path} cannot be used: {why}"
    path: Path
    why: str


@dataclass(frozen=True)
class Place:
    name: str
    network: str
    outside: bool = False


@dataclass(frozen=True)
class Pair:
    """`claims` by their method, as plain data: a place adds its own key."""

    name: str
    a: Address
    b: Address
    consent: str
    claims: Mapping[str, Mapping[str, Any]]

    def claim(self, method: str, key: str = "") -> probe.Claim:
        own = {"private_key": key or _NO_KEY} if method == probe.Method.WIREGUARD else {}
        return probe.claim_from({**self.claims[method], **own})


@dataclass(frozen=True)
class Plan:
    path: Path
    places: Mapping[str, Place]
    pairs: Mapping[str, Pair]

    @property
    def needs_key(self) -> bool:
        return any(probe.Method.WIREGUARD in pair.claims for pair in self.pairs.values())


def load(path: Path) -> Plan:
    """Raises PlanUnusable, with the table that is wrong and how to mend it."""

    def wrong(why: str) -> PlanUnusable:
        return PlanUnusable(path, why)

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise wrong(f"{error}.") from None
    if unknown := sorted(set(given) - {"place", "pair"}):
        raise wrong(f"`{unknown[0]}` is not known. There are [[place]] and [[pair]].")
    places = {each.name: each for each in (_place(row, wrong) for row in given.get("place", []))}
    pairs = {each.name: each for each in (_pair(row, wrong) for row in given.get("pair", []))}
    if len(places) < len(given.get("place", [])) or len(pairs) < len(given.get("pair", [])):
        raise wrong("Two places, or two pairs, have one name. Give each its own.")
    addresses = [address for pair in pairs.values() for address in (pair.a, pair.b)]
    if len(set(addresses)) < len(addresses):
        raise wrong("An address stands in it twice. Each pair has two addresses of its own.")
    if (asked := sum(len(pair.claims) for pair in pairs.values())) > MOST:
        raise wrong(f"It asks {asked} claims a minute. {MOST} fit into one: make two plans.")
    return Plan(path, places, pairs)


def _place(row: Mapping[str, Any], wrong: Callable[[str], PlanUnusable]) -> Place:
    name, network, outside = row.get("name"), row.get("network"), row.get("outside", False)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise wrong("A [[place]] needs a `name` of small letters, digits and hyphens, like campus-1.")
    if not isinstance(network, str) or not re.fullmatch(r"AS[1-9][0-9]{0,9}", network):
        raise wrong(f"The place {name} needs its `network`, like AS64496.")
    if not isinstance(outside, bool):
        raise wrong(f"`outside` of the place {name} is true or false.")
    return Place(name, network, outside)


def _pair(row: Mapping[str, Any], wrong: Callable[[str], PlanUnusable]) -> Pair:
    name = row.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise wrong("A [[pair]] needs a `name` of small letters, digits and hyphens, like p01.")
    try:
        a, b = (ip_address(row[side]) for side in SIDES)
    except (KeyError, ValueError):
        raise wrong(f"The pair {name} needs two addresses, `a` and `b`.") from None
    if a.version != b.version:
        raise wrong(f"The pair {name} has one IPv4 and one IPv6 address. Both are of one kind.")
    consent = row.get("consent")
    if not isinstance(consent, str) or not consent.strip():
        raise wrong(f"The pair {name} needs `consent`: whose server it is, and when they agreed to be measured.")
    claims: dict[str, Mapping[str, Any]] = {}
    for claim in row.get("claims", []):
        if not isinstance(claim, dict) or "private_key" in claim:
            raise wrong(f"`claims` of the pair {name}: tables without `private_key`, which each place has of its own.")
        claims[str(claim.get("method"))] = claim
    pair = Pair(name, a, b, consent, claims)
    if not claims or len(claims) < len(row["claims"]):
        raise wrong(f"The pair {name} needs `claims`: one for each protocol, and none twice.")
    for method in claims:
        try:
            pair.claim(method)
        except ValueError as error:
            raise wrong(f"`claims` of the pair {name}: {error}.") from None
    return pair


def not_in_the_open_net(plan: Plan) -> list[str]:
    """Addresses that no place could reach."""
    return [str(each) for pair in plan.pairs.values() for each in (pair.a, pair.b) if not is_global(each)]


def drawn(plan: Plan) -> dict[str, str]:
    """By pair, which of `a` and `b` is registered. Empty before `draw`. Raises PlanUnusable."""
    path = plan.path.parent / DRAW
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PlanUnusable(path, f"{error}.") from None
    if not isinstance(found, dict) or not all(side in SIDES for side in found.values()):
        raise PlanUnusable(path, 'it has for each pair "a" or "b". `rahdari difference draw` writes it.')
    return found


def draw(plan: Plan) -> dict[str, str]:
    """The same as before for the pairs that were drawn, and a coin for each new one. A draw is never made again."""
    before = drawn(plan)
    after = before | {name: secrets.choice(SIDES) for name in plan.pairs if name not in before}
    if after != before:
        path = plan.path.parent / DRAW
        new = path.with_suffix(".new")
        new.write_text(json.dumps(after, indent=1, sort_keys=True) + "\n")
        new.replace(path)
    return after
