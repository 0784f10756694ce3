"""`rahdari agent init | sync | run | status | check | ruleset`.

0  all is well                          4  a target could not be brought up to date
1  alarm: the feed is stale, or worse   5  the server was not reached, or refused us
2  the command or the configuration     6  the state folder: full, damaged, in use
3  something came that is not trusted   7  `check`: the address is not registered
"""

import argparse
import datetime as dt
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rahdari.address import AddressError, EndpointError, parse_block, parse_port, parse_protocol

from . import telling
from .configuration import (
    DEFAULT_FILE,
    DEFAULT_STATE,
    DEFAULT_TABLE,
    Configuration,
    FileTarget,
    NftTarget,
    load,
    url_problem,
)
from .faults import AgentFault, Exit
from .folder import create, give_back, open_state, set_aside, sole_agent
from .ruleset import ruleset
from .syncing import Agent
from .transport import Server
from .trust import ROOT_BYTES, WrongRoot, check_root


class NotUnderstood(AgentFault):
    exit = Exit.USAGE


class AlreadyConfigured(AgentFault):
    exit = Exit.USAGE

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already.", "To write it anew give --replace.")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "agent", help="follow the feed on an operator's machine", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.epilog = f"exit codes:\n{(__doc__ or '').partition(chr(10) * 2)[2]}"
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")

    init = _act(acts, "init", "trust a root and write the configuration", init_agent)
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

    sync = _act(acts, "sync", "come up to date once, apply, and report", sync_once)
    sync.add_argument("--json", action="store_true", help="print a JSON object")
    sync.add_argument("--anew", action="store_true", help="set a damaged or lost state aside and fetch all of it again")
    _act(acts, "run", "follow the feed until stopped", run_agent)
    status = _act(acts, "status", "say what is held, what is applied and what is wrong", show_status)
    status.add_argument("--json", action="store_true", help="print a JSON object")

    check = _act(acts, "check", "say whether an address is registered, from what is held here", check_address)
    check.add_argument("address", help="an address or a prefix")
    check.add_argument("--protocol", metavar="NAME", help="udp, tcp, esp or gre")
    check.add_argument("--port", metavar="N")
    check.add_argument("--json", action="store_true", help="print a JSON object")

    rules = acts.add_parser("ruleset", help="print the nftables sets that are filled, with rules that mark packets")
    rules.add_argument("--table", default=DEFAULT_TABLE, metavar="TABLE", help=f'("{DEFAULT_TABLE}")')
    rules.set_defaults(run=print_ruleset)


def _act(
    acts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = acts.add_parser(name, help=help)
    parser.add_argument("--config", type=Path, default=DEFAULT_FILE, metavar="FILE", help=f"({DEFAULT_FILE})")

    def told(arguments: argparse.Namespace) -> int:
        try:
            return function(arguments)
        except AgentFault as fault:
            if getattr(arguments, "json", False) is True:
                print(json.dumps({"ok": False, "faults": [_as_json(fault)]}))
            print(f"{fault.what}\n  {fault.mend}", file=sys.stderr)
            return int(fault.exit)

    parser.set_defaults(run=told)
    return parser


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
    configuration.token()
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
    _write(configuration.root, content, 0o644)
    _write(path, _as_toml(configuration, found, insecure=arguments.insecure_http).encode(), 0o644)
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
    if configuration.token_file.stat().st_mode & 0o077:
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


def _write(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def sync_once(arguments: argparse.Namespace) -> int:
    configuration = load(arguments.config)
    with sole_agent(configuration.state):
        if arguments.anew:
            set_aside(configuration.state, _now())
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            try:
                outcome = agent.sync(now=_now())
            finally:
                agent.close()
    give_back(configuration.state)
    position = outcome.position
    if arguments.json:
        said = {
            "ok": outcome.exit is Exit.OK,
            "session": position.session if position else None,
            "sequence": position.sequence if position else None,
            "files": outcome.files,
            "in_force": outcome.applied.loaded,
            "kept_stale": outcome.applied.kept_stale,
            "targets": list(outcome.applied.targets),
            "seconds": round(outcome.seconds, 3),
            "faults": [_as_json(fault) for fault in outcome.faults],
        }
        print(json.dumps(said))
    elif position is not None:
        names = ", ".join(outcome.applied.targets)
        done = f"applied to {names}" if names else "nothing to apply"
        print(f"Edition {position.sequence}: {telling.counted(outcome.applied.loaded)} now; {done}.")
    for fault in outcome.faults:
        print(f"{fault.what}\n  {fault.mend}", file=sys.stderr)
    return outcome.exit


def run_agent(arguments: argparse.Namespace) -> int:
    from .following import follow

    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log = logging.getLogger("rahdari.agent")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return follow(load(arguments.config))


def show_status(arguments: argparse.Namespace) -> int:
    configuration = load(arguments.config)
    with open_state(configuration.state) as state:
        said = telling.status(configuration=configuration, state=state, now=_now())
    print(json.dumps(telling.status_as_json(said), indent=1) if arguments.json else telling.status_in_words(said))
    return said.exit


def check_address(arguments: argparse.Namespace) -> int:
    try:
        block = parse_block(arguments.address)
        protocol = parse_protocol(arguments.protocol) if arguments.protocol else None
        port = parse_port(arguments.port) if arguments.port else None
    except (AddressError, EndpointError) as error:
        raise NotUnderstood(
            f"{error.text!r} is not understood ({error.reason}).", "Give an address such as 192.0.2.1 or 2001:db8::1."
        ) from None
    configuration = load(arguments.config)
    now = _now()
    with open_state(configuration.state) as state:
        position = state.position()
        if position is None:
            raise NotUnderstood("Nothing has been verified yet.", "Run: rahdari agent sync")
        found = telling.check(
            configuration=configuration,
            state=state,
            position=position,
            block=block,
            protocol=protocol,
            port=port,
            now=now,
        )
    if arguments.json:
        print(json.dumps(telling.found_as_json(found, block=block, now=now)))
    else:
        print(telling.found_in_words(found, block=block, now=now))
    return Exit.OK if found.rows else Exit.NOT_REGISTERED


def print_ruleset(arguments: argparse.Namespace) -> int:
    print(ruleset(" ".join(arguments.table.split())), end="")
    return Exit.OK


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _as_json(fault: AgentFault) -> dict[str, str]:
    return {"name": fault.name, "what": fault.what, "mend": fault.mend}
