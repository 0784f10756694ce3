"""`rahdari agent init`: from the authority's welcome to terms that are accepted, a root that is trusted, and a
configuration.

Everything is checked before anything is written. By root it gives the agent's user what the agent needs, and no more.
"""

import argparse
import hashlib
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rahdari.feed.terms import SHORT, TERMS

from ..atomic_files import put_file
from ..configuration import DEFAULT_STATE, DEFAULT_TABLE, Configuration, NftTarget
from ..credentials import Credentials, TokenUnreadable, read_token
from ..faults import AgentFault, Exit
from ..folder import create, give_back, open_state, sole_agent
from ..receipts import public_hex, signing_key
from ..ruleset import ruleset
from ..targets_configuration import RULESET
from ..terms import UPGRADE, accept_terms
from ..transport import Server
from ..trust import ROOT_BYTES, WrongRoot, check_root
from ..welcome import Welcome, read_welcome
from .acts import Acts, NotUnderstood, act
from .configuring import as_toml, check_configuration, configuration_from

DEFAULT_USER = "rahdari-agent"
DEFAULT_METRICS = "127.0.0.1:9797"


class AlreadyConfigured(AgentFault):
    exit = Exit.USAGE

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already.", "To write it anew give --replace.")


def add(acts: Acts) -> None:
    init = act(acts, "init", "trust a root and write the configuration", init_agent)
    init.add_argument("--welcome", metavar="FILE", help="what the authority sent you (- reads it from the terminal)")
    init.add_argument("--server", metavar="URL", help="the feed's server, without /feed")
    init.add_argument("--root", type=Path, metavar="FILE", help="the root of trust, as the authority gave it to you")
    init.add_argument("--root-sha256", metavar="HEX", help="its SHA-256, as you got it by another way")
    init.add_argument(
        "--accept-terms", metavar="DIGEST", default="", help="accept the terms of the feed by their digest"
    )
    init.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token given to you")
    init.add_argument("--client-certificate", type=Path, metavar="FILE", help="shown instead of a token, or with it")
    init.add_argument("--client-key", type=Path, metavar="FILE", help="the key of the certificate")
    init.add_argument("--receipt-url", metavar="URL", help="where receipts go (SERVER/feed/receipt)")
    init.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help=f"({DEFAULT_STATE})")
    init.add_argument("--user", default=DEFAULT_USER, metavar="NAME", help=f"runs the agent ({DEFAULT_USER})")
    init.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates of a private authority")
    init.add_argument("--proxy", metavar="URL", help='an HTTP proxy, or "none" for none')
    init.add_argument("--metrics", nargs="?", const=DEFAULT_METRICS, metavar="AT", help=f"({DEFAULT_METRICS})")
    init.add_argument("--nftables", nargs="?", const=DEFAULT_TABLE, metavar="TABLE", help=f'("{DEFAULT_TABLE}")')
    init.add_argument("--netns", default="", metavar="NAME", help="network namespace of the nftables table")
    init.add_argument("--json", type=Path, metavar="FILE", help="write the entries to a JSON file")
    init.add_argument("--csv", type=Path, metavar="FILE", help="write the entries to a CSV file")
    init.add_argument(
        "--target", action="append", default=[], metavar="KIND=FILE", help="write them as a device reads them"
    )
    init.add_argument("--insecure-http", action="store_true", help="allow http:// to another machine (tests only)")
    init.add_argument("--replace", action="store_true", help="write an existing configuration anew")


