"""PostgreSQL asked which entry covers an address: GiST over inet, prepared, one connection by the socket."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import place

from . import postgres

UNFAIR = (
    "PostgreSQL answers from a durable, transactional table to anyone who has SQL, and Python's driver takes half of "
    "the time of a single question; there is no HTTP in front of it."
)


class Table:
    def __init__(self, url: str, prefixes: Sequence[str]) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY, prefix inet NOT NULL)")
            with cursor.copy("COPY entry (prefix) FROM STDIN") as copy:
                for prefix in prefixes:
                    copy.write_row((prefix,))
            cursor.execute("CREATE INDEX ON entry USING gist (prefix inet_ops)")
            cursor.execute("VACUUM ANALYZE entry")
        self.versions = {"postgresql-17": place.package_version("postgresql-17")}

    def covers(self, address: str) -> Any:
        found = self.connection.execute(
            "SELECT prefix FROM entry WHERE prefix >>= %s::inet LIMIT 1", [address], prepare=True
        )
        return found.fetchone()

    def cover_many(self, addresses: list[str]) -> int:
        """In one question, which is quicker than a pipeline of single ones."""
        found = self.connection.execute(
            "SELECT asked, (SELECT prefix FROM entry WHERE prefix >>= asked LIMIT 1) FROM unnest(%s::inet[]) asked",
            [addresses],
            prepare=True,
        )
        return len(found.fetchall())

    def close(self) -> None:
        self.connection.close()


@contextmanager
def holding(folder: Path, prefixes: Sequence[str], *, quick: bool) -> Iterator[Table]:
    with postgres.serving(folder / "postgres", quick=quick) as addresses:
        table = Table(addresses.format(name="postgres"), prefixes)
        try:
            yield table
        finally:
            table.close()
