"""Lists that a firewall fetches over HTTPS: one address or prefix on a line, and nothing else.

Palo Alto's external dynamic list takes no line that is a comment alone; FortiGate's external list is kept as plain.
Both count a prefix as one entry. Beyond its limit the first skips the rest and the second cuts it off, silently but
for a line in a log: so the limit is held here, before the file is replaced.
"""

from collections.abc import Iterable, Iterator

from .renderer import Head, Options, Renderer, host


class PlainList(Renderer):
    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[str]:
        for prefix in items:
            yield f"{host(prefix)}\n"


class PaloAlto(PlainList):
    kind = "palo-alto"
    capacity = 50_000  # 150,000 on the large models: then say so in `capacity`


class FortiGate(PlainList):
    kind = "fortigate"
    capacity = 131_072  # for one list before FortiOS 7.4.4; by model after
