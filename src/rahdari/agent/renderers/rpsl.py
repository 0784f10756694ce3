"""A route-set in RPSL: with it `bgpq4`, and what else reads a routing registry, prints lists for any router."""

from collections.abc import Iterable, Iterator

from .renderer import Head, Option, Options, Renderer, is_v6


class Rpsl(Renderer):
    kind = "rpsl"
    options = {
        "list": Option("RS-RAHDARI", "name of the route-set"),
        "maintainer": Option("MAINT-RAHDARI", "its maintainer in your registry"),
        "source": Option("RAHDARI", "the registry's name"),
    }

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        yield f"route-set:      {options['list']}\n"
        yield from (f"descr:          {line}\n" for line in head.lines)
        for prefix in items:
            yield f"{'mp-members:    ' if is_v6(prefix) else 'members:       '} {prefix}\n"
        yield f"mnt-by:         {options['maintainer']}\nsource:         {options['source']}\n"
