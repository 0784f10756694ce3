"""A vantage's own settings: `vantage.toml`, beside its key. Everything is checked before anything is done.

name = "sample-1"
listen = "127.0.0.1:8443"
key_file = "vantage.key"                # its Ed25519 key; made by `rahdari vantage init`
token_sha256 = "..."                    # of the register's token: the token itself lies nowhere here
resolvers = ["192.0.2.53"]              # for proofs by DNS; without them those are answered "no_resolver"
at_once = 8                             # attempts at the same time; beyond them it answers 503
a_minute = 120                          # attempts a minute, and ...
a_minute_each = 12                      # ... of those for one address
behind_proxy = false                    # true: a proxy on this machine speaks TLS and asks for certificates
allowed_ranges = []                     # special ranges that may be asked: for tests alone

[tls]                                   # speak TLS itself
certificate = "vantage.crt"
key = "vantage-tls.key"
client_ca = "register-ca.pem"           # and let nobody in without a certificate of this authority
"""

import ipaddress
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rahdari.probe import Standpoint
from rahdari.probe.resolvers import parse_resolver

from .message import check_name

FILE = "vantage.toml"
DEFAULT_FOLDER = Path("/etc/rahdari/vantage")
MOST_AT_ONCE = 256
_KINDS: dict[str, type] = {
    "name": str,
    "listen": str,
    "key_file": str,
    "token_sha256": str,
    "resolvers": list,
    "at_once": int,
    "a_minute": int,
    "a_minute_each": int,
    "behind_proxy": bool,
    "allowed_ranges": list,
    "tls": dict,
}
_TLS = ("certificate", "key", "client_ca")
_NEEDED = ("name", "listen", "key_file", "token_sha256")


class ConfigurationError(Exception):
    """`.problems` are whole sentences, one for each thing that is wrong."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__(f"{path} cannot be used: {' '.join(problems)}")
        self.problems = problems


@dataclass(frozen=True)
class Tls:
    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True)
class Configuration:
    name: str
    host: str
    port: int
    key_file: Path
    token_sha256: str
    standpoint: Standpoint = field(default_factory=Standpoint)
    at_once: int = 8
    a_minute: int = 120
    a_minute_each: int = 12
    behind_proxy: bool = False
    tls: Tls | None = None


def load(path: Path) -> Configuration:
    """Raises ConfigurationError."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(path, ["It is not there. Make one with `rahdari vantage init`."]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(path, [f"It cannot be read ({error})."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(path, [f"It is not TOML: {error}."]) from None
    problems: list[str] = []
    for name, value in given.items():
        if name not in _KINDS:
            problems.append(f"`{name}` is not known.")
        elif type(value) is not _KINDS[name]:
            problems.append(f"`{name}` must be {_IN_WORDS[_KINDS[name]]}.")
    problems += [f"`{name}` is missing." for name in _NEEDED if name not in given]
    if problems:
        raise ConfigurationError(path, problems)
    configuration = _build(given, path.parent, problems)
    if configuration is None or problems:
        raise ConfigurationError(path, problems)
    return configuration


_IN_WORDS = {str: "text", list: "a list of texts", int: "a number", bool: "true or false", dict: "a section"}


def _build(given: dict[str, Any], folder: Path, problems: list[str]) -> Configuration | None:
    try:
        check_name(given["name"])
    except ValueError as error:
        problems.append(f"`name`: {error}.")
    if not re.fullmatch(r"[0-9a-f]{64}", given["token_sha256"], re.ASCII):
        problems.append("`token_sha256` has 64 hex digits; `rahdari vantage init` makes it.")
    for name in ("resolvers", "allowed_ranges"):
        _check_list(name, given.get(name, []), problems)
    for name, most in (("at_once", MOST_AT_ONCE), ("a_minute", 60_000), ("a_minute_each", 600)):
        if not 1 <= given.get(name, 1) <= most:
            problems.append(f"`{name}` is a number from 1 to {most}.")
    place = _listen(given["listen"])
    if place is None:
        problems.append("`listen` is an address and a port, like 127.0.0.1:8443 or [::1]:8443.")
    tls = _tls(given["tls"], folder, problems) if "tls" in given else None
    if place is not None and tls is None and not _is_loopback(place[0]) and not given.get("behind_proxy", False):
        problems.append(
            "The token and one-time keys would go in the open: give [tls], or listen on 127.0.0.1, "
            "or say behind_proxy = true when a proxy before it speaks TLS."
        )
    if problems or place is None:
        return None
    return Configuration(
        name=given["name"],
        host=place[0],
        port=place[1],
        key_file=folder / given["key_file"],
        token_sha256=given["token_sha256"],
        standpoint=Standpoint(tuple(given.get("allowed_ranges", [])), tuple(given.get("resolvers", []))),
        at_once=given.get("at_once", 8),
        a_minute=given.get("a_minute", 120),
        a_minute_each=given.get("a_minute_each", 12),
        behind_proxy=given.get("behind_proxy", False),
        tls=tls,
    )


def _check_list(name: str, values: list[Any], problems: list[str]) -> None:
    read = parse_resolver if name == "resolvers" else ipaddress.ip_network
    for value in values:
        try:
            if not isinstance(value, str):
                raise ValueError
            read(value)
        except ValueError:
            kind = "an address like 192.0.2.53 or [2001:db8::53]:53" if name == "resolvers" else "a range"
            problems.append(f"`{name}`: {value!r} is not {kind}.")


def _listen(text: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:]+)\]|([0-9.]+)):([0-9]{1,5})", text, re.ASCII)
    if found is None:
        return None
    host, port = found[1] or found[2], int(found[3])
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return (host, port) if 1 <= port <= 65_535 else None


def _tls(given: dict[str, Any], folder: Path, problems: list[str]) -> Tls | None:
    before = len(problems)
    problems += [f"`tls.{name}` is not known." for name in given if name not in _TLS]
    problems += [f"`tls.{name}` is missing." for name in _TLS[:2] if name not in given]
    files = {name: folder / str(given[name]) for name in _TLS if name in given}
    problems += [f"There is no file {file} (`tls.{name}`)." for name, file in files.items() if not file.is_file()]
    if len(problems) > before:
        return None
    return Tls(files["certificate"], files["key"], files.get("client_ca"))


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback
