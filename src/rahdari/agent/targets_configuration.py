"""The [[target]] tables of the configuration: where the entries are put. Everything in them is checked before any use.

[[target]]
kind = "nftables"            # a device that is changed while it runs: nftables, ipset, frr, bird
capacity = 100000            # optional: what it holds at most

[[target]]
kind = "palo-alto"           # or a file that a device reads: see docs/devices
path = "/srv/lists/rahdari.txt"
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .renderers import RENDERERS

DEFAULT_TABLE = "inet rahdari"
# Beside the configuration: `init` writes it.
RULESET = "ruleset.nft"
FAMILIES = frozenset({"inet", "ip", "ip6", "bridge", "netdev"})


@dataclass(frozen=True)
class NftTarget:
    kind: ClassVar[str] = "nftables"
    name: str
    table: str = DEFAULT_TABLE
    netns: str = ""
    nft: str = "nft"
    # What is loaded when something of the table is gone; None: what the agent itself would print.
    ruleset: Path | None = None
    loads: bool = True
    run_as: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True)
class IpsetTarget:
    kind: ClassVar[str] = "ipset"
    name: str
    prefix: str = "rahdari"
    netns: str = ""
    ipset: str = "ipset"
    run_as: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True)
class FrrTarget:
    kind: ClassVar[str] = "frr"
    name: str
    list: str = "RAHDARI"
    vtysh: tuple[str, ...] = ("vtysh",)
    netns: str = ""
    run_as: tuple[str, ...] = ()
    capacity: int | None = RENDERERS["frr"].capacity


@dataclass(frozen=True)
class FileTarget:
    """`options` are those of the renderer. `then` is a command that is run when the file was replaced."""

    kind: str
    name: str
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    capacity: int | None = None
    every_seconds: int = 0
    then: tuple[str, ...] = ()


type Target = NftTarget | IpsetTarget | FrrTarget | FileTarget

_COMMON: dict[str, type] = {"name": str, "kind": str, "capacity": int}
_FILE: dict[str, type] = {**_COMMON, "path": str, "every_seconds": int, "then": list}
_LIVE: dict[str, dict[str, type]] = {
    "nftables": {**_COMMON, "table": str, "netns": str, "nft": str, "ruleset": str, "run_as": list},
    "ipset": {**_COMMON, "prefix": str, "netns": str, "ipset": str, "run_as": list},
    "frr": {**_COMMON, "list": str, "vtysh": list, "netns": str, "run_as": list},
}
TARGET_SETTINGS: dict[str, dict[str, type]] = {
    **_LIVE,
    **{
        kind: {**_FILE, **{name: type(option.default) for name, option in renderer.options.items()}}
        for kind, renderer in RENDERERS.items()
        if kind not in _LIVE
    },
}


def file_target(kind: str, name: str, path: Path, **settings: Any) -> FileTarget:
    """With what is usual for this kind."""
    renderer = RENDERERS[kind]
    options = {**{name: option.default for name, option in renderer.options.items()}, **settings.pop("options", {})}
    usual = {"capacity": renderer.capacity, "every_seconds": renderer.every_seconds}
    return FileTarget(kind, name, path, options, **{**usual, **settings})


def read_targets(rows: list[Any], folder: Path, problems: list[str]) -> list[Target]:
    """What is wrong is added to `problems`, a whole sentence each."""
    if not rows:
        problems.append("There is no [[target]]: nothing would be protected.")
    targets: list[Target] = []
    for number, row in enumerate(rows, start=1):
        where = f"target {number}: "
        kind = row.get("kind") if isinstance(row, dict) else None
        if kind not in TARGET_SETTINGS:
            problems.append(f"{where}`kind` must be one of {', '.join(TARGET_SETTINGS)}.")
            continue
        before = len(problems)
        check_kinds(where, row, TARGET_SETTINGS[kind], problems)
        if kind not in _LIVE and "path" not in row:
            problems.append(f"{where}`path` is missing.")
        for name, value in row.items():
            if isinstance(value, list) and not all(isinstance(word, str) for word in value):
                problems.append(f'{where}`{name}` must be a list of texts, as in ["sudo", "-n"].')
        if row.get("capacity", 1) < 1 or row.get("every_seconds", 0) < 0:
            problems.append(f"{where}`capacity` and `every_seconds` must not be below 1 and 0.")
        if len(problems) == before:
            targets.append(_target(where, row, folder, problems))
    names = [target.name for target in targets]
    problems += [f"Two targets are called `{name}`." for name in sorted({n for n in names if names.count(n) > 1})]
    problems += [
        "The name of a target must be 1 to 80 printable characters."
        for name in names
        if not (1 <= len(name) <= 80 and name.isprintable())
    ]
    paths = [target.path for target in targets if isinstance(target, FileTarget)]
    problems += [f"Two targets write {path}." for path in sorted({p for p in paths if paths.count(p) > 1})]
    return targets


def _target(where: str, row: Mapping[str, Any], folder: Path, problems: list[str]) -> Target:
    kind = row["kind"]
    if row.get("netns") and not is_word(row["netns"]):
        problems.append(f"{where}`netns` is not the name of a network namespace.")
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items() if name not in {"kind", "name"}}
    if kind == "nftables":
        # These words go into an nft script and a command line.
        table = " ".join(str(row.get("table", DEFAULT_TABLE)).split())
        family, _, word = table.partition(" ")
        if family not in FAMILIES or not is_word(word):
            problems.append(f'{where}`table` must be a family and a name, as in "{DEFAULT_TABLE}".')
        file = str(given.pop("ruleset", RULESET))
        return NftTarget(
            **{**given, "name": row.get("name", word), "table": table}, ruleset=folder / file, loads=file != "none"
        )
    if kind == "ipset":
        prefix = row.get("prefix", "rahdari")
        # A name of ipset has 31 characters at most, and "-host-ports4" is one of ours.
        if not is_word(prefix) or len(prefix) > 18:
            problems.append(f"{where}`prefix` must be one word of at most 18 letters, digits, _ and -.")
        return IpsetTarget(**{**given, "name": row.get("name", "ipset")})
    if kind == "frr":
        if not is_word(row.get("list", "RAHDARI")) or not row.get("vtysh", ["vtysh"]):
            problems.append(f"{where}`list` must be one word, and `vtysh` a program.")
        return FrrTarget(**{**given, "name": row.get("name", "frr")})
    renderer = RENDERERS[kind]
    options = {name: given.pop(name) for name in renderer.options if name in given}
    for name, value in options.items():
        if problem := renderer.options[name].problem(value):
            problems.append(f"{where}`{name}` {problem}")
    path = folder / str(given.pop("path"))
    return file_target(kind, row.get("name", path.name), path, options=options, **given)


def check_kinds(where: str, given: Mapping[str, Any], known: Mapping[str, type], problems: list[str]) -> None:
    for name, value in given.items():
        if name not in known:
            problems.append(f"{where}`{name}` is not a setting. Known are {', '.join(known)}.")
        elif type(value) is not known[name]:
            problems.append(f"{where}`{name}` must be of the kind {known[name].__name__}.")


def is_word(text: str) -> bool:
    return (
        bool(text and text.isascii() and text.replace("_", "").replace("-", "").isalnum() and text[0].isalpha())
        and len(text) <= 64
    )
