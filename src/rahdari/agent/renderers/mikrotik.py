"""A script for RouterOS that fills an address list.

Each address has a timeout, so it lives in memory and not in the flash, and is gone by itself when its term ends, or
when no new script came for very long: one comes each day though nothing changed. A timeout has slack, so that an entry
that was renewed, or is kept because the feed is stale, is not gone for the minute until the next script. Two lists
take turns, NAME-a and NAME-b, and rules match both: the other list is filled first and then this one is emptied, so no
address is missing at any moment. Fetched again unchanged, the script does nothing; after a reboot it fills anew.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from rahdari.feed.entry import parse_time

from .renderer import End, Head, Option, Options, Renderer

SLACK = dt.timedelta(hours=1)


class Mikrotik(Renderer):
    kind = "mikrotik"
    takes = "ends"
    # No limit is published. Above this an import takes minutes on a small router, and memory runs out on the least.
    capacity = 20_000
    renew_seconds = 86_400
    options = {
        "list": Option("rahdari", "name of the lists; -a or -b is added"),
        "most_days": Option(30, "an address is kept this long at most when no newer script comes"),
    }

    def render(self, items: Iterable[End], head: Head, options: Options) -> Iterator[str]:
        most = dt.timedelta(days=options["most_days"])
        edition = " ".join(f"{role}:{session[:8]}:{sequence}" for role, session, sequence, _ in head.streams)
        edition = f"{edition} {head.rendered_at}"
        name = options["list"]
        yield from (f"# {line}\n" for line in head.lines)
        yield f"# Rules match src-address-list and dst-address-list of {name}-a and of {name}-b.\n"
        yield (
            ":global rahdariEdition\n"
            ":global rahdariList\n"
            f':if ($rahdariEdition = "{edition}") do={{ :error "rahdari: nothing is new" }}\n'
            f':local old "{name}-a"\n'
            f':local new "{name}-b"\n'
            f':if ($rahdariList = "{name}-b") do={{ :set old "{name}-b"; :set new "{name}-a" }}\n'
        )
        for path in ("/ip firewall address-list", "/ipv6 firewall address-list"):
            yield f"{path} remove [find list=$new]\n"
        for prefix, until in items:
            path = "/ipv6 firewall address-list" if ":" in prefix else "/ip firewall address-list"
            left = min(parse_time(until) - head.now + SLACK, most) if until else most
            yield f"{path} add list=$new address={prefix} timeout={int(left.total_seconds())}s\n"
        for path in ("/ip firewall address-list", "/ipv6 firewall address-list"):
            yield f"{path} remove [find list=$old]\n"
        yield f':set rahdariList $new\n:set rahdariEdition "{edition}"\n'
