"""The agent's configuration: one TOML file. Everything in it is checked before anything is done.

server = "https://feed.example"        # without /feed
receipt_url = "https://feed.example/feed/receipt"
token_file = "/etc/rahdari/token"
root = "/etc/rahdari/root.json"
root_sha256 = "..."                    # the root that is trusted, and no other
terms = "..."                          # the digest of the terms of the feed that were accepted
state = "/var/lib/rahdari-agent"
metrics = "127.0.0.1:9797"

[[mirror]]                             # further ones; the first stands above
metadata_url = "https://cdn.example/..."
targets_url = "https://cdn.example/..."

[[target]]
kind = "nftables"                      # what there is: targets_configuration
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .faults import AgentFault, Exit
from .targets_configuration import (
    DEFAULT_TABLE,
    FileTarget,
    FrrTarget,
    IpsetTarget,
    NftTarget,
    Target,
    check_kinds,
    file_target,
    read_targets,
)

__all__ = [
    "DEFAULT_FILE",
    "DEFAULT_STATE",
    "DEFAULT_TABLE",
    "Configuration",
    "ConfigurationError",
    "FileTarget",
    "FrrTarget",
    "IpsetTarget",
    "Mirror",
    "NftTarget",
    "NoConfiguration",
    "Target",
    "file_target",
    "load",
    "url_problem",
]

DEFAULT_FILE = Path("/etc/rahdari/agent.toml")
DEFAULT_STATE = Path("/var/lib/rahdari-agent")

_TOP = {
    "server": str,
    "receipt_url": str,
    "metadata_url": str,
    "targets_url": str,
    "token_file": str,
    "client_certificate": str,
    "client_key": str,
    "ca_file": str,
    "proxy": str,
    "root": str,
    "root_sha256": str,
    "terms": str,
    "state": str,
    "local": str,
    "metrics": str,
    "metrics_file": str,
    "insecure_http": bool,
    "poll_seconds": int,
    "check_seconds": int,
    "grace_hours": int,
    "mirror": list,
    "target": list,
}
_MIRROR = {"metadata_url": str, "targets_url": str}


class NoConfiguration(AgentFault):
    exit = Exit.USAGE

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no configuration at {path}.",
            "Make one with `rahdari agent init`, or name yours with --config FILE.",
        )


class ConfigurationError(AgentFault):
    """`.problems` are whole sentences, one for each thing that is wrong."""

    exit = Exit.USAGE

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__(f"{path} cannot be used: {' '.join(problems)}", "Mend the file and try again.")
        self.problems = problems


@dataclass(frozen=True)
class Mirror:
    """The bases of metadata names and of target paths. It is shown nothing of who asks."""

    metadata_url: str
    targets_url: str

    @property
    def name(self) -> str:
        """Its host. The rest of its address is nobody else's business."""
        return urlsplit(self.metadata_url or self.targets_url).netloc


@dataclass(frozen=True)
class Configuration:
    server: str
    receipt_url: str
    token_file: Path | None
    root: Path
    root_sha256: str
    state: Path
    targets: tuple[Target, ...]
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    # The first mirror, and further ones.
    metadata_url: str = ""
    targets_url: str = ""
    mirrors: tuple[Mirror, ...] = ()
    # "" takes the environment's, "none" uses none whatever the environment says.
    proxy: str = ""
    local: Path | None = None
    metrics: tuple[str, int] | None = None
    metrics_file: Path | None = None
    poll_seconds: int = 60
    check_seconds: int = 300
    grace_hours: int = 72
    # Empty where it was set up before there were terms.
    terms: str = ""

    @property
    def mirrored(self) -> tuple[Mirror, ...]:
        """All mirrors, in the order in which they are asked."""
        every = (Mirror(self.metadata_url, self.targets_url), *self.mirrors)
        return tuple(each for each in every if each.metadata_url or each.targets_url)


