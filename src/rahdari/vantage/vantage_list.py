"""The register's list of its vantages: `vantages.toml` in the data folder. A missing file is an empty list.

[[vantage]]
name = "sample-1"                       # what `rahdari vantage init` printed there
url = "https://vantage.sample.example:8443"
key = "<public key, 64 hex digits>"
token_file = "sample-1.token"           # beside this file, for nobody else to read
network = "AS64496"                     # the network it stands in: a quorum counts networks
region = "PK"
ca_file = "sample-1.pem"                # where its certificate is signed by nobody known
client_certificate = "register.crt"     # where it wants ours
client_key = "register.key"
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rahdari.probe.quorum import HERE

from .message import check_key, check_name

FILE = "vantages.toml"
_NETWORK = re.compile(r"AS[1-9][0-9]{0,9}", re.ASCII)
_TEXTS = (
    "name",
    "url",
    "key",
    "token_file",
    "network",
    "region",
    "ca_file",
    "client_certificate",
    "client_key",
)
_NEEDED = ("name", "url", "key", "token_file", "network")
LOOPBACK = ("127.0.0.1", "::1")


class VantagesUnusable(Exception):
    """`.problems` are whole sentences, one for each thing that is wrong."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__(f"{path} cannot be used: {' '.join(problems)}")
        self.problems = problems


@dataclass(frozen=True)
class Vantage:
    name: str
    url: str
    key: str
    token: str = field(repr=False)
    network: str
    region: str = ""
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


def load(folder: Path) -> tuple[Vantage, ...]:
    """Raises VantagesUnusable. `folder` is the data folder."""
    path = folder / FILE
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise VantagesUnusable(path, [f"It cannot be read ({error})."]) from None
    except tomllib.TOMLDecodeError as error:
        raise VantagesUnusable(path, [f"It is not TOML: {error}."]) from None
    problems = [f"`{name}` is not known here; each vantage is a [[vantage]]." for name in given if name != "vantage"]
    listed = given.get("vantage", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise VantagesUnusable(path, [*problems, "Each vantage is a [[vantage]] with its settings below."])
    found = [_vantage(each, number, folder, problems) for number, each in enumerate(listed, 1)]
    names = [each.name for each in found if each is not None]
    problems += [f"Two vantages are called {name}." for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise VantagesUnusable(path, problems)
    return tuple(each for each in found if each is not None)


def _vantage(given: dict[str, Any], number: int, folder: Path, problems: list[str]) -> Vantage | None:
    called = given.get("name") if isinstance(given.get("name"), str) else f"number {number}"
    before = len(problems)

    def wrong(text: str) -> None:
        problems.append(f"Vantage {called}: {text}")

    for name, value in given.items():
        if name not in _TEXTS:
            wrong(f"`{name}` is not known.")
        elif not isinstance(value, str) or not value:
            wrong(f"`{name}` must be text.")
    for name in _NEEDED:
        if name not in given:
            wrong(f"`{name}` is missing.")
    if len(problems) > before:
        return None
    for check, name in ((check_name, "name"), (check_key, "key")):
        try:
            check(given[name])
        except ValueError as error:
            wrong(f"{error}.")
    if given["name"] == HERE:
        wrong(f"the name {HERE} is the register's own.")
    if not _NETWORK.fullmatch(given["network"]):
        wrong("`network` is an AS number like AS64496.")
    if not url_is_usable(given["url"]):
        wrong("`url` must begin with https:// and have no path; http:// is for this machine alone.")
    if ("client_certificate" in given) != ("client_key" in given):
        wrong("`client_certificate` and `client_key` go together.")
    files = {name: folder / given[name] for name in ("ca_file", "client_certificate", "client_key") if name in given}
    for name, file in files.items():
        if not file.is_file():
            wrong(f"there is no file {file} (`{name}`).")
    token = _token(folder / given["token_file"], wrong)
    if len(problems) > before:
        return None
    return Vantage(
        name=given["name"],
        url=given["url"].rstrip("/"),
        key=given["key"],
        token=token,
        network=given["network"],
        region=given.get("region", ""),
        **files,
    )


def _token(path: Path, wrong: Any) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError):
        wrong(f"the token cannot be read from {path}.")
        return ""
    if mode & 0o077:
        wrong(f"{path} can be read by others; run: chmod 600 {path}")
    if not re.fullmatch(r"[\x21-\x7e]{20,200}", token):
        wrong(f"{path} holds no token.")
    return token


def url_is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    return (
        (parts.scheme == "https" or plain)
        and bool(parts.hostname)
        and port != 0
        and parts.path in {"", "/"}
        and not (parts.query or parts.fragment or parts.username)
    )
