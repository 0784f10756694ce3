"""Routes for BIRD 2 in tables of their own, given to other routers over BGP; and sets of prefixes for filters.

A route here is the name of an address for policy, never a path to it: the tables are read by no kernel protocol, and
each route carries NO_EXPORT and a community that tells what it is. Installed as a path it would draw the traffic away.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from .renderer import Head, Option, Options, Renderer, is_v6

NO_EXPORT = "(65535, 65281)"


def tables(options: Options) -> tuple[str, str]:
    return f"{options['list']}4", f"{options['list']}6"


class Bird(Renderer):
    kind = "bird"
    options = {
        "list": Option("rahdari", "name of the tables and protocols in BIRD; 4 or 6 is added"),
        "community": Option("", 'a large community on each route, as in "64496:1:1"', r"(\d{1,10}:\d{1,10}:\d{1,10})?"),
        "control": Option("/run/bird/bird.ctl", "the path of BIRD's control socket", r"/[^\n\0]+"),
    }

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        yield from (f"# {line}\n" for line in head.lines)
        yield "# These routes are names for policy, not paths: let no kernel protocol read these tables.\n"
        missing = {4: tables(options)[0], 6: tables(options)[1]}
        for version, name in missing.items():
            yield f"ipv{version} table {name};\n"
        for v6, prefixes in groupby(items, is_v6):
            version = 6 if v6 else 4
            yield _opening(version, missing.pop(version), options)
            for prefix in prefixes:
                yield f'\troute {prefix} via "lo";\n'
            yield "}\n"
        for version, name in missing.items():
            yield _opening(version, name, options) + "}\n"


def _opening(version: int, name: str, options: Options) -> str:
    add = f"bgp_community.add({NO_EXPORT}); "
    if options["community"]:
        add += f"bgp_large_community.add(({options['community'].replace(':', ', ')})); "
    return (
        f"protocol static {name}_routes {{\n"
        f"\tipv{version} {{ table {name}; import filter {{ {add}accept; }}; export none; }};\n"
    )


class BirdSet(Renderer):
    kind = "bird-set"
    options = {"list": Option("RAHDARI", "name of the constants; 4 or 6 is added")}

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        yield from (f"# {line}\n" for line in head.lines)
        missing = {4, 6}
        for v6, prefixes in groupby(items, is_v6):
            version = 6 if v6 else 4
            missing.discard(version)
            yield f"define {options['list']}{version} = [\n"
            before = ""
            for prefix in prefixes:
                yield f"{before}\t{prefix}+"
                before = ",\n"
            yield "\n];\n"
        for version in sorted(missing):
            yield f"define {options['list']}{version} = [ ];\n"
