"""Sets of nftables, filled by `nft`.

The table, its sets and its rules are the operator's; the agent changes what the sets hold and nothing else. All sets
change in one transaction of the kernel. What was put there is read back before it is called applied, and what stands
there is read again on a timer, so that a reloaded ruleset is noticed and filled. Above a set's size nothing is changed.
"""

import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from .configuration import NftTarget
from .faults import AgentFault, Exit
from .sets import SET_NAMES, Element, Sets, merged

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
# Above this share of a set, filling it anew is quicker than naming each change.
FEW_CHANGES = 1_000
CHUNK = 5_000
READ_BACK_CHUNK = 500
PATIENCE_SECONDS = 120


class NftMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, program: str) -> None:
        super().__init__(f"The program {program} is not on this machine.", "Install it: apt-get install nftables")


class NftNotPermitted(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, said: str) -> None:
        super().__init__(
            f"nft may not change the ruleset ({said}).",
            "Give the agent CAP_NET_ADMIN as in deploy/rahdari-agent.service, or set "
            'run_as = ["sudo", "-n"] and allow nft alone in sudoers.',
        )


class NamespaceMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, netns: str) -> None:
        super().__init__(f"There is no network namespace {netns}.", "Make it, or mend `netns` of this target.")


class TableMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str) -> None:
        super().__init__(
            f"There is no table {table} in nftables.",
            "Load the ruleset once: rahdari agent ruleset | nft -f -  (docs/operators.md).",
        )


class SetsMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, names: Sequence[str]) -> None:
        super().__init__(
            f"The table {table} lacks the sets {', '.join(names)}.",
            "`rahdari agent ruleset` prints all of them with their types.",
        )


class SetTooSmall(AgentFault):
    """Nothing was left out and nothing was changed."""

    exit = Exit.NOT_APPLIED

    def __init__(self, name: str, size: int, needed: int) -> None:
        super().__init__(
            f"The set {name} holds {size} elements at most and {needed} are needed. It was left as it was.",
            f"Give the set a size of {needed * 2} or more in your ruleset, or no size at all.",
        )
        self.name_of_set, self.size, self.needed = name, size, needed


class NftRefused(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, said: str) -> None:
        super().__init__(
            f"nft did not take the change, and nothing was changed: {said}.",
            "Compare the types of your sets with `rahdari agent ruleset`.",
        )


class NotReadBack(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str) -> None:
        super().__init__(
            f"What stands in the sets of {table} is not what was put there.",
            "Something else changes these sets: let the agent alone write to them.",
        )


