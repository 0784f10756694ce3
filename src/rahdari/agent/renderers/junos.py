"""Junos prefix lists, for firewall filters and policies alike.

`replace:` with `load replace` puts a list in place of the one that is there; the commit makes one change of it.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from .renderer import Head, Options, Renderer, is_v6, named


class Junos(Renderer):
    kind = "junos"
    # What a commit can take on a routing engine; the line cards may hold fewer (docs/devices/juniper.md).
    capacity = 85_325
    options = named("rahdari")

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        name = options["list"]
        yield from (f"/* {line} */\n" for line in head.lines)
        yield "policy-options {\n"
        empty = {"4", "6"}
        for v6, prefixes in groupby(items, is_v6):
            version = "6" if v6 else "4"
            empty.discard(version)
            yield f"    replace:\n    prefix-list {name}{version} {{\n"
            for prefix in prefixes:
                yield f"        {prefix};\n"
            yield "    }\n"
        for version in sorted(empty):
            yield f"    replace:\n    prefix-list {name}{version};\n"
        yield "}\n"
