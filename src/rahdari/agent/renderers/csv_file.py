"""CSV with one row for each entry."""

from collections.abc import Iterable, Iterator

from .renderer import Head, Options, Renderer, Row

COLUMNS = ("prefix", "protocol", "port", "not_before", "not_after", "id", "kept_stale", "held", "local")


class Csv(Renderer):
    kind = "csv"
    takes = "entries"

    def render(self, items: Iterable[Row], head: Head, options: Options) -> Iterator[str]:
        yield ",".join(COLUMNS) + "\n"
        for row in items:
            # No value of an entry holds a comma or a quotation mark, by the format of the feed.
            yield (
                f"{row.prefix},{row.protocol},{row.port or ''},{row.not_before},{row.not_after},{row.id},"
                f"{_yes(row.kept_stale)},{_yes(row.held)},{_yes(bool(row.local))}\n"
            )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
