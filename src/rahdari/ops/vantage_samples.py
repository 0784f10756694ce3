"""Two made-up vantages beside the demonstration: the real process over loopback, so that three places look.

The second one may ask only half of 127.0.0.0/8: a proof in the other half is not the same from everywhere, and
applicant and officer see who saw what. Their keys stay as they are from start to start, since what they signed
stands in the evidence; their ports are free ones each time.
"""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from rahdari.vantage.running import make


@dataclass(frozen=True)
class SampleVantage:
    name: str
    network: str
    region: str
    ranges: str


VANTAGES = (
    SampleVantage("sample-north", "AS64501", "north", '["127.0.0.0/8"]'),
    SampleVantage("sample-south", "AS64502", "south", '["127.0.0.0/9"]'),
)


def prepare(data: Path) -> list[tuple[str, Path]]:
    """Make what is not there, give each a free port, and list them for the register. Gives names and settings."""
    found, rows = [], []
    for each in VANTAGES:
        folder = data / "vantages" / each.name
        settings, token = folder / "vantage.toml", data / f"{each.name}.token"
        port = _free_port()
        if not settings.exists() or not token.exists():
            settings.unlink(missing_ok=True)
            (folder / "vantage.key").unlink(missing_ok=True)
            made = make(folder, name=each.name, listen=f"127.0.0.1:{port}")
            _keep_for_us(token, made.token)
            (folder / "vantage.pub").write_text(made.public_key)
            settings.write_text(f"allowed_ranges = {each.ranges}\n{settings.read_text()}")
        settings.write_text(re.sub(r'(?m)^listen = ".*"$', f'listen = "127.0.0.1:{port}"', settings.read_text()))
        rows.append(
            f'[[vantage]]\nname = "{each.name}"\nurl = "http://127.0.0.1:{port}"\n'
            f'key = "{(folder / "vantage.pub").read_text()}"\ntoken_file = "{token.name}"\n'
            f'network = "{each.network}"\nregion = "{each.region}"\n'
        )
        found.append((each.name, settings))
    draft = data / "vantages.toml.new"
    draft.write_text("\n".join(rows))
    draft.replace(data / "vantages.toml")
    return found


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _keep_for_us(path: Path, token: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
