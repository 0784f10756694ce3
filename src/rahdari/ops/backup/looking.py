"""What a restored register is able to do, which counting its rows does not show: its papers open, and it knows the feed
that lies beside it.

    python -P -m rahdari.ops.backup.looking --data DIR      prints one line of JSON, as `Seen`
"""

import argparse
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Papers that are opened, by chance: all of a large register's would take hours.
PAPERS = 1000


@dataclass
class Seen:
    """`papers` were opened, `closed` are the ids of those that were not; the feed on disk has `entries`, each file of
    it read; `behind`: more was published than the database knows; `unreadable` says what of the feed is broken."""

    papers: int = 0
    closed: list[str] = field(default_factory=list)
    entries: int = 0
    behind: bool = False
    unreadable: str = ""


def look(*, papers_until: str) -> Seen:
    """Papers uploaded after `papers_until` (ISO) are in no backup yet, so they are left out."""
    import datetime as dt

    from rahdari.apply import queries as applications
    from rahdari.publish import envelope, restoring
    from rahdari.vault.cipher import CannotDecrypt
    from rahdari.vault.files import FileMissing

    seen = Seen()
    until = dt.datetime.fromisoformat(papers_until)
    for paper in applications.stored_papers(until=until)[:PAPERS]:
        try:
            applications.content_of(paper)
            seen.papers += 1
        except (FileMissing, CannotDecrypt):
            seen.closed.append(str(paper.pk))
    try:
        seen.entries = restoring.entries_on_disk()
        seen.behind = restoring.is_behind()
    except envelope.FeedUnusable as error:
        seen.unreadable = f"{error.path}: {error.why}"
    return seen


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("papers_until")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    from rahdari.ops import datafolder

    # Where the register's key of cookies stood in its settings, it is not here: any will do.
    os.environ.update({"RAHDARI_SECRET_KEY": secrets.token_urlsafe(48), **datafolder.environment(options.data)})
    import django

    django.setup()
    print(json.dumps(asdict(look(papers_until=options.papers_until))))


if __name__ == "__main__":
    main()
