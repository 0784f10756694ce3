"""The holder's side of an address that changes: ask the register which address it sees, and report it.

The address is never guessed from this machine's interfaces: behind a router they say nothing. Each family is asked and
reported over itself, so that the report comes from the line that it speaks of. What was reported is remembered while
the program runs, and nothing is written to this machine.
"""

import datetime as dt
import ipaddress
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import make_headers

from rahdari import __version__

from .faults import AgentFault, Exit

# Bound to these, a socket of the other family is not opened at all.
FROM = {4: "0.0.0.0", 6: "::"}  # noqa: S104  (the source of a connection, not a service)
TIMEOUT = urllib3.Timeout(connect=10, read=30)
LONGEST = 1_000
DEFAULT_FILE = Path("/etc/rahdari/announce.conf")
# The same address is reported again so often: a report is valid for a little over a day.
AGAIN_AFTER = dt.timedelta(hours=12)
KEYS = ("server", "name", "token", "families", "insecure_http")


class SettingsUnusable(AgentFault):
    exit = Exit.USAGE


class RegisterNotReached(AgentFault):
    exit = Exit.NO_NETWORK


class Refused(AgentFault):
    """The register does not know the name or the token: trying again does not help."""

    exit = Exit.UNTRUSTED


class NotNow(AgentFault):
    """The register did not take the report this time."""

    exit = Exit.ALARM


@dataclass(frozen=True)
class Settings:
    server: str
    name: str
    token: str
    families: tuple[int, ...] = (4, 6)


@dataclass(frozen=True)
class Announced:
    """What the register said of one family. `word` is `good` or `nochg`."""

    family: int
    address: str
    word: str


def read_settings(path: Path) -> Settings:
    """`key = value` a line. Raises SettingsUnusable, also when others may read the token."""
    values = read_values(path, KEYS, needed=("server", "name", "token"), where="Copy it from the page of your address.")
    families = tuple(int(word) for word in values.get("families", "4 6").split() if word in {"4", "6"})
    if not families:
        raise SettingsUnusable(f"{path}: families is none of 4, 6 or 4 6.", "Leave the line out to report both.")
    return Settings(values["server"], values["name"], values["token"], families)


def read_values(path: Path, keys: Sequence[str], *, needed: Sequence[str], where: str) -> dict[str, str]:
    """The settings of a program that shows a token to `server`. Raises SettingsUnusable."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise SettingsUnusable(f"{path} cannot be read: {why}.", where) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsUnusable(f"Others on this machine may read {path}, which holds a token.", f"chmod 600 {path}")
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or key.strip() not in keys:
            raise SettingsUnusable(
                f"{path}, line {number} is not understood.", f"Each line is KEY = VALUE, with one of {', '.join(keys)}."
            )
        values[key.strip()] = value.strip().strip("'\"")
    missing = [key for key in needed if not values.get(key)]
    if missing:
        raise SettingsUnusable(f"{path} does not say {', '.join(missing)}.", where)
    server = values["server"] = values["server"].rstrip("/")
    plain = urlsplit(server).scheme == "http"
    here = (urlsplit(server).hostname or "") in {"127.0.0.1", "::1", "localhost"}
    if plain and not here and values.get("insecure_http") != "yes":
        raise SettingsUnusable(f"{path}: the token would go over {server} in the clear.", "Write https:// instead.")
    return values


@dataclass
class Announcer:
    """Reports the address of one connection, again when it is another, or when it was long ago."""

    settings: Settings
    reported: dict[int, tuple[str, dt.datetime]] = field(default_factory=dict)

    def announce(self, now: dt.datetime) -> list[Announced]:
        """Report each family that this line has. Raises what went wrong when none could be reported."""
        done: list[Announced] = []
        faults: list[AgentFault] = []
        for family in self.settings.families:
            try:
                announced = self._family(family, now)
            except (RegisterNotReached, NotNow) as fault:
                faults.append(fault)
            else:
                done.append(announced)
        # A line without IPv6 is no fault; a report that was not taken is one, whatever became of the other family.
        refused = next((fault for fault in faults if isinstance(fault, NotNow)), None)
        if refused is not None or not done:
            raise refused or faults[0]
        return done

    def _family(self, family: int, now: dt.datetime) -> Announced:
        address = self._get(family, "/nic/address", {}).partition("\n")[0].strip()
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise RegisterNotReached(
                f"{self.settings.server} does not answer as a register does.", "Check `server` in the settings."
            ) from None
        before = self.reported.get(family)
        if before is not None and before[0] == address and now - before[1] < AGAIN_AFTER:
            return Announced(family, address, "nochg")
        body = self._get(family, "/nic/update", {"hostname": self.settings.name, "myip": address}, with_token=True)
        word = body.split(maxsplit=1)[0] if body.split() else ""
        if word in {"good", "nochg"}:
            self.reported[family] = (address, now)
            return Announced(family, address, word)
        self.reported.pop(family, None)
        if word in {"badauth", "nohost"}:
            raise Refused(f"The register answers {word}.", "Compare name and token with the page of your address.")
        if word in {"abuse", "911"}:
            raise NotNow(f"The register answers {word} for {address}.", "The page of your address says why.")
        raise RegisterNotReached(
            f"{self.settings.server} does not answer as a register does.", "Check `server` in the settings."
        )

    def _get(self, family: int, path: str, query: dict[str, str], *, with_token: bool = False) -> str:
        url = f"{self.settings.server}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"User-Agent": f"rahdari-announce/{__version__}"}
        if with_token:
            headers |= make_headers(basic_auth=f"{self.settings.name}:{self.settings.token}")
        pool = urllib3.PoolManager(num_pools=1, source_address=(FROM[family], 0))
        try:
            answer = pool.request(
                "GET", url, headers=headers, timeout=TIMEOUT, retries=False, redirect=False, preload_content=False
            )
            status, body = answer.status, answer.read(LONGEST).decode("ascii", "replace")
            answer.close()
        except (HTTPError, LocationParseError, OSError) as error:
            raise RegisterNotReached(
                f"{self.settings.server} was not reached over IPv{family}: {type(error).__name__}.",
                "Check the network and `server` in the settings.",
            ) from None
        finally:
            pool.clear()
        if status not in {200, 401, 503}:
            raise RegisterNotReached(f"{self.settings.server} answers {status}.", "Check `server` in the settings.")
        return body
