"""One JSON object with all entries, one on a line; and JSON lines, which a program can read piece by piece."""

import json
from collections.abc import Iterable, Iterator

from rahdari.feed.terms import TERMS

from .renderer import Head, Options, Renderer, Row


def _line(row: Row) -> str:
    # Ids, prefixes, protocols and times are plain ASCII by the format of the feed: nothing in them needs escaping.
    port = "null" if row.port is None else row.port
    return (
        f'{{"id":"{row.id}","prefix":"{row.prefix}","protocol":"{row.protocol}","port":{port},'
        f'"not_before":"{row.not_before}","not_after":"{row.not_after}",'
        f'"kept_stale":{_yes(row.kept_stale)},"held":{_yes(row.held)},"local":{_yes(bool(row.local))}}}'
    )


def _yes(value: bool) -> str:
    return "true" if value else "false"


class Json(Renderer):
    kind = "json"
    takes = "entries"

    def render(self, items: Iterable[Row], head: Head, options: Options) -> Iterator[str]:
        yield f'{{"format":"1.0",\n"terms":"{TERMS}",\n"streams":{json.dumps(head.as_json())},\n"entries":['
        before = "\n"
        for row in items:
            yield before + _line(row)
            before = ",\n"
        yield "]}\n" if before == "\n" else "\n]}\n"


class JsonLines(Renderer):
    kind = "json-lines"
    takes = "entries"

    def render(self, items: Iterable[Row], head: Head, options: Options) -> Iterator[str]:
        for row in items:
            yield _line(row) + "\n"