def init_agent(arguments: argparse.Namespace) -> int:
    path: Path = arguments.config.absolute()
    if path.exists() and not arguments.replace:
        raise AlreadyConfigured(path)
    welcome = read_welcome(arguments.welcome) if arguments.welcome else Welcome()
    configuration = configuration_from(arguments, welcome, path)
    expected = _expected_root(arguments, welcome)
    user = _user(arguments.user)
    if welcome.terms_sha256 not in {"", TERMS}:
        raise NotUnderstood("The welcome names other terms of the feed than this release has.", UPGRADE)
    accept_terms(arguments.accept_terms, "--accept-terms")
    path.parent.mkdir(parents=True, exist_ok=True)
    check_configuration(path, as_toml(configuration, "0" * 64, arguments))
    token = welcome.token if arguments.token_file is None else ""
    with _token_put(configuration.token_file, token, user, replace=arguments.replace):
        Credentials(configuration).check()
        content = _given_root(arguments.root) if arguments.root is not None else _fetch_root(configuration)
        found = hashlib.sha256(content).hexdigest()
        if expected and found != expected:
            said = f"you gave {expected}" if arguments.root_sha256 else f"the welcome text says {expected}"
            raise WrongRoot(f"its SHA-256 is {found}, and {said}")
        root = check_root(content)
    create(configuration.state)
    if user is not None:
        shutil.chown(configuration.state, user.pw_uid, user.pw_gid)
    with sole_agent(configuration.state), open_state(configuration.state) as state:
        if any(position.root_sha256 != found for position in state.positions().values()):
            with state.transaction():
                state.forget_positions()
        key = public_hex(signing_key(configuration.state))
    give_back(configuration.state)
    put_file(configuration.root, content)
    put_file(path, as_toml(configuration, found, arguments).encode())
    role = root.signed.roles["root"]
    print(
        f"Trusted: root version {root.signed.version}, {role.threshold} of {len(role.keyids)} keys, until "
        f"{root.signed.expires:%Y-%m-%d}."
    )
    print(f"  SHA-256 {found}")
    if arguments.root_sha256 is None:
        print("  Hold this against the SHA-256 that the authority published in another place.")
    print(f"Accepted: the terms of the feed, {TERMS[:SHORT]}.")
    print(f"Written: {path}, {configuration.root}; state in {configuration.state}.")
    print(f"Receipts are signed by the key {key[:16]}..., made here.")
    if configuration.token_file and configuration.token_file.stat().st_mode & 0o077:
        print(f"Others can read the token: chmod 600 {configuration.token_file}")
    _next(configuration, path)
    return Exit.OK


def _expected_root(arguments: argparse.Namespace, welcome: Welcome) -> str:
    """The digest that the root must have. Raises NotUnderstood, WrongRoot."""
    typed = "".join((arguments.root_sha256 or "").split()).replace(":", "").lower()
    sent = welcome.root_sha256.strip().lower()
    if typed and sent and typed != sent:
        raise WrongRoot(f"the welcome text says {sent}, and you gave {typed}")
    if arguments.root is None and not (typed or sent):
        raise NotUnderstood(
            "A root of trust is needed.",
            "Give --root FILE, or --root-sha256 HEX to fetch the root and hold it against its SHA-256, or both.",
        )
    return typed or sent


def _user(name: str) -> pwd.struct_passwd | None:
    """The agent's user, if we are root and there is one; else whoever we are runs the agent."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        if name == DEFAULT_USER:
            return None
        raise NotUnderstood(f"There is no user {name}.", f"Make it first: useradd --system {name}") from None


@contextmanager
def _token_put(path: Path | None, token: str, user: pwd.struct_passwd | None, *, replace: bool) -> Iterator[None]:
    """The token in its place, to ask for the root with. It goes again when the root cannot be trusted."""
    if path is None or not token:
        yield
        return
    before = path.read_bytes() if path.exists() else None
    if before is not None and not replace and not _holds(path, token):
        raise AlreadyConfigured(path)
    put_file(path, f"{token}\n".encode(), 0o600)
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink()
        else:
            put_file(path, before, 0o600)
        raise
    finally:
        if user is not None and path.exists():
            shutil.chown(path, user.pw_uid, user.pw_gid)


def _holds(path: Path, token: str) -> bool:
    try:
        return read_token(path) == token
    except TokenUnreadable:
        return False


def _given_root(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongRoot(f"{path} cannot be read ({error.strerror})") from None


def _fetch_root(configuration: Configuration) -> bytes:
    """Any bytes from the server, for the caller to hold against a digest."""
    server = Server(configuration)
    try:
        return b"".join(server.get(f"{configuration.server}/feed/metadata/1.root.json", most=ROOT_BYTES))
    finally:
        server.close()


def _next(configuration: Configuration, path: Path) -> None:
    """What is left to do, in the order in which it is done."""
    for target in configuration.targets:
        if isinstance(target, NftTarget):
            file = path.with_name(RULESET)
            put_file(file, ruleset(target.table).encode())
            print(f"Written: {file}, which the agent loads.")
    print("Next: rahdari agent sync --dry-run says what would happen, and `rahdari agent unit` prints the service.")
