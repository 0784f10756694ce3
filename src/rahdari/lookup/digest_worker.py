"""`python -m rahdari.lookup.digest_worker SNAPSHOT PART PARTS`: print the digest's state over each PARTS-th entry."""

import sys
from itertools import islice
from pathlib import Path

from rahdari.feed import SetDigest

from .records import added
from .snapshot_files import lines_of


def state_of(path: Path, part: int, parts: int) -> bytes:
    """The state of the set digest over every `parts`-th entry of a snapshot, from number `part` on.
    Raises FeedFault.
    """
    digest = SetDigest()
    with path.open("rb") as file:
        digest.add_all(added(line)[0] for line in islice(lines_of(file), part + 1, None, parts))
    return digest.state


if __name__ == "__main__":
    sys.stdout.buffer.write(state_of(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
