"""The configuration that `rahdari agent init` writes, from what was typed and what the authority sent."""

import argparse
import json
from pathlib import Path

from rahdari.feed import TERMS

from ..atomic_files import put_file
from ..configuration import Configuration, FileTarget, NftTarget, file_target, load, url_problem
from ..renderers import RENDERERS
from ..welcome import Welcome
from .acts import NotUnderstood


def configuration_from(arguments: argparse.Namespace, welcome: Welcome, path: Path) -> Configuration:
    """What was typed goes before what was sent. Raises NotUnderstood."""
    server = (arguments.server or welcome.server).rstrip("/").removesuffix("/feed")
    if not server:
        raise NotUnderstood("The address of the feed is needed.", "Give --welcome FILE, or --server URL.")
    token_file, certificate = arguments.token_file, arguments.client_certificate
    if token_file is None and welcome.token:
        token_file = path.with_name("token")
    if token_file is None and certificate is None:
        raise NotUnderstood(
            "Something is needed to show the server who asks.",
            "Give --welcome FILE with a token in it, --token-file FILE, or --client-certificate FILE.",
        )
    configuration = Configuration(
        server=server,
        receipt_url=arguments.receipt_url or welcome.receipt_url or f"{server}/feed/receipt",
        token_file=_whole(token_file),
        root=path.with_name("root.json"),
        root_sha256="",
        state=arguments.state.absolute(),
        targets=targets_from(arguments),
        ca_file=_whole(arguments.ca_file),
        client_certificate=_whole(certificate),
        client_key=_whole(arguments.client_key),
        metadata_url=welcome.metadata_url,
        targets_url=welcome.targets_url,
        proxy=arguments.proxy or "",
        terms=TERMS,
    )
    for name in ("server", "receipt_url", "metadata_url", "targets_url"):
        url = getattr(configuration, name)
        if url and (problem := url_problem(url, insecure=arguments.insecure_http)):
            raise NotUnderstood(f"--{name.replace('_', '-')} {problem}", "Mend it and try again.")
    return configuration


def targets_from(arguments: argparse.Namespace) -> tuple[NftTarget | FileTarget, ...]:
    targets: list[NftTarget | FileTarget] = []
    if arguments.nftables:
        table = " ".join(arguments.nftables.split())
        targets.append(NftTarget(name=table.rpartition(" ")[2], table=table, netns=arguments.netns))
    files = [(kind, file) for kind in ("json", "csv") if (file := getattr(arguments, kind)) is not None]
    for said in arguments.target:
        kind, equals, file = said.partition("=")
        if kind not in RENDERERS or not equals or not file:
            raise NotUnderstood(
                f"--target {said} is not understood.", f"Give KIND=FILE, with a kind of {', '.join(RENDERERS)}."
            )
        files.append((kind, Path(file)))
    targets += [file_target(kind, file.name, file.absolute()) for kind, file in files]
    if not targets:
        targets.append(file_target("json", "entries.json", arguments.state.absolute() / "entries.json"))
    return tuple(targets)


def as_toml(configuration: Configuration, root_sha256: str, arguments: argparse.Namespace) -> str:
    """Only what differs from what holds without it."""
    said: dict[str, object] = {
        "server": configuration.server,
        "receipt_url": configuration.receipt_url,
        "metadata_url": configuration.metadata_url,
        "targets_url": configuration.targets_url,
        "token_file": configuration.token_file or "",
        "client_certificate": configuration.client_certificate or "",
        "client_key": configuration.client_key or "",
        "root": configuration.root,
        "root_sha256": root_sha256,
        "terms": configuration.terms,
        "state": configuration.state,
        "ca_file": configuration.ca_file or "",
        "proxy": configuration.proxy,
        "metrics": arguments.metrics or "",
    }
    lines = ["# The rahdari agent. Every setting is explained in docs/agent.md."]
    lines += [f"{name} = {_text(value)}" for name, value in said.items() if value != ""]
    lines += ["insecure_http = true"] if arguments.insecure_http else []
    for target in configuration.targets:
        lines += ["", "[[target]]", f"kind = {_text(target.kind)}", f"name = {_text(target.name)}"]
        if isinstance(target, FileTarget):
            lines.append(f"path = {_text(target.path)}")
        elif isinstance(target, NftTarget):
            lines.append(f"table = {_text(target.table)}")
            lines += [f"netns = {_text(target.netns)}"] if target.netns else []
    return "\n".join(lines) + "\n"


def check_configuration(path: Path, text: str) -> None:
    """Whether it can be read by the one who will read it. Raises ConfigurationError."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        put_file(draft, text.encode())
        load(draft)
    finally:
        draft.unlink(missing_ok=True)


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _whole(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()