def load(path: Path) -> Configuration:
    """Raises NoConfiguration, ConfigurationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NoConfiguration(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(path, [f"It cannot be read ({error})."]) from None
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(path, [f"It is not TOML: {error}."]) from None
    problems: list[str] = []
    configuration = _build(given, path.parent, problems)
    if configuration is None or problems:
        raise ConfigurationError(path, problems)
    return configuration


def _build(given: Mapping[str, Any], folder: Path, problems: list[str]) -> Configuration | None:
    check_kinds("", given, _TOP, problems)
    missing = [f"`{name}` is missing." for name in ("server", "root", "root_sha256") if name not in given]
    problems += missing
    if "token_file" not in given and "client_certificate" not in given:
        problems.append("Either `token_file` or `client_certificate` is needed, to show the server who asks.")
    if "client_key" in given and "client_certificate" not in given:
        problems.append("`client_key` is of no use without `client_certificate`.")
    if problems:
        return None
    server = str(given["server"]).rstrip("/")
    receipt_url = str(given.get("receipt_url", f"{server}/feed/receipt"))
    mirrors = {name: str(given.get(name, "")).rstrip("/") for name in ("metadata_url", "targets_url")}
    places = {"server": server, "receipt_url": receipt_url, **{name: url for name, url in mirrors.items() if url}}
    further = _mirrors(given.get("mirror", []), problems)
    for number, mirror in enumerate(further, 1):
        places |= {f"{name} of [[mirror]] {number}": getattr(mirror, name) for name in _MIRROR}
    for name, url in places.items():
        if problem := url_problem(url, insecure=given.get("insecure_http", False)):
            problems.append(f"`{name}` {problem}")
    digest, terms = (str(given.get(name, "")).lower() for name in ("root_sha256", "terms"))
    for name, value in {"root_sha256": digest, **({"terms": terms} if terms else {})}.items():
        if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            problems.append(f"`{name}` is not a SHA-256 digest of 64 hex digits.")
    for name, lowest in (("poll_seconds", 60), ("check_seconds", 60), ("grace_hours", 0)):
        if given.get(name, lowest) < lowest:
            problems.append(f"`{name}` must be {lowest} or more.")
    proxy = str(given.get("proxy", ""))
    if proxy not in {"", "none"} and (problem := proxy_problem(proxy)):
        problems.append(f"`proxy` {problem}")
    metrics = listening_at(given["metrics"]) if given.get("metrics") else None
    if given.get("metrics") and metrics is None:
        problems.append('`metrics` must be an address of this machine and a port, as in "127.0.0.1:9797".')
    targets = read_targets(given.get("target", []), folder, problems)
    numbers = {name: given[name] for name in ("poll_seconds", "check_seconds", "grace_hours") if name in given}
    return Configuration(
        server=server,
        receipt_url=receipt_url,
        token_file=_path(given, "token_file", folder),
        root=folder / given["root"],
        root_sha256=digest,
        state=folder / given.get("state", str(DEFAULT_STATE)),
        targets=tuple(targets),
        ca_file=_path(given, "ca_file", folder),
        client_certificate=_path(given, "client_certificate", folder),
        client_key=_path(given, "client_key", folder),
        proxy=proxy,
        metadata_url=mirrors["metadata_url"],
        targets_url=mirrors["targets_url"],
        mirrors=further,
        local=_path(given, "local", folder),
        metrics=metrics,
        metrics_file=_path(given, "metrics_file", folder),
        terms=terms,
        **numbers,
    )


def _mirrors(given: list[Any], problems: list[str]) -> tuple[Mirror, ...]:
    found: list[Mirror] = []
    for number, each in enumerate(given, 1):
        if not isinstance(each, dict) or _MIRROR.keys() - each.keys():
            problems.append(f"[[mirror]] {number} needs `metadata_url` and `targets_url`.")
            continue
        before = len(problems)
        check_kinds(f"[[mirror]] {number}: ", each, _MIRROR, problems)
        if len(problems) == before:
            found.append(Mirror(each["metadata_url"].rstrip("/"), each["targets_url"].rstrip("/")))
    return tuple(found)


def _path(given: Mapping[str, Any], name: str, folder: Path) -> Path | None:
    return folder / given[name] if given.get(name) else None


def url_problem(url: str, *, insecure: bool) -> str | None:
    """Why this address is not taken, or None. A token is never sent where others can read it."""
    wrong = "is not the address of a server, such as https://feed.example."
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises when it is none
    except ValueError:
        return wrong
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        return wrong
    if parts.scheme == "https" or insecure or is_here(parts.hostname):
        return None
    return "begins with http://, so the token could be read on the way. Use https://, or set insecure_http = true."


def proxy_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port and parts.path in {"", "/"}:
            return None
    except ValueError:
        pass  # A bracket that is not closed, a port that is no number.
    return 'is not the address of a proxy, such as "http://proxy.example:3128". "none" uses no proxy.'


def listening_at(text: str) -> tuple[str, int] | None:
    """Address and port of `127.0.0.1:9797` or `[::1]:9797`."""
    host, colon, port = text.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    known = colon and port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536
    return (str(address), int(port)) if known else None


def is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
