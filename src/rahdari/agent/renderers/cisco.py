"""Lists for Cisco IOS and IOS XR, as their configuration says them.

IOS: `ip prefix-list`, emptied and filled anew. A route-map takes everything while a list that it names is not there,
so nothing is left out meanwhile; the same file loaded again leaves the same list.
IOS XR: a prefix-set for route policies, or object groups for access lists. A commit replaces each as a whole.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from .renderer import Head, Option, Options, Renderer, host, is_v6, named


class CiscoIos(Renderer):
    kind = "cisco-ios"
    options = named("RAHDARI")

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        name = options["list"]
        yield from (f"! {line}\n" for line in head.lines)
        yield f"no ip prefix-list {name}4\nno ipv6 prefix-list {name}6\n"
        for v6, prefixes in groupby(items, is_v6):
            word, version = ("ipv6", 6) if v6 else ("ip", 4)
            yield f"{word} prefix-list {name}{version} description must not be disrupted\n"
            for number, prefix in enumerate(prefixes, start=1):
                yield f"{word} prefix-list {name}{version} seq {number * 5} permit {prefix}{_or_longer(prefix)}\n"
        yield "end\n"


def _or_longer(prefix: str) -> str:
    """A list of routes names each route: what lies within a registered prefix belongs to it."""
    length, bits = int(prefix.rpartition("/")[2]), 128 if is_v6(prefix) else 32
    return f" le {bits}" if length < bits else ""


class CiscoXr(Renderer):
    kind = "cisco-xr"
    options = {
        **named("RAHDARI"),
        "style": Option(
            "prefix-set", '"prefix-set" for route policies, "object-group" for access lists', "prefix-set|object-group"
        ),
    }

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        yield from (f"! {line}\n" for line in head.lines)
        yield from (_object_groups if options["style"] == "object-group" else _prefix_set)(items, options["list"])
        yield "!\nend\n"


def _prefix_set(items: Iterable[str], name: str) -> Iterator[str]:
    yield f"prefix-set {name}\n"
    before = ""
    for prefix in items:
        yield f"{before}  {prefix}{_or_longer(prefix)}"
        before = ",\n"
    yield "\nend-set\n" if before else "end-set\n"


def _object_groups(items: Iterable[str], name: str) -> Iterator[str]:
    # Taken out and written anew: the commit makes one change of both.
    yield f"no object-group network ipv4 {name}4\nno object-group network ipv6 {name}6\n"
    for v6, prefixes in groupby(items, is_v6):
        yield f"object-group network ipv6 {name}6\n" if v6 else f"object-group network ipv4 {name}4\n"
        yield " description must not be disrupted\n"
        for prefix in prefixes:
            short = host(prefix)
            yield f" {short}\n" if "/" in short else f" host {short}\n"
