"""The process as the settings of the environment have it."""

from collections.abc import Mapping
from pathlib import Path

from .app import Lookup
from .authentication import Proxies
from .limits import REQUESTS_PER_SECOND
from .rdap import Server


def from_environment(environment: Mapping[str, str]) -> Lookup:
    """Raises ValueError for a setting that is not understood."""

    def given(name: str) -> str:
        return environment.get(name, "").strip()

    return Lookup(
        Path(given("RAHDARI_DATA") or ".data").absolute(),
        server=Server(
            url=given("RAHDARI_LOOKUP_URL").rstrip("/"),
            authority=given("RAHDARI_LOOKUP_AUTHORITY") or Server.authority,
            contact=given("RAHDARI_CONTACT"),
        ),
        proxies=Proxies.read(given("RAHDARI_TRUSTED_PROXIES"), given("RAHDARI_FEED_CERTIFICATE_HEADER")),
        per_second=float(given("RAHDARI_LOOKUP_RATE") or REQUESTS_PER_SECOND),
        in_bulk=_is_on(given("RAHDARI_LOOKUP_BULK")),
    )


def _is_on(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise ValueError(f"RAHDARI_LOOKUP_BULK is 0 or 1, not {text!r}")
    return text == "1"
