"""`rahdari agent init`: trust a root and write the configuration."""

import argparse
import hashlib
import json
from pathlib import Path

from ..configuration import (
    DEFAULT_STATE,
    DEFAULT_TABLE,
    Configuration,
    FileTarget,
    NftTarget,
    load,
    url_problem,
)
from ..credentials import Credentials
from ..faults import AgentFault, Exit
from ..folder import create, give_back, open_state, sole_agent
from ..placing import put_file
from ..transport import Server
from ..trust import ROOT_BYTES, WrongRoot, check_root
from .acts import Acts, NotUnderstood, act


class AlreadyConfigured(AgentFault):
    exit = Exit.USAGE

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already.", "To write it anew give --replace.")


def add(acts: Acts) -> None:
    init = act(acts, "init", "trust a root and write the configuration", init_agent)
    init.add_argument("--server", required=True, metavar="URL", help="the feed's server, without /feed")
    init.add_argument("--root", type=Path, metavar="FILE", help="the root of trust, as the authority gave it to you")
    init.add_argument("--root-sha256", metavar="HEX", help="its SHA-256, as you got it by another way")
    init.add_argument("--token-file", type=Path, required=True, metavar="FILE", help="holds the token given to you")
    init.add_argument("--receipt-url", metavar="URL", help="where receipts go (SERVER/feed/receipt)")
    init.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help=f"({DEFAULT_STATE})")
    init.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates of a private authority")
    init.add_argument("--nftables", nargs="?", const=DEFAULT_TABLE, metavar="TABLE", help=f'("{DEFAULT_TABLE}")')
    init.add_argument("--netns", default="", metavar="NAME", help="network namespace of the nftables table")
    init.add_argument("--json", type=Path, metavar="FILE", help="write the entries to a JSON file")
    init.add_argument("--csv", type=Path, metavar="FILE", help="write the entries to a CSV file")
    init.add_argument("--insecure-http", action="store_true", help="allow http:// to another machine (tests only)")
    init.add_argument("--replace", action="store_true", help="write an existing configuration anew")


def init_agent(arguments: argparse.Namespace) -> int:
    path: Path = arguments.config.absolute()
    if path.exists() and not arguments.replace:
        raise AlreadyConfigured(path)
    if arguments.root is None and arguments.root_sha256 is None:
        raise NotUnderstood(
            "A root of trust is needed.",
            "Give --root FILE, or --root-sha256 HEX to fetch the root and hold it against its SHA-256, or both.",
        )
    configuration = _configuration(arguments, path)
    for name, url in (("--server", configuration.server), ("--receipt-url", configuration.receipt_url)):
        if problem := url_problem(url, insecure=arguments.insecure_http):
            raise NotUnderstood(f"{name} {problem}", "Mend it and try again.")
    Credentials(configuration).check()
    content = _given_root(arguments.root) if arguments.root is not None else _fetch_root(configuration)
    found = hashlib.sha256(content).hexdigest()
    if arguments.root_sha256 is not None and found != arguments.root_sha256.strip().lower():
        raise WrongRoot(f"its SHA-256 is {found}, and you gave {arguments.root_sha256}")
    root = check_root(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    create(configuration.state)
    with sole_agent(configuration.state), open_state(configuration.state) as state:
        position = state.position()
        if position is not None and position.root_sha256 != found:
            with state.transaction():
                state.forget_position()
    give_back(configuration.state)
    put_file(configuration.root, content)
    put_file(path, _as_toml(configuration, found, insecure=arguments.insecure_http).encode())
    # What was written must be readable by the one who reads it.
    load(path)
    role = root.signed.roles["root"]
    print(
        f"Trusted: root version {root.signed.version}, {role.threshold} of {len(role.keyids)} keys, until "
        f"{root.signed.expires:%Y-%m-%d}."
    )
    print(f"  SHA-256 {found}")
    if arguments.root_sha256 is None:
        print("  Hold this against the SHA-256 that the authority published in another place.")
    print(f"Written: {path}, {configuration.root}; state in {configuration.state}.")
    if configuration.token_file and configuration.token_file.stat().st_mode & 0o077:
        print(f"Others can read the token: chmod 600 {configuration.token_file}")
    if any(isinstance(target, NftTarget) for target in configuration.targets):
        print("Load the sets once: rahdari agent ruleset | nft -f -")
    print("Next: rahdari agent sync")
    return Exit.OK


def _configuration(arguments: argparse.Namespace, path: Path) -> Configuration:
    server = arguments.server.rstrip("/").removesuffix("/feed")
    targets: list[NftTarget | FileTarget] = []
    if arguments.nftables:
        table = " ".join(arguments.nftables.split())
        targets.append(NftTarget(name=table.rpartition(" ")[2], table=table, netns=arguments.netns))
    files = [(kind, getattr(arguments, kind)) for kind in ("json", "csv")]
    targets += [FileTarget(kind=kind, name=file.name, path=file.absolute()) for kind, file in files if file is not None]
    if not targets:
        targets.append(FileTarget(kind="json", name="entries.json", path=arguments.state.absolute() / "entries.json"))
    return Configuration(
        server=server,
        receipt_url=arguments.receipt_url or f"{server}/feed/receipt",
        token_file=arguments.token_file.absolute(),
        root=path.with_name("root.json"),
        root_sha256="",
        state=arguments.state.absolute(),
        targets=tuple(targets),
        ca_file=arguments.ca_file.absolute() if arguments.ca_file else None,
    )


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


def _as_toml(configuration: Configuration, root_sha256: str, *, insecure: bool) -> str:
    def text(value: object) -> str:
        return json.dumps(str(value), ensure_ascii=False)

    lines = [
        "# The rahdari agent. Every setting is explained in docs/agent.md.",
        f"server = {text(configuration.server)}",
        f"receipt_url = {text(configuration.receipt_url)}",
        f"token_file = {text(configuration.token_file)}",
        f"root = {text(configuration.root)}",
        f"root_sha256 = {text(root_sha256)}",
        f"state = {text(configuration.state)}",
        *([f"ca_file = {text(configuration.ca_file)}"] if configuration.ca_file else []),
        *(["insecure_http = true"] if insecure else []),
    ]
    for target in configuration.targets:
        lines += ["", "[[target]]", f"kind = {text(target.kind)}", f"name = {text(target.name)}"]
        if isinstance(target, FileTarget):
            lines.append(f"path = {text(target.path)}")
        else:
            lines.append(f"table = {text(target.table)}")
            lines += [f"netns = {text(target.netns)}"] if target.netns else []
    return "\n".join(lines) + "\n"