class NftSets:
    """One table. Keeps in memory what it last saw there, while it runs."""

    def __init__(self, target: NftTarget) -> None:
        self.target = target
        self._command: list[str] | None = None
        self._stands: Sets | None = None

    def apply(self, wanted: Sets, *, look: bool) -> None:
        """Make the sets hold exactly this. `look` reads what really stands there first. Raises AgentFault."""
        if not look and self._stands is not None:
            try:
                self._apply_changes(self._stands, wanted)
            except NftRefused:
                # Not what we thought: somebody reloaded the ruleset. Look, and begin from what is there.
                pass
            else:
                return
        self._stands = None
        stands = self._look(wanted)
        if stands != wanted:
            try:
                self._run_script(script(self.target.table, stands, wanted))
            except NftRefused:
                # Part of a range that somebody put there cannot be taken out: empty such a set and fill it anew.
                self._run_script(script(self.target.table, stands, wanted, refill=True))
            if self._look(wanted) != wanted:
                raise NotReadBack(self.target.table)
        self._stands = wanted

    def _apply_changes(self, stands: Sets, wanted: Sets) -> None:
        if stands == wanted:
            return
        self._run_script(script(self.target.table, stands, wanted))
        for name in SET_NAMES:
            # An element that is not there makes `get` fail; one to delete that was not there has failed already.
            for some in batched(sorted(wanted[name] - stands[name]), READ_BACK_CHUNK):
                self._nft("get", "element", *self.target.table.split(), name, f"{{ {', '.join(some)} }}")
        self._stands = wanted

    def _look(self, wanted: Sets) -> Sets:
        said = json.loads(self._nft("-j", "-n", "list", "table", *self.target.table.split()))
        found = {item["set"]["name"]: item["set"] for item in said["nftables"] if "set" in item}
        if missing := [name for name in SET_NAMES if name not in found]:
            raise SetsMissing(self.target.table, missing)
        for name in SET_NAMES:
            size = found[name].get("size")
            if size is not None and len(wanted[name]) > size:
                raise SetTooSmall(name, size, len(wanted[name]))
        return {
            name: frozenset(map(str, merged(e for item in found[name].get("elem", []) for e in elements(item))))
            for name in SET_NAMES
        }

    def _run_script(self, text: str) -> None:
        self._nft("-f", "-", given=text)

    def _nft(self, *arguments: str, given: str = "") -> str:
        if self._command is None:
            self._command = command(self.target)
        try:
            result = subprocess.run(
                [*self._command, *arguments],
                input=given,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                env={**os.environ, "LC_ALL": "C", "PATH": search_path()},
            )
        except FileNotFoundError as error:
            raise NftMissing(str(error.filename)) from None
        except PermissionError as error:
            raise NftNotPermitted(str(error.strerror)) from None
        except subprocess.TimeoutExpired:
            raise NftRefused(f"no answer within {PATIENCE_SECONDS} seconds") from None
        if result.returncode != 0:
            raise self._fault(result.stderr, arguments)
        return result.stdout

    def _fault(self, said: str, arguments: Sequence[str]) -> AgentFault:
        first = next((line.strip() for line in said.splitlines() if line.strip()), "no reason was given")
        if "Cannot open network namespace" in said:
            return NamespaceMissing(self.target.netns)
        if any(words in said for words in ("Operation not permitted", "you must be root", "password", "not allowed")):
            return NftNotPermitted(first)
        if "command not found" in said or ("exec of" in said and "failed" in said):
            return NftMissing(self.target.nft)
        if "list" in arguments and "No such file or directory" in said:
            return TableMissing(self.target.table)
        return NftRefused(first)


def search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])


def command(target: NftTarget) -> list[str]:
    """Raises NftMissing."""
    words = [*target.run_as, *(["ip", "netns", "exec", target.netns] if target.netns else []), target.nft]
    for program in {words[0], target.nft}:
        if shutil.which(program, path=search_path()) is None:
            raise NftMissing(program)
    words[0] = str(shutil.which(words[0], path=search_path()))
    return words


def script(table: str, stands: Sets, wanted: Sets, *, refill: bool = False) -> str:
    """What nft reads to get from one to the other, in one transaction. `refill`: no set is changed piece by piece."""
    changes = (_changes(table, name, stands[name], wanted[name], refill=refill) for name in SET_NAMES)
    return "".join(f"{line}\n" for lines in changes for line in lines)


def _changes(table: str, name: str, stands: frozenset[str], wanted: frozenset[str], *, refill: bool) -> Iterator[str]:
    added, removed = wanted - stands, stands - wanted
    if not added and not removed:
        return
    if refill or len(added) + len(removed) > max(FEW_CHANGES, len(stands) // 10):
        yield f"flush set {table} {name}"
        added, removed = wanted, frozenset()
    # Taken out first: what comes in may overlap it.
    for verb, items in (("delete", removed), ("add", added)):
        for some in batched(sorted(items), CHUNK):
            yield f"{verb} element {table} {name} {{ {', '.join(some)} }}"


def elements(item: Any) -> list[Element]:
    """The elements that one item of nft's JSON stands for: a range may stand for several prefixes."""
    if isinstance(item, dict) and "elem" in item:  # with a counter, a timeout or a comment
        item = item["elem"]["val"]
    parts = item["concat"] if isinstance(item, dict) and "concat" in item else [item]
    numbers = [int(part) for part in parts[1:]]
    return [Element(network, *numbers) for network in _networks(parts[0])]


def _networks(part: Any) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if isinstance(part, str):
        yield ipaddress.ip_network(part)
    elif "prefix" in part:
        yield ipaddress.ip_network(f"{part['prefix']['addr']}/{part['prefix']['len']}")
    else:
        first, last = map(ipaddress.ip_address, part["range"])
        yield from ipaddress.summarize_address_range(first, last)
