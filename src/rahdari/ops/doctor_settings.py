"""The part of the doctor that looks at what the deployer has set: the environment, and the files that it comes from."""

import ipaddress
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from rahdari.ops import datafolder
from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection
from rahdari.settings import engine

# A network of proxies is of one operator's, never of half the world's.
WIDEST_PROXIES = {4: 8, 6: 32}


def check_settings(patient: Inspection) -> Iterator[Finding]:
    environment = patient.environment
    yield from check_proxies(environment)
    yield from check_settings_files(patient)
    yield from check_engine(environment)
    yield from check_token(environment)
    label = datafolder.read_label(patient.data)
    if patient.is_demo and label is not None and label.kind != datafolder.DEMO:
        yield Finding(
            WRONG,
            "settings",
            f"DJANGO_SETTINGS_MODULE names the demonstration, and {patient.data} is a register: anybody "
            "may sign in as anybody. Unset it.",
        )
        return
    if patient.is_demo:
        yield Finding(OK, "settings", "a demonstration: made-up people, mail into a folder")
        return
    url = environment.get("RAHDARI_URL", "")
    host = urlsplit(url).hostname or ""
    if not url:
        yield Finding(NOTE, "address", "RAHDARI_URL is not set, so links in letters point at this machine only.")
    elif not url.startswith("https://"):
        yield Finding(
            WRONG, "address", f"RAHDARI_URL is {url}. Serve over https, and set it to https://{host or 'HOST'}."
        )
    else:
        yield Finding(OK, "address", url)
    hosts = [name.strip() for name in environment.get("RAHDARI_HOSTS", "").split(",") if name.strip()]
    if host and hosts and host not in hosts and "*" not in hosts:
        yield Finding(WRONG, "hosts", f"RAHDARI_HOSTS does not hold {host}, the host of RAHDARI_URL. Add it.")


def check_proxies(environment: Mapping[str, str]) -> Iterator[Finding]:
    named = list(filter(None, environment.get("RAHDARI_TRUSTED_PROXIES", "").split(",")))
    for text in named:
        try:
            network = ipaddress.ip_network(text.strip())
        except ValueError as error:
            yield Finding(WRONG, "proxies", f"RAHDARI_TRUSTED_PROXIES: {error}. Write networks such as 127.0.0.1/32.")
            continue
        if network.prefixlen < WIDEST_PROXIES[network.version]:
            yield Finding(
                WRONG,
                "proxies",
                f"RAHDARI_TRUSTED_PROXIES has {network}: whoever calls from there says what address is theirs, and "
                "proves others' with it. Name your proxies alone, such as 127.0.0.1/32.",
            )
    if not named and environment.get("RAHDARI_URL", "").startswith("https://"):
        yield Finding(
            WRONG,
            "proxies",
            "RAHDARI_TRUSTED_PROXIES is not set, and https needs a proxy in front: every visitor seems to come from "
            "it, so that no address can be proved and limits count all as one. Set it to the proxy's address, such as "
            "127.0.0.1/32.",
        )


def check_token(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Nothing is said where none is set."""
    from rahdari.web.metrics_access import SHORTEST_TOKEN

    if 0 < len(environment.get("RAHDARI_METRICS_TOKEN", "")) < SHORTEST_TOKEN:
        text = f"RAHDARI_METRICS_TOKEN has fewer than {SHORTEST_TOKEN} characters, so it opens nothing. "
        yield Finding(WRONG, "settings", f"{text}Make another: openssl rand -hex 32")


def check_resolvers(patient: Inspection, *, patience: float = 3.0) -> Iterator[Finding]:
    """Whether those that are asked about host names of applicants answer."""
    from rahdari.probe import names

    host = urlsplit(patient.environment.get("RAHDARI_URL", "")).hostname or "."
    for resolver in filter(
        None, (each.strip() for each in patient.environment.get("RAHDARI_RESOLVERS", "").split(","))
    ):
        try:
            fault = names.fault_of(resolver, host, timeout=patience)
        except ValueError as error:
            yield Finding(WRONG, "resolvers", f"RAHDARI_RESOLVERS: {resolver} ({error}). Write addresses.")
            continue
        if fault:
            text = (
                f"{resolver} of RAHDARI_RESOLVERS cannot be asked ({fault}): host names are not proved. Start it, or "
            )
            yield Finding(WRONG, "resolvers", f"{text}name another.")
        else:
            yield Finding(OK, "resolvers", f"{resolver} answers")


def check_engine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """What renders the pages, where another than Django's is asked for."""
    try:
        if fault := engine.fault(environment):
            yield Finding(NOTE, "templates", fault)
    except ValueError as error:
        yield Finding(WRONG, "templates", str(error))


def check_settings_files(patient: Inspection) -> Iterator[Finding]:
    """The files that the units read: passwords stand in them."""
    for path in sorted(patient.settings_folder.glob("*.env")):
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & 0o007:
                yield Finding(WRONG, "settings", f"everybody may read {path}. Run: chmod 640 {path}")
