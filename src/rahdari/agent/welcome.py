"""The authority's welcome: what an agent needs to begin, as lines within any text.

    server = "https://feed.example"
    receipt_url = "https://register.example/feed/receipt"
    token = "..."
    root_sha256 = "..."
    terms_sha256 = "..."
    operator = "sample-fibre"

Everything around such lines is for people. Whoever can change this text can change what is trusted: the digest of the
root is to be compared with one that came by another way.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .faults import AgentFault, Exit

NAMES = ("operator", "server", "receipt_url", "metadata_url", "targets_url", "token", "root_sha256", "terms_sha256")
LONGEST = 256 * 1024
# Mail programs put a mark before what is quoted or forwarded.
_LINE = re.compile(rf'[>|\s]*({"|".join(NAMES)})\s*=\s*"([^"\\\x00-\x1f\x7f]*)"\s*', re.ASCII)


class WelcomeUnclear(AgentFault):
    exit = Exit.USAGE

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The welcome text cannot be used: {why}.",
            "Save the text as the authority sent it, whole, and give that file; or give --server, --token-file and "
            "--root-sha256 one by one.",
        )


@dataclass(frozen=True)
class Welcome:
    """What is not said is empty."""

    operator: str = ""
    server: str = ""
    receipt_url: str = ""
    metadata_url: str = ""
    targets_url: str = ""
    token: str = ""
    root_sha256: str = ""
    terms_sha256: str = ""


def read_welcome(place: str) -> Welcome:
    """From a file, or from what is typed or piped in when `place` is a dash. Raises WelcomeUnclear."""
    try:
        source = sys.stdin.buffer.read(LONGEST + 1) if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise WelcomeUnclear(f"{place} cannot be read ({error.strerror})") from None
    if len(source) > LONGEST:
        raise WelcomeUnclear("it is far too long")
    return parse_welcome(source.decode("utf-8", "replace"))


def parse_welcome(text: str) -> Welcome:
    """Raises WelcomeUnclear."""
    said: dict[str, str] = {}
    for line in text.splitlines():
        if form := _LINE.fullmatch(line):
            name, value = form.groups()
            if said.setdefault(name, value) != value:
                raise WelcomeUnclear(f"it says two things of `{name}`")
    if not said:
        raise WelcomeUnclear('there is no line such as `server = "..."` in it')
    return Welcome(**said)
