"""No better lane: what a file says of it, and what of a file would be one.

A register that is easier for the members of one trade makes that trade pay for it, and everybody else suspect. So each
file says, in words that are shown, that no profession, sector or association has a better lane; and a file whose parts
say otherwise does not load. That a decision follows the facts alone, by whichever route they come, is held by
`tests/safeguards/test_no_better_lane.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .reading import Section
from .shapes import WEIGHTS, Policy, Text
from .toml_lines import Path

KEY = "no_better_lane"
RESERVES = frozenset(
    """only_for reserved_for profession professions occupation occupations sector sectors industry industries
    association_only member_only members_only priority priorities express fast_lane preferred""".split()
)
# Where a service, a queue, a time, a fee or a check is described. Associations are named in `attesting`, for all alike.
PARTS = ("services", "queues", "clocks", "fees", "provisional", "deciding")
MISSING = f"Say that no profession, sector or association has a better lane: [{KEY}] in both languages. It is shown."
RESERVED = "No lane is reserved for a profession, a sector or an association, and none of them goes first. Take it out."
HIGHER = (
    "The word of one association is worth no more than what each association says of the same claim ({usual}): its "
    "members would have a better lane. A lower weight may stand."
)
ALONE = (
    "An attestation stands in the place of another proof (instead_of), and is never asked of all: who is no member "
    "would have no lane."
)


def statement_of(root: Section) -> Text | None:
    """The words. None only of rules that were frozen before they were asked for."""
    if not root.has(KEY):
        root.fault(MISSING, KEY)
        return None
    return root.both(KEY)


def judge_lanes(root: Section, policy: Policy) -> None:
    """Fault what gives somebody a better lane for what they are or where they are a member."""
    for part in PARTS:
        for path in _reserved(root.data.get(part), (part,)):
            root.faults.add(path, RESERVED)
    for key, service in policy.services.items():
        for at, check in enumerate(service.checks):
            if check.kind == "attestation" and (check.required or not check.instead_of):
                root.faults.add(("services", key, "checks", str(at)), ALONE)
    attesting = policy.attesting
    if attesting is None:
        return
    usual = {claim.key: claim.weight for claim in attesting.claims}
    for at, association in enumerate(attesting.associations):
        for key, weight in association.weights.items():
            if key in usual and weight in WEIGHTS and WEIGHTS.index(weight) < WEIGHTS.index(usual[key]):
                path = ("attesting", "associations", str(at), "weights", key)
                root.faults.add(path, HIGHER.format(usual=usual[key]))


def _reserved(data: Any, path: Path) -> Iterator[Path]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in RESERVES:
                yield (*path, key)
            yield from _reserved(value, (*path, key))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _reserved(value, (*path, str(at)))
