"""Prefix lists of FRR.

The target `frr` changes them in the running daemons (agent/frr_lists.py); this is the whole of them as configuration.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from .renderer import Head, Options, Renderer, is_v6, named

STEP = 5


class Frr(Renderer):
    kind = "frr"
    # Measured: each line costs in proportion to the list; 10,000 take 2.5 s and 100,000 minutes.
    capacity = 10_000
    options = named("RAHDARI")

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        yield from (f"! {line}\n" for line in head.lines)
        for v6, prefixes in groupby(items, is_v6):
            for number, prefix in enumerate(prefixes, start=1):
                yield line(options["list"], v6=v6, number=number * STEP, prefix=prefix)


def line(name: str, *, v6: bool, number: int, prefix: str) -> str:
    word, version, bits = ("ipv6", 6, 128) if v6 else ("ip", 4, 32)
    longer = "" if int(prefix.rpartition("/")[2]) == bits else f" le {bits}"
    return f"{word} prefix-list {name}{version} seq {number} permit {prefix}{longer}\n"
